//! Whose pay code a scanned line is, and which channels can take it: by its first digits and its length, out of a table.
//!
//! The table is data, one for each terminal: prefixes have been added over the years (Alipay once had 28 only, WeChat
//! 13), so settings can put rows in front of the built-in ones.
//!
//! Source: Alipay, "pay code" (付款码) rules of `alipay.trade.pay`; WeChat Pay, "payment code" rules; UnionPay QR, e-CNY
//! and others as their gateways test them (reference/other-codes.md 1).

use std::ops::RangeInclusive;

use thiserror::Error;

use super::{ChannelId, Wallet};
use crate::redact::PayCode;
use crate::voucher::is_voucher;

/// How long a pay code can be. Below are labels of goods (EAN-13, ITF-14), above is nothing that a gateway takes.
pub const LENGTHS: RangeInclusive<usize> = 16..=64;

/// Where a line goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// A pay code of a wallet that this terminal takes.
    Wallet {
        /// Whose.
        wallet: Wallet,
        /// Through which channels, the preferred one first; never empty. A pay code is single use: try another channel
        /// only when nothing was sent to the one before.
        channels: Vec<ChannelId>,
        /// The code.
        code: PayCode,
    },
    /// A member or voucher code; whether it is the operator's is not known yet.
    Voucher(PayCode),
    /// A pay code of a wallet that no channel of this terminal takes, and the wallet's name.
    KnownElsewhere(&'static str),
    /// A bank card's printed number, or too much like one: it is not sent anywhere and not kept.
    CardNumber,
    /// Something else: a label, half a code, two codes at once.
    NotAPayCode,
}

/// One row of the table: whose a code is that begins and is as long as this. The first row that fits decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteRow {
    /// Whose codes these are.
    pub wallet: Wallet,
    /// How they begin, any of these.
    pub first: Vec<String>,
    /// How many characters they have, within [`LENGTHS`].
    pub length: RangeInclusive<usize>,
    /// Whether letters may stand in them; if not, digits only.
    pub letters: bool,
    /// Who takes them, the preferred one first. Empty: known, and not taken here.
    pub channels: Vec<ChannelId>,
}

/// What an operator may say about pay codes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RouteSettings {
    /// Rows that are tried before the built-in ones: they add to them and override them.
    pub rows: Vec<RouteRow>,
    /// Refuse what may be a bank card's number although it may be a pay code: a 19-digit number from 62, or a 16-digit
    /// one from 2221 to 2720, when its check digit (Luhn) holds, or when it was keyed in. The price: one genuine UnionPay
    /// code in ten has that digit by chance, and its buyer must show another one. So it is off unless asked for.
    pub refuse_card_shaped: bool,
}

/// Why a row of the settings cannot be used.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum RouteProblem {
    /// It would fit every line, or none.
    #[error("pay codes of {0}: say how they begin, in digits, or in letters and digits where `letters` is on")]
    First(&'static str),
    /// No code is that long.
    #[error(
        "pay codes of {0}: a length is 16 to 64 characters, the smaller number first, and longer than the first digits"
    )]
    Length(&'static str),
    /// Bank cards have such numbers.
    #[error(
        "pay codes of {0}: numbers of 16 to 18 digits that begin with 62 are bank cards; UnionPay's pay codes have 19"
    )]
    Card(&'static str),
    /// That channel has no such wallet.
    #[error("the channel {channel} cannot take pay codes of {wallet}")]
    CannotTake {
        /// The channel's name.
        channel: &'static str,
        /// The wallet's name.
        wallet: &'static str,
    },
    /// That channel is not set up.
    #[error("the channel {0} takes pay codes by a row of the table, and this terminal does not have it")]
    NotHere(&'static str),
}

/// The table of one terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routes {
    rows: Vec<RouteRow>,
    refuse_card_shaped: bool,
}

impl Routes {
    /// The built-in table, for a terminal with these `channels`, the preferred one first.
    #[must_use]
    pub fn default_for(channels: &[ChannelId]) -> Self {
        Self { rows: KNOWN.iter().map(|known| known.row(channels)).collect(), refuse_card_shaped: false }
    }

    /// The built-in table with the operator's rows in front of it.
    ///
    /// # Errors
    /// A row that would fit everything, bank cards or nothing, or that names a channel which cannot take the wallet or is
    /// not among `channels`.
    pub fn new(channels: &[ChannelId], settings: RouteSettings) -> Result<Self, RouteProblem> {
        let mut rows = settings.rows;
        rows.iter().try_for_each(|row| row.check(channels))?;
        rows.extend(Self::default_for(channels).rows);
        Ok(Self { rows, refuse_card_shaped: settings.refuse_card_shaped })
    }

    /// The rows, in the order in which they are tried.
    #[must_use]
    pub fn rows(&self) -> &[RouteRow] {
        &self.rows
    }

    /// Where a line of the scanner goes. CR, LF, TAB and blanks around it are the scanner's and are dropped; inside they
    /// are not.
    #[must_use]
    pub fn route(&self, line: &str) -> Route {
        self.tell(line, Source::Scanner)
    }

    /// Where a line goes that a person may have typed: a keyboard's, or one given through the API.
    #[must_use]
    pub fn route_keyed(&self, line: &str) -> Route {
        self.tell(line, Source::Person)
    }

    fn tell(&self, line: &str, source: Source) -> Route {
        let code = line.trim_matches(['\r', '\n', '\t', ' ']);
        if is_voucher(code) {
            return Route::Voucher(PayCode::new(code));
        }
        if is_card(code) || (self.refuse_card_shaped && may_be_card(code, source)) {
            return Route::CardNumber;
        }
        match self.rows.iter().find(|row| row.matches(code)) {
            Some(row) => row.route(code),
            None => elsewhere(code),
        }
    }
}

/// The channels among `channels` that can take a wallet's pay codes, in their order.
///
/// Alipay and WeChat Pay take their own. Allinpay tells the wallets apart by itself: VSP at `scanqrpay`, YunST by
/// `CODEPAY_VSP` (reference/allinpay.md 2.5 and 3.5).
#[must_use]
pub fn takers(wallet: Wallet, channels: &[ChannelId]) -> Vec<ChannelId> {
    channels.iter().copied().filter(|channel| takes(*channel, wallet)).collect()
}

const fn takes(channel: ChannelId, wallet: Wallet) -> bool {
    match channel {
        ChannelId::Alipay => matches!(wallet, Wallet::Alipay),
        ChannelId::Wechat => matches!(wallet, Wallet::Wechat),
        ChannelId::AllinpayVsp | ChannelId::AllinpayYst => true,
        ChannelId::Voucher => false,
    }
}

/// The wallet's name, as a person reads it.
const fn title(wallet: Wallet) -> &'static str {
    match wallet {
        Wallet::Alipay => "Alipay",
        Wallet::Wechat => "WeChat Pay",
        Wallet::UnionPay => "UnionPay",
        Wallet::Ecny => "e-CNY",
    }
}

/// Who made the line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Scanner,
    Person,
}

/// A built-in row.
struct Known {
    wallet: Wallet,
    first: &'static [&'static str],
    length: RangeInclusive<usize>,
    letters: bool,
    /// Only this channel can take it, whatever the wallet's others are.
    only: Option<ChannelId>,
}

const fn digits(wallet: Wallet, first: &'static [&'static str], length: RangeInclusive<usize>) -> Known {
    Known { wallet, first, length, letters: false, only: None }
}

const KNOWN: &[Known] = &[
    digits(Wallet::Alipay, &["25", "26", "27", "28", "29", "30"], 16..=24),
    // By face: `fp` and 33 more characters. It needs Alipay's own scene `security_code`, which no gateway documents.
    Known { wallet: Wallet::Alipay, first: &["fp"], length: 35..=35, letters: true, only: Some(ChannelId::Alipay) },
    digits(Wallet::Wechat, &["10", "11", "12", "13", "14", "15"], 18..=18),
    // A bank card's number may look the same: see `refuse_card_shaped`.
    digits(Wallet::UnionPay, &["62"], 19..=19),
    digits(Wallet::Ecny, &["01"], 19..=19),
];

/// Wallets that no channel of ours takes: first digits, digits in all, name.
const ELSEWHERE: &[(&str, usize, &str)] = &[("91", 18, "QQ Wallet"), ("18", 18, "JD Pay")];

fn elsewhere(code: &str) -> Route {
    let fits = |(first, length, _): &&(&str, usize, &str)| {
        code.len() == *length && code.starts_with(first) && all_digits(code)
    };
    ELSEWHERE.iter().find(fits).map_or(Route::NotAPayCode, |(_, _, name)| Route::KnownElsewhere(name))
}

impl Known {
    fn row(&self, channels: &[ChannelId]) -> RouteRow {
        let mut channels = takers(self.wallet, channels);
        channels.retain(|channel| self.only.is_none_or(|only| only == *channel));
        let first = self.first.iter().map(|&first| first.to_owned()).collect();
        RouteRow { wallet: self.wallet, first, length: self.length.clone(), letters: self.letters, channels }
    }
}

impl RouteRow {
    fn matches(&self, code: &str) -> bool {
        self.length.contains(&code.len())
            && self.first.iter().any(|first| code.starts_with(first))
            && code.bytes().all(|byte| self.allows(byte))
    }

    const fn allows(&self, byte: u8) -> bool {
        byte.is_ascii_digit() || (self.letters && byte.is_ascii_alphabetic())
    }

    fn route(&self, code: &str) -> Route {
        if self.channels.is_empty() {
            return Route::KnownElsewhere(title(self.wallet));
        }
        Route::Wallet { wallet: self.wallet, channels: self.channels.clone(), code: PayCode::new(code) }
    }

    fn check(&self, channels: &[ChannelId]) -> Result<(), RouteProblem> {
        let wallet = title(self.wallet);
        let (least, most) = (*self.length.start(), *self.length.end());
        let good_first = |first: &String| !first.is_empty() && first.bytes().all(|byte| self.allows(byte));
        if self.first.is_empty() || !self.first.iter().all(good_first) {
            return Err(RouteProblem::First(wallet));
        }
        let too_long = |first: &String| first.len() >= least;
        if least > most || !LENGTHS.contains(&least) || !LENGTHS.contains(&most) || self.first.iter().any(too_long) {
            return Err(RouteProblem::Length(wallet));
        }
        if least < 19 && self.first.iter().any(|first| first.starts_with("62") || first == "6") {
            return Err(RouteProblem::Card(wallet));
        }
        self.channels.iter().try_for_each(|channel| self.check_channel(*channel, channels))
    }

    fn check_channel(&self, channel: ChannelId, channels: &[ChannelId]) -> Result<(), RouteProblem> {
        if !takes(channel, self.wallet) {
            return Err(RouteProblem::CannotTake { channel: channel.name(), wallet: title(self.wallet) });
        }
        if !channels.contains(&channel) {
            return Err(RouteProblem::NotHere(channel.name()));
        }
        Ok(())
    }
}

/// Whether this can only be a bank card: no pay code from 62 is shorter than 19 digits.
fn is_card(code: &str) -> bool {
    (16..=18).contains(&code.len()) && code.starts_with("62") && all_digits(code)
}

/// Whether this may be a bank card although it may be a pay code. A person who types such a number types a card's.
fn may_be_card(code: &str, source: Source) -> bool {
    let union_pay = code.len() == 19 && code.starts_with("62");
    // Mastercard's second range lies inside Alipay's first digits; Alipay's codes of 16 digits exist on paper only.
    let mastercard = code.len() == 16 && code.get(..4).is_some_and(|first| ("2221"..="2720").contains(&first));
    (union_pay || mastercard) && all_digits(code) && (source == Source::Person || luhn_holds(code))
}

fn all_digits(code: &str) -> bool {
    code.bytes().all(|byte| byte.is_ascii_digit())
}

/// The check digit of bank cards (ISO/IEC 7812): every second digit from the right is doubled, and the sum ends in 0.
fn luhn_holds(digits: &str) -> bool {
    let values = digits.bytes().rev().map(|byte| u32::from(byte.wrapping_sub(b'0')));
    let weighed = values.enumerate().map(|(place, value)| if place % 2 == 0 { value } else { value * 2 });
    weighed.map(|value| value / 10 + value % 10).sum::<u32>() % 10 == 0
}

#[cfg(test)]
mod tests;
