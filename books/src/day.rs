//! China's calendar day: every channel keeps its books in it, wherever the machine stands.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};

/// Milliseconds of a day.
pub const DAY_MS: i64 = 86_400_000;

const CHINA: Offset = Offset::constant(8);

/// The first millisecond (UTC, since 1970) of a day in China; `None` only at the ends of the calendar.
#[must_use]
pub fn begin_ms(day: Date) -> Option<i64> {
    ms(day.at(0, 0, 0, 0))
}

/// The day in China on which a moment (ms UTC) falls.
#[must_use]
pub fn of(ms: i64) -> Option<Date> {
    Some(civil(ms)?.date())
}

/// A moment (ms UTC) as people in China write it: `2026-05-28 10:01:02`; empty outside the calendar.
#[must_use]
pub fn written(ms: i64) -> String {
    civil(ms).map(|at| at.strftime("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default()
}

/// Reads a date and time of China as the channels write it, in ms UTC: `2026-05-28 10:01:02`, `2026/05/28 10:01:02` or
/// `20260528100102`. Anything else, and days that do not exist, are `None`.
#[must_use]
pub fn read(text: &str) -> Option<i64> {
    let text = text.trim();
    let known = |c: char| c.is_ascii_digit() || matches!(c, '-' | '/' | ':' | ' ' | 'T');
    if text.len() > 19 || !text.chars().all(known) {
        return None;
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let part = |from: usize, to: usize| digits.get(from..to)?.parse::<i16>().ok();
    let small = |from: usize| part(from, from + 2).and_then(|value| i8::try_from(value).ok());
    if digits.len() != 14 {
        return None;
    }
    let at = DateTime::new(part(0, 4)?, small(4)?, small(6)?, small(8)?, small(10)?, small(12)?, 0).ok()?;
    ms(at)
}

fn ms(at: DateTime) -> Option<i64> {
    Some(CHINA.to_timestamp(at).ok()?.as_millisecond())
}

fn civil(ms: i64) -> Option<DateTime> {
    Some(Timestamp::from_millisecond(ms).ok()?.to_zoned(TimeZone::fixed(CHINA)).datetime())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_channels_ways_to_write_a_moment_are_read() {
        for text in ["2026-05-28 10:01:02", "2026/05/28 10:01:02", "20260528100102", " 2026-05-28T10:01:02\t"] {
            assert_eq!(read(text).map(written), Some("2026-05-28 10:01:02".to_owned()), "{text}");
        }
        for text in ["", "x", "2026-02-30 10:00:00", "20260528", "2026-05-28 25:00:00", "２０２６0528100102"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn the_day_begins_at_midnight_in_china() {
        let day: Date = "2026-05-28".parse().unwrap();
        let begin = begin_ms(day).unwrap();
        assert_eq!(written(begin), "2026-05-28 00:00:00");
        assert_eq!(of(begin), Some(day));
        assert_eq!(of(begin - 1), Some("2026-05-27".parse().unwrap()));
        assert_eq!(of(i64::MAX), None);
    }
}
