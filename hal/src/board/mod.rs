//! The board file: which devices a machine has and where they are wired.
//!
//! Values are data in TOML, behaviour is in the drivers. Unknown keys are refused, and a file is reported whole: every
//! problem at once, each with file, line, key and advice.

mod checks;
mod firmware;
mod needs;
mod only;
mod read;
mod spec;
#[cfg(test)]
mod tests;

pub use read::{BoardErrors, BoardProblem};
pub use spec::*;

pub use checks::Finding;
#[cfg(feature = "rppal")]
pub(crate) use checks::bcm_number;
