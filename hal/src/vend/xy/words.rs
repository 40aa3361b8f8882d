//! What the numbers in the packets mean (reference/hardware.md 3.6, and the protocol's paper V3.0 for the lifts and ovens).

use crate::event::VendResult;

/// Commands.
pub(crate) mod command {
    /// To the machine: how is this slot?
    pub(crate) const CHECK: u8 = 0x01;
    /// From the machine: so.
    pub(crate) const CHECKED: u8 = 0x02;
    /// To the machine: sell this slot by your own rules.
    pub(crate) const BUY: u8 = 0x03;
    /// From the machine: how the delivery goes.
    pub(crate) const DELIVERY: u8 = 0x04;
    /// Both: chosen, or with slot 0 not any more.
    pub(crate) const CHOICE: u8 = 0x05;
    /// To the machine: turn this motor.
    pub(crate) const DRIVE: u8 = 0x06;
    /// From the machine: price, stock and state of a slot.
    pub(crate) const SLOT: u8 = 0x11;
    /// From the machine: coins or notes came in.
    pub(crate) const MONEY: u8 = 0x21;
    /// Both: tell me everything anew.
    pub(crate) const SYNC: u8 = 0x31;
}

/// What a delivery report says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    /// It goes on.
    Under(&'static str),
    /// It is over.
    Over(VendResult, &'static str),
}

/// The codes of command 04. What is not listed is not the end: the wait for an end goes on, and ends in "nobody knows".
///
/// Only a jam and a missing motor say that the item certainly is where it was: behind a motor that did not stop, a lift, an oven
/// or a termination nobody can tell.
pub(super) fn delivery(code: u8) -> Delivery {
    match code {
        0x02 | 0x24 => Delivery::Over(VendResult::Dropped, ""),
        0x03 => Delivery::Over(VendResult::NotDropped, "the slot is jammed"),
        0x06 => Delivery::Over(VendResult::NotDropped, "the slot has no motor"),
        0x04 => Delivery::Over(VendResult::Unknown, "the motor did not stop"),
        0x07 | 0x12 | 0x13 | 0x29 | 0x30 => Delivery::Over(VendResult::Unknown, "the lift failed"),
        0x15 | 0x17 | 0x20 => Delivery::Over(VendResult::Unknown, "a door of the oven failed"),
        0x25 | 0x28 | 0x31 | 0x32 => Delivery::Over(VendResult::Unknown, "the push rod failed"),
        0xFF => Delivery::Over(VendResult::Unknown, "the controller broke the purchase off"),
        0x01 => Delivery::Under("dispensing"),
        _ => Delivery::Under("a step of the lift or the oven, or a code of this maker's"),
    }
}

/// The codes of command 02: why a slot cannot be driven; `None`: it can.
pub(super) fn why_not(code: u8) -> Option<&'static str> {
    match code {
        0x01 => None,
        0x02 => Some("the controller says that the slot is empty"),
        0x03 => Some("the controller has no such slot"),
        0x04 => Some("the slot is switched off in the controller"),
        0x05 => Some("an item lies in the lift"),
        0x06 | 0x09..=0x15 => Some("a door or the oven is not ready"),
        0x07 | 0x08 | 0x20 | 0x21 => Some("the lift has a fault"),
        0x16..=0x19 | 0x22 | 0x23 => Some("a motor or push rod has a fault"),
        _ => Some("the controller reports a fault of this slot that only its maker can read"),
    }
}

/// Two bytes, high first.
pub(super) fn word(text: &[u8], place: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*text.get(place)?, *text.get(place + 1)?]))
}

/// Four bytes, high first.
pub(super) fn long(text: &[u8], place: usize) -> Option<u32> {
    let bytes = text.get(place..place + 4)?;
    Some(bytes.iter().fold(0, |all, byte| all << 8 | u32::from(*byte)))
}
