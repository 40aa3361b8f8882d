//! A simulated 7E zone-bit scanner: zone memory, its flash copy, frames with CRC (reference/hardware.md 1.2).

use std::{collections::BTreeMap, time::Duration};

use super::{Eye, Mode, Scanner, Wire, sends_by_its_wire};
use crate::sim::port::Device;

/// How long a save to flash takes.
const SAVING: Duration = Duration::from_millis(100);

/// A GM65 or the like.
#[derive(Debug, Clone)]
pub struct ZoneScanner {
    /// Its line.
    pub wire: Wire,
    /// Its window.
    pub eye: Eye,
    /// What its bits are now.
    pub zones: BTreeMap<u16, u8>,
    /// What they are after power-on.
    pub flash: BTreeMap<u16, u8>,
    /// How often flash was written.
    pub saves: u32,
    /// How often a zone was written.
    pub writes: u32,
    /// How often its LED showed a good read.
    pub flashes: u32,
    /// Whether its firmware knows heartbeats.
    pub beats: bool,
    /// It hears and says nothing, and still reads.
    pub mute: bool,
    /// How long it thinks before a reply.
    pub delay: Duration,
    buffer: Vec<u8>,
}

fn check(bytes: &[u8]) -> [u8; 2] {
    let mut register: u32 = 0;
    for bit in bytes.iter().flat_map(|byte| (0..8).rev().map(move |place| u32::from(byte >> place & 1))) {
        let top = register >> 15 & 1;
        register = register << 1 & 0xFFFF;
        if top ^ bit == 1 {
            register ^= 0x1021;
        }
    }
    [u8::try_from(register >> 8).unwrap_or_default(), u8::try_from(register & 0xFF).unwrap_or_default()]
}

fn reply(first: u8, data: &[u8]) -> Vec<u8> {
    let mut body = vec![0, u8::try_from(data.len()).unwrap_or_default()];
    body.extend_from_slice(data);
    let crc = check(&body);
    [&[first, 0], body.as_slice(), &crc].concat()
}

impl Default for ZoneScanner {
    fn default() -> Self {
        let zones: BTreeMap<u16, u8> = [
            (0x0000, 0xD2),
            (0x0006, 0x32),
            (0x000D, 0),
            (0x002A, 0x39),
            (0x002B, 0x01),
            (0x0060, 0x01),
            (0x00E2, 0x64),
        ]
        .into();
        let eye = Eye::new(Mode::Always);
        Self {
            wire: Wire::at(9600),
            eye,
            flash: zones.clone(),
            zones,
            saves: 0,
            writes: 0,
            flashes: 0,
            beats: true,
            mute: false,
            delay: Duration::ZERO,
            buffer: Vec::new(),
        }
    }
}

impl ZoneScanner {
    /// One that says nothing to commands.
    #[must_use]
    pub fn mute() -> Self {
        Self { mute: true, ..Self::default() }
    }

    /// One whose firmware knows no heartbeats.
    #[must_use]
    pub fn without_heartbeats() -> Self {
        Self { beats: false, ..Self::default() }
    }

    /// One that thinks so long before each reply.
    #[must_use]
    pub fn slow(delay: Duration) -> Self {
        Self { delay, ..Self::default() }
    }

    /// A zone's value.
    #[must_use]
    pub fn zone(&self, address: u16) -> u8 {
        self.zones.get(&address).copied().unwrap_or_default()
    }

    fn apply(&mut self) {
        self.eye.mode = if self.zone(0) & 0x03 == 1 { Mode::OnCommand } else { Mode::Always };
        self.eye.limit = Duration::from_millis(u64::from(self.zone(0x0006)) * 100);
    }

    fn frame(&mut self, now: Duration, kind: u8, address: u16, data: &[u8]) {
        match kind {
            0x07 => {
                let count = u16::from(data.first().copied().unwrap_or_default());
                let values: Vec<u8> = (address..address.saturating_add(count)).map(|at| self.zone(at)).collect();
                self.answer(now, reply(2, &values));
            }
            0x08 => self.write(now, address, data),
            0x09 => {
                self.flash = self.zones.clone();
                self.saves += 1;
                self.wire.send_at(now + SAVING, reply(2, &[0]));
            }
            0x0A if self.beats => self.answer(now, reply(3, &[0])),
            _ => {}
        }
    }

    /// The reply goes before the data, in the same burst.
    fn write(&mut self, now: Duration, address: u16, data: &[u8]) {
        let mut burst = reply(2, &[0]);
        if address == 0x0002 {
            let start = data.first().is_some_and(|value| value & 1 == 1);
            let code = if start { self.eye.trigger(now) } else { None };
            if !start {
                self.eye.stop();
            }
            burst.extend(code.map(|code| self.read(&code)).unwrap_or_default());
        } else {
            self.writes += 1;
            self.zones.extend((address..).zip(data.iter().copied()));
            self.apply();
        }
        self.answer(now, burst);
    }

    fn answer(&mut self, now: Duration, bytes: Vec<u8>) {
        if self.delay.is_zero() {
            self.wire.send(&bytes);
        } else {
            self.wire.send_at(now + self.delay, bytes);
        }
    }

    /// What a good read sends; its LED shows it.
    fn read(&mut self, code: &str) -> Vec<u8> {
        self.flashes += u32::from(self.zone(0) & 0x80 != 0);
        let output = self.zone(0x0060);
        let tail: &[u8] = match (output & 1, output >> 5 & 3) {
            (1, 0) => b"\r",
            (1, 1) => b"\r\n",
            (1, 2) => b"\t",
            _ => b"",
        };
        [code.as_bytes(), tail].concat()
    }
}

impl Device for ZoneScanner {
    fn received(&mut self, now: Duration, bytes: &[u8]) {
        if self.mute {
            return;
        }
        self.buffer.extend_from_slice(self.wire.heard(bytes));
        while let Some(start) = self.buffer.windows(2).position(|two| two == [0x7E, 0x00]) {
            self.buffer.drain(..start);
            let Some(&length) = self.buffer.get(3) else { return };
            let end = 6 + usize::from(length) + 2;
            if self.buffer.len() < end {
                return;
            }
            let frame: Vec<u8> = self.buffer.drain(..end).collect();
            if let [_, _, body @ .., high, low] = frame.as_slice()
                && let [kind, _, first, second, data @ ..] = body
                && (check(body) == [*high, *low] || [*high, *low] == [0xAB, 0xCD])
            {
                self.frame(now, *kind, u16::from_be_bytes([*first, *second]), data);
            }
        }
    }

    sends_by_its_wire!();
}

impl Scanner for ZoneScanner {
    fn show(&mut self, now: Duration, code: Option<&str>) {
        if let Some(code) = self.eye.show(now, code) {
            let bytes = self.read(&code);
            self.wire.send(&bytes);
        }
    }

    fn power_cycle(&mut self, _: Duration) {
        self.zones = self.flash.clone();
        self.buffer.clear();
        self.eye.stop();
        self.apply();
    }

    fn host_speed(&mut self, baud: u32) {
        self.wire.host = baud;
    }
}
