//! Zebra's Simple Serial Interface and its clones (reference/hardware.md 1.5).
//!
//! Codes in packets are acknowledged, and one that is marked as sent again counts once. Raw codes are never acknowledged: what
//! has no packet's head is text. A byte and a short wait go before every command, or a sleeping scanner loses its start.

use super::{Act, Ask, Dialect, Peel, Wants, readable};
use crate::{board::Terminator, scanner::frame::KEPT_MAX};

const HOST: u8 = 0x04;
const SCANNER: u8 = 0x00;

const REQUEST_REVISION: u8 = 0xA3;
const REPLY_REVISION: u8 = 0xA4;
const PARAM_SEND: u8 = 0xC6;
const ACK: u8 = 0xD0;
const NAK: u8 = 0xD1;
const START_SESSION: u8 = 0xE4;
const STOP_SESSION: u8 = 0xE5;
/// From memory.
const BEEP: u8 = 0xE6;
const DECODE_DATA: u8 = 0xF3;
/// From memory.
const EVENT: u8 = 0xF6;

/// The packet was sent before.
const RESENT: u8 = 0x01;
/// More of the same code follows; from memory.
const CONTINUED: u8 = 0x02;
/// Why a packet was refused: send it again.
const CORRUPT: u8 = 0x01;

/// The two's complement of the 16-bit sum.
fn checksum(packet: &[u8]) -> [u8; 2] {
    let sum = packet.iter().fold(0u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
    sum.wrapping_neg().to_be_bytes()
}

/// A packet; `source`: 04 host, 00 scanner.
pub(crate) fn packet(opcode: u8, source: u8, status: u8, data: &[u8]) -> Vec<u8> {
    let length = u8::try_from(data.len() + 4).unwrap_or(u8::MAX);
    let mut packet = vec![length, opcode, source, status];
    packet.extend_from_slice(data);
    let sum = checksum(&packet);
    packet.extend(sum);
    packet
}

fn from_host(opcode: u8, data: &[u8]) -> Vec<u8> {
    packet(opcode, HOST, 0, data)
}

fn ask(opcode: u8, data: &[u8]) -> Ask {
    Ask { wake: true, ..Ask::new(from_host(opcode, data)) }
}

/// Sets a parameter until power-off; FF: without a beep.
fn parameter(number: u8, value: u8) -> Ask {
    ask(PARAM_SEND, &[0xFF, number, value])
}

/// The set-up of one SSI scanner.
pub(crate) struct Ssi {
    wants: Wants,
    /// Parameters still to be set, the next one last.
    parameters: Vec<(u8, u8)>,
    version: Option<String>,
    asked_version: bool,
    refused: bool,
    /// The data of the packet before, to know it again.
    last: Vec<u8>,
    /// The beginning of a code that is longer than a packet.
    partial: Vec<u8>,
}

impl Ssi {
    pub(crate) fn new(wants: Wants) -> Self {
        let mut parameters = Vec::new();
        if wants.setup {
            // Number 38, the beep at a good read, is from memory.
            parameters.extend(wants.beep.map(|beep| (0x38, u8::from(beep))));
            // Codes in packets.
            parameters.push((0xEE, 1));
            parameters.extend(wants.host.then_some((0x8A, 8)));
        }
        Self {
            wants,
            parameters,
            version: None,
            asked_version: false,
            refused: false,
            last: Vec::new(),
            partial: Vec::new(),
        }
    }

    /// A code's packet, whole: type first, then its text.
    fn decoded(&mut self, length: usize, status: u8, data: &[u8]) -> Peel {
        let answer = Some(from_host(ACK, &[]));
        if status & RESENT != 0 && data == self.last {
            return Peel::Message { length, code: None, answer, spoilt: false };
        }
        self.last = data.to_vec();
        let room = KEPT_MAX.saturating_sub(self.partial.len());
        self.partial.extend(data.iter().skip(1).take(room));
        let complete = status & CONTINUED == 0;
        let code = complete.then(|| std::mem::take(&mut self.partial));
        Peel::Message { length, code, answer, spoilt: false }
    }

    /// Nothing of it is believed, so what comes again is not the same again.
    fn damaged(&mut self, length: usize, status: u8) -> Peel {
        if status & RESENT == 0 {
            self.last.clear();
        }
        Peel::Message { length, code: None, answer: Some(from_host(NAK, &[CORRUPT])), spoilt: true }
    }

    /// In the middle of a raw code only what is no text may begin a packet.
    fn may_begin(&self, first: u8, between: bool) -> bool {
        let text = matches!(first, b' '..=b'~' | b'\r' | b'\n' | b'\t');
        first >= 4 && (between || !text || self.wants.terminator == Terminator::None)
    }
}

impl Dialect for Ssi {
    fn name(&self) -> &'static str {
        "ssi"
    }

    fn next(&mut self) -> Option<Ask> {
        if !self.asked_version {
            return Some(ask(REQUEST_REVISION, &[]));
        }
        self.parameters.last().map(|(number, value)| parameter(*number, *value))
    }

    fn answered(&mut self, reply: Option<&[u8]>) {
        if !self.asked_version {
            self.asked_version = true;
            let text = reply.and_then(|reply| reply.get(4..reply.len().checked_sub(2)?));
            self.version = text.map(readable);
            return;
        }
        self.refused |= reply.is_none_or(|reply| reply.get(1) != Some(&ACK));
        self.parameters.pop();
    }

    fn fits(&self, asked: &[u8], reply: &[u8]) -> bool {
        let wanted = if asked.get(1) == Some(&REQUEST_REVISION) { REPLY_REVISION } else { ACK };
        match reply {
            // It is sent again when the time is over.
            [_, NAK, _, _, CORRUPT, ..] => false,
            [_, opcode, ..] => *opcode == wanted || *opcode == NAK,
            _ => false,
        }
    }

    fn peel(&mut self, head: &[u8], between: bool) -> Peel {
        let [first, rest @ ..] = head else { return Peel::Text };
        let known = match rest {
            [] => true,
            [ACK | NAK | DECODE_DATA | REPLY_REVISION | PARAM_SEND | EVENT] => true,
            [ACK | NAK | DECODE_DATA | REPLY_REVISION | PARAM_SEND | EVENT, source, ..] => *source == SCANNER,
            _ => false,
        };
        if !known || !self.may_begin(*first, between) {
            return Peel::Text;
        }
        let length = usize::from(*first) + 2;
        let Some([body @ .., high, low]) = head.get(..length) else { return Peel::More };
        let whole = checksum(body) == [*high, *low];
        match body {
            [_, DECODE_DATA, _, status, ..] if !whole => self.damaged(length, *status),
            [_, DECODE_DATA, _, status, data @ ..] => self.decoded(length, *status, data),
            [_, EVENT, ..] if whole => {
                Peel::Message { length, code: None, answer: Some(from_host(ACK, &[])), spoilt: false }
            }
            _ if whole => Peel::Reply(length),
            _ => Peel::Text,
        }
    }

    fn act(&self, act: Act) -> Option<Ask> {
        match act {
            Act::Trigger => Some(ask(START_SESSION, &[]).tries(2)),
            Act::Stop => Some(ask(STOP_SESSION, &[]).tries(2)),
            Act::BeepGood => Some(ask(BEEP, &[0x00]).tries(1)),
            Act::BeepBad => Some(ask(BEEP, &[0x0F]).tries(1)),
            Act::Heartbeat => None,
        }
    }

    fn version(&self) -> Option<String> {
        self.version.clone()
    }

    fn advice(&self) -> Option<&'static str> {
        self.refused.then_some(
            "the scanner refused a setting: set host trigger and packets by the codes of its manual, or trigger = \"scanner\"",
        )
    }
}
