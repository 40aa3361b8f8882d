//! What the channels say when they do not do what they are asked, or do not say that they did: every code of the adapters'
//! tables, and codes that are in no list.

use std::sync::LazyLock;

use payment::channel::alipay::codes as alipay;
use payment::channel::alipay::wire::Method as AlipayMethod;
use payment::channel::allinpay::vsp::codes::{self as vsp, Status};
use payment::channel::outcome::{
    CodeAnswer, Doubt, DoubtKind, Outcome, RefundOutcome, Refusal, Reversal, Waiting, Why,
};
use payment::channel::wechat::codes as wechat;
use payment::channel::wechat::wire::Operation;
use payment::channel::{Answer, ChannelId, Method, Request};

/// What stands for the `*` of a row.
const REST: &str = "OF_THE_TEST";

/// What a code means, in the words of all channels together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// It is in no list.
    Unlisted,
    /// It is not known what was done.
    Trouble,
    /// The buyer is being asked.
    Paying,
    /// Final for this attempt.
    Refused(Why),
    /// Ask how it stands.
    Ask,
    /// There is no such trade.
    NoTrade,
    /// Send the same again.
    Again,
    /// There is no such refund.
    Absent,
    /// A refund was taken and did not move yet.
    NotMoved,
    /// The merchant's balance is short.
    ShortOfFunds,
    /// A refund that the channel does not make for now.
    Rejected,
    /// A refund that failed under its number.
    Failed,
}

use Meaning::{
    Absent, Again, Ask, Failed, NoTrade, NotMoved, Paying, Refused, Rejected, ShortOfFunds, Trouble, Unlisted,
};

/// How the channel says no.
#[derive(Debug, Clone, Copy)]
pub enum No {
    /// With this code.
    With(&'static str),
    /// With some code that means this.
    Some(Meaning),
}

/// An interface of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interface {
    /// Of Alipay.
    Alipay(AlipayMethod),
    /// Of WeChat Pay.
    Wechat(Operation),
    /// Of the acquirer, by the method of the attempt where that makes a difference.
    Acquirer(Call),
}

/// What the acquirer is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// For a code.
    ShowCode,
    /// To take one.
    TakeCode,
    /// How a shown code stands.
    QueryShown,
    /// How a pay code stands.
    QueryTaken,
    /// To cancel.
    Cancel,
    /// To close.
    Close,
    /// To return money.
    Refund,
    /// How a refund stands.
    RefundQuery,
}

const ALIPAY: [AlipayMethod; 7] = [
    AlipayMethod::Precreate,
    AlipayMethod::Pay,
    AlipayMethod::Query,
    AlipayMethod::Cancel,
    AlipayMethod::Close,
    AlipayMethod::Refund,
    AlipayMethod::RefundQuery,
];
const WECHAT: [Operation; 10] = [
    Operation::Native,
    Operation::CodePay,
    Operation::Micropay,
    Operation::Query,
    Operation::V2Query,
    Operation::Close,
    Operation::Reverse,
    Operation::V2Reverse,
    Operation::Refund,
    Operation::RefundQuery,
];
const ACQUIRER: [Call; 8] = [
    Call::ShowCode,
    Call::TakeCode,
    Call::QueryShown,
    Call::QueryTaken,
    Call::Cancel,
    Call::Close,
    Call::Refund,
    Call::RefundQuery,
];

/// A code and what it means.
type Row = (&'static str, Meaning);

/// Looked up once: a life asks for them with every call that fails.
static ROWS: LazyLock<Vec<(Interface, Vec<Row>)>> =
    LazyLock::new(|| Interface::all().map(|interface| (interface, interface.all_rows())).collect());

impl Interface {
    /// Where a call goes; `None` where the channel has no codes for it. `new` picks between WeChat Pay's two versions.
    #[must_use]
    pub fn of(channel: ChannelId, request: &Request, new: bool) -> Option<Self> {
        match channel {
            ChannelId::Alipay => is_money(request).then(|| Self::Alipay(AlipayMethod::of(request))),
            ChannelId::Wechat => operation(request, new).map(Self::Wechat),
            ChannelId::AllinpayVsp => call(request).map(Self::Acquirer),
            ChannelId::AllinpayYst | ChannelId::Voucher => None,
        }
    }

    /// All that have codes.
    pub fn all() -> impl Iterator<Item = Self> {
        let alipay = ALIPAY.into_iter().map(Self::Alipay);
        alipay.chain(WECHAT.into_iter().map(Self::Wechat)).chain(ACQUIRER.into_iter().map(Self::Acquirer))
    }

    /// Its codes and what they mean, its own first, and then some that it does not list.
    fn rows(self) -> &'static [Row] {
        ROWS.iter().find(|(of, _)| *of == self).map_or(&[], |(_, rows)| rows)
    }

    fn all_rows(self) -> Vec<Row> {
        let unlisted = self.codes_of_others().map(|code| (code, self.unlisted()));
        self.own_rows().into_iter().chain(unlisted).collect()
    }

    fn own_rows(self) -> Vec<Row> {
        match self {
            Self::Alipay(method) => {
                let rows = alipay::TABLE.iter().filter(|(methods, ..)| methods.contains(&method));
                rows.map(|(_, code, class)| (*code, of_alipay(*class))).collect()
            }
            Self::Wechat(operation) => {
                let rows = wechat::TABLE.iter().filter(|(operations, ..)| operations.contains(&operation));
                rows.map(|(_, code, class)| (*code, of_wechat(*class))).collect()
            }
            Self::Acquirer(call) => {
                let states = vsp::STATUSES.iter().filter(|(_, status)| *status != Status::Done);
                let refusals = vsp::REFUSALS.iter().map(|code| (*code, of_refusal(call)));
                let states = states.map(|(code, status)| (*code, of_status(call, *status)));
                states.chain(refusals).chain([(vsp::SYSTEM_ERROR, Trouble)]).collect()
            }
        }
    }

    /// Codes that its method does not list, and one that no method does.
    fn codes_of_others(self) -> Box<dyn Iterator<Item = &'static str>> {
        match self {
            Self::Alipay(method) => {
                let all =
                    alipay::TABLE.iter().map(|(_, code, _)| *code).chain(["ACQ.CODE_OF_NEXT_YEAR", "SYSTEM_BUSY"]);
                Box::new(all.filter(move |code| alipay::class(method, code).is_none()))
            }
            Self::Wechat(operation) => {
                let all = wechat::TABLE.iter().map(|(_, code, _)| *code).chain(["CODE_OF_NEXT_YEAR"]);
                Box::new(all.filter(move |code| wechat::class(operation, code).is_none()))
            }
            Self::Acquirer(_) => Box::new(["4321"].into_iter()),
        }
    }

    /// What a code means that is in no list: the acquirer's adapter asks how a trade stands that it was to undo.
    const fn unlisted(self) -> Meaning {
        match self {
            Self::Acquirer(Call::Cancel | Call::Close) => Ask,
            Self::Alipay(_) | Self::Wechat(_) | Self::Acquirer(_) => Unlisted,
        }
    }

    /// A code in the books of what was said.
    #[must_use]
    pub fn name(self, code: &str) -> String {
        match self {
            Self::Alipay(method) => format!("{method:?} {code}"),
            Self::Wechat(operation) => format!("wechat {operation:?} {code}"),
            Self::Acquirer(call) => format!("acquirer {call:?} {code}"),
        }
    }

    /// The meanings of its codes, each once.
    #[must_use]
    pub fn meanings(self) -> Vec<Meaning> {
        self.rows().iter().fold(Vec::new(), |mut meanings, (_, meaning)| {
            if !meanings.contains(meaning) {
                meanings.push(*meaning);
            }
            meanings
        })
    }

    /// Its codes of one meaning.
    #[must_use]
    pub fn codes(self, meaning: Meaning) -> Vec<&'static str> {
        self.rows().iter().filter(|(_, of)| *of == meaning).map(|(code, _)| *code).collect()
    }

    /// What a code of it means.
    #[must_use]
    pub fn meaning(self, code: &str) -> Meaning {
        self.rows().iter().find(|(known, _)| *known == code).map_or(Unlisted, |(_, meaning)| *meaning)
    }
}

const fn is_money(request: &Request) -> bool {
    !matches!(request, Request::Duty(_) | Request::Probe)
}

const fn operation(request: &Request, new: bool) -> Option<Operation> {
    Some(match (request, new) {
        (Request::ShowCode(_), _) => Operation::Native,
        (Request::TakeCode(..), true) => Operation::CodePay,
        (Request::TakeCode(..), false) => Operation::Micropay,
        (Request::Query(trade), new) => match (trade.method, new) {
            (Method::TakeCode, false) => Operation::V2Query,
            (Method::TakeCode, true) | (Method::ShowCode, _) => Operation::Query,
        },
        (Request::Cancel(_), true) => Operation::Reverse,
        (Request::Cancel(_), false) => Operation::V2Reverse,
        (Request::Close(_), _) => Operation::Close,
        (Request::Refund(_), _) => Operation::Refund,
        (Request::RefundQuery(_), _) => Operation::RefundQuery,
        (Request::Duty(_) | Request::Probe, _) => return None,
    })
}

const fn call(request: &Request) -> Option<Call> {
    Some(match request {
        Request::ShowCode(_) => Call::ShowCode,
        Request::TakeCode(..) => Call::TakeCode,
        Request::Query(trade) => match trade.method {
            Method::ShowCode => Call::QueryShown,
            Method::TakeCode => Call::QueryTaken,
        },
        Request::Cancel(_) => Call::Cancel,
        Request::Close(_) => Call::Close,
        Request::Refund(_) => Call::Refund,
        Request::RefundQuery(_) => Call::RefundQuery,
        Request::Duty(_) | Request::Probe => return None,
    })
}

const fn of_alipay(class: alipay::Class) -> Meaning {
    match class {
        alipay::Class::Trouble => Trouble,
        alipay::Class::Again => Again,
        alipay::Class::Ask => Ask,
        alipay::Class::NoTrade => NoTrade,
        alipay::Class::Refused(why) => Refused(why),
        alipay::Class::ShortOfFunds => ShortOfFunds,
        alipay::Class::Rejected => Rejected,
    }
}

const fn of_wechat(class: wechat::Class) -> Meaning {
    match class {
        wechat::Class::Trouble => Trouble,
        wechat::Class::Paying => Paying,
        wechat::Class::Refused(why) => Refused(why),
        wechat::Class::Ask => Ask,
        wechat::Class::NoTrade => NoTrade,
        wechat::Class::Again => Again,
        wechat::Class::Absent => Absent,
        wechat::Class::ShortOfFunds => ShortOfFunds,
        wechat::Class::Rejected => Rejected,
    }
}

/// What a state means as the answer to a call: the rules of `allinpay::vsp`, written down a second time.
const fn of_status(call: Call, status: Status) -> Meaning {
    match (call, status) {
        (Call::ShowCode, Status::KnownNumber) => Ask,
        (Call::ShowCode, Status::Failed(Why::Buyer) | Status::ShortOfFunds | Status::Undone) => Refused(Why::NewNumber),
        (Call::ShowCode, Status::Unpaid | Status::CancelWentWrong) => Refused(Why::NewNumber),
        (Call::ShowCode | Call::TakeCode | Call::QueryTaken, Status::Failed(why)) => Refused(why),
        (Call::TakeCode | Call::QueryTaken, Status::ShortOfFunds) => Refused(Why::Buyer),
        (Call::TakeCode | Call::QueryTaken | Call::QueryShown, Status::Undone) => Refused(Why::Closed),
        (Call::TakeCode | Call::QueryTaken | Call::QueryShown, Status::InProgress) => Paying,
        (Call::QueryTaken | Call::QueryShown | Call::Cancel | Call::Close, Status::Absent) => NoTrade,
        (Call::QueryShown, Status::Failed(_) | Status::ShortOfFunds | Status::Unpaid) => NoTrade,
        (Call::Cancel, Status::InProgress) => Again,
        (Call::Cancel | Call::Close, _) => Ask,
        (Call::Refund, Status::ShortOfFunds) => ShortOfFunds,
        (Call::Refund, Status::Absent) => Rejected,
        (Call::RefundQuery, Status::Absent) => Absent,
        (Call::Refund | Call::RefundQuery, Status::InProgress | Status::KnownNumber) => NotMoved,
        (Call::Refund | Call::RefundQuery, Status::Failed(_) | Status::ShortOfFunds | Status::Undone) => Failed,
        _ => Trouble,
    }
}

const fn of_refusal(call: Call) -> Meaning {
    match call {
        Call::ShowCode => Refused(Why::Setup),
        Call::Cancel | Call::Close => Ask,
        Call::TakeCode | Call::QueryShown | Call::QueryTaken | Call::Refund | Call::RefundQuery => Trouble,
    }
}

/// The answer to a call that failed with this code. Alipay's adapter says it itself; those of the others keep their words
/// to themselves, so their rules are written down here a second time.
#[must_use]
pub fn answer(interface: Interface, request: &Request, code: &str) -> Answer {
    match interface {
        Interface::Alipay(_) => payment::channel::alipay::failed(request, &code.replace('*', REST)),
        Interface::Wechat(_) | Interface::Acquirer(_) => meant(request, interface.meaning(code), code),
    }
}

fn meant(request: &Request, meaning: Meaning, code: &str) -> Answer {
    let kind = if meaning == Unlisted { DoubtKind::Unlisted } else { DoubtKind::ChannelTrouble };
    let in_doubt = || Answer::in_doubt(request, Doubt::new(kind, code));
    let code = code.to_owned();
    match (request, meaning) {
        (Request::ShowCode(_), Refused(why)) => Answer::Code(CodeAnswer::Refused(Refusal { code, why })),
        (Request::ShowCode(_), Ask) => Answer::Code(CodeAnswer::Ask { code }),
        (Request::TakeCode(..) | Request::Query(_), Refused(why)) => {
            Answer::Payment(Outcome::NotPaid(Refusal { code, why }))
        }
        (Request::TakeCode(..) | Request::Query(_), NoTrade) => Answer::Payment(Outcome::Pending(Waiting::NoTrade)),
        (Request::TakeCode(..) | Request::Query(_), Paying) => Answer::Payment(Outcome::Pending(Waiting::Confirming)),
        (Request::Cancel(_) | Request::Close(_), NoTrade) => Answer::Reversal(Reversal::NoTrade),
        (Request::Cancel(_) | Request::Close(_), Again) => Answer::Reversal(Reversal::Again),
        (Request::Cancel(_) | Request::Close(_), Ask) => Answer::Reversal(Reversal::Ask { code }),
        (Request::Refund(_) | Request::RefundQuery(_), Absent) => Answer::Refund(RefundOutcome::Absent),
        (Request::Refund(_) | Request::RefundQuery(_), NotMoved) => Answer::Refund(RefundOutcome::NotMoved),
        (Request::Refund(_) | Request::RefundQuery(_), ShortOfFunds) => Answer::Refund(RefundOutcome::ShortOfFunds),
        (Request::Refund(_) | Request::RefundQuery(_), Rejected) => Answer::Refund(RefundOutcome::Refused { code }),
        (Request::Refund(_) | Request::RefundQuery(_), Failed) => Answer::Refund(RefundOutcome::Failed { code }),
        _ => in_doubt(),
    }
}

/// Whether an answer of this meaning says nothing about what was done. A cancel, a close and a refund that are not possible
/// were not done.
#[must_use]
pub const fn leaves_open(meaning: Meaning, request: &Request) -> bool {
    match meaning {
        Unlisted | Trouble | Again | Paying | NotMoved => true,
        Ask => matches!(request, Request::ShowCode(_) | Request::TakeCode(..)),
        Refused(_) | NoTrade | Absent | ShortOfFunds | Rejected | Failed => false,
    }
}

/// Every row of the tables, by each of its interfaces.
pub fn listed() -> impl Iterator<Item = String> {
    Interface::all().flat_map(|interface| interface.own_rows().into_iter().map(move |(code, _)| interface.name(code)))
}
