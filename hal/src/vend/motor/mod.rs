//! Boards that drive the motors of a machine, on a line where only we ask (reference/hardware.md 3.7).
//!
//! | module | subject |
//! |---|---|
//! | `rtu` | Modbus RTU's frames and CRC |
//! | `dialect` | what is asked and what it means: Modbus registers, or a lane board's commands in the same frame |
//! | `control` | jobs: one order to run, then questions until the board says how it ended |
//! | `spring` | the 6-byte board, which answers once and cannot be asked |
//!
//! `tokio-modbus` exists, and is not used: it hides the frames behind futures, drops what arrives late into the next request
//! (tokio-modbus#324), and could not be tested in made-up time. What is needed of Modbus are three functions and a checksum.
//!
//! **A late reply never turns a motor twice**: the order to run is sent once for a job, whatever becomes of its reply. After a
//! reply that did not come, nothing is sent until the board's slowest reply would have come, and what comes meanwhile is
//! thrown away: Modbus has no number by which a reply could be told from the next one.

mod control;
mod dialect;
pub(crate) mod rtu;
pub(crate) mod spring;

pub(crate) use control::MotorBoard;
pub(crate) use spring::Spring;
