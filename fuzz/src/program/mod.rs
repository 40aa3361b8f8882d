//! What only the whole program reads: its settings, the hub's words, and what callers of the local API ask for.

pub mod config;
pub mod hub;
pub mod requests;
