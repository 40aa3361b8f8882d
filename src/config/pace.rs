//! `[pace]`: every range in one table, and what the paces must be to each other.

use std::ops::RangeInclusive;

use payment::engine::settings::Pace;

use super::check::Checker;
use super::checked::Mode;
use super::raw::{self, Written};
use super::source::At;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// The quickest pace in mode `sandbox`, where only our own gateway has to bear it.
const QUICKEST_SANDBOX_MS: u64 = 10;

/// How long a shown code outlives the longest wait for its payment, by default.
const CODE_SPARE_MS: u64 = MINUTE;

/// Reads one section's numbers of milliseconds.
struct Paces<'c, 'f, 's> {
    checker: &'c mut Checker<'f, 's>,
    at: At,
    mode: Mode,
}

impl Paces<'_, '_, '_> {
    fn ms(&mut self, written: Option<Written<u64>>, name: &str, default: u64, range: RangeInclusive<u64>) -> u64 {
        let least = match self.mode {
            Mode::Production => *range.start(),
            Mode::Sandbox => QUICKEST_SANDBOX_MS.min(*range.start()),
        };
        let at = self.at.unwritten(name);
        self.checker.number(written, at, default, least..=*range.end(), "ms")
    }
}

/// Checks `[pace]` and `[sell] pay_within_s`.
pub(super) fn check(
    checker: &mut Checker<'_, '_>,
    pay_within: (Option<Written<u64>>, At),
    raw: raw::Pace,
    mode: Mode,
) -> Pace {
    let pay_within = self::pay_within(checker, pay_within, mode);
    let pay_within_ms = pay_within.value * SECOND;
    let places = Places::of(&raw, pay_within.at);
    let pace = ranges(checker, pay_within_ms, raw, mode);
    code_outlives_the_wait(checker, &pace, &places);
    retries_grow(checker, &pace, &places);
    confirming_has_time_for_questions(checker, &pace, &places);
    pace
}

fn ranges(checker: &mut Checker<'_, '_>, pay_within_ms: u64, raw: raw::Pace, mode: Mode) -> Pace {
    let usual = Pace::default();
    let mut paces = Paces { checker, at: raw.at, mode };
    macro_rules! ms {
        ($key:ident in $range:expr) => {
            ms!($key or usual.$key, in $range)
        };
        ($key:ident or $default:expr, in $range:expr) => {
            paces.ms(raw.$key, stringify!($key), $default, $range)
        };
    }
    let confirm_grace_ms = ms!(confirm_grace_ms in 0..=5 * MINUTE);
    let longest_wait_ms = pay_within_ms + confirm_grace_ms;
    let code_valid_ms = usual.code_valid_ms.max(whole_minutes(longest_wait_ms + CODE_SPARE_MS));
    Pace {
        pay_within_ms,
        code_valid_ms: ms!(code_valid_ms or code_valid_ms, in MINUTE..=2 * HOUR),
        late_margin_ms: ms!(late_margin_ms in 30 * SECOND..=HOUR),
        code_poll_ms: ms!(code_poll_ms in 2 * SECOND..=10 * SECOND),
        confirm_poll_ms: ms!(confirm_poll_ms in 3 * SECOND..=6 * SECOND),
        confirm_total_ms: ms!(confirm_total_ms in 30 * SECOND..=3 * MINUTE),
        confirm_grace_ms,
        watch_ms: ms!(watch_ms in 5 * SECOND..=5 * MINUTE),
        in_flight_ms: ms!(in_flight_ms in MINUTE..=10 * MINUTE),
        retry_ms: ms!(retry_ms in SECOND..=MINUTE),
        retry_max_ms: ms!(retry_max_ms in 10 * SECOND..=HOUR),
        cancel_after_ms: usual.cancel_after_ms,
        refund_query_ms: ms!(refund_query_ms in 10 * SECOND..=10 * MINUTE),
        refund_gap_ms: ms!(refund_gap_ms in 3 * SECOND..=MINUTE),
        release_ms: ms!(release_ms in SECOND..=MINUTE),
        choose_ms: ms!(choose_ms in 5 * SECOND..=5 * MINUTE),
        thanks_ms: ms!(thanks_ms in SECOND..=MINUTE),
        sorry_ms: ms!(sorry_ms in 3 * SECOND..=2 * MINUTE),
        resume_ms: ms!(resume_ms in 0..=10 * MINUTE),
        probe_ms: ms!(probe_ms in SECOND..=5 * MINUTE),
        call_limit_ms: ms!(call_limit_ms in 5 * SECOND..=2 * MINUTE),
    }
}

/// Where problems between two paces are shown.
struct Places {
    pay_within: At,
    code_valid: At,
    retry: At,
    confirm_poll: At,
}

impl Places {
    fn of(raw: &raw::Pace, pay_within: At) -> Self {
        let place = |written: &Option<Written<u64>>, name: &str| match written {
            Some(written) => written.at.clone(),
            None => raw.at.unwritten(name),
        };
        Self {
            pay_within,
            code_valid: place(&raw.code_valid_ms, "code_valid_ms"),
            retry: place(&raw.retry_ms, "retry_ms"),
            confirm_poll: place(&raw.confirm_poll_ms, "confirm_poll_ms"),
        }
    }
}

fn pay_within(checker: &mut Checker<'_, '_>, (written, key): (Option<Written<u64>>, At), mode: Mode) -> Written<u64> {
    let least_s = match mode {
        Mode::Production => 20,
        Mode::Sandbox => 1,
    };
    let usual_s = Pace::default().pay_within_ms / SECOND;
    let at = written.as_ref().map_or_else(|| key.clone(), |written| written.at.clone());
    let value = checker.number(written, key, usual_s, least_s..=600, "s");
    Written { value, at }
}

/// Channels count a code's life in minutes.
const fn whole_minutes(ms: u64) -> u64 {
    ms.div_ceil(MINUTE) * MINUTE
}

/// Otherwise the code dies at the channel while our screen still shows it.
fn code_outlives_the_wait(checker: &mut Checker<'_, '_>, pace: &Pace, at: &Places) {
    let longest_wait = pace.pay_within_ms.saturating_add(pace.confirm_grace_ms);
    if pace.code_valid_ms < longest_wait {
        let problem = format!(
            "the code lives {} ms at the channel, and the buyer has up to {longest_wait} ms to pay it ({})",
            pace.code_valid_ms, at.pay_within.key
        );
        let advice = format!("make it {} or longer, or leave it out", whole_minutes(longest_wait + CODE_SPARE_MS));
        checker.found.error(&at.code_valid, problem, advice);
    }
}

fn retries_grow(checker: &mut Checker<'_, '_>, pace: &Pace, at: &Places) {
    if pace.retry_ms > pace.retry_max_ms {
        let problem =
            format!("the first wait ({} ms) is longer than the longest ({} ms)", pace.retry_ms, pace.retry_max_ms);
        checker.found.error(&at.retry, problem, "make pace.retry_max_ms longer than pace.retry_ms");
    }
}

fn confirming_has_time_for_questions(checker: &mut Checker<'_, '_>, pace: &Pace, at: &Places) {
    if pace.confirm_poll_ms >= pace.confirm_total_ms {
        let problem = "the buyer's time to confirm is over before the channel is asked once";
        checker.found.error(&at.confirm_poll, problem, "make pace.confirm_total_ms several times longer");
    }
}
