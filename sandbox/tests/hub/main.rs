//! The hub over real HTTP, asked by a terminal that is written by hand and knows nothing of the code under test.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod calling;
mod codes;
mod commands;
mod double_use;
mod entries;
mod joining;
mod refusals;
mod terminal;
mod weather;
