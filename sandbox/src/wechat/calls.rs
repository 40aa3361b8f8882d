//! What was asked of the gateway and how it ended.

use std::collections::VecDeque;

use super::operation::Operation;
use super::weather::Host;

/// The most calls that are remembered.
pub(crate) const MOST_CALLS: usize = 10_000;

/// One request that reached a call of the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRecord {
    /// When it was answered, on the gateway's clock: milliseconds since 1970.
    pub at_ms: i64,
    /// What was called; `None` when the path or the HTTP method is wrong.
    pub operation: Option<Operation>,
    /// Which host was asked.
    pub host: Host,
    /// The number it was about, if it named one.
    pub out_trade_no: Option<String>,
    /// Whether the business layer carried it out. A refusal by the business layer is not carried out.
    pub executed: bool,
    /// What the terminal got.
    pub outcome: CallOutcome,
}

/// What the terminal got for a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallOutcome {
    /// An answer with this HTTP status, and with this code when it is a refusal.
    Answered {
        /// 200, 204, 400 …
        status: u16,
        /// `code`, `err_code` or `errcode`.
        code: Option<String>,
    },
    /// A bare HTTP error.
    HttpStatus(u16),
    /// The connection ended without an answer.
    Cut,
}

/// A probe signature that was sent: a terminal that takes the answer for true does not ask again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// The call that got it.
    pub operation: Operation,
    /// The number it was about.
    pub out_trade_no: Option<String>,
    /// Whether the terminal came back, with this call or with a query of the same number.
    pub asked_again: bool,
}

impl Probe {
    /// Notes a later call.
    pub(crate) fn see(&mut self, operation: Operation, number: Option<&str>) {
        let about_it = match &self.out_trade_no {
            Some(probed) => number == Some(probed.as_str()),
            None => operation == self.operation,
        };
        self.asked_again = self.asked_again || about_it;
    }
}

/// Remembers a call and forgets the oldest beyond [`MOST_CALLS`].
pub(crate) fn remember(calls: &mut VecDeque<CallRecord>, call: CallRecord) {
    if calls.len() == MOST_CALLS {
        calls.pop_front();
    }
    calls.push_back(call);
}
