//! What the devices tell the daemon's loop.

use serde::{Deserialize, Serialize};

/// One thing that happened on a device.
///
/// [`Debug`] never shows a scanned code: it may be a buyer's pay code.
#[derive(Clone, PartialEq, Eq)]
pub enum DeviceEvent {
    /// The armed scanner read this line, without terminator and AIM prefix.
    Scanned(String),
    /// The scanner can be used: its port is open, and it is set up as far as it can be.
    ScannerUp {
        /// Its dialect and what it says about itself, such as `newland, NLS-FM430`; `None`: it says nothing.
        identity: Option<String>,
    },
    /// The scanner is gone; its driver goes on trying to open it by its stable name.
    ScannerDown {
        /// What was seen and what to do about it.
        reason: String,
    },
    /// A button was pressed.
    Key(Key),
    /// The vending hardware is open, its relays are off and the motors stand still.
    VendReady {
        /// The latched drop counter, where the machine has one.
        drops: Option<u64>,
    },
    /// The vending hardware cannot be used; its driver goes on trying.
    VendDown {
        /// What was seen and what to do about it.
        reason: String,
    },
    /// A dispense or an inspection ended.
    VendEnded {
        /// The number given by the caller.
        job: u64,
        /// What happened to the item.
        result: VendResult,
        /// The latched drop counter after it, where the machine has one.
        drops: Option<u64>,
        /// What the machine charged for it, in fen, where it says so: at most the price that it was given.
        taken: Option<i64>,
        /// Why, where the machine says so or the driver knows: short English, for the log and the technician.
        told: Option<String>,
    },
    /// The buyer chose at the machine's own keys, and its controller waits for the money.
    Chosen {
        /// The slot by the board's name; `None`: the controller does not say.
        slot: Option<String>,
        /// The price in fen; `None`: the controller does not say.
        price: Option<i64>,
    },
    /// The controller does not wait any more: the buyer gave up, or it was set back.
    ChoiceEnded,
    /// The machine sold for coins or notes by itself.
    CashSold {
        /// The slot by the board's name; `None`: the controller does not say.
        slot: Option<String>,
        /// The price in fen.
        price: i64,
    },
    /// The display came or went.
    Display(DisplayState),
    /// The printer came, went, or asks for a person.
    Printer(PrinterState),
    /// A driver ended by itself, which only a panic makes it do: nothing more comes from it, no answer either.
    DriverEnded {
        /// Which.
        name: String,
    },
}

impl std::fmt::Debug for DeviceEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Scanned(line) => write!(f, "Scanned(<{} characters>)", line.chars().count()),
            Self::ScannerUp { identity } => write!(f, "ScannerUp({identity:?})"),
            Self::ScannerDown { reason } => write!(f, "ScannerDown({reason})"),
            Self::Key(key) => write!(f, "Key({key:?})"),
            Self::VendReady { drops } => write!(f, "VendReady({drops:?})"),
            Self::VendDown { reason } => write!(f, "VendDown({reason})"),
            Self::VendEnded { job, result, drops, taken, told } => {
                write!(f, "VendEnded({job}, {result:?}, {drops:?}, {taken:?}, {told:?})")
            }
            Self::Chosen { slot, price } => write!(f, "Chosen({slot:?}, {price:?})"),
            Self::ChoiceEnded => f.write_str("ChoiceEnded"),
            Self::CashSold { slot, price } => write!(f, "CashSold({slot:?}, {price})"),
            Self::Display(state) => write!(f, "Display({state:?})"),
            Self::Printer(state) => write!(f, "Printer({state:?})"),
            Self::DriverEnded { name } => write!(f, "DriverEnded({name})"),
        }
    }
}

/// Whether the display can show frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DisplayState {
    /// Frames reach the panel.
    Up,
    /// Frames do not reach the panel; its driver goes on trying.
    Down {
        /// What was seen and what to do about it.
        reason: String,
    },
}

/// Whether receipts are printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrinterState {
    /// It prints.
    Up,
    /// It prints, and its roll is near the end.
    PaperLow,
    /// It does not print: gone, without paper, open or broken. Its driver goes on trying.
    Down {
        /// What was seen and what to do about it.
        reason: String,
    },
}

/// What is known about the item after a vend or an inspection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VendResult {
    /// The item fell.
    Dropped,
    /// No item fell; if the buyer has paid, money is owed.
    NotDropped,
    /// Nobody can tell; a person has to look.
    Unknown,
}

/// A key of the keypad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A digit, 0 to 9.
    Digit(u8),
    /// Confirms.
    Ok,
    /// Cancels.
    Cancel,
}

impl Key {
    /// Reads the name that board files use: `0` to `9`, `ok`, `cancel`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "ok" => Some(Self::Ok),
            "cancel" => Some(Self::Cancel),
            digit => match digit.as_bytes() {
                [byte @ b'0'..=b'9'] => Some(Self::Digit(byte - b'0')),
                _ => None,
            },
        }
    }

    /// The name that board files use.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Digit(digit) => digit.to_string(),
            Self::Ok => "ok".into(),
            Self::Cancel => "cancel".into(),
        }
    }
}

/// A sound that the buyer hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beep {
    /// A key was pressed.
    Key,
    /// A code was read.
    Scan,
    /// Paid, or the item fell.
    Success,
    /// Something went wrong.
    Error,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_name_reads_back() {
        let keys = (0..=9).map(Key::Digit).chain([Key::Ok, Key::Cancel]);
        for key in keys {
            assert_eq!(Key::from_name(&key.name()), Some(key));
        }
        assert_eq!(Key::from_name("12"), None);
        assert_eq!(Key::from_name(""), None);
    }

    #[test]
    fn a_scanned_code_is_never_printed() {
        let event = DeviceEvent::Scanned("281234567890123456".into());
        assert_eq!(format!("{event:?}"), "Scanned(<18 characters>)");
    }
}
