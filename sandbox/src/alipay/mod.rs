//! A strict simulated Alipay gateway, protocol version 1.0 (reference/alipay.md, above all section 15).
//!
//! | module | subject |
//! |---|---|
//! | [`gateway`] | start and stop; `connection`, `http`: sockets and HTTP |
//! | [`options`] | how strict, how late, which keys |
//! | `params`, `common` | form decoding, the string to sign, the common parameters |
//! | `fields`, `terms`, `amount`, `china_time` | the rules of single fields |
//! | [`method`] | one file for each method of the gateway |
//! | `reply` | nodes, envelopes, signatures and their quirks |
//! | `world`, `trade`, `code` | the truth: trades, codes, buyers |
//! | [`coupon`], `instalment`, `charges` | coupons and who bears them; Huabei instalments; the merchant's fees |
//! | `bill` | a day's statement; `archive`: the ZIP that it comes in |
//! | [`ledger`], [`calls`] | the truth as a test reads it |
//! | [`control`], [`weather`] | the side that tests and the demo hold |
//! | [`wallet`] | the buyer's phone; `picture` reads QR pictures |

mod amount;
mod archive;
mod bill;
pub mod calls;
mod charges;
pub(crate) mod china_time;
pub(crate) mod code;
mod common;
pub(crate) mod connection;
pub mod control;
pub mod coupon;
mod fields;
pub mod gateway;
mod http;
mod instalment;
pub mod keys;
pub mod ledger;
pub mod method;
pub mod options;
mod params;
pub(crate) mod picture;
mod refusal;
mod reply;
mod terms;
mod trade;
pub mod wallet;
pub mod weather;
mod world;
