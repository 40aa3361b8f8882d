//! The machine's controller as master of the bus (reference/hardware.md 3.1 to 3.3), with a customer who follows a plan, and the
//! books in which an item that was given away is found.

use std::{collections::VecDeque, time::Duration};

use crate::vend::mdb::{
    block::{ALWAYS_IDLE, Command, Config, Status, seal, unseal},
    money::UNKNOWN,
};

/// A peripheral that does not answer for so long is set back.
const NON_RESPONSE: Duration = Duration::from_secs(5);

/// What kind of machine.
#[derive(Debug, Clone)]
pub struct VmcSpec {
    /// 1 to 3.
    pub level: u8,
    /// 10 or 60: the reader that it speaks to.
    pub address: u8,
    /// Takes "always idle" when it is offered.
    pub always_idle: bool,
    /// Asks for the expansion; machines that do not exist.
    pub expansion: bool,
    /// Item numbers and prices in steps.
    pub items: Vec<(u16, u16)>,
    /// How long it waits for the money, whatever the reader declared.
    pub patience: Duration,
    /// Gives up by VEND FAILURE, as some do, instead of VEND CANCEL.
    pub gives_up_by_failure: bool,
    /// Takes an approval that crosses its VEND CANCEL.
    pub vends_after_cancel: bool,
    /// Tells every success twice.
    pub success_twice: bool,
    /// Asks for more than the credit that it was told.
    pub ignores_credit: bool,
    /// Further selections in one session.
    pub multivend: bool,
    /// How long a motor turns.
    pub motor: Duration,
    /// Between two polls.
    pub poll: Duration,
}

impl Default for VmcSpec {
    fn default() -> Self {
        Self {
            level: 3,
            address: 0x10,
            always_idle: true,
            expansion: true,
            items: vec![(5, 350), (6, 500), (7, 120)],
            patience: Duration::from_secs(90),
            gives_up_by_failure: false,
            vends_after_cancel: false,
            success_twice: false,
            ignores_credit: false,
            multivend: false,
            motor: Duration::from_secs(3),
            poll: Duration::from_millis(100),
        }
    }
}

impl VmcSpec {
    /// The same machine, where seconds pass `times` as fast: for tests in real time.
    #[must_use]
    pub fn faster(mut self, times: u32) -> Self {
        for time in [&mut self.patience, &mut self.motor, &mut self.poll] {
            *time /= times.max(1);
        }
        self
    }
}

/// What customer, operator and bad luck do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// The customer selects an item.
    Select(u16),
    /// The customer presses the return lever.
    Cancel,
    /// The customer buys an item for coins.
    Cash(u16),
    /// The machine sends RESET.
    Reset,
    /// The machine switches the reader off.
    Disable,
    /// And on again.
    Enable,
    /// The machine is without power for so many seconds.
    PowerOff(u64),
    /// The ACK to the next status is lost on the bus.
    LoseAck,
    /// The next item does not fall.
    Jam,
}

/// What came back on the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Nothing.
    Silence,
    /// The byte 00.
    Ack,
    /// A block with its checksum.
    Data(Vec<u8>),
}

/// An item that fell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// When.
    pub at: Duration,
    /// Which.
    pub item: u16,
    /// What the reader had approved for it, in steps.
    pub approved: u16,
}

/// The machine's own books.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// What fell for money of the reader.
    pub given: Vec<Given>,
    /// Approvals that the machine took.
    pub approvals: u32,
    /// Requests that it made.
    pub requests: u32,
    /// Sales for coins that it recorded.
    pub cash: u32,
    /// Times that it was started anew.
    pub resets: u32,
    /// Statuses that it could not read.
    pub garbled: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Without power until then.
    Off(Duration),
    Reset,
    /// Polls until "just reset", at the longest until then.
    JustReset(Duration),
    Setup,
    Config(Duration),
    Prices,
    Expansion,
    Id(Duration),
    Options,
    Enable,
    Run,
}

/// What it does with the customer, in [`Phase::Run`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Run {
    Idle,
    Session { funds: u16 },
    Asked { price: u16, item: u16, until: Duration },
    Cancelling { price: u16, item: u16, until: Duration },
    Motor { item: u16, approved: u16 },
    Completing(Duration),
}

/// The master.
#[derive(Debug)]
pub struct Vmc {
    spec: VmcSpec,
    phase: Phase,
    run: Run,
    /// Credit of the open session; `None`: there is none.
    session: Option<u16>,
    idle_agreed: bool,
    disabled: bool,
    config: Option<Config>,
    /// Commands to send before the next poll.
    queue: VecDeque<Command>,
    sent: Command,
    motor: Option<(Duration, u16, u16, bool)>,
    plan: Vec<(Duration, Act)>,
    lose_ack: bool,
    jam: bool,
    next: Duration,
    answered: Duration,
    ledger: Ledger,
}

impl Vmc {
    /// A machine that is switched on at time zero.
    #[must_use]
    pub fn new(spec: VmcSpec) -> Self {
        Self {
            spec,
            phase: Phase::Reset,
            run: Run::Idle,
            session: None,
            idle_agreed: false,
            disabled: false,
            config: None,
            queue: VecDeque::new(),
            sent: Command::Poll,
            motor: None,
            plan: Vec::new(),
            lose_ack: false,
            jam: false,
            next: Duration::ZERO,
            answered: Duration::ZERO,
            ledger: Ledger::default(),
        }
    }

    /// Something will be done at `at`.
    pub fn plan(&mut self, at: Duration, act: Act) {
        self.plan.push((at, act));
    }

    /// The books.
    #[must_use]
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Whether a customer could begin to buy now: enabled, and a session open where it needs one.
    #[must_use]
    pub fn takes_selections(&self) -> bool {
        let open = matches!(self.run, Run::Session { .. }) || self.run == Run::Idle && self.idle_agreed;
        self.phase == Phase::Run && !self.disabled && open && self.queue.is_empty()
    }

    /// The credit on its display in steps.
    #[must_use]
    pub const fn credit(&self) -> Option<u16> {
        self.session
    }

    /// When it has something to do.
    #[must_use]
    pub fn due(&self) -> Duration {
        let plan = self.plan.iter().map(|(at, _)| *at).min();
        let motor = self.motor.map(|(until, ..)| until);
        [plan, motor].into_iter().flatten().fold(self.next, Duration::min)
    }

    /// What it says now, with its checksum; `None`: it only did something.
    pub fn send(&mut self, now: Duration) -> Option<Vec<u8>> {
        self.live(now);
        if now < self.next {
            return None;
        }
        self.next = now + self.spec.poll;
        if let Phase::Off(until) = self.phase {
            if now < until {
                return None;
            }
            self.restart(now);
        }
        self.sent = self.say(now);
        Some(seal(self.sent.encode(self.spec.address)))
    }

    /// What came back; true: it acknowledges the data.
    pub fn hear(&mut self, now: Duration, reply: &Reply) -> bool {
        match reply {
            Reply::Silence => {
                if now > self.answered + NON_RESPONSE {
                    self.restart(now);
                }
                return false;
            }
            Reply::Ack => {}
            Reply::Data(_) if std::mem::take(&mut self.lose_ack) => {
                // The master did hear it.
                self.answered = now;
                self.took(now);
                self.data(now, reply);
                return false;
            }
            Reply::Data(_) => {}
        }
        self.answered = now;
        self.took(now);
        self.data(now, reply);
        true
    }

    fn restart(&mut self, now: Duration) {
        self.ledger.resets += 1;
        self.phase = Phase::Reset;
        self.run = Run::Idle;
        self.session = None;
        self.idle_agreed = false;
        self.disabled = false;
        self.queue.clear();
        self.answered = now;
    }

    /// Plan, motor and patience.
    fn live(&mut self, now: Duration) {
        let due: Vec<Act> = self.plan.iter().filter(|(at, _)| *at <= now).map(|(_, act)| *act).collect();
        self.plan.retain(|(at, _)| *at > now);
        for act in due {
            self.act(now, act);
        }
        if let Some((until, item, approved, jams)) = self.motor
            && until <= now
        {
            self.motor = None;
            self.motor_ended(now, item, approved, jams);
        }
        if self.phase == Phase::Run {
            self.wait(now);
        }
    }

    fn act(&mut self, now: Duration, act: Act) {
        let runs = self.phase == Phase::Run;
        match act {
            Act::Reset => self.restart(now),
            Act::PowerOff(seconds) => {
                self.restart(now);
                self.phase = Phase::Off(now + Duration::from_secs(seconds));
                // A motor without power stands still.
                self.motor = None;
            }
            Act::LoseAck => self.lose_ack = true,
            Act::Jam => self.jam = true,
            Act::Select(item) if runs => self.select(now, item),
            Act::Cancel if runs => self.lever(now),
            Act::Cash(item) if runs => self.cash(item),
            Act::Disable if runs => {
                self.disabled = true;
                self.queue.push_back(Command::Disable);
            }
            Act::Enable if runs && self.disabled => {
                self.disabled = false;
                self.queue.push_back(Command::Enable);
            }
            Act::Select(_) | Act::Cancel | Act::Cash(_) | Act::Disable | Act::Enable => {}
        }
    }

    fn price(&self, item: u16) -> Option<u16> {
        self.spec.items.iter().find(|(number, _)| *number == item).map(|(_, price)| *price)
    }

    fn select(&mut self, now: Duration, item: u16) {
        let Some(price) = self.price(item) else { return };
        let may = match self.run {
            Run::Idle => self.idle_agreed,
            Run::Session { funds } => self.spec.ignores_credit || funds == UNKNOWN || price <= funds,
            Run::Asked { .. } | Run::Cancelling { .. } | Run::Motor { .. } | Run::Completing(_) => false,
        };
        if may && !self.disabled {
            self.ledger.requests += 1;
            self.queue.push_back(Command::VendRequest { price, item });
            self.run = Run::Asked { price, item, until: now + self.spec.patience };
        }
    }

    fn lever(&mut self, now: Duration) {
        match self.run {
            Run::Asked { price, item, .. } => {
                self.queue.push_back(Command::VendCancel);
                self.run = Run::Cancelling { price, item, until: now + NON_RESPONSE };
            }
            Run::Session { .. } => self.complete(now),
            Run::Idle | Run::Cancelling { .. } | Run::Motor { .. } | Run::Completing(_) => {}
        }
    }

    fn cash(&mut self, item: u16) {
        let wants = self.config.is_some_and(|config| config.cash_sales);
        if let (true, Some(price)) = (wants, self.price(item)) {
            self.ledger.cash += 1;
            self.queue.push_back(Command::CashSale { price, item });
        }
    }

    fn complete(&mut self, now: Duration) {
        self.queue.push_back(Command::SessionComplete);
        self.session = None;
        self.run = Run::Completing(now + NON_RESPONSE);
    }

    fn wait(&mut self, now: Duration) {
        match self.run {
            Run::Asked { until, .. } if until <= now && self.spec.gives_up_by_failure => {
                self.queue.push_back(Command::VendFailure);
                self.complete(now);
            }
            Run::Asked { until, .. } if until <= now => self.lever(now),
            Run::Cancelling { until, .. } if until <= now => self.restart(now),
            // It never answered; the session is over all the same.
            Run::Completing(until) if until <= now => self.run = Run::Idle,
            Run::Idle
            | Run::Session { .. }
            | Run::Asked { .. }
            | Run::Cancelling { .. }
            | Run::Motor { .. }
            | Run::Completing(_) => {}
        }
    }

    fn motor_ended(&mut self, now: Duration, item: u16, approved: u16, jams: bool) {
        if !jams {
            self.ledger.given.push(Given { at: now, item, approved });
        }
        if !matches!(self.run, Run::Motor { .. }) || self.phase != Phase::Run {
            // It was set back meanwhile, and has forgotten for whom this was.
            return;
        }
        let word = if jams { Command::VendFailure } else { Command::VendSuccess { item } };
        self.queue.push_back(word);
        if self.spec.success_twice && !jams {
            self.queue.push_back(word);
        }
        self.after_vend(now, if jams { 0 } else { approved });
    }

    fn after_vend(&mut self, now: Duration, spent: u16) {
        match self.session {
            Some(funds) if self.spec.multivend || spent == 0 => {
                let funds = if funds == UNKNOWN { UNKNOWN } else { funds.saturating_sub(spent) };
                self.session = Some(funds);
                self.run = Run::Session { funds };
            }
            Some(_) | None => self.complete(now),
        }
    }

    /// The next command: of the start-up order, of what is to be said, else POLL.
    fn say(&mut self, now: Duration) -> Command {
        match self.phase {
            Phase::Reset => Command::Reset,
            Phase::JustReset(until) | Phase::Config(until) | Phase::Id(until) if until <= now => {
                self.restart(now);
                Command::Reset
            }
            Phase::Setup => Command::Setup { level: self.spec.level, columns: 16, rows: 2, display: 1 },
            Phase::Prices => Command::Prices { max: 500, min: 120 },
            Phase::Expansion => Command::ExpansionId,
            Phase::Options => Command::Options(ALWAYS_IDLE),
            Phase::Enable => Command::Enable,
            Phase::Off(_) | Phase::JustReset(_) | Phase::Config(_) | Phase::Id(_) => Command::Poll,
            Phase::Run => self.queue.front().copied().unwrap_or(Command::Poll),
        }
    }

    /// The peripheral has taken what was sent.
    fn took(&mut self, now: Duration) {
        let patience = now + NON_RESPONSE;
        self.phase = match (self.phase, self.sent) {
            (Phase::Reset, Command::Reset) => Phase::JustReset(patience),
            (Phase::Setup, Command::Setup { .. }) => Phase::Config(patience),
            (Phase::Prices, Command::Prices { .. }) if self.spec.expansion => Phase::Expansion,
            (Phase::Prices, Command::Prices { .. }) => Phase::Enable,
            (Phase::Expansion, Command::ExpansionId) => Phase::Id(patience),
            (Phase::Options, Command::Options(_)) => {
                self.idle_agreed = true;
                Phase::Enable
            }
            (Phase::Enable, Command::Enable) => Phase::Run,
            (phase, _) => phase,
        };
        if self.queue.front() == Some(&self.sent) {
            self.queue.pop_front();
        }
    }

    fn data(&mut self, now: Duration, reply: &Reply) {
        let Reply::Data(block) = reply else { return };
        let Some(status) = unseal(block).and_then(Status::decode) else {
            self.ledger.garbled += 1;
            return;
        };
        match (self.phase, status) {
            (Phase::JustReset(_), Status::JustReset) => self.phase = Phase::Setup,
            (Phase::Config(_), Status::Config(config)) => {
                self.config = Some(config);
                self.phase = Phase::Prices;
            }
            (Phase::Id(_), Status::Id(options)) => {
                let offered = options.is_some_and(|bits| bits & ALWAYS_IDLE != 0);
                let wanted = self.spec.always_idle && self.spec.level == 3;
                self.phase = if offered && wanted { Phase::Options } else { Phase::Enable };
            }
            (Phase::Run, Status::JustReset | Status::OutOfSequence(_)) => self.restart(now),
            (Phase::Run, status) => self.on_status(now, status),
            (_, _) => {}
        }
    }

    fn on_status(&mut self, now: Duration, status: Status) {
        match (status, self.run) {
            (Status::Begin { funds, .. }, Run::Idle) if !self.disabled => {
                self.session = Some(funds);
                self.run = Run::Session { funds };
            }
            (Status::CancelSession, Run::Session { .. }) => self.complete(now),
            (Status::Approved(steps), Run::Asked { item, .. }) => self.turn(now, item, steps),
            (Status::Approved(steps), Run::Cancelling { item, .. }) if self.spec.vends_after_cancel => {
                self.turn(now, item, steps);
            }
            (Status::Denied, Run::Asked { .. } | Run::Cancelling { .. }) => self.after_vend(now, 0),
            (Status::End, Run::Completing(_)) => self.run = Run::Idle,
            (Status::End, Run::Session { .. }) => {
                self.session = None;
                self.run = Run::Idle;
            }
            (_, _) => {}
        }
    }

    fn turn(&mut self, now: Duration, item: u16, approved: u16) {
        self.ledger.approvals += 1;
        self.run = Run::Motor { item, approved };
        self.motor = Some((now + self.spec.motor, item, approved, std::mem::take(&mut self.jam)));
    }
}
