//! The audit's interval, on the wire.

use serde::{Deserialize, Serialize};

/// The last reset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditReset {
    /// How often the audit was reset.
    pub resets: u64,
    /// When it was last, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset_at: Option<String>,
}
