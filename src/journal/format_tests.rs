//! The formats on the disk. Do not change this test; add new cases.
//!
//! A journal outlives the version that wrote it: a changed body or hash here means that machines in the field could no
//! longer read what they are owed.

use payment::engine::entry::{Entry, OrderState};
use payment::ids::{AttemptId, OrderId, RefundId};
use payment::time::Wall;
use ring::digest::{SHA256, digest};

use super::NewEntry;
use super::chain::{Hash, Head, Record};
use super::store::{ADDITIONS, MIGRATIONS};

const ORDER: &str = "S0123456789ABCDEFGHJKMNPQR";
const ATTEMPT: &str = "P0123456789ABCDEFGHJKMNPQR";
const REFUND: &str = "R0123456789ABCDEFGHJKMNPQR";

/// Body, state, hash: each sealed to the one before, one second apart.
const FROZEN: &[(&str, &str, &str)] = &[
    (
        r#"{"kind":"order_opened","order":"S0123456789ABCDEFGHJKMNPQR","amount":350,"currency":"CNY","items":[{"slot":"A1","code":"tea","name":"绿茶","price":350},{"slot":null,"code":"bag","name":"Bag","price":0}],"who_scans":"either","origin":"keypad","subject":"Green tea","pay_within_ms":120000}"#,
        "waiting",
        "5d20fc670c416cb1255420492b117a91a4ed0dfa09e77ba21e26046cb630b18e",
    ),
    (
        r#"{"kind":"attempt_started","order":"S0123456789ABCDEFGHJKMNPQR","attempt":"P0123456789ABCDEFGHJKMNPQR","channel":"alipay","method":"show_code","amount":350}"#,
        "waiting",
        "69976bd27c07ed0912040897b4c993475f9ec815a80245b6aef1316608238f6b",
    ),
    (
        r#"{"kind":"attempt_started","order":"S0123456789ABCDEFGHJKMNPQR","attempt":"P0123456789ABCDEFGHJKMNPQR","channel":"alipay","method":"take_code","amount":350}"#,
        "confirming",
        "e77f81c132f486d168dd040a203de67fdf8c335fad57cf94dac61db8b4c02666",
    ),
    (
        r#"{"kind":"attempt_not_paid","order":"S0123456789ABCDEFGHJKMNPQR","attempt":"P0123456789ABCDEFGHJKMNPQR","code":"ACQ.TRADE_HAS_CLOSE"}"#,
        "waiting",
        "fcd18d84687892e8b250aa8aa667967e1e165bc5a535582458f07090d37b565f",
    ),
    (
        r#"{"kind":"reverse_started","order":"S0123456789ABCDEFGHJKMNPQR","attempt":"P0123456789ABCDEFGHJKMNPQR","reason":"other_paid"}"#,
        "cancelling",
        "05afc442795b71f0c30a620191f4bdae91816ac126184641b002a6e019a5446d",
    ),
    (
        r#"{"kind":"attempt_paid","order":"S0123456789ABCDEFGHJKMNPQR","attempt":"P0123456789ABCDEFGHJKMNPQR","trade_no":"2026111822001400000000000001","paid_at":"2026-11-18 19:06:40","buyer":"159****5620"}"#,
        "paid",
        "7aca456757d6a197606036afbc2d7b9543419a45b615d52be99cfcc634515896",
    ),
    (
        r#"{"kind":"attempt_paid","order":"S0123456789ABCDEFGHJKMNPQR","attempt":"P0123456789ABCDEFGHJKMNPQR","trade_no":"2026111822001400000000000001"}"#,
        "paid",
        "fceb4646de3b371826f58f0fc3a11ca8c010a5c281224f118b7b878bd5a990f6",
    ),
    (
        r#"{"kind":"order_cancelled","order":"S0123456789ABCDEFGHJKMNPQR","by":"timeout"}"#,
        "paid",
        "0adff66b1bd960891f7e997cd958bf3dfb78618eb812122089301f0b0d7ce930",
    ),
    (
        r#"{"kind":"vend_started","order":"S0123456789ABCDEFGHJKMNPQR","item":0,"slot":"A1","drops_before":7}"#,
        "delivering",
        "c2186e968a20013ec404c6948a0c6de2ba048da97e783f09dc1bdb6ae724f91b",
    ),
    (
        r#"{"kind":"vend_started","order":"S0123456789ABCDEFGHJKMNPQR","item":1,"slot":"A1"}"#,
        "delivering",
        "81db69ce2f1926ce4b9bc3cb0644f6a47e04a4c08e04f4e1c8a0aa9a25f3facd",
    ),
    (
        r#"{"kind":"vend_ended","order":"S0123456789ABCDEFGHJKMNPQR","item":0,"result":"not_dropped"}"#,
        "delivering",
        "079d20d637ba4d1b99efe36eda6661ddf446c7056ff3003eb267d9c4dabe771f",
    ),
    (
        r#"{"kind":"refund_started","order":"S0123456789ABCDEFGHJKMNPQR","attempt":"P0123456789ABCDEFGHJKMNPQR","refund":"R0123456789ABCDEFGHJKMNPQR","amount":350,"reason":"undelivered"}"#,
        "refunding",
        "48dfa677bfb3f3afe38330e31de9713d66cbd469e7214a9e574035e33bebf484",
    ),
    (
        r#"{"kind":"refund_started","order":"S0123456789ABCDEFGHJKMNPQR","attempt":"P0123456789ABCDEFGHJKMNPQR","refund":"R0123456789ABCDEFGHJKMNPQR","amount":350,"reason":"operator","idempotency":{"key":"k1","body_sha256":"abababababababababababababababababababababababababababababababab"}}"#,
        "refunding",
        "226d15334e64a341cda86439eaa27e93d9c3e87bc793c79ecbb007de1733364e",
    ),
    (
        r#"{"kind":"refund_owed","order":"S0123456789ABCDEFGHJKMNPQR","refund":"R0123456789ABCDEFGHJKMNPQR","code":"ACQ.SELLER_BALANCE_NOT_ENOUGH"}"#,
        "owed",
        "031656b3671f1f752cbf88fa53597ca245bb6b68ae2cfde3981005195c65af4a",
    ),
    (
        r#"{"kind":"refund_done","order":"S0123456789ABCDEFGHJKMNPQR","refund":"R0123456789ABCDEFGHJKMNPQR"}"#,
        "refunding",
        "871523906d536efec69c0ca689df027661fc58cc871c23073cf1304ff1f091bc",
    ),
    (
        r#"{"kind":"order_closed","order":"S0123456789ABCDEFGHJKMNPQR","ending":"refunded"}"#,
        "refunded",
        "2fa1698e7fc684fa3538898b1b391bf9fc83871485871489d8209acd72c9c53c",
    ),
    (
        r#"{"kind":"order_opened","order":"S0123456789ABCDEFGHJKMNPQR","amount":100,"currency":"CNY","items":[],"who_scans":"buyer_scans","origin":"api","subject":"s","pay_within_ms":1,"reference":"A-7","idempotency":{"key":"k0","body_sha256":"abababababababababababababababababababababababababababababababab"}}"#,
        "waiting",
        "56ddc068137fd37e950f9e106561984fbb8e60a456c4af24c374213ed75fc00c",
    ),
    (
        r#"{"kind":"attempt_started","order":"S0123456789ABCDEFGHJKMNPQR","attempt":"P0123456789ABCDEFGHJKMNPQR","channel":"voucher","method":"take_code","amount":350,"voucher":{"code":"M-1001","allowance":5000,"once":false,"expires_ms":1800000000000}}"#,
        "confirming",
        "61ce99a8d02d8f2d2d2da9b372658e61235743c8a41595da58eaed46a1aa2a05",
    ),
    (
        r#"{"kind":"cash_taken","order":"S0123456789ABCDEFGHJKMNPQR","amount":350}"#,
        "waiting",
        "c5da019c2e7d80fc84344845f89f6c1be817ec4cd89a951a21c4bd95776f7f7a",
    ),
    (
        r#"{"kind":"refund_asked","order":"S0123456789ABCDEFGHJKMNPQR","attempt":"P0123456789ABCDEFGHJKMNPQR","refund":"R0123456789ABCDEFGHJKMNPQR","amount":350,"said":{"by":"Li","why":"stale"},"idempotency":{"key":"k1","body_sha256":"abababababababababababababababababababababababababababababababab"}}"#,
        "completed",
        "e01cd7adfd7b0c8ce7223726f88b5536c95f2f0c77b48bd17f2bbbc6bc0ebdbf",
    ),
    (
        r#"{"kind":"refund_decided","order":"S0123456789ABCDEFGHJKMNPQR","refund":"R0123456789ABCDEFGHJKMNPQR","approved":true,"said":{"by":"Wang","why":""}}"#,
        "completed",
        "e64051685e86e1f4b6501abcee9003fdfeb29fb187ce9cc3f12f2824288ae8f7",
    ),
    (
        r#"{"kind":"refund_failed","order":"S0123456789ABCDEFGHJKMNPQR","refund":"R0123456789ABCDEFGHJKMNPQR","code":"CLOSED"}"#,
        "owed",
        "99e4de723f229b61df6a8ca66b3d871229fd7dfff356ca75930dcf2b13ae5af7",
    ),
    (
        r#"{"kind":"refund_started","order":"S0123456789ABCDEFGHJKMNPQR","attempt":"P0123456789ABCDEFGHJKMNPQR","refund":"R0123456789ABCDEFGHJKMNPQR","amount":350,"reason":"operator","said":{"by":"Li","why":"stale"},"instead_of":"R0123456789ABCDEFGHJKMNPQS"}"#,
        "refunding",
        "9385dae5bb4b9c66b0c291bfa3ba57f856ce696da61564c7dca4a7f679ee9753",
    ),
    (
        r#"{"kind":"duty_begun","order":"S0123456789ABCDEFGHJKMNPQR","attempt":"P0123456789ABCDEFGHJKMNPQR","duty":"confirm_guarantee"}"#,
        "completed",
        "f987285d959bfa797f4d41d60e8f337c129f2555a810071c288c4e23766751ec",
    ),
    (
        r#"{"kind":"duty_refused","order":"S0123456789ABCDEFGHJKMNPQR","attempt":"P0123456789ABCDEFGHJKMNPQR","duty":"report_delivery","code":"10060012"}"#,
        "completed",
        "6307033f70ffe4d47eeaa5ed4a113c5337aa8c18fff53974bcc486a711d7d39b",
    ),
    (
        r#"{"kind":"duty_done","order":"S0123456789ABCDEFGHJKMNPQR","attempt":"P0123456789ABCDEFGHJKMNPQR","duty":"report_delivery"}"#,
        "completed",
        "5ea63e6d8793a034dd202ca36c11806eafb6f2b34fdb4c8682960086c0951432",
    ),
    (
        r#"{"kind":"order_opened","order":"S0123456789ABCDEFGHJKMNPQR","amount":20000,"currency":"CNY","items":[],"who_scans":"either","origin":"api","subject":"s","pay_within_ms":1,"down_payment":5000,"instalment":{"periods":3,"seller_percent":0}}"#,
        "waiting",
        "f0203ee59d85e277b6d5eb41e7da1d66f7b927070d0528f20c51ca59f0c97d6a",
    ),
    (
        r#"{"kind":"attempt_started","order":"S0123456789ABCDEFGHJKMNPQR","attempt":"P0123456789ABCDEFGHJKMNPQR","channel":"allinpay_vsp","method":"show_code","amount":20000,"wallet":"union_pay","instalment":{"periods":3,"seller_percent":0}}"#,
        "waiting",
        "59bccad954754e7875e6c80edc66ba899ed6abdf32a7421731993ce4b303493e",
    ),
    (
        r#"{"kind":"attempt_paid","order":"S0123456789ABCDEFGHJKMNPQR","attempt":"P0123456789ABCDEFGHJKMNPQR","trade_no":"T1","details":{"wallet":"wechat","request_no":"r","channel_no":"c","wallet_no":"w","buyer_paid":300,"merchant_gets":340,"discounts":[{"name":"coupon","amount":50,"by":"merchant"}],"instalments":3}}"#,
        "paid",
        "53e00801bd990db3c6d1330aac67e666d49ce63ba2e62b30bb3ca6d46d88c9f1",
    ),
];

#[test]
fn every_kind_of_entry_keeps_its_json_and_its_hash() {
    let mut head = Head::beginning();
    for (body, state, hash) in FROZEN {
        let entry: Entry = serde_json::from_str(body).unwrap();
        let new = NewEntry {
            at: Wall {
                ms: 1_795_000_000_000 + i64::try_from(head.seq).unwrap() * 1_000,
                trusted: head.seq.is_multiple_of(2),
            },
            entry,
            state: super::chain::state_named(state).unwrap(),
        };
        let record = Record::after(&head, &new).unwrap();
        assert_eq!(record.body, *body);
        assert_eq!(record.hash.to_string(), *hash, "{body}");
        head = record.head();
    }
}

#[test]
fn every_kind_of_entry_is_frozen() {
    let mut kinds: Vec<_> = FROZEN.iter().map(|(body, ..)| kind(&serde_json::from_str(body).unwrap())).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds, (0..19).collect::<Vec<_>>());
}

/// A new kind does not compile until it has a number here; then it needs a case above.
fn kind(entry: &Entry) -> usize {
    match entry {
        Entry::OrderOpened { .. } => 0,
        Entry::AttemptStarted { .. } => 1,
        Entry::AttemptPaid { .. } => 2,
        Entry::AttemptNotPaid { .. } => 3,
        Entry::ReverseStarted { .. } => 4,
        Entry::OrderCancelled { .. } => 5,
        Entry::VendStarted { .. } => 6,
        Entry::VendEnded { .. } => 7,
        Entry::RefundStarted { .. } => 8,
        Entry::RefundDone { .. } => 9,
        Entry::RefundOwed { .. } => 10,
        Entry::OrderClosed { .. } => 11,
        Entry::CashTaken { .. } => 12,
        Entry::RefundAsked { .. } => 13,
        Entry::RefundDecided { .. } => 14,
        Entry::RefundFailed { .. } => 15,
        Entry::DutyBegun { .. } => 16,
        Entry::DutyDone { .. } => 17,
        Entry::DutyRefused { .. } => 18,
    }
}

#[test]
fn the_chain_begins_where_it_always_began() {
    let beginning = "ec5933b6d5ffd32c80e87435eb2948f7d412ccdb258cd7c9c84b002c43113159";
    assert_eq!(Hash::beginning().to_string(), beginning);
}

#[test]
fn numbers_of_the_frozen_entries_are_numbers() {
    assert!(ORDER.parse::<OrderId>().is_ok());
    assert!(ATTEMPT.parse::<AttemptId>().is_ok());
    assert!(REFUND.parse::<RefundId>().is_ok());
    for (body, ..) in FROZEN {
        assert!(body.contains(ORDER));
    }
}

#[test]
fn every_state_keeps_its_name() {
    for (state, name) in [
        (OrderState::Waiting, "waiting"),
        (OrderState::Confirming, "confirming"),
        (OrderState::Unknown, "unknown"),
        (OrderState::Cancelling, "cancelling"),
        (OrderState::Paid, "paid"),
        (OrderState::Delivering, "delivering"),
        (OrderState::Completed, "completed"),
        (OrderState::Cancelled, "cancelled"),
        (OrderState::Expired, "expired"),
        (OrderState::Failed, "failed"),
        (OrderState::Refunding, "refunding"),
        (OrderState::Owed, "owed"),
        (OrderState::Refunded, "refunded"),
    ] {
        assert_eq!(state.name(), name);
        assert_eq!(super::chain::state_named(name), Some(state));
    }
}

#[test]
fn released_steps_of_the_schema_are_not_changed() {
    let frozen = [
        "5efd33464a59a846bd2686a32f64561bc9c0e1b82fb7499155d2679c1fa3deba",
        "1982ebf2e4fcc115667341cd8f529bd6b175927a85b49a913703c1c6be3c37d9",
        "2b6ff7098e32644be206c5217bead8cab223c515ee76b3b0ac23451d0dbca4b3",
    ];
    for (sql, hash) in MIGRATIONS.iter().zip(frozen) {
        assert_eq!(sha256(sql), hash, "{}", sql.lines().next().unwrap());
    }
    assert_eq!(MIGRATIONS.len(), frozen.len(), "a new step needs its hash here");
}

/// What is in the field is not changed by `IF NOT EXISTS`: what comes next has a name of its own.
#[test]
fn the_released_additions_to_the_schema_are_not_changed() {
    let frozen = [
        (3_284, "8cd8f12ff5cd4a3dd8dc3fbf4e187c8778bf72cbd2b16474c97f0811be7ef71e"),
        (5838, "e7fb940723803d68d3ecf6fdfbeb3f573378c463b0d751c2cc9d6f5b29a0efc0"),
        (ADDITIONS.len(), "b4acd8fdc2b91bdb77f1b23b32daccdabe56dacf42648451f64dae8effbc76ef"),
    ];
    for (length, hash) in frozen {
        assert_eq!(sha256(&ADDITIONS[..length]), hash, "the first {length} bytes");
    }
}

fn sha256(text: &str) -> String {
    digest(&SHA256, text.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
