//! Simulated payment channels that speak the channel's real protocol over real HTTP on loopback, the buyer's phone, and a
//! small [`hub`].
//!
//! The sandbox is an independent witness. It checks requests, signs answers and keeps the books by its own code, never by
//! the code under test, and it is as strict as the channel: what it lets pass, the channel lets pass.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use sandbox::{Gateway, GatewayOptions};
//!
//! let gateway = Gateway::start(GatewayOptions::default()).await?;
//! let control = gateway.control();
//! println!("set gateway_url to {}", gateway.url());
//! println!("a pay code: {}", control.wallet().pay_code());
//! gateway.stop().await;
//! # Ok(())
//! # }
//! ```

pub mod alipay;
pub mod allinpay;
pub mod hub;
pub mod wechat;

pub use alipay::calls::{CallOutcome, CallRecord};
pub use alipay::control::{Changes, Control};
pub use alipay::coupon::{Coupon, CouponBy, Redeemed};
pub use alipay::gateway::Gateway;
pub use alipay::keys::{CertificateFiles, MerchantKeys, merchant_keys};
pub use alipay::ledger::{Ledger, LedgerEntry, OpenCode, RefundEntry, TradeState};
pub use alipay::method::Method;
pub use alipay::options::{Clock, GatewayOptions, InstalmentRate, KeyMode, TimeoutStart};
pub use alipay::wallet::{Request, Scanned, Wallet, WalletError};
pub use alipay::weather::{Condition, Fault, Weather};
