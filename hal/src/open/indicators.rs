//! Opens the lamp and the buzzer.

use std::sync::{Arc, mpsc};

use super::{OpenError, Opening};
use crate::{
    board::LineSpec,
    latest::Latest,
    sound::{self, BEEPS_MAX, Switch},
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
        if let Some(line) = &self.board.buzzer.line {
            let buzzer = self.switch(line)?;
            let (sender, beeps) = mpsc::sync_channel(BEEPS_MAX);
            self.devices.buzzer = Some(sender);
            self.spawn("buzzer", move || sound::run_buzzer(buzzer, &beeps))?;
        }
        Ok(())
    }
}
