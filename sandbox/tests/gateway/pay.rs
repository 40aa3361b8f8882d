//! Pay codes that the machine reads.

use std::collections::BTreeSet;

use sandbox::{Fault, Method, TradeState, WalletError, Weather};
use serde_json::json;

use crate::till::{Till, pay_biz, precreate_biz};

#[tokio::test]
async fn pay_codes_are_eighteen_digits_beginning_28_and_never_the_same() {
    let till = Till::open().await;
    let codes: BTreeSet<String> = (0..500).map(|_| till.phone.pay_code()).collect();
    assert_eq!(codes.len(), 500);
    for code in codes {
        assert!(code.starts_with("28") && code.len() == 18, "{code}");
        assert!(code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
    }
}

#[tokio::test]
async fn a_small_amount_is_paid_at_once() {
    let till = Till::open().await;
    let mut biz = pay_biz("N1", "200.00", &till.phone.pay_code());
    biz["query_options"] = json!(["fund_bill_list"]);
    let paid = till.ask("alipay.trade.pay", biz).await;
    assert_eq!((paid.code(), paid.member("total_amount")), ("10000", "200.00"));
    assert_eq!(paid.member("gmt_payment"), "2025-06-01 12:00:00");
    assert_eq!(paid.member("trade_no").len(), 28);
    assert_eq!(paid.node["fund_bill_list"][0]["amount"], "200.00");
    assert_eq!(till.control.ledger().charged_fen(), 20_000);
}

#[tokio::test]
async fn a_large_amount_waits_for_the_thumb() {
    let till = Till::open().await;
    let waiting = till.charge("N1", "200.01").await;
    assert_eq!((waiting.code(), waiting.member("msg")), ("10003", " order success pay inprocess"));
    assert!(waiting.node["gmt_payment"].is_null());
    assert_eq!(waiting.member("receipt_amount"), "0.00");
    assert_eq!(till.query("N1").await.member("trade_status"), "WAIT_BUYER_PAY");
    till.phone.confirm(waiting.member("trade_no")).unwrap();
    assert_eq!(till.query("N1").await.member("trade_status"), "TRADE_SUCCESS");
    assert_eq!(till.control.ledger().charged_fen(), 20_001);
}

#[tokio::test]
async fn the_weather_can_demand_the_thumb_and_the_thumb_can_refuse() {
    let till = Till::open().await;
    till.control.set_weather(Weather::fair().with(Fault::BuyerConfirms.times(1)));
    let waiting = till.charge("N1", "0.01").await;
    assert_eq!(waiting.code(), "10003");
    let id = waiting.member("trade_no");
    till.phone.refuse(id).unwrap();
    assert!(till.phone.requests().is_empty());
    assert_eq!(till.query("N1").await.member("trade_status"), "WAIT_BUYER_PAY");
    assert_eq!(till.cancel("N1").await.member("action"), "close");
    assert_eq!(till.phone.refuse(id), Err(WalletError::Closed));
    assert_eq!(till.phone.confirm("1"), Err(WalletError::NothingToPay));
    assert_eq!(till.charge("N2", "0.01").await.code(), "10000");
}

#[tokio::test]
async fn a_phone_that_confirms_by_itself_still_answers_10003_first() {
    let till = Till::open().await;
    till.phone.set_auto_confirm(true);
    assert_eq!(till.charge("N1", "300.00").await.code(), "10003");
    assert_eq!(till.query("N1").await.member("trade_status"), "TRADE_SUCCESS");
    let text = till.code(precreate_biz("N2", "1.00")).await;
    assert!(till.phone.scan_text(&text).unwrap().paid);
    assert_eq!(till.control.ledger().charged_fen(), 30_100);
}

#[tokio::test]
async fn a_pay_code_works_once_and_for_a_minute() {
    const INVALID: &str = "ACQ.PAYMENT_AUTH_CODE_INVALID";
    let till = Till::open().await;
    let code = till.phone.pay_code();
    till.ask("alipay.trade.pay", pay_biz("N1", "1.00", &code)).await;
    let used = till.ask("alipay.trade.pay", pay_biz("N2", "1.00", &code)).await;
    assert_eq!(used.sub_code(), INVALID);
    let unknown = pay_biz("N3", "1.00", "281111111111111111");
    assert_eq!(till.ask("alipay.trade.pay", unknown).await.sub_code(), INVALID);
    let (old, fresh) = (till.phone.pay_code(), till.phone.pay_code());
    till.pass(59_999);
    assert_eq!(till.ask("alipay.trade.pay", pay_biz("N4", "1.00", &fresh)).await.code(), "10000");
    till.pass(1);
    assert_eq!(till.ask("alipay.trade.pay", pay_biz("N5", "1.00", &old)).await.sub_code(), INVALID);
    let dead = till.phone.pay_code();
    till.control.expire_pay_codes();
    assert_eq!(till.ask("alipay.trade.pay", pay_biz("N6", "1.00", &dead)).await.sub_code(), INVALID);
    assert_eq!(till.control.ledger().charged_fen(), 200);
}

#[tokio::test]
async fn the_same_pay_again_charges_nobody_twice() {
    let till = Till::open().await;
    let code = till.phone.pay_code();
    let biz = pay_biz("N1", "3.50", &code);
    let first = till.ask("alipay.trade.pay", biz.clone()).await;
    till.pass(120_000);
    let again = till.ask("alipay.trade.pay", biz).await;
    assert_eq!(first.node, again.node);
    let other = till.ask("alipay.trade.pay", pay_biz("N1", "3.51", &code)).await;
    assert_eq!(other.sub_code(), "ACQ.CONTEXT_INCONSISTENT");
    let other = till.charge("N1", "3.50").await;
    assert_eq!(other.sub_code(), "ACQ.CONTEXT_INCONSISTENT");
    assert_eq!(till.control.ledger().charged_fen(), 350);
}

#[tokio::test]
async fn a_number_belongs_to_one_method() {
    let till = Till::open().await;
    let text = till.code(precreate_biz("N1", "3.50")).await;
    assert_eq!(till.charge("N1", "3.50").await.sub_code(), "ACQ.CONTEXT_INCONSISTENT");
    let scanned = till.phone.scan_text(&text).unwrap();
    assert_eq!(till.charge("N1", "3.50").await.sub_code(), "ACQ.CONTEXT_INCONSISTENT");
    till.phone.confirm(&scanned.id).unwrap();
    assert_eq!(till.charge("N1", "3.50").await.sub_code(), "ACQ.TRADE_HAS_SUCCESS");
    till.cancel("N1").await;
    assert_eq!(till.charge("N1", "3.50").await.sub_code(), "ACQ.TRADE_HAS_CLOSE");
}

#[tokio::test]
async fn a_poor_buyer_pays_nothing() {
    let till = Till::open().await;
    till.phone.set_balance_fen(349);
    assert_eq!(till.charge("N1", "3.50").await.sub_code(), "ACQ.BUYER_BALANCE_NOT_ENOUGH");
    assert_eq!(till.query("N1").await.sub_code(), "ACQ.TRADE_NOT_EXIST");
    let text = till.code(precreate_biz("N2", "3.50")).await;
    let scanned = till.phone.scan_text(&text).unwrap();
    assert_eq!(till.phone.confirm(&scanned.id), Err(WalletError::NotEnoughMoney));
    till.phone.set_balance_fen(350);
    till.phone.confirm(&scanned.id).unwrap();
    assert_eq!(till.phone.balance_fen(), 0);
}

#[tokio::test]
async fn a_waiting_trade_closes_when_its_time_is_over() {
    let till = Till::open().await;
    till.control.set_weather(Weather::fair().with(Fault::BuyerConfirms.on(Method::Pay)));
    let mut biz = pay_biz("N1", "1.00", &till.phone.pay_code());
    biz["timeout_express"] = "1m".into();
    till.ask("alipay.trade.pay", biz).await;
    till.charge("N2", "1.00").await;
    till.pass(60_000);
    assert_eq!(till.query("N1").await.member("trade_status"), "TRADE_CLOSED");
    till.pass(179 * 60_000 - 1);
    assert_eq!(till.query("N2").await.member("trade_status"), "WAIT_BUYER_PAY");
    till.pass(1);
    assert_eq!(till.control.ledger().trade("N2").unwrap().state, TradeState::TradeClosed);
}
