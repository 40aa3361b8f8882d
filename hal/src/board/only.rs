//! A board cut down to one part.

use super::{BoardSpec, Part};

impl BoardSpec {
    /// The board with this part and what it needs: nothing else of the machine is opened by it.
    ///
    /// What is named here stays, so that a section that comes later stays out by itself.
    #[must_use]
    pub fn only(&self, part: Part) -> Self {
        let mut only = Self {
            name: self.name.clone(),
            about: self.about.clone(),
            gpio: self.gpio.clone(),
            sim: self.sim.clone(),
            ..Self::default()
        };
        match part {
            Part::Display => {
                only.display = self.display.clone();
                only.status_display = self.status_display.clone();
            }
            Part::Scanner => only.scanner = self.scanner.clone(),
            Part::Vend => only.vend = self.vend.clone(),
            Part::Keypad => only.keypad = self.keypad.clone(),
            Part::Printer => only.printer = self.printer.clone(),
            Part::Lamp => {
                only.lamp = self.lamp.clone();
                only.buzzer = self.buzzer.clone();
                only.sound = self.sound.clone();
            }
        }
        only
    }

    /// Whether the board names this part.
    #[must_use]
    pub fn has(&self, part: Part) -> bool {
        let nothing = Self::default();
        match part {
            Part::Display => {
                self.display.kind != nothing.display.kind || self.status_display.kind != nothing.status_display.kind
            }
            Part::Scanner => self.scanner.kind != nothing.scanner.kind,
            Part::Vend => self.vend.kind != nothing.vend.kind,
            Part::Keypad => self.keypad.kind != nothing.keypad.kind,
            Part::Printer => self.printer.kind != nothing.printer.kind,
            Part::Lamp => {
                self.lamp.line.is_some()
                    || self.buzzer.line.is_some()
                    || self.buzzer.pwm.is_some()
                    || self.sound.folder.is_some()
            }
        }
    }
}
