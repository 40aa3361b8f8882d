//! The thread that owns the panel: the newest frame wins, a panel that went away is opened again, and one that nobody
//! looks at goes dark.

use std::{sync::Arc, time::Duration};

use tokio::sync::mpsc::Sender;

use super::{Display, DisplayError, Frame, light::Light};
use crate::{
    event::{DeviceEvent, DisplayState},
    latest::Latest,
    pace::{self, BackOff},
};

pub(crate) type Open = Box<dyn Fn() -> Result<Box<dyn Display>, DisplayError> + Send>;

/// A frame, and whether it lights a dark panel.
pub(crate) struct Shot {
    frame: Arc<Frame>,
    wakes: bool,
}

/// Where the loop leaves its frames for the thread.
pub(crate) struct Screen {
    pub(crate) frames: Latest<Shot>,
}

impl Screen {
    pub(crate) fn new() -> Self {
        Self { frames: Latest::new() }
    }

    /// A picture that matters still lights the panel when a quiet one replaces it before it was taken.
    pub(crate) fn put(&self, frame: Arc<Frame>, wakes: bool) {
        self.frames.put_after(|waiting| Shot { frame, wakes: wakes || waiting.is_some_and(|shot| shot.wakes) });
    }
}

/// When the panel goes dark.
struct Idle {
    after: Option<Duration>,
    since: Duration,
    is_dark: bool,
}

impl Idle {
    fn wake(&mut self, now: Duration) {
        (self.since, self.is_dark) = (now, false);
    }

    /// How long until it is time; `None`: never, or it is dark already.
    fn rest(&self, now: Duration) -> Option<Duration> {
        self.after.filter(|_| !self.is_dark).map(|after| (self.since + after).saturating_sub(now))
    }

    fn is_time(&self, now: Duration) -> bool {
        self.rest(now).is_some_and(|rest| rest.is_zero())
    }
}

/// The light, which never keeps a picture from being shown.
pub(crate) struct Lamp {
    pub(crate) light: Option<Box<dyn Light>>,
    pub(crate) brightness: u32,
}

impl Lamp {
    fn set(&mut self, lit: bool) {
        if let Some(light) = &mut self.light
            && let Err(fault) = light.set(if lit { self.brightness } else { 0 })
        {
            tracing::warn!(%fault, "the display's light is as it was");
        }
    }
}

/// Tells whoever waits for the end of the thread, also when it panics.
pub(crate) struct Ended(pub(crate) Arc<Latest<()>>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.close();
    }
}

pub(crate) struct Worker {
    pub(crate) open: Open,
    pub(crate) screen: Arc<Screen>,
    pub(crate) lamp: Lamp,
    pub(crate) blank_after: Option<Duration>,
    pub(crate) events: Sender<DeviceEvent>,
    pub(crate) _ended: Ended,
}

/// What the thread was woken for.
enum Woken {
    Frame { wakes: bool },
    Time,
    Stop,
}

impl Worker {
    /// Runs until the mailbox is closed or the events' receiver is gone.
    pub(crate) fn run(mut self) {
        let mut pauses = BackOff::default();
        let mut reported_down = false;
        // Opened before there is a frame: an e-paper is cleared by it.
        let mut frame = None;
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
            if let Some(newer) = self.screen.frames.take_within(pauses.next()) {
                frame = Some(newer.frame);
            }
            if self.screen.frames.is_closed() {
                return;
            }
        }
    }

    /// `None`: the daemon is stopping, and the panel is closed in good order.
    fn open_and_serve(
        &mut self,
        frame: &mut Option<Arc<Frame>>,
        reported_down: &mut bool,
        pauses: &mut BackOff,
    ) -> Option<DisplayError> {
        let mut panel = match (self.open)() {
            Ok(panel) => panel,
            Err(fault) => return Some(fault),
        };
        let shown = self.first(panel.as_mut(), frame);
        let ended = match shown {
            Ok(true) => {
                pauses.up();
                *reported_down = false;
                if self.tell(DisplayState::Up) { self.serve(panel.as_mut(), frame) } else { None }
            }
            Ok(false) => None,
            Err(fault) => Some(fault),
        };
        if ended.is_none() {
            panel.close();
        }
        ended
    }

    /// Waits for the first frame of all, if there was none yet. False: the daemon stops before there is one.
    fn first(&mut self, panel: &mut dyn Display, frame: &mut Option<Arc<Frame>>) -> Result<bool, DisplayError> {
        if frame.is_none() {
            *frame = self.screen.frames.take().map(|shot| shot.frame);
        }
        let Some(first) = frame else { return Ok(false) };
        panel.show(first)?;
        self.lamp.set(true);
        Ok(true)
    }

    /// Shows frames until the panel fails, or until the daemon stops.
    fn serve(&mut self, panel: &mut dyn Display, frame: &mut Option<Arc<Frame>>) -> Option<DisplayError> {
        let mut idle = Idle { after: self.blank_after, since: pace::now(), is_dark: false };
        loop {
            let done = match self.wait(panel, &idle, frame) {
                Woken::Stop => return None,
                Woken::Frame { wakes } => self.take(panel, &mut idle, frame.as_deref(), wakes),
                Woken::Time => panel.check().and_then(|()| self.rest(panel, &mut idle)),
            };
            if let Err(fault) = done {
                return Some(fault);
            }
        }
    }

    fn wait(&self, panel: &dyn Display, idle: &Idle, frame: &mut Option<Arc<Frame>>) -> Woken {
        let due = panel.check_every().into_iter().chain(idle.rest(pace::now())).min();
        let newer = match due {
            None => self.screen.frames.take(),
            Some(period) => self.screen.frames.take_within(period),
        };
        match newer {
            Some(newer) => {
                *frame = Some(newer.frame);
                Woken::Frame { wakes: newer.wakes }
            }
            None if self.screen.frames.is_closed() => Woken::Stop,
            None => Woken::Time,
        }
    }

    /// A new frame: shown, unless the panel is dark and the frame is no reason to light it.
    fn take(
        &mut self,
        panel: &mut dyn Display,
        idle: &mut Idle,
        frame: Option<&Frame>,
        wakes: bool,
    ) -> Result<(), DisplayError> {
        let was_dark = idle.is_dark;
        if wakes {
            idle.wake(pace::now());
        }
        if idle.is_dark {
            return Ok(());
        }
        frame.map_or(Ok(()), |frame| panel.show(frame))?;
        if was_dark {
            panel.blank(false)?;
            self.lamp.set(true);
        }
        self.rest(panel, idle)
    }

    fn rest(&mut self, panel: &mut dyn Display, idle: &mut Idle) -> Result<(), DisplayError> {
        if idle.is_time(pace::now()) {
            idle.is_dark = true;
            self.lamp.set(false);
            panel.blank(true)?;
        }
        Ok(())
    }

    fn tell(&self, state: DisplayState) -> bool {
        self.events.blocking_send(DeviceEvent::Display(state)).is_ok()
    }
}

#[cfg(test)]
#[path = "worker_tests.rs"]
mod tests;
