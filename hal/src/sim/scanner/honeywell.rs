//! A simulated Honeywell scanner: menu commands that are echoed with a status byte (reference/hardware.md 1.4).

use std::{collections::BTreeMap, time::Duration};

use super::{Eye, Mode, Scanner, Wire, newland::Setting, sends_by_its_wire};
use crate::sim::port::Device;

/// A Voyager, or a Youjie, or the like.
#[derive(Debug, Clone)]
pub struct HoneywellScanner {
    /// Its line.
    pub wire: Wire,
    /// Its window.
    pub eye: Eye,
    /// Its settings by tag.
    pub settings: BTreeMap<String, Setting>,
    /// How often a setting was written so that it wears.
    pub kept: u32,
    buffer: Vec<u8>,
}

impl Default for HoneywellScanner {
    fn default() -> Self {
        let setting = |now, max| Setting { now, kept: now, factory: now, max };
        let settings = [("TRGMOD", setting(3, 9)), ("BEPBEP", setting(1, 1)), ("DLYGRD", setting(0, 30_000))];
        let mut eye = Eye::new(Mode::Always);
        eye.limit = Duration::from_secs(30);
        Self {
            wire: Wire::at(9600),
            eye,
            settings: settings.map(|(tag, setting)| (tag.to_owned(), setting)).into(),
            kept: 0,
            buffer: Vec::new(),
        }
    }
}

impl HoneywellScanner {
    /// A setting's value now.
    #[must_use]
    pub fn value(&self, tag: &str) -> Option<u32> {
        self.settings.get(tag).map(|setting| setting.now)
    }

    fn apply(&mut self) {
        self.eye.mode = if self.value("TRGMOD") == Some(0) { Mode::OnCommand } else { Mode::Always };
    }

    fn menu(&mut self, words: &str, store: u8) {
        let (tag, said) = words.split_at_checked(6).unwrap_or((words, ""));
        let tag = tag.to_uppercase();
        if tag == "REVINF" {
            self.wire.send(b"Product Name: Voyager 1450g\r\nBoot Revision: CA000064BBC\r\nREVINF\x06.");
            return;
        }
        let (text, status) = match (self.settings.get_mut(&tag), said) {
            (None, _) => (said.to_owned(), 0x05),
            (Some(setting), "?") => (setting.now.to_string(), 0x06),
            (Some(setting), "^") => (setting.factory.to_string(), 0x06),
            (Some(setting), "*") => (format!("0-{}", setting.max), 0x06),
            (Some(setting), value) => match value.parse::<u32>().ok().filter(|value| *value <= setting.max) {
                Some(value) => {
                    setting.now = value;
                    if store == b'.' {
                        setting.kept = value;
                        self.kept += 1;
                    }
                    (value.to_string(), 0x06)
                }
                None => (value.to_owned(), 0x15),
            },
        };
        self.apply();
        self.wire.send(&[tag.as_bytes(), text.as_bytes(), &[status, store]].concat());
    }

    fn decoded(&mut self, code: Option<String>) {
        if let Some(code) = code {
            self.wire.send(format!("{code}\r").as_bytes());
        }
    }
}

impl Device for HoneywellScanner {
    fn received(&mut self, now: Duration, bytes: &[u8]) {
        self.buffer.extend_from_slice(self.wire.heard(bytes));
        loop {
            let Some(start) = self.buffer.iter().position(|byte| *byte == 0x16) else { return self.buffer.clear() };
            self.buffer.drain(..start);
            match self.buffer.as_slice() {
                [_, b'T', b'\r', ..] => {
                    self.buffer.drain(..3);
                    let code = self.eye.trigger(now);
                    self.decoded(code);
                }
                [_, b'U', b'\r', ..] => {
                    self.buffer.drain(..3);
                    self.eye.stop();
                }
                [_, b'M', b'\r', menu @ ..] => {
                    let Some(end) = menu.iter().position(|byte| matches!(byte, b'.' | b'!')) else { return };
                    let command: Vec<u8> = self.buffer.drain(..end + 4).skip(3).collect();
                    if let Some((store, words)) = command.split_last() {
                        self.menu(&String::from_utf8_lossy(words), *store);
                    }
                }
                [_] | [_, _] => return,
                _ => {
                    self.buffer.drain(..1);
                }
            }
        }
    }

    sends_by_its_wire!();
}

impl Scanner for HoneywellScanner {
    fn show(&mut self, now: Duration, code: Option<&str>) {
        let code = self.eye.show(now, code);
        self.decoded(code);
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
