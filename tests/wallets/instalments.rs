//! Huabei instalments: chosen at the keypad, asked for at the gateway, given back like any other payment.

use hal::Key;
use payment::channel::ChannelId;
use serde_json::json;

use crate::evening::{Evening, QUICK};
use crate::gate::{Gate, Money};
use crate::shop::{WATER, within};
use crate::three_books;

const PLANS: &str = "[instalments]\nminimum = \"1.00\"\n[[instalments.plan]]\nperiods = 3\nrate = \"2.3%\"\n\
    [[instalments.plan]]\nperiods = 6\nrate = \"4.5%\"\n";

#[tokio::test]
async fn a_buyer_who_chooses_three_months_at_the_keypad_pays_in_three_months() {
    let plans = |options: &mut till::demo::scene::SceneOptions| options.extra_config = format!("{QUICK}{PLANS}");
    let evening = Evening::with(ChannelId::Alipay, plans).await;
    let Gate::Alipay(control) = &evening.gate else { panic!("another channel") };
    evening.shop.choose("11");
    evening.shop.code_on_screen().await;
    let order = evening.shop.newest_order().await;
    let at_once = crate::evening::numbers(&evening.shop.get(&format!("/v1/orders/{order}")).await);
    evening.shop.press(Key::Digit(1));
    let two = |order: &serde_json::Value| crate::evening::numbers(order).len() == 2;
    let chosen = evening.shop.order_when(&order, "a code for the plan", two).await;
    let planned = crate::evening::numbers(&chosen).into_iter().find(|number| !at_once.contains(number)).unwrap();

    // The code on the screen is the plan's as soon as the gateway made it.
    let made = |ledger: &sandbox::Ledger| ledger.open_codes.iter().any(|code| code.out_trade_no == planned);
    within("the plan's code", control.until(made)).await;
    loop {
        let id = evening.scans("Lin", WATER).await;
        let waiting = control.wallet().requests();
        if waiting.iter().any(|request| request.id == id && request.out_trade_no == planned) {
            evening.gate.confirm("Lin", &id).unwrap();
            break;
        }
    }
    evening.is_sold(&order).await;
    let ledger = control.ledger();
    let trade = ledger.trade(&planned).unwrap();
    assert_eq!((trade.instalments, trade.charged_fen), (Some(3), WATER));

    evening.asks_for_refund(&order, json!({}), "back").await;
    evening.moved(&order, Money::returned(WATER)).await;
    evening.shop.order_until(&order, &["refunded"]).await;
    three_books::ledger_journal_and_statement_agree(&evening).await;
}
