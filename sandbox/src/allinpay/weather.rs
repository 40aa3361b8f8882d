//! Bad weather: what can go wrong between a terminal and its channel, made to order.

/// A kind of call. Each gateway knows most of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Make a code for one wallet: VSP `/unitorder/pay`.
    Pay,
    /// Make one code for all wallets: VSP `/unitorder/nativepay`.
    NativePay,
    /// Collect with the buyer's pay code: VSP `/unitorder/scanqrpay`.
    ScanQrPay,
    /// Collect, by code or pay code: 云商通 2085.
    Consume,
    /// Collect into the guarantee account: 云商通 2089.
    Guarantee,
    /// Release guaranteed money: 云商通 2090.
    Confirm,
    /// Ask how an order or a refund stands: VSP `/tranx/query`, 云商通 3001.
    Query,
    /// Ask with details: 云商通 3002.
    Detail,
    /// Undo on the same day: VSP `/tranx/cancel`.
    Cancel,
    /// Return money: VSP `/tranx/refund`, 云商通 2294.
    Refund,
    /// Close an unpaid order: VSP `close`, 云商通 2295.
    Close,
    /// Close an unpaid aggregated code: VSP `/unitorder/closenative`.
    CloseNative,
    /// File a terminal: VSP `addterm`, 云商通 4001.
    Terminal,
    /// Fetch a statement: VSP `trxfile/get`, 云商通 4002.
    Statement,
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
    /// A bare HTTP error, such as 502.
    HttpStatus {
        /// The status code.
        status: u16,
        /// Whether the call is carried out first.
        executed: bool,
    },
    /// The call is carried out; the answer's signature does not hold.
    BadSignature,
    /// The call is carried out; the answer carries no signature.
    Unsigned,
    /// The channel does not know: VSP retcode `SYSTEMERR` (version 11: `FAIL`), 云商通 an outer code that is not 00000.
    SystemError {
        /// Whether the call is carried out first.
        executed: bool,
    },
    /// The answer says this `trxstatus` or `respCode`.
    Code {
        /// The code.
        code: String,
        /// Whether the call is carried out first.
        executed: bool,
    },
    /// A pay code does not pay at once: the buyer confirms on the phone.
    BuyerConfirms,
    /// A pay code, a cancel or a refund is in progress first and decides by itself later.
    Undecided {
        /// How much later, in milliseconds.
        ms: u64,
        /// Whether it fails then.
        fails: bool,
    },
    /// A query within so many milliseconds of the order's creation finds nothing: VSP 1001.
    Unseen(i64),
    /// What the buyer confirms reaches the channel later. It is no fault of a call: a count counts confirmations.
    PaysLate {
        /// How much later, in milliseconds.
        ms: u64,
        /// Whether it lands even when the order was closed or ended in between.
        despite_close: bool,
    },
}

/// A fault with its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// What goes wrong.
    pub fault: Fault,
    /// Only calls of this kind, or all.
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
    /// Only for this kind of call.
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
    /// Only for this kind of call.
    #[must_use]
    pub fn on(self, method: Method) -> Condition {
        Condition::from(self).on(method)
    }

    /// Only for so many calls.
    #[must_use]
    pub fn times(self, calls: u32) -> Condition {
        Condition::from(self).times(calls)
    }

    fn lateness(&self) -> Option<(u64, bool)> {
        match self {
            Self::PaysLate { ms, despite_close } => Some((*ms, *despite_close)),
            Self::DropRequest
            | Self::DropReply
            | Self::SlowRequest(_)
            | Self::SlowReply(_)
            | Self::HttpStatus { .. }
            | Self::BadSignature
            | Self::Unsigned
            | Self::SystemError { .. }
            | Self::Code { .. }
            | Self::BuyerConfirms
            | Self::Undecided { .. }
            | Self::Unseen(_) => None,
        }
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

    /// What happens to a call of this kind; uses up one of its counted calls.
    pub(crate) fn strike(&mut self, method: Option<Method>) -> Vec<Fault> {
        self.take(|each| each.fault.lateness().is_none() && (each.method.is_none() || each.method == method))
    }

    /// How late a payment lands that is confirmed now.
    pub(crate) fn lateness(&mut self) -> Option<(u64, bool)> {
        let late = self.take(|each| each.fault.lateness().is_some());
        late.iter().find_map(Fault::lateness)
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
        let mut weather = Weather::fair().with(Fault::DropReply.on(Method::Refund).times(1)).with(Fault::BadSignature);
        assert_eq!(weather.strike(Some(Method::Query)), [Fault::BadSignature]);
        assert_eq!(weather.strike(Some(Method::Refund)), [Fault::DropReply, Fault::BadSignature]);
        assert_eq!(weather.strike(Some(Method::Refund)), [Fault::BadSignature]);
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
