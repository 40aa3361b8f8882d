//! One life of a terminal: customers come and go, things go wrong, and at the end the books are added up. Everything is
//! drawn from the seed.

use std::collections::BTreeSet;

use payment::engine::entry::WhoScans;
use payment::engine::input::{Input, Key};

use super::codes::voucher_settings;
use super::fair::{fair, settings};
use super::ledger::Wallet;
use super::log::Log;
use super::network::Weather;
use super::people::{SLOTS, slot};
use super::tally::Tally;
use super::trouble::Climate;
use super::verdict::{Violation, Wrong, judged};
use super::world::{DAY, World};
use crate::dice::Dice;

const WHO: [WhoScans; 3] = [WhoScans::BuyerScans, WhoScans::MerchantScans, WhoScans::Either];

/// What a life was.
pub struct Lived {
    /// Orders that were opened.
    pub orders: u64,
    /// What was done to the terminal.
    pub tally: Tally,
    /// How many events there were.
    pub events: u64,
    /// The hash over all of them, when one was wanted.
    pub hash: Option<String>,
    /// The codes that the channels said, as [`Interface::name`](super::failures::Interface::name) has them.
    pub said: BTreeSet<String>,
    /// How it was ended early.
    pub violation: Option<Violation>,
}

impl Lived {
    /// What this life broke, and what it would have cost, when these errors were logged meanwhile: what ended it comes
    /// first.
    #[must_use]
    pub fn broke(&self, errors: &[String]) -> Vec<(Wrong, String)> {
        let ended = self.violation.as_ref().map(|violation| (violation.wrong, violation.what.clone()));
        let count = errors.len();
        let words = |first| format!("{count} times ERROR in the log, by this life or by one beside it: {first}");
        ended.into_iter().chain(errors.first().map(|first| (Wrong::Broken, words(first)))).collect()
    }
}

/// Lives the life of this seed.
#[must_use]
pub fn live(seed: u64, log: Log) -> Lived {
    let mut dice = Dice::new(seed);
    let counter = *dice.pick(&[None, Some(0), Some(0)]);
    let takes_codes = dice.one_in(2);
    let settings = settings(*dice.pick(&WHO), takes_codes.then(voucher_settings));
    let settings = fair(&mut dice, settings);
    let climate = *dice.pick(&Climate::ALL);
    let mut world = None;
    let judgement = judged(|| {
        let world = world.insert(World::new(dice, log, settings, counter));
        world.note(|| format!("seed {seed}, {climate:?}, counter {counter:?}"));
        let orders = 10 + world.dice.roll(30);
        for _ in 0..2 * orders {
            if world.memory.order_count() >= orders {
                break;
            }
            world.visit(climate);
        }
        world.clear_up();
        world.judge();
    });
    let violation = judgement.err();
    let Some(mut world) = world else {
        return Lived { orders: 0, tally: Tally::default(), events: 0, hash: None, said: BTreeSet::new(), violation };
    };
    if let Some(violation) = &violation {
        world.note(|| format!("{:?}: {}", violation.wrong, violation.what));
    }
    let (events, hash) = (world.log.events(), world.log.hash());
    let orders = world.memory.order_count();
    let said = world.channels.iter().flat_map(|channel| channel.said.iter().cloned()).collect();
    Lived { orders, tally: world.tally, events, hash, said, violation }
}

impl World {
    /// A customer comes.
    fn visit(&mut self, climate: Climate) {
        let who_scans = *self.dice.pick(&WHO);
        let taken = match self.dice.roll(6) {
            0 => self.orders_basket(who_scans),
            1 => self.orders_bare(who_scans),
            _ => {
                let slot = *self.dice.pick(&SLOTS);
                self.buys(slot)
            }
        };
        if taken.is_err() {
            return self.wait_for_better(climate);
        }
        self.pause(climate);
        for _ in 0..=self.dice.roll(3) {
            self.customer_acts();
            self.pause(climate);
        }
        let ms = *self.dice.pick(&[1_000, 4_000, 4_000, 10_000, 30_000, 100_000, 400_000]);
        self.run(ms);
        self.syncs();
        if self.dice.one_in(25) {
            let ms = *self.dice.pick(&[3_600_000, DAY, 5 * DAY]);
            self.run(ms);
        }
    }

    fn customer_acts(&mut self) {
        match self.dice.roll(26) {
            0..=3 => self.scans_and_pays(),
            4 => drop(self.scans()),
            5 | 6 => {
                if let Some(attempt) = self.scans() {
                    let ms = *self.dice.pick(&[500, 3_500, 20_000, 70_000]);
                    self.run(ms);
                    self.confirms(attempt);
                }
            }
            7..=9 => {
                let wallet = self.some_wallet();
                let _answer = self.shows_pay_code(wallet);
            }
            10 | 11 => self.phone_goes_on(),
            12 => drop(self.input(Input::Key(Key::Cancel))),
            13 => self.mashes_keys(),
            14 => self.gives_code(),
            15..=17 => self.shows_code(),
            18 => self.sells_for_cash(),
            19 | 20 => self.confirms_at_the_last_moment(),
            21 | 22 => self.chooses_instalments(),
            23 | 24 => self.pays_every_code(),
            _ => self.shows_odd_line(),
        }
    }

    /// The buyer holds the phone for as long as a pay code may be confirmed, and a little longer, and then pays.
    fn confirms_at_the_last_moment(&mut self) {
        if self.dice.one_in(2) {
            self.channels.iter_mut().for_each(|channel| channel.mood.refuses_cancels = 1);
            self.channels.set_weather(Weather { late: 50, ..Weather::default() });
        }
        let _answer = self.shows_pay_code(Wallet::Confirms);
        let ms = 58_000 + self.dice.roll(20_000);
        self.run(ms);
        for attempt in self.channels.payable() {
            self.confirms(attempt);
        }
    }

    /// A little time passes, and perhaps something happens meanwhile.
    fn pause(&mut self, climate: Climate) {
        let often = if climate == Climate::Calm { 12 } else { 4 };
        if self.dice.one_in(often) {
            self.trouble(climate);
        }
        match self.dice.roll(24) {
            0 | 3 => self.operates(),
            4 | 5 => self.decides(),
            1 => self.lands_despite_close(),
            2 => self.phone_goes_on(),
            _ => {}
        }
        let ms = *self.dice.pick(&[0, 40, 150, 300, 1_000, 3_000, 9_000]);
        self.run(ms);
    }

    /// The machine does not sell: time passes, and most often it becomes better.
    fn wait_for_better(&mut self, climate: Climate) {
        let ms = *self.dice.pick(&[5_000, 30_000, 120_000, 700_000]);
        self.run(ms);
        match self.dice.roll(4) {
            0 => self.trouble(climate),
            1 => {}
            _ => self.becomes_better(),
        }
    }

    fn becomes_better(&mut self) {
        self.channels.mend_ways();
        self.channels.iter_mut().for_each(|channel| channel.mood.refuses_setup = false);
        self.trusted = true;
        self.mend_disk();
        self.devices_up();
        for name in SLOTS {
            self.machine.jammed.remove(&slot(name));
            let _taken = self.input(Input::Clear(payment::engine::faults::Fault::Slot(slot(name))));
        }
        let _taken = self.input(Input::Clear(payment::engine::faults::Fault::SwitchedOff));
    }
}
