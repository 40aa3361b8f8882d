//! `7E 00` frames that read and write single bits of a zone memory: GM6x, GM8x and kin (reference/hardware.md 1.2).
//!
//! Models differ in what a zone means. So a zone is read first, only the wanted bits change, and flash is written once.

use std::time::Duration;

use super::{Act, Ask, Dialect, Peel, READ_TIME, Wants};
use crate::board::Terminator;

const READ: u8 = 0x07;
const WRITE: u8 = 0x08;
const SAVE: u8 = 0x09;
const BEAT: u8 = 0x0A;

/// LED, beep, aim, light, and who starts a read.
const MODE: u16 = 0x0000;
const START: u16 = 0x0002;
const READ_LIMIT: u16 = 0x0006;
/// Tail, prefix, suffix, messages.
const OUTPUT: u16 = 0x0060;
const VERSION: u16 = 0x00E2;

/// Longest reply that any question here has: what says it is longer is none.
const DATA_MAX: usize = 16;

/// CRC-16/XMODEM.
pub(crate) fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 })
    })
}

/// A frame to the scanner.
pub(crate) fn frame(kind: u8, zone: u16, data: &[u8]) -> Vec<u8> {
    let [high, low] = zone.to_be_bytes();
    let length = u8::try_from(data.len()).unwrap_or_default();
    let mut frame = vec![0x7E, 0x00, kind, length, high, low];
    frame.extend_from_slice(data);
    let crc = crc(frame.get(2..).unwrap_or_default());
    frame.extend(crc.to_be_bytes());
    frame
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Version,
    /// Read, and write if it differs.
    Zone(u16),
    Save,
    Beat,
    Done,
}

/// The set-up of one 7E scanner.
pub(crate) struct Zone {
    wants: Wants,
    step: Step,
    /// What the zone of the step becomes.
    write: Option<u8>,
    changed: bool,
    saved: bool,
    version: Option<u8>,
    read_limit: Option<u8>,
    waits_for_host: bool,
    beats: bool,
}

impl Zone {
    pub(crate) fn new(wants: Wants) -> Self {
        Self {
            wants,
            step: Step::Version,
            write: None,
            changed: false,
            saved: false,
            version: None,
            read_limit: None,
            waits_for_host: false,
            beats: false,
        }
    }

    fn after(&self, step: Step) -> Step {
        match step {
            Step::Version if self.wants.setup => Step::Zone(MODE),
            Step::Zone(MODE) => Step::Zone(OUTPUT),
            Step::Version | Step::Zone(OUTPUT) if self.wants.host => Step::Zone(READ_LIMIT),
            Step::Zone(OUTPUT | READ_LIMIT) if self.changed && self.wants.save => Step::Save,
            Step::Version | Step::Zone(_) | Step::Save => Step::Beat,
            Step::Beat | Step::Done => Step::Done,
        }
    }

    fn go_on(&mut self) {
        self.write = None;
        self.step = self.after(self.step);
    }

    /// The zone's value with the bits that the board wants.
    fn wanted(&self, zone: u16, value: u8) -> u8 {
        match zone {
            MODE => self.wanted_mode(value),
            OUTPUT => self.wanted_output(value),
            _ => value,
        }
    }

    fn wanted_mode(&self, value: u8) -> u8 {
        let value = if self.wants.host { value & !0x03 | 0x01 } else { value };
        let value = with_bit(value, 0x40, self.wants.beep);
        with_bit(value, 0x80, self.wants.led)
    }

    /// No raw packets, no message for a read that failed, no code's name before the code, and the tail that is waited for.
    fn wanted_output(&self, value: u8) -> u8 {
        let value = value & !(0x80 | 0x10 | 0x04);
        let tail = match self.wants.terminator {
            Terminator::Cr => 0x00,
            Terminator::Crlf => 0x20,
            Terminator::Tab => 0x40,
            Terminator::None => return value & !0x01,
            Terminator::Any | Terminator::Lf => {
                return if value & 0x40 == 0 { value | 0x01 } else { value & !0x60 | 0x01 };
            }
        };
        value & !0x60 | tail | 0x01
    }

    fn learn(&mut self, zone: u16, value: u8) {
        if zone == READ_LIMIT {
            self.read_limit = Some(value);
        }
        let wanted = self.wanted(zone, value);
        if zone == MODE {
            self.waits_for_host = !self.wants.host && wanted & 0x03 == 0x01;
        }
        if wanted == value {
            self.go_on();
        } else {
            self.write = Some(wanted);
        }
    }
}

/// The value with this bit as it is wanted, if it is.
const fn with_bit(value: u8, bit: u8, wanted: Option<bool>) -> u8 {
    match wanted {
        Some(true) => value | bit,
        Some(false) => value & !bit,
        None => value,
    }
}

/// The data of a reply whose status is good.
fn data(reply: &[u8]) -> Option<&[u8]> {
    match reply {
        [_, 0, 0, _, data @ .., _, _] => Some(data),
        _ => None,
    }
}

impl Dialect for Zone {
    fn name(&self) -> &'static str {
        "7e"
    }

    fn next(&mut self) -> Option<Ask> {
        let frame = match (self.step, self.write) {
            (Step::Version, _) => frame(READ, VERSION, &[1]),
            (Step::Zone(zone), None) => frame(READ, zone, &[1]),
            (Step::Zone(zone), Some(value)) => frame(WRITE, zone, &[value]),
            (Step::Save, _) => return Some(Ask::new(frame(SAVE, 0, &[0])).within_ms(1000)),
            (Step::Beat, _) => return self.act(Act::Heartbeat),
            (Step::Done, _) => return None,
        };
        Some(Ask::new(frame))
    }

    fn answered(&mut self, reply: Option<&[u8]>) {
        let value = reply.and_then(data).and_then(|data| data.first()).copied();
        match (self.step, self.write.is_some()) {
            (Step::Version, _) => self.version = value,
            (Step::Zone(zone), false) => {
                if let Some(value) = value {
                    return self.learn(zone, value);
                }
            }
            (Step::Zone(_), true) => self.changed |= value.is_some(),
            (Step::Save, _) => self.saved = true,
            (Step::Beat, _) => self.beats = reply.is_some(),
            (Step::Done, _) => {}
        }
        self.go_on();
    }

    fn fits(&self, asked: &[u8], reply: &[u8]) -> bool {
        let beat = asked.get(2) == Some(&BEAT);
        reply.first() == Some(if beat { &0x03 } else { &0x02 })
    }

    fn peel(&mut self, head: &[u8], _: bool) -> Peel {
        let length = match head {
            [0x02 | 0x03] | [0x02 | 0x03, 0] | [0x02 | 0x03, 0, _] => return Peel::More,
            [0x02 | 0x03, 0, _, data, ..] if usize::from(*data) <= DATA_MAX => usize::from(*data) + 6,
            _ => return Peel::Text,
        };
        let Some(reply) = head.get(..length) else { return Peel::More };
        match reply {
            [_, _, body @ .., high, low] if crc(body) == u16::from_be_bytes([*high, *low]) => Peel::Reply(length),
            _ => Peel::Text,
        }
    }

    fn act(&self, act: Act) -> Option<Ask> {
        match act {
            Act::Trigger => Some(Ask::new(frame(WRITE, START, &[1])).tries(2)),
            Act::Stop => Some(Ask::new(frame(WRITE, START, &[0])).tries(2)),
            Act::Heartbeat => Some(Ask::new(frame(BEAT, 0, &[0])).tries(1)),
            Act::BeepGood | Act::BeepBad => None,
        }
    }

    fn version(&self) -> Option<String> {
        self.version.map(|version| format!("version {version:02X}"))
    }

    fn read_time(&self) -> Duration {
        self.read_limit.map_or(READ_TIME, |tenths| Duration::from_millis(u64::from(tenths) * 100))
    }

    fn beats(&self) -> bool {
        self.beats
    }

    fn saved(&self) -> bool {
        self.saved
    }

    fn advice(&self) -> Option<&'static str> {
        self.waits_for_host.then_some(
            "the scanner reads only on command: set trigger = \"host\" in [scanner], or set the scanner to sense mode",
        )
    }
}
