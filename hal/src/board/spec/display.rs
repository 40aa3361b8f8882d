//! `[display]`: which panel, how it is wired, and how it is mounted.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{LineSpec, PwmSpec};

/// Which display driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DisplayKind {
    /// No display; payment by the scanner alone.
    #[default]
    None,
    /// Frames are kept in memory only, for a screen that is seen through the API.
    Memory,
    /// The Linux framebuffer at `path`.
    Framebuffer,
    /// HDMI, DSI or a panel with a kernel driver, through DRM.
    Drm,
    /// A TFT panel on an SPI bus, driven from here.
    Spi,
    /// A black-and-white e-paper on an SPI bus.
    Epaper,
    /// The simulated machine's panel.
    Sim,
}

/// The chip on an SPI panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub enum Controller {
    /// 240×320 and smaller glass, most of it IPS.
    #[serde(rename = "st7789")]
    St7789,
    /// 240×320.
    #[serde(rename = "ili9341")]
    Ili9341,
    /// 320×480, 18-bit colour on SPI.
    #[serde(rename = "ili9486")]
    Ili9486,
    /// 320×480, 18-bit colour on SPI.
    #[serde(rename = "ili9488")]
    Ili9488,
    /// E-paper of up to 176×296.
    #[serde(rename = "ssd1680")]
    Ssd1680,
    /// E-paper of up to 400×300.
    #[serde(rename = "ssd1683")]
    Ssd1683,
    /// The same chip under black, white and red film: known so that it can be refused with its reason.
    #[serde(rename = "ssd1680-red")]
    Ssd1680Red,
}

impl Controller {
    /// Columns and rows of its memory; no glass has more.
    #[must_use]
    pub fn memory(self) -> (u32, u32) {
        match self {
            Self::St7789 | Self::Ili9341 => (240, 320),
            Self::Ili9486 | Self::Ili9488 => (320, 480),
            Self::Ssd1680 | Self::Ssd1680Red => (176, 296),
            Self::Ssd1683 => (400, 300),
        }
    }

    /// Whether it drives e-paper.
    #[must_use]
    pub fn is_epaper(self) -> bool {
        match self {
            Self::St7789 | Self::Ili9341 | Self::Ili9486 | Self::Ili9488 => false,
            Self::Ssd1680 | Self::Ssd1683 | Self::Ssd1680Red => true,
        }
    }

    /// The clock that it takes without complaint, and the highest that anybody runs it at, in Hz
    /// (reference/hardware.md 2.3, from memory).
    #[must_use]
    pub fn clock(self) -> (u32, u32) {
        match self {
            Self::St7789 => (32_000_000, 62_500_000),
            Self::Ili9341 => (32_000_000, 40_000_000),
            Self::Ili9486 | Self::Ili9488 => (16_000_000, 20_000_000),
            Self::Ssd1680 | Self::Ssd1683 | Self::Ssd1680Red => (4_000_000, 20_000_000),
        }
    }
}

/// How the panel is mounted: how far the picture is turned clockwise to stand upright.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(try_from = "u16", into = "u16")]
pub enum Rotation {
    /// As the panel is made.
    #[default]
    None,
    /// A quarter turn clockwise.
    Quarter,
    /// Upside down.
    Half,
    /// A quarter turn counter-clockwise.
    ThreeQuarters,
}

impl TryFrom<u16> for Rotation {
    type Error = String;

    fn try_from(degrees: u16) -> Result<Self, String> {
        match degrees {
            0 => Ok(Self::None),
            90 => Ok(Self::Quarter),
            180 => Ok(Self::Half),
            270 => Ok(Self::ThreeQuarters),
            other => Err(format!("rotation {other} is not one of 0, 90, 180, 270 degrees clockwise")),
        }
    }
}

impl From<Rotation> for u16 {
    fn from(rotation: Rotation) -> u16 {
        match rotation {
            Rotation::None => 0,
            Rotation::Quarter => 90,
            Rotation::Half => 180,
            Rotation::ThreeQuarters => 270,
        }
    }
}

/// `light = { … }` of `[display]`: one way to switch or dim what shines behind the panel.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct LightSpec {
    /// A GPIO line: on or off only.
    pub line: Option<LineSpec>,
    /// A folder of the kernel's backlight class, such as `/sys/class/backlight/10-0045`.
    pub backlight: Option<PathBuf>,
    /// A channel of the kernel's PWM.
    pub pwm: Option<PwmSpec>,
    /// How often it switches; default 1000.
    pub frequency_hz: Option<u32>,
}

/// `[display]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct DisplaySpec {
    /// Which driver; default `none`.
    pub kind: DisplayKind,
    /// The device of a framebuffer, such as `/dev/fb0`, or of a DRM card; absent for DRM: the card with a monitor.
    pub path: Option<PathBuf>,
    /// The console whose text must not be drawn over the picture, such as `/dev/tty1`.
    pub console: Option<PathBuf>,
    /// The socket of a DRM card, such as `HDMI-A-1`; absent: the first one with a monitor.
    pub connector: Option<String>,
    /// The chip of an SPI panel or e-paper.
    pub controller: Option<Controller>,
    /// Its bus, such as `/dev/spidev0.0`.
    pub spi: Option<PathBuf>,
    /// 0, or 3 for boards without a chip-select pin.
    pub spi_mode: u8,
    /// The bus clock; absent: what the controller takes.
    pub speed_hz: Option<u32>,
    /// Tells data (active) from commands.
    pub dc: Option<LineSpec>,
    /// Holds the chip in reset while active; nearly always `active_low`.
    pub reset: Option<LineSpec>,
    /// An e-paper's own word that it is busy, active while it is.
    pub busy: Option<LineSpec>,
    /// The first column of the chip's memory that has glass.
    pub offset_x: u32,
    /// The first row of the chip's memory that has glass.
    pub offset_y: u32,
    /// Whether the chip inverts colours; absent: as glass with this controller mostly needs it.
    pub invert: Option<bool>,
    /// Whether blue comes first; absent: as glass with this controller mostly needs it.
    pub bgr: Option<bool>,
    /// Left and right exchanged, against the usual.
    pub mirror_x: bool,
    /// Top and bottom exchanged, against the usual.
    pub mirror_y: bool,
    /// Commands with their arguments that the panel's maker asks for, sent after ours.
    pub init: Vec<Vec<u8>>,
    /// Pixels across, as the panel is made.
    pub width: u32,
    /// Pixels down, as the panel is made.
    pub height: u32,
    /// 0, 90, 180 or 270 degrees clockwise.
    pub rotation: Rotation,
    /// What shines behind the panel; absent: it is always on.
    pub light: Option<LightSpec>,
    /// How bright, in percent; default 100.
    pub brightness: Option<u32>,
    /// Dark after so many seconds without a picture that matters; absent: never.
    pub blank_after_s: Option<u32>,
}

impl DisplaySpec {
    /// Width and height of the upright picture.
    #[must_use]
    pub fn size(&self) -> (u32, u32) {
        match self.rotation {
            Rotation::None | Rotation::Half => (self.width, self.height),
            Rotation::Quarter | Rotation::ThreeQuarters => (self.height, self.width),
        }
    }

    /// The lines it names, each with its key below `[display]` and whether it is read.
    pub(super) fn lines(&self) -> [(&'static str, Option<&LineSpec>, bool); 4] {
        let light = self.light.as_ref().and_then(|light| light.line.as_ref());
        [
            ("dc", self.dc.as_ref(), false),
            ("reset", self.reset.as_ref(), false),
            ("busy", self.busy.as_ref(), true),
            ("light.line", light, false),
        ]
    }
}
