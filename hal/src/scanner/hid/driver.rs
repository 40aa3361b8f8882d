//! Opens a HID scanner by its stable name and carries its reports, as a task on the caller's tokio runtime.

use std::{
    convert::Infallible,
    fs::{File, OpenOptions},
    io::{self, Write},
    os::{fd::AsFd, unix::fs::OpenOptionsExt},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use rustix::fs::OFlags;
use tokio::{
    io::{Interest, unix::AsyncFd},
    sync::mpsc::Sender,
    task::spawn_blocking,
    time::{sleep, timeout},
};

use super::{Reports, evdev};
use crate::{
    event::DeviceEvent,
    pace,
    scanner::{
        Gate,
        frame::Line,
        outlet::{Outlet, Stopping},
    },
};

/// A report that is not taken for this long never will be.
const WRITE_WITHIN: Duration = Duration::from_secs(2);

/// The driver task's state.
pub(crate) struct HidScanner {
    path: PathBuf,
    reports: Box<dyn Reports>,
    outlet: Outlet,
    /// Nobody else shall see the keys.
    grab: bool,
}

impl HidScanner {
    pub(crate) fn new(path: PathBuf, reports: Box<dyn Reports>, gate: Arc<Gate>, events: Sender<DeviceEvent>) -> Self {
        let grab = reports.is_keyboard();
        Self { path, reports, outlet: Outlet::new(gate, events), grab }
    }

    /// For a simulated keyboard, which no kernel knows.
    #[cfg(test)]
    pub(super) fn without_grab(self) -> Self {
        Self { grab: false, ..self }
    }

    /// Runs until the loop's end of the event queue is gone.
    pub(crate) async fn run(mut self) {
        // It ends only when the daemon does.
        let Err(Stopping) = self.serve_for_ever().await;
    }

    async fn serve_for_ever(&mut self) -> Result<Infallible, Stopping> {
        loop {
            let reason = match self.open().await {
                Ok(device) => self.serve(&device).await?,
                Err(reason) => format!("the scanner's device {} {reason}", self.path.display()),
            };
            self.outlet.down(reason).await?;
        }
    }

    async fn open(&mut self) -> Result<AsyncFd<File>, String> {
        let keyboard = self.reports.is_keyboard();
        let mut options = OpenOptions::new();
        options.read(true).write(!keyboard);
        options.custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed());
        let file = options.open(&self.path).map_err(|error| explain(keyboard, &error))?;
        let device = watched(file).map_err(|error| format!("is no device: {error}"))?;
        if self.grab {
            evdev::grab(&device).await?;
        }
        Ok(device)
    }

    /// Serves until the device is gone; returns why.
    async fn serve(&mut self, device: &AsyncFd<File>) -> Result<String, Stopping> {
        self.outlet.gate.set_port(device.as_fd().try_clone_to_owned().ok());
        self.reports.opened(pace::now());
        let armed = self.outlet.gate.is_armed();
        if armed {
            self.reports.armed(pace::now(), true);
        }
        self.outlet.up(None).await?;
        let reason = self.carry(device, armed).await;
        self.outlet.gate.set_port(None);
        reason
    }

    async fn carry(&mut self, device: &AsyncFd<File>, mut armed: bool) -> Result<String, Stopping> {
        let mut bytes = [0; 1024];
        loop {
            while let Some(report) = self.reports.to_send() {
                if let Err(error) = write(device.get_ref(), report).await {
                    return Ok(self.gone(&error.to_string()));
                }
            }
            let rest = pace::rest(self.reports.due());
            // In this order: see the serial driver.
            let lines = tokio::select! {
                biased;
                () = self.outlet.events.closed() => return Err(Stopping),
                () = self.outlet.gate.changed() => self.wishes(&mut armed),
                read = read(device, &mut bytes) => match read {
                    Ok(0) => return Ok(self.gone("end of file")),
                    Err(error) => return Ok(self.gone(&error.to_string())),
                    Ok(length) => self.reports.received(pace::now(), bytes.get(..length).unwrap_or_default()),
                },
                () = sleep(rest) => self.reports.woken(pace::now()),
            };
            for line in lines {
                self.outlet.pass(line)?;
            }
            self.outlet.report(self.reports.noise());
        }
    }

    fn wishes(&mut self, armed: &mut bool) -> Vec<Line> {
        let (before, early) = self.outlet.gate.take_early();
        let lines = early.iter().flat_map(|bytes| self.reports.received(before, bytes)).collect();
        let wanted = self.outlet.gate.is_armed();
        if std::mem::replace(armed, wanted) != wanted {
            self.reports.armed(pace::now(), wanted);
        }
        lines
    }

    fn gone(&self, seen: &str) -> String {
        format!("the scanner at {} is gone ({seen}): plug it in again", self.path.display())
    }
}

#[expect(unsafe_code, reason = "tokio wants to be told that the descriptor stays")]
fn watched(file: File) -> io::Result<AsyncFd<File>> {
    // SAFETY: a `File` keeps one open descriptor from its making to its drop, and hands out no way to change it.
    Ok(unsafe { AsyncFd::register_with_interest(file, Interest::READABLE) }?)
}

async fn read(device: &AsyncFd<File>, bytes: &mut [u8]) -> io::Result<usize> {
    device.async_io(Interest::READABLE, |file| Ok(rustix::io::read(file, &mut *bytes)?)).await
}

/// The kernel waits for the device, up to seconds: not on the loop's thread.
async fn write(device: &File, report: Vec<u8>) -> io::Result<()> {
    let mut device = device.try_clone()?;
    let written = spawn_blocking(move || device.write_all(&report));
    match timeout(WRITE_WITHIN, written).await {
        Ok(Ok(done)) => done,
        Ok(Err(_)) | Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "it takes no reports")),
    }
}

fn explain(keyboard: bool, error: &io::Error) -> String {
    let place = if keyboard { "/dev/input/by-id (…-event-kbd)" } else { "/dev/pay/scanner-hid" };
    if error.kind() == io::ErrorKind::NotFound {
        return format!("does not exist: plug the scanner in, or compare with {place}");
    }
    if error.kind() == io::ErrorKind::PermissionDenied {
        return "may not be opened: install systemd/60-till-scanner.rules with the scanner's number in it".into();
    }
    format!("cannot be opened: {error}")
}
