//! Both gateways of Allinpay over real HTTP, asked by a client that knows nothing of the code under test.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod calling;
mod receiver;
mod vectors;
mod vsp_checks;
mod vsp_codes;
mod vsp_pay_codes;
mod vsp_statement;
mod vsp_till;
mod vsp_undo;
mod weather;
mod yst_checks;
mod yst_flows;
mod yst_guarantee;
mod yst_statement;
mod yst_till;
