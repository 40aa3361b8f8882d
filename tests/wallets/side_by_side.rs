//! Two channels at one machine: two codes side by side, and one that steps in for the other.

use payment::channel::ChannelId;
use sandbox::allinpay::App;
use till::demo::channels::ChannelOptions;
use till::demo::scene::SceneOptions;

use crate::evening::{QUICK, hurry, numbers, scan};
use crate::gate::{Call, Gate, Money};
use crate::shop::{Shop, WATER};
use crate::three_books;

async fn shop_of(channels: &[ChannelId], show: &[&'static str]) -> (Shop, Vec<Gate>) {
    let prepare = |options: &mut SceneOptions| {
        options.channels = ChannelOptions::of(channels);
        options.channels.show = show.to_vec();
        options.extra_config = QUICK.to_owned();
        hurry(options);
    };
    let shop = Shop::open_with(prepare, None).await;
    assert!(shop.scene.machine.restock("11", 50));
    let gates = channels.iter().map(|channel| Gate::of(&shop.scene, *channel)).collect();
    (shop, gates)
}

/// What all gates together moved.
fn total(gates: &[Gate]) -> Money {
    gates.iter().map(Gate::total).fold(Money::default(), |sum, money| Money {
        charged: sum.charged + money.charged,
        refunded: sum.refunded + money.refunded,
    })
}

async fn scans(shop: &Shop, gate: &Gate) -> String {
    scan(shop, gate, "Lin", WATER).await
}

#[tokio::test]
async fn two_codes_stand_side_by_side_and_either_pays_and_both_paid_is_one_kept() {
    let (shop, gates) = shop_of(&[ChannelId::Alipay, ChannelId::Wechat], &["alipay", "wechat"]).await;
    for gate in &gates {
        shop.until_free().await;
        let order = shop.order("11", WATER, "buyer_scans").await;
        let id = scans(&shop, gate).await;
        gate.confirm("Lin", &id).unwrap();
        shop.order_until(&order, &["completed"]).await;
        assert_eq!(gate.total(), Money::kept(WATER));
    }
    // Two phones, two codes, both confirmed before the machine can close either.
    shop.until_free().await;
    let order = shop.order("11", WATER, "buyer_scans").await;
    let (first, second) = (scans(&shop, &gates[0]).await, scans(&shop, &gates[1]).await);
    gates[0].confirm("Lin", &first).unwrap();
    gates[1].confirm("Lin", &second).unwrap();
    let returned = |order: &serde_json::Value| order["refunded"] == WATER;
    let done = shop.order_when(&order, "one of both back", returned).await;
    let all = numbers(&done);
    let mut moved: Vec<Money> = gates.iter().map(|gate| gate.sum(&all)).collect();
    moved.sort_by_key(|money| money.refunded);
    assert_eq!(moved, [Money::kept(WATER), Money::returned(WATER)], "{done:#}");
    assert_eq!(done["refunds"][0]["reason"], "paid_twice", "{done:#}");
    assert_eq!(shop.fallen(), 3);
    three_books::all_agree(&shop, total(&gates)).await;
}

#[tokio::test]
async fn beside_a_code_whose_reply_was_lost_the_other_pays_and_either_way_one_is_kept() {
    let (shop, gates) = shop_of(&[ChannelId::Alipay, ChannelId::Wechat], &["alipay", "wechat"]).await;
    // Whichever code's reply is lost, and whichever is paid: the number whose reply was lost is asked for again.
    for (lost, paid) in [(0, 1), (1, 0), (0, 0), (1, 1)] {
        shop.until_free().await;
        gates[lost].lose_reply(Call::MakeCode);
        let order = shop.order("11", WATER, "buyer_scans").await;
        let id = scans(&shop, &gates[paid]).await;
        gates[paid].confirm("Lin", &id).unwrap();
        let order = shop.order_until(&order, &["completed"]).await;
        assert_eq!(gates[paid].sum(&numbers(&order)), Money::kept(WATER), "{order:#}");
        gates[lost].be_fair();
    }
    assert_eq!((total(&gates), shop.fallen()), (Money::kept(4 * WATER), 4));
    three_books::all_agree(&shop, total(&gates)).await;
}

#[tokio::test]
async fn of_two_codes_the_one_that_is_paid_late_comes_back() {
    let (shop, gates) = shop_of(&[ChannelId::Alipay, ChannelId::Wechat], &["alipay", "wechat"]).await;
    for (late, early) in [(0, 1), (1, 0)] {
        shop.until_free().await;
        let order = shop.order("11", WATER, "buyer_scans").await;
        let ids = [scans(&shop, &gates[0]).await, scans(&shop, &gates[1]).await];
        gates[late].delay_payment(1_500);
        gates[late].confirm("Lin", &ids[late]).unwrap();
        gates[early].confirm("Lin", &ids[early]).unwrap();
        shop.order_until(&order, &["completed"]).await;
        let done = shop.order_when(&order, "the late payment back", |order| order["refunded"] == WATER).await;
        assert_eq!(done["refunds"][0]["reason"], "paid_twice", "{done:#}");
        let all = numbers(&done);
        assert_eq!((gates[early].sum(&all), gates[late].sum(&all)), (Money::kept(WATER), Money::returned(WATER)));
        gates[late].be_fair();
    }
    assert_eq!(shop.fallen(), 2);
    three_books::all_agree(&shop, total(&gates)).await;
}

#[tokio::test]
async fn a_channel_that_goes_away_is_stood_in_for_and_both_paid_is_one_kept() {
    let (shop, gates) = shop_of(&[ChannelId::Alipay, ChannelId::AllinpayVsp], &["alipay"]).await;
    let vsp = gates[1].clone().using(App::Alipay);
    // The buyer opens Alipay's own code; then its gateway is away, and the same wallet gets a code of Allinpay's.
    let order = shop.order("11", WATER, "buyer_scans").await;
    let early = scans(&shop, &gates[0]).await;
    gates[0].go_away();
    let late = scans(&shop, &vsp).await;
    gates[0].confirm("Lin", &early).unwrap();
    vsp.confirm("Lin", &late).unwrap();
    shop.order_until(&order, &["completed", "refunding", "refunded"]).await;
    gates[0].be_fair();
    let done = shop.order_when(&order, "the other payment back", |order| order["refunded"] == WATER).await;
    let all = numbers(&done);
    assert_eq!((vsp.sum(&all), gates[0].sum(&all)), (Money::kept(WATER), Money::returned(WATER)), "{done:#}");
    assert_eq!(shop.fallen(), 1);
    three_books::all_agree(&shop, total(&gates)).await;
}
