//! What a channel keeps of one merchant: its trades and what moved under which number, and the pay codes that phones made.

use std::collections::BTreeMap;

use payment::channel::Instalment;
use payment::channel::outcome::Why;
use payment::ids::RefundId;
use payment::money::Fen;

/// How long a pay code lives.
pub const PAY_CODE_MS: u64 = 60_000;

/// How a trade stands at its channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// A code was made and nobody scanned it.
    Code {
        /// Until when it may be scanned.
        valid_until: u64,
    },
    /// The buyer sees the cashier, until the channel closes the trade by itself.
    Confirming {
        /// Until then.
        until: u64,
    },
    /// The money was taken.
    Paid,
    /// Closed, unpaid or given back.
    Closed,
}

/// A refund in the ledger.
#[derive(Debug, Clone, Copy)]
pub struct Returned {
    /// How much.
    pub amount: Fen,
    /// A refund may be taken now and move later, or end later.
    pub moves_at: u64,
    /// It moves nothing, ever: its number is spent.
    pub fails: bool,
}

impl Returned {
    /// Whether its end has come by now.
    #[must_use]
    pub const fn is_over(&self, now: u64) -> bool {
        self.moves_at <= now
    }
}

/// A trade in the ledger.
#[derive(Debug, Clone)]
pub struct Trade {
    /// What was asked.
    pub amount: Fen,
    /// How it stands.
    pub standing: Standing,
    /// What was taken.
    pub charged: Fen,
    /// When.
    pub paid_at: u64,
    /// What went back, by its number.
    pub refunds: BTreeMap<RefundId, Returned>,
    /// What a cancel gave back.
    pub cancelled_back: Fen,
    /// Its code was on the screen.
    pub seen: bool,
    /// Until then a confirmation that was on its way may land in spite of our close.
    pub lands_until: u64,
    /// The plan that the buyer signs.
    pub instalment: Option<Instalment>,
    /// When its pay code arrived.
    pub arrived: Option<u64>,
    /// We closed it while the buyer was confirming.
    raced: bool,
}

impl Trade {
    /// A trade that is new.
    #[must_use]
    pub const fn new(amount: Fen, standing: Standing, lands_until: u64) -> Self {
        Self {
            amount,
            standing,
            charged: Fen::ZERO,
            paid_at: 0,
            refunds: BTreeMap::new(),
            cancelled_back: Fen::ZERO,
            seen: false,
            lands_until,
            instalment: None,
            arrived: None,
            raced: false,
        }
    }

    fn returned(&self) -> Fen {
        let moving = self.refunds.values().filter(|returned| !returned.fails);
        moving.map(|returned| returned.amount).chain([self.cancelled_back]).sum()
    }

    /// What the buyer has paid when all that was taken in has moved.
    #[must_use]
    pub fn net(&self) -> Fen {
        Fen::new(self.charged.get() - self.returned().get())
    }

    /// Whether this refund has moved by now.
    #[must_use]
    pub fn has_moved(&self, refund: RefundId, now: u64) -> bool {
        self.refunds.get(&refund).is_some_and(|returned| !returned.fails && returned.is_over(now))
    }

    /// Whether this refund has failed by now, for good.
    #[must_use]
    pub fn has_failed(&self, refund: RefundId, now: u64) -> bool {
        self.refunds.get(&refund).is_some_and(|returned| returned.fails && returned.is_over(now))
    }

    /// What is back with the buyer by now, by whichever call.
    #[must_use]
    pub fn is_back(&self, now: u64) -> Fen {
        let moved = self.refunds.values().filter(|returned| !returned.fails && returned.is_over(now));
        moved.map(|returned| returned.amount).chain([self.cancelled_back]).sum()
    }

    /// A cancel returns all that is not back yet; a refund that was to move later has nothing left to move.
    pub fn cancel(&mut self, now: u64) {
        self.refunds.retain(|_, returned| returned.fails || returned.is_over(now));
        self.cancelled_back = Fen::new(self.cancelled_back.get() + self.net().get());
        self.standing = Standing::Closed;
    }

    /// A trade whose money is all back is closed.
    pub fn close_if_returned(&mut self, now: u64) {
        let moved = self.refunds.values().all(|returned| returned.is_over(now));
        if self.standing == Standing::Paid && moved && self.net() == Fen::ZERO {
            self.standing = Standing::Closed;
        }
    }

    /// Closed while the buyer confirms: who is first?
    pub const fn race(&mut self) {
        self.standing = Standing::Closed;
        self.raced = true;
    }

    /// Whether a confirmation that was on its way may still land.
    #[must_use]
    pub fn may_land(&self, now: u64) -> bool {
        self.standing == Standing::Closed && self.raced && now < self.lands_until
    }

    /// The buyer pays.
    pub const fn pay(&mut self, now: u64) {
        self.standing = Standing::Paid;
        self.charged = self.amount;
        self.paid_at = now;
        self.raced = false;
    }
}

/// What a pay code of the buyer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wallet {
    /// Pays without asking.
    PaysAtOnce,
    /// Asks the buyer first.
    Confirms,
    /// Refuses, for this reason.
    Refuses(Why),
}

/// The pay codes that phones have made, whichever channel they are taken through. Each is good for one payment.
#[derive(Debug, Clone, Default)]
pub struct Phones(BTreeMap<String, (Wallet, u64)>);

impl Phones {
    /// A phone makes a pay code.
    pub fn make_pay_code(&mut self, code: &str, wallet: Wallet, now: u64) {
        self.0.insert(code.to_owned(), (wallet, now + PAY_CODE_MS));
    }

    /// What becomes of a code that is used now; `None` when it is not good.
    pub fn use_up(&mut self, code: &str, now: u64) -> Option<Wallet> {
        self.0.remove(code).filter(|(_, until)| now <= *until).map(|(wallet, _)| wallet)
    }
}
