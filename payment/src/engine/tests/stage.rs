//! One attempt of one order, taken by hand into each of its states, and answered with whatever the test wants: no model
//! of a channel decides here.

use std::collections::VecDeque;

use super::terminals::{basket, settings};
use crate::channel::outcome::{
    CodeAnswer, Details, Doubt, DoubtKind, Outcome, Receipt, RefundOutcome, Reversal, Waiting,
};
use crate::channel::route::Routes;
use crate::channel::{Answer, ChannelId, Method, Request};
use crate::engine::Engine;
use crate::engine::effect::{Call, Effect};
use crate::engine::entry::{OrderState, Stored, VendResult, WhoScans};
use crate::engine::faults::Fault;
use crate::engine::input::{Done, Input};
use crate::engine::record::{AttemptEnd, OrderRecord};
use crate::engine::settings::{Pace, Settings};
use crate::ids::{IdMint, OrderId};
use crate::money::Fen;
use crate::time::{Mono, Now, Wall};

/// What the order costs.
pub const PRICE: Fen = Fen::new(350);
pub const DAY: u64 = 86_400_000;

/// A state of an attempt, as the call that its channel is asked just then.
pub type State = (&'static str, fn(&mut Stage));

/// A code is shown.
pub const SHOWN: &[State] = &[
    ("asked-for-a-code", |stage| stage.open(WhoScans::BuyerScans)),
    ("shown", shown),
    ("scanned", scanned),
    ("shown-and-restarted", |stage| {
        shown(stage);
        stage.restart();
    }),
    ("closing", closing),
    ("closing-in-doubt", |stage| {
        closing(stage);
        stage.then(Answer::Reversal(Reversal::Unknown(silence())));
    }),
    ("closing-no-trade", |stage| {
        closing(stage);
        stage.then(Answer::Reversal(Reversal::NoTrade));
    }),
    ("closed", |stage| {
        closing(stage);
        stage.then(Answer::Reversal(Reversal::Closed));
    }),
];

/// The buyer's pay code was taken.
pub const TAKEN: &[State] = &[
    ("sent", sent),
    ("confirming", confirming),
    ("unknown", |stage| {
        sent(stage);
        stage.then(Answer::Payment(Outcome::Unknown(silence())));
    }),
    ("sent-and-restarted", |stage| {
        sent(stage);
        stage.restart();
    }),
    ("cancelling", cancelling),
    ("cancelling-in-doubt", |stage| {
        cancelling(stage);
        stage.then(Answer::Reversal(Reversal::Unknown(silence())));
    }),
    ("cancel-refused", |stage| {
        cancelling(stage);
        stage.then(Answer::Reversal(Reversal::Ask { code: "PAID".into() }));
    }),
    ("cancelled", |stage| {
        cancelling(stage);
        stage.then(Answer::Reversal(Reversal::Closed));
    }),
];

/// The money is going back.
pub const RETURNING: &[State] = &[
    ("refunding", refunding),
    ("refund-asked-after", |stage| {
        refunding(stage);
        stage.then(Answer::Refund(RefundOutcome::NotMoved));
    }),
    ("refund-refused", |stage| {
        refunding(stage);
        stage.then(Answer::Refund(RefundOutcome::ShortOfFunds));
    }),
];

fn shown(stage: &mut Stage) {
    stage.open(WhoScans::BuyerScans);
    stage.then(Answer::Code(CodeAnswer::Ready("https://qr.example/1".into())));
}

fn scanned(stage: &mut Stage) {
    shown(stage);
    stage.then(Answer::Payment(Outcome::Pending(Waiting::Confirming)));
}

fn closing(stage: &mut Stage) {
    shown(stage);
    stage.cancel();
    stage.then(Answer::Payment(Outcome::Pending(Waiting::NoTrade)));
}

fn sent(stage: &mut Stage) {
    stage.open(WhoScans::MerchantScans);
    stage.show_pay_code("4");
}

fn confirming(stage: &mut Stage) {
    sent(stage);
    stage.then(Answer::Payment(Outcome::Pending(Waiting::Confirming)));
}

fn cancelling(stage: &mut Stage) {
    confirming(stage);
    stage.cancel();
    stage.then(Answer::Payment(Outcome::Pending(Waiting::Confirming)));
}

/// Paid, and the goods jam.
fn refunding(stage: &mut Stage) {
    stage.jams = true;
    sent(stage);
    stage.then(Answer::Payment(Outcome::Paid(receipt(PRICE))));
}

pub fn silence() -> Doubt {
    Doubt::new(DoubtKind::NoReply, "silence")
}

pub fn receipt(amount: Fen) -> Receipt {
    let details = Details::default();
    Receipt { trade_no: "T1".into(), amount, paid_at: None, buyer: None, details }
}

/// Whether both ask the same of a channel, of whichever order.
pub fn is_like(one: &Request, other: &Request) -> bool {
    method(one) == method(other) && std::mem::discriminant(one) == std::mem::discriminant(other)
}

/// How the attempt collects that is asked after or undone. A close is for shown codes wherever one is made.
fn method(request: &Request) -> Option<Method> {
    match request {
        Request::Query(trade) | Request::Cancel(trade) => Some(trade.method),
        Request::ShowCode(_)
        | Request::TakeCode(..)
        | Request::Close(_)
        | Request::Refund(_)
        | Request::RefundQuery(_)
        | Request::Duty(_)
        | Request::Probe => None,
    }
}

pub struct Stage {
    engine: Engine,
    channel: ChannelId,
    at: u64,
    booted: u64,
    runs: u8,
    stored: Vec<Stored>,
    calls: VecDeque<Call>,
    jams: bool,
    pub raised: Vec<Fault>,
}

impl Stage {
    /// A machine with this channel alone, in this state.
    pub fn in_state(channel: ChannelId, state: State) -> Self {
        let terminal = Settings {
            channels: vec![channel],
            routes: Routes::default_for(&[channel]),
            paces: [(channel, Pace::default().for_channel(channel))].into(),
            ..settings(WhoScans::Either)
        };
        let engine = Engine::restore(terminal, IdMint::new([0; 32]), now(0, 0), &[], Vec::new());
        let mut stage = Self {
            engine,
            channel,
            at: 0,
            booted: 0,
            runs: 0,
            stored: Vec::new(),
            calls: VecDeque::new(),
            jams: false,
            raised: Vec::new(),
        };
        stage.input(Input::Drops(Some(0)));
        state.1(&mut stage);
        assert!(stage.waiting().is_some(), "{} is a call on its way", state.0);
        stage
    }

    /// What the channel is asked now.
    pub fn waiting(&self) -> Option<&Request> {
        self.calls.front().map(|call| &call.request)
    }

    /// The channel answers, and time passes until it is asked again.
    fn then(&mut self, answer: Answer) {
        self.answer(answer);
        while self.calls.is_empty() {
            self.wake();
        }
    }

    pub fn answer(&mut self, answer: Answer) {
        let call = self.calls.pop_front().expect("a call").id;
        self.input(Input::Answered { call, answer });
    }

    /// For this long every call is answered like this.
    pub fn answered_for(&mut self, ms: u64, answer: impl Fn(&Request) -> Answer) {
        let end = self.at + ms;
        loop {
            match self.waiting().cloned() {
                Some(request) => self.answer(answer(&request)),
                None if self.next_at().is_some_and(|at| at <= end) => self.wake(),
                None => return,
            }
        }
    }

    /// The channel says nothing any more.
    pub fn silent_for(&mut self, ms: u64) {
        self.answered_for(ms, |request| Answer::in_doubt(request, silence()));
    }

    fn next_at(&self) -> Option<u64> {
        self.engine.poll_timeout().map(|(at, _)| (at.0 + self.booted).max(self.at))
    }

    fn wake(&mut self) {
        self.at = self.next_at().expect("something is due");
        self.input(Input::Timer);
    }

    fn open(&mut self, who_scans: WhoScans) {
        self.input(Input::Open(Box::new(basket(&["11"], who_scans))));
    }

    fn cancel(&mut self) {
        let order = self.order();
        self.input(Input::Cancel { order });
    }

    /// Another pay code of the buyer, which ends in this digit.
    pub fn show_pay_code(&mut self, last: &str) {
        let begins = if self.channel == ChannelId::Wechat { "13" } else { "28" };
        let line = format!("{begins}123456789012345{last}");
        let order = self.order();
        let done = self.input(Input::CodeGiven { order, line });
        assert!(matches!(done, Done::Trying(_)), "{done:?}");
    }

    fn restart(&mut self) {
        self.calls.clear();
        self.booted = self.at;
        self.runs += 1;
        let (settings, open) = (self.engine.settings().clone(), [self.stored.clone()]);
        self.engine = Engine::restore(settings, IdMint::new([self.runs; 32]), self.now(), &open, Vec::new());
        self.input(Input::Drops(Some(0)));
    }

    fn now(&self) -> Now {
        now(self.at, self.booted)
    }

    fn input(&mut self, input: Input) -> Done {
        let done = self.engine.handle(self.now(), input).expect("taken");
        while let Some(effect) = self.engine.poll_effect() {
            self.carry_out(effect);
        }
        done
    }

    fn carry_out(&mut self, effect: Effect) {
        let told = match effect {
            Effect::Record(batch) => {
                for record in batch {
                    let seq = self.stored.len() as u64 + 1;
                    self.stored.push(Stored { seq, at: record.at, entry: record.entry });
                }
                Input::Recorded
            }
            Effect::Vend(vend) => {
                let result = if self.jams { VendResult::NotDropped } else { VendResult::Dropped };
                Input::Vended { job: vend.job, result, drops: None, taken: None }
            }
            Effect::Call(Call { id: call, request: Request::Probe, .. }) => {
                Input::Answered { call, answer: Answer::Reachable(true) }
            }
            Effect::Call(call) => return self.calls.push_back(call),
            Effect::Raised(fault) => return self.raised.push(fault),
            Effect::ProbeJournal => Input::Recorded,
            Effect::ArmScanner(_) | Effect::Lamp(_) | Effect::Beep(_) | Effect::TurnAway | Effect::Cleared(_) => {
                return;
            }
        };
        self.engine.handle(self.now(), told).expect("only people are refused");
    }

    fn order(&self) -> OrderId {
        self.stored[0].entry.order()
    }

    fn record(&self) -> OrderRecord {
        OrderRecord::from_entries(&self.stored).expect("an order")
    }

    /// What is known of the newest attempt's money.
    pub fn attempt(&self) -> &'static str {
        match self.record().attempts.last().and_then(|attempt| attempt.end.clone()) {
            None => "open",
            Some(AttemptEnd::Paid { .. }) => "paid",
            Some(AttemptEnd::NotPaid { .. }) => "unpaid",
        }
    }

    /// What became of the order, in one word.
    pub fn end(&self) -> &'static str {
        let record = self.record();
        match (record.ending.is_some(), record.state()) {
            (false, OrderState::Refunding) => "returning",
            (false, OrderState::Owed) => "owed",
            (false, _) => "open",
            (true, OrderState::Completed) => "sold",
            (true, OrderState::Refunded) => "returned",
            (true, OrderState::Cancelled | OrderState::Expired | OrderState::Failed) => "nothing",
            (true, other) => panic!("an order does not end {other:?}"),
        }
    }
}

fn now(at: u64, booted: u64) -> Now {
    let ms = 1_790_000_000_000 + i64::try_from(at).expect("centuries");
    Now { mono: Mono(at - booted), wall: Wall { ms, trusted: true } }
}
