//! Every `code`, `respCode` and `result` against every kind of request, written down a second time here.

use serde_json::{Value, json};

use super::*;
use crate::channel::outcome::{CodeAnswer, DoubtKind, DutyOutcome, Outcome, RefundOutcome, Reversal, Waiting, Why};

/// Rows: `respCode`, `result` (`-` for none). Columns: what a shown code, a taken code, a question about either, an undoing,
/// a refund, a question about it, and a confirmation are told.
pub(super) const TABLE: &str = "
code  result | show    take       ask-shown  ask-taken  undo     refund    ask-refund  confirm
00000 -      | ready   malformed  malformed  malformed  again    not-moved malformed   again
00000 0      | ready   confirming no-trade   confirming again    not-moved not-moved   again
00000 1      | ask     paid       paid       paid       ask      done      done        done
00000 2      | refused not-paid   not-paid   not-paid   closed   failed    failed      refused
66666 -      | ready   confirming no-trade   confirming again    not-moved not-moved   again
66666 0      | ready   confirming no-trade   confirming again    not-moved not-moved   again
66666 1      | doubt   doubt      doubt      doubt      doubt    doubt     doubt       doubt
66666 2      | doubt   doubt      doubt      doubt      doubt    doubt     doubt       doubt
00000 3      | doubt   doubt      doubt      doubt      doubt    doubt     doubt       doubt
00000 S      | doubt   doubt      doubt      doubt      doubt    doubt     doubt       doubt
99999 -      | doubt   doubt      doubt      doubt      doubt    doubt     doubt       doubt
99999 0      | doubt   doubt      doubt      doubt      doubt    doubt     doubt       doubt
99999 1      | doubt   doubt      doubt      doubt      doubt    doubt     doubt       doubt
99999 2      | doubt   doubt      doubt      doubt      doubt    doubt     doubt       doubt
0000  1      | doubt   doubt      doubt      doubt      doubt    doubt     doubt       doubt
-     1      | malformed malformed malformed malformed  malformed malformed malformed  malformed
-     2      | malformed malformed malformed malformed  malformed malformed malformed  malformed
20404 -      | doubt   doubt      no-trade   no-trade   no-trade refused   absent      again
20409 -      | ask     doubt      doubt      doubt      doubt    not-moved doubt       again
20402 -      | doubt   doubt      doubt      doubt      doubt    short     doubt       refused
";

pub(super) fn columns() -> [Request; 8] {
    [
        show(),
        take(),
        Request::Query(shown()),
        Request::Query(taken()),
        Request::Cancel(taken()),
        Request::Refund(refund()),
        Request::RefundQuery(refund()),
        confirm(),
    ]
}

fn word(answer: &Answer) -> &'static str {
    match answer.doubt().map(|doubt| doubt.kind) {
        None => word_of_known(answer),
        Some(DoubtKind::Unlisted) => "doubt",
        Some(DoubtKind::Malformed) => "malformed",
        Some(other) => panic!("{other:?}: {answer:?}"),
    }
}

fn word_of_known(answer: &Answer) -> &'static str {
    match answer {
        Answer::Code(code) => match code {
            CodeAnswer::Ready(_) => "ready",
            CodeAnswer::Refused(refusal) => {
                assert_eq!(refusal.why, Why::NewNumber);
                "refused"
            }
            CodeAnswer::Ask { .. } => "ask",
            CodeAnswer::Unknown(_) => "unknown",
        },
        Answer::Payment(outcome) => match outcome {
            Outcome::Paid(_) => "paid",
            Outcome::NotPaid(refusal) => {
                assert!([Why::Buyer, Why::Closed].contains(&refusal.why));
                "not-paid"
            }
            Outcome::Pending(Waiting::Confirming) => "confirming",
            Outcome::Pending(Waiting::NoTrade) => "no-trade",
            Outcome::Unknown(_) => "unknown",
        },
        Answer::Reversal(reversal) => match reversal {
            Reversal::Closed => "closed",
            Reversal::Refunded => "refunded",
            Reversal::NoTrade => "no-trade",
            Reversal::Again => "again",
            Reversal::Ask { .. } => "ask",
            Reversal::Unknown(_) => "unknown",
        },
        Answer::Refund(outcome) => match outcome {
            RefundOutcome::Done => "done",
            RefundOutcome::NotMoved => "not-moved",
            RefundOutcome::Absent => "absent",
            RefundOutcome::ShortOfFunds => "short",
            RefundOutcome::Refused { .. } => "refused",
            RefundOutcome::Failed { .. } => "failed",
            RefundOutcome::Unknown(_) => "unknown",
        },
        Answer::Duty(outcome) => match outcome {
            DutyOutcome::Done => "done",
            DutyOutcome::Again => "again",
            DutyOutcome::Refused { .. } => "refused",
            DutyOutcome::Unknown(_) => "unknown",
        },
        Answer::Reachable(_) => "reachable",
    }
}

/// Whatever could be in an answer, so that only its codes decide.
pub(super) fn fields(request: &Request, code: &str, result: &str) -> Value {
    let amount = if matches!(request, Request::Refund(_) | Request::RefundQuery(_)) { 100 } else { 350 };
    let all = json!({
        "reqTraceNum": number(request), "respTraceNum": TRADE_NO, "orderAmount": amount, "payAmount": amount,
        "chnlFrontParamInfo": r#"{"chnlPayInfo":"https://syb.allinpay.com/x"}"#, "respMsg": "业务",
    });
    let told = |text: &str| if text == "-" { Value::Null } else { json!(text) };
    with(with(all, "respCode", told(code)), "result", told(result))
}

#[test]
fn every_answer_has_its_meaning_and_no_other() {
    let (taught, mut checked) = (taught(), 0);
    for line in TABLE.lines().skip(2) {
        let cells: Vec<&str> = line.split_whitespace().filter(|cell| *cell != "|").collect();
        let [code, result, expected @ ..] = cells.as_slice() else { panic!("{line}") };
        for (request, expected) in columns().iter().zip(expected) {
            let answer = understood(&taught, request, "00000", &fields(request, code, result));
            assert_eq!(word(&answer), *expected, "{code} {result} to {request:?}: {answer:?}");
            checked += 1;
        }
    }
    assert_eq!(checked, 20 * 8);
}

/// The outer layer decides first: whatever stands inside says nothing when the call was not understood.
#[test]
fn another_code_is_a_doubt_to_everything() {
    let taught = taught();
    for code in ["0000", "000000", "00001", "66666", "99999", "FAIL"] {
        for request in every_request() {
            for result in ["-", "0", "1", "2"] {
                let answer = understood(&taught, &request, code, &fields(&request, "00000", result));
                assert_eq!(kind(&answer), Some(DoubtKind::Unlisted), "{code} {result} to {request:?}");
            }
        }
    }
}

/// The settings of a new installation name no codes: then every unlisted one is a doubt.
#[test]
fn an_untaught_channel_never_says_that_nothing_was_paid() {
    for code in ["20404", "20409", "20402", "40000", "00001", "0", "ERR"] {
        for request in every_request() {
            for result in ["-", "0", "1", "2"] {
                let answer = answer(&request, &fields(&request, code, result));
                assert_eq!(kind(&answer), Some(DoubtKind::Unlisted), "{code} {result} to {request:?}");
            }
        }
    }
}
