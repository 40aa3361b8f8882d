//! Times as Alipay writes them: `yyyy-MM-dd HH:mm:ss`, always GMT+8 (reference/alipay.md 2.3).

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::{Offset, TimeZone};

const FORMAT: &str = "%Y-%m-%d %H:%M:%S";
/// A minute in milliseconds.
pub(crate) const MINUTE_MS: i64 = 60_000;
/// A day in milliseconds.
pub(crate) const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

fn china() -> Offset {
    Offset::constant(8)
}

fn civil(ms: i64) -> DateTime {
    china().to_datetime(Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH))
}

/// The 19 characters of a time.
pub(crate) fn write(ms: i64) -> String {
    civil(ms).strftime(FORMAT).to_string()
}

/// The day of a time as `yyyyMMdd`.
pub(crate) fn day(ms: i64) -> String {
    civil(ms).strftime("%Y%m%d").to_string()
}

/// A time as bills write it: `yyyy年MM月dd日 HH:mm:ss`.
pub(crate) fn chinese(ms: i64) -> String {
    civil(ms).strftime("%Y年%m月%d日 %H:%M:%S").to_string()
}

/// The next midnight in China.
pub(crate) fn midnight_after(ms: i64) -> i64 {
    let offset = 8 * 60 * MINUTE_MS;
    (ms + offset).div_euclid(DAY_MS) * DAY_MS + DAY_MS - offset
}

/// Milliseconds of exactly 19 characters; `None` for anything else.
pub(crate) fn read(text: &str) -> Option<i64> {
    if text.len() != 19 {
        return None;
    }
    let parsed = DateTime::strptime(FORMAT, text).ok()?;
    // Reading is lenient about blanks and missing zeros; writing again is not.
    if parsed.strftime(FORMAT).to_string() != text {
        return None;
    }
    Some(china().to_timestamp(parsed).ok()?.as_millisecond())
}

/// The `Date` header of HTTP.
pub(crate) fn http_date(ms: i64) -> String {
    let time = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
    strtime::format("%a, %d %b %Y %H:%M:%S GMT", &time.to_zoned(TimeZone::UTC)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON_IN_BEIJING: i64 = 1_748_750_400_000;

    #[test]
    fn times_are_china_time() {
        assert_eq!(write(NOON_IN_BEIJING), "2025-06-01 12:00:00");
        assert_eq!(read("2025-06-01 12:00:00"), Some(NOON_IN_BEIJING));
        assert_eq!(day(NOON_IN_BEIJING - 12 * 3_600_000 - 1), "20250531");
        assert_eq!(write(midnight_after(NOON_IN_BEIJING)), "2025-06-02 00:00:00");
        assert_eq!(http_date(NOON_IN_BEIJING), "Sun, 01 Jun 2025 04:00:00 GMT");
    }

    #[test]
    fn only_the_documented_form_is_read() {
        for text in [
            "2025-06-01T12:00:00",
            "2025-06-01 12:00",
            "2025-6-01 012:00:00",
            "2025-02-30 12:00:00",
            "1748750400000",
            "",
        ] {
            assert_eq!(read(text), None, "{text:?} was taken");
        }
    }
}
