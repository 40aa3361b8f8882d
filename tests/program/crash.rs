//! SIGKILL at every entry of the journal, before and after its commit: the buyer ends with the goods or with the money,
//! and never with neither, both or two.

use sandbox::{Changes, Fault, Ledger, Method, Wallet};

use crate::shop::{Shop, choose, code_on, within};

/// What the buyer does at the machine. Each waits only for what a buyer would wait for.
#[derive(Debug, Clone, Copy)]
enum Scenario {
    ScansTheScreen,
    ShowsAPayCode,
    ScansAndTheSlotJams,
    ShowsAPayCodeAndTheReplyIsLost,
    ShowsAPayCodeAndCancelsInsteadOfConfirming,
}

/// Plays the scenario as far as the daemon lives; the picture that the buyer saw, if it came to that.
async fn play(shop: &mut Shop, scenario: Scenario) -> Option<Vec<u8>> {
    let Shop { scene, daemon, .. } = &mut *shop;
    let seen = std::cell::OnceCell::new();
    let played = async {
        choose(scene, "11");
        let picture = code_on(scene).await;
        let picture = seen.get_or_init(|| picture);
        let wallet = scene.gateway.control().wallet();
        match scenario {
            Scenario::ScansTheScreen | Scenario::ScansAndTheSlotJams => pay_by_picture(&wallet, picture),
            Scenario::ShowsAPayCode | Scenario::ShowsAPayCodeAndTheReplyIsLost => {
                scene.scan(&wallet.pay_code()).unwrap();
            }
            Scenario::ShowsAPayCodeAndCancelsInsteadOfConfirming => {
                scene.scan(&wallet.pay_code()).unwrap();
                request_on(&wallet, &mut scene.gateway.control().changes()).await;
                assert!(scene.machine.press(hal::Key::Cancel));
            }
        }
    };
    let part = format!("the buyer's part of {scenario:?}");
    tokio::select! {
        () = within(&part, played) => {}
        ended = daemon.ended() => assert!(ended.is_ok()),
    }
    seen.into_inner()
}

/// Waits until the phone asks the buyer.
async fn request_on(wallet: &Wallet, changes: &mut Changes) {
    while wallet.requests().is_empty() {
        changes.next().await;
    }
}

/// The code may be dead already: then the phone says so and nothing is paid.
fn pay_by_picture(wallet: &Wallet, picture: &[u8]) {
    if let Ok(asked) = wallet.scan_picture(picture) {
        let _too_late = wallet.confirm(&asked.id);
    }
}

/// Bad luck that belongs to the scenario.
fn prepare(shop: &Shop, scenario: Scenario) {
    match scenario {
        Scenario::ScansTheScreen | Scenario::ShowsAPayCode => {}
        Scenario::ScansAndTheSlotJams => assert!(shop.scene.machine.jam("11")),
        Scenario::ShowsAPayCodeAndTheReplyIsLost => {
            shop.gateway().add_weather(Fault::DropReply.on(Method::Pay).times(1));
        }
        Scenario::ShowsAPayCodeAndCancelsInsteadOfConfirming => {
            shop.gateway().add_weather(Fault::BuyerConfirms);
        }
    }
}

/// One sale with a crash at one point. `false` when the sale was over before the point came.
async fn crash_at(scenario: Scenario, point: &str) -> bool {
    let mut shop = Shop::open_with(|_| {}, Some(("TILL_CRASH", point))).await;
    prepare(&shop, scenario);
    let picture = play(&mut shop, scenario).await;
    let crashed = shop.died_before_rest().await;
    if crashed {
        shop.restart().await;
        shop.until_rest().await;
        // A buyer who still holds the picture of the code may try once more.
        if let Some(picture) = picture {
            pay_by_picture(&shop.wallet(), &picture);
            shop.until_rest().await;
        }
    }
    let even = |ledger: &Ledger| ledger.net_fen() == shop.scene.worth_of_fallen_fen();
    shop.ledger_until(&format!("{scenario:?} killed {point}: as much money as goods"), even).await;
    let motors = shop.scene.machine.state().motor_starts();
    assert!(motors <= 1, "{scenario:?} killed {point}: the motor ran {motors} times");
    crashed
}

/// The same scenario, once for each entry of the journal and each side of its commit.
async fn crash_at_every_entry(scenario: Scenario) {
    let mut entries = 0;
    for entry in 1.. {
        let before = crash_at(scenario, &format!("before:{entry}")).await;
        let after = crash_at(scenario, &format!("after:{entry}")).await;
        if !before && !after {
            break;
        }
        entries = entry;
    }
    assert!(entries >= 4, "{scenario:?} has only {entries} entries: it was not played");
    println!("{scenario:?}: killed before and after each of {entries} entries");
}

#[tokio::test]
async fn killed_at_any_entry_of_a_sale_by_the_screen() {
    crash_at_every_entry(Scenario::ScansTheScreen).await;
}

#[tokio::test]
async fn killed_at_any_entry_of_a_sale_by_pay_code() {
    crash_at_every_entry(Scenario::ShowsAPayCode).await;
}

#[tokio::test]
async fn killed_at_any_entry_of_a_jam_and_its_refund() {
    crash_at_every_entry(Scenario::ScansAndTheSlotJams).await;
}

#[tokio::test]
async fn killed_at_any_entry_of_a_sale_whose_reply_is_lost() {
    crash_at_every_entry(Scenario::ShowsAPayCodeAndTheReplyIsLost).await;
}

#[tokio::test]
async fn killed_at_any_entry_of_a_sale_that_is_cancelled_on_the_way() {
    crash_at_every_entry(Scenario::ShowsAPayCodeAndCancelsInsteadOfConfirming).await;
}
