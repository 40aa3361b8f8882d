//! An indirect contract (间连): the sub-merchant is named in every payment.

use serde_json::{Value, json};

use crate::till::{Till, pay_biz, precreate_biz};

const SMID: &str = "2088000000000300";

async fn answers(till: &Till, change: &Value) -> [String; 2] {
    let with = |mut biz: Value| {
        for (name, value) in change.as_object().unwrap() {
            biz[name] = value.clone();
        }
        biz
    };
    let shown = till.ask("alipay.trade.precreate", with(precreate_biz("N1", "3.50"))).await;
    let paid = till.ask("alipay.trade.pay", with(pay_biz("N2", "3.50", &till.phone.pay_code()))).await;
    [shown, paid].map(|answer| answer.sub_code().to_owned())
}

#[tokio::test]
async fn an_indirect_merchant_must_name_itself_rightly() {
    let till = Till::with(|options| options.smid = Some(SMID.to_owned())).await;
    for (change, sub_code) in [
        (json!({}), "ACQ.SECONDARY_MERCHANT_ID_BLANK"),
        (json!({ "sub_merchant": { "merchant_type": "alipay" } }), "ACQ.SECONDARY_MERCHANT_ID_BLANK"),
        (json!({ "sub_merchant": { "merchant_id": "2088000000000301" } }), "ACQ.SECONDARY_MERCHANT_ID_INVALID"),
        (
            json!({ "sub_merchant": { "merchant_id": SMID, "merchant_type": "wechat" } }),
            "ACQ.SUB_MERCHANT_TYPE_INVALID",
        ),
        (json!({ "sub_merchant": { "merchant_id": SMID, "smid": SMID } }), "ACQ.INVALID_PARAMETER"),
        (json!({ "sub_merchant": SMID }), "ACQ.INVALID_PARAMETER"),
        (json!({ "sub_merchant": { "merchant_id": SMID }, "seller_id": "2088000000000001" }), "ACQ.INVALID_PARAMETER"),
        (json!({ "sub_merchant": { "merchant_id": SMID, "merchant_type": "alipay" } }), ""),
    ] {
        assert_eq!(answers(&till, &change).await, [sub_code, sub_code], "{change}");
    }
    assert_eq!(till.control.ledger().charged_fen(), 350);
}

#[tokio::test]
async fn a_direct_merchant_has_no_sub_merchant() {
    let till = Till::open().await;
    let change = json!({ "sub_merchant": { "merchant_id": SMID, "merchant_type": "alipay" } });
    let refused = "ACQ.SECONDARY_MERCHANT_NOT_MATCH";
    assert_eq!(answers(&till, &change).await, [refused, refused]);
}
