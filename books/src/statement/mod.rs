//! A channel's statement: the file of one day, read into lines.
//!
//! [`read`] takes the bytes as they were downloaded (zip, gzip, GBK or UTF-8, Excel) and any other bytes too: it never
//! panics, and its memory and time are bounded by [`UNPACKED_MAX`], [`ROWS_MAX`] and [`CELLS_MAX`]. Columns are found by
//! name. What a row says but we do not know is kept as [`Kind::Other`] and named in a [`Remark`]; nothing is dropped.

mod alipay;
mod allinpay;
mod amount;
mod container;
mod draft;
#[cfg(feature = "xlsx")]
mod excel;
mod line;
mod remark;
mod table;
mod totals;
mod unreadable;
mod wechat;

use jiff::civil::Date;
use payment::channel::ChannelId;

use crate::day;

pub use line::{At, Cells, Kind, Line, Numbers, Standing};
pub use remark::{Remark, Trouble};
pub use totals::Total;
pub use unreadable::Unreadable;

/// The most bytes that a statement may hold, packed or unpacked: some 200,000 rows.
pub const UNPACKED_MAX: usize = 64 * 1024 * 1024;

/// The most rows of one statement. A merchant with more asks for one file per store.
pub const ROWS_MAX: usize = 200_000;

/// The most cells of one row; the widest known layout (WeChat Pay, refunds) has 29.
pub const CELLS_MAX: usize = 80;

/// What file it is. Each source knows its own layouts; the container is told from the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Alipay's business bill, `bill_type` `trade` (reference/alipay.md 11).
    AlipayTrade,
    /// Alipay's account ledger, `bill_type` `signcustomer` (reference/alipay.md 11).
    AlipayLedger,
    /// WeChat Pay's trade bill, `ALL`, `SUCCESS` or `REFUND` (reference/wechatpay.md 8.1).
    WechatTrade,
    /// WeChat Pay's fund flow bill (reference/wechatpay.md 8.1).
    WechatFundFlow,
    /// Allinpay VSP: GBK text in a zip, or Excel (reference/allinpay.md 2.9).
    Vsp(Unit),
    /// Allinpay YunST, generation 2: daily txt, whose money is always fen, or Excel, to which the unit applies
    /// (reference/allinpay.md 5.1, 5.3).
    Yst(Unit),
}

/// The unit of money in a file whose documents do not tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unit {
    /// Told by the amounts: when every one has a decimal point it is yuan, when none has it is fen, and a mixture is
    /// refused. What was found is named in [`Remark::Assumed`].
    #[default]
    ByPoint,
    /// Yuan: `3.50`, and also `3`.
    Yuan,
    /// Whole fen: `350`.
    Fen,
}

/// What a file lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Payments and refunds.
    Trades,
    /// Movements of the account: fees and withdrawals among them.
    Ledger,
}

impl Source {
    /// Whose file it is.
    #[must_use]
    pub const fn channel(self) -> ChannelId {
        match self {
            Self::AlipayTrade | Self::AlipayLedger => ChannelId::Alipay,
            Self::WechatTrade | Self::WechatFundFlow => ChannelId::Wechat,
            Self::Vsp(_) => ChannelId::AllinpayVsp,
            Self::Yst(_) => ChannelId::AllinpayYst,
        }
    }

    /// What it lists.
    #[must_use]
    pub const fn sort(self) -> Sort {
        match self {
            Self::AlipayTrade | Self::WechatTrade | Self::Vsp(_) | Self::Yst(_) => Sort::Trades,
            Self::AlipayLedger | Self::WechatFundFlow => Sort::Ledger,
        }
    }
}

/// A statement, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// What file it was read as.
    pub source: Source,
    /// Every row of it, in the file's order.
    pub lines: Vec<Line>,
    /// The sums that the file itself gives, beside those of its rows. Each one that differs is a [`Remark`] too.
    pub totals: Vec<Total>,
    /// What a person should know about the file.
    pub remarks: Vec<Remark>,
}

impl Statement {
    fn new(source: Source) -> Self {
        Self { source, lines: Vec::new(), totals: Vec::new(), remarks: Vec::new() }
    }

    /// The first and the last day in China on which its rows happened: a file of another day than the one asked for shows
    /// here. `None` when no row has a moment.
    #[must_use]
    pub fn days(&self) -> Option<(Date, Date)> {
        let moments = || self.lines.iter().filter_map(|line| line.at.ms);
        Some((day::of(moments().min()?)?, day::of(moments().max()?)?))
    }

    /// Refuses rows beyond [`ROWS_MAX`] over all files of an archive.
    fn has_room_for(&self, rows: usize) -> Result<(), Unreadable> {
        if self.lines.len().saturating_add(rows) > ROWS_MAX {
            return Err(Unreadable::TooManyRows { limit: ROWS_MAX });
        }
        Ok(())
    }
}

/// Reads the bytes of a statement.
///
/// # Errors
/// [`Unreadable`], for a person, when there is no table of this source in the bytes.
pub fn read(source: Source, bytes: &[u8]) -> Result<Statement, Unreadable> {
    match source {
        Source::AlipayTrade => alipay::trade::read(bytes),
        Source::AlipayLedger => alipay::ledger::read(bytes),
        Source::WechatTrade => wechat::trade::read(bytes),
        Source::WechatFundFlow => wechat::fund_flow::read(bytes),
        Source::Vsp(unit) => allinpay::vsp::read(bytes, unit),
        Source::Yst(unit) => allinpay::yst::read(bytes, unit),
    }
}
