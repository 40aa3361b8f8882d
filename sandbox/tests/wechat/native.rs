//! The buyer scans: codes, owners, closing, time.

use sandbox::wechat::{Fault, Operation, TradeState, WalletError, Weather};
use serde_json::json;

use crate::till::{NATIVE, NUMBER, Till, native};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

#[tokio::test]
async fn a_scanned_and_confirmed_order_is_paid_once() {
    let till = Till::open().await;
    let mut body = native("N00001", 350);
    body["attach"] = json!("slot=A3");
    let code = till.post(NATIVE, body).await.member("/code_url");
    assert!(code.starts_with("weixin://wxpay/bizpayurl"));
    let unpaid = till.query("N00001").await;
    assert_eq!(unpaid.member("/trade_state"), "NOTPAY");
    for absent in ["transaction_id", "amount", "payer", "success_time", "trade_type"] {
        assert!(unpaid.json().get(absent).is_none(), "{absent}");
    }
    let before = till.phone.balance_fen();
    let scanned = till.phone.scan_text(&code).unwrap();
    assert_eq!((scanned.amount_fen, &*scanned.subject), (350, "可乐 330ml"));
    assert_eq!(till.query("N00001").await.member("/trade_state"), "NOTPAY");
    till.phone.confirm(&scanned.id).unwrap();
    assert_eq!(till.phone.confirm(&scanned.id), Err(WalletError::AlreadyPaid));
    let paid = till.query("N00001").await;
    assert_eq!((&*paid.member("/trade_state"), &*paid.member("/amount/total")), ("SUCCESS", "350"));
    assert_eq!((&*paid.member("/attach"), paid.member("/payer/openid")), ("slot=A3", till.phone.user_id()));
    assert_eq!(paid.member("/success_time"), "2025-06-01T12:00:00+08:00");
    assert_eq!((till.trade("N00001").charged_fen, before - till.phone.balance_fen()), (350, 350));

    let id = paid.member("/transaction_id");
    let by_id = till.get(&format!("/v3/pay/transactions/id/{id}?mchid={}", till.keys.mchid)).await;
    assert_eq!(by_id.body, paid.body);
}

#[tokio::test]
async fn an_unpaid_order_is_not_known_by_the_gateways_own_number() {
    let till = Till::open().await;
    till.code("N00001", 350).await;
    let id = till.trade("N00001").transaction_id;
    let answer = till.get(&format!("/v3/pay/transactions/id/{id}?mchid={}", till.keys.mchid)).await;
    assert_eq!((answer.status, &*answer.code()), (404, "ORDER_NOT_EXIST"));
}

#[tokio::test]
async fn a_code_is_scanned_by_its_exact_text_and_belongs_to_the_first_who_does() {
    let till = Till::open().await;
    let code = till.code("N00001", 350).await;
    assert_eq!(till.phone.scan_text(&code.to_uppercase()), Err(WalletError::CodeInvalid));
    assert_eq!(till.phone.scan_text(&format!("{code} ")), Err(WalletError::CodeInvalid));
    assert_eq!(till.control.ledger().open_codes.len(), 1);
    let scanned = till.phone.scan_text(&code).unwrap();
    assert!(till.control.ledger().open_codes.is_empty());
    let other = till.control.wallet_of("Wang");
    assert_eq!(other.scan_text(&code), Err(WalletError::BelongsToAnother));
    assert_eq!(other.confirm(&scanned.id), Err(WalletError::BelongsToAnother));
    till.phone.confirm(&scanned.id).unwrap();
}

#[tokio::test]
async fn the_same_order_again_gives_a_new_code_and_kills_the_old_one() {
    let till = Till::open().await;
    let old = till.code("N00001", 350).await;
    let new = till.code("N00001", 350).await;
    assert_ne!(old, new);
    assert_eq!(till.phone.scan_text(&old), Err(WalletError::CodeInvalid));
    till.phone.scan_text(&new).unwrap();
    let other = till.post(NATIVE, native("N00001", 351)).await;
    assert_eq!((other.status, &*other.code()), (403, "OUT_TRADE_NO_USED"));
}

#[tokio::test]
async fn a_paid_number_gives_no_code_and_a_closed_one_neither() {
    let till = Till::open().await;
    till.paid("N00001", 350).await;
    assert_eq!(till.post(NATIVE, native("N00001", 350)).await.code(), "INVALID_REQUEST");
    till.code("N00002", 350).await;
    till.close("N00002").await;
    assert_eq!(till.post(NATIVE, native("N00002", 350)).await.code(), "ORDER_CLOSED");
}

#[tokio::test]
async fn a_close_is_204_again_and_again_and_nobody_can_pay_after_it() {
    let till = Till::open().await;
    let code = till.code("N00001", 350).await;
    let scanned = till.phone.scan_text(&code).unwrap();
    for _ in 0..2 {
        let answer = till.close("N00001").await;
        assert_eq!((answer.status, answer.body.len()), (204, 0));
    }
    assert_eq!(till.phone.confirm(&scanned.id), Err(WalletError::Closed));
    assert_eq!(till.phone.scan_text(&code), Err(WalletError::Closed));
    assert_eq!(till.query("N00001").await.member("/trade_state"), "CLOSED");
    assert_eq!(till.close("N00009").await.code(), "ORDER_NOT_EXIST");
    assert_eq!(till.control.ledger().charged_fen(), 0);
}

#[tokio::test]
async fn an_order_that_was_paid_just_before_cannot_be_closed() {
    let till = Till::open().await;
    till.paid("N00001", 350).await;
    let answer = till.close("N00001").await;
    assert_eq!((answer.status, &*answer.code()), (400, "ORDER_PAID"));
    assert_eq!(till.trade("N00001").state, TradeState::Success);
}

#[tokio::test]
async fn a_close_while_the_buyer_pays_is_put_off() {
    let till = Till::open().await;
    till.code("N00001", 350).await;
    till.control.set_weather(Weather::fair().with(Fault::CloseWhilePaying.on(Operation::Close).times(1)));
    let answer = till.close("N00001").await;
    assert_eq!((answer.status, &*answer.code()), (202, "USERPAYING"));
    assert_eq!(till.close("N00001").await.status, 204);
}

#[tokio::test]
async fn a_code_dies_after_two_hours_and_an_order_after_seven_days() {
    let till = Till::open().await;
    let code = till.code("N00001", 350).await;
    till.pass(2 * HOUR - 1);
    till.phone.scan_text(&code).unwrap();
    till.pass(1);
    assert_eq!(till.phone.scan_text(&code), Err(WalletError::CodeInvalid));
    let fresh = till.code("N00001", 350).await;
    till.phone.scan_text(&fresh).unwrap();
    till.pass(7 * 24 * HOUR - 2 * HOUR - 1);
    assert_eq!(till.query("N00001").await.member("/trade_state"), "NOTPAY");
    till.pass(1);
    assert_eq!(till.query("N00001").await.member("/trade_state"), "CLOSED");
}

#[tokio::test]
async fn a_time_limit_too_near_is_lifted_to_a_minute_and_one_too_far_is_cut() {
    let till = Till::open().await;
    for (number, limit, until) in [
        ("N00001", "2025-06-01T12:00:10+08:00", MINUTE),
        ("N00002", "2025-06-01T12:05:00+08:00", 5 * MINUTE),
        ("N00003", "2025-06-01T04:05:00Z", 5 * MINUTE),
    ] {
        let till = Till::open().await;
        let mut body = native(number, 350);
        body["time_expire"] = json!(limit);
        let code = till.post(NATIVE, body).await.member("/code_url");
        let scanned = till.phone.scan_text(&code).unwrap();
        till.pass(until);
        assert_eq!(till.phone.confirm(&scanned.id), Err(WalletError::CodeInvalid), "{limit}");
        assert_eq!(till.query(number).await.member("/trade_state"), "NOTPAY");
    }
    let mut body = native("N00004", 350);
    body["time_expire"] = json!("2026-06-01T12:00:00+08:00");
    assert_eq!(till.post(NATIVE, body).await.status, 200);
}

#[tokio::test]
async fn who_walks_off_or_has_no_money_pays_nothing() {
    let till = Till::open().await;
    let code = till.code("N00001", 350).await;
    let scanned = till.phone.scan_text(&code).unwrap();
    till.phone.set_balance_fen(349);
    assert_eq!(till.phone.confirm(&scanned.id), Err(WalletError::NotEnoughMoney));
    till.phone.refuse(&scanned.id).unwrap();
    assert_eq!(till.query("N00001").await.member("/trade_state"), "NOTPAY");
    till.phone.set_balance_fen(350);
    till.phone.confirm(&scanned.id).unwrap();
    assert_eq!(till.phone.balance_fen(), 0);
}

#[tokio::test]
async fn what_is_confirmed_late_lands_late_and_by_wish_after_the_close() {
    for (despite_close, state) in [(false, TradeState::Closed), (true, TradeState::Success)] {
        let till = Till::open().await;
        let late = Fault::PaysLate { ms: 5000, despite_close };
        till.control.set_weather(Weather::fair().with(late.times(1)));
        till.paid("N00001", 350).await;
        assert!(till.phone.requests().is_empty());
        till.pass(4999);
        assert_eq!(till.close("N00001").await.status, 204);
        till.pass(1);
        assert_eq!(till.trade("N00001").state, state);
    }
}

#[tokio::test]
async fn a_number_with_a_bar_is_signed_in_its_escaped_form() {
    let till = Till::open().await;
    till.code("VM1|0001", 350).await;
    let answer = till.get(&format!("{NUMBER}/VM1%7C0001?mchid={}", till.keys.mchid)).await;
    assert_eq!((answer.status, &*answer.member("/out_trade_no")), (200, "VM1|0001"));
}

#[tokio::test]
async fn a_picture_of_the_code_is_scanned() {
    let till = Till::open().await;
    let code = till.code("N00001", 350).await;
    let qr = qrcode::QrCode::new(code.as_bytes()).unwrap();
    let (width, scale) = (qr.width(), 4);
    let side = (width + 8) * scale;
    let dark = |at: usize| (at / scale).checked_sub(4).filter(|at| *at < width);
    let pixels: Vec<u8> = (0..side * side)
        .map(|at| match (dark(at % side), dark(at / side)) {
            (Some(x), Some(y)) if qr[(x, y)] == qrcode::Color::Dark => 0,
            _ => 255,
        })
        .collect();
    let mut picture = Vec::new();
    let mut encoder = png::Encoder::new(&mut picture, side.try_into().unwrap(), side.try_into().unwrap());
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    assert_eq!(till.phone.scan_picture(&picture).unwrap().amount_fen, 350);
    assert_eq!(till.phone.scan_picture(b"no picture"), Err(WalletError::NoCode));
}
