//! Whole terminals on virtual time: the real engine and the real journal code between a simulated channel, wallets, machine,
//! scanner, disk, clock and hub. One seed decides everything that happens in a life, and the same seed lives it again.
//!
//! | module | subject |
//! |---|---|
//! | [`life`] | a life: customers come and go, the end is judged |
//! | [`world`] | the terminal and the time |
//! | [`fair`] | what the terminal has: goods, channels, codes, instalments, approval |
//! | [`people`], [`codes`], [`operators`] | buyers, callers, operators, and what they pay with |
//! | [`trouble`] | what goes wrong |
//! | [`death`] | kills, power cuts and the start after them |
//! | [`channel`], [`ledger`], [`failures`] | what all channels have: money, phones, codes |
//! | [`alipay`], [`wechat`], [`acquirer`] | the rules of each |
//! | [`channels`], [`network`], [`machine`], [`store`] | what else is around the engine |
//! | [`hub`] | the operator's side, and the way there |
//! | [`memory`], [`invariants`], [`promises`], [`ending`] | what was told, and what must hold |
//! | [`many`], [`mutants`] | many lives and their card, with planted mistakes too |
//! | [`command`] | replaying one |

#![expect(clippy::expect_used, reason = "a simulator that cannot go on shall say so and stop")]

pub mod acquirer;
pub mod alipay;
pub mod channel;
pub mod channels;
pub mod codes;
pub mod command;
pub mod death;
pub mod ending;
pub mod errors;
pub mod failures;
pub mod fair;
pub mod hub;
pub mod invariants;
pub mod ledger;
pub mod life;
pub mod log;
pub mod machine;
pub mod many;
pub mod memory;
pub mod mutants;
pub mod network;
pub mod operators;
pub mod people;
pub mod promises;
pub mod store;
pub mod tally;
#[cfg(test)]
mod tests;
pub mod trouble;
pub mod verdict;
pub mod wechat;
pub mod world;

pub use many::{Failure, SimCard, SimOptions, run};
pub use mutants::{MutantCaught, mutants};
