//! MDB: Till as the cashless reader of a vending machine, through an adapter that keeps the bus's times
//! (reference/hardware.md 3.1 to 3.4).
//!
//! | module | subject |
//! |---|---|
//! | `controller` | the money rules, over either adapter |
//! | `ready` | can the machine be sold at |
//! | `text`, `text_line` | adapters that are readers by themselves and speak in lines: Qibixx MDB-USB, Pi Hat |
//! | `hex`, `reader` | boxes that pass commands through, and the reader that answers them |
//! | `block`, `money` | what the bus says |
//! | `wiring` | the reader that a board describes |

pub(crate) mod block;
pub(crate) mod controller;
pub(crate) mod hex;
pub(crate) mod link;
pub(crate) mod money;
pub(crate) mod reader;
mod ready;
pub(crate) mod text;
pub(crate) mod text_line;
mod wiring;

#[cfg(test)]
mod bench;
#[cfg(test)]
mod credit_scenes;
#[cfg(test)]
mod scenes;
#[cfg(test)]
mod seeded;

pub(crate) use wiring::controller;
