//! A simulated Newland scanner: tags with ranges, replies with a status byte (reference/hardware.md 1.3).

use std::{collections::BTreeMap, time::Duration};

use super::{Eye, Mode, Scanner, Wire, sends_by_its_wire};
use crate::sim::port::Device;

/// A setting by its tag: now, after power-on, and the largest value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Now.
    pub now: u32,
    /// After power-on.
    pub kept: u32,
    /// As it left the factory.
    pub factory: u32,
    /// Largest value.
    pub max: u32,
}

impl Setting {
    const fn new(now: u32, max: u32) -> Self {
        Self { now, kept: now, factory: now, max }
    }
}

/// An NLS-FM430 or the like.
#[derive(Debug, Clone)]
pub struct NewlandScanner {
    /// Its line.
    pub wire: Wire,
    /// Its window.
    pub eye: Eye,
    /// Its settings by tag.
    pub settings: BTreeMap<String, Setting>,
    /// How long it thinks before a reply.
    pub delay: Duration,
    /// How often a setting was written so that it wears.
    pub kept: u32,
    buffer: Vec<u8>,
}

const DONE: u8 = 0x06;
const UNKNOWN: u8 = 0x05;
const OUT_OF_RANGE: u8 = 0x15;

impl Default for NewlandScanner {
    fn default() -> Self {
        let settings = [
            ("SCNMOD", Setting::new(3, 3)),
            ("ORTSET", Setting::new(3000, 3_600_000)),
            ("SETUPE", Setting::new(1, 1)),
            ("GRBENA", Setting::new(1, 1)),
            ("RRDDUR", Setting::new(1000, 60_000)),
        ];
        Self {
            wire: Wire::at(9600),
            eye: Eye::new(Mode::Always),
            settings: settings.map(|(tag, setting)| (tag.to_owned(), setting)).into(),
            delay: Duration::ZERO,
            kept: 0,
            buffer: Vec::new(),
        }
    }
}

impl NewlandScanner {
    /// One that thinks so long before each reply.
    #[must_use]
    pub fn slow(delay: Duration) -> Self {
        Self { delay, ..Self::default() }
    }

    /// A setting's value now.
    #[must_use]
    pub fn value(&self, tag: &str) -> Option<u32> {
        self.settings.get(tag).map(|setting| setting.now)
    }

    /// A buyer shows a printed set-up code; it acts only while the scanner takes them.
    pub fn show_setup_code(&mut self, tag: &str, value: u32) {
        if self.value("SETUPE") == Some(1) {
            self.set(tag, &value.to_string(), true);
        }
    }

    fn apply(&mut self) {
        self.eye.mode = if self.value("SCNMOD") == Some(0) { Mode::OnCommand } else { Mode::Always };
        self.eye.limit = Duration::from_millis(self.value("ORTSET").unwrap_or_default().into());
    }

    fn command(&mut self, now: Duration, store: u8, words: &str) {
        let mut reply = [b"\x02\x010000".as_slice(), &[store]].concat();
        let mut code = None;
        let mut tag = "";
        for (index, part) in words.split(',').enumerate() {
            if index > 0 {
                reply.push(b',');
            }
            let (whole, said) = match index {
                0 => {
                    tag = part.get(..3).unwrap_or(part);
                    (part.get(..6).unwrap_or(part).to_owned(), part.get(6..).unwrap_or_default())
                }
                _ => ([tag, part.get(..3).unwrap_or(part)].concat(), part.get(3..).unwrap_or_default()),
            };
            let (text, status) = self.one(now, &whole, said, store == b'@', &mut code);
            let shown = if index == 0 { whole.as_str() } else { whole.get(3..).unwrap_or_default() };
            reply.extend_from_slice(shown.as_bytes());
            reply.extend_from_slice(text.as_bytes());
            reply.push(status);
        }
        reply.extend_from_slice(b";\x03");
        reply.extend(code.map(|code| format!("{code}\r").into_bytes()).unwrap_or_default());
        self.wire.send_at(now + self.delay, reply);
    }

    fn one(&mut self, now: Duration, tag: &str, said: &str, keep: bool, code: &mut Option<String>) -> (String, u8) {
        match (tag, said) {
            ("SCNTRG", "1") => *code = self.eye.trigger(now),
            ("SCNTRG", "0") => self.eye.stop(),
            ("QRYSYS", "") => return ("Product Name: NLS-FM430\r\nFirmware: 1.02".into(), DONE),
            (_, "*" | "&" | "%") => {
                let Some(setting) = self.settings.get(tag) else { return (said.into(), UNKNOWN) };
                return (if said == "*" { setting.now } else { setting.factory }.to_string(), DONE);
            }
            _ => return (said.into(), self.set(tag, said, keep)),
        }
        (said.into(), DONE)
    }

    fn set(&mut self, tag: &str, said: &str, keep: bool) -> u8 {
        let Some(setting) = self.settings.get_mut(tag) else { return UNKNOWN };
        let Some(value) = said.parse().ok().filter(|value| *value <= setting.max) else { return OUT_OF_RANGE };
        setting.now = value;
        if keep {
            setting.kept = value;
            self.kept += 1;
        }
        self.apply();
        DONE
    }
}

impl Device for NewlandScanner {
    fn received(&mut self, now: Duration, bytes: &[u8]) {
        const HEAD: &[u8] = b"~\x010000";
        self.buffer.extend_from_slice(self.wire.heard(bytes));
        while let Some(start) = self.buffer.windows(HEAD.len()).position(|head| head == HEAD) {
            let Some(length) = self.buffer.iter().skip(start).position(|byte| *byte == 0x03) else { return };
            let command: Vec<u8> = self.buffer.drain(..=start + length).skip(start + HEAD.len()).collect();
            if let [store, words @ .., b';', 0x03] = command.as_slice() {
                self.command(now, *store, &String::from_utf8_lossy(words));
            }
        }
    }

    sends_by_its_wire!();
}

impl Scanner for NewlandScanner {
    fn show(&mut self, now: Duration, code: Option<&str>) {
        if let Some(code) = self.eye.show(now, code) {
            self.wire.send(format!("{code}\r").as_bytes());
        }
    }

    fn power_cycle(&mut self, _: Duration) {
        self.settings.values_mut().for_each(|setting| setting.now = setting.kept);
        self.buffer.clear();
        self.eye.stop();
        self.apply();
    }

    fn host_speed(&mut self, baud: u32) {
        self.wire.host = baud;
    }
}
