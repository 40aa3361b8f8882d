//! Bad weather between a terminal and its hub, made to order.

/// What a terminal asks of the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// To let its key in.
    Join,
    /// To take entries.
    Entries,
    /// For commands.
    Poll,
}

impl Call {
    /// The terminal and the call that a path names.
    pub(crate) fn at(path: &str) -> Option<(&str, Self)> {
        let (terminal, call) = path.strip_prefix("/v1/terminals/")?.split_once('/')?;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let dots = terminal.bytes().all(|byte| byte == b'.');
        let named = !dots && terminal.len() <= 32 && terminal.bytes().all(allowed);
        let call = match call {
            "join" => Some(Self::Join),
            "entries" => Some(Self::Entries),
            "poll" => Some(Self::Poll),
            _ => None,
        };
        call.filter(|_| named).map(|call| (terminal, call))
    }
}

/// What goes wrong with a call. That nobody listens is made by stopping the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The request is lost: the connection ends, nothing is carried out.
    RequestLost,
    /// The answer is lost: the call is carried out and kept, then the connection ends.
    AnswerLost,
    /// The call is carried out so many milliseconds late, whether or not the terminal still listens.
    Slow(u64),
    /// The call is carried out twice, one right after the other; the second answer goes back.
    Twice,
    /// A bare HTTP status, such as 503 or 429.
    Status {
        /// The status.
        status: u16,
        /// `Retry-After`, in seconds.
        retry_after_s: Option<u64>,
        /// Whether the call is carried out first.
        executed: bool,
    },
}

impl Fault {
    /// 503 without carrying anything out.
    #[must_use]
    pub const fn unavailable() -> Self {
        Self::Status { status: 503, retry_after_s: None, executed: false }
    }

    /// 429, come back in so many seconds.
    #[must_use]
    pub const fn busy(retry_after_s: u64) -> Self {
        Self::Status { status: 429, retry_after_s: Some(retry_after_s), executed: false }
    }

    /// Only for this call.
    #[must_use]
    pub fn on(self, call: Call) -> Condition {
        Condition { call: Some(call), ..self.into() }
    }

    /// Only so many times.
    #[must_use]
    pub fn times(self, times: u32) -> Condition {
        Condition::from(self).times(times)
    }
}

/// A fault with its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// What goes wrong.
    pub fault: Fault,
    /// Only with this call, or with all.
    pub call: Option<Call>,
    /// For so many more calls, or until the weather changes.
    pub times_left: Option<u32>,
}

impl From<Fault> for Condition {
    fn from(fault: Fault) -> Self {
        Self { fault, call: None, times_left: None }
    }
}

impl Condition {
    /// Only so many times.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times_left: Some(times), ..self }
    }
}

/// Everything that is wrong just now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Weather {
    conditions: Vec<Condition>,
}

impl Weather {
    /// Nothing is wrong.
    #[must_use]
    pub fn fair() -> Self {
        Self::default()
    }

    /// This weather and one thing more that is wrong.
    #[must_use]
    pub fn with(mut self, condition: impl Into<Condition>) -> Self {
        self.conditions.push(condition.into());
        self
    }

    /// All that goes wrong with this call; uses up one of its times.
    pub(crate) fn strike(&mut self, call: Call) -> Vec<Fault> {
        let mut faults = Vec::new();
        for condition in self.conditions.iter_mut().filter(|each| each.call.is_none_or(|only| only == call)) {
            if condition.times_left != Some(0) {
                faults.push(condition.fault.clone());
            }
            condition.times_left = condition.times_left.map(|left| left.saturating_sub(1));
        }
        self.conditions.retain(|each| each.times_left != Some(0));
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counted_fault_strikes_only_its_calls() {
        let mut weather = Weather::fair().with(Fault::AnswerLost.on(Call::Entries).times(2)).with(Fault::Twice);
        let both = [Fault::AnswerLost, Fault::Twice];
        assert_eq!(weather.strike(Call::Poll), [Fault::Twice]);
        assert_eq!(weather.strike(Call::Entries), both);
        assert_eq!(weather.strike(Call::Entries), both);
        assert_eq!(weather.strike(Call::Entries), [Fault::Twice]);
        assert_eq!(weather, Weather::fair().with(Fault::Twice));
    }

    #[test]
    fn a_path_names_a_terminal_and_a_call() {
        assert_eq!(Call::at("/v1/terminals/VM-0001/poll"), Some(("VM-0001", Call::Poll)));
        for wrong in [
            "/",
            "/v1/terminals//poll",
            "/v1/terminals/../poll",
            "/v1/terminals/a b/poll",
            "/v1/terminals/a/poll?x",
            "/v2/terminals/a/poll",
        ] {
            assert_eq!(Call::at(wrong), None, "{wrong}");
        }
    }
}
