//! The gateway over real HTTP, asked by a client that knows nothing of the code under test.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod bills;
mod calling;
mod certificates;
mod common_parameters;
mod coupons;
mod field_rules;
mod indirect;
mod instalments;
mod pay;
mod precreate;
mod refund;
mod reversal;
mod till;
mod weather;
