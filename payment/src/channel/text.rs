//! What every channel's fields are made of: China's time, texts of a limited length, and objects without empty members.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde_json::{Map, Value};

use crate::time::Wall;

/// China's clock at this moment. It is +08:00 all year: no zone data is needed, and none is trusted.
#[must_use]
pub fn china(wall: Wall) -> DateTime {
    let moment = Timestamp::from_millisecond(wall.ms).unwrap_or(Timestamp::UNIX_EPOCH);
    Offset::constant(8).to_datetime(moment)
}

/// At most `limit` characters, none of them a control character.
#[must_use]
pub fn limited(text: &str, limit: usize) -> String {
    let printable = text.trim().chars().filter(|c| !c.is_control());
    printable.take(limit).collect::<String>().trim_end().to_owned()
}

/// The members of a JSON object. Absent ones are left out: no channel wants empty values, and some refuse them.
#[derive(Default)]
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    pub(super) fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    pub(super) fn maybe(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn done(self) -> Value {
        Value::Object(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_chinas_whatever_the_machine_thinks() {
        let at = |ms| china(Wall { ms, trusted: true }).to_string();
        assert_eq!(at(1_748_750_400_000), "2025-06-01T12:00:00");
        assert_eq!(at(1_735_660_800_999), "2025-01-01T00:00:00.999");
    }

    #[test]
    fn texts_are_cut_by_characters_and_cleaned() {
        for (text, clean) in [("可乐 330ml!", "可乐 330ml"), (" a\tb\u{7} ", "ab"), ("1234567  9", "1234567"), ("", "")]
        {
            assert_eq!(limited(text, 8), clean);
        }
    }
}
