//! `[scanner]`: which scanner, what it is told, and how its lines end.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Which scanner driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ScannerKind {
    /// No scanner.
    #[default]
    None,
    /// A scanner on a serial port or USB-CDC.
    Serial,
    /// A USB scanner that types like a keyboard.
    Keyboard,
    /// A USB scanner in HID POS mode.
    HidPos,
}

/// Which commands the scanner understands (reference/hardware.md 1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DialectKind {
    /// None: lines are read, nothing is ever sent.
    #[default]
    Plain,
    /// Asks for each one's version at the start, and keeps to the first that answers.
    Auto,
    /// `7E 00` frames: Grow GM6x and GM8x, Waveshare, Hamlet.
    #[serde(rename = "7e")]
    Zone,
    /// Newland and Sunmi.
    Newland,
    /// Honeywell, Youjie and their kin.
    Honeywell,
    /// Zebra SSI and its clones.
    Ssi,
    /// `^_^` words: DE2120 and other MDT engines.
    Caret,
}

/// Who starts a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TriggerKind {
    /// The scanner itself: always on, or when something moves before it.
    #[default]
    Scanner,
    /// Till, while an order waits for a code; the scanner is dark otherwise.
    Host,
}

/// What ends a line of the scanner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Terminator {
    /// CR, LF or CR LF, whichever comes.
    #[default]
    Any,
    /// CR only.
    Cr,
    /// LF only.
    Lf,
    /// CR followed by LF only.
    Crlf,
    /// TAB only.
    Tab,
    /// Nothing: a line ends when the scanner falls silent for `idle_ms`.
    None,
}

/// `[scanner]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScannerSpec {
    /// Which driver; default `none`.
    pub kind: ScannerKind,
    /// The port by a name that survives re-plugging: `/dev/serial/by-id/…`. Relative: in the runtime directory.
    pub path: Option<PathBuf>,
    /// Bits per second; default 9600. USB-CDC ignores it.
    pub baud: u32,
    /// Which commands it understands; default `plain`.
    pub dialect: DialectKind,
    /// Who starts a read; default `scanner`.
    pub trigger: TriggerKind,
    /// Whether the scanner is set as this section wants it at each start; default true. `plain` has nothing to set.
    pub setup: bool,
    /// Whether the scanner itself beeps when it has read a code; unset: it stays as it is.
    pub beep: Option<bool>,
    /// Whether the scanner's own LED shows that it has read a code, where its dialect has that (`7e`); unset: it stays as it is.
    pub led: Option<bool>,
    /// What ends a line; default `any`.
    pub terminator: Terminator,
    /// Text that the scanner puts before every code; cut off.
    pub prefix: String,
    /// Text that the scanner puts after every code; cut off.
    pub suffix: String,
    /// Cuts off an AIM identifier such as `]Q1`; default true.
    pub strip_aim: bool,
    /// Silence that ends a line when `terminator = "none"`; default 50.
    pub idle_ms: u32,
    /// The same code within this time is read once; default 3000.
    pub double_read_ms: u32,
    /// What arrives this soon after opening is old and dropped; default 200.
    pub stale_ms: u32,
}

impl Default for ScannerSpec {
    fn default() -> Self {
        Self {
            kind: ScannerKind::None,
            path: None,
            baud: 9600,
            dialect: DialectKind::Plain,
            trigger: TriggerKind::Scanner,
            setup: true,
            beep: None,
            led: None,
            terminator: Terminator::Any,
            prefix: String::new(),
            suffix: String::new(),
            strip_aim: true,
            idle_ms: 50,
            double_read_ms: 3000,
            stale_ms: 200,
        }
    }
}
