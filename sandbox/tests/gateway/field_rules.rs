//! Rules of single fields, through the wire.

use sandbox::GatewayOptions;
use serde_json::{Value, json};

use crate::till::{Till, pay_biz, precreate_biz};

const INVALID: &str = "ACQ.INVALID_PARAMETER";

/// The answer to a precreate that has `change` on top of the least one.
async fn precreate(till: &Till, change: &Value) -> (String, String) {
    let mut biz = precreate_biz("N1", "3.50");
    for (name, value) in change.as_object().unwrap() {
        biz[name] = value.clone();
    }
    let answer = till.ask("alipay.trade.precreate", biz).await;
    (answer.code().to_owned(), answer.sub_code().to_owned())
}

async fn refuses(till: &Till, sub_code: &str, changes: &[Value]) {
    for change in changes {
        let expected = ("40004".to_owned(), sub_code.to_owned());
        assert_eq!(precreate(till, change).await, expected, "{change}");
    }
    assert!(till.control.ledger().open_codes.is_empty());
}

async fn takes(change: impl FnOnce(&mut GatewayOptions), biz: Value) {
    let till = Till::with(change).await;
    let (code, sub_code) = precreate(&till, &biz).await;
    assert_eq!(code, "10000", "{biz} was refused: {sub_code}");
}

#[tokio::test]
async fn numbers_amounts_and_texts_keep_their_rules() {
    let till = Till::open().await;
    refuses(
        &till,
        INVALID,
        &[
            json!({ "out_trade_no": "a-b" }),
            json!({ "out_trade_no": "x".repeat(65) }),
            json!({ "out_trade_no": 17 }),
            json!({ "total_amount": "0.00" }),
            json!({ "total_amount": "3.501" }),
            json!({ "total_amount": "100000000.01" }),
            json!({ "total_amount": "-3.50" }),
            json!({ "subject": "可".repeat(257) }),
            json!({ "subject": "A/B" }),
            json!({ "subject": "A&B" }),
            json!({ "subject": "A=B" }),
            json!({ "subject": "@A" }),
            json!({ "subject": "" }),
            json!({ "body": "x".repeat(129) }),
            json!({ "store_id": "x".repeat(33) }),
            json!({ "terminal_id": "x".repeat(33) }),
            json!({ "operator_id": "x".repeat(29) }),
            json!({ "product_code": "FAST_INSTANT_TRADE_PAY" }),
            json!({ "body": null }),
            json!({ "goods_detail": [] }),
            json!({ "subjekt": "x" }),
            json!({ "auth_code": "281234567890123456" }),
        ],
    )
    .await;
    takes(|_| (), json!({ "subject": "可".repeat(256), "total_amount": "100000000.00" })).await;
    takes(|options| options.forbidden_in_subject.clear(), json!({ "subject": "A/B" })).await;
}

#[tokio::test]
async fn the_parts_of_an_amount_add_up() {
    let till = Till::open().await;
    let parts = |one: &str, other: &str| json!({ "discountable_amount": one, "undiscountable_amount": other });
    refuses(&till, INVALID, &[parts("3.00", "0.51"), parts("x", "0.50")]).await;
    takes(|_| (), parts("3.00", "0.50")).await;
    let mut biz = parts("3.00", "0.50");
    biz["out_trade_no"] = "N2".into();
    biz["subject"] = "茶".into();
    let answer = till.ask("alipay.trade.precreate", biz).await;
    assert_eq!(answer.code(), "10000");
    assert_eq!(till.control.ledger().open_codes[0].amount_fen, 350);
}

#[tokio::test]
async fn time_limits_keep_their_grammar() {
    let till = Till::open().await;
    refuses(
        &till,
        INVALID,
        &[
            json!({ "timeout_express": "90s" }),
            json!({ "timeout_express": "16d" }),
            json!({ "timeout_express": 90 }),
            json!({ "qr_code_timeout_express": "0m" }),
            json!({ "qr_code_timeout_express": "1.5h" }),
            json!({ "time_expire": "2025-06-01 12:05" }),
            json!({ "time_expire": "2025-06-16 12:00:01" }),
        ],
    )
    .await;
    let past = [json!({ "time_expire": "2025-06-01 12:00:00" })];
    refuses(&till, "ACQ.NOW_TIME_AFTER_EXPIRE_TIME_ERROR", &past).await;
    takes(|_| (), json!({ "timeout_express": "5m", "qr_code_timeout_express": "1c" })).await;
}

#[tokio::test]
async fn goods_rows_keep_their_rules() {
    let till = Till::open().await;
    let row = |change: Value| {
        let mut row = json!({ "goods_id": "A1", "goods_name": "可乐", "quantity": 1, "price": "3.50" });
        for (name, value) in change.as_object().unwrap() {
            row[name] = value.clone();
        }
        json!({ "goods_detail": [row] })
    };
    refuses(
        &till,
        INVALID,
        &[
            row(json!({ "goods_id": "" })),
            row(json!({ "goods_id": "x".repeat(65) })),
            row(json!({ "goods_name": "x".repeat(257) })),
            row(json!({ "quantity": 0 })),
            row(json!({ "quantity": 1.5 })),
            row(json!({ "price": "3.505" })),
            row(json!({ "price": "1000000.00" })),
            row(json!({ "prise": "1" })),
            json!({ "goods_detail": "[]" }),
        ],
    )
    .await;
    let many = json!({ "goods_detail": vec![row(json!({}))["goods_detail"][0].clone(); 51] });
    refuses(&till, "ACQ.SUB_GOODS_SIZE_MAX_COUNT", &[many]).await;
    takes(|_| (), row(json!({ "quantity": "2" }))).await;
}

#[tokio::test]
async fn channels_and_instalments_keep_their_rules() {
    let till = Till::open().await;
    refuses(
        &till,
        INVALID,
        &[
            json!({ "enable_pay_channels": "balance", "disable_pay_channels": "pcredit" }),
            json!({ "enable_pay_channels": "gold" }),
            json!({ "extend_params": { "hb_fq_num": "3" } }),
            json!({ "extend_params": "{}" }),
        ],
    )
    .await;
}

#[tokio::test]
async fn stores_sellers_and_words_can_be_unknown() {
    let till = Till::with(|options| {
        options.known_stores = Some(vec!["S1".to_owned()]);
        options.forbidden_words = vec!["违禁".to_owned()];
    })
    .await;
    refuses(&till, "ACQ.INVALID_STORE_ID", &[json!({ "store_id": "S2" })]).await;
    refuses(&till, "ACQ.SELLER_NOT_EXIST", &[json!({ "seller_id": "2088000000000002" })]).await;
    let words = [json!({ "subject": "违禁品" }), json!({ "body": "违禁品" })];
    refuses(&till, "ACQ.EXIST_FORBIDDEN_WORD", &words).await;
    let right = json!({ "store_id": "S1", "seller_id": "2088000000000001" });
    assert_eq!(precreate(&till, &right).await.0, "10000");
}

#[tokio::test]
async fn a_pay_needs_its_scene_and_a_pay_code() {
    let till = Till::open().await;
    let good = pay_biz("N1", "3.50", &till.phone.pay_code());
    for (name, value, sub_code) in [
        ("auth_code", json!("131234567890123456"), INVALID),
        ("auth_code", json!("28123456789012345\r"), INVALID),
        ("auth_code", json!(null), INVALID),
        ("scene", json!(""), INVALID),
        ("scene", json!("security_code"), "ACQ.UN_SUPPORT_TRADE_SCENE"),
        ("qr_code_timeout_express", json!("5m"), INVALID),
        ("timeout_express", json!("5"), INVALID),
    ] {
        let mut biz = good.clone();
        biz[name] = value;
        let answer = till.ask("alipay.trade.pay", biz).await;
        assert_eq!(answer.sub_code(), sub_code, "{name}");
    }
    assert_eq!(till.ask("alipay.trade.pay", good).await.code(), "10000");
}

#[tokio::test]
async fn every_method_takes_only_its_own_fields() {
    let till = Till::open().await;
    till.charge("N1", "3.50").await;
    for (method, extra) in [
        ("alipay.trade.query", "operator_id"),
        ("alipay.trade.cancel", "operator_id"),
        ("alipay.trade.close", "refund_amount"),
        ("alipay.trade.fastpay.refund.query", "refund_amount"),
        ("alipay.trade.refund", "amount"),
    ] {
        let biz = json!({ "out_trade_no": "N1", "out_request_no": "R1", extra: "1" });
        let answer = till.ask(method, biz).await;
        assert_eq!(answer.sub_code(), INVALID, "{method}");
        let answer = till.ask(method, json!({ "out_trade_no": "a-b" })).await;
        assert_eq!(answer.sub_code(), INVALID, "{method}");
    }
    assert_eq!(till.control.ledger().net_fen(), 350);
}
