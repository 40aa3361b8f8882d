//! The thread that owns the vending hardware.

use std::{
    collections::VecDeque,
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::Duration,
};

use tokio::sync::mpsc::Sender;

use super::{Ended, Job, Vend, VendError};
use crate::{
    event::{DeviceEvent, VendResult},
    pace::{self, BackOff},
};

/// Jobs that may wait; the engine gives one at a time.
pub(crate) const QUEUE_MAX: usize = 8;
/// How often an idle machine is looked at.
const CHECK_EVERY: Duration = Duration::from_secs(2);
/// An inspection waits this long for hardware that is away, then its result is unknown.
const INSPECT_PATIENCE: Duration = Duration::from_secs(30);

/// An inspection that waits for the hardware to come back.
struct Waiting {
    job: u64,
    drops_before: Option<u64>,
    since: Duration,
}

impl Waiting {
    fn new(job: u64, drops_before: Option<u64>) -> Self {
        Self { job, drops_before, since: pace::now() }
    }
}

/// The loop is gone: the daemon is stopping.
struct Stopping;

type Open = Box<dyn Fn() -> Result<Box<dyn Vend>, VendError> + Send>;

/// Opens the hardware, serves jobs, and opens it again after a fault.
pub(crate) struct Worker {
    pub(crate) open: Open,
    pub(crate) jobs: Receiver<Job>,
    pub(crate) events: Sender<DeviceEvent>,
}

impl Worker {
    /// Runs until the jobs' sender or the events' receiver is gone.
    pub(crate) fn run(self) {
        let mut pauses = BackOff::default();
        let mut waiting = VecDeque::new();
        let mut reported = None;
        loop {
            let fault = match (self.open)() {
                Ok(vend) => match self.serve(vend, &mut waiting, &mut reported, &mut pauses) {
                    Ok(fault) => fault,
                    Err(Stopping) => return,
                },
                Err(fault) => fault,
            };
            let told = self.tell_down(fault.to_string(), &mut reported);
            if told.and_then(|()| self.wait_down(pauses.next(), &mut waiting)).is_err() {
                return;
            }
        }
    }

    /// Serves jobs until the hardware fails; returns the fault.
    fn serve(
        &self,
        mut vend: Box<dyn Vend>,
        waiting: &mut VecDeque<Waiting>,
        reported: &mut Option<String>,
        pauses: &mut BackOff,
    ) -> Result<VendError, Stopping> {
        // Inspected before anything else: what lies in the tray says nothing about the counter.
        for Waiting { job, drops_before, .. } in waiting.drain(..) {
            self.ended(job, vend.inspect(drops_before))?;
        }
        if let Err(fault) = vend.check() {
            return Ok(fault);
        }
        *reported = None;
        pauses.up();
        self.tell(DeviceEvent::VendReady { drops: vend.drops() })?;
        loop {
            let (job, mut ended) = match self.jobs.recv_timeout(CHECK_EVERY) {
                Ok(Job::Dispense { job, slot, price }) => (job, vend.dispense(&slot, price)),
                // Nobody chooses at a machine without a controller.
                Ok(Job::TurnAway) => continue,
                Ok(Job::Inspect { job, drops_before }) => match vend.check() {
                    Err(fault @ VendError::Line(_)) => {
                        waiting.push_back(Waiting::new(job, drops_before));
                        return Ok(fault);
                    }
                    Err(VendError::Blocked | VendError::Inhibited) | Ok(()) => (job, vend.inspect(drops_before)),
                },
                Err(RecvTimeoutError::Timeout) => match vend.check() {
                    Ok(()) => continue,
                    Err(fault) => return Ok(fault),
                },
                Err(RecvTimeoutError::Disconnected) => return Err(Stopping),
            };
            let fault = ended.fault.take();
            self.ended(job, ended)?;
            if let Some(fault) = fault {
                return Ok(fault);
            }
        }
    }

    /// Once for each reason: another one wants another hand.
    fn tell_down(&self, reason: String, reported: &mut Option<String>) -> Result<(), Stopping> {
        if reported.as_ref() == Some(&reason) {
            return Ok(());
        }
        *reported = Some(reason.clone());
        self.tell(DeviceEvent::VendDown { reason })
    }

    /// Answers for hardware that is away: no motor turns, and no counter is guessed.
    fn wait_down(&self, pause: Duration, waiting: &mut VecDeque<Waiting>) -> Result<(), Stopping> {
        let until = pace::now() + pause;
        loop {
            let rest = until.saturating_sub(pace::now());
            match self.jobs.recv_timeout(rest) {
                Ok(Job::Dispense { job, .. }) => self.ended(job, Ended::without_hardware(VendResult::NotDropped))?,
                Ok(Job::TurnAway) => {}
                Ok(Job::Inspect { job, drops_before }) => {
                    waiting.push_back(Waiting::new(job, drops_before));
                }
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return Err(Stopping),
            }
        }
        while let Some(patient) = waiting.front() {
            if pace::now() < patient.since + INSPECT_PATIENCE {
                break;
            }
            self.ended(patient.job, Ended::without_hardware(VendResult::Unknown))?;
            waiting.pop_front();
        }
        Ok(())
    }

    fn ended(&self, job: u64, ended: Ended) -> Result<(), Stopping> {
        let Ended { result, drops, told, .. } = ended;
        self.tell(DeviceEvent::VendEnded { job, result, drops, taken: None, told })
    }

    /// May wait for the loop; the loop never waits for this thread.
    fn tell(&self, event: DeviceEvent) -> Result<(), Stopping> {
        self.events.blocking_send(event).map_err(|_| Stopping)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc};

    use super::*;
    use crate::gpio::LineError;

    struct Sound;

    impl Vend for Sound {
        fn dispense(&mut self, _: &str, _: i64) -> Ended {
            Ended::without_hardware(VendResult::Unknown)
        }

        fn inspect(&mut self, _: Option<u64>) -> Ended {
            Ended::without_hardware(VendResult::Unknown)
        }

        fn drops(&self) -> Option<u64> {
            None
        }

        fn check(&mut self) -> Result<(), VendError> {
            Ok(())
        }
    }

    #[test]
    fn each_reason_why_the_hardware_is_away_is_told_once() {
        let gone = || VendError::Line(LineError::Gone("bench".into()));
        let faults = [VendError::Blocked, VendError::Blocked, gone()];
        let faults = Mutex::new(VecDeque::from(faults));
        let open: Open = Box::new(move || match faults.lock().unwrap().pop_front() {
            Some(fault) => Err(fault),
            None => Ok(Box::new(Sound)),
        });
        let (give, jobs) = mpsc::channel();
        let (events, mut heard) = tokio::sync::mpsc::channel(4);
        let worker = std::thread::spawn(move || Worker { open, jobs, events }.run());
        let down = |fault: VendError| DeviceEvent::VendDown { reason: fault.to_string() };
        for event in [down(VendError::Blocked), down(gone()), DeviceEvent::VendReady { drops: None }] {
            assert_eq!(heard.blocking_recv(), Some(event));
        }
        drop(give);
        worker.join().unwrap();
    }
}
