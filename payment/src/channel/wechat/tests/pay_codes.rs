//! What v2 replies mean.

use super::*;
use crate::channel::Wallet;
use crate::channel::outcome::{Discount, DiscountBy, Outcome, Refusal, Reversal, Waiting, Why};

const PAID: [(&str, &str); 9] = [
    ("result_code", "SUCCESS"),
    ("openid", OPENID),
    ("trade_type", "MICROPAY"),
    ("total_fee", "350"),
    ("cash_fee", "300"),
    ("coupon_fee", "50"),
    ("transaction_id", TRADE_NO),
    ("out_trade_no", "$NO"),
    ("time_end", "20260529042638"),
];

fn changed(name: &str, value: &str) -> HttpReply {
    v2(&PAID.map(|(known, old)| (known, if known == name { value } else { old })))
}

fn in_state(state: &str) -> HttpReply {
    let mut fields = PAID.to_vec();
    fields.push(("trade_state", state));
    v2(&fields)
}

#[test]
fn a_paid_code_is_paid() {
    let Answer::Payment(Outcome::Paid(receipt)) = decoded(&take(), &v2(&PAID)) else {
        panic!("it was paid");
    };
    assert_eq!((receipt.trade_no.as_str(), receipt.amount), (TRADE_NO, Fen::new(350)));
    assert_eq!((receipt.buyer.as_deref(), receipt.paid_at.as_deref()), (Some(OPENID), Some("20260529042638")));
    assert_eq!((receipt.details.wallet, receipt.details.buyer_paid), (Some(Wallet::Wechat), Some(Fen::new(300))));
    let coupon = Discount { name: "代金券".into(), amount: Fen::new(50), by: DiscountBy::Unsaid };
    assert_eq!(receipt.details.discounts, [coupon]);
}

#[test]
fn every_state_of_a_pay_code_has_its_meaning() {
    let query = Request::Query(taken());
    for state in ["SUCCESS", "REFUND"] {
        assert!(matches!(decoded(&query, &in_state(state)), Answer::Payment(Outcome::Paid(_))), "{state}");
    }
    for state in ["NOTPAY", "USERPAYING", "ACCEPT"] {
        let confirming = Answer::Payment(Outcome::Pending(Waiting::Confirming));
        assert_eq!(decoded(&query, &in_state(state)), confirming, "{state}");
    }
    for (state, why) in [("CLOSED", Why::Closed), ("REVOKED", Why::Closed), ("PAYERROR", Why::Buyer)] {
        let not_paid = Outcome::NotPaid(Refusal { code: state.into(), why });
        assert_eq!(decoded(&query, &in_state(state)), Answer::Payment(not_paid), "{state}");
    }
    assert_eq!(kind(&decoded(&query, &in_state("NEW"))), Some(DoubtKind::Unlisted));
    assert_eq!(kind(&decoded(&query, &v2(&PAID))), Some(DoubtKind::Malformed), "no state at all");
}

#[test]
fn an_unpaid_order_has_no_money_in_its_answer() {
    let reply = v2(&[("result_code", "SUCCESS"), ("trade_state", "USERPAYING"), ("out_trade_no", "$NO")]);
    assert_eq!(decoded(&Request::Query(taken()), &reply), Answer::Payment(Outcome::Pending(Waiting::Confirming)));
}

#[test]
fn a_message_about_something_else_proves_nothing() {
    for (name, value, expected) in [
        ("total_fee", "349", DoubtKind::WrongOrder),
        ("total_fee", "", DoubtKind::Malformed),
        ("total_fee", "3.50", DoubtKind::Malformed),
        ("total_fee", "-350", DoubtKind::Malformed),
        ("total_fee", "99999999999999999999", DoubtKind::Malformed),
        ("out_trade_no", "P0", DoubtKind::WrongOrder),
        ("out_trade_no", "", DoubtKind::Malformed),
        ("transaction_id", "", DoubtKind::Malformed),
        ("result_code", "", DoubtKind::Malformed),
        ("result_code", "OK", DoubtKind::Malformed),
    ] {
        assert_eq!(kind(&decoded(&take(), &changed(name, value))), Some(expected), "{name} {value:?}");
    }
    let other = Config { appid: "wx0000000000000002".into(), ..config() };
    assert_eq!(kind(&decoded_by(other, &take(), &v2(&PAID))), Some(DoubtKind::WrongOrder));
    let other = Config { mchid: "1900000002".into(), ..config() };
    assert_eq!(kind(&decoded_by(other, &take(), &v2(&PAID))), Some(DoubtKind::WrongOrder));
    let mut dollars = PAID.to_vec();
    dollars.push(("fee_type", "USD"));
    assert_eq!(kind(&decoded(&take(), &v2(&dollars))), Some(DoubtKind::WrongOrder));
}

#[test]
fn an_unsigned_or_wrongly_signed_message_is_a_doubt() {
    let paid = String::from_utf8(v2(&PAID).body).unwrap();
    let (head, tail) = paid.split_once("<sign>").unwrap();
    let without = format!("{head}{}", tail.split_once("</sign>").unwrap().1);
    for body in
        [without, paid.replace("350", "351"), paid.replace("nonce]]", "other]]"), format!("{head}<sign/></xml>")]
    {
        assert_eq!(kind(&decoded(&take(), &unsigned(200, &body))), Some(DoubtKind::BadSignature), "{body}");
    }
    let other = Config { v2_key: Some(Secret::new("X".repeat(32))), ..config() };
    assert_eq!(kind(&decoded_by(other, &take(), &v2(&PAID))), Some(DoubtKind::BadSignature));
}

#[test]
fn return_code_fail_is_a_doubt_whatever_it_says() {
    for words in ["签名错误", "SYSTEM ERROR", "AUTH_CODE_INVALID", ""] {
        let body = format!(
            "<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[{words}]]></return_msg>\
             <err_code>AUTH_CODE_INVALID</err_code></xml>"
        );
        for request in [take(), Request::Query(taken()), Request::Cancel(taken())] {
            let answer = decoded(&request, &unsigned(200, &body));
            assert_eq!(kind(&answer), Some(DoubtKind::ChannelTrouble), "{words} {request:?}");
        }
    }
}

#[test]
fn a_reversal_ends_when_it_need_not_be_called_again() {
    let reverse = Request::Cancel(taken());
    for (fields, expected) in [
        (vec![("result_code", "SUCCESS"), ("recall", "N")], Reversal::Closed),
        (vec![("result_code", "SUCCESS")], Reversal::Closed),
        (vec![("result_code", "SUCCESS"), ("recall", "Y")], Reversal::Again),
        (vec![("result_code", "FAIL"), ("err_code", "SYSTEMERROR"), ("recall", "Y")], Reversal::Again),
        (vec![("result_code", "FAIL"), ("err_code", "A_NEW_ONE"), ("recall", "Y")], Reversal::Again),
        (
            vec![("result_code", "FAIL"), ("err_code", "REVERSE_EXPIRE"), ("recall", "N")],
            Reversal::Ask { code: "REVERSE_EXPIRE".into() },
        ),
    ] {
        assert_eq!(decoded(&reverse, &v2(&fields)), Answer::Reversal(expected), "{fields:?}");
    }
    let odd = v2(&[("result_code", "SUCCESS"), ("recall", "MAYBE")]);
    assert_eq!(kind(&decoded(&reverse, &odd)), Some(DoubtKind::Unlisted));
}

#[test]
fn other_statuses_than_200_say_nothing() {
    for status in [202, 400, 404, 429, 500, 502] {
        let reply = HttpReply { status, ..v2(&PAID) };
        assert_eq!(kind(&decoded(&take(), &reply)), Some(DoubtKind::ChannelTrouble), "{status}");
    }
}

#[test]
fn an_echoed_pay_code_is_outlined() {
    let echo = v2(&[("result_code", "FAIL"), ("err_code", "NEW"), ("err_code_des", "130061098828009406 is dead")]);
    let answer = decoded(&take(), &echo);
    assert!(!format!("{answer:?}").contains("130061098828009406"), "{answer:?}");
}

#[test]
fn a_service_provider_gets_the_sub_merchants_payments_only() {
    let with_sub = |sub: &'static str| {
        let mut fields = PAID.to_vec();
        fields.extend([("sub_mch_id", sub), ("sub_appid", "wx0000000000000109"), ("sub_openid", "oSub")]);
        v2(&fields)
    };
    let Answer::Payment(Outcome::Paid(receipt)) = decoded_by(partner(config()), &take(), &with_sub("1900000109"))
    else {
        panic!("it was paid");
    };
    assert_eq!(receipt.buyer.as_deref(), Some("oSub"));
    let foreign = decoded_by(partner(config()), &take(), &with_sub("1900000110"));
    assert_eq!(kind(&foreign), Some(DoubtKind::WrongOrder));
    let of_a_sub_merchant = decoded(&take(), &with_sub("1900000109"));
    assert_eq!(kind(&of_a_sub_merchant), Some(DoubtKind::WrongOrder), "we are a direct merchant");
}
