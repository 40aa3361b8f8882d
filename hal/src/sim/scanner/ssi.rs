//! A simulated SSI scanner: packets, acknowledgements, repeats, sleep (reference/hardware.md 1.5).

use std::{collections::BTreeMap, time::Duration};

use super::{Eye, Mode, Scanner, Wire};
use crate::sim::port::Device;

/// How long it waits for an acknowledgement.
const RESPONSE: Duration = Duration::from_secs(2);
const REPEATS: u32 = 2;
/// Idle for so long, it sleeps, and loses the next byte.
const AWAKE: Duration = Duration::from_secs(1);

/// Half a packet that pauses for so long is none.
const CHARACTER: Duration = Duration::from_millis(200);

/// A code that the host has not acknowledged.
#[derive(Debug, Clone)]
struct Unacknowledged {
    data: Vec<u8>,
    repeats: u32,
    due: Duration,
}

/// An LS or SE engine.
#[derive(Debug, Clone)]
pub struct SsiScanner {
    /// Its line.
    pub wire: Wire,
    /// Its window.
    pub eye: Eye,
    /// Its parameters by number.
    pub parameters: BTreeMap<u8, u8>,
    /// How often a parameter was written so that it wears.
    pub kept: u32,
    /// Codes that were given up after two repeats.
    pub errors: u32,
    /// Acknowledgements that came for no packet.
    pub needless_acks: u32,
    /// Beeps that the host asked for.
    pub beeps: u32,
    unacknowledged: Option<Unacknowledged>,
    last_heard: Option<Duration>,
    buffer: Vec<u8>,
}

impl Default for SsiScanner {
    fn default() -> Self {
        Self {
            wire: Wire::at(9600),
            eye: Eye::new(Mode::Always),
            parameters: [(0x8A, 0), (0xEE, 0)].into(),
            kept: 0,
            errors: 0,
            needless_acks: 0,
            beeps: 0,
            unacknowledged: None,
            last_heard: None,
            buffer: Vec::new(),
        }
    }
}

fn packet(opcode: u8, status: u8, data: &[u8]) -> Vec<u8> {
    let mut packet = vec![u8::try_from(data.len() + 4).unwrap_or(u8::MAX), opcode, 0, status];
    packet.extend_from_slice(data);
    let sum: u32 = packet.iter().map(|byte| u32::from(*byte)).sum();
    let check = 0x1_0000 - (sum & 0xFFFF);
    packet
        .extend([u8::try_from(check >> 8 & 0xFF).unwrap_or_default(), u8::try_from(check & 0xFF).unwrap_or_default()]);
    packet
}

impl SsiScanner {
    /// A parameter's value.
    #[must_use]
    pub fn parameter(&self, number: u8) -> u8 {
        self.parameters.get(&number).copied().unwrap_or_default()
    }

    fn decoded(&mut self, now: Duration, code: Option<String>) {
        let Some(code) = code else { return };
        if self.parameter(0xEE) == 0 {
            return self.wire.send(format!("{code}\r").as_bytes());
        }
        // It is awake as long as it talks.
        self.last_heard = Some(now);
        let data = [&[0x03], code.as_bytes()].concat();
        self.wire.send(&packet(0xF3, 0, &data));
        self.unacknowledged = Some(Unacknowledged { data, repeats: 0, due: now + RESPONSE });
    }

    fn command(&mut self, now: Duration, opcode: u8, status: u8, data: &[u8]) {
        match opcode {
            0xD0 => {
                if self.unacknowledged.take().is_none() {
                    self.needless_acks += 1;
                }
                return;
            }
            0xD1 => {
                if let Some(waiting) = self.unacknowledged.as_mut() {
                    waiting.due = now;
                }
                return;
            }
            0xA3 => return self.wire.send(&packet(0xA4, 0, b"NBRFMAAC 00 SE2707")),
            0xC6 => {
                self.parameters.extend(data.iter().skip(1).zip(data.iter().skip(2)).step_by(2));
                self.kept += u32::from(status & 0x08 != 0);
                self.eye.mode = if self.parameter(0x8A) == 8 { Mode::OnCommand } else { Mode::Always };
            }
            0xE6 => self.beeps += 1,
            0xE4 | 0xE5 | 0xE9 | 0xEA | 0xEB => {}
            _ => return self.wire.send(&packet(0xD1, 0, &[0x02])),
        }
        self.wire.send(&packet(0xD0, 0, &[]));
        match opcode {
            0xE4 => {
                let code = self.eye.trigger(now);
                self.decoded(now, code);
            }
            0xE5 => self.eye.stop(),
            _ => {}
        }
    }

    /// A sleeping scanner loses the byte that wakes it.
    fn awake<'a>(&mut self, now: Duration, bytes: &'a [u8]) -> &'a [u8] {
        let asleep = self.last_heard.is_none_or(|last| now >= last + AWAKE);
        if self.last_heard.is_none_or(|last| now >= last + CHARACTER) {
            self.buffer.clear();
        }
        self.last_heard = Some(now);
        if asleep { bytes.get(1..).unwrap_or_default() } else { bytes }
    }
}

impl Device for SsiScanner {
    fn received(&mut self, now: Duration, bytes: &[u8]) {
        let bytes = self.wire.heard(bytes);
        let bytes = self.awake(now, bytes).to_vec();
        self.buffer.extend(bytes);
        loop {
            // A byte 00 wakes and is nothing else.
            let junk = self.buffer.iter().take_while(|byte| **byte < 4).count();
            self.buffer.drain(..junk);
            let Some(&length) = self.buffer.first() else { return };
            let end = usize::from(length) + 2;
            if self.buffer.len() < end {
                return;
            }
            let whole: Vec<u8> = self.buffer.drain(..end).collect();
            let sum: u32 = whole.iter().take(end - 2).map(|byte| u32::from(*byte)).sum();
            if let [_, opcode, 0x04, status, data @ .., high, low] = whole.as_slice()
                && (sum + u32::from(*high) * 256 + u32::from(*low)) & 0xFFFF == 0
            {
                self.command(now, *opcode, *status, data);
            } else {
                self.wire.send(&packet(0xD1, 0, &[0x01]));
            }
        }
    }

    fn woken(&mut self, now: Duration) {
        self.wire.woken(now);
        let Some(mut waiting) = self.unacknowledged.take_if(|waiting| waiting.due <= now) else { return };
        if waiting.repeats == REPEATS {
            self.errors += 1;
            return;
        }
        self.last_heard = Some(now);
        self.wire.send(&packet(0xF3, 0x01, &waiting.data));
        waiting.repeats += 1;
        waiting.due = now + RESPONSE;
        self.unacknowledged = Some(waiting);
    }

    fn due(&self) -> Option<Duration> {
        let repeat = self.unacknowledged.as_ref().map(|waiting| waiting.due);
        self.wire.due().into_iter().chain(repeat).min()
    }

    fn to_send(&mut self) -> Option<Vec<u8>> {
        self.wire.to_send()
    }
}

impl Scanner for SsiScanner {
    fn show(&mut self, now: Duration, code: Option<&str>) {
        let code = self.eye.show(now, code);
        self.decoded(now, code);
    }

    fn power_cycle(&mut self, _: Duration) {
        *self = Self { wire: self.wire.clone(), ..Self::default() };
    }

    fn host_speed(&mut self, baud: u32) {
        self.wire.host = baud;
    }
}
