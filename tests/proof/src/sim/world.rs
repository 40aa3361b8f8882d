//! A terminal and everything around it, on virtual time: what the daemon, the network, the machine and the clock do.

use std::collections::BTreeMap;

use payment::channel::outcome::{Doubt, DoubtKind};
use payment::channel::{Answer, ChannelId, Request};
use payment::engine::Engine;
use payment::engine::effect::{Call, CallId, Effect, JobId, Record, Vend, VendWhat};
use payment::engine::entry::{Entry, Stored, VendResult};
use payment::engine::faults::Fault;
use payment::engine::input::{Done, Input, Refused};
use payment::engine::settings::Settings;
use payment::engine::view::View;
use payment::ids::{AttemptId, IdMint};
use payment::time::{Mono, Now, Wall};

use super::channel::name_of;
use super::channels::Channels;
use super::codes::codes_of_a_life;
use super::death::Death;
use super::hub::Hub;
use super::log::Log;
use super::machine::{FALL_MS, Machine, Run};
use super::memory::Memory;
use super::network::Fate;
use super::store::{Disk, Store};
use super::tally::Tally;
use super::verdict::{Wrong, must, violated};
use crate::dice::Dice;

/// A day, in milliseconds.
pub const DAY: u64 = 24 * 3_600_000;

/// One input leads to fewer effects than this.
const EFFECTS_MAX: u32 = 400;

/// In fine weather everything rests within this: a refund that failed again and again waits for days.
const REST_WITHIN_MS: u64 = 60 * DAY;

/// When a life begins: a day in 2026.
pub const BEGIN_MS: i64 = 1_790_000_000_000;

/// How long the daemon's client waits for a channel's answer.
const CALL_TIMEOUT_MS: u64 = 10_000;

/// What has been set in motion and comes later.
#[derive(Debug, Clone)]
pub enum Coming {
    /// A request arrives at the channel.
    Arrival {
        /// Which call.
        call: CallId,
        /// Which channel.
        channel: ChannelId,
        /// What is asked.
        request: Request,
        /// When it was sent.
        sent: u64,
        /// Whether somebody still waits for the reply.
        reply: bool,
        /// Whether the reply arrives as something that cannot be used.
        garbled: Option<DoubtKind>,
    },
    /// An answer arrives at the terminal.
    Reply(CallId, Answer),
    /// The motor of this job is done.
    MotorDone(JobId),
    /// The machine and the scanner report after a start.
    DevicesUp,
}

/// The world.
pub struct World {
    /// All chance in it.
    pub dice: Dice,
    /// Its log.
    pub log: Log,
    /// What was done to it.
    pub tally: Tally,
    /// The terminal's engine.
    pub engine: Engine,
    /// The terminal's settings.
    pub settings: Settings,
    /// The operator's codes that people have.
    pub codes: Vec<String>,
    /// The terminal's disk.
    pub disk: Disk,
    /// The open journal; `None` while no process runs.
    pub store: Option<Store>,
    /// Virtual milliseconds since the life began.
    pub at: u64,
    /// When the process that runs was started.
    pub booted: u64,
    /// What the wall clock says at the beginning of time.
    pub wall_shift: i64,
    /// Whether the wall clock is trusted.
    pub trusted: bool,
    /// How often a process was started.
    pub runs: u64,
    /// How and when the next process dies.
    pub death: Option<Death>,
    /// The channels, and the ways there.
    pub channels: Channels,
    /// The operator's hub, where there is one.
    pub hub: Option<Hub>,
    /// The machine.
    pub machine: Machine,
    /// What the scanner was told.
    pub scanner_armed: bool,
    /// What the lamp was told.
    pub lamp_on: bool,
    /// What the terminal told the world, so that nobody can unsay it.
    pub memory: Memory,
    pub(super) coming: BTreeMap<(u64, u64), Coming>,
    number: u64,
}

impl World {
    /// A new terminal in a new world.
    #[must_use]
    pub fn new(mut dice: Dice, log: Log, settings: Settings, counter: Option<u64>) -> Self {
        let now = Now { mono: Mono(0), wall: Wall { ms: BEGIN_MS, trusted: true } };
        let engine = Engine::restore(settings.clone(), IdMint::new([0; 32]), now, &[], Vec::new());
        let seed = dice.roll(u64::MAX);
        let channels = Channels::new(&settings.channels, !seed);
        let has_hub = dice.one_in(4);
        let mut world = Self {
            dice,
            log,
            tally: Tally::default(),
            engine,
            settings,
            disk: Disk::new(seed),
            codes: codes_of_a_life(),
            store: None,
            at: 0,
            booted: 0,
            wall_shift: BEGIN_MS,
            trusted: true,
            runs: 0,
            death: None,
            channels,
            hub: has_hub.then(Hub::new),
            machine: Machine::new(counter),
            scanner_armed: false,
            lamp_on: false,
            memory: Memory::default(),
            coming: BTreeMap::new(),
            number: 0,
        };
        world.start();
        world.drain();
        world
    }

    /// What the terminal's clocks say.
    #[must_use]
    pub fn now(&self) -> Now {
        let ms = self.wall_shift.saturating_add(i64::try_from(self.at).unwrap_or(i64::MAX));
        Now { mono: Mono(self.at - self.booted), wall: Wall { ms, trusted: self.trusted } }
    }

    /// An event for the log; where it is stepped, Enter is waited for.
    pub fn note(&mut self, what: impl FnOnce() -> String) {
        if self.log.note(self.at, what) {
            super::command::wait_for_enter(&self.engine);
        }
    }

    /// A fault that is done to the terminal.
    pub fn fault(&mut self, kind: &'static str) {
        self.tally.add(kind);
        self.note(|| format!("FAULT {kind}"));
    }

    /// A number that no other thing of this world has.
    pub const fn number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    // ---- the daemon ----

    /// One input, and everything that follows from it at once.
    pub fn input(&mut self, input: Input) -> Result<Done, Refused> {
        self.note(|| format!("{input:?}"));
        let jams = self.jams_for(&input);
        let done = self.engine.handle(self.now(), input);
        self.note_openings(&jams);
        if let Err(refused) = &done {
            self.note(|| format!("refused: {refused}"));
        }
        self.drain();
        done
    }

    /// An input that nobody is told the outcome of.
    pub fn tell(&mut self, input: Input) {
        self.note(|| format!("{input:?}"));
        let done = self.engine.handle(self.now(), input);
        must!(done.is_ok(), Broken, "only people are refused, not the terminal's own parts: {done:?}");
    }

    /// Carries out effects in order until there is none.
    pub fn drain(&mut self) {
        let mut effects = 0;
        while let Some(effect) = self.engine.poll_effect() {
            effects += 1;
            must!(effects < EFFECTS_MAX, Stuck, "one input led to effects without end: {effect:?}");
            if self.dies_before_effect() {
                effects = 0;
                continue;
            }
            self.carry_out(effect);
        }
        if self.dies_after_effects() || self.dies_of_journal() {
            return self.drain();
        }
        self.check();
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Record(batch) => self.commit(batch),
            Effect::ProbeJournal => {
                let answer = self.store.as_mut().map(|store| self.disk.probe(store));
                answer.into_iter().for_each(|answer| self.tell(answer));
            }
            Effect::Call(call) => self.send(call),
            Effect::Vend(vend) => self.vend(vend),
            Effect::ArmScanner(armed) => self.scanner_armed = armed,
            Effect::Lamp(on) => self.lamp_on = on,
            Effect::Beep(_) | Effect::TurnAway => {}
            Effect::Raised(fault) => self.note(|| format!("fault stands: {fault}")),
            Effect::Cleared(fault) => self.note(|| format!("fault over: {fault}")),
        }
    }

    fn commit(&mut self, batch: Vec<Record>) {
        if self.dies_before_commit(&batch) {
            return;
        }
        let Some(store) = self.store.as_mut() else {
            return;
        };
        let answer = self.disk.append(store, batch.clone());
        if answer != Input::Recorded {
            self.tally.add("commit refused by the disk");
            self.memory.in_flight.push(batch);
            return self.tell(answer);
        }
        let by_code = batch.iter().any(|record| is_code_paid(record, &self.memory));
        self.acknowledged(batch);
        if self.dies_after_commit() {
            return;
        }
        self.tell(Input::Recorded);
        if by_code && let Some(amount) = self.store.as_ref().and_then(|store| self.disk.unsettled(store)) {
            self.tell(Input::Unsettled(amount));
        }
    }

    /// The journal said that the batch is durable.
    pub(super) fn acknowledged(&mut self, batch: Vec<Record>) {
        self.memory.in_flight.clear();
        for record in batch {
            self.invariant_entry_follows(&record);
            self.note_codes(&record.entry);
            self.note(|| format!("durable: {:?}", record.entry));
            match &record.entry {
                Entry::VendStarted { order, item, slot, .. } => {
                    self.machine.permit(Run { order: *order, item: *item, slot: slot.clone() });
                }
                Entry::VendEnded { order, item, .. } => self.machine.forbid(*order, *item),
                Entry::OrderOpened { .. }
                | Entry::AttemptStarted { .. }
                | Entry::CashTaken { .. }
                | Entry::AttemptPaid { .. }
                | Entry::AttemptNotPaid { .. }
                | Entry::ReverseStarted { .. }
                | Entry::OrderCancelled { .. }
                | Entry::RefundStarted { .. }
                | Entry::RefundDone { .. }
                | Entry::RefundOwed { .. }
                | Entry::RefundAsked { .. }
                | Entry::RefundDecided { .. }
                | Entry::RefundFailed { .. }
                | Entry::DutyBegun { .. }
                | Entry::DutyDone { .. }
                | Entry::DutyRefused { .. }
                | Entry::OrderClosed { .. } => {}
            }
            let seq = self.memory.told.len() as u64 + 1;
            self.memory.tell(Stored { seq, at: record.at, entry: record.entry });
        }
    }

    fn send(&mut self, call: Call) {
        self.invariant_call_is_journalled(&call);
        self.invariant_no_call_without_the_time(&call);
        self.invariant_cancel_is_waited_for(&call);
        self.invariant_spent_number_is_not_sent(&call);
        self.note_sent(&call);
        let Call { id, channel, request } = call;
        self.note(|| format!("call {} to {} leaves: {request:?}", id.0, channel.name()));
        let Some((fate, kind)) = self.channels.fate(channel, matches!(request, Request::Probe)) else {
            violated(Wrong::Broken, format!("a call to {channel:?}, which this terminal does not have"));
        };
        if let Some(kind) = kind {
            self.tally.add(kind);
        }
        let sent = self.at;
        match fate {
            Fate::Arrives { there_ms, garbled } => {
                self.later(there_ms, Coming::Arrival { call: id, channel, request, sent, reply: true, garbled });
            }
            Fate::Refused { after_ms } => {
                let doubt = Doubt::new(DoubtKind::NoConnection, "lost on the way there");
                self.later(after_ms, Coming::Reply(id, Answer::in_doubt(&request, doubt)));
            }
            Fate::Lost => self.later(CALL_TIMEOUT_MS, Coming::Reply(id, no_reply(&request))),
            Fate::Unheard { there_ms, told } => {
                if told {
                    self.later(CALL_TIMEOUT_MS, Coming::Reply(id, no_reply(&request)));
                }
                self.later(there_ms, Coming::Arrival { call: id, channel, request, sent, reply: false, garbled: None });
            }
        }
    }

    fn vend(&mut self, vend: Vend) {
        self.note(|| format!("the machine is told: {vend:?}"));
        match vend.what {
            VendWhat::Dispense { .. } => {
                let run = self.invariant_motor_is_permitted(&vend);
                if self.machine.dispense(vend.job, &run) {
                    self.later(FALL_MS, Coming::MotorDone(vend.job));
                } else {
                    self.vended(vend.job, VendResult::NotDropped);
                }
            }
            VendWhat::Inspect { .. } if !self.machine.ready => self.machine.waiting.push(vend),
            VendWhat::Inspect { .. } => self.vended(vend.job, self.machine.inspect(vend.what)),
        }
    }

    fn vended(&mut self, job: JobId, result: VendResult) {
        let drops = self.machine.counter;
        self.tell(Input::Vended { job, result, drops, taken: None });
    }

    // ---- time ----

    /// Something comes in `ms`.
    pub fn later(&mut self, ms: u64, coming: Coming) {
        let number = self.number();
        self.coming.insert((self.at + ms, number), coming);
    }

    /// When something happens next.
    fn next_at(&self) -> Option<u64> {
        let engine = self.engine.poll_timeout().map(|(at, _)| (at.0 + self.booted).max(self.at));
        let coming = self.coming.keys().next().map(|(at, _)| *at);
        engine.into_iter().chain(coming).min()
    }

    /// Lets the next thing happen.
    fn step(&mut self, at: u64) {
        self.at = self.at.max(at);
        match self.coming.first_entry().filter(|first| first.key().0 <= at) {
            Some(first) => {
                let coming = first.remove();
                self.happen(coming);
                self.drain();
            }
            None => {
                let runs = self.runs;
                self.tell(Input::Timer);
                self.drain();
                if self.runs == runs {
                    self.invariant_timer_was_served();
                }
            }
        }
    }

    fn happen(&mut self, coming: Coming) {
        match coming {
            Coming::Arrival { call, channel, request, sent, reply, garbled } => {
                let answer = self.execute(channel, &request, sent);
                if !reply {
                    return;
                }
                let doubt = garbled.map(|kind| Doubt::new(kind, "garbled on the way back"));
                let answer = doubt.map_or(answer, |doubt| Answer::in_doubt(&request, doubt));
                for ms in self.channels.replies(channel) {
                    self.later(ms, Coming::Reply(call, answer.clone()));
                }
            }
            Coming::Reply(call, answer) => self.tell(Input::Answered { call, answer }),
            Coming::MotorDone(job) => {
                let result = self.machine.finish(job);
                self.vended(job, result);
                if self.dice.one_in(12) {
                    self.fault("machine repeats its answer");
                    self.vended(job, result);
                }
            }
            Coming::DevicesUp => self.devices_up(),
        }
    }

    /// A request reaches the channel.
    pub(super) fn execute(&mut self, channel: ChannelId, request: &Request, sent: u64) -> Answer {
        let Some(answer) = self.channels.execute(channel, request, sent, self.at) else {
            violated(Wrong::Broken, format!("a call to {channel:?}, which this terminal does not have"));
        };
        self.note(|| format!("{} does {}: {answer:?}", channel.name(), name_of(request)));
        answer
    }

    /// The machine and the scanner report.
    pub fn devices_up(&mut self) {
        self.machine.ready = true;
        let counter = self.machine.counter;
        self.tell(Input::Drops(counter));
        self.tell(Input::Clear(Fault::Machine));
        self.tell(Input::Clear(Fault::Scanner));
        for vend in std::mem::take(&mut self.machine.waiting) {
            self.vended(vend.job, self.machine.inspect(vend.what));
        }
    }

    /// Lets `ms` pass.
    pub fn run(&mut self, ms: u64) {
        let end = self.at + ms;
        while let Some(at) = self.next_at().filter(|at| *at <= end) {
            self.step(at);
        }
        // A death may have taken longer than that.
        self.at = self.at.max(end);
    }

    /// Lets time pass until nothing is open and nobody is at the machine.
    pub fn settle(&mut self) {
        let (mut steps, end) = (0, self.at + REST_WITHIN_MS);
        while let Some(at) = self.next_at() {
            self.step(at);
            steps += 1;
            must!(steps < 20_000 && self.at < end, Stuck, "it never comes to rest: {:#?}", self.engine);
        }
    }

    // ---- what is seen ----

    /// The picture.
    #[must_use]
    pub fn view(&self) -> View {
        self.engine.view(self.now().mono)
    }

    /// The codes on the screen, as attempts.
    #[must_use]
    pub fn codes_on_screen(&self) -> Vec<AttemptId> {
        let View::Pay { codes, .. } = self.view() else {
            return Vec::new();
        };
        codes.iter().filter_map(|code| code.text.rsplit('/').next()?.parse().ok()).collect()
    }

    /// The pay requests on their way: of which attempt, when sent, when they arrive.
    pub(super) fn pay_requests(&self) -> impl Iterator<Item = (AttemptId, u64, u64)> + '_ {
        self.coming.iter().filter_map(|((arrives, _), coming)| match coming {
            Coming::Arrival { request: Request::TakeCode(offer, _), sent, .. } => {
                Some((offer.attempt, *sent, *arrives))
            }
            Coming::Arrival { .. } | Coming::Reply(..) | Coming::MotorDone(_) | Coming::DevicesUp => None,
        })
    }
}

fn is_code_paid(record: &Record, memory: &Memory) -> bool {
    match &record.entry {
        Entry::AttemptStarted { voucher, .. } => voucher.is_some(),
        Entry::RefundDone { refund, .. } => {
            memory.refunds.get(refund).is_some_and(|attempt| memory.uses.contains_key(attempt))
        }
        Entry::OrderOpened { .. }
        | Entry::CashTaken { .. }
        | Entry::AttemptPaid { .. }
        | Entry::AttemptNotPaid { .. }
        | Entry::ReverseStarted { .. }
        | Entry::OrderCancelled { .. }
        | Entry::VendStarted { .. }
        | Entry::VendEnded { .. }
        | Entry::RefundStarted { .. }
        | Entry::RefundOwed { .. }
        | Entry::RefundAsked { .. }
        | Entry::RefundDecided { .. }
        | Entry::RefundFailed { .. }
        | Entry::DutyBegun { .. }
        | Entry::DutyDone { .. }
        | Entry::DutyRefused { .. }
        | Entry::OrderClosed { .. } => false,
    }
}

fn no_reply(request: &Request) -> Answer {
    Answer::in_doubt(request, Doubt::new(DoubtKind::NoReply, "no answer in time"))
}
