//! What shall happen outside. Effects are carried out strictly in order, and a [`Effect::Record`] is durable before the
//! next one starts: nothing leaves the terminal before its entry is on the disk.

use std::collections::VecDeque;

use super::entry::{Entry, OrderState, SlotId};
use super::faults::Fault;
use super::mutant::{Mutant, is_planted};
use super::slots::SlotNews;
use crate::channel::{ChannelId, Request};
use crate::ids::{AttemptId, OrderId};
use crate::money::Fen;
use crate::time::Wall;

/// One effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Make these entries durable in one commit; answer with `Recorded` or `NotRecorded`.
    Record(Vec<Record>),
    /// Make a tiny durable write to learn whether the journal works again; answer like a record.
    ProbeJournal,
    /// Call a channel; answer with `Answered`, whatever happens.
    Call(Call),
    /// Let the machine deliver; answer with `Vended`.
    Vend(Vend),
    /// Let the scanner's lines through, or not.
    ArmScanner(bool),
    /// The lamp of the delivery bay.
    Lamp(bool),
    /// A sound.
    Beep(Beep),
    /// What the buyer chose at the machine will not be paid: its controller need not wait.
    TurnAway,
    /// A fault began.
    Raised(Fault),
    /// A fault is over.
    Cleared(Fault),
}

impl Effect {
    /// Whether nothing but a device of the machine hears of it, and no goods move.
    const fn is_for_devices(&self) -> bool {
        match self {
            Self::ArmScanner(_)
            | Self::Lamp(_)
            | Self::Beep(_)
            | Self::TurnAway
            | Self::Raised(_)
            | Self::Cleared(_) => true,
            Self::Record(_) | Self::ProbeJournal | Self::Call(_) | Self::Vend(_) => false,
        }
    }
}

/// An entry to be written, with what the journal keeps beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What the wall clock said.
    pub at: Wall,
    /// The fact.
    pub entry: Entry,
    /// The order's public state after it.
    pub state: OrderState,
    /// What it means for slots: kept beside the entry in the same transaction, and no part of it.
    pub slots: Vec<(SlotId, SlotNews)>,
}

/// Number of a call within this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallId(pub u64);

/// Number of a job of the machine within this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct JobId(pub u64);

/// A call to a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its number.
    pub id: CallId,
    /// To which channel.
    pub channel: ChannelId,
    /// What is asked.
    pub request: Request,
}

/// A job for the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vend {
    /// Its number.
    pub job: JobId,
    /// Which slot.
    pub slot: SlotId,
    /// What to do.
    pub what: VendWhat,
}

/// What the machine shall do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VendWhat {
    /// Turn the motor once.
    Dispense {
        /// What the buyer paid for the item; a machine that sells by its own price takes at most this.
        price: Fen,
    },
    /// Turn nothing; say from the machine's own counter whether something fell since.
    Inspect {
        /// What the counter said before the motor was to turn.
        drops_before: Option<u64>,
    },
}

/// Sounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beep {
    /// A key or a code was taken.
    Taken,
    /// Paid.
    Paid,
    /// Something did not work.
    Bad,
}

/// Effects on their way out.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    effects: VecDeque<Effect>,
}

impl Queue {
    pub(crate) fn push(&mut self, effect: Effect) {
        if overtakes_records(&effect) {
            return self.effects.push_front(effect);
        }
        self.effects.push_back(effect);
    }

    /// Adds an entry; entries that wait side by side become one commit.
    pub(crate) fn record(&mut self, record: Record) {
        if let Some(Effect::Record(batch)) = self.effects.back_mut() {
            batch.push(record);
        } else {
            self.push(Effect::Record(vec![record]));
        }
    }

    pub(crate) fn pop(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// The next effect that needs no journal: while it fails, the devices still learn what changed.
    pub(crate) fn pop_for_devices(&mut self) -> Option<Effect> {
        self.take_first(Effect::is_for_devices)
    }

    /// The next effect that is no call. Calls keep their order, and none gets in front of a record that it waits for.
    pub(crate) fn pop_all_but_calls(&mut self) -> Option<Effect> {
        self.take_first(|effect| !matches!(effect, Effect::Call(_)))
    }

    pub(crate) fn has_record(&self) -> bool {
        self.effects.iter().any(|effect| matches!(effect, Effect::Record(_)))
    }

    /// Whether an entry of `order` is not written yet.
    pub(crate) fn has_record_of(&self, order: OrderId) -> bool {
        let of_order = |record: &Record| record.entry.order() == order;
        self.effects.iter().any(|effect| matches!(effect, Effect::Record(batch) if batch.iter().any(of_order)))
    }

    /// Whether this call has not left yet.
    pub(crate) fn holds(&self, call: CallId) -> bool {
        self.calls().any(|waiting| waiting.id == call)
    }

    /// Takes a call back that has not left yet; `false` when it has.
    pub(crate) fn withdraw(&mut self, call: CallId) -> bool {
        self.take_back(|effect| matches!(effect, Effect::Call(waiting) if waiting.id == call))
    }

    /// Takes a job back that the machine has not got yet; `false` when it has.
    pub(crate) fn withdraw_vend(&mut self, job: JobId) -> bool {
        self.take_back(|effect| matches!(effect, Effect::Vend(waiting) if waiting.job == job))
    }

    fn take_back(&mut self, which: impl Fn(&Effect) -> bool) -> bool {
        self.take_first(which).is_some()
    }

    fn take_first(&mut self, which: impl Fn(&Effect) -> bool) -> Option<Effect> {
        let place = self.effects.iter().position(which)?;
        self.effects.remove(place)
    }

    /// The calls that wait, in order.
    pub(crate) fn calls(&self) -> impl Iterator<Item = &Call> {
        self.effects.iter().filter_map(|effect| match effect {
            Effect::Call(call) => Some(call),
            Effect::Record(_)
            | Effect::ProbeJournal
            | Effect::Vend(_)
            | Effect::ArmScanner(_)
            | Effect::Lamp(_)
            | Effect::Beep(_)
            | Effect::TurnAway
            | Effect::Raised(_)
            | Effect::Cleared(_) => None,
        })
    }

    /// Puts back what could not be written, in front of everything that waits for it.
    pub(crate) fn put_back(&mut self, batch: Vec<Record>) {
        if !batch.is_empty() {
            self.effects.push_front(Effect::Record(batch));
        }
    }

    /// The orders whose opening is still unwritten: nothing about them has left the terminal.
    pub(crate) fn unwritten_orders(&self) -> Vec<OrderId> {
        let records = self.effects.iter().flat_map(|effect| match effect {
            Effect::Record(batch) => batch.as_slice(),
            Effect::ProbeJournal
            | Effect::Call(_)
            | Effect::Vend(_)
            | Effect::ArmScanner(_)
            | Effect::Lamp(_)
            | Effect::Beep(_)
            | Effect::TurnAway
            | Effect::Raised(_)
            | Effect::Cleared(_) => &[],
        });
        records
            .filter(|record| matches!(record.entry, Entry::OrderOpened { .. }))
            .map(|record| record.entry.order())
            .collect()
    }

    /// Forgets the entries of `order` and the calls in `calls`.
    pub(crate) fn forget(&mut self, order: OrderId, calls: &[CallId]) {
        self.forget_entries(|entry| entry.order() == order);
        self.effects.retain(|effect| match effect {
            Effect::Call(call) => !calls.contains(&call.id),
            Effect::Record(_)
            | Effect::ProbeJournal
            | Effect::Vend(_)
            | Effect::ArmScanner(_)
            | Effect::Lamp(_)
            | Effect::Beep(_)
            | Effect::TurnAway
            | Effect::Raised(_)
            | Effect::Cleared(_) => true,
        });
    }

    /// Forgets the beginning and the payment of `attempt`.
    pub(crate) fn forget_attempt(&mut self, attempt: AttemptId) {
        self.forget_entries(|entry| entry.is_taking_of(attempt));
    }

    fn forget_entries(&mut self, which: impl Fn(&Entry) -> bool) {
        for effect in &mut self.effects {
            if let Effect::Record(batch) = effect {
                batch.retain(|record| !which(&record.entry));
            }
        }
        self.effects.retain(|effect| !matches!(effect, Effect::Record(batch) if batch.is_empty()));
    }
}

/// Planted mistakes only.
fn overtakes_records(effect: &Effect) -> bool {
    (is_planted(Mutant::CallBeforeRecord) && matches!(effect, Effect::Call(_)))
        || (is_planted(Mutant::GoodsBeforeRecord) && matches!(effect, Effect::Vend(_)))
}
