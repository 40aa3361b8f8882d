//! The real program on the simulator board, bought from by a simulated buyer: nothing is faked between the scanner's wire
//! and the gateway's wire.

mod bad_input;
mod buying;
mod crash;
mod goods_and_money;
mod shop;
mod trouble;
