//! What proves that Till loses nothing and does nothing twice. Each module is one tier of the report card.
//!
//! | module | tier |
//! |---|---|
//! | [`sim`] | whole terminals on virtual time, everything that happens drawn from one seed |
//! | [`kills`] | the release binary, killed at random instants |
//! | [`network`] | orders through real sockets over a bad network |
//! | [`frames`] | lines of a scanner through a real pseudo-terminal |
//! | [`power`] | the power fails at every instant of what the journal writes |
//!
//! [`report`] runs them all and prints the card.

pub mod frames;
pub mod kills;
pub mod network;
pub mod power;
pub mod report;
pub mod shop;
pub mod sim;

pub use hal::sim::dice;
