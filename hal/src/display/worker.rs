//! The thread that owns the panel: the newest frame wins, and a panel that went away is opened again.

use std::sync::Arc;

use tokio::sync::mpsc::Sender;

use super::{Display, DisplayError, Frame};
use crate::{
    event::{DeviceEvent, DisplayState},
    latest::Latest,
    pace::BackOff,
};

type Open = Box<dyn Fn() -> Result<Box<dyn Display>, DisplayError> + Send>;

pub(crate) struct Worker {
    pub(crate) open: Open,
    pub(crate) frames: Arc<Latest<Arc<Frame>>>,
    pub(crate) events: Sender<DeviceEvent>,
}

impl Worker {
    /// Runs until the mailbox is closed or the events' receiver is gone.
    pub(crate) fn run(self) {
        let mut pauses = BackOff::default();
        let mut reported_down = false;
        let Some(mut frame) = self.frames.take() else {
            return;
        };
        loop {
            let fault = match self.open_and_serve(&mut frame, &mut reported_down, &mut pauses) {
                Some(fault) => fault,
                None => return,
            };
            if !reported_down {
                reported_down = true;
                let reason = fault.to_string();
                if !self.tell(DisplayState::Down { reason }) {
                    return;
                }
            }
            if let Some(newer) = self.frames.take_within(pauses.next()) {
                frame = newer;
            }
            if self.frames.is_closed() {
                return;
            }
        }
    }

    /// Shows frames until the panel fails. `None`: the daemon is stopping.
    fn open_and_serve(
        &self,
        frame: &mut Arc<Frame>,
        reported_down: &mut bool,
        pauses: &mut BackOff,
    ) -> Option<DisplayError> {
        let shown = (self.open)().and_then(|mut panel| panel.show(frame).map(|()| panel));
        let mut panel = match shown {
            Ok(panel) => panel,
            Err(fault) => return Some(fault),
        };
        pauses.up();
        *reported_down = false;
        if !self.tell(DisplayState::Up) {
            return None;
        }
        loop {
            let newer = match panel.check_every() {
                None => Some(self.frames.take()?),
                Some(period) => self.frames.take_within(period),
            };
            let done = match newer {
                Some(newer) => {
                    *frame = newer;
                    panel.show(frame)
                }
                None if self.frames.is_closed() => return None,
                None => panel.check(),
            };
            if let Err(fault) = done {
                return Some(fault);
            }
        }
    }

    fn tell(&self, state: DisplayState) -> bool {
        self.events.blocking_send(DeviceEvent::Display(state)).is_ok()
    }
}
