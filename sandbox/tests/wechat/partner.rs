//! The forms of a service provider; complaints.

use serde_json::{Value, json};

use crate::calling::Answer;
use crate::till::{REFUNDS, Till, codepay, native};

const BASE: &str = "/v3/pay/partner/transactions";

/// The same request in the service provider's form.
fn partner(mut body: Value, sub_mchid: &str) -> Value {
    let members = body.as_object_mut().unwrap();
    for (old, new) in [("appid", "sp_appid"), ("mchid", "sp_mchid")] {
        let value = members.remove(old).unwrap();
        members.insert(new.to_owned(), value);
    }
    members.insert("sub_mchid".to_owned(), json!(sub_mchid));
    body
}

fn query_of(till: &Till) -> String {
    format!("sp_mchid={}&sub_mchid={}", till.keys.mchid, till.keys.sub_mchid)
}

async fn sale(till: &Till, number: &str) -> Answer {
    let answer = till.post(&format!("{BASE}/native"), partner(native(number, 350), &till.keys.sub_mchid)).await;
    let scanned = till.phone.scan_text(&answer.member("/code_url")).unwrap();
    till.phone.confirm(&scanned.id).unwrap();
    till.get(&format!("{BASE}/out-trade-no/{number}?{}", query_of(till))).await
}

#[tokio::test]
async fn a_shop_sells_through_its_service_provider_and_keeps_books_of_its_own() {
    let till = Till::open().await;
    let paid = sale(&till, "N00001").await;
    assert_eq!(
        (paid.member("/sp_mchid"), paid.member("/sub_mchid")),
        (till.keys.mchid.clone(), till.keys.sub_mchid.clone())
    );
    assert_eq!((paid.member("/payer/sp_openid"), paid.json().get("mchid")), (till.phone.user_id(), None));
    let ledger = till.control.ledger();
    assert_eq!(ledger.of_payee(&till.keys.sub_mchid).charged_fen(), 350);
    assert_eq!(ledger.of_payee(&till.keys.mchid).charged_fen(), 0);
    assert_eq!(till.query("N00001").await.code(), "ORDER_NOT_EXIST");
}

#[tokio::test]
async fn a_shops_order_is_closed_reversed_and_refunded_in_its_name() {
    let till = Till::open().await;
    let (provider, shop) = (till.keys.mchid.clone(), till.keys.sub_mchid.clone());
    let pay = codepay("C00001", 350, &till.phone.pay_code());
    assert_eq!(till.post(&format!("{BASE}/codepay"), partner(pay, &shop)).await.member("/trade_state"), "SUCCESS");
    till.pass(15_000);
    let parties = json!({ "sp_appid": till.keys.appid, "sp_mchid": provider, "sub_mchid": shop });
    assert_eq!(till.post(&format!("{BASE}/out-trade-no/C00001/reverse"), parties).await.status, 200);

    till.post(&format!("{BASE}/native"), partner(native("N00001", 350), &shop)).await;
    let parties = json!({ "sp_mchid": provider, "sub_mchid": shop });
    assert_eq!(till.post(&format!("{BASE}/out-trade-no/N00001/close"), parties).await.status, 204);

    sale(&till, "N00002").await;
    let mut body = crate::till::refund_body("N00002", "R1", 350, 350);
    assert_eq!(till.post(REFUNDS, body.clone()).await.status, 404);
    body["sub_mchid"] = json!(shop);
    assert_eq!(till.post(REFUNDS, body).await.status, 200);
    assert_eq!(till.get(&format!("{REFUNDS}/R1?sub_mchid={shop}")).await.status, 200);
    assert_eq!(till.get(&format!("{REFUNDS}/R1")).await.status, 404);
    assert_eq!(till.control.ledger().net_fen(), 0);
}

#[tokio::test]
async fn only_its_own_shops_are_served() {
    let till = Till::open().await;
    let cases = [("1900000099", 403, "NO_AUTH"), (&*till.keys.mchid, 400, "INVALID_REQUEST")];
    for (shop, status, code) in cases {
        let answer = till.post(&format!("{BASE}/native"), partner(native("N00001", 350), shop)).await;
        assert_eq!((answer.status, &*answer.code()), (status, code));
    }
    for (limits, status) in [(json!(["no_credit"]), 200), (json!(["no_money"]), 400), (json!("no_credit"), 400)] {
        let mut body = partner(native("N00002", 350), &till.keys.sub_mchid);
        body["limit_pay"] = limits;
        assert_eq!(till.post(&format!("{BASE}/native"), body).await.status, status);
    }
    let direct = till.post(&format!("{BASE}/native"), native("N00001", 350)).await;
    assert_eq!(direct.code(), "PARAM_ERROR");
}

#[tokio::test]
async fn complaints_are_listed_by_day_and_page() {
    let till = Till::open().await;
    till.paid("N00001", 350).await;
    let id = till.control.complain("N00001", "没有出货").unwrap();
    assert_eq!(till.control.complain("N00009", "?"), None);
    let list = async |query: &str| till.get(&format!("/v3/merchant-service/complaints-v2?{query}")).await;
    let answer = list("limit=10&offset=0&begin_date=2025-06-01&end_date=2025-06-01").await;
    assert_eq!((answer.member("/data/0/complaint_id"), &*answer.member("/total_count")), (id, "1"));
    assert_eq!(answer.member("/data/0/complaint_order_info/0/out_trade_no"), "N00001");
    assert_eq!(answer.member("/data/0/complaint_state"), "PENDING");
    assert_eq!(list("begin_date=2025-05-01&end_date=2025-05-31").await.member("/total_count"), "0");
    assert_eq!(list("offset=1&begin_date=2025-06-01&end_date=2025-06-01").await.member("/data"), "[]");
    for wrong in [
        "limit=51&begin_date=2025-06-01&end_date=2025-06-01",
        "begin_date=2025-05-01&end_date=2025-06-01",
        "end_date=2025-06-01",
    ] {
        assert_eq!(list(wrong).await.code(), "PARAM_ERROR", "{wrong}");
    }
}
