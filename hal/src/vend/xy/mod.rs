//! Controllers with the XY-VMC "upper computer" protocol (reference/hardware.md 3.6): 57600 8N1, the machine asks every 200 ms
//! and wants its answer within 100 ms.
//!
//! | module | subject |
//! |---|---|
//! | `packet` | bytes to packets and back |
//! | `link` | numbers, acknowledgements and repeats: who may speak when |
//! | `words` | what the numbers in the packets mean |
//! | `control` | jobs, choices and reports |
//!
//! Notices of money (21) and of what is in the machine (23) are written to the log and nothing else: inserted money is no sale,
//! and a report of a delivery that we did not order may be a late one of ours or a technician's test. So this protocol tells no
//! [`CashSold`](crate::DeviceEvent::CashSold).

mod control;
mod link;
pub(crate) mod packet;
mod words;

pub(crate) use control::Xy;
pub(crate) use words::command;
