//! What answers mean for the money.

use serde_json::{Value, json};

use super::{NOON, answer, answer_of, kind, members, refund, sealed, show, shown, take, trade, vsp, with};
use crate::channel::outcome::{
    CodeAnswer, Details, DoubtKind, Outcome, Receipt, RefundOutcome, Refusal, Reversal, Waiting, Why,
};
use crate::channel::{Answer, Request, Trade, Wallet};
use crate::money::Fen;
use crate::time::Wall;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

fn query() -> Request {
    Request::Query(trade())
}

fn paid(request: &Request, changed: &Value) -> Answer {
    answer(request, &with(members(request, "0000"), changed))
}

fn receipt(request: &Request, changed: &Value) -> Receipt {
    let found = paid(request, changed);
    let Answer::Payment(Outcome::Paid(receipt)) = found else {
        panic!("{found:?}");
    };
    receipt
}

fn not_paid(code: &str) -> Answer {
    Answer::Payment(Outcome::NotPaid(Refusal { code: code.into(), why: Why::Closed }))
}

#[test]
fn a_code_is_drawn_exactly_as_it_came_and_is_not_paid() {
    let text = "https://syb.allinpay.com/apiweb/h5unionpay/unionnative?token=t1";
    assert_eq!(paid(&show(), &json!({})), Answer::Code(CodeAnswer::Ready(text.into())));
    assert_eq!(kind(&paid(&show(), &json!({ "payinfo": "" }))), Some(DoubtKind::Malformed));
    assert_eq!(kind(&paid(&show(), &json!({ "reqsn": null }))), Some(DoubtKind::Malformed));
}

#[test]
fn a_receipt_holds_all_numbers_and_no_whole_account() {
    for request in [take(), query(), Request::Query(shown())] {
        let wanted = Receipt {
            trade_no: "260529110000000001".into(),
            amount: Fen::new(350),
            paid_at: Some("20250601120003".into()),
            buyer: None,
            details: Details {
                wallet: Some(Wallet::Wechat),
                wallet_no: Some("4200001234202605290123456790".into()),
                ..Details::default()
            },
        };
        assert_eq!(receipt(&request, &json!({ "trxcode": "VSP501" })), wanted);
        let masked = receipt(&request, &json!({ "acct": "138****8000" }));
        assert_eq!(masked.buyer.as_deref(), Some("138****8000"));
    }
}

#[test]
fn the_wallet_is_told_by_the_kind_of_trade() {
    for (code, wallet) in [
        ("VSP501", Some(Wallet::Wechat)),
        ("VSP511", Some(Wallet::Alipay)),
        ("VSP551", Some(Wallet::UnionPay)),
        ("VSP611", Some(Wallet::Ecny)),
        ("VSP541", None),
        ("VSP999", None),
        ("", None),
    ] {
        assert_eq!(receipt(&query(), &json!({ "trxcode": code })).details.wallet, wallet, "{code}");
    }
}

#[test]
fn amounts_come_as_number_or_text_and_must_be_ours() {
    for changed in [
        json!({ "trxamt": 350 }),
        json!({ "trxamt": "350", "initamt": 350 }),
        json!({ "trxamt": null, "initamt": "350" }),
        json!({ "trxamt": "", "initamt": "350" }),
        json!({ "trxamt": "000350" }),
    ] {
        let receipt = receipt(&take(), &changed);
        assert_eq!((receipt.amount, receipt.details.buyer_paid), (Fen::new(350), None), "{changed}");
    }
    for changed in [
        json!({ "trxamt": 349 }),
        json!({ "trxamt": "35000" }),
        json!({ "trxamt": "0" }),
        json!({ "trxamt": "350", "initamt": "400" }),
        json!({ "trxamt": "300", "initamt": "400" }),
        json!({ "trxamt": "400", "initamt": "350" }),
        json!({ "trxamt": "0", "initamt": "350" }),
    ] {
        for request in [take(), query(), Request::Query(shown())] {
            assert_eq!(kind(&paid(&request, &changed)), Some(DoubtKind::WrongOrder), "{changed}");
        }
    }
    for amount in [
        json!("3.50"),
        json!(3.5),
        json!("-350"),
        json!("+350"),
        json!(" 350"),
        json!("3e2"),
        json!(true),
        json!([350]),
        json!("99999999999999999999"),
        Value::Null,
    ] {
        let changed = json!({ "trxamt": amount });
        assert_eq!(kind(&paid(&take(), &changed)), Some(DoubtKind::Malformed), "{changed}");
    }
}

/// The order's sum was asked and stands; a coupon of the wallet's paid a part of it.
#[test]
fn a_coupon_makes_the_buyer_pay_less_and_the_order_is_paid() {
    for request in [take(), query(), Request::Query(shown())] {
        for changed in [json!({ "trxamt": "300", "initamt": "350" }), json!({ "trxamt": 1, "initamt": 350 })] {
            let receipt = receipt(&request, &changed);
            let charged = Fen::new(if changed["trxamt"] == 1 { 1 } else { 300 });
            assert_eq!((receipt.amount, receipt.details.buyer_paid), (Fen::new(350), Some(charged)), "{changed}");
        }
    }
}

#[test]
fn an_answer_about_anything_else_is_a_doubt() {
    for request in [take(), query(), show(), Request::Cancel(trade()), Request::Refund(refund())] {
        for status in ["0000", "3999", "1001", "2000"] {
            for (name, other) in
                [("reqsn", "P0000000000000000000000000"), ("cusid", "990000000000002"), ("appid", "00000002")]
            {
                let told = with(members(&request, status), &json!({ name: other }));
                assert_eq!(kind(&answer(&request, &told)), Some(DoubtKind::WrongOrder), "{name} {status}");
            }
        }
    }
}

#[test]
fn what_is_final_must_name_all_three() {
    for (request, status) in [
        (take(), "0000"),
        (take(), "3999"),
        (query(), "0000"),
        (query(), "3050"),
        (Request::Cancel(trade()), "0000"),
        (Request::Refund(refund()), "0000"),
        (Request::RefundQuery(refund()), "3999"),
    ] {
        for name in ["reqsn", "cusid", "appid"] {
            let told = with(members(&request, status), &json!({ name: null }));
            assert_eq!(kind(&answer(&request, &told)), Some(DoubtKind::Malformed), "{name} {status}");
        }
    }
    assert_eq!(kind(&paid(&take(), &json!({ "trxid": "" }))), Some(DoubtKind::Malformed));
}

#[test]
fn a_payment_that_was_given_back_is_closed() {
    for code in ["VSP502", "VSP503", "VSP512", "VSP513", "VSP552", "VSP553", "VSP612", "VSP613", "CMN001"] {
        assert_eq!(paid(&query(), &json!({ "trxcode": code })), not_paid("returned"), "{code}");
        assert_eq!(kind(&paid(&take(), &json!({ "trxcode": code }))), Some(DoubtKind::WrongOrder), "{code}");
    }
    // A part of it is not all of it.
    let part = paid(&query(), &json!({ "trxcode": "VSP503", "trxamt": "100" }));
    assert_eq!(kind(&part), Some(DoubtKind::WrongOrder));
    // Nor can it be told from a coupon, where a cancel is always over all.
    let coupon = |code: &str| paid(&query(), &json!({ "trxcode": code, "trxamt": "300", "initamt": "350" }));
    assert_eq!(kind(&coupon("VSP503")), Some(DoubtKind::WrongOrder));
    assert_eq!(coupon("VSP502"), not_paid("returned"));
    assert_eq!(paid(&query(), &json!({ "trxCode": "VSP503" })), not_paid("returned"));
}

#[test]
fn what_was_paid_once_never_becomes_a_failure() {
    let known = Request::Query(Trade { trade_no: Some("260529110000000001".into()), ..trade() });
    for status in ["3008", "3014", "3031", "3045", "3088", "3089", "3099", "3889", "3999"] {
        assert_eq!(kind(&answer(&known, &members(&known, status))), Some(DoubtKind::WrongOrder), "{status}");
    }
    for status in ["3050", "3029"] {
        assert_eq!(answer(&known, &members(&known, status)), not_paid(status));
    }
}

/// Allinpay promises to send back what moved: a pay code's trade is not paid when the time of the promise is over.
#[test]
fn what_may_still_move_is_a_doubt_until_its_time_is_over() {
    let later = |status: &str, ms: i64, trusted| {
        let wall = Wall { ms: NOON.ms + ms, trusted };
        answer_of(&vsp(), &query(), wall, &sealed(&members(&query(), status)))
    };
    for (status, settles) in [("3088", 5 * MINUTE_MS), ("3089", DAY_MS)] {
        assert_eq!(kind(&later(status, settles - 1, true)), Some(DoubtKind::ChannelTrouble));
        assert_eq!(later(status, settles, true), not_paid(status));
        assert_eq!(kind(&later(status, settles, false)), Some(DoubtKind::ChannelTrouble), "the clock is not trusted");
        assert_eq!(kind(&later(status, -settles, true)), Some(DoubtKind::ChannelTrouble));
    }
}

/// One buyer's failure does not kill a code on the screen: the engine watches it until its time is over.
#[test]
fn a_shown_code_that_one_buyer_failed_to_pay_stays_payable() {
    let request = Request::Query(shown());
    for status in ["3008", "3031", "3045", "3088", "3999"] {
        assert_eq!(answer(&request, &members(&request, status)), Answer::Payment(Outcome::Pending(Waiting::NoTrade)));
    }
}

/// The buyer confirms late and the bank hangs: VSP does not close it, says 2000 until it is decided, and then that it is paid.
#[test]
fn a_code_that_is_being_closed_is_not_given_up_while_it_may_be_being_paid() {
    let (vsp, query, close) = (vsp(), Request::Query(shown()), Request::Close(shown()));
    let said = |request: &Request, status: &str| answer_of(&vsp, request, NOON, &sealed(&members(request, status)));
    for status in ["2000", "2008"] {
        assert_eq!(said(&query, status), Answer::Payment(Outcome::Pending(Waiting::NoTrade)), "it is on the screen");
    }
    let _sent = vsp.encode(&close, NOON, [9; 32]);
    assert_eq!(said(&close, "2000"), Answer::Reversal(Reversal::Ask { code: "2000".into() }));
    for status in ["2000", "2008"] {
        assert_eq!(said(&query, status), Answer::Payment(Outcome::Pending(Waiting::Confirming)));
    }
    assert!(matches!(said(&query, "0000"), Answer::Payment(Outcome::Paid(_))));
    // What proves that nothing was paid still does.
    assert_eq!(said(&query, "1001"), Answer::Payment(Outcome::Pending(Waiting::NoTrade)));
    assert_eq!(said(&query, "3050"), not_paid("3050"));
}

#[test]
fn a_refund_is_done_only_for_its_own_sum() {
    for request in [Request::Refund(refund()), Request::RefundQuery(refund())] {
        for changed in [json!({}), json!({ "trxamt": 100 }), json!({ "trxamt": null, "initamt": "350" })] {
            assert_eq!(paid(&request, &changed), Answer::Refund(RefundOutcome::Done), "{changed}");
        }
        assert_eq!(kind(&paid(&request, &json!({ "trxamt": "101" }))), Some(DoubtKind::WrongOrder));
        assert_eq!(kind(&paid(&request, &json!({ "trxamt": "1.00" }))), Some(DoubtKind::Malformed));
    }
}

#[test]
fn doubts_and_codes_hold_no_pay_code() {
    let told = with(members(&take(), "7777"), &json!({ "errmsg": "付款码 130061098828009406 无效" }));
    let printed = format!("{:?}", answer(&take(), &told));
    assert!(printed.contains("7777") && !printed.contains("130061098828009406"), "{printed}");
}

#[test]
fn a_doubt_names_what_went_wrong() {
    let told =
        |changed: &Value| answer(&take(), &with(members(&take(), "0000"), changed)).doubt().unwrap().detail.clone();
    assert_eq!(told(&json!({ "retcode": "SYSTEMERR" })), "SYSTEMERR (交易)");
    assert_eq!(told(&json!({ "trxstatus": "3123", "errmsg": "" })), "3123");
    assert_eq!(told(&json!({ "trxstatus": null, "errmsg": null, "retmsg": "?" })), "no trxstatus: no code (?)");
}
