//! The goods were handed over, and the channel is told until it knows: a guaranteed payment is confirmed, a delivery is
//! reported. It is the same call until the channel says that it is done; calling twice is harmless by its number.

use crate::channel::outcome::DutyOutcome;
use crate::channel::{Answer, ChannelId, Duty as Wanted, DutyKind, Request};
use crate::engine::desk::Desk;
use crate::engine::effect::CallId;
use crate::engine::entry::{Entry, Said};
use crate::engine::retry::Backoff;
use crate::ids::{AttemptId, OrderId};
use crate::time::{Mono, Wall};

/// An open duty.
#[derive(Debug)]
pub(crate) struct Duty {
    channel: ChannelId,
    wanted: Wanted,
    on_its_way: Option<(CallId, Mono)>,
    next_at: Option<Mono>,
    backoff: Backoff,
}

impl Duty {
    /// Journal a new duty; its call leaves as soon as the entry is durable.
    pub(crate) fn begin(desk: &mut Desk, channel: ChannelId, wanted: Wanted) -> Self {
        let (order, attempt, duty) = (desk.order(), wanted.trade.attempt, wanted.kind);
        desk.note(Entry::DutyBegun { order, attempt, duty });
        Self::restore(desk, channel, wanted)
    }

    /// Take up a duty that was open when the daemon stopped.
    pub(crate) fn restore(desk: &mut Desk, channel: ChannelId, wanted: Wanted) -> Self {
        let mut state = Self { channel, wanted, on_its_way: None, next_at: None, backoff: Backoff::default() };
        state.send(desk);
        state
    }

    pub(crate) const fn channel(&self) -> ChannelId {
        self.channel
    }

    /// The paid attempt that it is about.
    pub(crate) const fn attempt(&self) -> AttemptId {
        self.wanted.trade.attempt
    }

    /// A person did it in the channel's portal: it is not called any more.
    pub(crate) fn settle_by_hand(&self, desk: &mut Desk, said: &Said) {
        let (order, attempt, duty) = self.names(desk);
        desk.note(Entry::DutyDone { order, attempt, duty, said: Some(said.clone()) });
    }

    /// Since when the channel is to be told.
    pub(crate) const fn since(&self) -> Wall {
        self.wanted.delivered
    }

    pub(crate) fn awaits(&self, call: CallId) -> bool {
        self.on_its_way.is_some_and(|(on_its_way, _)| on_its_way == call)
    }

    pub(crate) fn deadline(&self) -> Option<Mono> {
        self.on_its_way.map(|(_, lost_at)| lost_at).or(self.next_at)
    }

    pub(crate) fn on_timer(&mut self, desk: &mut Desk) {
        if self.deadline().is_none_or(|at| at > desk.now()) {
            return;
        }
        match self.on_its_way.take() {
            Some((waiting, _)) if desk.holds(waiting) => self.wait_for(desk, waiting),
            Some(_lost) => self.again(desk),
            None => self.send(desk),
        }
    }

    /// Takes the answer in; `true` when the channel knows.
    pub(crate) fn on_answer(&mut self, desk: &mut Desk, answer: &Answer) -> bool {
        self.on_its_way = None;
        match answer {
            Answer::Duty(DutyOutcome::Done) => {
                let (order, attempt, duty) = self.names(desk);
                desk.note(Entry::DutyDone { order, attempt, duty, said: None });
                return true;
            }
            Answer::Duty(DutyOutcome::Refused { code }) => self.refused(desk, code),
            Answer::Duty(DutyOutcome::Again | DutyOutcome::Unknown(_))
            | Answer::Code(_)
            | Answer::Payment(_)
            | Answer::Reversal(_)
            | Answer::Refund(_)
            | Answer::Reachable(_) => self.again(desk),
        }
        false
    }

    fn names(&self, desk: &Desk) -> (OrderId, AttemptId, DutyKind) {
        (desk.order(), self.wanted.trade.attempt, self.wanted.kind)
    }

    fn refused(&mut self, desk: &mut Desk, code: &str) {
        let (order, attempt, duty) = self.names(desk);
        let known = desk.record.duties.iter().find(|known| known.attempt == attempt && known.kind == duty);
        if known.is_none_or(|known| known.refused.as_deref() != Some(code)) {
            desk.note(Entry::DutyRefused { order, attempt, duty, code: code.to_owned() });
        }
        self.again(desk);
    }

    fn again(&mut self, desk: &Desk) {
        let pace = desk.pace();
        self.next_at = Some(self.backoff.next(desk.now(), pace.refund_query_ms, pace));
    }

    fn send(&mut self, desk: &mut Desk) {
        self.next_at = None;
        let call = desk.call(self.channel, Request::Duty(self.wanted.clone()));
        self.wait_for(desk, call);
    }

    fn wait_for(&mut self, desk: &Desk, call: CallId) {
        self.on_its_way = Some((call, desk.now().plus(desk.pace().call_limit_ms)));
    }
}
