//! Every setting that is in force and where it came from, for `till check`. Secrets are never in it, only their files.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// Where a setting came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Written in `till.toml`, on this line.
    Line(usize),
    /// Written in `hub.toml`, on this line.
    HubLine(usize),
    /// The built-in default.
    Default,
    /// The default, under a folder that the environment names.
    Environment(&'static str),
    /// The default, made from the board or from another setting.
    Derived,
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// The key path.
    pub key: String,
    /// Its value.
    pub value: Value,
    /// Where it came from.
    pub origin: Origin,
}

/// Every setting, in the order of the reference in `docs/configuration.md`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Effective(Vec<Setting>);

impl Effective {
    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &[Setting] {
        &self.0
    }

    pub(super) fn add(&mut self, key: &str, value: Value, origin: Origin) {
        self.0.push(Setting { key: key.to_owned(), value, origin });
    }
}

impl fmt::Display for Effective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Setting { key, value, origin } in &self.0 {
            let setting = format!("{key} = {value}");
            match origin {
                Origin::Line(line) => writeln!(f, "{setting:<60} # line {line}")?,
                Origin::HubLine(line) => writeln!(f, "{setting:<60} # hub.toml line {line}")?,
                Origin::Default => writeln!(f, "{setting:<60} # default")?,
                Origin::Environment(name) => writeln!(f, "{setting:<60} # default under ${name}")?,
                Origin::Derived => writeln!(f, "{setting:<60} # default, from other settings")?,
            }
        }
        Ok(())
    }
}
