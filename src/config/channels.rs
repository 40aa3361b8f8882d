//! `[channels]`: which of them are set up, and what their sections have in common.

use std::fmt::Display;

use payment::channel::ChannelId;
use payment::redact::Secret;

use super::check::Checker;
use super::checked::{Mode, TerminalConfig};
use super::gateway::{self, Gateway};
use super::keys::{self, Readers};
use super::raw::{Places, Written};
use super::source::At;
use super::{alipay, raw, wechat};
use crate::http::Channel;

/// More settings than any channel can complain about.
const COMPLAINTS_MAX: usize = 64;

/// Checks every section. The channels are those that are sound; the numbers, those that have a section at all, so that a
/// wrong key in one does not make a list call it missing.
pub(super) fn check(
    c: &mut Checker<'_, '_>,
    raw: raw::Channels,
    terminal: &TerminalConfig,
) -> (Vec<Channel>, Vec<ChannelId>) {
    let mut set_up = Vec::new();
    let mut sound = Vec::new();
    if let Some(raw) = raw.alipay {
        set_up.push(ChannelId::Alipay);
        sound.extend(alipay::check(c, raw, terminal));
    }
    if let Some(raw) = raw.wechat {
        set_up.push(ChannelId::Wechat);
        sound.extend(wechat::check(c, raw, terminal));
    }
    if set_up.is_empty() {
        let advice = "without a channel nobody can pay: add [channels.alipay] with the application's keys";
        c.found.missing(&At::key("channels.alipay"), advice);
    }
    (sound, set_up)
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
