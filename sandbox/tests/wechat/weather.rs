//! Bad weather, the two hosts, connections, and what the control side sees.

use std::time::Duration;

use sandbox::wechat::{CallOutcome, Fault, Gateway, GatewayOptions, Host, Operation, TradeState, Weather};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::calling::{Answer, Cut};
use crate::till::{CODEPAY, NATIVE, NUMBER, Till, codepay, native};

/// Longer than anything here takes; only a broken test waits so long.
const GENEROUS: Duration = Duration::from_secs(10);

async fn pay_under(till: &Till, fault: Fault) -> Result<Answer, Cut> {
    till.control.set_weather(Weather::fair().with(fault.times(1)));
    till.try_ask("POST", CODEPAY, codepay("C00001", 350, &till.phone.pay_code())).await
}

#[tokio::test]
async fn a_lost_request_charges_nobody_and_a_lost_reply_does() {
    for (fault, charged) in [(Fault::DropRequest, 0), (Fault::DropReply, 350)] {
        let till = Till::open().await;
        assert_eq!(pay_under(&till, fault).await.unwrap_err(), Cut);
        assert_eq!(till.control.ledger().charged_fen(), charged);
        let call = &till.control.calls()[0];
        assert_eq!((call.executed, &call.outcome), (charged > 0, &CallOutcome::Cut));
        till.paid("N00002", 100).await;
    }
}

#[tokio::test]
async fn an_http_error_hides_whether_money_moved() {
    for (status, executed) in [(500, false), (502, true), (503, false)] {
        let till = Till::open().await;
        let answer = pay_under(&till, Fault::HttpStatus { status, executed }).await.unwrap();
        assert_eq!((answer.status, answer.has_signature_headers()), (status, false));
        assert_eq!(till.control.ledger().charged_fen() > 0, executed);
    }
}

#[tokio::test]
async fn any_code_can_be_forced_and_only_2xx_is_signed() {
    for (status, code, executed) in [
        (429, "FREQUENCY_LIMITED", false),
        (500, "SYSTEM_ERROR", true),
        (202, "ACCEPTED", true),
        (403, "RULE_LIMIT", false),
    ] {
        let till = Till::open().await;
        let fault = Fault::Code { status, code: code.to_owned(), executed };
        let answer = pay_under(&till, fault).await.unwrap();
        assert_eq!((answer.status, &*answer.code()), (status, code));
        assert_eq!(answer.holds(&till.keys.public_key_pem), status == 202);
        assert_eq!(till.control.ledger().charged_fen() > 0, executed);
    }
}

#[tokio::test]
async fn codes_come_in_the_older_spelling_by_wish() {
    let till = Till::with(|options| options.joined_codes = true).await;
    assert_eq!(till.query("N00001").await.code(), "ORDERNOTEXIST");
    assert_eq!(till.post(NATIVE, json!({})).await.code(), "PARAM_ERROR");
}

#[tokio::test]
async fn signatures_that_must_not_be_believed() {
    for fault in [Fault::BadSignature, Fault::Probe, Fault::NoSignature, Fault::UnknownSerial] {
        let till = Till::open().await;
        let answer = pay_under(&till, fault.clone()).await.unwrap();
        assert!(!answer.is_signed_by(&till.keys.public_key_id, &till.keys.public_key_pem), "{fault:?}");
        assert_eq!(answer.status, 200);
        let probe = answer.header("wechatpay-signature").starts_with("WECHATPAY/SIGNTEST/");
        assert_eq!(probe, fault == Fault::Probe);
        assert_eq!(till.control.ledger().charged_fen(), 350);
    }
}

#[tokio::test]
async fn who_falls_for_a_probe_is_found_out() {
    let till = Till::open().await;
    till.control.set_weather(Weather::fair().with(Fault::Probe.on(Operation::Native).times(1)));
    till.try_ask("POST", NATIVE, native("N00001", 350)).await.unwrap();
    till.code("N00002", 350).await;
    let probe = till.control.probes().remove(0);
    assert_eq!(
        (probe.operation, probe.out_trade_no.as_deref(), probe.asked_again),
        (Operation::Native, Some("N00001"), false)
    );
    till.code("N00001", 350).await;
    assert!(till.control.probes()[0].asked_again);
}

#[tokio::test]
async fn a_rotated_key_signs_every_answer_from_then_on() {
    let till = Till::open().await;
    till.code("N00001", 350).await;
    till.control.rotate_signing_key();
    let mut ask = till.ask_for("POST", NATIVE, &native("N00002", 350));
    ask.set("Wechatpay-Serial", &till.keys.public_key_id);
    let answer = ask.send(&till.gateway.url()).await.unwrap();
    assert!(answer.is_signed_by(&till.keys.next_public_key_id, &till.keys.next_public_key_pem));
    assert!(!answer.holds(&till.keys.public_key_pem));
}

#[tokio::test]
async fn a_skewed_clock_refuses_those_who_are_right_and_shows_in_what_it_signs() {
    let till = Till::open().await;
    let answer = pay_under(&till, Fault::SkewedClock(301_000)).await.unwrap();
    assert_eq!((answer.status, answer.header("date")), (401, "Sun, 01 Jun 2025 04:05:01 GMT"));
    let answer = pay_under(&till, Fault::SkewedClock(-299_000)).await.unwrap();
    let expected = (till.now() / 1000 - 299).to_string();
    assert_eq!((answer.status, answer.header("wechatpay-timestamp")), (200, &*expected));
    let fair = till.query("C00001").await;
    assert_eq!(fair.header("date"), "Sun, 01 Jun 2025 04:00:00 GMT");
}

#[tokio::test]
async fn members_that_no_document_knows_are_signed_like_the_rest() {
    let till = Till::open().await;
    till.control.set_weather(Weather::fair().with(Fault::ExtraFields));
    let answer = till.post(NATIVE, native("N00001", 350)).await;
    assert!(answer.json().get("sandbox_extra").is_some());
}

#[tokio::test]
async fn weather_at_the_primary_host_leaves_the_backup_alone_and_the_order_is_one() {
    let till = Till::open().await;
    till.control.set_weather(Weather::fair().with(Fault::DropReply.at(Host::Primary)));
    let ask = till.ask_for("POST", CODEPAY, &codepay("C00001", 350, &till.phone.pay_code()));
    assert_eq!(ask.send(&till.gateway.url()).await.unwrap_err(), Cut);
    assert_eq!(ask.send(&till.gateway.backup_url()).await.unwrap().code(), "ORDERPAID");
    assert_eq!(till.control.ledger().charged_fen(), 350);
    let hosts: Vec<Host> = till.control.calls().iter().map(|call| call.host).collect();
    assert_eq!(hosts, [Host::Primary, Host::Backup]);
}

#[tokio::test]
async fn when_the_primary_host_is_down_the_backup_answers_and_both_come_back() {
    let till = Till::open().await;
    let address = till.gateway.address();
    till.control.set_weather(Weather::primary_down());
    let refused = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(GENEROUS, refused).await.expect("still listening");
    let ask = till.ask_for("POST", NATIVE, &native("N00001", 350));
    assert_eq!(ask.send(&till.gateway.backup_url()).await.unwrap().status, 200);
    till.control.set_weather(Weather::fair());
    let reached = async {
        while ask.send(&till.gateway.url()).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(GENEROUS, reached).await.expect("still refusing");
}

#[tokio::test]
async fn a_slow_request_is_carried_out_even_when_the_terminal_gave_up() {
    for fault in [Fault::SlowRequest(50), Fault::SlowReply(50)] {
        let till = Till::open().await;
        let impatient = tokio::time::timeout(Duration::from_millis(20), pay_under(&till, fault.clone())).await;
        assert!(impatient.is_err(), "{fault:?} was quick");
        let charged = till.control.until(|ledger| ledger.charged_fen() == 350);
        tokio::time::timeout(GENEROUS, charged).await.expect("never carried out");
    }
}

#[tokio::test]
async fn an_idle_connection_ends_and_a_slow_call_is_not_idle() {
    let till = Till::with(|options| options.idle_ms = 200).await;
    let host = till.gateway.address().to_string();
    let ask = till.ask_for("POST", NATIVE, &native("N00001", 350));
    let request = String::from_utf8(ask.bytes(&host)).unwrap().replace("Connection: close\r\n", "");
    till.control.set_weather(Weather::fair().with(Fault::SlowReply(600).times(1)));
    let mut line = TcpStream::connect(&host).await.unwrap();
    line.write_all(request.as_bytes()).await.unwrap();
    let mut buffer = [0; 4096];
    let count = tokio::time::timeout(GENEROUS, line.read(&mut buffer)).await.unwrap().unwrap();
    assert!(buffer[..count].starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&buffer[..count]));
    // The rest of the answer, then the end: nobody asked for anything.
    let rest = async { while line.read(&mut buffer).await.unwrap_or(0) > 0 {} };
    tokio::time::timeout(GENEROUS, rest).await.expect("the connection stayed open");
}

#[tokio::test]
async fn every_call_is_recorded_with_the_number_it_was_about() {
    let till = Till::open().await;
    till.query("N00001").await;
    till.code("N00001", 350).await;
    till.try_ask("GET", "/v3/nothing", Value::Null).await.unwrap();
    let calls = till.control.calls();
    let seen: Vec<(Option<Operation>, Option<&str>, bool)> =
        calls.iter().map(|call| (call.operation, call.out_trade_no.as_deref(), call.executed)).collect();
    let number = Some("N00001");
    assert_eq!(
        seen,
        [(Some(Operation::Query), number, false), (Some(Operation::Native), number, true), (None, None, false)]
    );
    assert_eq!(calls[0].outcome, CallOutcome::Answered { status: 404, code: Some("ORDER_NOT_EXIST".to_owned()) });
    assert_eq!(calls[2].outcome, CallOutcome::HttpStatus(404));
}

#[tokio::test]
async fn the_same_seed_gives_the_same_codes() {
    let mut runs = Vec::new();
    for seed in [7, 7, 8] {
        let till = Till::with(|options| options.seed = seed).await;
        runs.push((till.code("N00001", 350).await, till.phone.pay_code()));
    }
    assert!(runs[0] == runs[1] && runs[1] != runs[2]);
}

#[tokio::test]
async fn a_late_payment_wakes_those_who_wait() {
    let gateway = Gateway::start(GatewayOptions::default()).await.unwrap();
    let control = gateway.control();
    let keys = sandbox::wechat::merchant_keys();
    control.set_weather(Weather::fair().with(Fault::PaysLate { ms: 30, despite_close: false }.times(1)));
    let mut ask =
        crate::calling::Ask::new("POST", CODEPAY, &codepay("C00001", 350, &control.wallet().pay_code()).to_string());
    ask.sign(&keys, sandbox::wechat::Clock::system().now() / 1000);
    assert_eq!(ask.send(&gateway.url()).await.unwrap().member("/trade_state"), "USERPAYING");
    let landed = control.until(|ledger| ledger.trade("C00001").is_some_and(|trade| trade.state == TradeState::Success));
    tokio::time::timeout(GENEROUS, landed).await.expect("never landed");
    gateway.stop().await;
    assert_eq!(control.ledger().charged_fen(), 350);
}

#[tokio::test]
async fn a_taken_port_is_an_error_and_a_stopped_gateway_frees_its_own() {
    let till = Till::open().await;
    let port = till.gateway.address().port();
    let options = || GatewayOptions { port, ..GatewayOptions::default() };
    assert!(Gateway::start(options()).await.is_err());
    let _ = till.get(&format!("{NUMBER}/N00001?mchid={}", till.keys.mchid)).await;
    till.gateway.stop().await;
    Gateway::start(options()).await.unwrap().stop().await;
}
