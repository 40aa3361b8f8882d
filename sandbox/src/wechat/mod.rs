//! A strict simulated WeChat Pay (reference/wechatpay.md, above all section 17): APIv3, the APIv2 calls of the pay code,
//! and the delivery calls of `api.weixin.qq.com`.
//!
//! | module | subject |
//! |---|---|
//! | [`gateway`] | start and stop; `connection`, `tls`, `http`: sockets, TLS with client certificates, HTTP |
//! | [`options`] | how strict, how late, which keys |
//! | [`operation`] | what can be called, and where |
//! | `authorization`, `fields`, `query` | the checks that come before the business layer, in the channel's order |
//! | `v3`, `v2`, `mini` | one file for each call |
//! | `reply`, `aead`, [`keys`], [`notice`] | signatures and encryption of what goes back |
//! | `world`, `order`, `collect`, `back` | the truth: orders, codes, buyers, money back |
//! | [`ledger`], [`calls`] | the truth as a test reads it |
//! | [`control`], [`weather`] | the side that tests and the demo hold |
//! | [`wallet`] | the buyer's phone |
//!
//! The names are those of [`crate::alipay`], so that tests and the demo hold both channels alike.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use sandbox::wechat::{Gateway, GatewayOptions};
//!
//! let gateway = Gateway::start(GatewayOptions::default()).await?;
//! println!("APIv3 at {}, with TLS at {}", gateway.url(), gateway.tls_url());
//! println!("a pay code: {}", gateway.control().wallet().pay_code());
//! gateway.stop().await;
//! # Ok(())
//! # }
//! ```

mod aead;
mod authorization;
mod back;
mod bill;
pub mod calls;
mod collect;
mod connection;
pub mod control;
mod fields;
pub mod gateway;
mod http;
pub mod keys;
pub mod ledger;
mod mini;
pub mod notice;
pub mod operation;
pub mod options;
mod order;
mod query;
mod refusal;
mod reply;
mod times;
mod tls;
mod v2;
mod v3;
pub mod wallet;
pub mod weather;
mod world;

pub use crate::alipay::options::Clock;
pub use crate::alipay::wallet::{Request, Scanned, WalletError};
pub use calls::{CallOutcome, CallRecord, Probe};
pub use control::{Changes, Control};
pub use gateway::Gateway;
pub use keys::{MerchantKeys, merchant_keys, other_merchant_keys};
pub use ledger::{Ledger, LedgerEntry, OpenCode, RefundEntry};
pub use notice::Notice;
pub use operation::Operation;
pub use options::{GatewayOptions, KeyMode, PayingForm};
pub use order::{RefundState, TradeState};
pub use wallet::Wallet;
pub use weather::{Condition, Fault, Host, Weather};
