//! Opens the lamp, the buzzer and the sounds.

use std::sync::{Arc, mpsc};

use super::{OpenError, Opening};
use crate::{
    board::LineSpec,
    latest::Latest,
    sound::{self, BEEPS_MAX, Buzzer, Switch, Tone},
};

impl Opening<'_> {
    fn switch(&self, line: &LineSpec) -> Result<Switch, OpenError> {
        Ok(Switch::new(Arc::clone(&self.backend()?.bank), line.clone()))
    }

    pub(super) fn indicators(&mut self) -> Result<(), OpenError> {
        if let Some(line) = &self.board.lamp.line {
            let lamp = self.switch(line)?;
            let wanted = Arc::new(Latest::new());
            self.devices.lamp = Some(Arc::clone(&wanted));
            self.spawn("lamp", move || sound::run_lamp(lamp, &wanted))?;
        }
        if let Some(buzzer) = self.buzzer()? {
            let (sender, beeps) = mpsc::sync_channel(BEEPS_MAX);
            self.devices.buzzer = Some(sender);
            self.spawn("buzzer", move || sound::run_buzzer(buzzer, &beeps))?;
        }
        let spec = self.board.sound.clone();
        if spec.folder.is_some() {
            let beeps = Arc::new(Latest::new());
            self.devices.sounds = Some(Arc::clone(&beeps));
            self.spawn("sound", move || sound::run_sounds(&spec, &beeps))?;
        }
        Ok(())
    }

    fn buzzer(&mut self) -> Result<Option<Buzzer>, OpenError> {
        let spec = &self.board.buzzer;
        if let Some(line) = &spec.line {
            return Ok(Some(Buzzer::Line(self.switch(line)?)));
        }
        let Some(tone) = Tone::of(spec) else { return Ok(None) };
        self.devices.voice = Some(tone.voice());
        Ok(Some(Buzzer::Tone(tone)))
    }
}
