//! `[printer]`: the receipt printer.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// How the printer is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PrinterKind {
    /// No printer.
    #[default]
    None,
    /// A serial port, or USB as one.
    Serial,
    /// A printer of the USB class, `/dev/usb/lp0`.
    Usb,
}

/// What happens at the end of a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Cut {
    /// Fed far enough to be torn off.
    None,
    /// Cut but for a bridge in the middle.
    #[default]
    Partial,
    /// Cut off; it falls.
    Full,
}

/// Who draws a QR code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum QrBy {
    /// The printer, by `GS ( k`: quick on a slow line.
    #[default]
    Command,
    /// We, as a picture: for printers that do not know the command.
    Raster,
}

/// `[printer]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct PrinterSpec {
    /// How it is connected; default `none`.
    pub kind: PrinterKind,
    /// The port by a name that survives re-plugging. Relative: in the runtime directory.
    pub path: Option<PathBuf>,
    /// Bits per second of a serial port; default 9600.
    pub baud: u32,
    /// Letters on a line: 32 on 58 mm paper, 48 on 80 mm; default 32.
    pub columns: u16,
    /// What happens at the end; default `partial`.
    pub cut: Cut,
    /// Who draws QR codes; default `command`.
    pub qr: QrBy,
    /// The printer knows characters of four bytes; default false, and a box is printed for them.
    pub gb18030: bool,
    /// The printer answers (`DLE EOT`, `GS r`); default true. False: what is sent counts as printed.
    pub status: bool,
    /// A receipt that cannot be printed within this time is dropped; default 30000.
    pub patience_ms: u32,
    /// No sale without a printer that works; default false.
    pub required: bool,
}

impl Default for PrinterSpec {
    fn default() -> Self {
        Self {
            kind: PrinterKind::None,
            path: None,
            baud: 9600,
            columns: 32,
            cut: Cut::Partial,
            qr: QrBy::Command,
            gb18030: false,
            status: true,
            patience_ms: 30_000,
            required: false,
        }
    }
}
