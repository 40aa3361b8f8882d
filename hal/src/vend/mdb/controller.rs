//! The money rules of a cashless reader, over either adapter (reference/hardware.md 3.3). APPROVED is given once for a job and
//! only for a job; what became of it is what the machine says, and where it says nothing it is unknown.

use std::{collections::VecDeque, time::Duration};

use super::{
    super::{Job, bus::Protocol},
    link::{Heard, Link, Trouble},
    money::{Money, UNKNOWN},
    ready::Readiness,
};
use crate::event::{DeviceEvent, VendResult};

/// After RESET the machine may still say what became of the item in its hands.
const AFTER_RESET: Duration = Duration::from_secs(10);
/// We answer this long before the machine's patience ends.
const MARGIN: Duration = Duration::from_secs(1);
/// The machine ends a session by itself when it has no more to do; after this long we ask for it.
const FINISH_AFTER: Duration = Duration::from_secs(2);
/// A session in which nobody selects is opened anew after this: perhaps the machine has none, and the box did not tell.
const RENEW_AFTER: Duration = Duration::from_mins(5);
/// The same record of a sale for cash within this time is a repetition: no machine delivers faster.
const SAME_SALE: Duration = Duration::from_secs(1);

/// Who comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The buyer selects at the machine, then pays the exact price.
    SelectFirst {
        /// Shown by machines that want a session before a selection, in steps.
        credit: u16,
    },
    /// The buyer pays an amount, then selects for it.
    PayFirst,
}

/// What the board says.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) mode: Mode,
    pub(crate) money: Money,
    /// Slots by the machine's item numbers.
    pub(crate) items: Vec<(u16, String)>,
    /// Longest time until a request is answered.
    pub(crate) max_response: Duration,
    /// Longest time from a credit on display to a selection.
    pub(crate) select_within: Duration,
    /// Longest time from the approval to the machine's word on the item.
    pub(crate) result_within: Duration,
}

/// What is under way. An approval exists only in [`Deal::Approved`], which only a job leads to.
#[derive(Debug)]
enum Deal {
    Free,
    /// Select-first: the machine waits for the money.
    Asked {
        slot: Option<String>,
        price: u16,
        until: Duration,
    },
    /// Pay-first: the buyer has paid and selects.
    Credit {
        job: u64,
        credit: u16,
        /// The machine shows it.
        shown: bool,
        until: Duration,
    },
    /// The item is in the machine's hands.
    Approved {
        job: u64,
        steps: u16,
        /// Pay-first: for another selection after a failure.
        credit: Option<u16>,
        until: Duration,
    },
}

/// A cashless reader.
pub(crate) struct Controller {
    link: Box<dyn Link>,
    rules: Rules,
    deal: Deal,
    ready: Readiness,
    /// The latest time that was told.
    now: Duration,
    open: bool,
    always_idle: bool,
    /// The machine wants a session before a selection and has none.
    session_wanted: bool,
    finish_at: Option<Duration>,
    last_sale: Option<(Duration, u16, u16)>,
    events: VecDeque<DeviceEvent>,
}

impl Controller {
    pub(crate) fn new(link: Box<dyn Link>, rules: Rules) -> Self {
        Self {
            link,
            rules,
            deal: Deal::Free,
            ready: Readiness::default(),
            now: Duration::ZERO,
            open: false,
            always_idle: false,
            session_wanted: false,
            finish_at: None,
            last_sale: None,
            events: VecDeque::new(),
        }
    }

    fn listen(&mut self, now: Duration) {
        self.now = now;
        while let Some(heard) = self.link.heard() {
            self.on_heard(now, heard);
        }
        if let (Deal::Free, true, Mode::SelectFirst { credit }) = (&self.deal, self.session_wanted, self.rules.mode) {
            // The session that was to end has ended.
            (self.session_wanted, self.finish_at) = (false, None);
            self.link.begin(now, credit);
        }
    }

    fn on_heard(&mut self, now: Duration, heard: Heard) {
        match heard {
            Heard::Up { always_idle } => self.on_up(now, always_idle),
            Heard::Down(trouble) => {
                self.session_wanted = false;
                self.ready.down(now, trouble);
            }
            Heard::Reset => self.on_reset(now),
            Heard::SessionOpen => self.on_session(now),
            Heard::SessionOver => self.on_session_over(),
            Heard::Request { price, item } => self.on_request(now, price, item),
            Heard::Withdrawn => self.on_withdrawn(now),
            Heard::Success => self.on_success(now),
            Heard::Failure => self.on_failure(now),
            Heard::Lost => self.on_lost(now),
            Heard::CashSale { price, item } => self.on_cash_sale(now, price, item),
        }
    }

    fn on_up(&mut self, now: Duration, always_idle: bool) {
        self.ready.up();
        self.always_idle = always_idle;
        self.session_wanted = !always_idle;
        self.finish_at = None;
        if let Deal::Credit { credit, .. } = self.deal {
            self.link.begin(now, credit);
        }
    }

    fn on_reset(&mut self, now: Duration) {
        self.ready.down(now, Trouble::NotPolled);
        self.session_wanted = false;
        self.finish_at = None;
        match &mut self.deal {
            Deal::Free => {}
            Deal::Asked { .. } => self.choice_ended(),
            Deal::Credit { job, .. } => {
                let job = *job;
                self.ended(job, VendResult::NotDropped, "the machine was set back before anybody selected");
            }
            Deal::Approved { until, .. } => *until = (*until).min(now + AFTER_RESET),
        }
    }

    fn on_session(&mut self, now: Duration) {
        self.ready.up();
        self.session_wanted = false;
        match (&mut self.deal, self.rules.mode) {
            (Deal::Credit { shown, until, .. }, _) => {
                *shown = true;
                *until = now + self.rules.select_within;
            }
            // A credit that came too late: nobody pays for it any more.
            (Deal::Free, Mode::PayFirst) => self.link.finish(now),
            (Deal::Free, Mode::SelectFirst { .. }) => self.finish_at = Some(now + RENEW_AFTER),
            (Deal::Asked { .. } | Deal::Approved { .. }, _) => {}
        }
    }

    fn on_session_over(&mut self) {
        self.finish_at = None;
        if let Deal::Credit { job, shown: true, .. } = self.deal {
            self.ended(job, VendResult::NotDropped, "the credit was given back at the machine");
        }
    }

    fn on_request(&mut self, now: Duration, price: u16, item: u16) {
        self.finish_at = None;
        match (&self.deal, self.rules.mode) {
            (Deal::Credit { job, credit, .. }, _) if price != UNKNOWN && price <= *credit => {
                let (job, credit) = (*job, *credit);
                self.approve(now, job, price, Some(credit));
            }
            (Deal::Free | Deal::Asked { .. }, Mode::SelectFirst { .. }) => self.on_choice(now, price, item),
            // More than was paid, or nobody knows how much.
            (Deal::Credit { .. }, _) => self.link.deny(now),
            // Nobody has paid.
            (Deal::Free | Deal::Asked { .. } | Deal::Approved { .. }, _) => {
                self.link.deny(now);
                self.finish_at = Some(now + FINISH_AFTER);
            }
        }
    }

    fn on_choice(&mut self, now: Duration, price: u16, item: u16) {
        let slot = self.rules.items.iter().find(|(number, _)| *number == item).map(|(_, slot)| slot.clone());
        if price == 0 || (slot.is_none() && item != UNKNOWN) {
            tracing::warn!(item, price, "denied: the board has no slot with this item number, or it is for nothing");
            self.turn_away(now);
            return;
        }
        let until = now + self.rules.max_response.saturating_sub(MARGIN);
        self.events.push_back(DeviceEvent::Chosen { slot: slot.clone(), price: self.rules.money.fen(price) });
        self.deal = Deal::Asked { slot, price, until };
    }

    fn on_withdrawn(&mut self, now: Duration) {
        match self.deal {
            Deal::Free | Deal::Credit { .. } => {}
            Deal::Asked { .. } => {
                self.choice_ended();
                self.finish_at = Some(now + RENEW_AFTER);
            }
            Deal::Approved { job, .. } => {
                self.returned(now, job, "the machine took its request back, nothing was approved")
            }
        }
    }

    fn on_success(&mut self, now: Duration) {
        if let Deal::Approved { job, steps, credit, .. } = self.deal {
            let taken = credit.and_then(|_| self.rules.money.fen(steps));
            let result = VendResult::Dropped;
            self.deal = Deal::Free;
            self.events.push_back(DeviceEvent::VendEnded { job, result, drops: None, taken, told: None });
            self.finish_at = Some(now + FINISH_AFTER);
        }
    }

    fn on_failure(&mut self, now: Duration) {
        if let Deal::Approved { .. } = self.deal {
            self.not_delivered(now);
        }
    }

    /// Select-first: the money goes back. Pay-first: another selection may follow.
    fn not_delivered(&mut self, now: Duration) {
        if let Deal::Approved { job, credit, .. } = self.deal {
            match credit {
                Some(credit) => {
                    let until = now + self.rules.select_within;
                    self.deal = Deal::Credit { job, credit, shown: true, until };
                }
                None => self.returned(now, job, "the machine says that nothing was dispensed"),
            }
        }
    }

    fn returned(&mut self, now: Duration, job: u64, told: &str) {
        self.ended(job, VendResult::NotDropped, told);
        self.finish_at = Some(now + FINISH_AFTER);
    }

    fn on_lost(&mut self, now: Duration) {
        if let Deal::Approved { job, .. } = self.deal {
            self.ended(job, VendResult::Unknown, "the machine went on without a word on the approved item");
            self.finish_at = Some(now + FINISH_AFTER);
        }
    }

    fn on_cash_sale(&mut self, now: Duration, price: u16, item: u16) {
        let last = self.last_sale.replace((now, price, item));
        let is_repeated = last.is_some_and(|(at, p, i)| (p, i) == (price, item) && now < at + SAME_SALE);
        let slot = self.rules.items.iter().find(|(number, _)| *number == item).map(|(_, slot)| slot.clone());
        if let (false, Some(price)) = (is_repeated, self.rules.money.fen(price)) {
            self.events.push_back(DeviceEvent::CashSold { slot, price });
        }
    }

    fn dispense(&mut self, now: Duration, job: u64, slot: &str, price: i64) {
        match (&self.deal, self.rules.mode) {
            (Deal::Asked { slot: chosen, price: asked, .. }, _) => {
                let fits = chosen.as_deref().is_none_or(|chosen| chosen == slot);
                let steps = self.rules.money.steps(price).filter(|steps| *asked == UNKNOWN || steps == asked);
                match steps.filter(|_| fits) {
                    Some(steps) => self.approve(now, job, steps, None),
                    None => self.refuse(job, "nothing was approved: it is not what the machine asks for"),
                }
            }
            (Deal::Free, Mode::PayFirst) => self.credit(now, job, price),
            (Deal::Free, Mode::SelectFirst { .. }) => {
                self.refuse(job, "nothing was approved: the machine asks for nothing any more")
            }
            (Deal::Credit { .. } | Deal::Approved { .. }, _) => {
                self.refuse(job, "nothing was approved: another sale is under way")
            }
        }
    }

    fn credit(&mut self, now: Duration, job: u64, price: i64) {
        match self.rules.money.steps(price) {
            None => self
                .refuse(job, "nothing was approved: the amount is no whole number of the steps of scale in [vend.mdb]"),
            Some(_) if !self.open || self.ready.is_down() => {
                self.refuse(job, "nothing was approved: the machine is not there")
            }
            Some(credit) => {
                self.deal = Deal::Credit { job, credit, shown: false, until: now + self.rules.select_within };
                self.link.begin(now, credit);
            }
        }
    }

    /// The only place that approves.
    fn approve(&mut self, now: Duration, job: u64, steps: u16, credit: Option<u16>) {
        self.deal = Deal::Approved { job, steps, credit, until: now + self.rules.result_within };
        self.link.approve(now, steps);
    }

    /// A job that is not taken on; what is under way goes on.
    fn refuse(&mut self, job: u64, why: &str) {
        self.tell(job, VendResult::NotDropped, why);
    }

    fn turn_away(&mut self, now: Duration) {
        self.deal = Deal::Free;
        self.link.deny(now);
        self.finish_at = Some(now + FINISH_AFTER);
    }

    fn choice_ended(&mut self) {
        self.deal = Deal::Free;
        self.events.push_back(DeviceEvent::ChoiceEnded);
    }

    /// What is under way ends without a proof of delivery.
    fn ended(&mut self, job: u64, result: VendResult, told: &str) {
        self.deal = Deal::Free;
        self.tell(job, result, told);
    }

    fn tell(&mut self, job: u64, result: VendResult, told: &str) {
        let told = Some(told.to_owned());
        self.events.push_back(DeviceEvent::VendEnded { job, result, drops: None, taken: None, told });
    }

    /// The time of what is under way is up.
    fn too_late(&mut self, now: Duration) {
        match self.deal {
            Deal::Free => {}
            Deal::Asked { .. } => {
                self.choice_ended();
                self.turn_away(now);
            }
            Deal::Credit { job, .. } => {
                self.ended(job, VendResult::NotDropped, "nobody selected in time");
                self.link.finish(now);
            }
            Deal::Approved { job, .. } if self.link.take_back(now) => {
                self.returned(now, job, "the MDB adapter never took the approval, so nothing was approved")
            }
            Deal::Approved { job, .. } => {
                self.ended(job, VendResult::Unknown, "the machine never said what became of the approved item");
                self.finish_at = Some(now + FINISH_AFTER);
            }
        }
    }

    fn deal_due(&self) -> Option<Duration> {
        match self.deal {
            Deal::Free => None,
            Deal::Asked { until, .. } | Deal::Credit { until, .. } | Deal::Approved { until, .. } => Some(until),
        }
    }
}

impl Protocol for Controller {
    fn opened(&mut self, now: Duration) {
        self.open = true;
        self.ready.opened(now);
        self.link.opened(now);
        self.listen(now);
    }

    fn closed(&mut self, now: Duration, why: &str) {
        self.open = false;
        self.finish_at = None;
        let never_left = self.link.take_back(now);
        self.link.closed();
        match self.deal {
            Deal::Free => {}
            Deal::Asked { .. } => self.choice_ended(),
            Deal::Credit { job, .. } => self.ended(job, VendResult::NotDropped, "the MDB adapter went away first"),
            Deal::Approved { job, .. } if never_left => {
                self.ended(job, VendResult::NotDropped, "the MDB adapter went away before it took the approval")
            }
            Deal::Approved { job, .. } => {
                self.ended(job, VendResult::Unknown, "the MDB adapter went away after the approval")
            }
        }
        self.ready.closed(why);
    }

    fn received(&mut self, now: Duration, bytes: &[u8]) {
        self.link.received(now, bytes);
        self.listen(now);
    }

    fn wanted(&mut self, now: Duration, job: Job) {
        match job {
            Job::Dispense { job, slot, price } => self.dispense(now, job, &slot, price),
            // An adapter counts nothing that outlives us.
            Job::Inspect { job, .. } => {
                self.tell(job, VendResult::Unknown, "an MDB machine has no counter that could be asked")
            }
            Job::TurnAway => {
                if let Deal::Asked { .. } = self.deal {
                    self.turn_away(now);
                }
            }
        }
        self.listen(now);
    }

    fn woken(&mut self, now: Duration) {
        if self.open {
            self.link.woken(now);
            self.listen(now);
        }
        if self.deal_due().is_some_and(|due| due <= now) {
            self.too_late(now);
        }
        if self.finish_at.is_some_and(|due| due <= now) {
            self.finish_at = None;
            if !self.always_idle {
                self.link.finish(now);
            }
        }
        self.ready.woken(now);
        self.listen(now);
    }

    fn due(&self) -> Option<Duration> {
        let link = if self.open { self.link.due() } else { None };
        [link, self.deal_due(), self.finish_at, self.ready.due()].into_iter().flatten().min()
    }

    fn to_send(&mut self) -> Option<Vec<u8>> {
        self.link.to_send(self.now)
    }

    fn happened(&mut self) -> Option<DeviceEvent> {
        self.ready.event().or_else(|| self.events.pop_front())
    }
}
