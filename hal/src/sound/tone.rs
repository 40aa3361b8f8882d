//! A buzzer on a PWM channel: it sounds while the channel runs.

use std::{
    path::PathBuf,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{
    board::{BuzzerSpec, PwmSpec},
    pwm::{self, Pwm, PwmError},
    safe_state::{self, MakeSafe},
};

const NS_PER_S: u64 = 1_000_000_000;

/// The channel, shared with whoever silences it for good.
#[derive(Default)]
pub(crate) struct Voice {
    pwm: OnceLock<Pwm>,
    closed: AtomicBool,
}

impl MakeSafe for Voice {
    /// From now on it is silent and stays so.
    fn make_safe(&self) {
        self.closed.store(true, Ordering::SeqCst);
        if let Some(pwm) = self.pwm.get() {
            // One write to an open file; nothing useful can be done if it fails.
            let _ = pwm.enable(false);
        }
    }
}

/// A buzzer with a tone.
pub(crate) struct Tone {
    class: PathBuf,
    place: PwmSpec,
    period_ns: u64,
    voice: Arc<Voice>,
}

impl Tone {
    /// A buzzer that the panic hook knows. The channel is opened when it is first needed. `None`: the board has none.
    pub(crate) fn of(spec: &BuzzerSpec) -> Option<Self> {
        let place = spec.pwm.clone()?;
        let voice = Arc::default();
        safe_state::register(&voice);
        Some(Self { class: pwm::CLASS.into(), place, period_ns: NS_PER_S / u64::from(spec.frequency_hz.max(1)), voice })
    }

    /// What silences it from outside.
    pub(crate) fn voice(&self) -> Arc<Voice> {
        Arc::clone(&self.voice)
    }

    pub(super) fn set(&self, on: bool) -> Result<(), PwmError> {
        let pwm = match self.voice.pwm.get() {
            Some(pwm) => pwm,
            None => {
                let pwm = Pwm::open(&self.class, &self.place)?;
                pwm.set(self.period_ns, self.period_ns / 2)?;
                self.voice.pwm.get_or_init(|| pwm)
            }
        };
        pwm.enable(on && !self.voice.closed.load(Ordering::SeqCst))?;
        // Closed between the look and the write.
        if self.voice.closed.load(Ordering::SeqCst) {
            pwm.enable(false)?;
        }
        Ok(())
    }
}

/// Silences a buzzer that somebody else left sounding.
pub(crate) fn silence(spec: &BuzzerSpec) -> Result<(), PwmError> {
    match &spec.pwm {
        Some(place) => Pwm::open(pwm::CLASS.as_ref(), place)?.enable(false),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pwm::tests::{fake_chip, reads};

    fn tone(root: &tempfile::TempDir) -> Tone {
        let place = PwmSpec { device: "a.pwm".into(), channel: 0 };
        let spec = BuzzerSpec { pwm: Some(place), frequency_hz: 2000, ..BuzzerSpec::default() };
        Tone { class: root.path().join("class"), ..Tone::of(&spec).unwrap() }
    }

    #[test]
    fn it_sounds_at_its_frequency_while_it_is_on() {
        let root = tempfile::tempdir().unwrap();
        let chip = fake_chip(root.path(), "a.pwm", 3, 1);
        let tone = tone(&root);
        tone.set(true).unwrap();
        let set = ["period", "duty_cycle", "enable"].map(|file| reads(&chip, 0, file));
        assert_eq!(set, ["500000", "250000", "1"]);
        tone.set(false).unwrap();
        assert_eq!(reads(&chip, 0, "enable"), "0");
    }

    #[test]
    fn once_made_safe_it_is_silent_for_good() {
        let root = tempfile::tempdir().unwrap();
        let chip = fake_chip(root.path(), "a.pwm", 0, 1);
        let tone = tone(&root);
        tone.set(true).unwrap();
        // By name, not by the panic hook's list: that one switches off what the tests beside this one use.
        tone.voice().make_safe();
        assert_eq!(reads(&chip, 0, "enable"), "0");
        tone.set(true).unwrap();
        assert_eq!(reads(&chip, 0, "enable"), "0");
    }

    #[test]
    fn a_chip_that_comes_later_is_found_then() {
        let root = tempfile::tempdir().unwrap();
        let tone = tone(&root);
        assert!(matches!(tone.set(true), Err(PwmError::NoChip(_))));
        let chip = fake_chip(root.path(), "a.pwm", 0, 1);
        tone.set(true).unwrap();
        assert_eq!(reads(&chip, 0, "enable"), "1");
    }
}
