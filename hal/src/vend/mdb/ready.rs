//! Whether the machine can be sold at, told without flapping: machines switch their readers off for seconds, such as while
//! coins fall.

use std::time::Duration;

use super::link::Trouble;
use crate::event::DeviceEvent;

/// Shorter than this is no trouble.
const GRACE: Duration = Duration::from_secs(15);

/// What the loop believes.
#[derive(Debug, Default, PartialEq, Eq)]
enum Told {
    #[default]
    Nothing,
    Ready,
    Down(Trouble),
    /// The port is gone, and why.
    Closed(String),
}

/// The machine's readiness.
#[derive(Debug, Default)]
pub(super) struct Readiness {
    told: Told,
    /// Why it cannot be sold at, and since when.
    trouble: Option<(Trouble, Duration)>,
    event: Option<DeviceEvent>,
}

impl Readiness {
    pub(super) fn opened(&mut self, now: Duration) {
        self.trouble = Some((Trouble::NotPolled, now));
    }

    pub(super) fn closed(&mut self, why: &str) {
        self.trouble = None;
        if self.told != Told::Closed(why.to_owned()) {
            self.told = Told::Closed(why.to_owned());
            self.event = Some(DeviceEvent::VendDown { reason: why.to_owned() });
        }
    }

    pub(super) fn up(&mut self) {
        self.trouble = None;
        if self.told != Told::Ready {
            self.told = Told::Ready;
            self.event = Some(DeviceEvent::VendReady { drops: None });
        }
    }

    pub(super) fn down(&mut self, now: Duration, trouble: Trouble) {
        self.trouble = match self.trouble {
            Some((_, since)) if !self.is_down() => Some((trouble, since)),
            Some((same, since)) if same == trouble => Some((same, since)),
            Some(_) | None => Some((trouble, now)),
        };
    }

    /// Whether the loop was told that nothing can be sold.
    pub(super) const fn is_down(&self) -> bool {
        matches!(self.told, Told::Down(_) | Told::Closed(_))
    }

    pub(super) fn due(&self) -> Option<Duration> {
        let (trouble, since) = self.trouble?;
        (self.told != Told::Down(trouble)).then_some(since + GRACE)
    }

    pub(super) fn woken(&mut self, now: Duration) {
        if let (Some((trouble, _)), Some(due)) = (self.trouble, self.due())
            && due <= now
        {
            self.told = Told::Down(trouble);
            self.event = Some(DeviceEvent::VendDown { reason: trouble.advice().to_owned() });
        }
    }

    pub(super) fn event(&mut self) -> Option<DeviceEvent> {
        self.event.take()
    }
}
