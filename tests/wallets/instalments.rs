//! Huabei instalments: chosen at the keypad, asked for at the gateway, given back like any other payment.

use hal::Key;
use payment::channel::ChannelId;
use sandbox::Control;
use serde_json::{Value, json};

use crate::evening::{Evening, QUICK, numbers};
use crate::gate::{Call, Gate, Money};
use crate::shop::{WATER, within};
use crate::three_books;

const PLANS: &str = "[instalments]\nminimum = \"1.00\"\n[[instalments.plan]]\nperiods = 3\nrate = \"2.3%\"\n\
    [[instalments.plan]]\nperiods = 6\nrate = \"4.5%\"\n";

async fn evening() -> (Evening, Control) {
    let plans = |options: &mut till::demo::scene::SceneOptions| options.extra_config = format!("{QUICK}{PLANS}");
    let evening = Evening::with(ChannelId::Alipay, plans).await;
    let Gate::Alipay(control) = &evening.gate else { panic!("another channel") };
    let control = control.clone();
    (evening, control)
}

/// A bottle, and three months chosen at the keypad; the order and the plan's payment number.
async fn chooses_three_months(evening: &Evening, before: impl FnOnce()) -> (String, String) {
    evening.shop.until_free().await;
    evening.shop.choose("11");
    evening.shop.code_on_screen().await;
    let order = evening.shop.newest_order().await;
    let at_once = numbers(&evening.shop.get(&format!("/v1/orders/{order}")).await);
    before();
    evening.shop.press(Key::Digit(1));
    let two = |order: &Value| numbers(order).len() == 2;
    let chosen = evening.shop.order_when(&order, "a code for the plan", two).await;
    let planned = numbers(&chosen).into_iter().find(|number| !at_once.contains(number)).unwrap();
    (order, planned)
}

/// Scans the plan's code, once it stands on the screen; the payment's id.
async fn scans_the_plan(evening: &Evening, control: &Control, planned: &str) -> String {
    let made = |ledger: &sandbox::Ledger| ledger.open_codes.iter().any(|code| code.out_trade_no == planned);
    within("the plan's code", control.until(made)).await;
    loop {
        let id = evening.scans("Lin", WATER).await;
        let waiting = control.wallet().requests();
        if waiting.iter().any(|request| request.id == id && request.out_trade_no == planned) {
            return id;
        }
    }
}

fn is_paid_in_three_months(control: &Control, planned: &str) {
    let ledger = control.ledger();
    let trade = ledger.trade(planned).unwrap();
    assert_eq!((trade.instalments, trade.charged_fen), (Some(3), WATER));
}

#[tokio::test]
async fn a_buyer_who_chooses_three_months_at_the_keypad_pays_in_three_months() {
    let (evening, control) = evening().await;
    let (order, planned) = chooses_three_months(&evening, || ()).await;
    let id = scans_the_plan(&evening, &control, &planned).await;
    // Nothing falls while the buyer reads what the months cost.
    assert_eq!(evening.shop.fallen(), 0, "goods before the payment");
    evening.gate.confirm("Lin", &id).unwrap();
    evening.is_sold(&order).await;
    is_paid_in_three_months(&control, &planned);

    evening.asks_for_refund(&order, json!({}), "back").await;
    evening.moved(&order, Money::returned(WATER)).await;
    evening.shop.order_until(&order, &["refunded"]).await;
    three_books::ledger_journal_and_statement_agree(&evening).await;
}

#[tokio::test]
async fn a_lost_reply_to_the_plans_code_and_a_late_payment_of_it_move_money_once() {
    let (evening, control) = evening().await;
    let lost = || evening.gate.lose_reply(Call::MakeCode);
    let (order, planned) = chooses_three_months(&evening, lost).await;
    let id = scans_the_plan(&evening, &control, &planned).await;
    evening.gate.confirm("Lin", &id).unwrap();
    evening.is_sold(&order).await;
    is_paid_in_three_months(&control, &planned);

    // The same, and the money lands when the order is over.
    let (order, planned) = chooses_three_months(&evening, || ()).await;
    let id = scans_the_plan(&evening, &control, &planned).await;
    evening.gate.delay_payment(1_500);
    evening.gate.confirm("Lin", &id).unwrap();
    evening.shop.press(Key::Cancel);
    evening.shop.until_free().await;
    evening.moved(&order, Money::returned(WATER)).await;
    evening.shop.order_until(&order, &["refunded"]).await;
    is_paid_in_three_months(&control, &planned);
    assert_eq!(evening.shop.fallen(), 1);
    three_books::ledger_journal_and_statement_agree(&evening).await;
}
