//! The channels' protocols, pure: a [`Request`] becomes bytes, bytes become an [`Answer`].
//!
//! A channel never acts. The daemon sends what `encode` made and hands the reply to `decode`; what could not be fetched,
//! verified or understood is [`outcome::Doubt`], never a failure.
//!
//! What several channels are written with stands beside them: [`form`] bodies and the strings that are signed, RSA [`keys`], [`pem`]
//! texts, and [`text`]s as their fields want them.

pub mod alipay;
pub mod allinpay;
pub mod form;
pub mod keys;
pub mod outcome;
pub mod pem;
pub mod route;
pub mod text;
pub mod wechat;

use serde::{Deserialize, Serialize};

use crate::ids::{AttemptId, RefundId};
use crate::money::Fen;
use crate::redact::PayCode;
use crate::time::Wall;
use outcome::{CodeAnswer, DutyOutcome, Outcome, RefundOutcome, Reversal};

/// A way to collect money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelId {
    /// Alipay's open platform, mainland China.
    Alipay,
    /// WeChat Pay, mainland China.
    Wechat,
    /// Allinpay's acquiring platform 收银宝 (VSP): one contract for many wallets.
    AllinpayVsp,
    /// Allinpay 云商通, generation 2: members, splits, guaranteed payments.
    AllinpayYst,
    /// Member and voucher codes that the operator signed: taken by the terminal itself, with or without a network.
    Voucher,
}

impl ChannelId {
    /// The one wallet that it takes; `None` for a channel that takes several.
    #[must_use]
    pub const fn own_wallet(self) -> Option<Wallet> {
        match self {
            Self::Alipay => Some(Wallet::Alipay),
            Self::Wechat => Some(Wallet::Wechat),
            Self::AllinpayVsp | Self::AllinpayYst | Self::Voucher => None,
        }
    }

    /// Whether an order may ask it for Huabei instalments.
    #[must_use]
    pub const fn takes_instalments(self) -> bool {
        matches!(self, Self::Alipay)
    }

    /// The name used in settings, the API and the journal.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alipay => "alipay",
            Self::Wechat => "wechat",
            Self::AllinpayVsp => "allinpay_vsp",
            Self::AllinpayYst => "allinpay_yst",
            Self::Voucher => "voucher",
        }
    }
}

/// The app that the buyer pays with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wallet {
    /// Alipay.
    Alipay,
    /// WeChat.
    Wechat,
    /// UnionPay QR: 云闪付 and the banks' own apps.
    UnionPay,
    /// The digital yuan.
    Ecny,
}

impl Wallet {
    /// The name used in settings, the API and the journal.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alipay => "alipay",
            Self::Wechat => "wechat",
            Self::UnionPay => "union_pay",
            Self::Ecny => "ecny",
        }
    }

    /// Whether its buyers can pay in instalments: Huabei is Alipay's.
    #[must_use]
    pub const fn lends(self) -> bool {
        matches!(self, Self::Alipay)
    }
}

/// How one attempt collects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// A code on our screen.
    ShowCode,
    /// The buyer's pay code, or the operator's member or voucher code.
    TakeCode,
}

/// Payment in monthly instalments by Huabei, as the order asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instalment {
    /// Months: 3, 6, 12 by Alipay's documents (`hb_fq_num`).
    pub periods: u8,
    /// Who bears the fee: 0 the buyer, 100 the merchant, nothing between (`hb_fq_seller_percent`).
    pub seller_percent: u8,
}

/// One row of goods, as the buyer's bill shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoodsRow {
    /// The merchant's own code of the goods (Alipay `goods_id`, at most 64 characters).
    pub code: String,
    /// What the buyer reads (at most 256 characters).
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// Price of one.
    pub price: Fen,
}

/// What is asked of the buyer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The attempt's number, the channel's `out_trade_no`.
    pub attempt: AttemptId,
    /// What the buyer shall pay.
    pub amount: Fen,
    /// The line that the buyer's bill shows.
    pub subject: String,
    /// The goods, empty when the order names none.
    pub goods: Vec<GoodsRow>,
    /// How long the offer may be paid, in milliseconds from now; a channel rounds up to its own unit.
    pub valid_ms: u64,
    /// When the attempt got its number. A channel that wants the day of an order later gets this one, at every call.
    pub begun: Wall,
    /// Whose code is shown or was read; `None` for one code that several wallets can scan.
    pub wallet: Option<Wallet>,
    /// The plan of instalments, if the buyer chose one.
    pub instalment: Option<Instalment>,
}

impl Offer {
    /// What later calls about it name.
    #[must_use]
    pub const fn trade(&self, method: Method) -> Trade {
        Trade { attempt: self.attempt, method, amount: self.amount, begun: self.begun, trade_no: None }
    }
}

/// An attempt that a call is about: all that a channel may need to find it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trade {
    /// Its number.
    pub attempt: AttemptId,
    /// How it collects: some channels ask and undo a pay code elsewhere than a shown code.
    pub method: Method,
    /// What was asked of the buyer.
    pub amount: Fen,
    /// When it got its number, as in its [`Offer`].
    pub begun: Wall,
    /// The channel's own number, once it is known to have been paid.
    pub trade_no: Option<String>,
}

/// A call to a channel. Sending the same request again must be safe: that is what its numbers are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Make a code for our screen (Alipay precreate).
    ShowCode(Offer),
    /// Collect with the code that the buyer showed (Alipay pay).
    TakeCode(Offer, PayCode),
    /// Ask how an attempt stands.
    Query(Trade),
    /// Undo an attempt whatever its state: closed when unpaid, refunded when paid. A channel that can only close answers
    /// [`Reversal::Ask`] for a paid one.
    Cancel(Trade),
    /// Close an attempt only if it is unpaid.
    Close(Trade),
    /// Return money of a paid attempt.
    Refund(RefundOrder),
    /// Ask how a refund stands.
    RefundQuery(RefundOrder),
    /// Do what is owed to the channel after a delivery.
    Duty(Duty),
    /// Ask anything harmless, to learn whether the channel can be reached.
    Probe,
}

/// What a channel wants to hear after the goods were handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duty {
    /// The paid attempt.
    pub trade: Trade,
    /// What is to be done.
    pub kind: DutyKind,
    /// What was delivered, in a few words.
    pub goods: String,
    /// What of the payment is for goods that the buyer has: less than the trade's amount where money went back.
    pub amount: Fen,
    /// The buyer's account at the channel, where the payment told it.
    pub buyer: Option<String>,
    /// When the goods were handed over.
    pub delivered: Wall,
}

/// The kinds of [`Duty`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DutyKind {
    /// Confirm a guaranteed payment, so that the payee gets the money (Allinpay YunST 2090).
    ConfirmGuarantee,
    /// Report the delivery (WeChat `upload_shipping_info`).
    ReportDelivery,
}

/// One return of money under its own number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundOrder {
    /// The attempt that was paid.
    pub trade: Trade,
    /// The refund's number, the channel's `out_request_no`.
    pub refund: RefundId,
    /// When the refund got its number.
    pub begun: Wall,
    /// How much goes back.
    pub amount: Fen,
    /// The reason that the buyer reads (at most 256 characters).
    pub reason: String,
    /// What of a guaranteed payment the channel was told to give to the payee, and did not refuse: the refund comes from
    /// there. `None` before.
    pub confirmed: Option<Fen>,
}

/// What the channel said, or that it is not known what it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// To [`Request::ShowCode`].
    Code(CodeAnswer),
    /// To [`Request::TakeCode`] and [`Request::Query`].
    Payment(Outcome),
    /// To [`Request::Cancel`] and [`Request::Close`].
    Reversal(Reversal),
    /// To [`Request::Refund`] and [`Request::RefundQuery`].
    Refund(RefundOutcome),
    /// To [`Request::Duty`].
    Duty(DutyOutcome),
    /// To [`Request::Probe`]: `true` when the channel answered and its signature held.
    Reachable(bool),
}

impl Answer {
    /// The answer to `request` when no usable reply came.
    #[must_use]
    pub fn in_doubt(request: &Request, doubt: outcome::Doubt) -> Self {
        match request {
            Request::ShowCode(_) => Self::Code(CodeAnswer::Unknown(doubt)),
            Request::TakeCode(..) | Request::Query(_) => Self::Payment(Outcome::Unknown(doubt)),
            Request::Cancel(_) | Request::Close(_) => Self::Reversal(Reversal::Unknown(doubt)),
            Request::Refund(_) | Request::RefundQuery(_) => Self::Refund(RefundOutcome::Unknown(doubt)),
            Request::Duty(_) => Self::Duty(DutyOutcome::Unknown(doubt)),
            Request::Probe => Self::Reachable(false),
        }
    }

    /// The doubt in this answer, when it is one.
    #[must_use]
    pub fn doubt(&self) -> Option<&outcome::Doubt> {
        match self {
            Self::Code(CodeAnswer::Unknown(doubt))
            | Self::Payment(Outcome::Unknown(doubt))
            | Self::Reversal(Reversal::Unknown(doubt))
            | Self::Refund(RefundOutcome::Unknown(doubt))
            | Self::Duty(DutyOutcome::Unknown(doubt)) => Some(doubt),
            Self::Code(_)
            | Self::Payment(_)
            | Self::Reversal(_)
            | Self::Refund(_)
            | Self::Duty(_)
            | Self::Reachable(_) => None,
        }
    }
}

/// The two HTTP methods that channels use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpMethod {
    /// GET; the body is empty.
    Get,
    /// POST.
    Post,
}

/// An HTTP request, ready to be sent as it is.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// The method.
    pub method: HttpMethod,
    /// Whole address with its query.
    pub url: String,
    /// The same on a second host of the channel, to be tried with the same bytes when the first one cannot be reached.
    pub backup_url: Option<String>,
    /// Headers by name, `Content-Type` among them.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Whether the connection must show the merchant's own certificate.
    pub shows_certificate: bool,
}

impl HttpRequest {
    /// A POST with one `Content-Type`.
    #[must_use]
    pub fn post(url: String, content_type: &str, body: Vec<u8>) -> Self {
        let headers = vec![("Content-Type", content_type.to_owned())];
        Self { method: HttpMethod::Post, url, backup_url: None, headers, body, shows_certificate: false }
    }
}

/// The address may hold a signature and the body a pay code: neither is printed.
impl std::fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {} bytes", self.method, self.body.len())
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HttpReply {
    /// The HTTP status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as it came.
    pub body: Vec<u8>,
}

impl HttpReply {
    /// The first header of this lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A reply, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoded {
    /// What it means.
    Answer(Answer),
    /// It is signed with a key that is not here: send the channel's `key_request`, hand the reply to `accept_key`, and
    /// decode the same reply again. Until then it is not known what the reply says.
    UnknownKey {
        /// The key's number, as the channel names it.
        serial: String,
    },
    /// It was only a step on the way, such as an access token: encode the same request again and send that.
    EncodeAgain,
}
