//! The world around the engine: what the daemon, the journal, the network, the machine and the buyer do, in virtual time.

use std::collections::{BTreeMap, BTreeSet};

use super::alipay::{Alipay, Trade, attempt_of};
use super::invariants::Watched;
use super::machine::{FALL_MS, Machine, Run};
pub use super::terminals::{
    acquirer_first, bare, basket, one_after_the_other, said, settings, slot, two_channels, with_instalments,
};
use super::wechat::Wechat;
use crate::channel::outcome::{Doubt, DoubtKind};
use crate::channel::{Answer, ChannelId, Request};
use crate::engine::Engine;
use crate::engine::effect::{Call, CallId, Effect, JobId, Record, Vend, VendWhat};
use crate::engine::entry::{Entry, OrderState, SlotId, Stored, VendResult, WhoScans};
use crate::engine::faults::Fault;
use crate::engine::input::{Done, Input, Refused};
use crate::engine::record::OrderRecord;
use crate::engine::session::Session;
use crate::engine::settings::Settings;
use crate::engine::slots::SlotCount;
use crate::engine::view::View;
use crate::ids::{AttemptId, IdMint, OrderId};
use crate::money::Fen;
use crate::time::{Mono, Now, Wall};

pub const MINUTE: u64 = 60_000;
pub const DAY: u64 = 24 * 60 * MINUTE;

/// Nobody is here, and every way to pay works.
pub const IDLE: View = View::Idle { codes_only: None };

/// What has been set in motion and comes later.
#[derive(Debug, Clone)]
enum Coming {
    /// A request arrives at its channel.
    Arrival { call: CallId, channel: ChannelId, request: Request, reply: bool },
    /// Its answer arrives at the terminal.
    Reply(CallId, Answer),
    /// The motor of this job is done.
    MotorDone(JobId),
    /// The machine and the scanner report after a start.
    DevicesUp,
}

/// The network.
#[derive(Debug, Clone, Default)]
pub struct Net {
    pub down: bool,
    /// Channels that cannot be reached.
    pub away: BTreeSet<ChannelId>,
    /// So many of the next requests are lost on their way there.
    pub lose_requests: u32,
    /// So many of the next replies are lost on their way back.
    pub lose_replies: u32,
    /// Extra time for a request to arrive.
    pub slow_ms: u64,
    /// So many of the next replies come twice.
    pub double_replies: u32,
}

/// When the process is killed, counted in commits.
#[derive(Debug, Clone, Copy)]
pub struct Crash {
    pub at_commit: usize,
    pub moment: Moment,
    pub gap_ms: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The commit does not happen.
    Before,
    /// It is durable, and nothing behind it has left.
    After,
    /// Everything behind it has left; the calls arrive and the motor turns on.
    Executed,
    /// Everything behind it has left and is lost; the motor stands still.
    Lost,
}

pub struct World {
    pub engine: Engine,
    pub at: u64,
    booted: u64,
    pub wall_shift: i64,
    pub trusted: bool,
    pub stored: Vec<Stored>,
    /// What the journal keeps of the slots.
    pub slots: BTreeMap<SlotId, SlotCount>,
    /// The journal refuses to write.
    pub refuse_writes: bool,
    pub commits: usize,
    pub runs: u8,
    pub crash: Option<Crash>,
    pub alipay: Alipay,
    pub wechat: Wechat,
    pub net: Net,
    pub machine: Machine,
    pub scanner_armed: bool,
    pub lamp_on: bool,
    /// So often the machine was told that its buyer does not pay.
    pub turned_away: u32,
    /// What the machine says that it charges.
    pub charges: Option<Fen>,
    /// So many entries the hub has.
    pub acknowledged: usize,
    pub watched: Watched,
    coming: BTreeMap<(u64, u64), Coming>,
    pub number: u64,
}

impl World {
    /// A machine with a drop sensor.
    pub fn new(who_scans: WhoScans) -> Self {
        Self::with_counter(who_scans, Some(0))
    }

    pub fn with_counter(who_scans: WhoScans, counter: Option<u64>) -> Self {
        Self::begin(settings(who_scans), counter)
    }

    pub fn begin(settings: Settings, counter: Option<u64>) -> Self {
        let wall = Wall { ms: 1_790_000_000_000, trusted: true };
        let now = Now { mono: Mono(0), wall };
        let mut world = Self {
            engine: Engine::restore(settings, IdMint::new([0; 32]), now, &[], Vec::new()),
            at: 0,
            booted: 0,
            wall_shift: wall.ms,
            trusted: true,
            stored: Vec::new(),
            slots: BTreeMap::new(),
            refuse_writes: false,
            commits: 0,
            runs: 0,
            crash: None,
            alipay: Alipay::default(),
            wechat: Wechat::default(),
            net: Net::default(),
            machine: Machine::new(counter),
            scanner_armed: false,
            lamp_on: false,
            turned_away: 0,
            charges: None,
            acknowledged: 0,
            watched: Watched::default(),
            coming: BTreeMap::new(),
            number: 0,
        };
        let counter = world.machine.counter;
        world.input(Input::Drops(counter)).expect("never refused");
        world
    }

    pub fn now(&self) -> Now {
        let ms = self.wall_shift + i64::try_from(self.at).expect("centuries");
        Now { mono: Mono(self.at - self.booted), wall: Wall { ms, trusted: self.trusted } }
    }

    // ---- the daemon ----

    /// One input, and everything that follows from it at once.
    pub fn input(&mut self, input: Input) -> Result<Done, Refused> {
        let done = self.handle(input);
        self.drain();
        done
    }

    /// Carries out effects in order until there is none.
    fn drain(&mut self) {
        let mut effects = 0;
        while let Some(effect) = self.engine.poll_effect() {
            effects += 1;
            assert!(effects < 300, "one input led to effects without end: {effect:?}");
            self.carry_out(effect);
        }
        if self.kill_if_due(&[Moment::Executed, Moment::Lost]) {
            return self.drain();
        }
        self.check();
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Record(batch) => self.commit(batch),
            Effect::ProbeJournal => {
                let answer = if self.refuse_writes { Input::NotRecorded(Vec::new()) } else { Input::Recorded };
                self.tell(answer);
            }
            Effect::Call(call) => self.send(call),
            Effect::Vend(vend) => self.vend(vend),
            Effect::ArmScanner(armed) => self.scanner_armed = armed,
            Effect::Lamp(on) => self.lamp_on = on,
            Effect::TurnAway => self.turned_away += 1,
            Effect::Beep(_) | Effect::Raised(_) | Effect::Cleared(_) => {}
        }
    }

    pub fn tell(&mut self, input: Input) {
        self.handle(input).expect("only people are refused");
    }

    fn handle(&mut self, input: Input) -> Result<Done, Refused> {
        let before = self.channels_down();
        let done = self.engine.handle(self.now(), input);
        self.invariant_no_wallet_without_channel(&before);
        done
    }

    fn commit(&mut self, batch: Vec<Record>) {
        if self.refuse_writes {
            return self.tell(Input::NotRecorded(batch));
        }
        self.commits += 1;
        if self.kill_if_due(&[Moment::Before]) {
            return;
        }
        let mut returning = BTreeSet::new();
        for record in batch {
            self.invariant_entry_follows(&record);
            if matches!(record.entry, Entry::RefundStarted { .. } | Entry::RefundAsked { .. }) {
                returning.insert(record.entry.order());
            }
            if let Entry::VendStarted { order, item, slot, .. } = &record.entry {
                self.machine.permit(Run { order: *order, item: *item, slot: slot.clone() });
            }
            if let Entry::VendEnded { order, item, .. } = &record.entry {
                self.machine.forbid(*order, *item);
            }
            for (slot, news) in record.slots {
                let count = self.slots.entry(slot).or_default();
                *count = count.after(news);
            }
            let seq = self.stored.len() as u64 + 1;
            self.stored.push(Stored { seq, at: record.at, entry: record.entry });
        }
        self.invariant_voucher_within_allowance();
        returning.into_iter().for_each(|order| self.invariant_never_more_back_than_paid(order));
        if !self.kill_if_due(&[Moment::After]) {
            self.tell(Input::Recorded);
            self.tell_unsettled();
        }
    }

    fn send(&mut self, call: Call) {
        self.invariant_call_is_journalled(&call);
        self.invariant_no_call_without_the_time(&call);
        self.invariant_no_cancel_too_early(&call);
        self.invariant_duty_tells_the_truth(&call);
        let Call { id, channel, request } = call;
        let away = self.net.down || self.net.away.contains(&channel);
        let lost_there = away || take_one(&mut self.net.lose_requests);
        if lost_there {
            let doubt = Doubt::new(DoubtKind::NoConnection, "lost on the way there");
            return self.later(5_000, Coming::Reply(id, Answer::in_doubt(&request, doubt)));
        }
        let reply = !take_one(&mut self.net.lose_replies);
        if !reply {
            self.later(10_000, Coming::Reply(id, Answer::in_doubt(&request, no_reply())));
        }
        self.later(50 + self.net.slow_ms, Coming::Arrival { call: id, channel, request, reply });
    }

    fn vend(&mut self, vend: Vend) {
        match vend.what {
            VendWhat::Dispense { .. } => {
                self.invariant_motor_needs_payment(&vend);
                if self.machine.dispense(vend.job, &vend.slot) {
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
        let taken = self.charges.filter(|_| result == VendResult::Dropped);
        self.tell(Input::Vended { job, result, drops, taken });
    }

    // ---- time ----

    fn later(&mut self, ms: u64, coming: Coming) {
        self.number += 1;
        self.coming.insert((self.at + ms, self.number), coming);
    }

    /// When something happens next.
    fn next_at(&self) -> Option<u64> {
        let engine = self.engine.poll_timeout().map(|(at, _)| (at.0 + self.booted).max(self.at));
        let coming = self.coming.keys().next().map(|(at, _)| *at);
        engine.into_iter().chain(coming).min()
    }

    /// Lets the next thing happen.
    fn step(&mut self, at: u64) {
        self.at = at;
        match self.coming.first_entry().filter(|first| first.key().0 <= at) {
            Some(first) => {
                let coming = first.remove();
                self.happen(coming);
                self.drain();
            }
            None => {
                self.tell(Input::Timer);
                self.drain();
                self.invariant_timer_was_served();
            }
        }
    }

    fn happen(&mut self, coming: Coming) {
        match coming {
            Coming::Arrival { call, channel, request, reply } => {
                let answer = self.execute(channel, &request);
                if reply {
                    let copies = 1 + u64::from(take_one(&mut self.net.double_replies));
                    (0..copies).for_each(|copy| self.later(50 + copy * 700, Coming::Reply(call, answer.clone())));
                }
            }
            Coming::Reply(call, answer) => self.tell(Input::Answered { call, answer }),
            Coming::MotorDone(job) => {
                let result = self.machine.finish(job);
                self.vended(job, result);
            }
            Coming::DevicesUp => self.devices_up(),
        }
    }

    /// The channel carries a call out.
    fn execute(&mut self, channel: ChannelId, request: &Request) -> Answer {
        match channel {
            ChannelId::Alipay => self.alipay.execute(request, self.at),
            // An acquirer does what WeChat Pay does, for other wallets too.
            ChannelId::Wechat | ChannelId::AllinpayVsp => self.wechat.execute(request, self.at),
            ChannelId::AllinpayYst | ChannelId::Voucher => {
                panic!("{channel:?} is not in this world: {request:?}")
            }
        }
    }

    fn devices_up(&mut self) {
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
        // A kill may have taken longer than that.
        self.at = self.at.max(end);
    }

    /// Lets time pass until nothing is open and nobody is at the machine.
    pub fn settle(&mut self) {
        let mut steps = 0;
        while let Some(at) = self.next_at() {
            self.step(at);
            steps += 1;
            assert!(steps < 20_000, "it never comes to rest: {:#?}", self.engine);
        }
        self.invariant_money_is_right();
    }

    // ---- death ----

    /// Kills the process now if this is the commit and the moment for it.
    fn kill_if_due(&mut self, moments: &[Moment]) -> bool {
        let due = |crash: &mut Crash| crash.at_commit <= self.commits && moments.contains(&crash.moment);
        let Some(crash) = self.crash.take_if(due) else {
            return false;
        };
        self.kill(crash.moment != Moment::Lost, crash.gap_ms);
        true
    }

    /// Kills the process; what has left goes on if `goes_on`. It starts again after `gap_ms`.
    fn kill(&mut self, goes_on: bool, gap_ms: u64) {
        let coming = std::mem::take(&mut self.coming);
        for (key, coming) in coming {
            if goes_on && let Coming::Arrival { call, channel, request, .. } = coming {
                self.coming.insert(key, Coming::Arrival { call, channel, request, reply: false });
            }
        }
        self.machine.daemon_died(!goes_on);
        self.scanner_armed = false;
        self.lamp_on = false;
        // The outer world goes on without the terminal.
        let end = self.at + gap_ms;
        while let Some(first) = self.coming.first_entry().filter(|first| first.key().0 <= end) {
            self.at = first.key().0;
            if let Coming::Arrival { channel, request, .. } = first.remove() {
                let _unheard = self.execute(channel, &request);
            }
        }
        self.at = end;
        self.start();
    }

    /// Kills the process, and starts it again after `gap_ms`.
    pub fn restart(&mut self, goes_on: bool, gap_ms: u64) {
        self.kill(goes_on, gap_ms);
        self.drain();
    }

    /// Starts the process again with other settings.
    pub fn begin_anew_with(&mut self, settings: Settings) {
        let now = self.now();
        self.engine = Engine::restore(settings, IdMint::new([255; 32]), now, &[], Vec::new());
        self.restart(true, 1_000);
        self.run(1_000);
    }

    fn start(&mut self) {
        self.booted = self.at;
        self.runs += 1;
        let mut seed = [0; 32];
        seed[0] = self.runs;
        let settings = self.engine.settings().clone();
        let (now, spent) = (self.now(), self.spent());
        self.engine = Engine::restore(settings, IdMint::new(seed), now, &self.open_orders(), spent);
        self.tell_unsettled();
        for (slot, count) in self.slots.clone() {
            self.tell(Input::Slot { slot, count });
        }
        self.tell(Input::Raise(Fault::Machine));
        self.tell(Input::Raise(Fault::Scanner));
        self.later(200, Coming::DevicesUp);
    }

    /// The entries of each order that is not closed, as the journal restores them.
    fn open_orders(&self) -> Vec<Vec<Stored>> {
        let open =
            |entries: &Vec<Stored>| !matches!(entries.last().map(|last| &last.entry), Some(Entry::OrderClosed { .. }));
        self.order_ids().into_iter().map(|order| self.entries(order)).filter(open).collect()
    }

    pub fn entries(&self, order: OrderId) -> Vec<Stored> {
        self.stored.iter().filter(|stored| stored.entry.order() == order).cloned().collect()
    }

    /// All orders of the journal, oldest first.
    pub fn order_ids(&self) -> Vec<OrderId> {
        let mut known = BTreeSet::new();
        let opened = self.stored.iter().map(|stored| stored.entry.order());
        opened.filter(|order| known.insert(*order)).collect()
    }

    /// An order as the journal tells it.
    pub fn record(&self, order: OrderId) -> OrderRecord {
        OrderRecord::from_entries(&self.entries(order)).expect("the order is in the journal")
    }

    /// The newest order, as the journal tells it.
    pub fn last_record(&self) -> OrderRecord {
        self.record(*self.order_ids().last().expect("an order"))
    }

    pub fn last_state(&self) -> OrderState {
        self.last_record().state()
    }

    /// What all buyers together have paid in the end.
    pub fn net(&self) -> i64 {
        self.trades().map(|(_, trade)| trade.net().get()).sum()
    }

    /// The trades of all channels.
    pub fn trades(&self) -> impl Iterator<Item = (&AttemptId, &Trade)> {
        self.alipay.trades.iter().chain(&self.wechat.trades)
    }

    pub fn trade(&self, attempt: AttemptId) -> Option<&Trade> {
        self.alipay.trades.get(&attempt).or_else(|| self.wechat.trades.get(&attempt))
    }

    pub fn with_trade(&mut self, attempt: AttemptId, event: impl FnOnce(&mut Trade)) {
        let trade = self.alipay.trades.get_mut(&attempt).or_else(|| self.wechat.trades.get_mut(&attempt));
        if let Some(trade) = trade {
            event(trade);
        }
    }

    pub fn has_seen(&mut self, attempt: AttemptId) {
        self.with_trade(attempt, |trade| trade.seen = true);
    }

    pub fn calls(&self, name: &str) -> u64 {
        self.alipay.calls.get(name).copied().unwrap_or(0)
    }

    /// Pay requests of this attempt that are still on their way to Alipay.
    pub fn is_being_sent(&self, attempt: AttemptId) -> bool {
        self.coming.values().any(|coming| {
            matches!(coming, Coming::Arrival { request: request @ Request::TakeCode(..), .. }
                if attempt_of(request) == Some(attempt))
        })
    }

    pub fn is_idle(&self) -> bool {
        self.engine.orders().next().is_none() && self.engine.session == Session::Idle
    }

    pub fn view(&self) -> View {
        self.engine.view(self.now().mono)
    }
}

pub fn no_reply() -> Doubt {
    Doubt::new(DoubtKind::NoReply, "lost on the way back")
}

fn take_one(count: &mut u32) -> bool {
    let any = *count > 0;
    *count = count.saturating_sub(1);
    any
}
