//! What is kept of a payment's coupons, amounts and instalments, and that nothing of it makes a payment unknown.

use super::{answer, take, trade};
use crate::channel::outcome::{Details, Discount, DiscountBy, Outcome};
use crate::channel::{Answer, Request};
use crate::money::Fen;

/// The details of a payment of 3.50 whose answer has these members more, both ways of learning of it.
fn details(members: &str) -> Details {
    let answered = |request: &Request, status: &str| {
        let content = format!(
            r#"{{"code":"10000","msg":"Success","out_trade_no":"$NO","trade_no":"2025060122001400001000000001",
               "total_amount":"3.50"{status}{members}}}"#
        );
        let found = answer(request, &content);
        let Answer::Payment(Outcome::Paid(receipt)) = found else { panic!("{content}: {found:?}") };
        receipt.details
    };
    let paid = answered(&take(), "");
    assert_eq!(answered(&Request::Query(trade()), r#","trade_status":"TRADE_SUCCESS""#), paid);
    paid
}

fn discount(name: &str, fen: i64, by: DiscountBy) -> Discount {
    Discount { name: name.to_owned(), amount: Fen::new(fen), by }
}

#[test]
fn amounts_are_told_where_they_differ_from_what_was_asked() {
    for (members, gets, pays) in [
        ("", None, None),
        (r#","receipt_amount":"3.50","buyer_pay_amount":"3.50""#, None, None),
        (r#","receipt_amount":"3.30","buyer_pay_amount":"3.10""#, Some(330), Some(310)),
        (r#","receipt_amount":3.30,"buyer_pay_amount":3.1"#, Some(330), Some(310)),
        // A coupon of Alipay's for all of it.
        (r#","receipt_amount":"3.50","buyer_pay_amount":"0.00""#, None, Some(0)),
        // Not told, as some answers write it.
        (r#","receipt_amount":"0.00","buyer_pay_amount":"0.00""#, None, None),
    ] {
        let told = details(members);
        assert_eq!((told.merchant_gets, told.buyer_paid), (gets.map(Fen::new), pays.map(Fen::new)), "{members}");
    }
}

#[test]
fn coupons_say_who_bears_them() {
    use DiscountBy::{Channel, Merchant, Unsaid};
    for (row, expected) in [
        (
            r#"{"name":"店庆","amount":"1.00","merchant_contribute":"1.00","other_contribute":"0.00"}"#,
            vec![discount("店庆", 100, Merchant)],
        ),
        (
            r#"{"name":"红包","amount":"1.00","merchant_contribute":"0.00","other_contribute":"1.00"}"#,
            vec![discount("红包", 100, Channel)],
        ),
        (
            r#"{"name":"共担","amount":"1.00","merchant_contribute":"0.40","other_contribute":"0.60"}"#,
            vec![discount("共担", 40, Merchant), discount("共担", 60, Channel)],
        ),
        (
            r#"{"name":"x","amount":"1.00","merchant_contribute":"0.40","other_contribute":"0.50"}"#,
            vec![discount("x", 100, Unsaid)],
        ),
        (r#"{"name":"x","amount":"1.00","merchant_contribute":"1.00"}"#, vec![discount("x", 100, Merchant)]),
        (r#"{"name":"x","amount":"1.00","merchant_contribute":"0.40"}"#, vec![discount("x", 100, Unsaid)]),
        (r#"{"type":"ALIPAY_ITEM_VOUCHER","amount":"1.00"}"#, vec![discount("ALIPAY_ITEM_VOUCHER", 100, Unsaid)]),
    ] {
        assert_eq!(details(&format!(r#","voucher_detail_list":[{row}]"#)).discounts, expected, "{row}");
        let as_text = serde_json::to_string(&format!("[{row}]")).unwrap();
        assert_eq!(details(&format!(r#","voucher_detail_list":{as_text}"#)).discounts, expected, "{row}");
    }
}

#[test]
fn without_coupons_the_funds_tell_the_discounts() {
    let funds = r#","fund_bill_list":[{"fund_channel":"ALIPAYACCOUNT","amount":"2.00"},
        {"fund_channel":"COUPON","amount":"0.50"},{"fund_channel":"MDISCOUNT","amount":"0.30"},
        {"fund_channel":"MCOUPON","amount":"0.20"},{"fund_channel":"DISCOUNT","amount":"0.10"},
        {"fund_channel":"POINT","amount":"0.40"},{"fund_channel":"MCARD","amount":"0.01"}]"#;
    let expected = [
        discount("支付宝红包", 50, DiscountBy::Channel),
        discount("商家优惠", 30, DiscountBy::Merchant),
        discount("商家优惠券", 20, DiscountBy::Merchant),
        discount("支付宝优惠", 10, DiscountBy::Channel),
    ];
    assert_eq!(details(funds).discounts, expected);
    let coupons = r#","voucher_detail_list":[{"name":"x","amount":"0.50","other_contribute":"0.50"}]"#;
    assert_eq!(details(&format!("{funds}{coupons}")).discounts, [discount("x", 50, DiscountBy::Channel)]);
}

#[test]
fn the_instalments_that_the_buyer_took_are_kept() {
    for (told, expected) in [
        (r#"{"user_install_num":"12","fq_amount":"3.50"}"#, Some(12)),
        (r#"{"user_install_num":3}"#, Some(3)),
        (r#""{\"user_install_num\":\"6\"}""#, Some(6)),
        (r#"{"user_install_num":"0"}"#, None),
        (r#"{"user_install_num":"300"}"#, None),
        (r#"{"user_install_num":""}"#, None),
        ("{}", None),
        ("null", None),
        ("[]", None),
    ] {
        assert_eq!(details(&format!(r#","hb_fq_pay_info":{told}"#)).instalments, expected, "{told}");
    }
}

#[test]
fn what_cannot_be_read_is_left_out_and_the_payment_stays_one() {
    for members in [
        r#","receipt_amount":"three","buyer_pay_amount":"3.505""#,
        r#","receipt_amount":"-1.00","buyer_pay_amount":"99.00""#,
        r#","receipt_amount":{},"buyer_pay_amount":[]"#,
        r#","receipt_amount":true,"buyer_pay_amount":null"#,
        r#","receipt_amount":1e400,"buyer_pay_amount":1e30"#,
        r#","voucher_detail_list":"[{","fund_bill_list":7"#,
        r#","voucher_detail_list":[1,"x",null,{}],"fund_bill_list":{}"#,
        r#","voucher_detail_list":[{"name":"x","amount":"1,00"}]"#,
        r#","voucher_detail_list":[{"name":"x","amount":"0.00"}]"#,
        r#","fund_bill_list":[{"fund_channel":"COUPON","amount":"x"},{"fund_channel":1}]"#,
        r#","hb_fq_pay_info":"{","discount_goods_detail":"not read""#,
    ] {
        assert_eq!(details(members), Details::default(), "{members}");
    }
}

#[test]
fn names_of_coupons_are_bounded_and_hold_no_pay_code() {
    let row = |name: &str| format!(r#"{{"name":"{name}","amount":"0.01"}}"#);
    let long = details(&format!(r#","voucher_detail_list":[{}]"#, row(&"券".repeat(300))));
    assert_eq!(long.discounts[0].name.chars().count(), 64);
    let many = vec![row("x"); 100].join(",");
    assert_eq!(details(&format!(r#","voucher_detail_list":[{many}]"#)).discounts.len(), 20);
    let code = details(&format!(r#","voucher_detail_list":[{}]"#, row("券 285000000000000017")));
    assert!(!code.discounts[0].name.contains("285000000000000017"), "{code:?}");
}
