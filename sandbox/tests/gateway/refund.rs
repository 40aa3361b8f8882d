//! Money that goes back.

use sandbox::TradeState;
use serde_json::{Value, json};

use crate::calling::Answer;
use crate::till::{Till, precreate_biz};

fn biz(request: &str, yuan: &str) -> Value {
    json!({ "out_trade_no": "N1", "out_request_no": request, "refund_amount": yuan, "refund_reason": "缺货" })
}

async fn refund(till: &Till, request: &str, yuan: &str) -> Answer {
    till.ask("alipay.trade.refund", biz(request, yuan)).await
}

async fn refund_query(till: &Till, request: &str) -> Answer {
    let biz = json!({ "out_trade_no": "N1", "out_request_no": request });
    till.ask("alipay.trade.fastpay.refund.query", biz).await
}

#[tokio::test]
async fn the_fee_adds_up_and_the_last_part_closes_the_trade() {
    let till = Till::open().await;
    let before = till.phone.balance_fen();
    till.charge("N1", "3.50").await;
    let part = refund(&till, "R1", "1.00").await;
    assert_eq!((part.member("fund_change"), part.member("refund_fee")), ("Y", "1.00"));
    assert_eq!(till.query("N1").await.member("trade_status"), "TRADE_SUCCESS");
    let rest = refund(&till, "R2", "2.50").await;
    assert_eq!((rest.member("fund_change"), rest.member("refund_fee")), ("Y", "3.50"));
    assert_eq!(till.query("N1").await.member("trade_status"), "TRADE_CLOSED");
    assert_eq!(till.phone.balance_fen(), before);
    let numbers: Vec<_> = till.control.ledger().trades[0]
        .refunds
        .iter()
        .map(|refund| (refund.out_request_no.clone().unwrap(), refund.fen))
        .collect();
    assert_eq!(numbers, [("R1".to_owned(), 100), ("R2".to_owned(), 250)]);
}

#[tokio::test]
async fn the_same_refund_again_moves_nothing() {
    let till = Till::open().await;
    till.charge("N1", "3.50").await;
    refund(&till, "R1", "3.50").await;
    let again = refund(&till, "R1", "3.50").await;
    assert_eq!((again.code(), again.member("fund_change")), ("10000", "N"));
    assert_eq!(again.member("refund_fee"), "3.50");
    let other = refund(&till, "R1", "1.00").await;
    assert_eq!(other.sub_code(), "ACQ.DISCORDANT_REPEAT_REQUEST");
    let mut reason = biz("R1", "3.50");
    reason["refund_reason"] = "other".into();
    let other = till.ask("alipay.trade.refund", reason).await;
    assert_eq!(other.sub_code(), "ACQ.DISCORDANT_REPEAT_REQUEST");
    assert_eq!(till.control.ledger().refunded_fen(), 350);
}

#[tokio::test]
async fn more_than_was_paid_never_goes_back() {
    let till = Till::open().await;
    till.charge("N1", "3.50").await;
    assert_eq!(refund(&till, "R1", "3.51").await.sub_code(), "ACQ.REASON_TRADE_REFUND_FEE_ERR");
    refund(&till, "R2", "3.00").await;
    assert_eq!(refund(&till, "R3", "0.51").await.sub_code(), "ACQ.REASON_TRADE_REFUND_FEE_ERR");
    for yuan in ["0.00", "0.501", "-1", "x"] {
        assert_eq!(refund(&till, "R4", yuan).await.sub_code(), "ACQ.INVALID_PARAMETER");
    }
    assert_eq!(till.control.ledger().refunded_fen(), 300);
}

#[tokio::test]
async fn a_partial_refund_needs_its_own_number() {
    let till = Till::open().await;
    till.charge("N1", "3.50").await;
    let bare = |yuan: &str| json!({ "out_trade_no": "N1", "refund_amount": yuan });
    let part = till.ask("alipay.trade.refund", bare("1.00")).await;
    assert_eq!(part.sub_code(), "ACQ.INVALID_PARAMETER");
    let whole = till.ask("alipay.trade.refund", bare("3.50")).await;
    assert_eq!(whole.member("fund_change"), "Y");
    assert_eq!(refund_query(&till, "N1").await.member("refund_status"), "REFUND_SUCCESS");
}

#[tokio::test]
async fn only_paid_and_unfinished_trades_are_refunded() {
    let till = Till::open().await;
    assert_eq!(refund(&till, "R1", "1.00").await.sub_code(), "ACQ.TRADE_NOT_EXIST");
    let text = till.code(precreate_biz("N1", "3.50")).await;
    assert_eq!(refund(&till, "R1", "1.00").await.sub_code(), "ACQ.TRADE_NOT_EXIST");
    let scanned = till.phone.scan_text(&text).unwrap();
    assert_eq!(refund(&till, "R1", "1.00").await.sub_code(), "ACQ.TRADE_STATUS_ERROR");
    till.phone.confirm(&scanned.id).unwrap();
    assert!(till.control.finish_trade("N1"));
    assert_eq!(refund(&till, "R1", "1.00").await.sub_code(), "ACQ.TRADE_HAS_FINISHED");
    assert_eq!(till.control.ledger().refunded_fen(), 0);
}

#[tokio::test]
async fn a_closed_trade_takes_no_new_refund() {
    let till = Till::open().await;
    till.charge("N1", "3.50").await;
    till.cancel("N1").await;
    assert_eq!(refund(&till, "R1", "1.00").await.sub_code(), "ACQ.TRADE_HAS_CLOSE");
    assert_eq!(till.control.ledger().trades[0].state, TradeState::TradeClosed);
}

#[tokio::test]
async fn two_refunds_are_three_seconds_apart_when_the_rule_is_on() {
    for (pace, expected) in [(true, "ACQ.SYSTEM_ERROR"), (false, "")] {
        let till = Till::with(|options| options.refund_pace = pace).await;
        till.charge("N1", "3.50").await;
        refund(&till, "R1", "1.00").await;
        till.pass(2999);
        assert_eq!(refund(&till, "R2", "1.00").await.sub_code(), expected);
        till.pass(1);
        assert_eq!(refund(&till, "R3", "1.00").await.member("fund_change"), "Y");
    }
}

#[tokio::test]
async fn a_refund_query_says_nothing_about_an_unknown_refund() {
    let till = Till::open().await;
    assert_eq!(refund_query(&till, "R1").await.sub_code(), "ACQ.TRADE_NOT_EXIST");
    till.charge("N1", "3.50").await;
    let unknown = refund_query(&till, "R1").await;
    assert_eq!(unknown.node, json!({ "code": "10000", "msg": "Success" }));
    refund(&till, "R1", "1.00").await;
    let known = refund_query(&till, "R1").await;
    assert_eq!(known.member("refund_status"), "REFUND_SUCCESS");
    assert_eq!(known.member("refund_amount"), "1.00");
    assert_eq!(known.member("total_amount"), "3.50");
    assert!(known.node["gmt_refund_pay"].is_null());
    let none = till.ask("alipay.trade.fastpay.refund.query", json!({ "out_trade_no": "N1" })).await;
    assert_eq!(none.sub_code(), "ACQ.INVALID_PARAMETER");
}
