//! How a key becomes known.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::terminal::World;

#[tokio::test]
async fn a_code_lets_one_terminal_in_once() {
    let world = World::open().await;
    let code = world.control.join_code();
    let (first, second) = (world.stranger("VM-0001"), world.stranger("VM-0002"));
    assert_eq!(first.join(&code).await.status, 200);
    let again = second.join(&code).await;
    assert_eq!((again.status, again.code()), (403, "bad_code"));
    let unknown = second.join("0000000000000000").await;
    assert_eq!((unknown.status, unknown.code()), (403, "bad_code"));
    assert_eq!(world.control.books(|books| books.terminals()), ["VM-0001"]);
}

#[tokio::test]
async fn the_same_key_may_join_again_whatever_the_code() {
    let world = World::open().await;
    let terminal = world.terminal("VM-0001").await;
    let unused = world.control.join_code();
    for code in ["", "no such code", &unused] {
        let answer = terminal.join(code).await;
        assert_eq!((answer.status, answer.body), (200, json!({ "joined": true })), "{code:?}");
    }
    // A code that changed nothing is still good for another terminal.
    assert_eq!(world.stranger("VM-0002").join(&unused).await.status, 200);
}

#[tokio::test]
async fn a_second_key_for_a_terminal_is_refused_and_uses_no_code() {
    let world = World::open().await;
    let terminal = world.terminal("VM-0001").await;
    let code = world.control.join_code();
    let thief = world.stranger("VM-0001").with_key(7);
    let answer = thief.join(&code).await;
    assert_eq!((answer.status, answer.code()), (403, "other_key"));
    assert_eq!(terminal.poll(0, json!([]), 0).await.status, 200);
    assert_eq!(thief.poll(0, json!([]), 0).await.code(), "bad_signature");
    assert_eq!(world.stranger("VM-0002").join(&code).await.status, 200);
}

#[tokio::test]
async fn a_key_must_sign_its_own_joining() {
    let world = World::open().await;
    let terminal = world.stranger("VM-0001");
    let code = world.control.join_code();
    let other = world.stranger("VM-0002").public_key();
    let table = [
        (json!({ "public_key": other, "code": code }), 401, "bad_signature"),
        (json!({ "public_key": "AAAA", "code": code }), 422, "bad_key"),
        (json!({ "public_key": "?", "code": code }), 422, "bad_key"),
        (json!({ "public_key": terminal.public_key() }), 422, "bad_body"),
        (json!({ "public_key": terminal.public_key(), "code": code, "more": 1 }), 422, "bad_body"),
        (json!({ "public_key": terminal.public_key(), "code": 5 }), 422, "bad_body"),
    ];
    for (body, status, wanted) in table {
        let answer = terminal.send(terminal.json("join", &body)).await;
        assert_eq!((answer.status, answer.code()), (status, wanted), "{body}");
    }
    assert!(world.control.books(|books| books.terminals()).is_empty());
}

#[tokio::test]
async fn an_operator_may_let_a_key_in_by_hand_and_replace_one() {
    let world = World::open().await;
    let old = world.terminal("VM-0001").await;
    let new = world.stranger("VM-0001").with_key(9);
    world.control.let_in("VM-0001", &STANDARD.decode(new.public_key()).unwrap().try_into().unwrap());
    assert_eq!(new.poll(0, json!([]), 0).await.status, 200);
    assert_eq!(old.poll(0, json!([]), 0).await.code(), "bad_signature");
}
