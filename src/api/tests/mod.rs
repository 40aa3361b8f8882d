//! The API over its own doors, against a real engine and a real journal.

mod audit;
mod description;
mod doors;
mod events;
mod format;
mod http;
pub mod machine;
pub mod notices;
mod orders;
mod payments;
mod queue;
mod refunds;
mod refusals;
mod slots;
