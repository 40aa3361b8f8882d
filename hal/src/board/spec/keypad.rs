//! `[keypad]`: the keys and their lines.

use serde::{Deserialize, Serialize};

use super::LineSpec;

/// Which keypad driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeypadKind {
    /// No keypad.
    #[default]
    None,
    /// One line per key.
    Buttons,
    /// Keys where driven rows and read columns cross.
    Matrix,
}

/// `[keypad]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeypadSpec {
    /// Which driver; default `none`.
    pub kind: KeypadKind,
    /// Contact bounce that is filtered; default 20.
    pub debounce_ms: u32,
    /// Shortest time between two presses of one key; default 150.
    pub repeat_ms: u32,
    /// `[[keypad.keys]]`
    pub keys: Vec<KeySpec>,
    /// The rows of a matrix, which are driven.
    pub rows: Vec<LineSpec>,
    /// The columns of a matrix, which are read.
    pub columns: Vec<LineSpec>,
    /// The keys of a matrix, row by row: `0` to `9`, `ok`, `cancel`, or nothing.
    pub layout: Vec<String>,
}

impl Default for KeypadSpec {
    fn default() -> Self {
        Self {
            kind: KeypadKind::None,
            debounce_ms: 20,
            repeat_ms: 150,
            keys: Vec::new(),
            rows: Vec::new(),
            columns: Vec::new(),
            layout: Vec::new(),
        }
    }
}

/// `[[keypad.keys]]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeySpec {
    /// `0` to `9`, `ok` or `cancel`.
    pub key: String,
    /// The line of the button.
    pub line: Option<LineSpec>,
}
