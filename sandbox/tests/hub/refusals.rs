//! What the hub does not believe: signatures, digests, addresses. Nothing of such a request is kept.

use sandbox::hub::Request;
use serde_json::json;

use crate::calling;
use crate::terminal::{Draft, Terminal, World, order};

/// A change to a request before or after it is signed, and what the hub says to it.
enum Bent {
    Before(fn(&mut Draft)),
    After(fn(&mut Request)),
}

fn set(request: &mut Request, name: &str, change: impl Fn(&str) -> String) {
    let field = request.headers.iter_mut().find(|(each, _)| each == name).unwrap();
    field.1 = change(&field.1);
}

fn remove(request: &mut Request, name: &str) {
    request.headers.retain(|(each, _)| each != name);
}

fn double(request: &mut Request, name: &str) {
    let field = request.headers.iter().find(|(each, _)| each == name).unwrap().clone();
    request.headers.push(field);
}

const TABLE: [(&str, Bent, u16, &str); 22] = [
    ("no digest", Bent::After(|r| remove(r, "Content-Digest")), 401, "unsigned"),
    ("two digests", Bent::After(|r| double(r, "Content-Digest")), 401, "unsigned"),
    ("no signature", Bent::After(|r| remove(r, "Signature")), 401, "unsigned"),
    ("two signatures", Bent::After(|r| double(r, "Signature")), 401, "unsigned"),
    ("no input", Bent::After(|r| remove(r, "Signature-Input")), 401, "unsigned"),
    ("another body", Bent::After(|r| r.body.push(0)), 401, "bad_digest"),
    (
        "another digest",
        Bent::After(|r| set(r, "Content-Digest", |d| d.replace("sha-256", "sha-512"))),
        401,
        "bad_digest",
    ),
    (
        "another label",
        Bent::After(|r| set(r, "Signature-Input", |i| i.replace("till=", "sig1="))),
        401,
        "bad_signature_input",
    ),
    (
        "one component less",
        Bent::After(|r| set(r, "Signature-Input", |i| i.replace(" \"content-digest\"", ""))),
        401,
        "bad_signature_input",
    ),
    (
        "another order",
        Bent::After(|r| set(r, "Signature-Input", |i| i.replace("\"@method\" \"@path\"", "\"@path\" \"@method\""))),
        401,
        "bad_signature_input",
    ),
    (
        "another algorithm",
        Bent::After(|r| set(r, "Signature-Input", |i| i.replace("ed25519", "hmac-sha256"))),
        401,
        "bad_signature_input",
    ),
    (
        "one parameter more",
        Bent::After(|r| set(r, "Signature-Input", |i| format!("{i};nonce=\"1\""))),
        401,
        "bad_signature_input",
    ),
    (
        "a signed time",
        Bent::After(|r| set(r, "Signature-Input", |i| i.replace("created=", "created=+"))),
        401,
        "bad_signature_input",
    ),
    ("another keyid", Bent::Before(|d| d.keyid = "VM-0002".to_owned()), 401, "wrong_keyid"),
    ("too old", Bent::Before(|d| d.created -= 301), 401, "stale_signature"),
    ("too new", Bent::Before(|d| d.created += 301), 401, "stale_signature"),
    (
        "another time than signed",
        Bent::After(|r| set(r, "Signature-Input", |i| i.replace("created=1", "created=01"))),
        401,
        "bad_signature",
    ),
    ("another call than signed", Bent::After(|r| r.path = r.path.replace("entries", "poll")), 401, "bad_signature"),
    (
        "a short signature",
        Bent::After(|r| set(r, "Signature", |_| "till=:AAAA:".to_owned())),
        401,
        "bad_signature_field",
    ),
    ("a query", Bent::Before(|d| d.path.push_str("?all=1")), 404, "unknown_path"),
    ("another version", Bent::Before(|d| d.path = d.path.replace("/v1/", "/v2/")), 404, "unknown_path"),
    ("another method", Bent::Before(|d| d.method = "PUT".to_owned()), 405, "not_post"),
];

fn bend(terminal: &Terminal, bent: &Bent) -> Request {
    let mut draft = terminal.batch(&terminal.lines);
    if let Bent::Before(change) = bent {
        change(&mut draft);
    }
    let mut request = terminal.sign(draft);
    if let Bent::After(change) = bent {
        change(&mut request);
    }
    request
}

#[tokio::test]
async fn a_request_that_is_not_rightly_signed_changes_nothing() {
    let world = World::open().await;
    let mut terminal = world.terminal("VM-0001").await;
    terminal.sale(&order(1), 350, None);
    for (what, bent, status, code) in &TABLE {
        let answer = calling::send(&terminal.url, &bend(&terminal, bent)).await.unwrap();
        assert_eq!((answer.status, answer.code()), (*status, *code), "{what}: {}", answer.detail());
        assert!(answer.head.contains("content-type: application/json"), "{what}");
    }
    assert_eq!(world.control.acknowledged("VM-0001"), 0);
    assert_eq!(terminal.sync_all().await.acknowledged(), 4);
}

#[tokio::test]
async fn a_clock_within_five_minutes_is_believed() {
    let world = World::open().await;
    let terminal = world.terminal("VM-0001").await;
    for seconds in [-300, -1, 0, 300] {
        let mut draft = terminal.json("poll", &json!({ "handled": 0, "results": [], "wait_s": 0 }));
        draft.created += seconds;
        assert_eq!(terminal.send(draft).await.status, 200, "{seconds} s");
    }
    let draft = terminal.json("poll", &json!({ "handled": 0, "results": [], "wait_s": 0 }));
    world.pass(301_000);
    assert_eq!(terminal.send(draft).await.code(), "stale_signature");
}

#[tokio::test]
async fn a_terminal_that_never_joined_is_told_so() {
    let world = World::open().await;
    let mut stranger = world.stranger("VM-0009");
    stranger.sale(&order(1), 350, None);
    let answer = stranger.sync_all().await;
    assert_eq!((answer.status, answer.code()), (403, "unknown_terminal"));
}

#[tokio::test]
async fn the_key_of_one_terminal_does_not_open_another() {
    let world = World::open().await;
    let (mut one, two) = (world.terminal("VM-0001").await, world.terminal("VM-0002").await);
    one.sale(&order(1), 350, None);
    let mut draft = one.batch(&one.lines);
    draft.path = draft.path.replace("VM-0001", "VM-0002");
    draft.keyid = "VM-0002".to_owned();
    assert_eq!(one.send(draft).await.code(), "bad_signature");
    assert_eq!(world.control.acknowledged(&two.name), 0);
}
