//! What systemd is told. The watchdog is fed by the loop itself, after the journal's thread has answered it, and a driver that
//! ended ends the loop: so whichever of the three hangs or dies, everything is started anew.

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

    /// Whether it is time to feed the watchdog.
    #[must_use]
    pub fn is_due(&self, now: Mono) -> bool {
        self.every_ms.is_some() && now >= self.next
    }

    /// Feeds it.
    pub fn feed(&mut self, now: Mono) {
        tell(&[NotifyState::Watchdog]);
        self.next = now.plus(self.every_ms.unwrap_or(u64::MAX));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_watchdog_is_fed_twice_in_its_time_and_never_without_one() {
        let mut health = Health { every_ms: Some(half_in_ms(Duration::from_secs(60))), next: Mono(5) };
        assert!(!health.is_due(Mono(4)));
        assert!(health.is_due(Mono(5)));
        health.feed(Mono(5));
        assert_eq!(health.deadline(), Some(Mono(30_005)));
        assert!(!health.is_due(Mono(30_004)) && health.is_due(Mono(30_005)));
        let none = Health { every_ms: None, next: Mono(0) };
        assert!(!none.is_due(Mono(u64::MAX)));
        assert_eq!(none.deadline(), None);
    }
}
