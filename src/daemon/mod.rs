//! The shell around the engine: the only place where things happen.
//!
//! ```text
//! devices ┐                             ┌─ journal   (waited for: durable before anything behind it)
//! channels├─► Input ─► engine ─► Effect ┼─ channels  (a task for each call, answers come back as inputs)
//! API     ┘        one loop             ├─ devices   (never waited for)
//!                                       └─ screen    (drawn when what it shows has changed)
//! ```
//!
//! Each turn: due timers, then all effects in order, then one new input. Leaves know only the loop.

pub mod alarms;
pub mod binding;
pub mod calls;
pub mod clock;
pub mod complaints;
#[cfg(feature = "demo")]
pub mod crash;
pub mod devices;
pub mod health;
pub mod journaling;
pub mod keeping;
pub mod metrics;
pub mod notices;
pub mod opening;
mod paper;
pub mod picture;
pub mod receipts;
mod scanner_memory;
pub mod slots;
pub mod start;
mod status;
pub mod terminal;

use std::sync::Arc;

use hal::DeviceEvent;
use payment::engine::effect::Effect;
use payment::engine::faults::Fault;
use payment::engine::input::{Done, Input, Refused};
use payment::engine::record::OrderRecord;
use payment::engine::slots::SlotCount;
use payment::engine::{Engine, WakeReason};
use payment::ids::OrderId;
use payment::time::{Mono, Now};
use tokio::sync::{mpsc, watch};

use calls::{Answered, Calls};
use clock::{Clock, Stir, Timekeeper};
use devices::Machinery;
use health::Health;
use journaling::Journaling;
use keeping::Keeping;
use metrics::Metrics;
use picture::Picture;
use receipts::Receipts;
use slots::SlotNotice;
use terminal::{ActError, Command};

use crate::journal::AppendError;

/// The loop's state.
#[derive(Debug)]
pub struct Daemon {
    engine: Engine,
    clock: Timekeeper,
    journal: Journaling,
    calls: Calls,
    machinery: Machinery,
    receipts: Receipts,
    picture: Picture,
    health: Health,
    keeping: Keeping,
    slots: SlotNotice,
    metrics: Arc<Metrics>,
}

/// Where the loop's inputs come from.
#[derive(Debug)]
pub struct Inputs {
    /// From the channels.
    pub answers: mpsc::UnboundedReceiver<Answered>,
    /// From the devices.
    pub devices: mpsc::Receiver<DeviceEvent>,
    /// From the API.
    pub commands: mpsc::Receiver<Command>,
    /// `true` when the daemon shall stop.
    pub stop: watch::Receiver<bool>,
}

/// How the loop ended in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was told to stop.
    Stopped,
    /// The operator wants it started anew, by systemd.
    Restart,
}

/// Why the loop cannot go on. systemd starts everything anew, and open orders go on from the journal.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// A driver's thread ended by a panic, or a panic elsewhere switched the outputs off for good.
    #[error("the driver {0} ended by itself; open orders are in the journal and go on after the restart")]
    Driver(String),
    /// What the journal holds is not what this run believes: only the file is right.
    #[error("the journal and this run disagree, so the journal is read again after the restart: {0}")]
    Journal(AppendError),
}

/// One thing that woke the loop.
enum Woken {
    Timer,
    Clock(Stir),
    Answer(Answered),
    Device(DeviceEvent),
    Command(Command),
    Stop,
}

impl Daemon {
    /// Runs until it is told to stop.
    ///
    /// # Errors
    ///
    /// [`Broken`]: the machine is made safe, and systemd starts everything anew.
    pub async fn run(mut self, mut inputs: Inputs) -> Result<Ended, Broken> {
        let mut ended = Ok(Ended::Stopped);
        while ended.is_ok() {
            self.turn().await;
            if self.may_restart() {
                tracing::info!("the operator wants a restart, and nobody is at the machine");
                ended = Ok(Ended::Restart);
                break;
            }
            let woken = self.wait(&mut inputs).await;
            if let Woken::Clock(stir) = &woken {
                self.clock.note(*stir);
            }
            self.attend_clock();
            match woken {
                Woken::Timer => self.act(Input::Timer),
                Woken::Clock(_) => {}
                Woken::Answer((call, answer)) => self.on_answer(Input::Answered { call, answer }),
                Woken::Device(event) => self.on_device(event),
                Woken::Command(Command::Stop) | Woken::Stop => break,
                Woken::Command(command) => self.on_command(command).await,
            }
            ended = self.machinery.all_alive().and_then(|()| self.journal.is_whole()).map(|()| Ended::Stopped);
        }
        self.health.stopping();
        self.machinery.make_safe();
        ended
    }

    async fn wait(&self, inputs: &mut Inputs) -> Woken {
        let until = self.wake_at();
        tokio::select! {
            biased;
            _ = inputs.stop.wait_for(|stop| *stop) => Woken::Stop,
            () = sleep_until(self.clock.clock(), until) => Woken::Timer,
            Some(answer) = inputs.answers.recv() => Woken::Answer(answer),
            Some(event) = inputs.devices.recv() => Woken::Device(event),
            Some(command) = inputs.commands.recv() => Woken::Command(command),
            stir = self.clock.stirred() => Woken::Clock(stir),
            else => Woken::Stop,
        }
    }

    /// The earliest of everything that wants to be woken for.
    fn wake_at(&self) -> Option<Mono> {
        let now = self.clock.now();
        let engine = self.engine.poll_timeout().map(|(at, reason)| {
            trace_wake(at, reason);
            at
        });
        let second = self.picture.counts_down().then(|| self.engine.next_second(now.mono)).flatten();
        [engine, second, self.health.deadline(), self.clock.deadline(), self.keeping_deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Everything that is due, then everything that follows from it, then the picture.
    async fn turn(&mut self) {
        self.metrics.turns.add_one();
        self.drain().await;
        self.keep().await;
        // Calls that may leave are on the wire before the picture is drawn.
        tokio::task::yield_now().await;
        self.slots.follow(&self.engine);
        let now = self.clock.now().mono;
        if self.health.is_due(now) {
            self.journal.answers().await;
            self.health.feed(now);
        }
        self.picture.follow(&self.engine.view(now), &self.machinery, &self.metrics);
        self.machinery.tell_status(self.engine.blocking_fault().as_ref());
    }

    /// Takes in what there is to learn about the time. The engine is told as soon as the verdict changes, so that an
    /// input is never taken at a time that is known to be wrong.
    fn attend_clock(&mut self) {
        if self.clock.attend() {
            self.calls.ask_time();
        }
        let stands = self.engine.faults().any(|fault| *fault == Fault::Clock);
        if stands == self.clock.now().wall.trusted {
            self.act(Input::Timer);
        }
    }

    fn act(&mut self, input: Input) {
        if let Err(refused) = self.handle(input) {
            tracing::info!(%refused, "refused");
        }
    }

    fn handle(&mut self, input: Input) -> Result<Done, Refused> {
        #[cfg(feature = "demo")]
        let is_scan = matches!(input, Input::Scanned(_));
        let handled = self.engine.handle(self.clock.now(), input);
        #[cfg(feature = "demo")]
        crash::panic_at_scan(&self.engine, is_scan);
        handled
    }

    fn on_answer(&mut self, input: Input) {
        if let Input::Answered { call, answer } = &input
            && let Some(doubt) = answer.doubt()
        {
            self.metrics.calls_in_doubt.add_one();
            tracing::warn!(call = call.0, ?doubt, "no usable answer; the channel is asked again");
        }
        self.act(input);
    }

    fn on_device(&mut self, event: DeviceEvent) {
        for input in self.machinery.on_event(event, &self.metrics) {
            self.act(input);
        }
    }

    /// Carries out effects until there is none, strictly in order.
    async fn drain(&mut self) {
        while let Some(effect) = self.engine.poll_effect() {
            self.carry_out(effect).await;
        }
        // What was signed meanwhile and not sent was withdrawn, or waits for a disk that may be away for long.
        self.calls.forget_prepared();
    }

    async fn carry_out(&mut self, effect: Effect) {
        let now = self.clock.now();
        match effect {
            Effect::Record(batch) => self.record(now, batch).await,
            Effect::ProbeJournal => {
                let outcome = self.journal.probe().await;
                self.act(outcome);
            }
            Effect::Call(call) => {
                self.metrics.calls.add_one();
                self.calls.send(&call, now.wall);
            }
            Effect::Vend(vend) => {
                if let Some(input) = self.machinery.vend(vend, &self.metrics) {
                    self.act(input);
                }
            }
            Effect::ArmScanner(armed) => self.machinery.arm_scanner(armed),
            Effect::Lamp(on) => self.machinery.lamp(on),
            Effect::Beep(beep) => self.machinery.beep(beep),
            Effect::TurnAway => self.machinery.turn_away(),
            Effect::Raised(fault) => self.on_fault(&fault, true),
            Effect::Cleared(fault) => self.on_fault(&fault, false),
        }
    }

    /// The loop's one permitted wait. What waits behind the record is signed meanwhile.
    async fn record(&mut self, now: Now, batch: Vec<payment::engine::effect::Record>) {
        for call in self.engine.waiting_calls() {
            self.calls.prepare(call, now.wall);
        }
        let moves_money = keeping::moves_money(&batch);
        let receipts = self.receipts_due(&batch);
        let outcome = self.journal.append(batch, &self.metrics).await;
        self.act(outcome);
        if !self.journal.is_failing() {
            self.print_due(receipts).await;
        }
        self.keeping.committed();
        if moves_money {
            self.tell_unsettled().await;
        }
    }

    fn on_fault(&self, fault: &Fault, began: bool) {
        self.keeping.on_fault(fault, began);
        if began {
            tracing::warn!(fault = fault.name(), "{}", self.in_words(fault));
        } else {
            tracing::info!(fault = fault.name(), "over: {fault}");
        }
        let blocking = self.engine.blocking_fault().map(|fault| format!("not selling: {}", self.in_words(&fault)));
        self.health.status(blocking.as_deref().unwrap_or("selling"));
    }

    fn in_words(&self, fault: &Fault) -> String {
        match fault {
            Fault::Clock => format!("{fault}: {}", self.clock.words()),
            Fault::Network(_) => {
                self.calls.trouble().map_or_else(|| fault.to_string(), |trouble| format!("{fault}: {trouble}"))
            }
            Fault::Storage
            | Fault::Setup(_)
            | Fault::Scanner
            | Fault::Machine
            | Fault::Slot(_)
            | Fault::Display
            | Fault::Printer
            | Fault::SwitchedOff
            | Fault::JournalFull
            | Fault::Hub
            | Fault::Duty(_) => fault.to_string(),
        }
    }

    async fn on_command(&mut self, command: Command) {
        match command {
            Command::Act { input, reply } => {
                let answer = self.act_durably(*input).await;
                // A caller who went away learns it from the journal.
                let _gone = reply.send(answer);
            }
            Command::Reopen { order, input, reply } => {
                let answer = self.reopen(order, *input).await;
                let _gone = reply.send(answer);
            }
            Command::Order { order, reply } => {
                let _gone = reply.send(self.durable_order(order));
            }
            Command::Stock { slot, stock, reply } => {
                let done = self.count_stock(slot, stock).await;
                // Who went away looks again.
                let _gone = reply.send(done);
            }
            Command::Print { record, reply } => {
                let _gone = reply.send(self.print_again(&record));
            }
            Command::ResetAudit { from, reply } => {
                let done = self.reset_audit(from).await;
                // Who went away looks when it was last reset.
                let _gone = reply.send(done);
            }
            Command::Status { reply } => {
                let _gone = reply.send(self.status());
            }
            Command::Sync { wish, reply } => {
                let done = self.on_sync(wish).await;
                // The link to the hub asks again.
                let _gone = reply.send(done);
            }
            Command::Stop => {}
        }
    }

    /// The answer comes when everything that the input led to is durable. A fault is no entry: it stands at once.
    async fn act_durably(&mut self, input: Input) -> Result<Done, ActError> {
        if let Input::Clear(Fault::Slot(slot)) = &input {
            self.keep_slot(slot, SlotCount::cleared).await?;
        }
        let is_fault = matches!(input, Input::Raise(_) | Input::Clear(_));
        let done = self.handle(input)?;
        self.drain().await;
        if self.journal.is_failing() && !is_fault { Err(ActError::NotStored) } else { Ok(done) }
    }

    /// An order that retention removed meanwhile is no order any more, and nothing is recorded about it. While the journal
    /// cannot be written, the end of an order may not be in it yet: what it says is no ground to refuse for good.
    async fn reopen(&mut self, order: OrderId, input: Input) -> Result<Done, ActError> {
        if self.journal.is_failing() {
            return Err(ActError::NotStored);
        }
        let entries = self.journal.entries_of(order).await?.ok_or(Refused::NoSuchOrder(order))?;
        self.engine.load(self.clock.now(), &entries);
        self.act_durably(input).await
    }

    /// The live record, when all of it is durable: nobody may hand out goods for a payment that a power cut forgets.
    /// While the journal cannot be written, what it holds is the answer.
    fn durable_order(&self, order: OrderId) -> Option<OrderRecord> {
        self.engine.order(order).filter(|_| !self.journal.is_failing()).cloned()
    }
}

/// Sleeps until a moment, or for ever.
async fn sleep_until(clock: &Clock, until: Option<Mono>) {
    match until {
        Some(at) => tokio::time::sleep_until(clock.instant(at).into()).await,
        None => std::future::pending().await,
    }
}

fn trace_wake(at: Mono, reason: WakeReason) {
    tracing::trace!(at_ms = at.0, ?reason, "next wake");
}
