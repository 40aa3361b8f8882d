//! The channels' daily statements: fetched, kept as they came, and held against the journal.
//!
//! | module | subject |
//! |---|---|
//! | `fetch` | asking each channel for a day's file |
//! | `gather` | the files of a day: given by hand, kept, or fetched |
//! | `keep` | the files on disk, exactly as they came |
//! | `ours` | the journal's side of a day |
//!
//! Reading files, comparing and exporting are the crate `books`.

pub mod fetch;
pub mod gather;
pub mod keep;
pub mod ours;
#[cfg(test)]
mod ours_tests;

use books::statement::{Source, Unit};
use payment::channel::ChannelId;

/// As what a channel's daily file is read; `None` for a channel without statements.
#[must_use]
pub const fn source_of(channel: ChannelId, unit: Unit) -> Option<Source> {
    match channel {
        ChannelId::Alipay => Some(Source::AlipayTrade),
        ChannelId::Wechat => Some(Source::WechatTrade),
        ChannelId::AllinpayVsp => Some(Source::Vsp(unit)),
        ChannelId::AllinpayYst => Some(Source::Yst(unit)),
        ChannelId::Voucher => None,
    }
}
