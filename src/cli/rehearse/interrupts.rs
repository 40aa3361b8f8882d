//! Ctrl-C, heard from the first case to the report.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use super::buyer::say;
use crate::cli::{Exit, Failure};

/// How often somebody wanted it to end.
#[derive(Debug, Clone)]
pub(super) struct Interrupts(watch::Receiver<u32>);

impl Interrupts {
    /// Hears Ctrl-C from now on, and just so a wish to end the process and a terminal that is closed: without this any of
    /// them would leave money and the report behind.
    pub(super) fn heard() -> Result<Self, Failure> {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let signals: io::Result<Vec<Signal>> = kinds.into_iter().map(signal).collect();
        let signals =
            signals.map_err(|error| Failure::other(Exit::Refused, format!("Ctrl-C is not heard: {error}")))?;
        let (tell, told) = watch::channel(0);
        for signal in signals {
            tokio::spawn(count(signal, tell.clone()));
        }
        Ok(Self(told))
    }

    /// As often as the test says.
    #[cfg(test)]
    pub(super) const fn told_by(told: watch::Receiver<u32>) -> Self {
        Self(told)
    }

    /// How often so far.
    pub(super) fn count(&self) -> u32 {
        *self.0.borrow()
    }

    /// Ends when it was wanted more often than this.
    pub(super) async fn more_than(&mut self, count: u32) {
        if self.0.wait_for(|so_far| *so_far > count).await.is_err() {
            std::future::pending().await
        }
    }
}

async fn count(mut signal: Signal, tell: watch::Sender<u32>) {
    while signal.recv().await.is_some() {
        tell.send_modify(|count| *count += 1);
        say("   ! Ctrl-C：不再做其余用例，已收的钱先退回。再按一次：不再等待，立即写报告");
    }
}
