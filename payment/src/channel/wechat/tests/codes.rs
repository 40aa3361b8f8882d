//! The table of codes, written a second time from the documents.

use super::*;
use crate::channel::outcome::{CodeAnswer, Outcome, RefundOutcome, Reversal, Waiting, Why};
use crate::channel::wechat::codes::{Class, TABLE, class};
use crate::channel::wechat::wire::Operation;

/// Interfaces, meaning, codes.
const DOCUMENTED: &str = "
every trouble FREQUENCY_LIMITED RATELIMIT_EXCEEDED SERVICE_UNAVAILABLE
native trouble SYSTEM_ERROR BANK_ERROR
native ask OUT_TRADE_NO_USED ORDER_PAID
native number ORDER_CLOSED
native buyer RULE_LIMIT ACCOUNT_ERROR TRADE_ERROR
native setup PARAM_ERROR INVALID_REQUEST APPID_MCHID_NOT_MATCH MCH_NOT_EXISTS SIGN_ERROR NO_AUTH
pay trouble SYSTEMERROR BANKERROR
pay paying USERPAYING
pay ask ORDERPAID OUT_TRADE_NO_USED BUYER_MISMATCH
pay refresh AUTHCODEEXPIRE AUTH_CODE_ERROR AUTH_CODE_INVALID
pay buyer NOTENOUGH NOTSUPORTCARD TRADE_ERROR RULELIMIT RISK
pay number ORDERCLOSED ORDERREVERSED
pay setup NOAUTH APPID_NOT_EXIST MCHID_NOT_EXIST APPID_MCHID_NOT_MATCH PARAM_ERROR LACK_PARAMS SIGNERROR XML_FORMAT_ERROR
pay setup REQUIRE_POST_METHOD NOT_UTF8 POST_DATA_EMPTY INVALID_REQUEST
query no-trade ORDER_NOT_EXIST
query trouble SYSTEM_ERROR PARAM_ERROR INVALID_REQUEST MCH_NOT_EXISTS SIGN_ERROR RULE_LIMIT TRADE_ERROR
close ask ORDER_PAID ORDER_CLOSED
close again USER_PAYING
close no-trade ORDER_NOT_EXIST
close trouble SYSTEM_ERROR PARAM_ERROR INVALID_REQUEST SIGN_ERROR
reverse again SYSTEMERROR USERPAYING
reverse no-trade ORDERNOTEXIST
reverse ask REVERSE_EXPIRE TRADE_ERROR ORDERCLOSED ORDERREVERSED
reverse trouble INVALID_TRANSACTIONID PARAM_ERROR INVALID_REQUEST SIGNERROR REQUIRE_POST_METHOD
refund trouble SYSTEM_ERROR SIGN_ERROR
refund absent RESOURCE_NOT_EXISTS
refund short NOT_ENOUGH
refund rejected USER_ACCOUNT_ABNORMAL INVALID_REQUEST PARAM_ERROR NO_AUTH MCH_NOT_EXISTS TRADE_OVERDUE REFUND_FEE_MISMATCH
refund-query absent RESOURCE_NOT_EXISTS
refund-query trouble SYSTEM_ERROR SIGN_ERROR PARAM_ERROR INVALID_REQUEST MCH_NOT_EXISTS
";

const EVERY: [Operation; 10] = [
    Operation::Native,
    Operation::CodePay,
    Operation::Micropay,
    Operation::Query,
    Operation::V2Query,
    Operation::Close,
    Operation::Reverse,
    Operation::V2Reverse,
    Operation::Refund,
    Operation::RefundQuery,
];

fn operations(name: &str) -> &'static [Operation] {
    match name {
        "every" => &EVERY,
        "native" => &[Operation::Native],
        "pay" => &[Operation::Micropay, Operation::CodePay],
        "query" => &[Operation::Query, Operation::V2Query],
        "close" => &[Operation::Close],
        "reverse" => &[Operation::V2Reverse, Operation::Reverse],
        "refund" => &[Operation::Refund],
        "refund-query" => &[Operation::RefundQuery],
        other => panic!("no interface {other}"),
    }
}

fn meaning(name: &str) -> Class {
    match name {
        "trouble" => Class::Trouble,
        "paying" => Class::Paying,
        "ask" => Class::Ask,
        "number" => Class::Refused(Why::NewNumber),
        "buyer" => Class::Refused(Why::Buyer),
        "setup" => Class::Refused(Why::Setup),
        "refresh" => Class::Refused(Why::RefreshCode),
        "no-trade" => Class::NoTrade,
        "again" => Class::Again,
        "absent" => Class::Absent,
        "short" => Class::ShortOfFunds,
        "rejected" => Class::Rejected,
        other => panic!("no class {other}"),
    }
}

pub(super) fn documented() -> Vec<(&'static [Operation], Class, &'static str)> {
    let rows = DOCUMENTED.lines().filter(|line| !line.is_empty());
    rows.flat_map(|line| {
        let (on, rest) = line.split_once(' ').unwrap();
        let (class, codes) = rest.split_once(' ').unwrap();
        codes.split(' ').map(move |code| (operations(on), meaning(class), code))
    })
    .collect()
}

#[test]
fn every_documented_code_has_its_meaning_in_both_spellings() {
    for (on, expected, code) in documented() {
        for operation in on {
            for spelling in [code.to_owned(), code.replace('_', "")] {
                assert_eq!(class(*operation, &spelling), Some(expected), "{operation:?} {spelling}");
            }
        }
    }
}

#[test]
fn the_table_holds_the_documented_codes_and_no_others() {
    let written = documented();
    assert_eq!(TABLE.len(), written.len());
    for (on, code, _) in TABLE {
        let found = written.iter().any(|(operations, _, known)| operations == on && known == code);
        assert!(found, "{on:?} {code} is not documented");
    }
}

#[test]
fn an_unlisted_code_has_no_meaning() {
    for operation in EVERY {
        for code in ["", "_", "A_NEW_ONE", "system_error", "SystemError", "SYSTEM ERROR", "*"] {
            assert_eq!(class(operation, code), None, "{operation:?} {code:?}");
        }
    }
    assert_eq!(class(Operation::Query, "ORDER_PAID"), None);
    assert_eq!(class(Operation::Delivery, "SYSTEM_ERROR"), None);
}

/// What a signed failure becomes, in one word.
fn word(answer: &Answer) -> String {
    match answer {
        Answer::Code(CodeAnswer::Refused(refusal)) => format!("refused {:?}", refusal.why),
        Answer::Code(CodeAnswer::Ask { .. }) | Answer::Reversal(Reversal::Ask { .. }) => "ask".into(),
        Answer::Payment(Outcome::NotPaid(refusal)) => format!("refused {:?}", refusal.why),
        Answer::Payment(Outcome::Pending(Waiting::NoTrade)) | Answer::Reversal(Reversal::NoTrade) => "no-trade".into(),
        Answer::Payment(Outcome::Pending(Waiting::Confirming)) => "paying".into(),
        Answer::Reversal(Reversal::Again) => "again".into(),
        Answer::Refund(RefundOutcome::Absent) => "absent".into(),
        Answer::Refund(RefundOutcome::ShortOfFunds) => "short".into(),
        Answer::Refund(RefundOutcome::Refused { .. }) => "rejected".into(),
        Answer::Reachable(reached) => reached.to_string(),
        Answer::Code(_) | Answer::Payment(_) | Answer::Reversal(_) | Answer::Refund(_) | Answer::Duty(_) => {
            format!("{:?}", kind(answer))
        }
    }
}

fn expected(request: &Request, class: Option<Class>) -> String {
    let word = match class {
        None => return format!("{:?}", Some(DoubtKind::Unlisted)),
        Some(Class::Trouble) => return format!("{:?}", Some(DoubtKind::ChannelTrouble)),
        // The number of a pay code may be paid: a question follows.
        Some(Class::Ask) if matches!(request, Request::TakeCode(..)) => {
            return format!("{:?}", Some(DoubtKind::ChannelTrouble));
        }
        Some(Class::Paying) => "paying",
        Some(Class::Refused(why)) => return format!("refused {why:?}"),
        Some(Class::Ask) => "ask",
        Some(Class::NoTrade) => "no-trade",
        Some(Class::Again) => "again",
        Some(Class::Absent) => "absent",
        Some(Class::ShortOfFunds) => "short",
        Some(Class::Rejected) => "rejected",
    };
    word.into()
}

/// Every code of every list, at every kind of request: what is in no list of that interface is a doubt.
#[test]
fn every_code_at_every_request_is_what_the_table_says() {
    let mut codes: Vec<&str> = documented().iter().map(|(_, _, code)| *code).collect();
    codes.push("A_NEW_ONE");
    for (config, is_v2) in [(config(), true), (v3_config(), false)] {
        let channel = wechat(config);
        for request in every_request() {
            if matches!(request, Request::Duty(_) | Request::Probe) {
                continue;
            }
            let operation = Operation::of(channel.config(), &request);
            for code in &codes {
                let reply = if is_v2 && operation.is_v2() { v2_failure(code) } else { signed(400, &failure(code)) };
                let Decoded::Answer(answer) = channel.decode(&request, NOW, &reply) else {
                    panic!("{request:?} {code}");
                };
                assert_eq!(word(&answer), expected(&request, class(operation, code)), "{request:?} {code}");
            }
        }
    }
}

/// Only a list says "not paid", and of a pay code only a signed one.
#[test]
fn an_unsigned_failure_never_says_that_a_pay_code_took_nothing() {
    for (_, _, code) in documented() {
        for status in [400, 401, 403, 404] {
            let answer = decoded_by(v3_config(), &take(), &unsigned(status, &failure(code)));
            assert!(!matches!(answer, Answer::Payment(Outcome::NotPaid(_))), "{status} {code}");
        }
    }
    let dead = unsigned(400, &failure("AUTH_CODE_ERROR"));
    assert_eq!(kind(&decoded_by(v3_config(), &take(), &dead)), Some(DoubtKind::BadSignature));
}

#[test]
fn an_unsigned_failure_ends_an_order_that_nobody_saw() {
    let answer = decoded(&show(), &unsigned(403, &failure("NO_AUTH")));
    assert_eq!(word(&answer), "refused Setup");
    let answer = decoded(&show(), &unsigned(403, &failure("OUTTRADENOUSED")));
    assert_eq!(answer, Answer::Code(CodeAnswer::Ask { code: "OUTTRADENOUSED".into() }));
}

#[test]
fn an_unknown_order_and_an_unknown_refund_are_not_final() {
    for (request, code, expected) in [
        (Request::Query(shown()), "ORDER_NOT_EXIST", "no-trade"),
        (Request::Close(shown()), "ORDER_NOT_EXIST", "no-trade"),
        (Request::Refund(refund()), "RESOURCE_NOT_EXISTS", "absent"),
        (Request::RefundQuery(refund()), "RESOURCE_NOT_EXISTS", "absent"),
        (Request::Refund(refund()), "NOT_ENOUGH", "short"),
    ] {
        assert_eq!(word(&decoded(&request, &unsigned(404, &failure(code)))), expected, "{request:?}");
    }
}

#[test]
fn a_failure_without_words_is_trouble() {
    for body in ["", "{}", "[]", "<html>", r#"{"code":7}"#] {
        for request in [show(), Request::Query(shown()), Request::Refund(refund())] {
            assert_eq!(kind(&decoded(&request, &unsigned(404, body))), Some(DoubtKind::ChannelTrouble), "{body}");
        }
    }
}
