//! The wire between a simulated machine and the drivers: one JSON object per line, over a Unix socket.
//!
//! The driver asks, the machine answers each question but [`ToMachine::SetNow`] with exactly one [`FromMachine::Done`],
//! [`FromMachine::Refused`] or [`FromMachine::Drops`], in order. [`FromMachine::Level`] comes in between, whenever an
//! input changes. A [`ToMachine::Frame`] line is followed by `rows × width × 2` bytes, RGB565 with the low byte first.
//!
//! Levels on the wire are electrical: `high` is the voltage of the pin. Which level is *on* is the board's business.

use serde::{Deserialize, Serialize};

/// From a driver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToMachine {
    /// Makes the pin an output with this level in one step.
    Output {
        /// The pin.
        line: String,
        /// Its level from now on.
        high: bool,
    },
    /// Makes the pin an input; its level follows at once and at every change.
    Input {
        /// The pin.
        line: String,
    },
    /// Drives an output.
    Set {
        /// The pin.
        line: String,
        /// Its level from now on.
        high: bool,
    },
    /// Drives an output, without an answer: for the panic hook.
    SetNow {
        /// The pin.
        line: String,
        /// Its level from now on.
        high: bool,
    },
    /// Asks for the latched drop counter.
    Drops,
    /// Some rows of the picture follow as bytes.
    Frame {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// The first row that follows.
        first_row: u32,
        /// How many rows follow.
        rows: u32,
    },
}

/// From the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FromMachine {
    /// The question was carried out.
    Done,
    /// It was not.
    Refused {
        /// Why.
        why: String,
    },
    /// The latched drop counter.
    Drops {
        /// Items that fell since the machine was made.
        count: u64,
    },
    /// An input has this level.
    Level {
        /// The pin.
        line: String,
        /// Its level.
        high: bool,
    },
}

/// Longest line either side accepts, newline included.
pub const LINE_MAX: usize = 4096;

/// One message as it goes over the wire.
pub(crate) fn to_line(message: &impl Serialize) -> Vec<u8> {
    // These enums hold strings, numbers and bools: they always have a JSON form.
    let mut line = serde_json::to_vec(message).unwrap_or_default();
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_has_this_form() {
        let set = ToMachine::Set { line: "relay-11".into(), high: true };
        assert_eq!(to_line(&set), b"{\"set\":{\"line\":\"relay-11\",\"high\":true}}\n");
        assert_eq!(to_line(&ToMachine::Drops), b"\"drops\"\n");
        assert_eq!(to_line(&FromMachine::Done), b"\"done\"\n");
        let level = "{\"level\":{\"line\":\"key-1\",\"high\":false}}";
        assert_eq!(
            serde_json::from_str::<FromMachine>(level).unwrap(),
            FromMachine::Level { line: "key-1".into(), high: false }
        );
    }
}
