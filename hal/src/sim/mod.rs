//! Simulators: devices like any other, chosen by the board file.
//!
//! [`machine`] is a whole vending machine behind a Unix socket, at the level of pins; [`pty`] is a scanner that only sends.
//! [`scanner`], [`xy`], [`mdb`], [`motor`] and [`printer`] are pure models of devices that answer, which [`port`] puts behind a
//! real pseudo-terminal; [`panels`] are the far ends of displays' wires, with a [`camera`] in front; [`bench`] puts together
//! what a board needs; [`dice`] are chance that can be repeated. The drivers that talk to them are the ones that ship. `disk` (feature `disk`) is a memory
//! card below SQLite that can lose its power.

pub mod bench;
pub mod camera;
pub mod dice;
#[cfg(feature = "disk")]
pub mod disk;
pub(crate) mod link;
pub mod machine;
pub mod mdb;
pub mod motor;
pub mod panels;
pub mod port;
pub mod printer;
pub mod protocol;
pub mod pty;
pub mod scanner;
pub mod xy;
