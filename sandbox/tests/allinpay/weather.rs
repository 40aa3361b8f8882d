//! Bad weather at both gateways, the quirks of answers, and notices.

use std::time::Duration;

use sandbox::allinpay::{AmountForm, CallOutcome, Fault, Method, Weather};

use crate::calling::Cut;
use crate::receiver::Receiver;
use crate::vsp_till::{Answer, Till, charge_pairs};

async fn sell_under(till: &Till, fault: Fault) -> Result<Answer, Cut> {
    till.control.set_weather(Weather::fair().with(fault.times(1)));
    let code = till.phone.pay_code();
    till.try_ask("/unitorder/scanqrpay", &charge_pairs("N1", "350", &code)).await
}

#[tokio::test]
async fn a_lost_request_charges_nobody_and_a_lost_reply_does() {
    for (fault, charged) in [(Fault::DropRequest, 0), (Fault::DropReply, 350)] {
        let till = Till::open().await;
        assert_eq!(sell_under(&till, fault).await.unwrap_err(), Cut);
        assert_eq!(till.control.ledger().charged_fen(), charged);
        let call = &till.control.calls()[0];
        assert_eq!((call.executed, &call.outcome), (charged > 0, &CallOutcome::Cut));
        assert_eq!(call.out_trade_no.as_deref(), Some("N1"));
        assert_eq!(till.query("N1").await.status(), if charged > 0 { "0000" } else { "1001" });
    }
}

#[tokio::test]
async fn the_channel_may_not_know_with_and_without_money() {
    for executed in [false, true] {
        let till = Till::open().await;
        let answer = sell_under(&till, Fault::SystemError { executed }).await.unwrap();
        assert_eq!((answer.retcode(), answer.status()), ("FAIL", ""), "version 11 has one word");
        assert_eq!(till.control.ledger().charged_fen() > 0, executed);
        till.control.set_weather(Weather::fair().with(Fault::SystemError { executed }));
        let answer = till.try_ask("/tranx/query", &[("reqsn", "N1")]).await.unwrap();
        assert_eq!(answer.retcode(), "FAIL");
    }
}

#[tokio::test]
async fn any_status_can_be_forced_with_or_without_money() {
    for executed in [false, true] {
        let till = Till::open().await;
        let fault = Fault::Code { code: "3889".to_owned(), executed };
        let answer = sell_under(&till, fault).await.unwrap();
        assert_eq!((answer.retcode(), answer.status(), answer.member("reqsn")), ("SUCCESS", "3889", "N1"));
        assert_eq!(till.control.ledger().charged_fen() > 0, executed);
    }
}

#[tokio::test]
async fn an_http_error_hides_whether_money_moved() {
    for executed in [false, true] {
        let till = Till::open().await;
        till.control.set_weather(Weather::fair().with(Fault::HttpStatus { status: 502, executed }));
        let code = till.phone.pay_code();
        let params = till.signed(till.params(&charge_pairs("N1", "350", &code)));
        assert_eq!(till.send("/unitorder/scanqrpay", &params).await.unwrap().status, 502);
        assert_eq!(till.control.ledger().charged_fen() > 0, executed);
    }
}

#[tokio::test]
async fn answers_come_unsigned_or_badly_signed_when_the_weather_says_so() {
    for (fault, has_sign) in [(Fault::BadSignature, true), (Fault::Unsigned, false)] {
        let till = Till::open().await;
        let answer = sell_under(&till, fault).await.unwrap();
        assert_eq!((answer.status(), answer.has_sign, answer.signed), ("0000", has_sign, false));
        assert_eq!(till.control.ledger().charged_fen(), 350);
    }
}

#[tokio::test]
async fn failures_can_come_unsigned() {
    let till = Till::with(|options| options.sign_failures = false).await;
    let failure = till.try_ask("/tranx/query", &[]).await.unwrap();
    assert_eq!((failure.retcode(), failure.has_sign), ("FAIL", false));
    assert!(till.query("N1").await.signed, "1001 is an answer, not a failure");
}

#[tokio::test]
async fn amounts_are_texts_or_numbers_and_unknown_fields_come_and_go() {
    let till = Till::with(|options| options.house.amounts = AmountForm::Number).await;
    let paid = till.sell("N1", "350").await;
    assert_eq!((paid.node["trxamt"].as_i64(), paid.node["fee"].as_i64()), (Some(350), Some(2)));
    let mut seen = [false; 2];
    for _ in 0..40 {
        let answer = till.query("N1").await;
        seen[usize::from(answer.node["newfield2027"].is_string())] = true;
    }
    assert_eq!(seen, [true, true]);
}

#[tokio::test]
async fn a_fault_strikes_its_calls_and_no_others() {
    let till = Till::open().await;
    till.control.set_weather(Weather::fair().with(Fault::DropReply.on(Method::Refund).times(1)));
    till.sell("N1", "350").await;
    let pairs = [("reqsn", "R1"), ("oldreqsn", "N1"), ("trxamt", "350")];
    assert_eq!(till.try_ask("/tranx/refund", &pairs).await.unwrap_err(), Cut);
    assert_eq!(till.query("R1").await.status(), "0000");
    assert_eq!(till.control.weather(), Weather::fair());
}

#[tokio::test]
async fn a_slow_request_is_carried_out_even_when_the_terminal_gave_up() {
    for fault in [Fault::SlowRequest(50), Fault::SlowReply(50)] {
        let till = Till::open().await;
        let gave_up = tokio::time::timeout(Duration::from_millis(1), sell_under(&till, fault));
        let _ = gave_up.await;
        let paid = till.control.until(|ledger| ledger.charged_fen() == 350);
        tokio::time::timeout(Duration::from_secs(20), paid).await.expect("never carried out");
    }
}

#[tokio::test]
async fn when_the_network_is_down_nobody_listens() {
    let till = Till::open().await;
    till.control.set_weather(Weather::network_down());
    let refused = async {
        while tokio::net::TcpStream::connect(till.gateway.address()).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), refused).await.expect("still listening");
    till.control.set_weather(Weather::fair());
    let reached = async {
        while till.try_ask("/tranx/query", &[("reqsn", "N1")]).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), reached).await.expect("still refusing");
}

#[tokio::test]
async fn a_notice_is_repeated_until_its_receiver_says_success() {
    let till = Till::with(|options| options.house.notice_pauses_ms = vec![1, 1, 1]).await;
    let mut receiver = Receiver::open(&["SUCCESS", "fail", "success"]).await;
    let code = till.phone.pay_code();
    let mut pairs = charge_pairs("N1", "350", &code).to_vec();
    pairs.push(("notify_url", &receiver.url));
    assert_eq!(till.ask("/unitorder/scanqrpay", &pairs).await.status(), "0000");
    for _ in 0..3 {
        let body = receiver.next().await.expect("told too seldom");
        let params: Vec<(String, String)> = body
            .split('&')
            .map(|pair| pair.split_once('=').unwrap())
            .map(|(name, value)| (name.to_owned(), decoded(value)))
            .collect();
        let value = |name: &str| params.iter().find(|(each, _)| each == name).map(|(_, value)| value.as_str());
        assert_eq!((value("cusorderid"), value("trxamt"), value("reqsn")), (Some("N1"), Some("350"), None));
        assert!(till.holds(&params, value("sign").unwrap()), "{body}");
    }
    assert_eq!(receiver.next().await, None);
}

fn decoded(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    while let [first, after @ ..] = rest {
        if *first == b'%' {
            bytes.push(u8::from_str_radix(std::str::from_utf8(&after[..2]).unwrap(), 16).unwrap());
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap()
}
