//! `[sound]`: sounds from files.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `[sound]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct SoundSpec {
    /// The folder with `key.wav`, `scan.wav`, `success.wav` and `error.wav`, as many of them as there are; absent: no sounds.
    pub folder: Option<PathBuf>,
    /// The program that plays them; default `aplay`, looked for where programs are.
    pub player: PathBuf,
    /// ALSA's name of the card, such as `plughw:1`; absent: ALSA's default.
    pub device: Option<String>,
    /// A sound that lasts longer is cut off; default 5000.
    pub limit_ms: u32,
}

impl Default for SoundSpec {
    fn default() -> Self {
        Self { folder: None, player: "aplay".into(), device: None, limit_ms: 5000 }
    }
}
