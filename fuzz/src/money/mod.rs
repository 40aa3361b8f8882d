//! Targets of the payment crate.

pub mod alipay;
mod forged;
pub mod keys;
mod orders;
pub mod texts;
mod vectors;
pub mod vsp;
pub mod wechat;
pub mod wechat_beside;
pub mod yst;
