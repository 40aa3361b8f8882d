//! `[channels]`: which of them are set up, and what their sections have in common.

use std::collections::BTreeMap;
use std::fmt::Display;

use payment::channel::allinpay::yst::setup::TradeKind;
use payment::channel::{ChannelId, DutyKind};
use payment::redact::Secret;

use super::check::Checker;
use super::checked::{Mode, ShowConfig, TerminalConfig};
use super::gateway::{self, Gateway};
use super::keys::{self, Readers};
use super::raw::{Places, Written};
use super::sell::CHANNELS;
use super::source::At;
use super::{alipay, allinpay_vsp, allinpay_yst, raw, wechat};
use crate::http::Channel;

/// More settings than any channel can complain about.
const COMPLAINTS_MAX: usize = 64;

/// The channels that have a section, sound or not: a wrong key in one must not make a list call it missing.
pub(super) fn set_up(c: &mut Checker<'_, '_>, raw: &raw::Channels) -> Vec<ChannelId> {
    let has = |channel: &ChannelId| match channel {
        ChannelId::Alipay => raw.alipay.is_some(),
        ChannelId::Wechat => raw.wechat.is_some(),
        ChannelId::AllinpayVsp => raw.allinpay_vsp.is_some(),
        ChannelId::AllinpayYst => raw.allinpay_yst.is_some(),
        ChannelId::Voucher => false,
    };
    let set_up: Vec<ChannelId> = CHANNELS.into_iter().filter(has).collect();
    if set_up.is_empty() {
        let advice = "without a channel nobody can pay: add [channels.alipay], [channels.wechat], \
                      [channels.allinpay_vsp] or [channels.allinpay_yst] with its keys";
        c.found.missing(&At::key("channels"), advice);
    }
    set_up
}

/// What a channel must hear after a delivery follows from its section alone, whether or not its keys are at hand.
pub(super) fn duties(raw: &raw::Channels) -> BTreeMap<ChannelId, DutyKind> {
    let reports = raw.wechat.as_ref().is_some_and(|wechat| wechat.delivery_secret_file.is_some());
    let trade = raw.allinpay_yst.as_ref().and_then(|yst| yst.trade.as_ref());
    let is_guaranteed = trade.is_some_and(|trade| trade.value.0 == TradeKind::Guaranteed);
    let wechat = reports.then_some((ChannelId::Wechat, DutyKind::ReportDelivery));
    let yst = is_guaranteed.then_some((ChannelId::AllinpayYst, DutyKind::ConfirmGuarantee));
    wechat.into_iter().chain(yst).collect()
}

/// Checks every section; the channels that are sound, in the order of preference.
pub(super) fn check(
    c: &mut Checker<'_, '_>,
    raw: raw::Channels,
    terminal: &TerminalConfig,
    order: &[ChannelId],
    show: &ShowConfig,
) -> Vec<Channel> {
    let mut sound = Vec::new();
    sound.extend(raw.alipay.and_then(|raw| alipay::check(c, raw, terminal)));
    sound.extend(raw.wechat.and_then(|raw| wechat::check(c, raw, terminal)));
    sound.extend(raw.allinpay_vsp.and_then(|raw| allinpay_vsp::check(c, raw, terminal, show)));
    sound.extend(raw.allinpay_yst.and_then(|raw| allinpay_yst::check(c, raw, terminal)));
    let place = |channel: &Channel| order.iter().position(|id| *id == channel.adapter.id());
    sound.sort_by_key(|channel| place(channel).unwrap_or(usize::MAX));
    sound
}

/// Collects what a section must have. What is missing is reported, and a stand-in lets the checks go on.
pub(super) fn required(
    c: &mut Checker<'_, '_>,
    written: Option<Written<String>>,
    places: &Places,
    (key, advice, stand_in): (&str, &str, &str),
) -> String {
    let written = c.required(written, places.of(key), advice);
    written.map_or_else(|| stand_in.to_owned(), |written| written.value)
}

/// A file that must be named; empty when it was reported.
pub(super) fn required_file(
    c: &mut Checker<'_, '_>,
    written: Option<Written<String>>,
    places: &Places,
    (key, advice): (&str, &str),
    readers: Readers,
) -> String {
    let written = c.required(written, places.of(key), advice);
    written.and_then(|written| keys::read(c, &written, readers)).unwrap_or_default()
}

/// An address of a channel, which is its production address unless the file says otherwise.
pub(super) fn address(
    c: &mut Checker<'_, '_>,
    written: Option<Written<String>>,
    at: At,
    gateway: &Gateway,
    mode: Mode,
) -> String {
    let at = written.as_ref().map_or(at, |written| written.at.clone());
    let value = c.choice(written, at.clone(), gateway.production.to_owned());
    let url = Written { value, at };
    gateway::check(&url, gateway, c.ground(mode), c.found);
    url.value
}

/// The text of a setting that may be absent.
pub(super) fn text(c: &mut Checker<'_, '_>, written: Option<Written<String>>) -> Option<String> {
    c.optional(written).map(|written| written.value)
}

/// The text of a file that a setting names; `None` when there is none, or it was reported.
pub(super) fn file(c: &mut Checker<'_, '_>, written: Option<Written<String>>, readers: Readers) -> Option<String> {
    let written = c.optional(written)?;
    keys::read(c, &written, readers)
}

/// The same for a secret of one line, whose file may end in a line break.
pub(super) fn secret_line(c: &mut Checker<'_, '_>, written: Option<Written<String>>) -> Option<Secret<String>> {
    file(c, written, Readers::Owner).map(|text| Secret::new(text.trim().to_owned()))
}

/// A channel's settings while it is asked about them.
pub(super) trait Settings: Clone {
    /// The channel.
    type Adapter;
    /// A complaint about one setting.
    type Complaint: Display;

    /// Has the channel check everything.
    fn try_out(self) -> Result<Self::Adapter, Self::Complaint>;

    /// The key of the section that a complaint is about, or a whole key path when it has a dot.
    fn key_of(complaint: &Self::Complaint) -> &'static str;

    /// Takes what was complained about out of the way, so that the next complaint is heard; `false` where nothing can
    /// stand in its place.
    fn mend(&mut self, key: &str) -> bool;
}

/// Has the channel check its settings until it has nothing more to say, and puts what it says at the right keys. A key that
/// already has an error gets no second one. `None` when anything in the section is wrong.
pub(super) fn settle<S: Settings>(
    c: &mut Checker<'_, '_>,
    mut settings: S,
    places: &Places,
    advice: &str,
) -> Option<S::Adapter> {
    for _ in 0..COMPLAINTS_MAX {
        let complaint = match settings.clone().try_out() {
            Ok(adapter) => return (!c.found.report.has_error_under(&places.section().key)).then_some(adapter),
            Err(complaint) => complaint,
        };
        let key = S::key_of(&complaint);
        let at = if key.contains('.') { At::key(key) } else { places.of(key) };
        if !c.found.report.has_error_at(&at.key) {
            c.found.error(&at, complaint.to_string(), advice);
        }
        if !settings.mend(key) {
            return None;
        }
    }
    None
}
