//! One row of a statement.

use std::sync::Arc;

use payment::money::Fen;

use super::table::same_heading;

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A buyer's money came in.
    Payment,
    /// Money went back to a buyer.
    Refund,
    /// A payment was undone (WeChat `REVOKED`, Allinpay 撤销 and 冲正): for the books, a refund.
    Reversal,
    /// Anything else: fees, withdrawals, settlements, and rows that could not be understood.
    Other,
}

impl Kind {
    /// Whether money goes back to the buyer.
    #[must_use]
    pub const fn returns(self) -> bool {
        match self {
            Self::Refund | Self::Reversal => true,
            Self::Payment | Self::Other => false,
        }
    }
}

/// How far a row's movement had got when the file was made. Files are not made anew when that changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Done, or the file lists only what is done.
    Done,
    /// Under way (WeChat `PROCESSING`).
    Pending,
    /// Did not happen (WeChat `FAIL`, `CHANGE`).
    Failed,
}

/// A moment as the file wrote it, in China's time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct At {
    /// As written.
    pub text: String,
    /// Milliseconds since 1970 (UTC), when the text could be read.
    pub ms: Option<i64>,
}

/// The numbers of a movement, by who made them. Used for the file's side and for ours.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Numbers {
    /// The attempt's number (商户订单号). On a refund: that of the attempt it returns.
    pub ours: Option<String>,
    /// Our refund's number (商户退款单号, 退款请求号).
    pub refund_ours: Option<String>,
    /// The channel's number of the payment (支付宝交易号, 微信订单号, VSP trxid, 云商通订单号).
    pub channel: Option<String>,
    /// The channel's number of the refund, where it gives it one of its own (微信退款单号, trxid or 云商通订单号 of the refund).
    pub refund_channel: Option<String>,
    /// The number under which YunST asked the channel behind it (请求渠道流水号).
    pub request: Option<String>,
    /// The number of the channel behind YunST (渠道流水号, VSP's trxid).
    pub acquirer: Option<String>,
    /// The wallet's number (后端渠道流水号: WeChat `transaction_id`, Alipay `trade_no`), as the buyer's phone shows it.
    pub wallet: Option<String>,
    /// Numbers whose part is not known.
    pub others: Vec<String>,
}

impl Numbers {
    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        let named = [
            &self.ours,
            &self.refund_ours,
            &self.channel,
            &self.refund_channel,
            &self.request,
            &self.acquirer,
            &self.wallet,
        ];
        named.into_iter().flatten().chain(&self.others).map(String::as_str)
    }
}

/// A row's cells as they were written, without blanks, tabs and back-ticks around them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cells {
    pub(super) headings: Arc<[String]>,
    pub(super) values: Vec<String>,
}

impl Cells {
    /// The cell under a heading. Full-width brackets count as half-width ones; blanks do not count.
    #[must_use]
    pub fn get(&self, heading: &str) -> Option<&str> {
        let place = self.headings.iter().position(|known| same_heading(known, heading))?;
        self.values.get(place).map(String::as_str)
    }

    /// Headings and cells in the file's order. Cells beyond the last heading have none.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let headings = self.headings.iter().map(String::as_str).chain(std::iter::repeat(""));
        headings.zip(self.values.iter().map(String::as_str))
    }
}

/// One row of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The row's number in its file, from 1; the headings and what is above them count.
    pub row: usize,
    /// What it is about.
    pub kind: Kind,
    /// How much, never below zero: the whole order, discounts of the channel included. Zero when it could not be read, which a
    /// [`super::Remark`] says.
    pub amount: Fen,
    /// What the channel takes from us for it; below zero what it gives back. `None`: not said, or finer than a fen.
    pub fee: Option<Fen>,
    /// When, by the channel.
    pub at: At,
    /// Its numbers.
    pub numbers: Numbers,
    /// How far it had got.
    pub standing: Standing,
    /// The channel's words for kind and state, as written.
    pub words: String,
    /// All its cells.
    pub cells: Cells,
}
