//! The table of slots says what the engine believes, and is never worth an entry.

use std::collections::BTreeMap;

use payment::channel::outcome::{CodeAnswer, Details, DutyOutcome, Outcome, Receipt, RefundOutcome, Reversal};
use payment::channel::route::Routes;
use payment::channel::{Answer, ChannelId, Request};
use payment::engine::Engine;
use payment::engine::effect::Effect;
use payment::engine::entry::{Item, OrderState, Origin, SlotId, Stored, VendResult, WhoScans};
use payment::engine::faults::Fault;
use payment::engine::input::{Input, NewOrder};
use payment::engine::settings::{Product, Settings};
use payment::engine::slots::{SlotCount, SlotNews};
use payment::ids::IdMint;
use payment::money::Fen;
use payment::time::{Mono, Now, Wall};
use rusqlite::Connection;

use super::fixture::{Place, START_MS, going_on, opened, whole};
use super::verify::verify;
use super::{Journal, slots};

fn slot(name: &str) -> SlotId {
    SlotId::new(name).unwrap()
}

fn table(place: &Place) -> BTreeMap<SlotId, SlotCount> {
    slots::recover(&Connection::open(&place.path).unwrap()).into_iter().collect()
}

const DROPPED: SlotNews = SlotNews::Dropped;

fn fails(locks: bool) -> SlotNews {
    SlotNews::Failed { locks }
}

#[tokio::test]
async fn what_an_entry_means_for_a_slot_is_kept_with_it_and_read_at_the_next_start() {
    let place = Place::new();
    let journal = place.open().journal;
    journal.keep_slot(slot("A1"), SlotCount { stock: Some(3), ..SlotCount::default() }).await.unwrap();
    journal.append_with(vec![opened(1)], vec![(slot("A1"), DROPPED), (slot("A2"), fails(false))]).await.unwrap();
    journal.append_with(vec![opened(2)], vec![(slot("A2"), fails(true)), (slot("A3"), DROPPED)]).await.unwrap();
    drop(journal);
    let known: BTreeMap<_, _> = place.open().slots.into_iter().collect();
    let expected = [
        (slot("A1"), SlotCount { stock: Some(2), failures: 0, locked: false }),
        (slot("A2"), SlotCount { stock: None, failures: 2, locked: true }),
    ];
    assert_eq!(known, expected.into(), "of A3 nothing is known");
}

#[tokio::test]
async fn a_batch_that_is_refused_changes_no_slot() {
    let place = Place::new();
    let journal = place.open().journal;
    journal.append(vec![opened(1)]).await.unwrap();
    journal.append_with(vec![opened(2), opened(1)], vec![(slot("A1"), fails(true))]).await.unwrap_err();
    assert!(table(&place).is_empty());
}

#[tokio::test]
async fn a_slot_of_which_nothing_is_known_any_more_leaves_no_row() {
    let place = Place::new();
    let journal = place.open().journal;
    journal.keep_slot(slot("A1"), SlotCount { stock: Some(0), ..SlotCount::default() }).await.unwrap();
    assert_eq!(table(&place).len(), 1);
    journal.keep_slot(slot("A1"), SlotCount::default()).await.unwrap();
    assert!(table(&place).is_empty());
}

#[tokio::test]
async fn a_damaged_table_costs_its_counts_and_no_entry() {
    let damages = [
        "DROP TABLE slots",
        "ALTER TABLE slots RENAME COLUMN stock TO stack",
        "DROP TABLE slots; CREATE TABLE slots (slot TEXT PRIMARY KEY, stock, failures, locked, more NOT NULL)",
        "DROP TABLE tallies",
        "DROP TABLE tally_resets",
        "UPDATE tallies SET number = 9223372036854775807",
    ];
    for damage in damages {
        let place = Place::new();
        let journal = place.open().journal;
        journal.append(whole(1)).await.unwrap();
        journal.with_connection(move |connection| connection.execute_batch(damage).unwrap()).await;
        let places = journal.append_with(whole(2), vec![(slot("A1"), fails(true))]).await.unwrap();
        assert_eq!(places.len(), 13, "{damage}");
        drop(journal);
        let report = verify(&place.path, None).unwrap();
        assert!(report.is_sound() && report.entries == 26, "{damage}: {:?}", report.faults);
        let again = place.open();
        again.journal.append_with(going_on(3), vec![(slot("A2"), fails(true))]).await.unwrap();
        if damage.contains(" slots") && !damage.contains("more") {
            assert_eq!(table(&place).keys().collect::<Vec<_>>(), [&slot("A2")], "{damage}: made anew");
        }
    }
}

#[tokio::test]
async fn rows_that_make_no_sense_are_not_believed_and_the_journal_opens() {
    let place = Place::new();
    drop(place.open());
    let connection = Connection::open(&place.path).unwrap();
    connection.execute_batch("INSERT INTO slots VALUES ('no slot!', 1, 0, 0)").unwrap();
    drop(connection);
    assert!(place.open().slots.is_empty());
    assert!(place.open().journal.keep_slot(slot("1"), SlotCount { failures: 1, ..SlotCount::default() }).await.is_ok());
    assert_eq!(place.open().slots.len(), 1);
}

// ---- the engine and the table ----

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }

    fn slot(&mut self) -> SlotId {
        slot(["11", "12"][usize::try_from(self.roll(2)).unwrap()])
    }
}

/// A terminal with a real journal, a channel where every code is paid at once, and a machine that does as the dice say.
struct Life {
    place: Place,
    journal: Journal,
    engine: Engine,
    at: u64,
    runs: u8,
    dice: Dice,
    /// Motors that died with the process, dropped or not.
    died: u32,
    sold_out: u32,
    locked: u32,
}

fn settings(lock_slot_after: u32) -> Settings {
    let product = |name: &str| Product { code: name.into(), name: name.into(), price: Fen::new(200) };
    Settings {
        products: ["11", "12"].map(|name| (slot(name), product(name))).into(),
        channels: vec![ChannelId::Alipay],
        routes: Routes::default_for(&[ChannelId::Alipay]),
        who_scans: WhoScans::BuyerScans,
        lock_slot_after,
        ..Settings::default()
    }
}

fn basket(slots: &[SlotId]) -> NewOrder {
    let item = |slot: &SlotId| Item {
        slot: Some(slot.clone()),
        code: "g".to_owned(),
        name: "Goods".to_owned(),
        price: Fen::new(200),
    };
    let items: Vec<Item> = slots.iter().map(item).collect();
    NewOrder {
        origin: Origin::Api,
        amount: items.iter().map(|item| item.price).sum(),
        items,
        subject: None,
        who_scans: WhoScans::BuyerScans,
        pay_within_ms: None,
        down_payment: Fen::ZERO,
        periods: None,
        reference: None,
        idempotency: None,
    }
}

impl Life {
    fn begin(seed: u64) -> Self {
        let (place, mut dice) = (Place::new(), Dice(seed));
        let journal = place.open().journal;
        let lock_after = 1 + u32::try_from(dice.roll(3)).unwrap();
        let engine = Engine::restore(settings(lock_after), IdMint::new([0; 32]), now(0), &[], Vec::new());
        Self { place, journal, engine, at: 0, runs: 0, dice, died: 0, sold_out: 0, locked: 0 }
    }

    async fn input(&mut self, input: Input) -> bool {
        let taken = self.engine.handle(now(self.at), input);
        if let Err(refused) = &taken {
            self.sold_out += u32::from(matches!(refused, payment::engine::input::Refused::SoldOut(_)));
            self.locked += u32::from(matches!(refused, payment::engine::input::Refused::SlotBlocked(_)));
        }
        while let Some(effect) = self.engine.poll_effect() {
            let input = match effect {
                Effect::Record(batch) => {
                    let slots = batch.iter().flat_map(|record| record.slots.clone()).collect();
                    let entries = batch.into_iter().map(|record| super::NewEntry {
                        at: record.at,
                        entry: record.entry,
                        state: record.state,
                    });
                    self.journal.append_with(entries.collect(), slots).await.unwrap();
                    Input::Recorded
                }
                Effect::ProbeJournal => Input::Recorded,
                Effect::Call(call) => Input::Answered { call: call.id, answer: self.channel(&call.request) },
                Effect::Vend(vend) => {
                    if self.dice.roll(8) == 0 {
                        self.died += 1;
                        self.restart();
                        continue;
                    }
                    let results = [VendResult::Dropped, VendResult::NotDropped, VendResult::Unknown];
                    let result = results[usize::try_from(self.dice.roll(5).saturating_sub(2)).unwrap()];
                    Input::Vended { job: vend.job, result, drops: None, taken: None }
                }
                Effect::ArmScanner(_)
                | Effect::Lamp(_)
                | Effect::Beep(_)
                | Effect::TurnAway
                | Effect::Raised(_)
                | Effect::Cleared(_) => continue,
            };
            self.engine.handle(now(self.at), input).unwrap();
        }
        taken.is_ok()
    }

    fn channel(&self, request: &Request) -> Answer {
        let amount = self.engine.order_at_machine().and_then(|order| self.engine.order(order));
        let receipt = Receipt {
            trade_no: "T1".into(),
            amount: amount.map_or(Fen::ZERO, |order| order.amount),
            paid_at: None,
            buyer: None,
            details: Details::default(),
        };
        match request {
            Request::ShowCode(_) => Answer::Code(CodeAnswer::Ready("https://qr.alipay.com/bax0000".into())),
            Request::TakeCode(..) | Request::Query(_) => Answer::Payment(Outcome::Paid(receipt)),
            Request::Cancel(_) | Request::Close(_) => Answer::Reversal(Reversal::Closed),
            Request::Refund(_) | Request::RefundQuery(_) => Answer::Refund(RefundOutcome::Done),
            Request::Duty(_) => Answer::Duty(DutyOutcome::Done),
            Request::Probe => Answer::Reachable(true),
        }
    }

    fn restart(&mut self) {
        let settings = self.engine.settings().clone();
        // The lock of the old run ends with it.
        self.journal = Place::new().open().journal;
        let opened = self.place.open();
        self.runs += 1;
        self.at += 1_000;
        let open: &[Vec<Stored>] = &opened.open_orders;
        self.engine = Engine::restore(settings, IdMint::new([self.runs; 32]), now(self.at), open, opened.spent);
        for (slot, count) in opened.slots {
            self.engine.handle(now(self.at), Input::Slot { slot, count }).unwrap();
        }
        self.journal = opened.journal;
    }

    async fn run(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.at += 1_000;
            self.input(Input::Timer).await;
        }
    }

    async fn technician(&mut self, slot: SlotId, count: SlotCount, input: Input) {
        self.journal.keep_slot(slot, count).await.unwrap();
        self.input(input).await;
    }

    async fn step(&mut self) {
        let slot = self.dice.slot();
        let count = self.engine.slot(&slot);
        match self.dice.roll(10) {
            0 => self.restart(),
            1 => {
                let stock = [None, Some(0), Some(1), Some(4)][usize::try_from(self.dice.roll(4)).unwrap()];
                let count = SlotCount { stock, ..count };
                self.technician(slot.clone(), count, Input::Slot { slot, count }).await;
            }
            2 => self.technician(slot.clone(), count.cleared(), Input::Clear(Fault::Slot(slot))).await,
            3 => drop(self.input(Input::CashSale(Box::new(basket(&[slot.clone(), slot])))).await),
            _ => {
                let other = self.dice.slot();
                let items = if self.dice.roll(3) == 0 { vec![slot, other] } else { vec![slot] };
                self.input(Input::Open(Box::new(basket(&items)))).await;
                self.run(8).await;
            }
        }
    }

    fn agrees(&self) {
        let engine: BTreeMap<_, _> = self.engine.slots().map(|(slot, count)| (slot.clone(), *count)).collect();
        assert_eq!(engine, table(&self.place));
        for (slot, count) in engine {
            let stands = self.engine.faults().any(|fault| *fault == Fault::Slot(slot.clone()));
            assert_eq!(stands, count.locked, "{slot}");
        }
    }
}

fn now(at: u64) -> Now {
    let ms = START_MS + i64::try_from(at).unwrap();
    Now { mono: Mono(at), wall: Wall { ms, trusted: true } }
}

#[tokio::test]
async fn after_sales_failures_refills_clears_and_restarts_the_table_and_the_engine_agree() {
    let (mut died, mut sold_out, mut locked, mut delivered) = (0, 0, 0, 0);
    for seed in 0..12 {
        println!("seed {seed}");
        let mut life = Life::begin(seed);
        for _ in 0..40 {
            life.step().await;
            life.agrees();
        }
        life.run(200).await;
        life.agrees();
        let filter = super::view::ListFilter { state: Some(OrderState::Completed), ..Default::default() };
        delivered += life.journal.reader().list(filter).await.unwrap().len();
        (died, sold_out, locked) = (died + life.died, sold_out + life.sold_out, locked + life.locked);
    }
    assert!(died > 10 && sold_out > 10 && locked > 10 && delivered > 50, "{died} {sold_out} {locked} {delivered}");
}
