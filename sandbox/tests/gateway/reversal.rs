//! Cancel and close.

use sandbox::{Fault, Method, TradeState, WalletError, Weather};
use serde_json::json;

use crate::calling::Answer;
use crate::till::{Till, precreate_biz};

async fn close(till: &Till, number: &str) -> Answer {
    till.ask("alipay.trade.close", json!({ "out_trade_no": number, "operator_id": "op1" })).await
}

#[tokio::test]
async fn a_cancel_closes_what_is_unpaid_however_often_it_comes() {
    let till = Till::open().await;
    let text = till.code(precreate_biz("N1", "3.50")).await;
    let scanned = till.phone.scan_text(&text).unwrap();
    for _ in 0..2 {
        let cancel = till.cancel("N1").await;
        assert_eq!((cancel.member("action"), cancel.member("retry_flag")), ("close", "N"));
        assert_eq!(cancel.member("trade_no"), scanned.id);
    }
    let query = till.query("N1").await;
    assert_eq!(query.member("trade_status"), "TRADE_CLOSED");
    assert_eq!(query.member("ext_infos"), r#"{"action":"cancel"}"#);
    assert_eq!(till.phone.confirm(&scanned.id), Err(WalletError::Closed));
    assert_eq!(till.phone.scan_text(&text), Err(WalletError::Closed));
}

#[tokio::test]
async fn a_cancel_returns_what_is_paid_once() {
    let till = Till::open().await;
    let before = till.phone.balance_fen();
    till.charge("N1", "3.50").await;
    for _ in 0..2 {
        assert_eq!(till.cancel("N1").await.member("action"), "refund");
    }
    let ledger = till.control.ledger();
    assert_eq!((ledger.charged_fen(), ledger.refunded_fen(), ledger.net_fen()), (350, 350, 0));
    assert_eq!(ledger.trades[0].refunds.len(), 1);
    assert_eq!(ledger.trades[0].state, TradeState::TradeClosed);
    assert_eq!(till.phone.balance_fen(), before);
}

#[tokio::test]
async fn a_cancel_returns_only_what_is_left() {
    let till = Till::open().await;
    till.charge("N1", "3.50").await;
    let biz = json!({ "out_trade_no": "N1", "refund_amount": "1.00", "out_request_no": "R1" });
    till.ask("alipay.trade.refund", biz).await;
    assert_eq!(till.cancel("N1").await.member("action"), "refund");
    assert_eq!(till.control.ledger().refunded_fen(), 350);
}

#[tokio::test]
async fn a_cancel_comes_within_a_day_and_before_the_end() {
    let till = Till::open().await;
    till.charge("N1", "3.50").await;
    till.charge("N2", "3.50").await;
    assert!(till.control.finish_trade("N2"));
    assert_eq!(till.cancel("N2").await.sub_code(), "ACQ.TRADE_HAS_FINISHED");
    till.pass(24 * 3_600_000 + 1);
    let late = till.cancel("N1").await;
    assert_eq!(late.sub_code(), "ACQ.TRADE_CANCEL_TIME_OUT");
    assert_eq!(late.member("retry_flag"), "N");
    assert_eq!(till.control.ledger().net_fen(), 700);
}

#[tokio::test]
async fn a_cancel_may_ask_to_be_called_again() {
    let till = Till::open().await;
    till.charge("N1", "3.50").await;
    let misspelt = Fault::SubCode { sub_code: "AQC.SYSTEM_ERROR".to_owned(), executed: false };
    till.control.set_weather(Weather::fair().with(Fault::CancelLater.times(2)).with(misspelt.on(Method::Refund)));
    let later = till.cancel("N1").await;
    assert_eq!((later.code(), later.member("retry_flag")), ("10000", "Y"));
    assert!(later.node["action"].is_null());
    till.cancel("N1").await;
    assert_eq!(till.control.ledger().refunded_fen(), 0);
    assert_eq!(till.cancel("N1").await.member("action"), "refund");
}

#[tokio::test]
async fn a_close_ends_unpaid_trades_only() {
    let till = Till::open().await;
    let text = till.code(precreate_biz("N1", "3.50")).await;
    till.phone.scan_text(&text).unwrap();
    assert_eq!(close(&till, "N1").await.code(), "10000");
    assert_eq!(close(&till, "N1").await.code(), "10000");
    assert_eq!(till.query("N1").await.member("trade_status"), "TRADE_CLOSED");
    till.charge("N2", "3.50").await;
    assert_eq!(close(&till, "N2").await.sub_code(), "ACQ.TRADE_STATUS_ERROR");
    till.cancel("N2").await;
    assert_eq!(close(&till, "N2").await.sub_code(), "ACQ.REASON_TRADE_STATUS_INVALID");
    assert_eq!(close(&till, "N3").await.sub_code(), "ACQ.TRADE_NOT_EXIST");
}

#[tokio::test]
async fn the_gateways_own_number_wins() {
    let till = Till::open().await;
    let paid = till.charge("N1", "3.50").await;
    let trade_no = paid.member("trade_no");
    let both = json!({ "trade_no": trade_no, "out_trade_no": "N9" });
    assert_eq!(till.ask("alipay.trade.query", both).await.member("out_trade_no"), "N1");
    let unknown = json!({ "trade_no": "2025060122001400009999999999" });
    let cancel = till.ask("alipay.trade.cancel", unknown).await;
    assert_eq!((cancel.code(), cancel.sub_code()), ("40004", "ACQ.TRADE_NOT_EXIST"));
}
