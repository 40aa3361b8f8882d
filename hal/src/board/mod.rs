//! The board file: which devices a machine has and where they are wired.
//!
//! Values are data in TOML, behaviour is in the drivers. Unknown keys are refused, and a file is reported whole: every
//! problem at once, each with file, line, key and advice.

mod checks;
mod read;
mod spec;
#[cfg(test)]
mod tests;

pub use read::{BoardErrors, BoardProblem};
pub use spec::{
    Bias, BoardSpec, CounterKind, DisplayKind, DisplaySpec, GpioKind, GpioSpec, HexForm, HexSpec, KeySpec, KeypadKind,
    KeypadSpec, LineSpec, MdbAdapter, MdbMode, MdbSpec, OutputSpec, Rotation, ScannerKind, ScannerSpec, SimSpec,
    SlotSpec, Terminator, Use, VendKind, VendSpec, WiredLine, WithoutSensor,
};

pub use checks::Finding;
#[cfg(feature = "rppal")]
pub(crate) use checks::bcm_number;
