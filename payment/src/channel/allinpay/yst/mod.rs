//! Allinpay 云商通 (YunST), generation 2: consumption and guaranteed consumption, splits, refunds, closing, terminal filing.
//!
//! | module | subject |
//! |---|---|
//! | [`setup`] | the settings, and what can be wrong with them |
//! | [`envelope`] | the members of an envelope, the string to sign, verifying |
//! | [`codes`] | `respCode` and `result` |
//! | [`split`] | who gets and gives back which part |
//! | [`notice`] | notices, which only say what to ask after |
//! | [`terminal`] | the filing of the machine |
//! | [`sm4`] | sensitive fields |
//!
//! A request becomes a call in `wire`; what an answer means is in `reply` and `receipt`. Open points of the protocol are in
//! docs/allinpay-yunst.md.

pub mod codes;
pub mod envelope;
mod memory;
pub mod notice;
mod receipt;
mod reply;
pub mod setup;
pub mod sm4;
pub mod split;
pub mod terminal;
#[cfg(test)]
pub(crate) mod tests;
mod wire;

use jiff::civil::Date;

use crate::channel::outcome::{Doubt, DoubtKind, DutyOutcome};
use crate::channel::{Answer, Decoded, Duty, DutyKind, HttpReply, HttpRequest, Method, Request, Trade};
use crate::ids::AttemptId;
use crate::time::Wall;
use codes::Meaning;
use envelope::Members;
use memory::{Memory, Step};
use notice::Notice;
use reply::Node;
use setup::Setup;
pub use setup::{Config, SetupError};
use terminal::{Filed, Filing};
use wire::Call;

const HTTP_OK: u16 = 200;

/// One 云商通 application, its keys loaded.
#[derive(Debug)]
pub struct Yst {
    setup: Setup,
    memory: Memory,
}

impl Yst {
    /// Checks the settings and loads the keys.
    ///
    /// # Errors
    /// [`SetupError`] says which setting is wrong and what to do.
    pub fn new(config: Config) -> Result<Self, SetupError> {
        Ok(Self { setup: Setup::new(config)?, memory: Memory::default() })
    }

    /// Whether payments are held until they are confirmed.
    #[must_use]
    pub fn is_guaranteed(&self) -> bool {
        self.setup.config.trade == setup::TradeKind::Guaranteed
    }

    /// Where requests go.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.setup.config.base_url
    }

    /// The signed HTTP request. `entropy` must be fresh: it goes into the signature, and never repeats.
    ///
    /// Sending a request again is safe: what makes an order carries the same number, day and fields each time. An undoing or
    /// a confirmation may be encoded as the question how it stands, when that is what this run needs to know next.
    #[must_use]
    pub fn encode(&self, request: &Request, wall: Wall, entropy: [u8; 32]) -> HttpRequest {
        wire::sealed(&self.setup, self.call(request, wall), entropy)
    }

    fn call(&self, request: &Request, wall: Wall) -> Call {
        let config = &self.setup.config;
        match request {
            Request::ShowCode(offer) => wire::show_code(config, offer, wall),
            Request::TakeCode(offer, code) => wire::take_code(config, offer, code, wall),
            Request::Query(trade) => wire::ask_payment(config, trade, wall),
            Request::Cancel(trade) | Request::Close(trade) => self.undo(trade, wall),
            Request::Refund(refund) => wire::refund(config, refund, wall),
            Request::RefundQuery(refund) => wire::ask_refund(refund, wall),
            Request::Duty(duty) => self.duty(duty, wall),
            Request::Probe => wire::ask(wire::PROBE, wall, wall),
        }
    }

    /// 2295 wants Allinpay's own number: while that is not known, and after each close, 3001 is sent in its place.
    fn undo(&self, trade: &Trade, wall: Wall) -> Call {
        let close_with = self.memory.close_with(trade.attempt).filter(|_| trade.trade_no.is_none());
        match close_with {
            Some(trade_no) => wire::close(&trade_no, wall),
            None => wire::ask(trade.attempt.as_str(), trade.begun, wall),
        }
    }

    fn duty(&self, duty: &Duty, wall: Wall) -> Call {
        match (duty.kind, self.memory.confirm(duty.trade.attempt)) {
            (DutyKind::ConfirmGuarantee, Step::Act) => wire::confirm(&self.setup.config, duty, wall),
            (DutyKind::ConfirmGuarantee, Step::Ask) | (DutyKind::ReportDelivery, _) => wire::ask_duty(duty, wall),
        }
    }

    /// What the reply to `request` means. Anything unverified, malformed or unlisted is a doubt, never a failure.
    #[must_use]
    pub fn decode(&self, request: &Request, _wall: Wall, reply: &HttpReply) -> Decoded {
        Decoded::Answer(self.read(request, reply).unwrap_or_else(|doubt| Answer::in_doubt(request, doubt)))
    }

    fn read(&self, request: &Request, reply: &HttpReply) -> Result<Answer, Doubt> {
        if let Request::Duty(Duty { kind: DutyKind::ReportDelivery, .. }) = request {
            // Nothing is owed to this channel: whatever came back, there is nothing left to do.
            return Ok(Answer::Duty(DutyOutcome::Done));
        }
        self.understood(request, &self.open(reply)?)
    }

    /// What an envelope whose signature held says.
    fn understood(&self, request: &Request, envelope: &Members) -> Result<Answer, Doubt> {
        if *request == Request::Probe {
            return Ok(Answer::Reachable(true));
        }
        let node = Node::open(envelope, &self.setup.config.codes);
        if let Request::Duty(duty) = request {
            return self.confirmed(duty, node).map(Answer::Duty);
        }
        self.meaning(request, &node?)
    }

    /// The first layers: HTTP status, envelope, signature, application.
    fn open(&self, reply: &HttpReply) -> Result<Members, Doubt> {
        if reply.status != HTTP_OK {
            return Err(Doubt::new(DoubtKind::ChannelTrouble, format!("HTTP status {}", reply.status)));
        }
        let text = std::str::from_utf8(&reply.body).map_err(|_| reply::malformed("the answer is not UTF-8"))?;
        let envelope = Members::parse(text)?;
        envelope.signed_by(&self.setup.allinpay)?;
        match envelope.get("appId") {
            Some(app_id) if app_id != self.setup.config.app_id => {
                Err(reply::wrong("the answer is for another application"))
            }
            _ => Ok(envelope),
        }
    }

    fn meaning(&self, request: &Request, node: &Node) -> Result<Answer, Doubt> {
        match request {
            Request::ShowCode(offer) => {
                self.learn(offer.attempt, node);
                reply::code(offer, node).map(Answer::Code)
            }
            Request::TakeCode(offer, _) => {
                self.learn(offer.attempt, node);
                reply::paid_by_code(offer, node).map(Answer::Payment)
            }
            Request::Query(trade) => {
                self.learn(trade.attempt, node);
                reply::payment(trade, node, self.is_being_paid(trade)).map(Answer::Payment)
            }
            Request::Cancel(trade) | Request::Close(trade) => {
                self.learn(trade.attempt, node);
                reply::reversal(trade, self.memory.trade_no(trade.attempt).as_deref(), node).map(Answer::Reversal)
            }
            Request::Refund(refund) => reply::refunded(refund, node).map(Answer::Refund),
            Request::RefundQuery(refund) => reply::refund_asked(refund, node).map(Answer::Refund),
            Request::Duty(_) | Request::Probe => Err(reply::malformed("not a question about money")),
        }
    }

    fn learn(&self, attempt: AttemptId, node: &Node) {
        if let Some(trade_no) = node.trade_no_of(attempt.as_str()) {
            self.memory.learn(attempt, trade_no);
        }
    }

    /// Allinpay makes the order with the code, and does not tell a code that nobody scanned from one that is being paid. While
    /// it is on the screen it counts as the first; once it is being undone as the second, so that it is not given up before
    /// Allinpay says that it is closed.
    fn is_being_paid(&self, trade: &Trade) -> bool {
        match trade.method {
            Method::ShowCode => self.memory.is_undone(trade.attempt),
            Method::TakeCode => true,
        }
    }

    /// Sending and asking take turns when an answer is not understood: the number may have been used before a restart.
    fn confirmed(&self, duty: &Duty, node: Result<Node, Doubt>) -> Result<DutyOutcome, Doubt> {
        let attempt = duty.trade.attempt;
        let read = node.and_then(|node| reply::confirmed(duty, &node));
        let asks = match &read {
            Ok((_, asks)) => *asks,
            Err(doubt) if doubt.kind == DoubtKind::Unlisted => self.memory.confirm(attempt) == Step::Act,
            Err(_) => self.memory.confirm(attempt) == Step::Ask,
        };
        self.memory.confirm_next(attempt, if asks { Step::Ask } else { Step::Act });
        read.map(|(outcome, _)| outcome)
    }

    /// The `respCode` in a verified answer. The one that a probe gets is this application's code for "no such order": what a
    /// technician needs for the setting of [`codes::Meaning::NoOrder`].
    ///
    /// # Errors
    /// Not a verified answer, or one without it.
    pub fn resp_code(&self, reply: &HttpReply) -> Result<String, Doubt> {
        let fields = reply::business(&self.open(reply)?)?;
        fields.get("respCode").map(str::to_owned).ok_or_else(|| reply::malformed("the answer has no respCode"))
    }

    /// The request for the statement of `date`, a day in China.
    #[must_use]
    pub fn statement_request(&self, date: Date, entropy: [u8; 32]) -> HttpRequest {
        wire::statement(&self.setup, date, entropy)
    }

    /// What the settings say that a `respCode` means ([`Config::codes`]).
    #[must_use]
    pub fn meaning_of(&self, resp_code: &str) -> Option<Meaning> {
        let rule = self.setup.config.codes.iter().find(|rule| rule.code == resp_code);
        rule.map(|rule| rule.meaning)
    }

    /// The number under which the machine is filed.
    #[must_use]
    pub fn terminal_number(&self) -> &str {
        &self.setup.config.terminal.number
    }

    /// The request for the filing of this machine.
    #[must_use]
    pub fn terminal_request(&self, filing: Filing, wall: Wall, entropy: [u8; 32]) -> HttpRequest {
        wire::sealed(&self.setup, wire::terminal(&self.setup.config, filing.operation(), wall), entropy)
    }

    /// How the filing stands.
    ///
    /// # Errors
    /// Not a verified answer, or a `respCode` other than 00000: that one is unlisted, and told with its words.
    pub fn terminal_answer(&self, reply: &HttpReply) -> Result<Filed, Doubt> {
        let fields = reply::business(&self.open(reply)?)?;
        match fields.get("respCode") {
            Some(codes::OK) => Ok(Filed::read(&fields)),
            other => {
                let code = format!("respCode {}", other.unwrap_or("none"));
                Err(reply::unlisted(reply::with_words(code, fields.get("respMsg"))))
            }
        }
    }

    /// Which order a posted notice is about. Ask after that order; never act on a notice.
    ///
    /// # Errors
    /// Not JSON, not signed by Allinpay, or without a number.
    pub fn notice(&self, body: &[u8]) -> Result<Notice, Doubt> {
        Notice::read(body, &self.setup.allinpay)
    }

    /// A sensitive field as Allinpay wants it (SM4, hex); `None` when no `secret_key` is set.
    #[must_use]
    pub fn sealed_field(&self, plain: &str) -> Option<String> {
        self.setup.sm4.as_ref().map(|key| key.encrypt(plain))
    }
}
