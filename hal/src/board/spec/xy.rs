//! `[vend.xy]`: a vending controller that speaks the XY-VMC "upper computer" protocol.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Which command makes the controller deliver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum XyDrive {
    /// 06: turns the motor, whatever money and stock the controller believes in.
    #[default]
    Direct,
    /// 03: a purchase by the controller's own rules.
    Buy,
}

/// `[vend.xy]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct XySpec {
    /// The port by a name that survives re-plugging. Relative: in the runtime directory.
    pub path: Option<PathBuf>,
    /// Bits per second; default 57600.
    pub baud: u32,
    /// Which command delivers; default `direct`.
    pub drive: XyDrive,
    /// With `direct`: the controller shall watch its drop sensor; default true.
    pub drop_sensor: bool,
    /// With `direct`: the controller shall use its lift; default false.
    pub lift: bool,
    /// Asks how the slot is before it is driven; default true. Off for controllers that do not answer command 01.
    pub check: bool,
    /// How long a delivery may take before nobody can tell any more how it ended; default 60000.
    pub vend_ms: u32,
}

impl Default for XySpec {
    fn default() -> Self {
        Self {
            path: None,
            baud: 57_600,
            drive: XyDrive::Direct,
            drop_sensor: true,
            lift: false,
            check: true,
            vend_ms: 60_000,
        }
    }
}
