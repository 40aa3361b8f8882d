//! Fuzz targets for every decoder of bytes from outside, as plain functions: cargo-fuzz calls them (`fuzz_targets/`), and
//! so do the replay tests of the crates they are about (`*/tests/fuzz_corpus.rs`), which include these files by path.
//!
//! A target takes any bytes, and panics when a promise is broken. What the promises are says docs/fuzzing.md.

pub mod boards;
pub mod money;
pub mod program;
pub mod replay;
pub mod scanner;
pub mod statements;
