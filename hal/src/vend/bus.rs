//! Vending controllers on a serial line: one driver for all, each protocol a pure state machine.
//!
//! The driver has a thread with a small runtime of its own: a controller that wants its answer within 100 ms shall not wait
//! for the daemon's loop.

use std::{path::PathBuf, time::Duration};

use tokio::{
    io::AsyncReadExt,
    sync::mpsc::{Receiver, Sender},
};
use tokio_serial::SerialStream;

use super::Job;
use crate::{
    event::DeviceEvent,
    pace::{self, BackOff},
    port::{self, Settings},
};

/// A controller's protocol: what came and what is wanted goes in, what is to be sent and what happened comes out.
///
/// Times are those of one monotonic clock. Every job that was taken is answered by exactly one
/// [`DeviceEvent::VendEnded`], also across [`closed`](Self::closed); a motor is never started again for it.
pub(crate) trait Protocol: Send {
    /// The port is open; nothing is known of the controller yet.
    fn opened(&mut self, now: Duration);
    /// The port is gone, and `why`, with what to do. What was under way may have happened or not.
    fn closed(&mut self, now: Duration, why: &str);
    /// Bytes came, cut anywhere.
    fn received(&mut self, now: Duration, bytes: &[u8]);
    /// The loop wants something. It may come while the port is gone.
    fn wanted(&mut self, now: Duration, job: Job);
    /// Something is due; it may come a little late, never early.
    fn woken(&mut self, now: Duration);
    /// When [`woken`](Self::woken) is to be called.
    fn due(&self) -> Option<Duration>;
    /// The next bytes to send, in order.
    fn to_send(&mut self) -> Option<Vec<u8>>;
    /// The next thing that happened, in order.
    fn happened(&mut self) -> Option<DeviceEvent>;
}

/// The loop's end of the event queue is gone: the daemon is stopping.
struct Stopping;

/// Runs a protocol over its port, and opens the port again when it went away.
pub(crate) struct Bus {
    pub(crate) path: PathBuf,
    pub(crate) settings: Settings,
    pub(crate) protocol: Box<dyn Protocol>,
    pub(crate) jobs: Receiver<Job>,
    pub(crate) events: Sender<DeviceEvent>,
}

impl Bus {
    /// Runs until the jobs' sender or the events' receiver is gone. Blocks: it wants a thread of its own.
    pub(crate) fn run(mut self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
        match runtime {
            Ok(runtime) => {
                // It ends only when the daemon does.
                let Err(Stopping) = runtime.block_on(self.serve_for_ever());
            }
            Err(error) => tracing::error!(%error, "no runtime for the vending controller"),
        }
    }

    async fn serve_for_ever(&mut self) -> Result<std::convert::Infallible, Stopping> {
        let mut pauses = BackOff::default();
        loop {
            let why = match port::open("vending controller", &self.path, self.settings) {
                Ok(port) => {
                    pauses.up();
                    self.protocol.opened(pace::now());
                    self.serve(port).await?
                }
                Err(why) => why,
            };
            self.protocol.closed(pace::now(), &why);
            self.wait_closed(pauses.next()).await?;
        }
    }

    /// Serves until the port is gone; returns why.
    async fn serve(&mut self, mut port: SerialStream) -> Result<String, Stopping> {
        let mut bytes = [0; 512];
        loop {
            self.tell().await?;
            while let Some(message) = self.protocol.to_send() {
                if let Err(error) = port::write(&mut port, &message).await {
                    return Ok(self.gone(&error.to_string()));
                }
            }
            let rest = self.rest();
            tokio::select! {
                read = port.read(&mut bytes) => match read {
                    Ok(0) => return Ok(self.gone("end of file")),
                    Err(error) => return Ok(self.gone(&error.to_string())),
                    Ok(length) => self.protocol.received(pace::now(), bytes.get(..length).unwrap_or_default()),
                },
                job = self.jobs.recv() => self.protocol.wanted(pace::now(), job.ok_or(Stopping)?),
                () = tokio::time::sleep(rest) => self.wake(),
            }
        }
    }

    /// The protocol goes on while the port is away: jobs are answered, and what waits for an answer gives up in time.
    async fn wait_closed(&mut self, pause: Duration) -> Result<(), Stopping> {
        let until = pace::now() + pause;
        loop {
            self.tell().await?;
            // There is nobody to send it to.
            while self.protocol.to_send().is_some() {}
            let now = pace::now();
            if now >= until {
                return Ok(());
            }
            let rest = self.rest().min(until - now);
            tokio::select! {
                job = self.jobs.recv() => self.protocol.wanted(pace::now(), job.ok_or(Stopping)?),
                () = tokio::time::sleep(rest) => self.wake(),
            }
        }
    }

    fn rest(&self) -> Duration {
        pace::rest(self.protocol.due())
    }

    fn wake(&mut self) {
        let now = pace::now();
        if self.protocol.due().is_some_and(|due| due <= now) {
            self.protocol.woken(now);
        }
    }

    async fn tell(&mut self) -> Result<(), Stopping> {
        while let Some(event) = self.protocol.happened() {
            self.events.send(event).await.map_err(|_| Stopping)?;
        }
        Ok(())
    }

    fn gone(&self, seen: &str) -> String {
        format!("the vending controller at {} is gone ({seen}): look at its cable and its power", self.path.display())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::{event::VendResult, sim::port::Device, vend::driven::Driven};

    /// Asks for every item by one byte; the answer is the item. What was asked when the port went away is unknown.
    #[derive(Default)]
    struct OneByte {
        asked: Option<u64>,
        send: VecDeque<Vec<u8>>,
        events: VecDeque<DeviceEvent>,
    }

    impl OneByte {
        fn answer(&mut self, result: VendResult) {
            if let Some(job) = self.asked.take() {
                self.events.push_back(DeviceEvent::VendEnded { job, result, drops: None, taken: None, told: None });
            }
        }
    }

    impl Protocol for OneByte {
        fn opened(&mut self, _: Duration) {
            self.events.push_back(DeviceEvent::VendReady { drops: None });
        }

        fn closed(&mut self, _: Duration, why: &str) {
            self.answer(VendResult::Unknown);
            self.events.push_back(DeviceEvent::VendDown { reason: why.to_owned() });
        }

        fn received(&mut self, _: Duration, bytes: &[u8]) {
            assert_eq!(bytes, b"!");
            self.answer(VendResult::Dropped);
        }

        fn wanted(&mut self, _: Duration, job: Job) {
            if let Job::Dispense { job, .. } = job {
                self.asked = Some(job);
                self.send.push_back(b"?".to_vec());
            }
        }

        fn woken(&mut self, _: Duration) {}

        fn due(&self) -> Option<Duration> {
            None
        }

        fn to_send(&mut self) -> Option<Vec<u8>> {
            self.send.pop_front()
        }

        fn happened(&mut self) -> Option<DeviceEvent> {
            self.events.pop_front()
        }
    }

    /// Answers the first question only.
    #[derive(Default)]
    struct Lazy {
        answers: VecDeque<Vec<u8>>,
        asked: u32,
    }

    impl Device for Lazy {
        fn received(&mut self, _: Duration, bytes: &[u8]) {
            assert_eq!(bytes, b"?");
            self.asked += 1;
            if self.asked == 1 {
                self.answers.push_back(b"!".to_vec());
            }
        }

        fn woken(&mut self, _: Duration) {}

        fn due(&self) -> Option<Duration> {
            None
        }

        fn to_send(&mut self) -> Option<Vec<u8>> {
            self.answers.pop_front()
        }
    }

    #[test]
    fn a_controller_is_asked_answers_goes_away_and_comes_back() {
        let mut driven = Driven::start(Lazy::default(), OneByte::default());
        driven.is_ready();
        driven.give(1, "11");
        driven.ends(1, VendResult::Dropped);
        driven.give(2, "11");
        driven.comes_to(|device| device.asked >= 2);
        driven.port.unplug();
        driven.ends(2, VendResult::Unknown);
        driven.is_away();
        driven.port.replug().unwrap();
        driven.comes_back();
        driven.stop();
    }
}
