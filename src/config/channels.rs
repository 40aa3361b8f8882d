//! `[channels]`: which of them are set up.

use payment::channel::ChannelId;

use super::check::Checker;
use super::checked::TerminalConfig;
use super::source::At;
use super::{alipay, raw};
use crate::http::Channel;

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
    if set_up.is_empty() {
        let advice = "without a channel nobody can pay: add [channels.alipay] with the application's keys";
        c.found.missing(&At::key("channels.alipay"), advice);
    }
    (sound, set_up)
}
