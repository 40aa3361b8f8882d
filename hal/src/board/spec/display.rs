//! `[display]`: which panel, and how it is mounted.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

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
    /// The simulated machine's panel.
    Sim,
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

/// `[display]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct DisplaySpec {
    /// Which driver; default `none`.
    pub kind: DisplayKind,
    /// The device of a framebuffer, such as `/dev/fb0`.
    pub path: Option<PathBuf>,
    /// The console whose text must not be drawn over the picture, such as `/dev/tty1`.
    pub console: Option<PathBuf>,
    /// Pixels across, as the panel is made.
    pub width: u32,
    /// Pixels down, as the panel is made.
    pub height: u32,
    /// 0, 90, 180 or 270 degrees clockwise.
    pub rotation: Rotation,
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
}
