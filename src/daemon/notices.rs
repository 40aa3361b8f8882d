//! Notices of WeChat Pay. A machine behind a shop's router has no address for them: the operator's backend or reverse proxy
//! forwards them to the local API, as they came.
//!
//! A notice is believed when its signature holds, and is never believed as money: of payments and refunds the terminal
//! asks by itself. What it warns of becomes an alarm.

use std::sync::Arc;

use payment::channel::ChannelId;
use payment::channel::wechat::NoticeError;
use payment::channel::wechat::notice::{Content, Notice};
use payment::redact::without_codes;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::{Notify, watch};

use super::alarms::{Alarm, Alarms};
use super::clock::Clock;
use super::complaints::Complaints;
use crate::http::{Adapter, Channels};

/// The longest text of an alarm, in characters.
const TEXT_MAX: usize = 400;
/// The longest number that is kept of a notice; WeChat Pay's have 36 characters.
const NUMBER_MAX: usize = 64;
/// The number of the alarm that complaints are open: no notice of the channel has it.
pub const COMPLAINTS: &str = "complaints";

/// What the merchant did about a complaint; it is no news to the merchant.
const OWN_DOING: [&str; 6] = [
    "MERCHANT_RESPONSE",
    "MERCHANT_CONFIRM_COMPLETE",
    "MERCHANT_APPROVE_REFUND",
    "MERCHANT_REJECT_REFUND",
    "SELLER_REFUND",
    "REFUND_SUCCESS",
];

/// Takes notices in.
#[derive(Debug, Clone)]
pub struct Notices {
    /// Whose protocol verifies them. `GET /v1/reach` asks over them too.
    pub channels: Channels,
    /// Old notices are no notices.
    pub clock: Clock,
    /// Where warnings go.
    pub alarms: Alarms,
    /// Has the list of complaints fetched soon.
    pub look: Arc<Notify>,
}

/// What became of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Became {
    /// An alarm.
    Alarm,
    /// Nothing new: it came before.
    Known,
    /// Nothing: the terminal does not act on it.
    Nothing,
}

/// A notice that was believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// Its number.
    pub notice: String,
    /// What it is about, in the channel's words.
    pub event: String,
    /// What became of it.
    pub became: Became,
}

/// Why a notice was not taken. Nothing of it was believed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotTaken {
    /// The channel is not set up.
    #[error(
        "WeChat Pay is not set up at this terminal: add [channels.wechat] to till.toml, or forward notices elsewhere"
    )]
    NoChannel,
    /// Nobody can tell how old it is.
    #[error(
        "this terminal does not believe its clock and cannot tell a fresh notice from an old one; the notice comes again"
    )]
    Clock,
    /// Its key is not here yet.
    #[error(
        "the notice is signed with certificate {0}, which is not here: it is fetched when WeChat Pay's next answer names it, \
         and the notice comes again; a new merchant sets public_key_id and public_key_file"
    )]
    Key(String),
    /// Not WeChat Pay's word.
    #[error("{0}; forward the body and the Wechatpay- headers exactly as they came, within 5 minutes")]
    NotBelieved(NoticeError),
}

impl From<NoticeError> for NotTaken {
    fn from(error: NoticeError) -> Self {
        match error {
            NoticeError::UnknownKey { serial } => Self::Key(without_codes(&serial).into_owned()),
            NoticeError::Unverified(_)
            | NoticeError::Malformed(_)
            | NoticeError::Sealed(_)
            | NoticeError::NotOurs(_) => Self::NotBelieved(error),
        }
    }
}

impl Notices {
    /// Verifies a notice and does what follows from it. Header names in lower case, the body exactly as it came.
    ///
    /// # Errors
    ///
    /// [`NotTaken`]; nothing was changed then.
    pub fn take(&self, headers: &[(String, String)], body: &[u8]) -> Result<Taken, NotTaken> {
        let Some(Adapter::Wechat(wechat)) = self.channels.adapter(ChannelId::Wechat) else {
            return Err(NotTaken::NoChannel);
        };
        let wall = self.clock.now().wall;
        if !wall.trusted {
            return Err(NotTaken::Clock);
        }
        let notice = wechat.notice(wall, headers, body)?;
        if matches!(notice.content, Content::Complaint { .. }) {
            self.look.notify_one();
        }
        let became = match words(&notice) {
            None => Became::Nothing,
            Some(text) if self.alarms.raise(alarm(&notice, &text)) => Became::Alarm,
            Some(_) => Became::Known,
        };
        Ok(Taken { notice: number(&notice), event: notice.event, became })
    }
}

fn alarm(notice: &Notice, text: &str) -> Alarm {
    let text: String = without_codes(text).chars().filter(|c| !c.is_control()).take(TEXT_MAX).collect();
    let (event, at) = (notice.event.clone(), notice.at.clone());
    Alarm { id: number(notice), channel: ChannelId::Wechat, event, at, text }
}

/// Its number as a word that fits an address and a command.
fn number(notice: &Notice) -> String {
    let fits = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    notice.id.chars().filter(fits).take(NUMBER_MAX).collect()
}

/// What a notice warns of; `None` when it warns of nothing.
fn words(notice: &Notice) -> Option<String> {
    match &notice.content {
        Content::Payment { .. } | Content::Refund { .. } => None,
        Content::Complaint { action, .. } if OWN_DOING.contains(&action.as_str()) => None,
        Content::Complaint { id, action } => Some(format!(
            "complaint {id}: {action}. `till complaints` shows it; WeChat Pay wants an answer within a day"
        )),
        Content::Violation { risk, punishment } => {
            Some(format!("WeChat Pay says that a rule was broken: {risk}. What follows: {punishment}"))
        }
        Content::Risk { out_trade_no, kind, level } => Some(format!(
            "WeChat Pay says that payment {out_trade_no} is at risk (type {kind}, level {level}): see the merchant portal \
             before goods of value are handed over"
        )),
        Content::Other { .. } if is_no_warning(&notice.event) => None,
        Content::Other { plain, .. } => Some(format!("{}: {plain}", notice.summary)),
    }
}

/// Shares that were paid out, and the test of the merchant's keys.
fn is_no_warning(event: &str) -> bool {
    event.starts_with("PROFITSHARING.") || event.starts_with("SECURITY_ECHO.")
}

/// What is known of the channels besides the sales, for whoever asks.
#[derive(Debug, Clone)]
pub struct ChannelNews {
    /// Buyers' complaints.
    pub complaints: watch::Receiver<Complaints>,
    /// Warnings.
    pub alarms: Alarms,
    /// Where notices are taken in; `None` without channels.
    pub notices: Option<Notices>,
}

/// Of a terminal without channels.
impl Default for ChannelNews {
    fn default() -> Self {
        Self { complaints: watch::Sender::default().subscribe(), alarms: Alarms::default(), notices: None }
    }
}

impl ChannelNews {
    /// Everything that a person should see to: open complaints first, then what notices warned of. With it how many alarms
    /// went unseen because there were too many.
    #[must_use]
    pub fn alarms(&self) -> (Vec<Alarm>, u64) {
        let (mut alarms, dropped) = self.alarms.standing();
        if let Some(complaints) = of_complaints(&self.complaints.borrow()) {
            alarms.insert(0, complaints);
        }
        (alarms, dropped)
    }

    /// Takes a notice in.
    ///
    /// # Errors
    ///
    /// [`NotTaken`].
    pub fn take(&self, headers: &[(String, String)], body: &[u8]) -> Result<Taken, NotTaken> {
        self.notices.as_ref().ok_or(NotTaken::NoChannel)?.take(headers, body)
    }
}

/// It ends by itself, when the complaints are dealt with.
fn of_complaints(complaints: &Complaints) -> Option<Alarm> {
    let oldest = complaints.open.iter().min_by_key(|complaint| complaint.at.as_str())?;
    let text = match complaints.open.len() {
        1 => "a buyer's complaint is open; `till complaints` shows it".to_owned(),
        open => format!("{open} complaints of buyers are open; `till complaints` lists them"),
    };
    let event = "COMPLAINT.OPEN".to_owned();
    Some(Alarm { id: COMPLAINTS.to_owned(), channel: oldest.channel, event, at: oldest.at.clone(), text })
}
