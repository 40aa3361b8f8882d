//! `[status_display]`: a small OLED for a few words to the technician.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Which chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StatusKind {
    /// There is none.
    #[default]
    None,
    /// SSD1306.
    Ssd1306,
    /// SH1106: sold as the same, with two columns more.
    Sh1106,
}

/// `[status_display]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct StatusSpec {
    /// Which chip; default `none`.
    pub kind: StatusKind,
    /// Its I²C bus, such as `/dev/i2c-1`.
    pub path: Option<PathBuf>,
    /// Its address, 0x3C or 0x3D.
    pub address: u8,
    /// Pixels down: 64 or 32.
    pub height: u32,
    /// Mounted upside down.
    pub upside_down: bool,
    /// Dim after so many seconds without a new word.
    pub dim_after_s: u32,
}

impl Default for StatusSpec {
    fn default() -> Self {
        Self { kind: StatusKind::None, path: None, address: 0x3C, height: 64, upside_down: false, dim_after_s: 60 }
    }
}
