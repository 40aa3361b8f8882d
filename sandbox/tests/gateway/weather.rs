//! Bad weather, the quirks of answers, and what the control side sees.

use std::collections::BTreeSet;
use std::time::Duration;

use sandbox::{CallOutcome, Fault, Gateway, GatewayOptions, Method, TradeState, Weather};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::calling::{self, Cut, send, set, signed};
use crate::till::{Till, pay_biz, precreate_biz};

async fn pay_under(till: &Till, fault: Fault) -> Result<calling::Answer, Cut> {
    till.control.set_weather(Weather::fair().with(fault.times(1)));
    let biz = pay_biz("N1", "3.50", &till.phone.pay_code());
    till.try_ask("alipay.trade.pay", biz).await
}

#[tokio::test]
async fn a_lost_request_charges_nobody_and_a_lost_reply_does() {
    for (fault, charged) in [(Fault::DropRequest, 0), (Fault::DropReply, 350)] {
        let till = Till::open().await;
        assert_eq!(pay_under(&till, fault).await.unwrap_err(), Cut);
        assert_eq!(till.control.ledger().charged_fen(), charged);
        let call = &till.control.calls()[0];
        assert_eq!((call.executed, &call.outcome), (charged > 0, &CallOutcome::Cut));
        assert_eq!(till.charge("N2", "1.00").await.code(), "10000");
    }
}

#[tokio::test]
async fn an_http_error_hides_whether_money_moved() {
    for executed in [false, true] {
        let till = Till::open().await;
        let fault = Fault::HttpStatus { status: 502, executed };
        assert_eq!(pay_under(&till, fault).await.unwrap().status, 502);
        assert_eq!(till.control.ledger().charged_fen() > 0, executed);
    }
}

#[tokio::test]
async fn code_20000_comes_in_gbk_bytes() {
    for executed in [false, true] {
        let till = Till::open().await;
        let answer = pay_under(&till, Fault::Unavailable { executed }).await.unwrap();
        assert_eq!((answer.code(), answer.sub_code()), ("20000", "aop.unknow-error"));
        assert!(answer.signed && std::str::from_utf8(&answer.body).is_err());
        assert_eq!(till.control.ledger().charged_fen() > 0, executed);
    }
}

#[tokio::test]
async fn any_sub_code_can_be_forced_with_or_without_money() {
    for executed in [false, true] {
        let till = Till::open().await;
        let sub_code = "ACQ.SYSTEM_ERROR".to_owned();
        let answer = pay_under(&till, Fault::SubCode { sub_code, executed }).await.unwrap();
        assert_eq!((answer.code(), answer.sub_code()), ("40004", "ACQ.SYSTEM_ERROR"));
        assert_eq!(till.control.ledger().charged_fen() > 0, executed);
        assert_eq!(till.control.weather(), Weather::fair());
    }
}

#[tokio::test]
async fn a_bad_signature_is_there_and_does_not_hold() {
    let till = Till::open().await;
    let answer = pay_under(&till, Fault::BadSignature).await.unwrap();
    assert!(answer.has_sign && !answer.signed);
    assert_eq!(till.control.ledger().charged_fen(), 350);
}

#[tokio::test]
async fn failures_can_come_unsigned_and_successes_do_not() {
    let till = Till::open().await;
    till.control.set_weather(Weather::fair().with(Fault::UnsignedFailures));
    let failure = till.try_ask("alipay.trade.query", json!({ "out_trade_no": "N1" })).await.unwrap();
    assert!(failure.sub_code() == "ACQ.TRADE_NOT_EXIST" && !failure.has_sign);
    assert!(till.charge("N1", "1.00").await.signed);
}

#[tokio::test]
async fn when_the_network_is_down_nobody_listens() {
    let till = Till::open().await;
    let address = till.gateway.url().replace("http://", "").replace("/gateway.do", "");
    till.control.set_weather(Weather::network_down());
    let refused = async {
        while tokio::net::TcpStream::connect(&address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), refused).await.expect("still listening");
    till.control.set_weather(Weather::fair());
    let reached = async {
        while till.try_ask("alipay.trade.query", json!({ "out_trade_no": "N1" })).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), reached).await.expect("still refusing");
}

#[tokio::test]
async fn when_the_network_is_down_open_connections_end_too() {
    let till = Till::open().await;
    let address = till.gateway.url().replace("http://", "").replace("/gateway.do", "");
    let mut line = tokio::net::TcpStream::connect(&address).await.unwrap();
    line.write_all(b"GET / HTTP/1.1\r\nHost: gateway\r\n\r\n").await.unwrap();
    let mut buffer = [0; 1024];
    assert!(line.read(&mut buffer).await.unwrap() > 0, "the line is not open");

    till.control.set_weather(Weather::network_down());
    let request = b"POST /gateway.do HTTP/1.1\r\nHost: gateway\r\nContent-Length: 0\r\n\r\n";
    let _ = line.write_all(request).await;
    assert_eq!(line.read(&mut buffer).await.unwrap_or(0), 0, "it was answered");
    assert!(till.control.calls().iter().all(|call| call.outcome == CallOutcome::Cut));
}

#[tokio::test]
async fn a_slow_request_is_carried_out_even_when_the_terminal_gave_up() {
    for fault in [Fault::SlowRequest(50), Fault::SlowReply(50)] {
        let till = Till::open().await;
        let pay = pay_under(&till, fault.clone());
        let impatient = tokio::time::timeout(Duration::from_millis(20), pay).await;
        assert!(impatient.is_err(), "{fault:?} was quick");
        let charged = till.control.until(|ledger| ledger.charged_fen() == 350);
        tokio::time::timeout(Duration::from_secs(10), charged).await.expect("never carried out");
    }
}

#[tokio::test]
async fn what_is_confirmed_late_lands_late_and_by_wish_after_the_close() {
    for (despite_close, state) in [(false, TradeState::TradeClosed), (true, TradeState::TradeSuccess)] {
        let till = Till::open().await;
        let late = Fault::PaysLate { ms: 5000, despite_close };
        till.control.set_weather(Weather::fair().with(late.times(1)));
        let text = till.code(precreate_biz("N1", "3.50")).await;
        let scanned = till.phone.scan_text(&text).unwrap();
        till.phone.confirm(&scanned.id).unwrap();
        assert!(till.phone.confirm(&scanned.id).is_err());
        assert!(till.phone.requests().is_empty());
        till.pass(4999);
        assert_eq!(till.cancel("N1").await.member("action"), "close");
        till.pass(1);
        assert_eq!(till.control.ledger().trade("N1").unwrap().state, state);
        let charged = till.control.ledger().charged_fen();
        assert_eq!(charged, if despite_close { 350 } else { 0 });
    }
}

#[tokio::test]
async fn a_late_payment_wakes_those_who_wait() {
    let gateway = Gateway::start(GatewayOptions::default()).await.unwrap();
    let control = gateway.control();
    let late = Fault::PaysLate { ms: 30, despite_close: false };
    control.set_weather(Weather::fair().with(late).with(Fault::BuyerConfirms));
    let biz = pay_biz("N1", "1.00", &control.wallet().pay_code()).to_string();
    let params = calling::params("alipay.trade.pay", &biz, sandbox::Clock::system().now());
    let answer = send(&gateway.url(), &signed(params)).await.unwrap();
    control.wallet().confirm(answer.member("trade_no")).unwrap();
    assert_eq!(control.ledger().charged_fen(), 0);
    let landed = control.until(|ledger| ledger.charged_fen() == 100);
    tokio::time::timeout(Duration::from_secs(10), landed).await.expect("never landed");
    gateway.stop().await;
    assert_eq!(control.ledger().charged_fen(), 100);
}

#[tokio::test]
async fn answers_change_their_dress_and_always_verify() {
    let till = Till::open().await;
    let (mut spaced, mut escaped) = (BTreeSet::new(), BTreeSet::new());
    for number in 0..40 {
        let biz = precreate_biz(&format!("N{number}"), "3.50");
        let answer = till.ask("alipay.trade.precreate", biz).await;
        assert!(answer.text().contains(r"https:\/\/qr.alipay.com\/"), "{}", answer.text());
        spaced.insert(answer.body[1]);
        let absent = till.query("absent").await;
        escaped.insert(absent.text().contains("\\u4ea4"));
    }
    assert_eq!((spaced.len(), escaped.len()), (3, 2));
}

#[tokio::test]
async fn the_same_seed_gives_the_same_answers() {
    let mut runs = Vec::new();
    for seed in [7, 7, 8] {
        let till = Till::with(|options| options.seed = seed).await;
        let mut bodies = Vec::new();
        for number in 0..8 {
            let biz = precreate_biz(&format!("N{number}"), "3.50");
            bodies.push(till.ask("alipay.trade.precreate", biz).await.body);
        }
        runs.push(bodies);
    }
    assert!(runs[0] == runs[1] && runs[1] != runs[2]);
}

#[tokio::test]
async fn gateway_failures_come_in_all_their_forms() {
    let till = Till::open().await;
    let mut forms = BTreeSet::new();
    for _ in 0..60 {
        let mut params = till.params("alipay.trade.query", &json!({ "out_trade_no": "N1" }));
        set(&mut params, "version", "9");
        let answer = send(&till.gateway.url(), &signed(params)).await.unwrap();
        assert_eq!(answer.sub_code(), "isv.invalid-version");
        assert_eq!(answer.signed, answer.has_sign);
        let empty = answer.text().contains("\"sign\"") && !answer.has_sign;
        forms.insert((answer.node_name, answer.has_sign, empty));
    }
    let own = "alipay_trade_query_response".to_owned();
    let error = || "error_response".to_owned();
    let expected = [(own, true, false), (error(), true, false), (error(), false, false), (error(), false, true)];
    assert_eq!(forms, BTreeSet::from(expected));
}

#[tokio::test]
async fn every_call_is_recorded_and_dated() {
    let till = Till::open().await;
    till.query("N1").await;
    let paid = till.charge("N1", "1.00").await;
    assert!(paid.head.contains("date: Sun, 01 Jun 2025 04:00:00 GMT"), "{}", paid.head);
    let calls = till.control.calls();
    let query = &calls[0];
    assert_eq!((&*query.method, query.out_trade_no.as_deref()), (Method::Query.name(), Some("N1")));
    assert!(!query.executed && calls[1].executed);
    let sub_code = Some("ACQ.TRADE_NOT_EXIST".to_owned());
    assert_eq!(query.outcome, CallOutcome::Answered { code: "40004".to_owned(), sub_code });
}

#[tokio::test]
async fn a_taken_port_is_an_error_and_a_stopped_gateway_frees_its_own() {
    let till = Till::open().await;
    let port: u16 = till.gateway.url().rsplit(':').next().unwrap().split('/').next().unwrap().parse().unwrap();
    let options = || GatewayOptions { port, ..GatewayOptions::default() };
    assert!(Gateway::start(options()).await.is_err());
    till.gateway.stop().await;
    Gateway::start(options()).await.unwrap().stop().await;
}
