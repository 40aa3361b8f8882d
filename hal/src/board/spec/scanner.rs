//! `[scanner]`: which scanner, and how its lines end.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Which scanner driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ScannerKind {
    /// No scanner.
    #[default]
    None,
    /// A line scanner on a serial port or USB-CDC.
    Serial,
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
