//! `[about]`: for which computer a board file is, what that computer must be told, and how its parts are proven.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

/// A part of a machine that is brought up by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// `[display]` and `[status_display]`
    Display,
    /// `[scanner]`
    Scanner,
    /// `[vend]`
    Vend,
    /// `[keypad]`
    Keypad,
    /// `[printer]`
    Printer,
    /// `[lamp]`, `[buzzer]` and `[sound]`: what tells the buyer without a picture.
    Lamp,
}

impl Part {
    /// Every part, in the order in which a machine is brought up.
    pub const ALL: [Self; 6] = [Self::Display, Self::Scanner, Self::Keypad, Self::Lamp, Self::Printer, Self::Vend];

    /// Its word in board files and on the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Display => "display",
            Self::Scanner => "scanner",
            Self::Vend => "vend",
            Self::Keypad => "keypad",
            Self::Printer => "printer",
            Self::Lamp => "lamp",
        }
    }
}

/// How far a part of a board is proven; each step includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    /// Its bytes are those of the manuals.
    Golden,
    /// The shipped driver works with a simulator that speaks the same wire.
    Simulator,
    /// The shipped driver works with a pretend device of the Linux kernel.
    Kernel,
    /// It ran on the device itself.
    Metal,
}

impl Proof {
    /// Its word in board files.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Golden => "golden",
            Self::Simulator => "simulator",
            Self::Kernel => "kernel",
            Self::Metal => "metal",
        }
    }
}

/// Debian's name of the processor's kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Architecture {
    /// 64-bit ARM.
    Arm64,
    /// 32-bit ARM with floating point.
    Armhf,
    /// 64-bit x86.
    Amd64,
}

impl Architecture {
    /// Debian's name.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::Armhf => "armhf",
            Self::Amd64 => "amd64",
        }
    }
}

/// `[about]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct AboutSpec {
    /// How `/proc/device-tree/model`, or the product name of a PC, begins on this computer; none: it is for no computer in
    /// particular.
    pub models: Vec<String>,
    /// Debian's architecture of its usual system.
    pub architecture: Option<Architecture>,
    /// The file that `config` belongs into; absent: `/boot/firmware/config.txt`.
    pub config_file: Option<PathBuf>,
    /// Lines that its system needs for these devices. One such as `overlays=a b` asks for these words in that line.
    pub config: Vec<String>,
    /// What else the person who wires it must know.
    pub notes: Vec<String>,
    /// How far each part is proven.
    pub tested: BTreeMap<Part, Proof>,
}

impl AboutSpec {
    /// Where `config` belongs.
    #[must_use]
    pub fn config_file(&self) -> &Path {
        self.config_file.as_deref().unwrap_or(Path::new("/boot/firmware/config.txt"))
    }

    /// Whether it is for the computer that calls itself so.
    #[must_use]
    pub fn is_for(&self, model: &str) -> bool {
        self.models.iter().any(|begins| model.starts_with(begins.as_str()))
    }

    /// The lines of `wanted` that the text of the system's file does not have. Lines that only hold for some models
    /// (`[pi4]`) count as there.
    #[must_use]
    pub fn missing<'w>(wanted: &'w [String], text: &str) -> Vec<&'w str> {
        let there: Vec<&str> = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim()).collect();
        let is_there = |wanted: &&String| there.iter().any(|line| line == wanted) || words_are_there(wanted, &there);
        wanted.iter().filter(|line| !is_there(line)).map(String::as_str).collect()
    }
}

/// `overlays=a b` is there when each word stands in a line of that name, whatever else does.
fn words_are_there(wanted: &str, there: &[&str]) -> bool {
    let Some(("overlays", words)) = wanted.split_once('=') else { return false };
    let known: Vec<&str> = there
        .iter()
        .filter_map(|line| line.split_once('=').filter(|(name, _)| *name == "overlays"))
        .flat_map(|(_, words)| words.split_whitespace())
        .collect();
    words.split_whitespace().all(|word| known.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_commented_out_is_missing_and_an_overlay_among_others_is_there() {
        let wanted = ["dtparam=spi=on", "enable_uart=1", "overlays=spi-spidev uart5"].map(String::from);
        let text = "# dtparam=spi=on\nenable_uart=1 # for the scanner\noverlays=i2c0 uart5 spi-spidev\n";
        assert_eq!(AboutSpec::missing(&wanted, text), ["dtparam=spi=on"]);
        assert_eq!(AboutSpec::missing(&wanted, "overlays=uart5\n").len(), 3);
    }

    #[test]
    fn a_model_is_known_by_how_it_begins() {
        let about = AboutSpec { models: vec!["Raspberry Pi 4 Model B".into()], ..AboutSpec::default() };
        assert!(about.is_for("Raspberry Pi 4 Model B Rev 1.5") && !about.is_for("Raspberry Pi 400"));
        assert!(!AboutSpec::default().is_for("Raspberry Pi 4"));
    }
}
