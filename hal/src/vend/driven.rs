//! The driver that ships, at a real pty with the model of its controller at the other end.

use std::{
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::sync::mpsc::{self, Receiver, Sender};

use super::{
    Job,
    bus::{Bus, Protocol},
};
use crate::{
    event::{DeviceEvent, VendResult},
    port::Settings,
    sim::port::{Device, SimPort},
};

/// Generous: only a defect takes that long.
const LIMIT: Duration = Duration::from_secs(60);

/// A controller that is served.
pub(super) struct Driven<D: Device> {
    pub(super) port: SimPort<D>,
    jobs: Sender<Job>,
    heard: Receiver<DeviceEvent>,
    driver: JoinHandle<()>,
    _directory: tempfile::TempDir,
}

impl<D: Device> Driven<D> {
    pub(super) fn start(device: D, protocol: impl Protocol + 'static) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("controller");
        let port = SimPort::start(&path, device).unwrap();
        let (give, jobs) = mpsc::channel(4);
        let (events, heard) = mpsc::channel(16);
        let bus = Bus { path, settings: Settings::at(9600), protocol: Box::new(protocol), jobs, events };
        Self { port, jobs: give, heard, driver: thread::spawn(move || bus.run()), _directory: directory }
    }

    pub(super) fn give(&self, job: u64, slot: &str) {
        self.jobs.try_send(Job::Dispense { job, slot: slot.into(), price: 350 }).unwrap();
    }

    /// Waits until the device is as wanted, but not for ever.
    pub(super) fn comes_to(&self, wanted: impl FnMut(&mut D) -> bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let limited = async { tokio::time::timeout(LIMIT, self.port.until(wanted)).await };
        runtime.block_on(limited).expect("the device came to it");
    }

    fn next(&mut self) -> DeviceEvent {
        self.heard.blocking_recv().expect("the driver runs")
    }

    pub(super) fn is_ready(&mut self) {
        assert_eq!(self.next(), DeviceEvent::VendReady { drops: None });
    }

    pub(super) fn ends(&mut self, job: u64, result: VendResult) {
        assert_eq!(self.next(), DeviceEvent::VendEnded { job, result, drops: None, taken: None, told: None });
    }

    pub(super) fn is_away(&mut self) {
        let event = self.next();
        assert!(matches!(event, DeviceEvent::VendDown { .. }), "{event:?}");
    }

    /// Each vain try to open the port may have told of another reason.
    pub(super) fn comes_back(&mut self) {
        let mut event = self.next();
        while matches!(event, DeviceEvent::VendDown { .. }) {
            event = self.next();
        }
        assert_eq!(event, DeviceEvent::VendReady { drops: None });
    }

    /// The daemon stops.
    pub(super) fn stop(self) {
        drop(self.jobs);
        self.driver.join().unwrap();
    }
}
