//! Entries up: order, hashes, limits, and sending again.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use sandbox::hub::{Rule, Totals};
use serde_json::{Value, json};

use crate::terminal::{Draft, START, Terminal, World, gzip, order, seal};

/// A terminal with three sales, 12 entries.
async fn stocked(world: &World) -> Terminal {
    let mut terminal = world.terminal("VM-0001").await;
    for number in 1..=3 {
        terminal.sale(&order(number), 350, None);
    }
    terminal
}

#[tokio::test]
async fn entries_are_kept_as_they_were_written() {
    let world = World::open().await;
    let terminal = stocked(&world).await;
    let answer = terminal.sync(1, 5).await;
    assert_eq!(answer.body, json!({ "acknowledged": 5, "refused": [] }));
    assert_eq!(terminal.sync(6, 12).await.acknowledged(), 12);
    let kept = world.control.entries("VM-0001");
    let bodies: Vec<Value> = kept.iter().map(|entry| json!([entry.seq, entry.hash, entry.body, entry.state])).collect();
    let written: Vec<Value> =
        terminal.lines.iter().map(|line| json!([line["seq"], line["hash"], line["body"], line["state"]])).collect();
    assert_eq!(bodies, written);
}

#[tokio::test]
async fn sending_again_is_harmless() {
    let world = World::open().await;
    let terminal = stocked(&world).await;
    assert_eq!(terminal.sync(1, 8).await.acknowledged(), 8);
    assert_eq!(terminal.sync(1, 8).await.acknowledged(), 8);
    assert_eq!(terminal.sync(2, 4).await.acknowledged(), 8);
    assert_eq!(terminal.sync(7, 12).await.acknowledged(), 12);
    assert_eq!(world.control.entries("VM-0001").len(), 12);
    let totals = world.control.books(|books| books.totals());
    assert_eq!(totals["VM-0001"], Totals { paid: 1050, refunded: 0, orders: 3 });
}

#[tokio::test]
async fn a_gap_is_told_with_where_to_go_on() {
    let world = World::open().await;
    let terminal = stocked(&world).await;
    let answer = terminal.sync(2, 3).await;
    assert_eq!((answer.status, answer.code(), &answer.body["acknowledged"]), (409, "gap", &json!(0)));
    terminal.sync(1, 4).await;
    let answer = terminal.sync(6, 7).await;
    assert_eq!((answer.status, answer.code(), &answer.body["acknowledged"]), (409, "gap", &json!(4)));
    assert_eq!(terminal.sync(5, 12).await.acknowledged(), 12);
}

#[tokio::test]
async fn another_past_is_a_fork() {
    let world = World::open().await;
    let terminal = stocked(&world).await;
    terminal.sync(1, 4).await;
    let mut other = world.stranger("VM-0001");
    for number in 4..=6 {
        other.sale(&order(number), 100, None);
    }
    // The same place with another hash; another past behind it; a first entry tied to nothing that is known.
    for lines in [&other.lines[3..4], &other.lines[4..8], &other.lines[0..8]] {
        let answer = terminal.send(terminal.batch(lines)).await;
        assert_eq!((answer.status, answer.code()), (409, "fork"), "{}", answer.detail());
        assert!(answer.body.get("acknowledged").is_none());
    }
    assert_eq!(world.control.acknowledged("VM-0001"), 4);
    assert_eq!(world.control.books(|books| books.head("VM-0001")), terminal.lines[3]["hash"].as_str().unwrap());
}

#[tokio::test]
async fn the_first_entry_is_tied_to_the_beginning() {
    let world = World::open().await;
    let terminal = world.terminal("VM-0001").await;
    let (prev, body) = ("0".repeat(64), json!({ "kind": "order_opened", "order": order(1) }).to_string());
    let hash = seal(1, START, true, "waiting", &prev, &body);
    let line = json!({
        "seq": 1, "order": order(1), "at_ms": START, "trusted": true, "state": "waiting",
        "prev": prev, "hash": hash, "body": body,
    });
    let answer = terminal.send(terminal.batch(&[line])).await;
    assert_eq!((answer.status, answer.code()), (409, "fork"));
}

/// A change to the second of three lines.
type Bend = fn(&mut Value);

const LINES: [(&str, Bend, u16, &str); 16] = [
    ("another time", |line| line["at_ms"] = json!(START + 1), 422, "bad_hash"),
    ("another trust", |line| line["trusted"] = json!(false), 422, "bad_hash"),
    ("another state", |line| line["state"] = json!("paid"), 422, "bad_hash"),
    (
        "another body",
        |line| line["body"] = json!(line["body"].as_str().unwrap().replace("350", "351")),
        422,
        "bad_hash",
    ),
    ("another hash", |line| line["hash"] = json!("0".repeat(64)), 422, "bad_hash"),
    ("another past", |line| line["prev"] = json!("0".repeat(64)), 422, "bad_hash"),
    ("another place", |line| line["seq"] = json!(3), 422, "bad_hash"),
    ("another order", |line| line["order"] = json!(order(9)), 422, "bad_body"),
    ("a hash in capitals", |line| line["hash"] = json!(line["hash"].as_str().unwrap().to_uppercase()), 422, "bad_line"),
    ("a short hash", |line| line["prev"] = json!("00"), 422, "bad_line"),
    ("one more member", |line| line["kind"] = json!("x"), 400, "bad_line"),
    ("one member less", |line| drop(line.as_object_mut().unwrap().remove("at_ms")), 400, "bad_line"),
    ("a number as text", |line| line["seq"] = json!("2"), 400, "bad_line"),
    ("a number below zero", |line| line["seq"] = json!(-2), 400, "bad_line"),
    ("a word as trust", |line| line["trusted"] = json!("yes"), 400, "bad_line"),
    ("no object", |line| *line = json!([1]), 400, "bad_line"),
];

#[tokio::test]
async fn a_batch_with_one_wrong_line_is_refused_whole() {
    let world = World::open().await;
    let terminal = stocked(&world).await;
    for (what, bend, status, code) in LINES {
        let mut lines = terminal.lines[..3].to_vec();
        bend(&mut lines[1]);
        let answer = terminal.send(terminal.batch(&lines)).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{what}: {}", answer.detail());
    }
    assert_eq!(world.control.acknowledged("VM-0001"), 0);
}

#[tokio::test]
async fn the_lines_of_a_batch_follow_each_other() {
    let world = World::open().await;
    let terminal = stocked(&world).await;
    let lines = &terminal.lines;
    let pick = |places: &[usize]| -> Vec<Value> { places.iter().map(|place| lines[place - 1].clone()).collect() };
    for places in [&[1, 3][..], &[2, 1], &[1, 1], &[1, 2, 4, 3]] {
        let answer = terminal.send(terminal.batch(&pick(places))).await;
        assert_eq!((answer.status, answer.code()), (422, "bad_order"), "{places:?}");
    }
    assert_eq!(world.control.acknowledged("VM-0001"), 0);
}

#[tokio::test]
async fn the_body_of_an_entry_is_looked_into() {
    let world = World::open().await;
    let mut terminal = world.terminal("VM-0001").await;
    for body in [json!({ "order": "S1" }), json!({ "kind": 5, "order": "S1" }), json!({ "kind": "a b", "order": "S1" })]
    {
        terminal.lines.clear();
        terminal.write("waiting", &body);
        let answer = terminal.sync_all().await;
        assert_eq!(answer.status, 422, "{body}: {}", answer.body);
    }
}

fn packed(terminal: &Terminal, text: &str) -> Draft {
    terminal.batch_of(&gzip(text.as_bytes()))
}

#[tokio::test]
async fn what_is_no_batch_is_refused() {
    let world = World::open().await;
    let terminal = stocked(&world).await;
    let line = terminal.lines[0].to_string();
    let mut behind = gzip(line.as_bytes());
    behind.extend(gzip(b"{}"));
    let (cut, whole) = (gzip(line.as_bytes()), line.as_bytes().to_vec());
    let plain = terminal.draft("entries", &[("Content-Type", "application/x-ndjson")], whole.clone());
    let typed =
        terminal.draft("entries", &[("Content-Type", "application/json"), ("Content-Encoding", "gzip")], cut.clone());
    let table = [
        ("nothing", packed(&terminal, ""), 400, "empty_batch"),
        ("an empty line", packed(&terminal, "\n"), 400, "empty_batch"),
        ("an empty line behind", packed(&terminal, &format!("{line}\n\n")), 400, "bad_line"),
        ("no JSON", packed(&terminal, "x"), 400, "bad_line"),
        ("two on a line", packed(&terminal, &format!("{line}{line}")), 400, "bad_line"),
        ("a member twice", packed(&terminal, &line.replacen('{', "{\"seq\":1,", 1)), 400, "bad_line"),
        ("no UTF-8", terminal.batch_of(&gzip(&[0xff, 0xfe])), 400, "bad_text"),
        ("no gzip", terminal.batch_of(&whole), 400, "bad_gzip"),
        ("a cut gzip", terminal.batch_of(&cut[..cut.len() - 9]), 400, "bad_gzip"),
        ("something behind the gzip", terminal.batch_of(&behind), 400, "bad_gzip"),
        ("not packed", plain, 400, "bad_header"),
        ("another type", typed, 400, "bad_header"),
    ];
    for (what, draft, status, code) in table {
        let answer = terminal.send(draft).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{what}: {}", answer.detail());
    }
    assert_eq!(world.control.acknowledged("VM-0001"), 0);
}

#[tokio::test]
async fn five_hundred_entries_are_taken_and_one_more_is_not() {
    let world = World::open().await;
    let mut terminal = world.terminal("VM-0001").await;
    for _ in 0..501 {
        terminal.write("waiting", &json!({ "kind": "order_opened", "order": order(1), "amount": 1 }));
    }
    let answer = terminal.sync(1, 501).await;
    assert_eq!((answer.status, answer.code()), (413, "too_many_entries"));
    assert_eq!(terminal.sync(1, 500).await.acknowledged(), 500);
}

#[tokio::test]
async fn a_mebibyte_is_taken_and_a_bomb_is_not() {
    let world = World::open().await;
    let mut terminal = world.terminal("VM-0001").await;
    let room = |padding: usize| json!({ "kind": "order_opened", "order": order(1), "subject": "x".repeat(padding) });
    terminal.write("waiting", &room(0));
    let padding = 1024 * 1024 - terminal.lines[0].to_string().len() - 1;
    for (more, status) in [(1, 413), (0, 200)] {
        terminal.lines.clear();
        terminal.write("waiting", &room(padding + more));
        assert_eq!(terminal.sync_all().await.status, status, "{more}");
    }
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    (0..256).for_each(|_| bomb.write_all(&[b' '; 1024 * 1024]).unwrap());
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 1024 * 1024);
    let answer = terminal.send(terminal.batch_of(&bomb)).await;
    assert_eq!((answer.status, answer.code()), (413, "too_large"));
    let answer = terminal.send(terminal.batch_of(&vec![0; 1024 * 1024 + 1])).await;
    assert_eq!((answer.status, answer.code()), (413, "too_large"));
}

#[tokio::test]
async fn an_entry_that_is_refused_for_good_counts_as_acknowledged_and_is_named_each_time() {
    let world = World::open().await;
    let terminal = stocked(&world).await;
    world.control.refuse(Rule::entry("VM-0001", 3, "UNWANTED"));
    world.control.refuse(Rule { detail: "not here".to_owned(), ..Rule::kind("order_closed", "NO_ENDINGS") });
    let third = json!({ "seq": 3, "code": "UNWANTED", "detail": "" });
    let fourth = json!({ "seq": 4, "code": "NO_ENDINGS", "detail": "not here" });
    let wanted = json!({ "acknowledged": 5, "refused": [third, fourth] });
    assert_eq!(terminal.sync(1, 5).await.body, wanted);
    world.control.refuse_nothing();
    assert_eq!(terminal.sync(1, 5).await.body, wanted);
    assert_eq!(terminal.sync(6, 12).await.body, json!({ "acknowledged": 12, "refused": [] }));
    let refused = world.control.books(|books| books.refused("VM-0001"));
    assert_eq!(
        refused.iter().map(|entry| (entry.seq, entry.code.as_str())).collect::<Vec<_>>(),
        [(3, "UNWANTED"), (4, "NO_ENDINGS")]
    );
    let kept = world.control.entries("VM-0001");
    assert_eq!((kept.len(), &kept[2].body), (12, &None));
    // The payment of the first order is the entry that was refused: it is not in the books.
    let totals = world.control.books(|books| books.totals());
    assert_eq!(totals["VM-0001"], Totals { paid: 700, refunded: 0, orders: 2 });
}

#[tokio::test]
async fn an_unreadable_entry_keeps_its_place() {
    let world = World::open().await;
    let terminal = stocked(&world).await;
    let stub = |seq: usize, code: Value| {
        let line = &terminal.lines[seq - 1];
        json!({ "seq": seq, "prev": line["prev"], "hash": line["hash"], "unreadable": code })
    };
    let mut lines = terminal.lines.clone();
    lines[6] = stub(7, json!("bad_body"));
    let answer = terminal.send(terminal.batch(&lines)).await;
    assert_eq!(answer.acknowledged(), 12);
    assert_eq!(
        (&answer.body["refused"][0]["seq"], &answer.body["refused"][0]["code"]),
        (&json!(7), &json!("bad_body"))
    );
    // The place is taken by its hash: the entry itself is no news any more, and another hash is a fork.
    assert_eq!(terminal.sync(7, 7).await.body["refused"][0]["code"], "bad_body");
    lines[6]["hash"] = json!("1".repeat(64));
    assert_eq!(terminal.send(terminal.batch(&lines[6..7])).await.code(), "fork");
    for code in [json!(""), json!("two words")] {
        let answer = terminal.send(terminal.batch(&[stub(1, code)])).await;
        assert_eq!((answer.status, answer.code()), (422, "bad_line"));
    }
}

#[tokio::test]
async fn entries_of_different_terminals_lie_side_by_side() {
    let world = World::open().await;
    let (mut one, mut two) = (world.terminal("VM-0001").await, world.terminal("VM-0002").await);
    one.sale(&order(1), 350, None);
    one.refund(&order(1), 150);
    two.sale(&order(2), 900, None);
    two.write("completed", &json!({ "kind": "cash_taken", "order": order(3), "amount": 200 }));
    let (first, second) = tokio::join!(one.sync_all(), two.sync_all());
    assert_eq!((first.acknowledged(), second.acknowledged()), (6, 5));
    let totals = world.control.books(|books| books.totals());
    assert_eq!(totals["VM-0001"], Totals { paid: 350, refunded: 150, orders: 1 });
    assert_eq!(totals["VM-0002"], Totals { paid: 1100, refunded: 0, orders: 2 });
}
