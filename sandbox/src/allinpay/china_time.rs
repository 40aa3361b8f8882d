//! Times as Allinpay writes them, always Beijing time.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// `yyyyMMddHHmmss`, VSP.
pub(crate) const COMPACT: &str = "%Y%m%d%H%M%S";
/// `yyyy-MM-dd HH:mm:ss`, 云商通.
pub(crate) const DASHED: &str = "%Y-%m-%d %H:%M:%S";
/// A minute in milliseconds.
pub(crate) const MINUTE_MS: i64 = 60_000;

fn china() -> Offset {
    Offset::constant(8)
}

/// The time in this form.
pub(crate) fn write(format: &str, ms: i64) -> String {
    let time = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
    china().to_datetime(time).strftime(format).to_string()
}

/// The day as `yyyyMMdd`.
pub(crate) fn day(ms: i64) -> String {
    write("%Y%m%d", ms)
}

/// Milliseconds of a text in exactly this form; `None` for anything else.
pub(crate) fn read(format: &str, text: &str) -> Option<i64> {
    let parsed = DateTime::strptime(format, text).ok()?;
    // Reading is lenient about blanks and missing zeros; writing again is not.
    if parsed.strftime(format).to_string() != text {
        return None;
    }
    Some(china().to_timestamp(parsed).ok()?.as_millisecond())
}

/// Whether this is a day, `yyyyMMdd`.
pub(crate) fn is_day(text: &str) -> bool {
    read(COMPACT, &format!("{text}000000")).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON_IN_BEIJING: i64 = 1_748_750_400_000;

    #[test]
    fn times_are_china_time_in_exactly_their_form() {
        assert_eq!(write(COMPACT, NOON_IN_BEIJING), "20250601120000");
        assert_eq!(read(COMPACT, "20250601120000"), Some(NOON_IN_BEIJING));
        assert_eq!(read(DASHED, "2025-06-01 12:00:00"), Some(NOON_IN_BEIJING));
        assert_eq!(day(NOON_IN_BEIJING - 12 * 3_600_000 - 1), "20250531");
        for text in ["2025060112000", "20250230120000", "2025-06-01 12:00:00", ""] {
            assert_eq!(read(COMPACT, text), None, "{text:?} was taken");
        }
        assert!(is_day("20250601") && !is_day("20250631") && !is_day("2025601"));
    }
}
