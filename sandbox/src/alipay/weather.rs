//! Bad weather: what can go wrong between a terminal and its channel, made to order.

use super::method::Method;

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
    /// A bare HTTP error, such as 500.
    HttpStatus {
        /// The status code.
        status: u16,
        /// Whether the call is carried out first.
        executed: bool,
    },
    /// The call is carried out; the answer's signature does not hold.
    BadSignature,
    /// Failures come without a signature.
    UnsignedFailures,
    /// Code 20000 in GBK bytes (reference/alipay.md 2.2).
    Unavailable {
        /// Whether the call is carried out first.
        executed: bool,
    },
    /// A business failure with this `sub_code`, such as `ACQ.SYSTEM_ERROR` or `AQC.SYSTEM_ERROR`.
    SubCode {
        /// The code.
        sub_code: String,
        /// Whether the call is carried out first.
        executed: bool,
    },
    /// A cancel does nothing and asks to be called again: `retry_flag=Y`.
    CancelLater,
    /// A pay code does not pay at once: 10003, the buyer confirms on the phone.
    BuyerConfirms,
    /// Answers are signed by the next certificate. Certificate mode only.
    RotatedCertificate,
    /// What the buyer confirms reaches the gateway later. It is no fault of a call: a count counts confirmations.
    PaysLate {
        /// How much later, in milliseconds.
        ms: u64,
        /// Whether it lands even when the trade was closed in between.
        despite_close: bool,
    },
}

/// A fault with its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// What goes wrong.
    pub fault: Fault,
    /// Only calls of this method, or all.
    pub method: Option<Method>,
    /// For so many more calls, or until it is cleared.
    pub calls_left: Option<u32>,
}

impl From<Fault> for Condition {
    fn from(fault: Fault) -> Self {
        Self { fault, method: None, calls_left: None }
    }
}

impl Condition {
    /// Only for this method.
    #[must_use]
    pub fn on(mut self, method: Method) -> Self {
        self.method = Some(method);
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
    /// Only for this method.
    #[must_use]
    pub fn on(self, method: Method) -> Condition {
        Condition::from(self).on(method)
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
    /// Nobody listens: connections are refused and open ones end.
    pub network_down: bool,
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
        Self { network_down: true, conditions: Vec::new() }
    }

    /// This weather and one thing more that is wrong.
    #[must_use]
    pub fn with(mut self, condition: impl Into<Condition>) -> Self {
        self.conditions.push(condition.into());
        self
    }

    /// What happens to a call of `method`; uses up one of its counted calls.
    pub(crate) fn strike(&mut self, method: Option<Method>) -> Vec<Fault> {
        self.take(|condition| {
            !matches!(condition.fault, Fault::PaysLate { .. })
                && (condition.method.is_none() || condition.method == method)
        })
    }

    /// How late a payment lands that is confirmed now.
    pub(crate) fn lateness(&mut self) -> Option<(u64, bool)> {
        let late = self.take(|condition| matches!(condition.fault, Fault::PaysLate { .. }));
        late.into_iter().find_map(|fault| match fault {
            Fault::PaysLate { ms, despite_close } => Some((ms, despite_close)),
            Fault::DropRequest
            | Fault::DropReply
            | Fault::SlowRequest(_)
            | Fault::SlowReply(_)
            | Fault::HttpStatus { .. }
            | Fault::BadSignature
            | Fault::UnsignedFailures
            | Fault::Unavailable { .. }
            | Fault::SubCode { .. }
            | Fault::CancelLater
            | Fault::BuyerConfirms
            | Fault::RotatedCertificate => None,
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
    fn a_counted_fault_strikes_only_its_calls() {
        let mut weather = Weather::fair().with(Fault::DropReply.on(Method::Pay).times(2)).with(Fault::BadSignature);
        let both = vec![Fault::DropReply, Fault::BadSignature];
        assert_eq!(weather.strike(Some(Method::Query)), [Fault::BadSignature]);
        assert_eq!(weather.strike(Some(Method::Pay)), both);
        assert_eq!(weather.strike(Some(Method::Pay)), both);
        assert_eq!(weather.strike(Some(Method::Pay)), [Fault::BadSignature]);
        assert_eq!(weather, Weather::fair().with(Fault::BadSignature));
    }

    #[test]
    fn late_payments_count_confirmations_not_calls() {
        let late = Fault::PaysLate { ms: 5, despite_close: true };
        let mut weather = Weather::fair().with(late.times(1));
        assert!(weather.strike(Some(Method::Query)).is_empty());
        assert_eq!(weather.lateness(), Some((5, true)));
        assert_eq!(weather.lateness(), None);
    }
}
