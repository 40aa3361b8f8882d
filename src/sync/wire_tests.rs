//! The bytes on the wire are frozen: hubs are built on them. Do not change what is expected here; add to it.

use payment::time::Wall;
use serde_json::Value;

use super::command::Delivered;
use super::wire::{Answer, BATCH_BYTES_MAX, Batch, ENTRIES_MAX, RefusedEntry, Said, commands, join, poll};
use crate::journal::chain::{Hash, Head, Record};
use crate::journal::{CommandOutcome, CommandResult};

fn record(seq: u64, body: &str) -> Record {
    let mut record = Record {
        seq,
        order: "S0123456789ABCDEFGHJKMNPQR".to_owned(),
        at: Wall { ms: 1_790_000_000_000, trusted: true },
        state: "expired".to_owned(),
        body: body.to_owned(),
        prev: Head::beginning().hash,
        hash: Hash::beginning(),
    };
    record.hash = record.seal();
    record
}

const CLOSED: &str = r#"{"kind":"order_closed","order":"S0123456789ABCDEFGHJKMNPQR","ending":"expired"}"#;

const LINE: &str = concat!(
    r#"{"seq":7,"order":"S0123456789ABCDEFGHJKMNPQR","at_ms":1790000000000,"trusted":true,"state":"expired","#,
    r#""prev":"PREV","hash":"HASH","#,
    r#""body":"{\"kind\":\"order_closed\",\"order\":\"S0123456789ABCDEFGHJKMNPQR\",\"ending\":\"expired\"}"}"#,
    "\n"
);

/// The hashes were computed with the Python of `docs/journal.md`.
fn line() -> String {
    LINE.replace("PREV", PREV).replace("HASH", HASH)
}

const PREV: &str = "ec5933b6d5ffd32c80e87435eb2948f7d412ccdb258cd7c9c84b002c43113159";
const HASH: &str = "70c24b7aa758ee5e13985083d5a4e9a227a4e246969d0b968a06c1389505e9ab";

#[test]
fn a_batch_is_frozen() {
    let batch = Batch::of(&[record(7, CLOSED)]).unwrap();
    assert_eq!((batch.first, batch.last, batch.entries()), (7, 7, 1));
    assert_eq!(batch.lines, line());
}

#[test]
fn the_place_of_an_unreadable_entry_is_frozen() {
    let batch = Batch::unreadable(&record(7, CLOSED), "too_odd");
    assert_eq!(
        batch.lines,
        format!("{{\"seq\":7,\"prev\":\"{PREV}\",\"hash\":\"{HASH}\",\"unreadable\":\"too_odd\"}}\n")
    );
}

const POLL: &str = r#"{"handled":5,"results":[{"number":4,"outcome":"done","detail":"R1"},{"number":5,"outcome":"refused","detail":""}],"wait_s":50}"#;
const JOIN: &str = r#"{"public_key":"JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=","code":"K7Q2-9FXM"}"#;

#[test]
fn polls_and_joins_are_frozen() {
    let result = |number, outcome, detail: &str| CommandResult { number, outcome, detail: detail.to_owned() };
    let results = [result(4, CommandOutcome::Done, "R1"), result(5, CommandOutcome::Refused, "")];
    assert_eq!(poll(5, &results, 50), POLL);
    assert_eq!(poll(0, &[], 50), r#"{"handled":0,"results":[],"wait_s":50}"#);
    assert_eq!(join("JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=", "K7Q2-9FXM"), JOIN);
}

#[test]
fn a_batch_has_its_limits_and_always_one_entry() {
    let many: Vec<Record> = (1..=700).map(|seq| record(seq, CLOSED)).collect();
    assert_eq!(Batch::of(&many).unwrap().entries(), u64::from(ENTRIES_MAX));
    let long = "x".repeat(400_000);
    let long: Vec<Record> = (1..=4).map(|seq| record(seq, &long)).collect();
    let batch = Batch::of(&long).unwrap();
    assert_eq!(batch.entries(), 2);
    assert!(batch.lines.len() <= BATCH_BYTES_MAX);
    let huge = record(1, &"x".repeat(BATCH_BYTES_MAX + 1));
    assert_eq!(Batch::of(&[huge, record(2, CLOSED)]).unwrap().entries(), 1);
    assert_eq!(Batch::of(&[]), None);
}

// ---- answers ----

const TAKEN: &str =
    r#"{"acknowledged":12,"refused":[{"seq":9,"code":"unknown_order","detail":"order S… was never opened"}]}"#;
const GAP: &str = r#"{"code":"gap","detail":"the hub has up to 3","acknowledged":3}"#;
const FORK: &str = r#"{"code":"fork","detail":"entry 5 has another hash"}"#;
const UNREADABLE: &str = r#"{"code":"bad_line","detail":"line 3"}"#;
const NOT_ACCEPTED: &str = r#"{"code":"unknown_terminal","detail":"VM-0001 never joined"}"#;

fn said(code: &str, detail: &str) -> Said {
    Said { code: code.to_owned(), detail: detail.to_owned() }
}

#[test]
fn every_answer_of_the_page_is_understood() {
    let refused =
        RefusedEntry { seq: 9, code: "unknown_order".to_owned(), detail: "order S… was never opened".to_owned() };
    let fork = Answer::Fork { detail: "entry 5 has another hash".to_owned() };
    for (status, body, answer) in [
        (200, TAKEN, Answer::Taken { acknowledged: 12, refused: vec![refused] }),
        (200, r#"{"acknowledged":12,"refused":[]}"#, Answer::Taken { acknowledged: 12, refused: Vec::new() }),
        (409, GAP, Answer::Gap { acknowledged: 3 }),
        (409, FORK, fork),
        (400, UNREADABLE, Answer::BadBatch(said("bad_line", "line 3"))),
        (413, "", Answer::BadBatch(said("unreadable", ""))),
        (422, r#"{"code":"a code with blanks"}"#, Answer::BadBatch(said("unreadable", ""))),
        (401, NOT_ACCEPTED, Answer::NotAccepted(said("unknown_terminal", "VM-0001 never joined"))),
        (403, "<html>", Answer::NotAccepted(said("not_accepted", ""))),
    ] {
        assert_eq!(Answer::read(status, None, body.as_bytes()), answer, "{status} {body}");
    }
}

#[test]
fn not_now_is_every_5xx_and_429_with_the_wait_that_is_asked_for() {
    for status in [429, 500, 502, 503, 504, 599] {
        let answer = Answer::read(status, Some(" 120 "), b"<html>busy</html>");
        assert!(matches!(answer, Answer::NotNow { retry_after_s: Some(120), .. }), "{status}: {answer:?}");
    }
    for odd in [None, Some(""), Some("-1"), Some("Wed, 21 Oct 2026 07:28:00 GMT")] {
        assert!(matches!(Answer::read(503, odd, b""), Answer::NotNow { retry_after_s: None, .. }), "{odd:?}");
    }
}

#[test]
fn whatever_no_hub_says_is_nonsense_and_takes_nothing() {
    for (status, body) in [
        (200, "<html>log in to this hotspot</html>"),
        (200, "{}"),
        (200, r#"{"acknowledged":-1}"#),
        (200, ""),
        (204, ""),
        (302, ""),
        (404, UNREADABLE),
        (405, ""),
        (409, ""),
        (409, r#"{"code":"gap"}"#),
        (409, r#"{"code":"odd"}"#),
    ] {
        let answer = Answer::read(status, None, body.as_bytes());
        assert!(matches!(answer, Answer::Nonsense(_)), "{status} {body}: {answer:?}");
    }
}

#[test]
fn what_a_hub_says_is_short_and_printable_before_it_is_kept() {
    let long = format!(
        r#"{{"acknowledged":1,"refused":[{{"seq":1,"code":"\u001b[31m","detail":"a\nb{}"}}]}}"#,
        "x".repeat(9_999)
    );
    let Answer::Taken { refused, .. } = Answer::read(200, None, long.as_bytes()) else { panic!("not taken") };
    assert_eq!(refused[0].code, "refused");
    assert!(refused[0].detail.starts_with("abx") && refused[0].detail.chars().count() == 300);
}

const COMMANDS: &str = r#"{"commands":[{"number":4,"command":"{\"terminal\":\"VM-0001\",\"number\":4,\"issued_ms\":1790000000000,\"do\":{\"kind\":\"restart\"}}","signature":"AAAA"}]}"#;

/// Whoever answers with a list is no hub: nothing is acknowledged by it.
#[test]
fn a_list_is_no_answer() {
    for (status, body) in [(200, "[7]"), (200, r#"{"acknowledged":7,"refused":[[6,"x"]]}"#), (409, r#"["gap","",3]"#)] {
        let answer = Answer::read(status, None, body.as_bytes());
        assert!(matches!(answer, Answer::Nonsense(_)), "{status} {body}: {answer:?}");
    }
    assert!(matches!(commands(200, None, b"[[]]"), Err(Answer::Nonsense(_))));
}

/// The reader of JSON repeats what it did not expect.
#[test]
fn what_is_not_understood_is_short_and_printable_too() {
    let long = "A".repeat(100_000);
    let answers = [
        Answer::read(200, None, format!(r#"{{"acknowledged":"{long}"}}"#).as_bytes()),
        Answer::read(409, None, format!(r#"{{"code":"gap","acknowledged":"{long}"}}"#).as_bytes()),
        commands(200, None, format!(r#"{{"commands":"{long}"}}"#).as_bytes()).unwrap_err(),
    ];
    for answer in answers {
        let Answer::Nonsense(what) = answer else { panic!("{answer:?}") };
        assert!(what.contains("is not understood") && what.chars().count() <= 300, "{} characters", what.len());
    }
}

#[test]
fn commands_are_read_with_their_exact_bytes() {
    let read = commands(200, None, COMMANDS.as_bytes()).unwrap();
    let command = r#"{"terminal":"VM-0001","number":4,"issued_ms":1790000000000,"do":{"kind":"restart"}}"#;
    assert_eq!(read, [Delivered { number: 4, command: command.to_owned(), signature: "AAAA".to_owned() }]);
    assert!(matches!(commands(503, Some("9"), b""), Err(Answer::NotNow { retry_after_s: Some(9), .. })));
    assert!(matches!(commands(400, None, b""), Err(Answer::Nonsense(_))));
    assert!(matches!(commands(200, None, b"{}"), Err(Answer::Nonsense(_))));
}

// ---- the description ----

fn document() -> Value {
    serde_json::from_str(super::OPENAPI).unwrap()
}

fn example<'d>(document: &'d Value, pointer: &str) -> &'d Value {
    document.pointer(pointer).unwrap_or_else(|| panic!("there is nothing at {pointer}"))
}

const PATH: &str = "/paths/~1v1~1terminals~1{terminal}~1";

#[test]
fn the_description_shows_the_frozen_bytes() {
    let document = document();
    let up = example(&document, &format!("{PATH}entries/post/requestBody/content/application~1x-ndjson/examples"));
    assert_eq!(up["entry"]["value"].as_str(), Some(line().as_str()));
    let stub = Batch::unreadable(&record(7, CLOSED), "too_odd").lines;
    assert_eq!(up["unreadable"]["value"].as_str(), Some(stub.as_str()));
    for (of, json) in [("poll", POLL), ("join", JOIN)] {
        let shown = example(&document, &format!("{PATH}{of}/post/requestBody/content/application~1json/example"));
        assert_eq!(shown.to_string(), json, "{of}");
    }
    for (of, status, json) in [
        ("entries", "200", TAKEN),
        ("entries", "400", UNREADABLE),
        ("entries", "401", NOT_ACCEPTED),
        ("poll", "200", COMMANDS),
    ] {
        let pointer = format!("{PATH}{of}/post/responses/{status}/content/application~1json/example");
        assert_eq!(example(&document, &pointer).to_string(), json, "{of} {status}");
    }
    let conflict = example(&document, &format!("{PATH}entries/post/responses/409/content/application~1json/examples"));
    assert_eq!(conflict["gap"]["value"].to_string(), GAP);
    assert_eq!(conflict["fork"]["value"].to_string(), FORK);
}

/// Every `$ref` leads somewhere, and every example has exactly what its schema names.
#[test]
fn the_description_is_whole() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let text = super::OPENAPI;
    let references = text.split("\"$ref\": \"#").skip(1).filter_map(|rest| rest.split('"').next());
    assert!(references.clone().count() > 10);
    for reference in references {
        assert!(document.pointer(reference).is_some(), "{reference} leads nowhere");
    }
    let frozen = [
        ("Entry", line()),
        ("Unreadable", Batch::unreadable(&record(7, CLOSED), "too_odd").lines),
        ("Taken", TAKEN.to_owned()),
        ("Error", GAP.to_owned()),
        ("Poll", POLL.to_owned()),
        ("Commands", COMMANDS.to_owned()),
        ("Join", JOIN.to_owned()),
    ];
    for (schema, json) in frozen {
        let shown: Value = serde_json::from_str(&json).unwrap();
        let names =
            |value: &Value| value.as_object().unwrap().keys().cloned().collect::<std::collections::BTreeSet<_>>();
        let properties = example(&document, &format!("/components/schemas/{schema}/properties"));
        assert_eq!(names(&shown), names(properties), "{schema}");
    }
}
