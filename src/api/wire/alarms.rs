//! Complaints and alarms on the wire.

use payment::channel::ChannelId;
use serde::{Deserialize, Serialize};

use super::{FaultRow, rfc3339};
use crate::daemon::alarms::Alarm;
use crate::daemon::complaints::{self, OpenComplaint};

/// What `GET /v1/complaints` lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Complaints {
    /// The channels that are asked; empty where none that lists complaints is set up.
    #[serde(default)]
    pub channels: Vec<ChannelId>,
    /// When the list was last fetched, RFC 3339; absent: never since the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetched_at: Option<String>,
    /// Why it could not be fetched since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// The complaints that wait for the merchant, as last fetched. The whole merchant's, not this terminal's alone.
    pub complaints: Vec<Complaint>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Complaint {
    /// What the channel says.
    #[serde(flatten)]
    pub complaint: OpenComplaint,
    /// Whether it is about an order of this terminal.
    #[serde(default)]
    pub own: bool,
}

impl Complaints {
    /// What is known, with these in the place of those that are open.
    #[must_use]
    pub fn new(known: &complaints::Complaints, complaints: Vec<Complaint>) -> Self {
        Self {
            channels: known.asked.clone(),
            fetched_at: known.fetched_ms.map(rfc3339),
            trouble: known.trouble.clone(),
            complaints,
        }
    }
}

/// What `GET /v1/alarms` lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmList {
    /// Those that stand.
    pub alarms: Vec<Alarm>,
    /// How many went unseen because there were too many at once.
    pub dropped: u64,
}

impl From<Alarm> for FaultRow {
    fn from(alarm: Alarm) -> Self {
        Self { name: alarm.id, text: alarm.text }
    }
}
