//! A small hub: what docs/hub.md asks of the operator's side, with SQLite behind it.
//!
//! It is an independent witness. It is written from the page alone: signatures, digests, the hash chain, command and code
//! texts are computed by its own code, never by the terminal's. What it lets pass, any hub that follows the page lets pass.
//!
//! | module | subject |
//! |---|---|
//! | [`receiver`] | the hub without a socket and without a clock: a request in, an answer out |
//! | [`wire`] | requests, answers and refusals |
//! | `signature` | digest, signature and who signed |
//! | `batch` | gzip, limits and lines |
//! | `seal` | the hash of an entry |
//! | `accept`, `join`, `poll` | the three things that a terminal asks |
//! | `store` | the SQLite file |
//! | [`books`] | what the entries of all terminals add up to |
//! | [`operator`] | the operator's key: commands, member and voucher codes |
//! | [`server`], [`control`], [`weather`] | real sockets, the side that tests hold, and what goes wrong on the way |
//!
//! ```no_run
//! # async fn example() -> Result<(), sandbox::hub::HubError> {
//! use sandbox::hub::{Hub, HubOptions};
//!
//! let hub = Hub::start(HubOptions::default()).await?;
//! let control = hub.control();
//! println!("set the hub's url to {}, and join with {}", hub.url(), control.join_code());
//! control.until(|books| books.acknowledged("VM-0001") == 12).await;
//! hub.stop().await;
//! # Ok(())
//! # }
//! ```

mod accept;
mod batch;
pub mod books;
pub mod control;
mod join;
pub mod operator;
mod poll;
pub mod receiver;
mod seal;
pub mod server;
mod signature;
mod store;
pub mod weather;
pub mod wire;

pub use books::{Books, DoubleUse, KeptEntry, KeptResult, RefusedEntry, Totals, Use};
pub use control::{HubControl, Traffic};
pub use operator::{CodeKind, OperatorKey, SignedCommand};
pub use receiver::{Durability, HubError, Receiver, Rule};
pub use server::{Hub, HubOptions};
pub use weather::{Call, Condition, Fault, Weather};
pub use wire::{Request, Response};
