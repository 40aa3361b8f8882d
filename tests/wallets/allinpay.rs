//! What only Allinpay does: one code for every wallet, each wallet's pay code through one contract, three ways to sign, and
//! money that is held until the goods were handed over.

use payment::channel::ChannelId;
use sandbox::allinpay::{App, SignType};

use crate::evening::{Evening, QUICK};
use crate::gate::{Gate, Money};
use crate::shop::{WATER, within};
use crate::three_books;

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

#[tokio::test]
async fn money_that_is_held_is_released_for_goods_that_fell_and_returned_for_those_that_did_not() {
    let guaranteed = |options: &mut till::demo::scene::SceneOptions| {
        options.extra_config = format!("{QUICK}[channels.allinpay_yst]\ntrade = \"guaranteed\"\n");
    };
    let evening = Evening::with(ChannelId::AllinpayYst, guaranteed).await;
    let Gate::Allinpay(control, _) = &evening.gate else { panic!("another channel") };
    let order = evening.orders("buyer_scans").await;
    evening.scans_and_pays("Lin").await;
    evening.is_sold(&order).await;
    let released = |fen: i64| {
        move |ledger: &sandbox::allinpay::Ledger| {
            ledger.trades.iter().map(|trade| trade.confirmed_fen).sum::<i64>() == fen
        }
    };
    within("the release", control.until(released(WATER))).await;

    // What does not fall is not confirmed: it goes back.
    evening.shop.until_free().await;
    evening.shop.scene.machine.jam("12");
    let order = evening.shop.order("12", crate::shop::TEA, "buyer_scans").await;
    let id = evening.scans("Lin", crate::shop::TEA).await;
    evening.gate.confirm("Lin", &id).unwrap();
    evening.shop.order_until(&order, &["refunded"]).await;
    evening.moved(&order, Money::returned(crate::shop::TEA)).await;
    assert!(released(WATER)(&control.ledger()), "{:#?}", control.ledger());
    three_books::ledger_journal_and_statement_agree(&evening).await;
}
