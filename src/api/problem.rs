//! Refusals as RFC 9457 problem documents: what happened, what it means for the money, what to do next.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use payment::engine::input::Refused;
use payment::ids::OrderId;
use payment::redact::without_codes;
use serde::{Deserialize, Serialize};

use crate::daemon::terminal::ActError;

/// What a request that changed nothing means for the money.
const UNTOUCHED: &str = "Nothing was changed and no money moved.";
/// What a request means for the money when its fate is not known.
const NOT_KNOWN: &str =
    "The request may still be carried out. Repeat it with the same Idempotency-Key, or look the order up.";

// What the other refusals mean for the money.
const KEPT: &str = "The buyer's money was taken and is kept until it is refunded.";
const NO_MONEY: &str = "There is no money to return.";
const BY_ITSELF: &str = "What is not delivered is refunded by itself.";
const NOT_STARTED: &str = "No refund was started; one that was asked for before goes on.";
const NOT_CHARGED: &str = "The code was not used and nothing was charged.";
const ONCE: &str = "It was not charged again.";
const FIRST_STANDS: &str = "Nothing was changed; what the first request did stands.";
/// The one instant at which a refund can meet a failing disk: the engine keeps it.
const NOT_ASKED_YET: &str = "No money was asked for, and none went back yet.";

/// Why a request was refused, as one stable word. Closed: a new one is added here, in the table and in `openapi.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The body is not JSON.
    MalformedJson,
    /// A field of the body is missing, unknown or out of range.
    InvalidField,
    /// A parameter of the address is unknown or out of range.
    InvalidQuery,
    /// A header is missing or out of range.
    InvalidHeader,
    /// The body is too large.
    BodyTooLarge,
    /// The body came too slowly.
    BodyTooSlow,
    /// The body is not `application/json`.
    WrongContentType,
    /// No token, or a wrong one.
    WrongToken,
    /// There is no such address.
    NoSuchPath,
    /// The address does not know this method.
    WrongMethod,
    /// No order has this number.
    NoSuchOrder,
    /// The machine has no such slot.
    NoSuchSlot,
    /// There is no such fault.
    NoSuchFault,
    /// The fault cannot be set or cleared by hand.
    FaultNotByHand,
    /// Somebody is buying.
    MachineBusy,
    /// The machine does not sell.
    OutOfService,
    /// The slot is blocked.
    SlotBlocked,
    /// The slot is sold out.
    SoldOut,
    /// The amount cannot be paid.
    AmountOutOfRange,
    /// The items do not add up.
    SumDiffers,
    /// The price is not the machine's.
    PriceDiffers,
    /// Too many items.
    TooManyItems,
    /// The time to pay is out of range.
    PayWithinOutOfRange,
    /// No scanner works.
    NoScanner,
    /// Paid already.
    AlreadyPaid,
    /// Not paid.
    NotPaid,
    /// Paid in coins or notes.
    PaidInCash,
    /// The machine is delivering.
    Delivering,
    /// A refund is under way.
    RefundUnderWay,
    /// More than is left.
    RefundTooLarge,
    /// The channel takes no refund so long after the payment.
    RefundTooLate,
    /// A second person must approve, and the first one gave no name.
    NameWanted,
    /// The one who asked may not approve.
    SamePerson,
    /// The refund does not wait for a decision.
    NotAsked,
    /// No channel waits for word of a delivery.
    NoDuty,
    /// Not in such instalments.
    NoInstalments,
    /// No down payment for what the machine delivers.
    DownPaymentNotTaken,
    /// Too late to choose how to pay.
    TooLateToChoose,
    /// A bank card's number.
    CardNumber,
    /// The order does not wait for a code.
    NotWaiting,
    /// Not a pay code.
    NotAPayCode,
    /// Another wallet's code.
    WalletNotTaken,
    /// The code was read before.
    CodeUsed,
    /// A member or voucher code that cannot be taken.
    VoucherRefused,
    /// There is no printer, or it prints no receipts.
    NoPrinter,
    /// The printer does not print now.
    PrinterNotReady,
    /// There is no hub to send to.
    NoHub,
    /// The channel is not set up.
    NoChannel,
    /// Nobody can tell yet whether the notice is the channel's.
    NoticeNotChecked,
    /// The notice is not the channel's word.
    NoticeNotBelieved,
    /// There is no such alarm.
    NoSuchAlarm,
    /// The key was used for another request.
    KeyReused,
    /// Too many requests wait.
    TooManyRequests,
    /// The journal does not take writes.
    JournalNotWritable,
    /// The journal cannot be read.
    JournalNotReadable,
    /// The answer did not come in time.
    NoAnswerInTime,
    /// The daemon stops.
    Stopping,
    /// Nothing was drawn yet.
    NoPicture,
    /// The picture could not be made.
    PictureFailed,
}

impl Code {
    /// HTTP status, title, what it means for the money, and the seconds after which the same request may succeed.
    #[must_use]
    pub const fn row(self) -> (u16, &'static str, &'static str, Option<u64>) {
        match self {
            Self::MalformedJson => (400, "The body is not JSON", UNTOUCHED, None),
            Self::InvalidField => (422, "A field is not acceptable", UNTOUCHED, None),
            Self::InvalidQuery => (422, "A parameter is not acceptable", UNTOUCHED, None),
            Self::InvalidHeader => (400, "A header is not acceptable", UNTOUCHED, None),
            Self::BodyTooLarge => (413, "The body is too large", UNTOUCHED, None),
            Self::BodyTooSlow => (408, "The body did not arrive in time", UNTOUCHED, None),
            Self::WrongContentType => (415, "The body is not application/json", UNTOUCHED, None),
            Self::WrongToken => (401, "A valid token is needed", UNTOUCHED, None),
            Self::NoSuchPath => (404, "There is no such address", UNTOUCHED, None),
            Self::WrongMethod => (405, "The address does not know this method", UNTOUCHED, None),
            Self::NoSuchOrder => (404, "No order has this number", UNTOUCHED, None),
            Self::NoSuchSlot => (422, "The machine has no such slot", UNTOUCHED, None),
            Self::NoSuchFault => (404, "There is no such fault", UNTOUCHED, None),
            Self::FaultNotByHand => (409, "The fault is not set or cleared by hand", UNTOUCHED, None),
            Self::MachineBusy => (409, "Somebody is buying at the machine", UNTOUCHED, None),
            Self::OutOfService => (503, "The machine does not sell now", UNTOUCHED, Some(30)),
            Self::SlotBlocked => (409, "The slot is blocked", UNTOUCHED, None),
            Self::SoldOut => (409, "The slot is sold out", UNTOUCHED, None),
            Self::AmountOutOfRange => (422, "The amount cannot be paid", UNTOUCHED, None),
            Self::SumDiffers => (422, "The items do not add up to the amount", UNTOUCHED, None),
            Self::PriceDiffers => (422, "The price is not the machine's price", UNTOUCHED, None),
            Self::TooManyItems => (422, "Too many items", UNTOUCHED, None),
            Self::PayWithinOutOfRange => (422, "The time to pay is out of range", UNTOUCHED, None),
            Self::NoScanner => (409, "No scanner works", UNTOUCHED, None),
            Self::AlreadyPaid => (409, "The order is paid", KEPT, None),
            Self::NotPaid => (409, "The order is not paid", NO_MONEY, None),
            Self::PaidInCash => (409, "The order was paid in cash", KEPT, None),
            Self::Delivering => (409, "The machine is delivering", BY_ITSELF, None),
            Self::RefundUnderWay => (409, "A refund is under way", NOT_STARTED, None),
            Self::RefundTooLarge => (422, "More than can still be returned", NOT_STARTED, None),
            Self::RefundTooLate => (409, "The channel takes no refund any more", NOT_STARTED, None),
            Self::NameWanted => (422, "A refund needs the name of who asks", NOT_STARTED, None),
            Self::SamePerson => (409, "Another person must decide", NOT_STARTED, None),
            Self::NotAsked => (409, "The refund does not wait for a decision", NOT_STARTED, None),
            Self::NoDuty => (409, "No channel waits for word of this delivery", UNTOUCHED, None),
            Self::NoInstalments => (422, "No such instalments here", UNTOUCHED, None),
            Self::DownPaymentNotTaken => (422, "No down payment for what the machine delivers", UNTOUCHED, None),
            Self::TooLateToChoose => (409, "Too late to choose how to pay", UNTOUCHED, None),
            Self::CardNumber => (422, "This is a bank card's number", NOT_CHARGED, None),
            Self::NotWaiting => (409, "The order does not wait for a pay code", NOT_CHARGED, None),
            Self::NotAPayCode => (422, "This is not a pay code", NOT_CHARGED, None),
            Self::WalletNotTaken => (422, "This wallet is not taken here", NOT_CHARGED, None),
            Self::CodeUsed => (409, "This pay code was read before", ONCE, None),
            Self::VoucherRefused => (409, "This member or voucher code is not taken", NOT_CHARGED, None),
            Self::NoPrinter => (409, "No receipts are printed here", UNTOUCHED, None),
            Self::PrinterNotReady => (503, "The printer does not print now", UNTOUCHED, Some(30)),
            Self::NoHub => (409, "This terminal has no hub", UNTOUCHED, None),
            Self::NoChannel => (409, "The channel is not set up here", UNTOUCHED, None),
            Self::NoticeNotChecked => (503, "The notice cannot be checked now", UNTOUCHED, Some(60)),
            Self::NoticeNotBelieved => (403, "The notice is not the channel's word", UNTOUCHED, None),
            Self::NoSuchAlarm => (404, "There is no such alarm", UNTOUCHED, None),
            Self::KeyReused => (422, "The key was used for another request", FIRST_STANDS, None),
            Self::TooManyRequests => (503, "Too many requests wait", UNTOUCHED, Some(1)),
            Self::JournalNotWritable => (503, "The journal cannot be written", NOT_ASKED_YET, Some(30)),
            Self::JournalNotReadable => (503, "The journal cannot be read", UNTOUCHED, Some(5)),
            Self::NoAnswerInTime => (504, "The terminal did not answer in time", NOT_KNOWN, None),
            Self::Stopping => (503, "The terminal is stopping", NOT_KNOWN, Some(5)),
            Self::NoPicture => (503, "Nothing was drawn yet", UNTOUCHED, Some(1)),
            Self::PictureFailed => (500, "The picture could not be made", UNTOUCHED, None),
        }
    }

    /// The code of an engine's refusal.
    #[must_use]
    pub const fn of_refusal(refused: &Refused) -> Self {
        match refused {
            Refused::Busy(_) => Self::MachineBusy,
            Refused::OutOfService(_) => Self::OutOfService,
            Refused::NoSuchSlot(_) => Self::NoSuchSlot,
            Refused::SlotBlocked(_) => Self::SlotBlocked,
            Refused::SoldOut(_) => Self::SoldOut,
            Refused::Amount(_) => Self::AmountOutOfRange,
            Refused::SumDiffers { .. } => Self::SumDiffers,
            Refused::TooManyItems(_) => Self::TooManyItems,
            Refused::PayWithin(_) => Self::PayWithinOutOfRange,
            Refused::NoScanner => Self::NoScanner,
            Refused::NoSuchOrder(_) => Self::NoSuchOrder,
            Refused::AlreadyPaid(_) => Self::AlreadyPaid,
            Refused::NotPaid(_) => Self::NotPaid,
            Refused::PaidInCash(_) => Self::PaidInCash,
            Refused::Delivering(_) => Self::Delivering,
            Refused::RefundUnderWay(_) => Self::RefundUnderWay,
            Refused::TooMuch { .. } => Self::RefundTooLarge,
            Refused::RefundTooLate { .. } => Self::RefundTooLate,
            Refused::NameWanted => Self::NameWanted,
            Refused::SamePerson(_) => Self::SamePerson,
            Refused::NotAsked(_) => Self::NotAsked,
            Refused::NoDuty(_) => Self::NoDuty,
            Refused::NoPlan(_) | Refused::NoInstalments => Self::NoInstalments,
            Refused::DownPayment => Self::DownPaymentNotTaken,
            Refused::TooLateToChoose(_) => Self::TooLateToChoose,
            Refused::CardNumber => Self::CardNumber,
            Refused::NotWaiting => Self::NotWaiting,
            Refused::NotAPayCode => Self::NotAPayCode,
            Refused::WalletNotTaken(_) => Self::WalletNotTaken,
            Refused::CodeUsed => Self::CodeUsed,
            Refused::Voucher(_) => Self::VoucherRefused,
        }
    }

    /// The code of what the loop or the journal answered.
    #[must_use]
    pub const fn of_act(error: &ActError) -> Self {
        match error {
            ActError::Refused(refused) => Self::of_refusal(refused),
            ActError::Full => Self::TooManyRequests,
            ActError::NotStored => Self::JournalNotWritable,
            ActError::Late => Self::NoAnswerInTime,
            ActError::Stopping => Self::Stopping,
            ActError::KeyReused => Self::KeyReused,
            ActError::Read(_) => Self::JournalNotReadable,
        }
    }

    /// The word, as the document writes it.
    #[must_use]
    pub fn word(self) -> String {
        serde_json::to_value(self).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
    }
}

/// A refusal on its way to the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    code: Code,
    detail: String,
    field: Option<String>,
    order: Option<OrderId>,
}

/// The document of RFC 9457, `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemBody {
    /// `urn:till:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same sentence for every problem of this code.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time, and what to do.
    pub detail: String,
    /// The stable word for programs.
    pub code: Code,
    /// What it means for the money.
    pub money: String,
    /// The field, parameter or header that is to blame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The order that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// Where that order is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
}

impl Problem {
    /// A problem with what happened this time. What looks like a pay code is not repeated: it would land in the caller's log.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: without_codes(&detail.into()).into_owned(), field: None, order: None }
    }

    /// A field of the body that is to blame.
    pub fn field(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(Code::InvalidField, detail).at(name)
    }

    /// Names the field, parameter or header that is to blame.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(without_codes(&field.into()).into_owned());
        self
    }

    /// Names the order that it is about.
    #[must_use]
    pub fn about(mut self, order: OrderId) -> Self {
        self.order = Some(order);
        self
    }

    /// The stable word.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The document.
    #[must_use]
    pub fn body(&self) -> ProblemBody {
        let (status, title, money, _) = self.code.row();
        ProblemBody {
            kind: format!("urn:till:problem:{}", self.code.word()),
            title: title.to_owned(),
            status,
            detail: self.detail.clone(),
            code: self.code,
            money: money.to_owned(),
            field: self.field.clone(),
            order: self.order,
            instance: self.order.map(|order| format!("/v1/orders/{order}")),
        }
    }
}

/// The order that a refusal names.
const fn order_of(refused: &Refused) -> Option<OrderId> {
    match refused {
        Refused::Busy(order)
        | Refused::NoSuchOrder(order)
        | Refused::AlreadyPaid(order)
        | Refused::NotPaid(order)
        | Refused::PaidInCash(order)
        | Refused::Delivering(order)
        | Refused::RefundUnderWay(order)
        | Refused::RefundTooLate { order, .. }
        | Refused::NoDuty(order)
        | Refused::TooLateToChoose(order) => Some(*order),
        Refused::OutOfService(_)
        | Refused::NoSuchSlot(_)
        | Refused::SlotBlocked(_)
        | Refused::SoldOut(_)
        | Refused::Amount(_)
        | Refused::SumDiffers { .. }
        | Refused::TooManyItems(_)
        | Refused::PayWithin(_)
        | Refused::NoScanner
        | Refused::TooMuch { .. }
        | Refused::NameWanted
        | Refused::SamePerson(_)
        | Refused::NotAsked(_)
        | Refused::NoPlan(_)
        | Refused::NoInstalments
        | Refused::DownPayment
        | Refused::NotWaiting
        | Refused::NotAPayCode
        | Refused::CardNumber
        | Refused::WalletNotTaken(_)
        | Refused::CodeUsed
        | Refused::Voucher(_) => None,
    }
}

/// The field that a refusal is about.
const fn field_of(refused: &Refused) -> Option<&'static str> {
    match refused {
        Refused::Amount(_) | Refused::SumDiffers { .. } | Refused::TooMuch { .. } => Some("amount"),
        Refused::TooManyItems(_) | Refused::NoSuchSlot(_) | Refused::SlotBlocked(_) | Refused::SoldOut(_) => {
            Some("items")
        }
        Refused::PayWithin(_) => Some("pay_within_s"),
        Refused::NoScanner => Some("who_scans"),
        Refused::NotAPayCode
        | Refused::CardNumber
        | Refused::WalletNotTaken(_)
        | Refused::CodeUsed
        | Refused::Voucher(_) => Some("code"),
        Refused::NameWanted | Refused::SamePerson(_) => Some("by"),
        Refused::NoPlan(_) | Refused::NoInstalments => Some("instalments"),
        Refused::DownPayment => Some("down_payment"),
        Refused::Busy(_)
        | Refused::OutOfService(_)
        | Refused::NoSuchOrder(_)
        | Refused::AlreadyPaid(_)
        | Refused::NotPaid(_)
        | Refused::PaidInCash(_)
        | Refused::Delivering(_)
        | Refused::RefundUnderWay(_)
        | Refused::RefundTooLate { .. }
        | Refused::NotAsked(_)
        | Refused::NoDuty(_)
        | Refused::TooLateToChoose(_)
        | Refused::NotWaiting => None,
    }
}

impl From<ActError> for Problem {
    fn from(error: ActError) -> Self {
        let problem = Self::new(Code::of_act(&error), error.to_string());
        let ActError::Refused(refused) = error else {
            return problem;
        };
        Self { order: order_of(&refused), field: field_of(&refused).map(str::to_owned), ..problem }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = self.body();
        let status = StatusCode::from_u16(body.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let (.., Some(seconds)) = self.code.row() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.code == Code::WrongToken {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"till\""));
        }
        response
    }
}
