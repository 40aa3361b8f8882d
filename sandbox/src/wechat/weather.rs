//! Bad weather: what can go wrong between a terminal and its channel, made to order (reference/wechatpay.md 5.7, 17).

use super::operation::Operation;
use super::order::RefundState;

/// Which of the two hosts was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Host {
    /// `api.mch.weixin.qq.com`
    Primary,
    /// `api2.mch.weixin.qq.com`
    Backup,
}

/// What goes wrong with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The request is lost: the connection ends, nothing is carried out.
    DropRequest,
    /// The reply is lost: the call is carried out, then the connection ends.
    DropReply,
    /// The request waits this many milliseconds before it is carried out, whether or not the terminal still listens.
    SlowRequest(u64),
    /// The call is carried out at once, the reply waits this many milliseconds.
    SlowReply(u64),
    /// A bare HTTP error, such as 502, with a page of HTML.
    HttpStatus {
        /// The status code.
        status: u16,
        /// Whether the call is carried out first.
        executed: bool,
    },
    /// A failure that names a code: `FREQUENCY_LIMITED` with 429, `SYSTEM_ERROR` with 500. In APIv2 it is the
    /// `err_code`, at `api.weixin.qq.com` the `errcode`; both come with HTTP 200.
    Code {
        /// The status code of APIv3. 2xx is signed.
        status: u16,
        /// The code.
        code: String,
        /// Whether the call is carried out first.
        executed: bool,
    },
    /// APIv2: `return_code` `FAIL` with a text of the system kind, and no signature.
    ReturnFail {
        /// Whether the call is carried out first.
        executed: bool,
    },
    /// The call is carried out; the answer's signature does not hold.
    BadSignature,
    /// The call is carried out; the signature is a probe (`WECHATPAY/SIGNTEST/`). Whether the terminal asked again is in
    /// [`Control::probes`](super::Control::probes).
    Probe,
    /// The call is carried out; a proxy dropped the headers of the signature.
    NoSignature,
    /// The answer is signed by a key of which nobody heard.
    UnknownSerial,
    /// The gateway's clock is so many milliseconds ahead, or behind.
    SkewedClock(i64),
    /// Answers hold members that no document knows.
    ExtraFields,
    /// A pay code does not pay at once: the buyer types the password.
    BuyerConfirms,
    /// A pay code does not pay at once; the buyer has paid at the so-manieth query.
    PaysAtQuery(u32),
    /// A pay code does not pay at once; the buyer has failed to at the so-manieth query.
    FailsAtQuery(u32),
    /// Queries do not know a new order for so many milliseconds.
    HiddenFor(i64),
    /// A reverse does nothing and asks to be called again: `SYSTEMERROR` and `recall=Y`; 500 in APIv3.
    RecallReverse,
    /// A reverse does nothing because the buyer is paying: `USERPAYING`.
    ReverseWhilePaying,
    /// A close does nothing because the buyer is paying: 202 `USERPAYING`.
    CloseWhilePaying,
    /// What the buyer confirms reaches the gateway later. It is no fault of a call: a count counts confirmations.
    PaysLate {
        /// How much later, in milliseconds.
        ms: u64,
        /// Whether it lands even when the order was closed or reversed in between.
        despite_close: bool,
    },
    /// A refund ends so, when its time comes.
    RefundEnds(RefundState),
    /// The merchant's balance does not cover a refund.
    NotEnough,
    /// A bill is announced with the SHA-1 of something else.
    WrongHash,
}

/// A fault with its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// What goes wrong.
    pub fault: Fault,
    /// Only this call, or all.
    pub operation: Option<Operation>,
    /// Only at this host, or at both.
    pub host: Option<Host>,
    /// For so many more calls, or until it is cleared.
    pub calls_left: Option<u32>,
}

impl From<Fault> for Condition {
    fn from(fault: Fault) -> Self {
        Self { fault, operation: None, host: None, calls_left: None }
    }
}

impl Condition {
    /// Only this call.
    #[must_use]
    pub fn on(mut self, operation: Operation) -> Self {
        self.operation = Some(operation);
        self
    }

    /// Only at this host.
    #[must_use]
    pub fn at(mut self, host: Host) -> Self {
        self.host = Some(host);
        self
    }

    /// Only for so many calls.
    #[must_use]
    pub fn times(mut self, calls: u32) -> Self {
        self.calls_left = Some(calls);
        self
    }
}

impl Fault {
    /// Only this call.
    #[must_use]
    pub fn on(self, operation: Operation) -> Condition {
        Condition::from(self).on(operation)
    }

    /// Only at this host.
    #[must_use]
    pub fn at(self, host: Host) -> Condition {
        Condition::from(self).at(host)
    }

    /// Only for so many calls.
    #[must_use]
    pub fn times(self, calls: u32) -> Condition {
        Condition::from(self).times(calls)
    }
}

/// The weather: everything that is wrong just now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Weather {
    /// Nobody listens at either host: connections are refused and open ones end.
    pub network_down: bool,
    /// Nobody listens at the primary host.
    pub primary_down: bool,
    /// All faults that hold, applied together.
    pub conditions: Vec<Condition>,
}

impl Weather {
    /// Nothing is wrong.
    #[must_use]
    pub fn fair() -> Self {
        Self::default()
    }

    /// Nobody listens.
    #[must_use]
    pub fn network_down() -> Self {
        Self { network_down: true, ..Self::default() }
    }

    /// Only the backup host listens.
    #[must_use]
    pub fn primary_down() -> Self {
        Self { primary_down: true, ..Self::default() }
    }

    /// This weather and one thing more that is wrong.
    #[must_use]
    pub fn with(mut self, condition: impl Into<Condition>) -> Self {
        self.conditions.push(condition.into());
        self
    }

    /// Whether nobody listens at `host`.
    pub(crate) fn is_down(&self, host: Host) -> bool {
        self.network_down || self.primary_down && host == Host::Primary
    }

    /// What happens to a call; uses up one of its counted calls.
    pub(crate) fn strike(&mut self, operation: Operation, host: Host) -> Vec<Fault> {
        self.take(|condition| {
            !matches!(condition.fault, Fault::PaysLate { .. })
                && condition.operation.is_none_or(|only| only == operation)
                && condition.host.is_none_or(|only| only == host)
        })
    }

    /// How late a payment lands that is confirmed now.
    pub(crate) fn lateness(&mut self) -> Option<(u64, bool)> {
        let late = self.take(|condition| matches!(condition.fault, Fault::PaysLate { .. }));
        late.into_iter().find_map(|fault| {
            if let Fault::PaysLate { ms, despite_close } = fault { Some((ms, despite_close)) } else { None }
        })
    }

    fn take(&mut self, applies: impl Fn(&Condition) -> bool) -> Vec<Fault> {
        let mut faults = Vec::new();
        for condition in self.conditions.iter_mut().filter(|each| applies(each)) {
            faults.push(condition.fault.clone());
            if let Some(left) = &mut condition.calls_left {
                *left = left.saturating_sub(1);
            }
        }
        self.conditions.retain(|each| each.calls_left != Some(0));
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counted_fault_strikes_only_its_calls_at_its_host() {
        let counted = Fault::DropReply.on(Operation::CodePay).at(Host::Primary).times(2);
        let mut weather = Weather::fair().with(counted).with(Fault::BadSignature);
        let both = vec![Fault::DropReply, Fault::BadSignature];
        assert_eq!(weather.strike(Operation::Query, Host::Primary), [Fault::BadSignature]);
        assert_eq!(weather.strike(Operation::CodePay, Host::Backup), [Fault::BadSignature]);
        assert_eq!(weather.strike(Operation::CodePay, Host::Primary), both);
        assert_eq!(weather.strike(Operation::CodePay, Host::Primary), both);
        assert_eq!(weather.strike(Operation::CodePay, Host::Primary), [Fault::BadSignature]);
        assert_eq!(weather, Weather::fair().with(Fault::BadSignature));
    }

    #[test]
    fn late_payments_count_confirmations_not_calls() {
        let late = Fault::PaysLate { ms: 5, despite_close: true };
        let mut weather = Weather::fair().with(late.times(1));
        assert!(weather.strike(Operation::Query, Host::Primary).is_empty());
        assert_eq!(weather.lateness(), Some((5, true)));
        assert_eq!(weather.lateness(), None);
    }
}
