//! Till: the payment terminal daemon and its command line.
//!
//! | module | subject |
//! |---|---|
//! | [`daemon`] | the loop: the only place where things happen |
//! | [`journal`] | what happened to money and goods, hash-chained in SQLite |
//! | [`http`] | the client of the channels |
//! | [`screen`] | what the buyer sees, drawn |
//! | [`sync`] | entries to the operator's hub, commands from it |
//! | [`api`] | the local API over the terminal |
//! | [`config`] | `till.toml` and the board, checked whole |
//! | [`cli`] | the command line |
//! | [`demo`] | a machine in a browser, with a simulated gateway and a phone; not in device builds |
//!
//! The payment core is the crate `payment`, the devices are the crate `hal`.

pub mod api;
pub mod cli;
pub mod config;
pub mod daemon;
#[cfg(feature = "demo")]
pub mod demo;
mod durable;
pub mod http;
pub mod journal;
mod json;
pub mod screen;
pub mod statements;
pub mod sync;
