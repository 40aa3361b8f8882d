//! The terminal's side of the hub: entries up, commands down. `docs/hub.md` is the page about the wire.
//!
//! | file | subject |
//! |---|---|
//! | [`link`] | the leaf: a task that talks to the hub, and knows only the loop |
//! | [`uplink`] | which entries to send and when: a state machine without a socket |
//! | [`downlink`] | when to ask for commands: the same |
//! | [`command`] | whether a command is genuine, and what it says |
//! | `carry_out` | doing it, once |
//! | [`wire`] | the bytes of batches and polls, and what an answer means |
//! | [`sign`] | RFC 9421 signatures over a request |
//! | [`key`] | the terminal's Ed25519 key: made here, never leaves |
//! | [`mod@join`] | making that key known to the hub |
//! | `client` | one request, one answer |
//! | [`backoff`] | how long to wait after a failure |
//! | [`status`] | how all this stands, for people |
//!
//! The outbox is a view of the journal, never a second queue. Without a hub in the settings nothing of this runs, and
//! nothing in the journal is ever acknowledged: retention then removes nothing, and the limit of disk is the only bound.

pub mod backoff;
mod carry_out;
mod client;
pub mod command;
pub mod downlink;
pub mod join;
pub mod key;
pub mod link;
pub mod sign;
pub mod status;
pub mod uplink;
pub mod wire;

#[cfg(test)]
mod wire_tests;

pub use join::join;

/// The wire for programs: an OpenAPI 3.1 document, kept by hand and held against the code by tests.
pub const OPENAPI: &str = include_str!("openapi.json");
