//! What proves that Till loses nothing and does nothing twice. Each module is one tier of the report card.
//!
//! | module | tier |
//! |---|---|
//! | [`sim`] | whole terminals on virtual time, everything that happens drawn from one seed |
//! | [`power`] | the power fails at every instant of what the journal writes |

pub mod power;
pub mod sim;
