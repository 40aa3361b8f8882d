//! A member or voucher code that was spent at several terminals while they were offline.

use sandbox::hub::{DoubleUse, Use};
use serde_json::{Value, json};

use crate::terminal::{START, Terminal, World, order};

fn voucher(code: &str, allowance: i64, once: bool) -> Option<Value> {
    Some(json!({ "code": code, "allowance": allowance, "once": once, "expires_ms": START }))
}

fn used(terminal: &str, number: u8, spent: i64) -> Use {
    Use { terminal: terminal.to_owned(), order: order(number), spent }
}

async fn two(world: &World) -> (Terminal, Terminal) {
    (world.terminal("VM-0001").await, world.terminal("VM-0002").await)
}

#[tokio::test]
async fn a_voucher_spent_at_two_terminals_is_reported_once_both_have_synced() {
    let world = World::open().await;
    let (mut one, mut other) = two(&world).await;
    one.sale(&order(1), 300, voucher("V-1", 500, true));
    other.sale(&order(2), 200, voucher("V-1", 500, true));
    other.sale(&order(3), 200, voucher("V-2", 500, true));
    one.sync_all().await;
    assert!(world.control.double_uses().is_empty());
    other.sync_all().await;
    let found = DoubleUse {
        code: "V-1".to_owned(),
        once: true,
        allowance: 500,
        spent: 500,
        uses: vec![used("VM-0001", 1, 300), used("VM-0002", 2, 200)],
    };
    assert_eq!(world.control.double_uses(), std::slice::from_ref(&found));
    other.sync_all().await;
    assert_eq!(world.control.double_uses(), [found]);
}

#[tokio::test]
async fn a_member_code_over_its_allowance_is_reported() {
    let world = World::open().await;
    let (mut one, mut other) = two(&world).await;
    one.sale(&order(1), 300, voucher("M-1", 500, false));
    other.sale(&order(2), 200, voucher("M-1", 500, false));
    one.sync_all().await;
    other.sync_all().await;
    assert!(world.control.double_uses().is_empty());
    one.sale(&order(3), 1, voucher("M-1", 500, false));
    one.sync_all().await;
    let found = world.control.double_uses();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].code.as_str(), found[0].once, found[0].spent), ("M-1", false, 501));
    assert_eq!(found[0].uses, [used("VM-0001", 1, 300), used("VM-0001", 3, 1), used("VM-0002", 2, 200)]);
}

#[tokio::test]
async fn what_went_back_was_not_spent() {
    let world = World::open().await;
    let (mut one, mut other) = two(&world).await;
    one.sale(&order(1), 300, voucher("V-1", 300, true));
    one.refund(&order(1), 100);
    other.sale(&order(2), 300, voucher("V-1", 300, true));
    one.sync_all().await;
    other.sync_all().await;
    assert_eq!(world.control.books(|books| books.uses("V-1")), [used("VM-0001", 1, 200), used("VM-0002", 2, 300)]);
    assert_eq!(world.control.double_uses().len(), 1);
    one.refund(&order(1), 200);
    one.sync_all().await;
    assert!(world.control.double_uses().is_empty());
}

#[tokio::test]
async fn an_attempt_that_was_not_paid_spends_nothing() {
    let world = World::open().await;
    let (mut one, mut other) = two(&world).await;
    one.sale(&order(1), 300, voucher("V-1", 300, true));
    // Up to the attempt and no further.
    other.sale(&order(2), 300, voucher("V-1", 300, true));
    other.lines.truncate(2);
    one.sync_all().await;
    other.sync_all().await;
    assert!(world.control.double_uses().is_empty());
}
