//! Huabei instalments (花呗分期).

use sandbox::{InstalmentRate, WalletError};
use serde_json::{Value, json};

use crate::till::{Till, pay_biz, precreate_biz};

fn planned(mut biz: Value, periods: &str, percent: &str) -> Value {
    biz["extend_params"] = json!({ "hb_fq_num": periods, "hb_fq_seller_percent": percent });
    biz
}

async fn pay(till: &Till, number: &str, yuan: &str, periods: &str, percent: &str) -> String {
    let biz = planned(pay_biz(number, yuan, &till.phone.pay_code()), periods, percent);
    let answer = till.ask("alipay.trade.pay", biz).await;
    format!("{} {}", answer.code(), answer.sub_code()).trim().to_owned()
}

#[tokio::test]
async fn periods_are_contracted_and_the_fee_is_one_sides_alone() {
    const INVALID: &str = "40004 ACQ.INVALID_PARAMETER";
    let till = Till::open().await;
    for (periods, percent) in [("5", "0"), ("24", "0"), ("3", "50"), ("03", "0"), ("3", "00"), ("x", "0")] {
        assert_eq!(pay(&till, "N0", "100.00", periods, percent).await, INVALID, "{periods} {percent}");
    }
    for (at, (periods, percent)) in [("3", "0"), ("6", "100"), ("12", "0"), ("12", "100")].into_iter().enumerate() {
        assert_eq!(pay(&till, &format!("N{at}"), "100.00", periods, percent).await, "10000");
    }
    for half in [json!({ "hb_fq_num": "3" }), json!({ "hb_fq_seller_percent": "0" })] {
        let mut biz = precreate_biz("N9", "100.00");
        biz["extend_params"] = half;
        assert_eq!(till.ask("alipay.trade.precreate", biz).await.sub_code(), "ACQ.INVALID_PARAMETER");
    }
    let rate = InstalmentRate { periods: 24, buyer_bears: 1250, seller_bears: 1250 };
    let till = Till::with(|options| options.instalment_rates.push(rate)).await;
    assert_eq!(pay(&till, "N1", "100.00", "24", "0").await, "10000");
}

#[tokio::test]
async fn instalments_and_channels_without_huabei_contradict_each_other() {
    let till = Till::open().await;
    for (list, channels, sub_code) in [
        ("disable_pay_channels", "pcredit", "ACQ.INVALID_PARAMETER"),
        ("disable_pay_channels", "balance,pcreditpayInstallment", "ACQ.INVALID_PARAMETER"),
        ("enable_pay_channels", "balance", "ACQ.INVALID_PARAMETER"),
        ("enable_pay_channels", "pcreditpayInstallment", ""),
        ("disable_pay_channels", "balance", ""),
    ] {
        let mut biz = planned(precreate_biz(&format!("N{}", channels.len()), "100.00"), "3", "0");
        biz[list] = channels.into();
        assert_eq!(till.ask("alipay.trade.precreate", biz).await.sub_code(), sub_code, "{list} {channels}");
    }
}

#[tokio::test]
async fn the_answer_tells_the_instalments_and_huabei_lends_the_money() {
    let till = Till::open().await;
    let (before, lent) = (till.phone.balance_fen(), till.phone.huabei_fen());
    let code = till.code(planned(precreate_biz("N1", "1001.00"), "6", "100")).await;
    let scanned = till.phone.scan_text(&code).unwrap();
    assert!(till.query("N1").await.node["hb_fq_pay_info"].is_null());
    till.phone.confirm(&scanned.id).unwrap();
    let query = json!({ "out_trade_no": "N1", "query_options": ["fund_bill_list"] });
    let paid = till.ask("alipay.trade.query", query).await;
    assert_eq!(paid.node["hb_fq_pay_info"], json!({ "user_install_num": "6", "fq_amount": "1001.00" }));
    assert_eq!(paid.node["fund_bill_list"], json!([{ "fund_channel": "PCREDIT", "amount": "1001.00" }]));
    assert_eq!(paid.member("receipt_amount"), "1001.00");
    // 4504.5 fen, to the even side.
    let charges = json!([
        { "charge_type": "trade", "charge_fee": "6.01" }, { "charge_type": "hbfq", "charge_fee": "45.04" },
    ]);
    assert_eq!(paid.node["charge_info_list"], charges);
    assert_eq!((till.phone.balance_fen(), till.phone.huabei_fen()), (before, lent - 100_100));
    assert_eq!(till.control.ledger().trades[0].instalments, Some(6));
}

#[tokio::test]
async fn a_low_limit_pays_nothing() {
    let till = Till::open().await;
    till.phone.set_huabei_fen(9_999);
    assert_eq!(pay(&till, "N1", "100.00", "3", "0").await, "40004 ACQ.NO_PAYMENT_INSTRUMENTS_AVAILABLE");
    let code = till.code(planned(precreate_biz("N2", "100.00"), "3", "0")).await;
    let scanned = till.phone.scan_text(&code).unwrap();
    assert_eq!(till.phone.confirm(&scanned.id), Err(WalletError::HuabeiTooLow));
    till.phone.set_huabei_fen(10_000);
    till.phone.confirm(&scanned.id).unwrap();
    assert_eq!(till.phone.huabei_fen(), 0);
    assert_eq!(till.control.ledger().charged_fen(), 10_000);
}

#[tokio::test]
async fn a_refund_tells_the_fees_that_it_gives_back() {
    let fee = |kind: &str, yuan: &str| json!({ "charge_type": kind, "refund_charge_fee": yuan });
    for (returns, percent, expected) in [
        (true, "100", vec![fee("trade", "0.24"), fee("hbfq", "0.72")]),
        (true, "0", vec![fee("trade", "0.24")]),
        (false, "100", vec![fee("trade", "0.24"), fee("hbfq", "0.00")]),
    ] {
        let till = Till::with(|options| options.refund_returns_instalment_fee = returns).await;
        pay(&till, "N1", "100.00", "3", percent).await;
        let part = json!({ "out_trade_no": "N1", "out_request_no": "R1", "refund_amount": "40.00" });
        let done = till.ask("alipay.trade.refund", part.clone()).await;
        assert_eq!(done.node["refund_charge_info_list"], json!(expected), "{returns} {percent}");
        let again = till.ask("alipay.trade.refund", part).await;
        assert!(again.node["refund_charge_info_list"].is_null(), "nothing moved this time");
    }
}

#[tokio::test]
async fn a_refund_goes_back_to_huabei() {
    let till = Till::open().await;
    let (before, lent) = (till.phone.balance_fen(), till.phone.huabei_fen());
    pay(&till, "N1", "100.00", "3", "0").await;
    let part = json!({ "out_trade_no": "N1", "out_request_no": "R1", "refund_amount": "40.00" });
    assert_eq!(till.ask("alipay.trade.refund", part).await.member("fund_change"), "Y");
    assert_eq!(till.phone.huabei_fen(), lent - 6_000);
    assert_eq!(till.cancel("N1").await.member("action"), "refund");
    assert_eq!((till.phone.balance_fen(), till.phone.huabei_fen()), (before, lent));
}
