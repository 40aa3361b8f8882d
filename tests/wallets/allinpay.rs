//! What only Allinpay does: one code for every wallet, each wallet's pay code through one contract, three ways to sign, and
//! money that is held until the goods were handed over.

use payment::channel::ChannelId;
use sandbox::allinpay::{App, Ledger, SignType};

use crate::evening::{Evening, QUICK};
use crate::gate::{Gate, Money};
use crate::shop::{TEA, WATER, within};
use crate::three_books;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn one_code_serves_four_wallets_and_so_does_the_scanner() {
    let sm2 = |options: &mut till::demo::scene::SceneOptions| options.channels.vsp.sign_type = SignType::Sm2;
    let mut evening = Evening::with(ChannelId::AllinpayVsp, sm2).await;
    for app in App::ALL {
        evening.gate = evening.gate.using(app);
        let order = evening.orders("buyer_scans").await;
        evening.scans_and_pays("Lin").await;
        evening.is_sold(&order).await;
        evening.sells().await;
    }
    assert_eq!(evening.gate.total(), Money::kept(8 * WATER));
    three_books::ledger_journal_and_statement_agree(&evening).await;
}

async fn guaranteed() -> Evening {
    let guaranteed = |options: &mut till::demo::scene::SceneOptions| {
        options.extra_config = format!("{QUICK}[channels.allinpay_yst]\ntrade = \"guaranteed\"\n");
    };
    Evening::with(ChannelId::AllinpayYst, guaranteed).await
}

fn released(fen: i64) -> impl Fn(&Ledger) -> bool {
    move |ledger| ledger.trades.iter().map(|trade| trade.confirmed_fen).sum::<i64>() == fen
}

#[tokio::test]
async fn money_that_is_held_is_released_for_goods_that_fell_and_returned_for_those_that_did_not() {
    let evening = guaranteed().await;
    let Gate::Allinpay(control, _) = &evening.gate else { panic!("another channel") };
    let order = evening.orders("buyer_scans").await;
    evening.scans_and_pays("Lin").await;
    evening.is_sold(&order).await;
    within("the release", control.until(released(WATER))).await;

    // What does not fall is not confirmed: it goes back.
    evening.shop.until_free().await;
    evening.shop.scene.machine.jam("12");
    let order = evening.shop.order("12", TEA, "buyer_scans").await;
    let id = evening.scans("Lin", TEA).await;
    evening.gate.confirm("Lin", &id).unwrap();
    evening.shop.order_until(&order, &["refunded"]).await;
    evening.moved(&order, Money::returned(TEA)).await;
    assert!(released(WATER)(&control.ledger()), "{:#?}", control.ledger());
    three_books::ledger_journal_and_statement_agree(&evening).await;
}

/// The water falls and the tea does not: the tea's money goes back out of what is held, the water's is released, and when an
/// operator returns that too, it comes back from the payee.
#[tokio::test]
async fn what_fell_of_an_order_is_released_alone_and_can_come_back_after_that() {
    let evening = guaranteed().await;
    let Gate::Allinpay(control, _) = &evening.gate else { panic!("another channel") };
    evening.shop.scene.machine.jam("12");
    let items = json!([{ "slot": "11" }, { "slot": "12" }]);
    let body = json!({"amount": WATER + TEA, "currency": "CNY", "items": items, "who_scans": "buyer_scans"});
    let (status, order) = evening.shop.call(Method::POST, "/v1/orders", Some(body)).await;
    assert_eq!(status, 201, "{order}");
    let order = order["id"].as_str().unwrap();
    let id = evening.scans("Lin", WATER + TEA).await;
    evening.gate.confirm("Lin", &id).unwrap();
    evening.moved(order, Money { charged: WATER + TEA, refunded: TEA }).await;
    within("the release", control.until(released(WATER))).await;
    evening.asks_for_refund(order, json!({}), "back").await;
    evening.moved(order, Money::returned(WATER + TEA)).await;
    evening.waits_for(order, "all of it back", |order| order["refunded"] == WATER + TEA).await;
    three_books::ledger_journal_and_statement_agree(&evening).await;
}
