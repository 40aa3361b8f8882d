//! A refund above the operator's limit leaves only when a second person agrees, whichever channel it goes through.

use payment::channel::ChannelId;
use reqwest::Method;
use serde_json::{Value, json};

use crate::evening::{Evening, QUICK};
use crate::gate::Money;
use crate::shop::WATER;

async fn asks(evening: &Evening, order: &str, fen: i64) -> Value {
    let (path, key) = (format!("/v1/orders/{order}/refunds"), format!("{order}-{fen}"));
    let body = json!({"amount": fen, "by": "Wang", "why": "warm"});
    let (status, refund) = evening.shop.call_with_key(Method::POST, &path, Some(body), Some(&key)).await;
    assert_eq!(status, 201, "{refund}");
    refund
}

async fn decides(evening: &Evening, order: &str, refund: &Value, by: &str, approved: bool) -> u16 {
    let path = format!("/v1/orders/{order}/refunds/{}/decision", refund["number"].as_str().unwrap());
    evening.shop.call(Method::POST, &path, Some(json!({"approved": approved, "by": by}))).await.0
}

#[tokio::test]
async fn a_refund_above_the_limit_leaves_when_a_second_person_agrees() {
    let limit = |options: &mut till::demo::scene::SceneOptions| {
        options.extra_config = format!("{QUICK}[refunds]\napproval_above = \"1.00\"\n");
    };
    let evening = Evening::with(ChannelId::Wechat, limit).await;
    let order = evening.sells().await;
    let small = asks(&evening, &order, 50).await;
    assert_ne!(small["state"], "asked", "{small}");
    evening.waits_for(&order, "the small refund", |order| order["refunded"] == 50).await;
    evening.moved(&order, Money { charged: WATER, refunded: 50 }).await;

    let large = asks(&evening, &order, 150).await;
    assert_eq!(large["state"], "asked", "{large}");
    assert_eq!(decides(&evening, &order, &large, "Wang", true).await, 409, "one person is not two");
    evening.moved(&order, Money { charged: WATER, refunded: 50 }).await;
    assert_eq!(decides(&evening, &order, &large, "Li", true).await, 200);
    evening.moved(&order, Money::returned(WATER)).await;

    let kept = evening.sells().await;
    let refused = asks(&evening, &kept, WATER).await;
    assert_eq!(decides(&evening, &kept, &refused, "Li", false).await, 200);
    let declined = |order: &Value| order["refunds"][0]["state"] == "declined";
    evening.waits_for(&kept, "the refusal", declined).await;
    evening.moved(&kept, Money::kept(WATER)).await;
}
