//! What is said to a scanner, one thing at a time: with pauses, replies awaited, and what is not answered said again.

use std::{collections::VecDeque, time::Duration};

use super::dialect::Ask;

/// Shortest time between two commands, and after bytes of the scanner (reference/hardware.md 1.3).
const PACE: Duration = Duration::from_millis(50);
/// From the byte that wakes a scanner to the command.
const WAKE: Duration = Duration::from_millis(50);
/// After a question that was said twice: its second answer must not be taken for that to the next one. Longer than a reply is
/// waited for.
const SETTLE: Duration = Duration::from_millis(600);

/// Why something is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    SetUp,
    Trigger,
    Stop,
    Beep,
    Heartbeat,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// Send this.
    Send(Vec<u8>),
    /// It was sent, and nothing comes back.
    Done(Purpose),
    /// It was not answered.
    Silent(Purpose),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Fresh,
    Woken,
    Sent,
}

#[derive(Debug)]
struct Flying {
    purpose: Purpose,
    ask: Ask,
    stage: Stage,
    said: u8,
    /// When the stage is over.
    until: Duration,
}

/// The conversation.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    waiting: VecDeque<(Purpose, Ask)>,
    flying: Option<Flying>,
    quiet_until: Duration,
}

impl Exchange {
    /// The port was opened: nothing is under way.
    pub(crate) fn reset(&mut self, now: Duration) {
        *self = Self { quiet_until: now + PACE, ..Self::default() };
    }

    /// Nothing is under way and nothing waits.
    pub(crate) fn is_idle(&self) -> bool {
        self.flying.is_none() && self.waiting.is_empty()
    }

    /// Says this once everything before it is through. What waits for the same purpose is replaced.
    pub(crate) fn ask(&mut self, purpose: Purpose, ask: Ask) {
        self.waiting.retain(|(waiting, _)| *waiting != purpose);
        self.waiting.push_back((purpose, ask));
    }

    /// It is not wanted any more. A reply on its way is left alone.
    pub(crate) fn forget(&mut self, purpose: Purpose) {
        self.waiting.retain(|(waiting, _)| *waiting != purpose);
        if self.flying.as_ref().is_some_and(|flying| flying.purpose == purpose && flying.stage == Stage::Fresh) {
            self.flying = None;
        }
        if let Some(flying) = self.flying.as_mut().filter(|flying| flying.purpose == purpose) {
            flying.said = flying.ask.tries;
        }
    }

    /// Bytes came: nobody talks while the scanner talks, and a reply that has begun is waited for.
    pub(crate) fn heard(&mut self, now: Duration, more_to_come: Option<Duration>) {
        self.quiet_until = self.quiet_until.max(now + PACE);
        if let Some((flying, more)) = self.flying.as_mut().zip(more_to_come) {
            flying.until = flying.until.max(more + PACE);
        }
    }

    /// A reply came. If it fits what was asked, that is through; returns what for.
    pub(crate) fn reply(&mut self, now: Duration, fits: impl FnOnce(&[u8]) -> bool) -> Option<Purpose> {
        let flying = self.flying.as_ref().filter(|flying| flying.stage == Stage::Sent && fits(&flying.ask.bytes))?;
        let purpose = flying.purpose;
        let pause = if flying.said > 1 { SETTLE } else { PACE };
        self.quiet_until = self.quiet_until.max(now + pause);
        self.flying = None;
        Some(purpose)
    }

    /// When [`poll`](Self::poll) has something to do.
    pub(crate) fn due(&self) -> Option<Duration> {
        match &self.flying {
            Some(flying) if flying.stage == Stage::Fresh => Some(self.quiet_until),
            Some(flying) => Some(flying.until),
            None => self.waiting.front().map(|_| self.quiet_until),
        }
    }

    /// The next thing to do now; to be called until there is none.
    pub(crate) fn poll(&mut self, now: Duration) -> Option<Told> {
        if self.due().is_none_or(|due| due > now) {
            return None;
        }
        if self.flying.is_none() {
            let (purpose, ask) = self.waiting.pop_front()?;
            self.flying = Some(Flying { purpose, ask, stage: Stage::Fresh, said: 0, until: now });
        }
        let flying = self.flying.as_mut()?;
        match flying.stage {
            Stage::Fresh if flying.ask.wake => {
                flying.stage = Stage::Woken;
                flying.until = now + WAKE;
                Some(Told::Send(vec![0]))
            }
            Stage::Fresh | Stage::Woken => {
                flying.stage = Stage::Sent;
                flying.said += 1;
                flying.until = now + flying.ask.within;
                self.quiet_until = now + PACE;
                Some(Told::Send(flying.ask.bytes.clone()))
            }
            Stage::Sent if flying.said < flying.ask.tries => {
                flying.stage = Stage::Fresh;
                self.poll(now)
            }
            Stage::Sent => {
                let flying = self.flying.take()?;
                self.quiet_until = self.quiet_until.max(now + if flying.ask.within.is_zero() { PACE } else { SETTLE });
                let answered_by_nobody = flying.ask.within.is_zero();
                Some(if answered_by_nobody { Told::Done(flying.purpose) } else { Told::Silent(flying.purpose) })
            }
        }
    }
}
