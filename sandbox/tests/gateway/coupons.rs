//! Coupons, who bears them, and the store switch without which none is used.

use sandbox::{Coupon, CouponBy};
use serde_json::{Value, json};

use crate::calling::Answer;
use crate::till::{Till, pay_biz};

const STORE: &str = "storeId001";

fn coupon(name: &str, fen: i64, by: CouponBy) -> Coupon {
    Coupon { name: name.to_owned(), fen, by, goods_id: None }
}

async fn shop() -> Till {
    let till = Till::open().await;
    till.control.set_order_sync(STORE, true);
    till
}

/// A payment of 10.00 at the store with two goods, asking for everything.
async fn pay(till: &Till, number: &str, change: Value) -> Answer {
    let mut biz = pay_biz(number, "10.00", &till.phone.pay_code());
    biz["store_id"] = STORE.into();
    biz["query_options"] = json!(["voucher_detail_list", "fund_bill_list", "discount_amount", "mdiscount_amount"]);
    biz["goods_detail"] = json!([
        { "goods_id": "irOn50e12", "goods_name": "可乐", "quantity": 2, "price": "1.00" },
        { "goods_id": "tea", "goods_name": "茶", "quantity": 1, "price": "8.00" },
    ]);
    for (name, value) in change.as_object().unwrap() {
        biz[name] = value.clone();
    }
    let answer = till.ask("alipay.trade.pay", biz).await;
    assert_eq!(answer.code(), "10000", "{}", answer.text());
    answer
}

fn amounts(answer: &Answer) -> [&str; 4] {
    ["total_amount", "receipt_amount", "buyer_pay_amount", "invoice_amount"].map(|name| answer.member(name))
}

#[tokio::test]
async fn a_merchants_coupon_lowers_the_receipt_and_alipays_does_not() {
    let till = shop().await;
    let before = till.phone.balance_fen();
    till.phone.give_coupon(coupon("店庆", 100, CouponBy::Merchant));
    till.phone.give_coupon(coupon("红包", 50, CouponBy::Alipay));
    let paid = pay(&till, "N1", json!({})).await;
    assert_eq!(amounts(&paid), ["10.00", "9.00", "8.50", "8.50"]);
    assert_eq!((paid.member("mdiscount_amount"), paid.member("discount_amount")), ("1.00", "0.50"));
    let vouchers = paid.node["voucher_detail_list"].as_array().unwrap();
    let told: Vec<_> = vouchers
        .iter()
        .map(|row| {
            ["name", "amount", "merchant_contribute", "other_contribute"].map(|name| row[name].as_str().unwrap())
        })
        .collect();
    assert_eq!(told, [["店庆", "1.00", "1.00", "0.00"], ["红包", "0.50", "0.00", "0.50"]]);
    let funds = json!([
        { "fund_channel": "ALIPAYACCOUNT", "amount": "8.50" }, { "fund_channel": "COUPON", "amount": "0.50" },
        { "fund_channel": "MDISCOUNT", "amount": "1.00" },
    ]);
    assert_eq!(paid.node["fund_bill_list"], funds);
    assert_eq!(amounts(&till.query("N1").await), ["10.00", "9.00", "8.50", "8.50"]);
    assert_eq!(till.phone.balance_fen(), before - 850);
    assert!(till.phone.coupons().is_empty());
    let ledger = till.control.ledger();
    let trade = &ledger.trades[0];
    assert_eq!((trade.charged_fen, trade.receipt_fen, trade.buyer_paid_fen), (1000, 900, 850));
    assert_eq!(amounts(&pay(&till, "N2", json!({})).await), ["10.00"; 4]);
}

#[tokio::test]
async fn a_goods_coupon_is_for_its_goods_and_no_more_than_they_cost() {
    for (goods_id, fen, buyer) in
        [("irOn50e12", 150, "8.50"), ("irOn50e12", 900, "8.00"), ("tea", 900, "2.00"), ("juice", 150, "10.00")]
    {
        let till = shop().await;
        let goods = Coupon { goods_id: Some(goods_id.to_owned()), ..coupon("单品券", fen, CouponBy::Merchant) };
        till.phone.give_coupon(goods);
        let paid = pay(&till, "N1", json!({})).await;
        assert_eq!(paid.member("buyer_pay_amount"), buyer, "{goods_id} {fen}");
        assert_eq!(till.phone.coupons().len(), usize::from(goods_id == "juice"));
        let kind = paid.node["voucher_detail_list"][0]["type"].as_str();
        assert_eq!(kind, (goods_id != "juice").then_some("ALIPAY_ITEM_VOUCHER"));
    }
}

#[tokio::test]
async fn while_a_stores_switch_is_off_no_coupon_is_used() {
    let till = Till::open().await;
    till.phone.give_coupon(coupon("店庆", 100, CouponBy::Merchant));
    assert_eq!(amounts(&pay(&till, "N1", json!({})).await), ["10.00"; 4]);
    till.control.set_order_sync(STORE, true);
    assert_eq!(amounts(&pay(&till, "N2", json!({ "store_id": "storeId002" })).await), ["10.00"; 4]);
    till.control.set_order_sync(STORE, false);
    assert_eq!(amounts(&pay(&till, "N3", json!({})).await), ["10.00"; 4]);
    till.control.set_order_sync(STORE, true);
    assert_eq!(pay(&till, "N4", json!({})).await.member("receipt_amount"), "9.00");
}

#[tokio::test]
async fn channels_and_undiscountable_parts_limit_coupons() {
    for (change, buyer) in [
        (json!({ "disable_pay_channels": "mdiscount" }), "9.50"),
        (json!({ "disable_pay_channels": "coupon" }), "9.00"),
        (json!({ "disable_pay_channels": "promotion" }), "10.00"),
        (json!({ "enable_pay_channels": "balance" }), "10.00"),
        (json!({ "enable_pay_channels": "balance,coupon" }), "9.50"),
        (json!({ "discountable_amount": "1.20", "undiscountable_amount": "8.80" }), "8.80"),
        (json!({ "undiscountable_amount": "10.00" }), "10.00"),
    ] {
        let till = shop().await;
        till.phone.give_coupon(coupon("店庆", 100, CouponBy::Merchant));
        till.phone.give_coupon(coupon("红包", 50, CouponBy::Alipay));
        assert_eq!(pay(&till, "N1", change.clone()).await.member("buyer_pay_amount"), buyer, "{change}");
    }
}

/// Alipay's own example: 100 paid by 80 and a coupon of 20, refunds of 60 and 40.
#[tokio::test]
async fn a_refund_gives_back_the_buyers_own_money_first() {
    let till = shop().await;
    let before = till.phone.balance_fen();
    till.phone.give_coupon(coupon("店庆", 200, CouponBy::Merchant));
    pay(&till, "N1", json!({})).await;
    assert_eq!(till.phone.balance_fen(), before - 800);
    for (number, yuan, left) in [("R1", "6.00", 200), ("R2", "4.00", 0)] {
        let biz = json!({ "out_trade_no": "N1", "out_request_no": number, "refund_amount": yuan });
        assert_eq!(till.ask("alipay.trade.refund", biz).await.member("fund_change"), "Y");
        assert_eq!(till.phone.balance_fen(), before - left);
    }
    assert_eq!(till.query("N1").await.member("trade_status"), "TRADE_CLOSED");
    assert_eq!(till.control.ledger().net_fen(), 0);
}

#[tokio::test]
async fn a_coupon_can_pay_what_the_account_cannot() {
    let till = shop().await;
    till.phone.set_balance_fen(900);
    till.phone.give_coupon(coupon("店庆", 100, CouponBy::Merchant));
    pay(&till, "N1", json!({})).await;
    assert_eq!(till.phone.balance_fen(), 0);
}
