//! The real program on the simulator board, bought from by a simulated buyer: nothing is faked between the scanner's wire
//! and the gateway's wire.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod audit;
mod bad_input;
mod buying;
mod clock;
mod controllers;
mod crash;
mod goods_and_money;
mod receipts;
mod rehearse;
mod shop;
mod slots;
mod trouble;
