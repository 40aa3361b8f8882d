//! Faults: raised, cleared, and what each of them blocks.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::entry::SlotId;
use super::mutant::{Mutant, is_planted};
use super::retry::Backoff;
use super::settings::Pace;
use super::view::ServiceFault;
use crate::channel::ChannelId;
use crate::ids::OrderId;
use crate::time::Mono;

/// What is wrong with the terminal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The journal cannot be written.
    Storage,
    /// The clock is not trusted.
    Clock,
    /// A channel cannot be reached.
    Network(ChannelId),
    /// A channel refuses the merchant's set-up.
    Setup(ChannelId),
    /// The scanner is gone.
    Scanner,
    /// The machine cannot deliver.
    Machine,
    /// A slot jammed.
    Slot(SlotId),
    /// The picture cannot be shown.
    Display,
    /// Receipts cannot be printed. Sales go on, unless the board wants a receipt for each.
    Printer,
    /// A technician switched selling off.
    SwitchedOff,
    /// The journal has reached its limit of disk, because the hub has not taken what is in it.
    JournalFull,
    /// The hub refuses this terminal or some of its entries. Sales go on; a person must look.
    Hub,
    /// A channel refuses to hear of this order's delivery, or has not heard of it for a day. Sales go on; a person must
    /// look.
    Duty(OrderId),
}

impl Fault {
    /// The fault's name in the API, the log and the metrics.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Storage => "storage".to_owned(),
            Self::Clock => "clock".to_owned(),
            Self::Network(channel) => format!("network-{}", channel.name()),
            Self::Setup(channel) => format!("setup-{}", channel.name()),
            Self::Scanner => "scanner".to_owned(),
            Self::Machine => "machine".to_owned(),
            Self::Slot(slot) => format!("slot-{slot}"),
            Self::Display => "display".to_owned(),
            Self::Printer => "printer".to_owned(),
            Self::SwitchedOff => "switched-off".to_owned(),
            Self::JournalFull => "journal-full".to_owned(),
            Self::Hub => "hub".to_owned(),
            Self::Duty(order) => format!("duty-{order}"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Storage => f.write_str("the journal cannot be written"),
            Self::Clock => f.write_str("the clock is not trusted"),
            Self::Network(channel) => write!(f, "{} cannot be reached", channel.name()),
            Self::Setup(channel) => write!(f, "{} refuses the merchant's set-up", channel.name()),
            Self::Scanner => f.write_str("the scanner is gone"),
            Self::Machine => f.write_str("the machine cannot deliver"),
            Self::Slot(slot) => write!(f, "slot {slot} jammed"),
            Self::Display => f.write_str("the display is gone"),
            Self::Printer => f.write_str("the receipt printer does not print"),
            Self::SwitchedOff => f.write_str("a technician switched selling off"),
            Self::JournalFull => {
                f.write_str("the journal is at its limit of disk; it empties when the hub has taken what is in it")
            }
            Self::Hub => f.write_str("the hub refuses this terminal or some of its entries; see `till queue`"),
            Self::Duty(order) => write!(
                f,
                "the channel does not take the word of the delivery of order {order}, so its money may be held back; \
                 `till order {order}` shows the channel's code, and `till duty-done {order}` ends this when it was done by hand"
            ),
        }
    }
}

/// This many calls in a row without any reply, and a channel counts as out of reach.
const LOST_CALLS: u32 = 3;

/// A channel that is out of reach is tried at least this often: every minute without sales is the operator's loss.
const PROBE_MAX_MS: u64 = 60_000;

/// How a channel does.
#[derive(Debug, Default)]
struct Reach {
    lost: u32,
    probe_at: Option<Mono>,
    backoff: Backoff,
    /// When a refused set-up is tried again.
    setup_at: Option<Mono>,
}

/// The faults that stand.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    standing: BTreeSet<Fault>,
    reach: BTreeMap<ChannelId, Reach>,
    news: Vec<(Fault, bool)>,
}

impl Faults {
    pub(crate) fn raise(&mut self, fault: Fault) {
        if self.standing.insert(fault.clone()) {
            self.news.push((fault, true));
        }
    }

    pub(crate) fn clear(&mut self, fault: &Fault) {
        if self.standing.remove(fault) {
            self.news.push((fault.clone(), false));
        }
    }

    pub(crate) fn has(&self, fault: &Fault) -> bool {
        self.standing.contains(fault)
    }

    pub(crate) fn standing(&self) -> impl Iterator<Item = &Fault> {
        self.standing.iter()
    }

    /// What changed since the last call: a fault and whether it began.
    pub(crate) fn take_news(&mut self) -> Vec<(Fault, bool)> {
        std::mem::take(&mut self.news)
    }

    /// The channel answered something: the network is fine.
    pub(crate) fn reached(&mut self, channel: ChannelId) {
        if let Some(reach) = self.reach.remove(&channel)
            && reach.setup_at.is_some()
        {
            self.reach.insert(channel, Reach { setup_at: reach.setup_at, ..Reach::default() });
        }
        self.clear(&Fault::Network(channel));
    }

    /// A call went unanswered.
    pub(crate) fn lost(&mut self, channel: ChannelId, now: Mono, pace: &Pace) {
        let reach = self.reach.entry(channel).or_default();
        reach.lost = reach.lost.saturating_add(1);
        if reach.lost >= LOST_CALLS {
            // Other calls that are lost meanwhile do not put the probe off.
            if reach.probe_at.is_none() {
                let at = reach.backoff.next(now, pace.probe_ms, pace);
                reach.probe_at = Some(at.min(now.plus(PROBE_MAX_MS)));
            }
            self.raise(Fault::Network(channel));
        }
    }

    /// A probe went unanswered. It has no other purpose than to tell, so one is enough.
    pub(crate) fn probe_failed(&mut self, channel: ChannelId, now: Mono, pace: &Pace) {
        self.reach.entry(channel).or_default().lost = LOST_CALLS;
        self.lost(channel, now, pace);
    }

    /// The channel refuses the set-up: stop selling by it, and see after a while whether somebody mended it.
    pub(crate) fn refused_setup(&mut self, channel: ChannelId, now: Mono, pace: &Pace) {
        let reach = self.reach.entry(channel).or_default();
        reach.setup_at = Some(now.plus(pace.retry_max_ms));
        self.raise(Fault::Setup(channel));
    }

    /// When a channel is to be tried again.
    pub(crate) fn deadline(&self) -> Option<Mono> {
        self.reach.values().flat_map(|reach| [reach.probe_at, reach.setup_at]).flatten().min()
    }

    /// The channels that are to be probed now. A set-up fault ends by being tried: the next buyer tells.
    pub(crate) fn due(&mut self, now: Mono) -> Vec<ChannelId> {
        let (mut probes, mut setups) = (Vec::new(), Vec::new());
        for (channel, reach) in &mut self.reach {
            probes.extend(reach.probe_at.take_if(|at| *at <= now).map(|_| *channel));
            setups.extend(reach.setup_at.take_if(|at| *at <= now).map(|_| *channel));
        }
        for channel in setups {
            self.clear(&Fault::Setup(channel));
        }
        probes
    }

    /// The first of `channels` that can be used.
    pub(crate) fn usable(&self, channels: &[ChannelId]) -> Option<ChannelId> {
        channels.iter().copied().find(|channel| !self.blocks_channel(*channel))
    }

    pub(crate) fn blocks_channel(&self, channel: ChannelId) -> bool {
        self.has(&Fault::Network(channel)) || self.has(&Fault::Setup(channel))
    }

    /// The fault that keeps the machine from selling: through any of `channels`, or by member and voucher `codes`, which
    /// need no channel; with `vends`, from delivering too.
    pub(crate) fn blocking(&self, channels: &[ChannelId], codes: bool, vends: bool) -> Option<Fault> {
        let anyway = [Fault::SwitchedOff, Fault::Storage, Fault::JournalFull, Fault::Clock];
        if let Some(fault) = anyway.into_iter().find(|fault| self.has(fault)) {
            return Some(fault);
        }
        if vends && self.has(&Fault::Machine) && !is_planted(Mutant::SoldWhileJammed) {
            return Some(Fault::Machine);
        }
        if codes { None } else { self.without_channel(channels) }
    }

    /// Why none of `channels` can be used; `None` while one can.
    pub(crate) fn without_channel(&self, channels: &[ChannelId]) -> Option<Fault> {
        self.usable(channels).is_none().then(|| self.why_unusable(channels))
    }

    pub(crate) fn why_unusable(&self, channels: &[ChannelId]) -> Fault {
        let setup = channels.iter().map(|channel| Fault::Setup(*channel)).find(|fault| self.has(fault));
        let network = channels.first().map(|channel| Fault::Network(*channel));
        setup.or(network).unwrap_or(Fault::SwitchedOff)
    }
}

/// What a buyer is told of a fault that blocks selling.
pub(crate) fn service_fault(fault: &Fault) -> ServiceFault {
    match fault {
        Fault::Storage | Fault::JournalFull => ServiceFault::Storage,
        Fault::Clock => ServiceFault::Clock,
        Fault::Network(_) => ServiceFault::Network,
        Fault::Setup(_) => ServiceFault::Setup,
        Fault::Scanner
        | Fault::Machine
        | Fault::Slot(_)
        | Fault::Display
        | Fault::Printer
        | Fault::Hub
        | Fault::Duty(_) => ServiceFault::Machine,
        Fault::SwitchedOff => ServiceFault::SwitchedOff,
    }
}
