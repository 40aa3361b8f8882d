//! Times as WeChat Pay writes them: RFC 3339 with China's offset in v3, 14 digits in v2.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use crate::alipay::china_time::{DAY_MS, write};

/// `2026-05-29T04:36:40+08:00`.
pub(crate) fn rfc3339(ms: i64) -> String {
    format!("{}+08:00", write(ms).replacen(' ', "T", 1))
}

/// `20260529043640`.
pub(crate) fn fourteen(ms: i64) -> String {
    write(ms).chars().filter(char::is_ascii_digit).collect()
}

/// Reads RFC 3339 with a zone and without fractions.
pub(crate) fn read_rfc3339(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let shaped = matches!(bytes.len(), 20 | 25) && bytes.get(10) == Some(&b'T') && !text.contains('[');
    if !shaped {
        return None;
    }
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

/// Midnight in China at the beginning of `YYYY-MM-DD`.
pub(crate) fn read_day(text: &str) -> Option<i64> {
    let date: Date = text.parse().ok()?;
    if date.to_string() != text {
        return None;
    }
    Some(Offset::constant(8).to_timestamp(date.at(0, 0, 0, 0)).ok()?.as_millisecond())
}

/// Midnight in China at the beginning of the day of `ms`.
pub(crate) fn midnight_before(ms: i64) -> i64 {
    crate::alipay::china_time::midnight_after(ms) - DAY_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_china_time() {
        let noon = 1_748_750_400_000;
        assert_eq!(rfc3339(noon), "2025-06-01T12:00:00+08:00");
        assert_eq!(fourteen(noon), "20250601120000");
        assert_eq!(read_rfc3339("2025-06-01T04:00:00Z"), Some(noon));
        assert_eq!(read_rfc3339("2025-06-01T12:00:00+08:00"), Some(noon));
        assert_eq!(read_day("2025-06-01"), Some(midnight_before(noon)));
        for text in ["2025-06-01 12:00:00", "2025-06-01T12:00:00", "2025-06-01T12:00:00.5+08:00", ""] {
            assert_eq!(read_rfc3339(text), None, "{text}");
        }
        for text in ["20250601", "2025-6-1", "2025-02-30"] {
            assert_eq!(read_day(text), None, "{text}");
        }
    }
}
