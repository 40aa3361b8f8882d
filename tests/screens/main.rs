//! The screens, on every size that Till names, in both languages.
//!
//! `TILL_PICTURES=folder cargo test --test screens` also writes every picture there as PNG.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod codes;
mod panel;
mod panels;
mod pictures;
mod samples;
mod shared;
mod side_by_side;
mod strings;
