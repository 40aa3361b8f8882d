//! What systemd is told. The watchdog is fed by the loop itself, so a loop that hangs is restarted.

use std::time::Duration;

use payment::time::Mono;
use sd_notify::NotifyState;

/// The watchdog, when systemd asked for one.
#[derive(Debug)]
pub struct Health {
    every_ms: Option<u64>,
    next: Mono,
}

impl Health {
    /// Says that recovery is over and the loop runs.
    #[must_use]
    pub fn ready(now: Mono) -> Self {
        tell(&[NotifyState::Ready]);
        let every_ms = sd_notify::watchdog_enabled().map(half_in_ms);
        Self { every_ms, next: now }
    }

    /// Feeds the watchdog when it is time.
    pub fn turn(&mut self, now: Mono) {
        if let Some(every_ms) = self.every_ms
            && now >= self.next
        {
            tell(&[NotifyState::Watchdog]);
            self.next = now.plus(every_ms);
        }
    }

    /// When the watchdog wants to be fed.
    #[must_use]
    pub fn deadline(&self) -> Option<Mono> {
        self.every_ms.map(|_| self.next)
    }

    /// One line for `systemctl status`.
    pub fn status(&self, text: &str) {
        tell(&[NotifyState::Status(text)]);
    }

    /// Says that the daemon is going.
    pub fn stopping(&self) {
        tell(&[NotifyState::Stopping]);
    }
}

/// Says why the start takes longer, and asks for `more` time, so that systemd does not lose patience.
pub fn waits_for(what: &str, more: Duration) {
    let more = u32::try_from(more.as_micros()).unwrap_or(u32::MAX);
    tell(&[NotifyState::Status(what), NotifyState::ExtendTimeoutUsec(more)]);
}

fn half_in_ms(limit: Duration) -> u64 {
    u64::try_from(limit.as_millis() / 2).unwrap_or(u64::MAX).max(1)
}

/// Without systemd there is nobody to tell.
fn tell(state: &[NotifyState]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "systemd cannot be told");
    }
}
