//! Lamp, buzzer and sounds, each on its own thread, because even a lamp's line may block or go away.

mod tone;
mod wav;

use std::{
    sync::{Arc, mpsc::Receiver},
    time::Duration,
};

use crate::{
    board::LineSpec,
    event::Beep,
    gpio::{Bank, LineError, Output},
    latest::Latest,
    pace::{self, BackOff},
};

pub(crate) use tone::{Tone, Voice, silence};
pub(crate) use wav::run as run_sounds;

/// Beeps that may wait; more are dropped, nobody misses the ninth.
pub(crate) const BEEPS_MAX: usize = 4;

/// An output that is opened when first needed, and again after its backend was away.
pub(crate) struct Switch {
    bank: Arc<Bank>,
    line: LineSpec,
    output: Option<Output>,
}

impl Switch {
    /// Tries to open the line at once, so that it is off from the start.
    pub(crate) fn new(bank: Arc<Bank>, line: LineSpec) -> Self {
        let output =
            bank.output(&line).inspect_err(|fault| tracing::warn!(%fault, "trying again when it is needed")).ok();
        Self { bank, line, output }
    }

    fn set(&mut self, on: bool) -> Result<(), LineError> {
        let output = match self.output.take() {
            Some(output) => output,
            None => self.bank.output(&self.line)?,
        };
        output.set(on)?;
        self.output = Some(output);
        Ok(())
    }
}

/// Runs the lamp until the mailbox is closed.
pub(crate) fn run_lamp(mut lamp: Switch, wanted: &Latest<bool>) {
    let mut pauses = BackOff::default();
    let mut next = wanted.take();
    while let Some(on) = next {
        next = match lamp.set(on) {
            Ok(()) => {
                pauses.up();
                wanted.take()
            }
            Err(_) if wanted.is_closed() => return,
            Err(_) => Some(wanted.take_within(pauses.next()).unwrap_or(on)),
        };
    }
}

/// On and off times in milliseconds.
#[must_use]
pub fn pattern(beep: Beep) -> &'static [(u64, u64)] {
    match beep {
        Beep::Key => &[(30, 20)],
        Beep::Scan => &[(80, 20)],
        Beep::Success => &[(80, 60), (80, 60), (160, 40)],
        Beep::Error => &[(400, 100), (400, 100)],
    }
}

/// What sounds.
pub(crate) enum Buzzer {
    /// A buzzer that makes its tone by itself while its line is on.
    Line(Switch),
    /// One that is given its tone.
    Tone(Tone),
}

impl Buzzer {
    fn set(&mut self, on: bool) -> Result<(), String> {
        match self {
            Self::Line(line) => line.set(on).map_err(|fault| fault.to_string()),
            Self::Tone(tone) => tone.set(on).map_err(|fault| fault.to_string()),
        }
    }

    fn play(&mut self, beep: Beep) -> Result<(), String> {
        for (on, off) in pattern(beep) {
            self.set(true)?;
            pace::sleep(Duration::from_millis(*on));
            self.set(false)?;
            pace::sleep(Duration::from_millis(*off));
        }
        Ok(())
    }
}

/// Runs the buzzer until the beeps' sender is gone.
pub(crate) fn run_buzzer(mut buzzer: Buzzer, beeps: &Receiver<Beep>) {
    let mut told = false;
    while let Ok(beep) = beeps.recv() {
        // A beep that is late is no use: a buzzer that is away stays silent.
        match buzzer.play(beep) {
            Ok(()) => told = false,
            Err(fault) if !told => {
                told = true;
                tracing::warn!(fault, "the buzzer does not answer; said once");
            }
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_beep_ends_within_a_second_or_so_and_with_silence() {
        for beep in [Beep::Key, Beep::Scan, Beep::Success, Beep::Error] {
            let total: u64 = pattern(beep).iter().map(|(on, off)| on + off).sum();
            assert!((1..=1200).contains(&total), "{beep:?}");
            assert!(pattern(beep).iter().all(|(_, off)| *off > 0), "{beep:?}");
        }
    }
}
