//! What was asked of a gateway and how it ended.

use std::collections::VecDeque;

/// The most calls that are remembered.
const MOST_CALLS: usize = 10_000;

/// One request that reached the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRecord {
    /// When it was answered, on the gateway's clock: milliseconds since 1970.
    pub at_ms: i64,
    /// VSP: the path; 云商通: `transCode`.
    pub method: String,
    /// The number it was about, `reqsn` or `reqTraceNum`, if it named one.
    pub out_trade_no: Option<String>,
    /// Whether it was carried out. A refused call is not carried out.
    pub executed: bool,
    /// What the terminal got.
    pub outcome: CallOutcome,
}

/// What the terminal got for a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallOutcome {
    /// An answer.
    Answered {
        /// VSP: `retcode`; 云商通: `code`.
        code: String,
        /// VSP: `trxstatus`; 云商通: `respCode`.
        sub_code: Option<String>,
    },
    /// A bare HTTP error.
    HttpStatus(u16),
    /// The connection ended without an answer.
    Cut,
}

/// Remembers a call and forgets the oldest beyond [`MOST_CALLS`].
pub(crate) fn remember(calls: &mut VecDeque<CallRecord>, call: CallRecord) {
    if calls.len() == MOST_CALLS {
        calls.pop_front();
    }
    calls.push_back(call);
}
