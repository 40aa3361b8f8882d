//! What the engine needs to know of the terminal. Checked by the daemon's config before it gets here.

use std::collections::BTreeMap;

use super::entry::{SlotId, WhoScans};
use crate::channel::route::Routes;
use crate::channel::{ChannelId, DutyKind, Wallet};
use crate::instalment::Terms;
use crate::money::Fen;

/// The engine's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What the machine sells, by slot.
    pub products: BTreeMap<SlotId, Product>,
    /// The channels that take money, the preferred one first.
    pub channels: Vec<ChannelId>,
    /// The codes that an order shows side by side; empty shows one, by the first of `channels` that works.
    pub shows: Vec<CodeShown>,
    /// Whose pay code is whose, and who takes it.
    pub routes: Routes,
    /// Huabei instalments; `None` where none are offered.
    pub instalments: Option<Terms>,
    /// Orders that are opened in instalments get a number in the style of the operator's guide as their reference.
    pub guide_numbers: bool,
    /// What the operator allows of refunds.
    pub refunds: RefundSettings,
    /// What is owed to a channel after a delivery.
    pub duties: BTreeMap<ChannelId, DutyKind>,
    /// Who may scan on orders made at the keypad.
    pub who_scans: WhoScans,
    /// Whether the board has a scanner.
    pub has_scanner: bool,
    /// Whether nothing is sold while receipts cannot be printed.
    pub printer_required: bool,
    /// Whether the machine's own controller chooses and names the price.
    pub machine_chooses: bool,
    /// So often in a row a slot's motor may turn without anything falling; then the slot is locked.
    pub lock_slot_after: u32,
    /// How many items fit into a slot, where the operator says so: what a technician fills it to.
    pub capacities: BTreeMap<SlotId, u32>,
    /// Paces and limits of time.
    pub pace: Pace,
    /// The same for channels whose rules are others.
    pub paces: BTreeMap<ChannelId, Pace>,
    /// Member and voucher codes of the operator; `None` where none are taken.
    pub vouchers: Option<VoucherSettings>,
}

/// A terminal that sells nothing yet, and would lock a slot at its first failure.
impl Default for Settings {
    fn default() -> Self {
        Self {
            products: BTreeMap::new(),
            channels: Vec::new(),
            shows: Vec::new(),
            routes: Routes::default_for(&[]),
            instalments: None,
            guide_numbers: false,
            refunds: RefundSettings::default(),
            duties: BTreeMap::new(),
            who_scans: WhoScans::Either,
            has_scanner: false,
            printer_required: false,
            machine_chooses: false,
            lock_slot_after: 1,
            capacities: BTreeMap::new(),
            pace: Pace::default(),
            paces: BTreeMap::new(),
            vouchers: None,
        }
    }
}

/// One code on the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeShown {
    /// The wallet that it is for; `None` for one code that several can scan.
    pub wallet: Option<Wallet>,
    /// The channels that can make it, the preferred one first.
    pub channels: Vec<ChannelId>,
}

/// What the operator allows of refunds that people ask for. What the terminal itself owes is always returned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RefundSettings {
    /// The amount above which a second person must approve; `None`: never.
    pub approval_above: Option<Fen>,
    /// How long after the payment they may be asked for, in milliseconds.
    pub windows_ms: BTreeMap<ChannelId, u64>,
    /// The same for payments in instalments.
    pub instalment_window_ms: Option<u64>,
}

impl Settings {
    /// The codes that an order shows.
    pub(crate) fn codes_shown(&self) -> Vec<CodeShown> {
        if self.shows.is_empty() {
            return vec![CodeShown { wallet: None, channels: self.channels.clone() }];
        }
        self.shows.clone()
    }

    /// The paces of `channel`.
    #[must_use]
    pub fn pace_of(&self, channel: ChannelId) -> &Pace {
        self.paces.get(&channel).unwrap_or(&self.pace)
    }
}

impl Pace {
    /// These paces within what the channel's documents allow: never quicker than its least waits, and never longer than
    /// its longest.
    ///
    /// WeChat Pay: query every 5 to 10 s for 45 s at most, reverse not before 15 s, refunds of one order a minute apart
    /// (reference/wechatpay.md 5.4, 5.5, 6.1). Allinpay: query about every 10 s; no wait before a cancel is published, so
    /// WeChat's is kept, which may be the wallet behind it (reference/allinpay.md 2.4).
    #[must_use]
    pub fn for_channel(self, channel: ChannelId) -> Self {
        match channel {
            ChannelId::Alipay | ChannelId::Voucher => self,
            ChannelId::Wechat => Self {
                confirm_poll_ms: self.confirm_poll_ms.max(5_000),
                confirm_total_ms: self.confirm_total_ms.min(45_000),
                cancel_after_ms: self.cancel_after_ms.max(15_000),
                refund_query_ms: self.refund_query_ms.max(60_000),
                refund_gap_ms: self.refund_gap_ms.max(60_000),
                ..self
            },
            ChannelId::AllinpayVsp | ChannelId::AllinpayYst => Self {
                confirm_poll_ms: self.confirm_poll_ms.max(10_000),
                cancel_after_ms: self.cancel_after_ms.max(15_000),
                ..self
            },
        }
    }
}

/// What is needed to take member and voucher codes, with or without a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoucherSettings {
    /// This terminal's number: a code may say where it may be spent.
    pub terminal: String,
    /// The operator's Ed25519 public key.
    pub operator_key: [u8; 32],
    /// The most that one sale may cost.
    pub per_sale_max: Fen,
    /// The most that may be taken before the hub has it: what double use at other terminals can cost at worst.
    pub unsettled_max: Fen,
}

/// A product in a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// The merchant's code of the goods.
    pub code: String,
    /// What the buyer reads.
    pub name: String,
    /// Its price.
    pub price: Fen,
}

/// Paces and limits, all in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// How long a buyer has to pay.
    pub pay_within_ms: u64,
    /// How long the channel is asked to keep a shown code payable, counted from the request.
    pub code_valid_ms: u64,
    /// How much longer than that a late payment is looked for: clocks and channels are not exact.
    pub late_margin_ms: u64,
    /// Between two queries while a code is shown.
    pub code_poll_ms: u64,
    /// Between two queries while the buyer confirms or the outcome is unknown (Alipay: 3 to 6 s).
    pub confirm_poll_ms: u64,
    /// How long a buyer may take to confirm before the attempt is cancelled (Alipay: about 60 s).
    pub confirm_total_ms: u64,
    /// How much longer the time to pay becomes, once, when it runs out while the buyer is confirming.
    pub confirm_grace_ms: u64,
    /// Between two queries for a late payment.
    pub watch_ms: u64,
    /// How long a pay request may still be on its way at the channel: its code's life and a margin.
    pub in_flight_ms: u64,
    /// The first wait before a failed call is made again; doubles up to `retry_max_ms`.
    pub retry_ms: u64,
    /// The longest wait before a failed call is made again.
    pub retry_max_ms: u64,
    /// How long after a pay code was sent its attempt may first be undone (WeChat Pay: 15 s; Alipay: at once).
    pub cancel_after_ms: u64,
    /// Between a refund and the question how it stands (Alipay: at least 10 s).
    pub refund_query_ms: u64,
    /// Between two refunds of one trade (Alipay: at least 3 s).
    pub refund_gap_ms: u64,
    /// How long a buyer is kept in front of the machine while the channel is made sure of.
    pub release_ms: u64,
    /// How long an unfinished choice stays on the screen.
    pub choose_ms: u64,
    /// How long the thanks stay.
    pub thanks_ms: u64,
    /// How long bad news stays.
    pub sorry_ms: u64,
    /// After a restart, how old a payment may be for its goods still to be delivered.
    pub resume_ms: u64,
    /// Between two tries of the journal or of a channel that failed; doubles up to `retry_max_ms`.
    pub probe_ms: u64,
    /// The longest that a call may take before its answer counts as lost.
    pub call_limit_ms: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            pay_within_ms: 90_000,
            code_valid_ms: 180_000,
            late_margin_ms: 60_000,
            code_poll_ms: 3_000,
            confirm_poll_ms: 4_000,
            confirm_total_ms: 60_000,
            confirm_grace_ms: 30_000,
            watch_ms: 15_000,
            in_flight_ms: 90_000,
            retry_ms: 2_000,
            retry_max_ms: 600_000,
            cancel_after_ms: 0,
            refund_query_ms: 10_000,
            refund_gap_ms: 3_000,
            release_ms: 5_000,
            choose_ms: 20_000,
            thanks_ms: 5_000,
            sorry_ms: 12_000,
            resume_ms: 60_000,
            probe_ms: 5_000,
            call_limit_ms: 30_000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_file_says_holds_within_what_the_channel_allows() {
        let slow = Pace { confirm_poll_ms: 6_000, refund_query_ms: 300_000, ..Pace::default() };
        let wechat = slow.for_channel(ChannelId::Wechat);
        assert_eq!((wechat.confirm_poll_ms, wechat.refund_query_ms), (6_000, 300_000), "slower than the least");
        assert_eq!((wechat.refund_gap_ms, wechat.cancel_after_ms), (60_000, 15_000), "never quicker than it");
        assert_eq!(wechat.confirm_total_ms, 45_000, "the longest that its documents name");
        let quick = Pace { confirm_total_ms: 30_000, ..Pace::default() };
        assert_eq!(quick.for_channel(ChannelId::Wechat).confirm_total_ms, 30_000);
        for allinpay in [ChannelId::AllinpayVsp, ChannelId::AllinpayYst] {
            let pace = slow.for_channel(allinpay);
            assert_eq!((pace.confirm_poll_ms, pace.cancel_after_ms), (10_000, 15_000));
            assert_eq!(pace.confirm_total_ms, slow.confirm_total_ms);
        }
        assert_eq!(slow.for_channel(ChannelId::Alipay), slow);
    }
}
