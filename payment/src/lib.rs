//! The pure payment core of Till.
//!
//! Nothing in this crate reads a clock, a file, a socket or the environment: time, entropy and replies come in as
//! arguments, and everything that shall happen goes out as an [`engine::effect::Effect`].
//!
//! | module | subject |
//! |---|---|
//! | [`money`] | [`money::Fen`], the only form of money inside Till |
//! | [`ids`] | order, attempt and refund numbers, made from given entropy |
//! | [`instalment`] | Huabei instalments: plans, down payments, the promotion guide |
//! | [`redact`] | pay codes and secrets that cannot be printed |
//! | [`time`] | monotonic and wall time as plain data |
//! | [`voucher`] | member and voucher codes that the operator signed |
//! | [`channel`] | the channels' protocols: bytes in, bytes out |
//! | [`engine`] | the state machine that owns every order |

pub mod channel;
pub mod engine;
pub mod ids;
pub mod instalment;
pub mod money;
pub mod redact;
pub mod time;
pub mod voucher;
