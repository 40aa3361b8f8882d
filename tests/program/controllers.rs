//! Sales through a vending controller: the shipped daemon and its driver at a real pseudo-terminal, with the model of the
//! machine's own controller at the other end. The model counts its motors, so a second run for one payment is found.

use std::time::Duration;

use hal::sim::mdb::Adapter;
use hal::sim::mdb::text_adapter::TextAdapter;
use hal::sim::mdb::vmc::{Act, Vmc, VmcSpec};
use hal::sim::motor::{RtuBoard, RunFate, Speech};
use hal::sim::port::{Device, SimPort};
use hal::sim::xy::{Fate, XyMachine, XySlot};
use payment::engine::entry::{CancelledBy, Ending, Origin, VendResult};
use payment::engine::record::{OrderRecord, VendRecord};
use payment::engine::view::View;
use sandbox::{Ledger, Scanned, TradeState};
use till::journal::verify::verify;
use till::journal::view::Reader;

use crate::shop::{Shop, WATER, within};

/// What the machine asks for slot 11 where it names the price: not what `till.toml` says.
const MACHINES_PRICE: u16 = 350;

/// A controller with slot 11.
trait Controller: Device + Sized {
    /// Its `kind` and section in the board file.
    const KIND: &'static str;
    /// What its section says besides the port.
    const SECTION: &'static str = "";
    /// What slot 11 costs here, in fen.
    const PRICE: i64 = MACHINES_PRICE as i64;
    const ORIGIN: Origin = Origin::Machine;

    fn new() -> Self;
    /// The buyer presses the key of slot 11.
    async fn choose(bench: &Bench<Self>);
    /// The next item does not fall.
    fn jam(&mut self, now: Duration);
    /// How many motors were started.
    fn started(&mut self) -> usize;
    /// How many items fell.
    fn fell(&mut self) -> usize;
}

impl Controller for TextAdapter {
    const KIND: &'static str = "mdb";

    fn new() -> Self {
        let second = Duration::from_secs(1);
        let quick = VmcSpec { motor: 2 * second, poll: second / 100, ..VmcSpec::default() };
        Self::new(Vmc::new(VmcSpec { items: vec![(11, MACHINES_PRICE)], ..quick }))
    }

    async fn choose(bench: &Bench<Self>) {
        bench.until("a machine that takes selections", |adapter| adapter.vmc().takes_selections()).await;
        bench.port.with(|adapter, now| adapter.vmc().plan(now, Act::Select(11)));
    }

    fn jam(&mut self, now: Duration) {
        self.vmc().plan(now, Act::Jam);
    }

    fn started(&mut self) -> usize {
        self.vmc().ledger().approvals as usize
    }

    fn fell(&mut self) -> usize {
        self.vmc().ledger().given.len()
    }
}

impl Controller for XyMachine {
    const KIND: &'static str = "xy";

    fn new() -> Self {
        Self::new([(11, XySlot { price: MACHINES_PRICE.into(), stock: 3, ..XySlot::default() })].into())
    }

    async fn choose(bench: &Bench<Self>) {
        bench.port.with(|machine, _| machine.choose(11));
    }

    fn jam(&mut self, _: Duration) {
        self.script(11, Fate::Jams);
    }

    fn started(&mut self) -> usize {
        self.turned().len()
    }

    fn fell(&mut self) -> usize {
        XyMachine::fell(self).len()
    }
}

/// A board that drives motors and knows neither buyers nor prices: the slot is typed at the terminal.
impl Controller for RtuBoard {
    const KIND: &'static str = "modbus";
    const SECTION: &'static str = "late_ms = 100";
    const PRICE: i64 = WATER;
    const ORIGIN: Origin = Origin::Keypad;

    fn new() -> Self {
        Self::new(Speech::Registers)
    }

    async fn choose(bench: &Bench<Self>) {
        bench.shop.choose("11");
    }

    fn jam(&mut self, _: Duration) {
        self.script_run(RunFate::Jams);
    }

    fn started(&mut self) -> usize {
        self.turned().len()
    }

    fn fell(&mut self) -> usize {
        RtuBoard::fell(self).len()
    }
}

/// A shop whose machine has a controller of its own.
struct Bench<C> {
    shop: Shop,
    port: SimPort<C>,
    _dir: tempfile::TempDir,
}

impl<C: Controller> Bench<C> {
    async fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("controller");
        let port = SimPort::start(&path, C::new()).unwrap();
        let (kind, more) = (C::KIND, C::SECTION);
        let vend = format!(
            "[vend]\nkind = \"{kind}\"\n[vend.{kind}]\npath = \"{}\"\n{more}\n[[vend.slots]]\nname = \"11\"\n",
            path.display()
        );
        let shop = Shop::open_with(|options| options.vend = Some(vend), None).await;
        Self { shop, port, _dir: dir }
    }

    /// Waits until the controller is as wished.
    async fn until(&self, what: &str, wished: impl FnMut(&mut C) -> bool) {
        within(what, self.port.until(wished)).await;
    }

    /// The buyer chooses, and the phone reads the code.
    async fn choose_and_scan(&self) -> (String, Scanned) {
        C::choose(self).await;
        let asked = self.shop.wallet().scan_picture(&self.shop.code_on_screen().await).unwrap();
        assert_eq!(asked.amount_fen, C::PRICE);
        (self.shop.newest_order().await, asked)
    }

    /// The buyer chooses and pays; the order's number.
    async fn buy(&self) -> String {
        let (order, asked) = self.choose_and_scan().await;
        self.shop.wallet().confirm(&asked.id).unwrap();
        order
    }

    fn counts(&self) -> (usize, usize) {
        self.port.with(|controller, _| (controller.started(), controller.fell()))
    }

    /// The order as the journal has it. The journal is whole, and says of the money what the gateway says.
    async fn in_the_books(&self, order: &str) -> OrderRecord {
        let path = &self.shop.scene.journal_path;
        assert_eq!(verify(path, None).unwrap().faults, []);
        let reader = Reader::open(path).unwrap();
        let (audit, ledger) = (reader.audit().await.unwrap(), self.shop.gateway().ledger());
        let journal = (audit.paid().ever.amount.get(), audit.refunded().ever.amount.get());
        assert_eq!(
            journal,
            (ledger.charged_fen(), ledger.refunded_fen()),
            "(paid, refunded) in the journal, at the gateway"
        );
        let entries = reader.order(order).await.unwrap().unwrap().entries;
        let record = OrderRecord::from_entries(&entries).unwrap();
        assert_eq!((record.origin, record.amount.get(), record.items.len()), (C::ORIGIN, C::PRICE, 1));
        record
    }
}

/// One sale. When it is over, so many motors were started and so many items fell since the machine was switched on.
async fn sells<C: Controller>(bench: &Bench<C>, starts: usize, falls: usize) {
    let order = bench.buy().await;
    let said = bench.shop.order_until(&order, &["completed"]).await;
    assert_eq!(said["amount"], C::PRICE);
    assert_eq!(bench.counts(), (starts, falls));
    let record = bench.in_the_books(&order).await;
    assert_eq!(
        (record.ending, record.items[0].vend),
        (Some(Ending::Delivered), VendRecord::Ended(VendResult::Dropped))
    );
    assert_eq!((record.paid().get(), record.refunded().get()), (C::PRICE, 0));
}

async fn sells_one<C: Controller>() {
    let bench = Bench::<C>::open().await;
    sells(&bench, 1, 1).await;
    assert_eq!(bench.shop.gateway().ledger().net_fen(), C::PRICE);
}

async fn gives_back_what_did_not_fall<C: Controller>() {
    let bench = Bench::<C>::open().await;
    bench.port.with(C::jam);
    let order = bench.buy().await;
    bench.shop.order_until(&order, &["refunded"]).await;
    assert_eq!(bench.counts(), (1, 0));
    let record = bench.in_the_books(&order).await;
    assert_eq!(record.items[0].vend, VendRecord::Ended(VendResult::NotDropped));
    assert_eq!((record.paid().get(), record.refunded().get()), (C::PRICE, C::PRICE));
    assert_eq!(bench.shop.gateway().ledger().net_fen(), 0);

    // The machine waits for nothing any more.
    bench.shop.until_free().await;
    sells(&bench, 2, 1).await;
}

/// The motor turns on and its item falls while nobody listens: nobody can tell, so the money goes back.
async fn does_not_turn_twice_for_a_killed_daemon<C: Controller>() {
    let mut bench = Bench::<C>::open().await;
    let order = bench.buy().await;
    bench.until("the motor", |controller| controller.started() == 1).await;
    bench.shop.daemon.kill().await.unwrap();
    assert_eq!(bench.counts(), (1, 0), "killed while it vends");

    bench.shop.restart().await;
    bench.shop.order_until(&order, &["refunded"]).await;
    let record = bench.in_the_books(&order).await;
    assert_eq!(record.items[0].vend, VendRecord::Ended(VendResult::Unknown));
    assert_eq!((record.paid().get(), record.refunded().get()), (C::PRICE, C::PRICE));
    assert_eq!(bench.shop.gateway().ledger().net_fen(), 0);
    bench.until("the item", |controller| controller.fell() == 1).await;
    assert_eq!(bench.counts(), (1, 1));

    bench.shop.until_free().await;
    sells(&bench, 2, 2).await;
    assert_eq!(bench.shop.gateway().ledger().net_fen(), C::PRICE);
}

/// The phone has read the code and asks its owner, who walks away from the machine.
async fn does_not_charge_who_gives_up_at_the_machine<C: Controller>(give_up: fn(&mut C, Duration)) {
    let bench = Bench::<C>::open().await;
    let (order, asked) = bench.choose_and_scan().await;
    bench.port.with(give_up);
    bench.shop.until_shown("the invitation", &View::Idle { codes_only: None }).await;
    // Its code is watched until it is dead, but the channel closed it already.
    bench.shop.order_until(&order, &["cancelling", "cancelled"]).await;
    let is_closed = |ledger: &Ledger| ledger.trades.iter().all(|trade| trade.state == TradeState::TradeClosed);
    bench.shop.ledger_until("the closed code", is_closed).await;
    assert!(bench.shop.wallet().confirm(&asked.id).is_err(), "the code of a buyer who gave up could still be paid");
    assert_eq!((bench.counts(), bench.shop.gateway().ledger().charged_fen()), ((0, 0), 0));
    let record = bench.in_the_books(&order).await;
    assert_eq!((record.cancelled, record.paid().get()), (Some(CancelledBy::Buyer), 0));

    bench.shop.until_free().await;
    sells(&bench, 1, 1).await;
}

#[tokio::test]
async fn a_machine_with_mdb_sells_at_its_own_price() {
    sells_one::<TextAdapter>().await;
}

#[tokio::test]
async fn a_machine_with_mdb_that_fails_to_vend_gives_the_money_back() {
    gives_back_what_did_not_fall::<TextAdapter>().await;
}

#[tokio::test]
async fn a_buyer_who_pulls_the_return_lever_is_not_charged() {
    does_not_charge_who_gives_up_at_the_machine::<TextAdapter>(|adapter, now| {
        adapter.vmc().plan(now, Act::Cancel);
    })
    .await;
}

#[tokio::test]
async fn a_machine_with_mdb_gets_no_second_approval_from_a_daemon_that_was_killed() {
    does_not_turn_twice_for_a_killed_daemon::<TextAdapter>().await;
}

#[tokio::test]
async fn an_xy_machine_sells_at_its_own_price() {
    sells_one::<XyMachine>().await;
}

#[tokio::test]
async fn an_xy_machine_that_jams_gives_the_money_back() {
    gives_back_what_did_not_fall::<XyMachine>().await;
}

#[tokio::test]
async fn a_buyer_who_presses_cancel_at_an_xy_machine_is_not_charged() {
    does_not_charge_who_gives_up_at_the_machine::<XyMachine>(|machine, _| machine.choose(0)).await;
}

#[tokio::test]
async fn an_xy_machine_is_not_driven_again_by_a_daemon_that_was_killed() {
    does_not_turn_twice_for_a_killed_daemon::<XyMachine>().await;
}

#[tokio::test]
async fn a_motor_board_with_a_drop_sensor_sells() {
    sells_one::<RtuBoard>().await;
}

#[tokio::test]
async fn a_motor_board_whose_motor_jams_gives_the_money_back() {
    gives_back_what_did_not_fall::<RtuBoard>().await;
}

#[tokio::test]
async fn a_motor_board_is_not_run_again_by_a_daemon_that_was_killed() {
    does_not_turn_twice_for_a_killed_daemon::<RtuBoard>().await;
}
