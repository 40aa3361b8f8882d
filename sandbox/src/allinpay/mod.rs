//! Strict simulators of Allinpay's two interfaces (reference/allinpay.md, above all section 9): the acquiring platform
//! 收银宝 ([`vsp`]) and 云商通, generation 2 ([`yst`]). Both stand on one world: the same buyers with four wallets, the same
//! money, the same weather, the same controls.
//!
//! | module | subject |
//! |---|---|
//! | [`vsp`], [`yst`] | the two protocols: options, keys, checks, one file for each kind of call |
//! | `gateway`, `http`, `door` | start and stop, one call through the weather, sockets |
//! | `notice` | results that the channel tells by itself |
//! | `keys` | SM2 and RSA over the throw-away keys |
//! | `world`, `order`, `buyers` | the truth: orders, codes, buyers, money |
//! | [`ledger`], [`calls`] | the truth as a test reads it |
//! | [`control`], [`weather`] | the side that tests and the demo hold |
//! | [`wallet`] | the buyer's phone |

pub mod buyers;
pub mod calls;
mod china_time;
pub mod control;
mod door;
mod gateway;
mod http;
mod keys;
pub mod ledger;
mod notice;
pub mod options;
mod order;
#[expect(clippy::duplicate_mod, reason = "every simulated phone reads QR pictures in the same way")]
#[path = "../alipay/picture.rs"]
mod picture;
pub mod vsp;
pub mod wallet;
pub mod weather;
mod world;
pub mod yst;

pub use buyers::App;
pub use calls::{CallOutcome, CallRecord};
pub use control::{Changes, Control};
pub use ledger::{Ledger, LedgerEntry, OpenCode, RefundEntry, TradeState};
pub use options::{AmountForm, House, LateMoney};
pub use vsp::{ClosePath, SignType, VspGateway, VspKeys, VspOptions, vsp_keys};
pub use wallet::{Request, Scanned, Wallet, WalletError};
pub use weather::{Condition, Fault, Method, Weather};
pub use yst::{NoticeShape, YstGateway, YstKeys, YstOptions, yst_keys};
