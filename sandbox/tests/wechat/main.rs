//! The simulated WeChat Pay over real HTTP, asked by a client that knows nothing of the code under test.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod bills;
mod calling;
mod code_pay;
mod delivery;
mod native;
mod partner;
mod refunds;
mod strictness;
mod till;
mod tls;
mod v2;
mod weather;
