//! A simulated `^_^` scanner (reference/hardware.md 1.6).

use std::time::Duration;

use super::{Eye, Mode, Scanner, Wire, sends_by_its_wire};
use crate::sim::port::Device;

/// A DE2120 or the like.
#[derive(Debug, Clone)]
pub struct CaretScanner {
    /// Its line.
    pub wire: Wire,
    /// Its window.
    pub eye: Eye,
    /// Whether it beeps at a good read.
    pub beeps: bool,
    /// How often its settings were saved.
    pub saves: u32,
    buffer: Vec<u8>,
}

impl Default for CaretScanner {
    fn default() -> Self {
        Self { wire: Wire::at(115_200), eye: Eye::new(Mode::Always), beeps: true, saves: 0, buffer: Vec::new() }
    }
}

impl CaretScanner {
    fn word(&mut self, now: Duration, word: &str) {
        let mut code = None;
        let known = match word {
            "SCAN" => {
                code = self.eye.trigger(now);
                true
            }
            "SLEEP" => {
                self.eye.stop();
                true
            }
            "SETSAV" => {
                self.saves += 1;
                true
            }
            "SCMMAN" | "SCMCNT" | "SCMMDH" => {
                self.eye.mode = if word == "SCMMAN" { Mode::OnCommand } else { Mode::Always };
                true
            }
            "BEPSUC0" | "BEPSUC1" => {
                self.beeps = word == "BEPSUC1";
                true
            }
            _ => matches!(word, "DSPYFW" | "POR232" | "QRCENA1"),
        };
        let mut reply = vec![if known { 0x06 } else { 0x15 }];
        reply.extend(code.map(|code| format!("{code}\r").into_bytes()).unwrap_or_default());
        self.wire.send(&reply);
    }
}

impl Device for CaretScanner {
    fn received(&mut self, now: Duration, bytes: &[u8]) {
        const HEAD: &[u8] = b"^_^";
        self.buffer.extend_from_slice(self.wire.heard(bytes));
        while let Some(start) = self.buffer.windows(HEAD.len()).position(|head| head == HEAD) {
            let Some(length) = self.buffer.iter().skip(start).position(|byte| *byte == b'.') else { return };
            let command: Vec<u8> = self.buffer.drain(..=start + length).skip(start + HEAD.len()).collect();
            let word = command.split_last().map(|(_, word)| String::from_utf8_lossy(word).into_owned());
            self.word(now, &word.unwrap_or_default());
        }
    }

    sends_by_its_wire!();
}

impl Scanner for CaretScanner {
    fn show(&mut self, now: Duration, code: Option<&str>) {
        if let Some(code) = self.eye.show(now, code) {
            self.wire.send(format!("{code}\r").as_bytes());
        }
    }

    fn power_cycle(&mut self, _: Duration) {
        self.buffer.clear();
        self.eye = Eye::new(Mode::Always);
        self.beeps = true;
    }

    fn host_speed(&mut self, baud: u32) {
        self.wire.host = baud;
    }
}
