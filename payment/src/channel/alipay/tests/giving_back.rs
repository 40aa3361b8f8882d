//! Replies to cancels, closes and refunds.

use super::{answer, failure, kind, refund, trade};
use crate::channel::outcome::{DoubtKind, RefundOutcome, Reversal};
use crate::channel::{Answer, Request};

#[test]
fn a_cancel_says_what_became_of_the_money() {
    let cancel = |rest: &str| {
        answer(&Request::Cancel(trade()), &format!(r#"{{"code":"10000","msg":"Success","out_trade_no":"$NO"{rest}}}"#))
    };
    for (rest, expected) in [
        (r#","retry_flag":"N","action":"close","trade_no":"1""#, Reversal::Closed),
        (r#","retry_flag":"N","action":"refund","trade_no":"1""#, Reversal::Refunded),
        (r#","retry_flag":"N""#, Reversal::NoTrade),
        ("", Reversal::NoTrade),
        (r#","retry_flag":"Y""#, Reversal::Again),
        (r#","retry_flag":"Y","action":"close""#, Reversal::Again),
    ] {
        assert_eq!(cancel(rest), Answer::Reversal(expected), "{rest}");
    }
    assert_eq!(kind(&cancel(r#","action":"freeze""#)), Some(DoubtKind::Unlisted));
}

#[test]
fn a_refused_reversal_is_sent_again_or_asked_about() {
    let ask = |code: &str| Reversal::Ask { code: code.into() };
    let reversal = |request: Request, code: &str| match answer(&request, &failure(code)) {
        Answer::Reversal(reversal) => reversal,
        other @ (Answer::Code(_) | Answer::Payment(_) | Answer::Refund(_) | Answer::Duty(_) | Answer::Reachable(_)) => {
            panic!("{other:?}")
        }
    };
    let cancel = |code: &str| reversal(Request::Cancel(trade()), code);
    for code in ["AQC.SYSTEM_ERROR", "ACQ.SYSTEM_ERROR"] {
        assert_eq!(cancel(code), Reversal::Again);
    }
    for code in ["ACQ.TRADE_CANCEL_TIME_OUT", "ACQ.TRADE_HAS_FINISHED", "ACQ.CANCEL_NOT_ALLOWED"] {
        assert_eq!(cancel(code), ask(code));
    }
    let close = |code: &str| reversal(Request::Close(trade()), code);
    assert_eq!(close("ACQ.TRADE_NOT_EXIST"), Reversal::NoTrade);
    assert_eq!(close("ACQ.TRADE_STATUS_ERROR"), ask("ACQ.TRADE_STATUS_ERROR"));
    assert_eq!(close("ACQ.SYSTEM_ERROR"), Reversal::Again);
    let flagged = failure("ACQ.TRADE_CANCEL_TIME_OUT").replacen('{', "{\"retry_flag\":\"Y\",", 1);
    assert_eq!(answer(&Request::Cancel(trade()), &flagged), Answer::Reversal(Reversal::Again));
    // Without funds no cancel helps, whatever the flag says: a refund must be seen to wait for them.
    for flag in ["N", "Y"] {
        let short = failure("ACQ.SELLER_BALANCE_NOT_ENOUGH");
        let short = short.replacen('{', &format!("{{\"retry_flag\":\"{flag}\","), 1);
        let asked = Answer::Reversal(ask("ACQ.SELLER_BALANCE_NOT_ENOUGH"));
        assert_eq!(answer(&Request::Cancel(trade()), &short), asked);
    }
}

#[test]
fn a_close_closes() {
    let content = r#"{"code":"10000","msg":"Success","out_trade_no":"$NO","trade_no":"1"}"#;
    assert_eq!(answer(&Request::Close(trade()), content), Answer::Reversal(Reversal::Closed));
}

#[test]
fn a_refund_is_done_only_when_money_moved() {
    let refund_answer = |content: &str| answer(&Request::Refund(refund()), content);
    let taken = |rest: &str| {
        let content = format!(r#"{{"code":"10000","msg":"Success","out_trade_no":"$NO","refund_fee":"3.50"{rest}}}"#);
        refund_answer(&content)
    };
    assert_eq!(taken(r#","fund_change":"Y""#), Answer::Refund(RefundOutcome::Done));
    assert_eq!(taken(r#","fund_change":"N""#), Answer::Refund(RefundOutcome::NotMoved));
    assert_eq!(taken(""), Answer::Refund(RefundOutcome::NotMoved));
    let failed = |code: &str| refund_answer(&failure(code));
    assert_eq!(failed("ACQ.SELLER_BALANCE_NOT_ENOUGH"), Answer::Refund(RefundOutcome::ShortOfFunds));
    assert_eq!(failed("ACQ.TRADE_HAS_CLOSE"), Answer::Refund(RefundOutcome::NotMoved));
    assert_eq!(kind(&failed("ACQ.SYSTEM_ERROR")), Some(DoubtKind::ChannelTrouble));
    let code = "ACQ.DISCORDANT_REPEAT_REQUEST".to_owned();
    assert_eq!(failed(&code), Answer::Refund(RefundOutcome::Refused { code }));
}

#[test]
fn a_refund_query_confirms_the_asked_amount_or_nothing() {
    let stands = |rest: &str| {
        let content = format!(r#"{{"code":"10000","msg":"Success"{rest}}}"#);
        answer(&Request::RefundQuery(refund()), &content)
    };
    let named = r#","out_trade_no":"$NO","out_request_no":"$RF""#;
    let with = |rest: &str| stands(&format!("{named}{rest}"));
    let done = Answer::Refund(RefundOutcome::Done);
    assert_eq!(with(r#","refund_amount":"1.00","refund_status":"REFUND_SUCCESS""#), done);
    assert_eq!(stands(""), Answer::Refund(RefundOutcome::Absent));
    assert_eq!(with(""), Answer::Refund(RefundOutcome::Absent));
    let other = with(r#","refund_amount":"0.99","refund_status":"REFUND_SUCCESS""#);
    assert_eq!(kind(&other), Some(DoubtKind::WrongOrder));
    assert_eq!(kind(&with(r#","refund_status":"REFUND_SUCCESS""#)), Some(DoubtKind::Malformed));
    assert_eq!(kind(&with(r#","refund_status":"RUNNING""#)), Some(DoubtKind::Unlisted));
    let wrong =
        r#","out_trade_no":"$NO","out_request_no":"R0","refund_amount":"1.00","refund_status":"REFUND_SUCCESS""#;
    assert_eq!(kind(&stands(wrong)), Some(DoubtKind::WrongOrder));
    let none = answer(&Request::RefundQuery(refund()), &failure("TRADE_NOT_EXIST"));
    assert_eq!(none, Answer::Refund(RefundOutcome::Absent));
}
