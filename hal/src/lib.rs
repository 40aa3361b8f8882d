//! The devices of a Till terminal: traits, pure codecs, real drivers and simulators, chosen by a board file.
//!
//! | module | subject |
//! |---|---|
//! | [`clock`] | the kernel's word on the time, the clock chip, a wake-up when the clock is set |
//! | [`board`] | the board file: read, checked whole, every problem reported with its line and advice |
//! | [`open()`], [`Devices`] | opens what the board names; the daemon's loop owns the result and never waits on it |
//! | [`event`] | what devices tell the loop |
//! | [`gpio`] | output and input lines: character device, rppal, simulator |
//! | [`display`] | the frame in memory, and the panels: DRM, Linux framebuffer, TFT and e-paper on SPI, the simulated one |
//! | [`oled`] | a small status display on I²C |
//! | [`scanner`] | line assembler, five dialects, serial, keyboard and HID POS drivers |
//! | [`vend`] | relays and drop sensor, pulses, vending controllers, motor boards |
//! | [`keypad`] | buttons on lines, keys in a matrix |
//! | [`printer`] | receipts on an ESC/POS printer |
//! | [`sound`] | lamp, buzzer patterns, sounds from files |
//! | [`safe_state`] | outputs go inactive at open, at exit and on panic |
//! | [`sim`] | the simulated vending machine, controllers, motor boards, scanners, panels and printer, and their ports |
//!
//! A simulator is a device like any other: the code above [`gpio`] and above the serial port does not know which it has.

pub mod board;
pub mod clock;
mod devices;
pub mod display;
pub mod event;
/// Fuzz targets over what only this crate sees: docs/fuzzing.md.
#[cfg(any(test, fuzzing))]
#[path = "../../fuzz/src/devices/mod.rs"]
pub mod fuzzed;
pub mod gpio;
pub mod keypad;
mod latest;
pub mod oled;
mod open;
mod pace;
mod port;
pub mod printer;
mod pwm;
pub mod safe_state;
pub mod scanner;
pub mod sim;
pub mod sound;
pub mod vend;

pub use devices::{Devices, VendRefused};
pub use event::{Beep, DeviceEvent, DisplayState, Key, PrinterState, VendResult};
pub use open::{OpenError, open, open_remembering, release_outputs};
