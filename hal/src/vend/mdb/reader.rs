//! A cashless reader on the bus, as a state machine (reference/hardware.md 3.3). Pure: commands and ACKs in, statuses and
//! [`Heard`] out. It knows neither the clock nor the adapter.

use std::collections::VecDeque;

use super::{
    block::{ALWAYS_IDLE, Command, Config, Status},
    link::{Heard, Trouble},
};

/// What waits for the master; it polls ten times a second. More than this is a master that sends and never polls.
const QUEUE_MAX: usize = 16;

/// The states of the standard, with the numbers of status 0B.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Inactive = 1,
    Disabled = 2,
    Enabled = 3,
    Idle = 4,
    Vend = 5,
}

/// How far an approval got. It outlives a RESET, because its item may still fall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Approval {
    None,
    /// It can still be taken back.
    Queued,
    /// It is on its way: nobody knows whether the master has it.
    Handed,
    /// The master has acknowledged it.
    Delivered,
}

/// What kind of reader.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Abilities {
    pub(crate) config: Config,
    /// Offer "always idle" to a master of level 3.
    pub(crate) always_idle: bool,
    /// False: the adapter itself answers RESET, SETUP and EXPANSION.
    pub(crate) answers_setup: bool,
}

/// The reader.
#[derive(Debug)]
pub(crate) struct Reader {
    can: Abilities,
    state: State,
    /// The machine's level; 0: there was no SETUP.
    level: u8,
    always_idle: bool,
    /// DISABLE came while a session was open.
    disable_pending: bool,
    /// Price and item of the request in state Vend.
    asked: Option<(u16, u16)>,
    approval: Approval,
    queue: VecDeque<Status>,
    /// The first of the queue is on its way.
    handed: bool,
    heard: VecDeque<Heard>,
}

impl Reader {
    /// As after power-up: the master is told so.
    pub(crate) fn new(can: Abilities) -> Self {
        let mut reader = Self {
            can,
            state: State::Inactive,
            level: 0,
            always_idle: false,
            disable_pending: false,
            asked: None,
            approval: Approval::None,
            queue: VecDeque::new(),
            handed: false,
            heard: VecDeque::new(),
        };
        if can.answers_setup {
            reader.queue.push_back(Status::JustReset);
        } else {
            // An adapter that speaks for itself tells nobody what was agreed before we came: what is open is closed first.
            reader.state = State::Enabled;
            reader.queue.push_back(Status::End);
            reader.heard.push_back(Heard::Up { always_idle: false });
        }
        reader
    }

    pub(crate) const fn state(&self) -> State {
        self.state
    }

    /// Whether a status is on its way and not acknowledged.
    pub(crate) const fn is_handed(&self) -> bool {
        self.handed
    }

    /// Whether there is a status for the next poll.
    pub(crate) fn waits(&self) -> bool {
        !self.queue.is_empty()
    }

    /// The status for the next poll. It stays the same until [`acked`](Self::acked) or [`passed_on`](Self::passed_on).
    pub(crate) fn hand(&mut self) -> Option<Status> {
        let status = *self.queue.front()?;
        self.handed = true;
        if matches!(status, Status::Approved(_)) && self.approval == Approval::Queued {
            self.approval = Approval::Handed;
        }
        Some(status)
    }

    /// The master has acknowledged the status that was handed out.
    pub(crate) fn acked(&mut self) {
        if let Some(status) = self.take_handed() {
            if matches!(status, Status::Approved(_)) && self.approval == Approval::Handed {
                self.approval = Approval::Delivered;
            }
            self.delivered(status);
        }
    }

    /// Nobody will tell whether the master has it: an approval stays in doubt, of everything else we believe it.
    pub(crate) fn passed_on(&mut self) {
        if let Some(status) = self.take_handed() {
            self.delivered(status);
        }
    }

    /// Whether a credit is on its way that is still wanted.
    pub(crate) fn is_beginning(&self) -> bool {
        let is_begin = self.handed && matches!(self.queue.front(), Some(Status::Begin { .. }));
        is_begin && !self.queue.contains(&Status::CancelSession)
    }

    fn take_handed(&mut self) -> Option<Status> {
        std::mem::take(&mut self.handed).then(|| self.queue.pop_front()).flatten()
    }

    fn delivered(&mut self, status: Status) {
        if matches!(status, Status::Begin { .. }) && self.state == State::Enabled {
            self.state = State::Idle;
            self.heard.push_back(Heard::SessionOpen);
        }
    }

    pub(crate) fn heard(&mut self) -> Option<Heard> {
        self.heard.pop_front()
    }

    /// Opens a session.
    pub(crate) fn begin(&mut self, funds: u16) {
        let is_begun = self.queue.iter().any(|status| matches!(status, Status::Begin { .. }));
        if self.state == State::Enabled && !is_begun {
            self.say(Status::Begin { funds, long: self.agreed_level() >= 2 });
        }
    }

    /// Approves the open request; an approval that was given already is not given twice.
    pub(crate) fn approve(&mut self, steps: u16) {
        if self.is_unanswered() {
            self.approval = Approval::Queued;
            self.queue.push_back(Status::Approved(steps));
        }
    }

    /// Takes an approval back that the adapter has not got. False: it has, or there is none.
    pub(crate) fn take_back_approval(&mut self) -> bool {
        let was_queued = self.approval == Approval::Queued;
        if was_queued {
            self.take_back(|status| matches!(status, Status::Approved(_)));
            self.approval = Approval::None;
            self.deny();
        }
        was_queued
    }

    /// Denies the open request.
    pub(crate) fn deny(&mut self) {
        if self.is_unanswered() {
            self.say(Status::Denied);
            self.leave_vend();
        }
    }

    /// Asks the master to end the session. An approved request of which it never said another word is forgotten.
    pub(crate) fn finish(&mut self) {
        if self.state == State::Vend && self.approval != Approval::None {
            self.leave_vend();
        }
        self.take_back(|status| matches!(status, Status::Begin { .. }));
        let asked = self.queue.contains(&Status::CancelSession);
        let is_coming = self.handed && matches!(self.queue.front(), Some(Status::Begin { .. }));
        if (self.state == State::Idle || is_coming) && !asked {
            self.say(Status::CancelSession);
        }
    }

    /// The master does not end the session that it was asked to end: for us it is over, and the master is told so.
    pub(crate) fn abandon(&mut self) {
        if self.state == State::Idle {
            self.on_complete();
        }
    }

    /// Not enabled for long: perhaps a command was lost between the adapter and us. The master is asked to begin anew.
    pub(crate) fn revive(&mut self) {
        if self.can.answers_setup && matches!(self.state, State::Inactive | State::Disabled) {
            self.state = State::Inactive;
            self.level = 0;
            self.take_back(|_| true);
            self.say(Status::JustReset);
        }
    }

    /// The master said this.
    pub(crate) fn command(&mut self, command: Command) {
        match command {
            Command::Reset => self.on_reset(),
            Command::Poll | Command::Other => {}
            Command::Setup { level, .. } => self.on_setup(level),
            Command::Prices { .. } => self.on_prices(),
            Command::ExpansionId => self.on_expansion(),
            Command::Options(bits) => self.on_options(bits),
            Command::Enable => self.on_enable(),
            Command::Disable => self.on_disable(),
            Command::Cancel => self.on_cancel(),
            Command::VendRequest { price, item } => self.on_request(price, item),
            Command::VendCancel => self.on_vend_cancel(),
            Command::VendSuccess { .. } => self.on_success(),
            Command::VendFailure => self.on_failure(),
            Command::SessionComplete => self.on_complete(),
            Command::CashSale { price, item } => self.heard.push_back(Heard::CashSale { price, item }),
            Command::NegativeVend { .. } => self.say(Status::Denied),
            Command::Revalue { .. } => self.say(Status::RevalueDenied),
            Command::RevalueLimit => self.say(Status::RevalueLimit),
        }
    }

    fn on_reset(&mut self) {
        self.queue.clear();
        self.handed = false;
        self.state = State::Inactive;
        self.level = 0;
        self.always_idle = false;
        self.disable_pending = false;
        self.asked = None;
        if self.can.answers_setup {
            self.say(Status::JustReset);
        }
        self.heard.push_back(Heard::Reset);
    }

    fn on_setup(&mut self, level: u8) {
        if !matches!(self.state, State::Inactive | State::Disabled) {
            return self.wrong();
        }
        self.level = level.clamp(1, 3);
        // The master goes on without having asked: a late "just reset" would make it begin again, for ever.
        self.take_back(|status| *status == Status::JustReset);
        if self.can.answers_setup {
            self.say(Status::Config(self.can.config));
        }
    }

    fn on_prices(&mut self) {
        match self.state {
            State::Inactive if self.level == 0 && self.can.answers_setup => self.wrong(),
            State::Inactive => {
                self.state = State::Disabled;
                self.heard.push_back(Heard::Down(Trouble::Disabled));
            }
            State::Disabled | State::Enabled | State::Idle | State::Vend => {}
        }
    }

    fn on_expansion(&mut self) {
        if self.can.answers_setup {
            let offered = if self.can.always_idle { ALWAYS_IDLE } else { 0 };
            self.say(Status::Id((self.agreed_level() == 3).then_some(offered)));
        }
    }

    fn on_options(&mut self, bits: u32) {
        self.always_idle = self.can.always_idle && bits & ALWAYS_IDLE != 0;
    }

    fn on_enable(&mut self) {
        match self.state {
            State::Inactive if self.level == 0 && self.can.answers_setup => self.wrong(),
            // A machine may leave out its prices.
            State::Inactive | State::Disabled => {
                self.state = State::Enabled;
                self.heard.push_back(Heard::Up { always_idle: self.always_idle });
            }
            State::Enabled | State::Idle | State::Vend => self.disable_pending = false,
        }
    }

    fn on_disable(&mut self) {
        match self.state {
            State::Inactive => self.wrong(),
            State::Disabled => {}
            State::Enabled => {
                self.take_back(|status| matches!(status, Status::Begin { .. }));
                self.disabled();
            }
            State::Idle => {
                self.disable_pending = true;
                self.disable_when_idle();
            }
            State::Vend => {
                self.disable_pending = true;
                if self.approval == Approval::None {
                    self.say(Status::Denied);
                    self.heard.push_back(Heard::Withdrawn);
                    self.leave_vend();
                }
            }
        }
    }

    fn disabled(&mut self) {
        self.state = State::Disabled;
        self.disable_pending = false;
        self.heard.push_back(Heard::Down(Trouble::Disabled));
    }

    /// The session is finished first; "always idle" has none.
    fn disable_when_idle(&mut self) {
        if self.disable_pending && self.state == State::Idle {
            if self.always_idle { self.disabled() } else { self.finish() }
        }
    }

    fn on_cancel(&mut self) {
        match self.state {
            State::Disabled | State::Enabled => self.say(Status::Cancelled),
            State::Inactive | State::Idle | State::Vend => self.wrong(),
        }
    }

    fn on_request(&mut self, price: u16, item: u16) {
        if self.handed && matches!(self.queue.front(), Some(Status::Begin { .. } | Status::Denied)) {
            // Who selects has seen the credit, and the answer to the selection before: the ACK was lost.
            self.acked();
        }
        // Said now, it would be the answer to this one.
        self.take_back(|status| *status == Status::Denied);
        let may_select = match self.state {
            State::Inactive | State::Disabled => false,
            State::Enabled => self.always_idle,
            State::Idle | State::Vend => true,
        };
        if !may_select {
            return self.wrong();
        }
        // The credit of the session before would stand in the way of the answer.
        self.take_back(|status| matches!(status, Status::Begin { .. }));
        if self.is_unanswered() {
            if self.asked == Some((price, item)) {
                // Sent again: our ACK was lost.
                return;
            }
            self.heard.push_back(Heard::Withdrawn);
        } else if self.approval != Approval::None {
            self.give_up();
        }
        self.approval = Approval::None;
        self.state = State::Vend;
        self.asked = Some((price, item));
        self.heard.push_back(Heard::Request { price, item });
    }

    /// The machine goes on while a request is approved: either the approval never got out, or nobody knows.
    fn give_up(&mut self) {
        let was_queued = self.approval == Approval::Queued;
        self.take_back(|status| matches!(status, Status::Approved(_)));
        self.approval = Approval::None;
        self.heard.push_back(if was_queued { Heard::Withdrawn } else { Heard::Lost });
    }

    fn on_vend_cancel(&mut self) {
        match (self.state, self.approval) {
            (State::Inactive | State::Disabled, _) | (State::Vend, Approval::Delivered) => self.wrong(),
            // It may have crossed our DENIED: one is enough.
            (State::Enabled | State::Idle, _) => {
                if !self.queue.contains(&Status::Denied) {
                    self.say(Status::Denied);
                }
            }
            (State::Vend, Approval::None) => {
                self.say(Status::Denied);
                self.heard.push_back(Heard::Withdrawn);
                self.leave_vend();
            }
            (State::Vend, Approval::Queued) => {
                self.give_up();
                self.say(Status::Denied);
                self.leave_vend();
            }
            // The adapter has it: whichever arrives first counts, and the machine will say which.
            (State::Vend, Approval::Handed) => self.say(Status::Denied),
        }
    }

    fn on_success(&mut self) {
        if self.approval != Approval::None {
            // Who delivers has seen it.
            self.take_back(|status| matches!(status, Status::Approved(_)));
            self.heard.push_back(Heard::Success);
            self.settle();
        } else if self.state == State::Vend {
            // Delivered without our word: whatever the buyer would pay now is for nothing.
            self.heard.push_back(Heard::Withdrawn);
            self.leave_vend();
            self.wrong();
        }
        // Else it is the same success again.
    }

    fn on_failure(&mut self) {
        match self.approval {
            // Some machines give up by this instead of VEND CANCEL.
            Approval::None if self.state == State::Vend => {
                self.heard.push_back(Heard::Withdrawn);
                self.leave_vend();
            }
            Approval::None => {}
            Approval::Queued => {
                self.give_up();
                self.settle();
            }
            Approval::Handed | Approval::Delivered => {
                self.heard.push_back(Heard::Failure);
                self.settle();
            }
        }
    }

    fn on_complete(&mut self) {
        if self.state == State::Inactive {
            return self.wrong();
        }
        if self.is_unanswered() {
            self.heard.push_back(Heard::Withdrawn);
        } else if self.approval != Approval::None {
            self.give_up();
        }
        self.take_back(|status| matches!(status, Status::Begin { .. } | Status::CancelSession | Status::Denied));
        self.asked = None;
        self.say(Status::End);
        let had_session = matches!(self.state, State::Idle | State::Vend);
        if had_session {
            self.heard.push_back(Heard::SessionOver);
        }
        if had_session && self.disable_pending {
            self.disabled();
        } else if self.state != State::Disabled {
            // Also without one: a credit that waited behind it was taken back, and is wanted again.
            self.state = State::Enabled;
            self.heard.push_back(Heard::Up { always_idle: self.always_idle });
        }
    }

    fn settle(&mut self) {
        self.approval = Approval::None;
        if matches!(self.queue.front(), Some(Status::Approved(_))) {
            self.take_handed();
        }
        if self.state == State::Vend {
            self.leave_vend();
        }
    }

    fn leave_vend(&mut self) {
        self.state = State::Idle;
        self.asked = None;
        self.approval = Approval::None;
        self.disable_when_idle();
    }

    /// Whether a request waits for our word.
    pub(crate) fn is_unanswered(&self) -> bool {
        self.state == State::Vend && self.approval == Approval::None
    }

    /// The smaller of both.
    fn agreed_level(&self) -> u8 {
        self.can.config.level.min(self.level.max(1))
    }

    fn wrong(&mut self) {
        let state = (self.agreed_level() >= 2).then_some(self.state as u8);
        self.say(Status::OutOfSequence(state));
    }

    fn say(&mut self, status: Status) {
        if self.queue.len() < QUEUE_MAX {
            self.queue.push_back(status);
        }
    }

    /// Removes what has not been handed out.
    fn take_back(&mut self, which: impl Fn(&Status) -> bool) {
        let mut keep = usize::from(self.handed);
        self.queue.retain(|status| {
            let handed = keep > 0;
            keep = keep.saturating_sub(1);
            handed || !which(status)
        });
    }
}

#[cfg(test)]
mod tests;
