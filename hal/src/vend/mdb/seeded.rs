//! Evenings by seed: customers, payments that come late or wrong, and everything that breaks. After every event the
//! machine's own books are compared with what we said.

use std::time::Duration;

use super::bench::{Bench, MAKES, Make, board};
use crate::{
    board::MdbMode,
    event::{DeviceEvent, VendResult},
    sim::{
        dice::Dice,
        mdb::{
            Fault,
            vmc::{Act, VmcSpec},
        },
    },
    vend::Job,
};

/// Some ten sales each. By hand, thousands: raise it.
const EVENINGS: u64 = 300;
const EVENING: Duration = Duration::from_mins(8);
const SECOND: Duration = Duration::from_secs(1);

impl Dice {
    /// From zero to `seconds`, in milliseconds.
    fn within(&mut self, seconds: u64) -> Duration {
        Duration::from_millis(self.roll(seconds * 1000))
    }
}

/// What breaks in an evening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weather {
    /// Nothing but customers, jams, repeated words and lost ACKs: every outcome is known.
    Calm,
    /// Machine, adapter and cable fail at any time.
    Storm,
}

struct Evening {
    bench: Bench,
    dice: Dice,
    mode: MdbMode,
    make: Make,
    weather: Weather,
    name: String,
    jobs: u64,
    /// Payments that are on their way.
    paying: Vec<(Duration, Job)>,
    /// The job that has not ended, and the approvals that were out before it.
    open: Option<(u64, usize)>,
    jams: usize,
    last_cash: Duration,
}

fn machine(dice: &mut Dice, weather: Weather) -> VmcSpec {
    let calm = weather == Weather::Calm;
    VmcSpec {
        level: u8::try_from(1 + dice.roll(3)).unwrap(),
        expansion: !dice.one_in(4),
        always_idle: !dice.one_in(3),
        items: vec![(5, 350), (6, 500), (7, 120)],
        // A calm machine leaves it to us to give up: nothing crosses.
        patience: SECOND * if calm { 200 } else { 5 + u32::try_from(dice.roll(130)).unwrap() },
        gives_up_by_failure: dice.one_in(3),
        vends_after_cancel: dice.one_in(3),
        success_twice: dice.one_in(3),
        multivend: dice.one_in(3),
        poll: Duration::from_millis(250),
        motor: SECOND + dice.within(if calm { 60 } else { 140 }),
        ..VmcSpec::default()
    }
}

impl Evening {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let make = MAKES[usize::try_from(dice.roll(5)).unwrap()];
        let mode = if dice.one_in(3) { MdbMode::PayFirst } else { MdbMode::SelectFirst };
        let weather = if dice.one_in(3) { Weather::Calm } else { Weather::Storm };
        let vmc = machine(&mut dice, weather);
        // A text adapter does not say what was agreed: the board has to know.
        let agrees = vmc.level == 3 && vmc.always_idle && vmc.expansion;
        let mut spec = board(make, mode, agrees && make.can_idle());
        spec.mdb.result_within_s = 100;
        let name = format!("seed {seed} {make:?} {mode:?} {weather:?} {vmc:?}");
        let bench = Bench::new(make, &spec, vmc, dice.roll(u64::MAX));
        let (jobs, paying, open, jams) = (0, Vec::new(), None, 0);
        Self { bench, dice, mode, make, weather, name, jobs, paying, open, jams, last_cash: Duration::ZERO }
    }

    fn play(&mut self) {
        while self.bench.now < EVENING {
            self.pass(true);
        }
        self.paying.clear();
        if !self.bench.is_open {
            self.bench.plug();
        }
        // The weather clears: everything that was begun ends, and the machine sells again.
        let over = self.bench.now + Duration::from_mins(if self.weather == Weather::Calm { 4 } else { 9 });
        while self.bench.now < over {
            self.pass(false);
        }
        self.settled();
    }

    /// A little time, and what it brings.
    fn pass(&mut self, lively: bool) {
        let pause = self.dice.within(6);
        let until = self.bench.now + pause;
        let next = self.paying.iter().map(|(at, _)| *at).min().unwrap_or(until).min(until);
        let event = self.bench.next_event(next.saturating_sub(self.bench.now));
        let now = self.bench.now;
        if let Some(event) = event {
            self.on_event(&event, lively);
        } else if lively && now >= until {
            self.happen();
        }
        while let Some(index) = self.paying.iter().position(|(at, _)| *at <= now) {
            let (_, job) = self.paying.remove(index);
            self.give(job);
        }
        self.compare();
    }

    fn give(&mut self, job: Job) {
        if let (Job::Dispense { job, .. }, None) = (&job, self.open) {
            self.open = Some((*job, self.bench.approved.len()));
        }
        self.bench.want(job);
        if self.weather == Weather::Storm {
            self.cross();
        }
    }

    /// Trouble at the worst moment: while the approval is on its way, or just before the machine's word on the item.
    fn cross(&mut self) {
        let now = self.bench.now;
        let soon = now + Duration::from_millis(self.dice.roll(600));
        match self.dice.roll(12) {
            0 | 1 => self.bench.vmc().plan(soon, Act::Cancel),
            2 => self.bench.vmc().plan(soon, Act::Reset),
            3 => self.bench.adapter().fault(now, Fault::LoseIn),
            // Behind the ACK, where the adapter passes one up.
            4 | 5 => {
                self.bench.run(Duration::from_millis(600));
                let now = self.bench.now;
                self.bench.adapter().fault(now, Fault::LoseOut);
            }
            _ => {}
        }
    }

    fn dispense(&mut self, after: Duration, slot: &str, price: i64) {
        self.jobs += 1;
        let job = Job::Dispense { job: self.jobs, slot: slot.to_owned(), price };
        self.paying.push((self.bench.now + after, job));
    }

    fn on_event(&mut self, event: &DeviceEvent, lively: bool) {
        if let DeviceEvent::Chosen { slot, price } = event {
            self.on_chosen(slot.as_deref().unwrap_or_default(), price.unwrap_or(0), lively);
        } else if *event == DeviceEvent::ChoiceEnded && self.dice.one_in(2) {
            // The others have paid all the same.
            self.paying.clear();
        } else if let DeviceEvent::VendEnded { job, result, .. } = event {
            if self.open.is_some_and(|(open, _)| open == *job) {
                self.open = None;
            }
            if self.weather == Weather::Calm {
                assert_ne!(*result, VendResult::Unknown, "{}\n{:#?}", self.name, self.bench.events);
            }
        }
    }

    fn on_chosen(&mut self, slot: &str, price: i64, lively: bool) {
        let after = self.dice.within(100);
        match self.dice.roll(if lively { 10 } else { 1 }) {
            0 => self.paying.push((self.bench.now + after / 4, Job::TurnAway)),
            1 => self.dispense(after, slot, price + 10),
            2 => self.dispense(after, "A6", price),
            3 => {}
            _ => self.dispense(after, slot, price),
        }
    }

    /// Something that nobody of us has asked for.
    fn happen(&mut self) {
        match self.dice.roll(12) {
            0..=4 => {
                let item = [5, 6, 7, 9][usize::try_from(self.dice.roll(4)).unwrap()];
                if self.mode == MdbMode::PayFirst && self.open.is_none() && self.paying.is_empty() {
                    let credit = if self.dice.one_in(2) { 500 } else { 200 };
                    self.dispense(Duration::ZERO, "C5", credit);
                }
                self.bench.act(Act::Select(item));
            }
            5 if self.may_cross() => self.bench.act(Act::Cancel),
            6 if self.bench.now > self.last_cash + SECOND * 2 => {
                self.last_cash = self.bench.now;
                self.bench.act(Act::Cash(6));
            }
            7 => {
                self.jams += 1;
                self.bench.act(Act::Jam);
            }
            // A box repeats what was not acknowledged, and a DENIED that is repeated meets the next request.
            8 if self.weather == Weather::Storm || self.make == Make::Text => self.bench.act(Act::LoseAck),
            9 if self.may_cross() => {
                self.bench.act(Act::Disable);
                let back = self.bench.now + self.dice.within(30);
                self.bench.vmc().plan(back, Act::Enable);
            }
            10 | 11 if self.weather == Weather::Storm => self.storm(),
            _ => {}
        }
    }

    /// A calm customer presses the lever while nothing is paid or about to be.
    fn may_cross(&self) -> bool {
        self.weather == Weather::Storm || (self.open.is_none() && self.paying.is_empty())
    }

    fn storm(&mut self) {
        let now = self.bench.now;
        let noise = if self.make == Make::HexBlind { Fault::LoseOut } else { Fault::Noise };
        match self.dice.roll(8) {
            0 => self.bench.act(Act::Reset),
            1 => {
                let seconds = self.dice.roll(40);
                self.bench.act(Act::PowerOff(seconds));
            }
            2 => self.bench.adapter().fault(now, Fault::Reboot),
            3 => self.bench.adapter().fault(now, noise),
            4 => self.bench.adapter().fault(now, Fault::LoseOut),
            5 => self.bench.adapter().fault(now, Fault::LoseIn),
            6 if self.bench.is_open => self.bench.unplug(),
            _ if !self.bench.is_open => self.bench.plug(),
            _ => {}
        }
    }

    /// At every instant: no item without an approval, no approval without a job, no ending that the books do not bear.
    fn compare(&mut self) {
        let endings = self.bench.endings();
        let of = |wanted| endings.iter().filter(|(_, result, _)| *result == wanted).count();
        let (dropped, unknown) = (of(VendResult::Dropped), of(VendResult::Unknown));
        let given = self.bench.vmc().ledger().given.len();
        let approved = self.bench.approved.len();
        let story = || format!("{}\n{:#?}", self.name, self.bench.events);
        assert!(dropped <= given, "{dropped} dropped, {given} given\n{}", story());
        // One may have fallen and not been told yet.
        let open = usize::from(self.open.is_some());
        assert!(given <= dropped + unknown + open, "{given} given, {dropped} dropped, {unknown} unknown\n{}", story());
        assert!(given <= approved, "{given} given, {approved} approved\n{}", story());
        match self.open {
            Some((_, before)) => {
                // Pay-first: after a failure another selection may follow.
                let more = if self.mode == MdbMode::PayFirst { self.jams } else { 0 };
                assert!(approved <= before + 1 + more, "approved twice\n{}", story());
            }
            None => assert!(approved <= endings.len() + self.jams, "approved for nobody\n{}", story()),
        }
    }

    fn settled(&mut self) {
        self.compare();
        let mut ended: Vec<u64> = self.bench.endings().iter().map(|(job, ..)| *job).collect();
        let many = ended.len();
        ended.sort_unstable();
        ended.dedup();
        assert_eq!(ended.len(), many, "a job ended twice: {}\n{:#?}", self.name, self.bench.events);
        assert_eq!(self.open, None, "a job never ended: {}\n{:#?}", self.name, self.bench.events);
        let sold = self.bench.events.iter().filter(|(_, event)| matches!(event, DeviceEvent::CashSold { .. })).count();
        let booked = usize::try_from(self.bench.vmc().ledger().cash).unwrap();
        match self.weather {
            Weather::Calm => assert_eq!(sold, booked, "{}", self.name),
            Weather::Storm => assert!(sold <= booked, "{}", self.name),
        }
        self.sells_again();
    }

    fn sells_again(&mut self) {
        self.bench.act(Act::Enable);
        if self.make == Make::HexOwn {
            // Such a box tells once that we are enabled. If that was lost, the advice helps: off and on.
            self.bench.act(Act::PowerOff(2));
            self.bench.run(SECOND * 10);
        }
        let credits = if self.mode == MdbMode::PayFirst { 2 } else { 0 };
        for job in 0..credits {
            // The first may be what the last fault was waiting for.
            self.bench.run(SECOND);
            self.bench.dispense(1_000_000 + job, "C5", 500);
            if self.bench.opens(SECOND * 70) {
                return;
            }
        }
        let opens = self.bench.opens(Duration::from_mins(3));
        let vmc = format!("{:?}", self.bench.vmc());
        assert!(opens, "nothing is sold any more: {}\n{vmc}\n{:?}", self.name, self.bench.events);
    }
}

#[test]
fn whatever_happens_the_books_of_the_machine_and_ours_agree() {
    let mut told = [0; 3];
    for seed in 0..EVENINGS {
        let mut evening = Evening::new(seed);
        evening.play();
        for (_, result, _) in evening.bench.endings() {
            told[result as usize] += 1;
        }
    }
    // Evenings in which nothing is sold prove nothing.
    assert!(told.iter().all(|times| *times > EVENINGS / 10), "{told:?}");
}
