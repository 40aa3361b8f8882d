//! The thread that owns the printer's port: serial, or a printer of the USB class.

use std::{fs::OpenOptions, io, os::unix::fs::OpenOptionsExt, path::PathBuf, time::Duration};

use rustix::fs::OFlags;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::unix::pipe,
    sync::mpsc::{Receiver, Sender},
    time::timeout,
};

use super::{Receipt, Session};
use crate::{
    event::DeviceEvent,
    pace::{self, BackOff},
    port::{self, Settings},
};

/// Receipts that may wait.
pub(crate) const QUEUE_MAX: usize = 8;
/// A printer that takes no bytes for so long is stuck. A piece is a few kilobytes, and 9600 baud take a second for each.
const WRITE_WITHIN: Duration = Duration::from_secs(20);

/// How the printer is connected.
pub(crate) enum Way {
    Serial(Settings),
    Usb,
}

/// Both directions of an open port.
struct Wire {
    from: Box<dyn AsyncRead + Unpin>,
    to: Box<dyn AsyncWrite + Unpin>,
}

/// The loop's end is gone: the daemon is stopping.
struct Stopping;

/// Runs a session over its port, and opens the port again when it went away.
pub(crate) struct Driver {
    pub(crate) path: PathBuf,
    pub(crate) way: Way,
    pub(crate) session: Session,
    pub(crate) receipts: Receiver<Receipt>,
    pub(crate) events: Sender<DeviceEvent>,
}

impl Driver {
    /// Runs until the receipts' sender or the events' receiver is gone. Blocks: it wants a thread of its own.
    pub(crate) fn run(mut self) {
        match tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build() {
            Ok(runtime) => {
                // It ends only when the daemon does.
                let Err(Stopping) = runtime.block_on(self.serve_for_ever());
            }
            Err(error) => tracing::error!(%error, "no runtime for the printer"),
        }
    }

    async fn serve_for_ever(&mut self) -> Result<std::convert::Infallible, Stopping> {
        let mut pauses = BackOff::default();
        loop {
            let why = match self.open() {
                Ok(wire) => {
                    pauses.up();
                    self.session.opened(pace::now());
                    let seen = self.serve(wire).await?;
                    format!("the printer at {} is gone ({seen}): look at its cable and its power", self.path.display())
                }
                Err(why) => why,
            };
            self.session.closed(pace::now(), &why);
            let until = pace::now() + pauses.next();
            while self.step(None, Some(until)).await?.is_none() {}
        }
    }

    fn open(&self) -> Result<Wire, String> {
        match self.way {
            Way::Serial(settings) => {
                let (from, to) = tokio::io::split(port::open("printer", &self.path, settings)?);
                Ok(Wire { from: Box::new(from), to: Box::new(to) })
            }
            Way::Usb => self.open_usb().map_err(|error| self.explain(&error)),
        }
    }

    /// The kernel's printer device is written and read like a pipe, and polled like one.
    fn open_usb(&self) -> io::Result<Wire> {
        let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
        let device = OpenOptions::new().read(true).write(true).custom_flags(flags).open(&self.path)?;
        let from = pipe::Receiver::from_file_unchecked(device.try_clone()?)?;
        let to = pipe::Sender::from_file_unchecked(device)?;
        Ok(Wire { from: Box::new(from), to: Box::new(to) })
    }

    fn explain(&self, error: &io::Error) -> String {
        let kind = error.kind();
        let what = if kind == io::ErrorKind::NotFound {
            "does not exist: switch the printer on and look at its cable".into()
        } else if kind == io::ErrorKind::PermissionDenied {
            "may not be opened: put the user in the group lp".into()
        } else if kind == io::ErrorKind::ResourceBusy {
            "is used by another program: stop it; CUPS is a common one".into()
        } else {
            format!("cannot be opened: {error}")
        };
        format!("the printer's device {} {what}", self.path.display())
    }

    /// Serves until the port is gone; returns what was seen.
    async fn serve(&mut self, mut wire: Wire) -> Result<String, Stopping> {
        loop {
            while let Some(bytes) = self.session.next_to_send() {
                match timeout(WRITE_WITHIN, wire.to.write_all(&bytes)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => return Ok(error.to_string()),
                    Err(_late) => return Ok("it takes no bytes".into()),
                }
            }
            if let Some(seen) = self.step(Some(&mut wire), None).await? {
                return Ok(seen);
            }
        }
    }

    /// Waits for the next thing, at most until `until`; returns how the port, or the wait for another one, ended.
    async fn step(&mut self, wire: Option<&mut Wire>, until: Option<Duration>) -> Result<Option<String>, Stopping> {
        while let Some(state) = self.session.happened() {
            self.events.send(DeviceEvent::Printer(state)).await.map_err(|_| Stopping)?;
        }
        let rest = rest(pace::now(), self.session.due(), until);
        let mut bytes = [0; 64];
        let read = async {
            match wire {
                Some(wire) => wire.from.read(&mut bytes).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            read = read => match read {
                Ok(0) => return Ok(Some("end of file".into())),
                Err(error) => return Ok(Some(error.to_string())),
                Ok(length) => self.session.received(pace::now(), bytes.get(..length).unwrap_or_default()),
            },
            receipt = self.receipts.recv() => self.session.wanted(pace::now(), &receipt.ok_or(Stopping)?),
            () = sleep(rest) => self.wake(),
        }
        Ok(until.filter(|until| *until <= pace::now()).map(|_| String::new()))
    }

    fn wake(&mut self) {
        let now = pace::now();
        if self.session.due().is_some_and(|due| due <= now) {
            self.session.woken(now);
        }
    }
}

/// How long nothing happens by itself; `None`: a printer that is asked nothing may be silent for days.
fn rest(now: Duration, due: Option<Duration>, until: Option<Duration>) -> Option<Duration> {
    due.into_iter().chain(until).min().map(|at| at.saturating_sub(now))
}

async fn sleep(rest: Option<Duration>) {
    match rest {
        Some(rest) => tokio::time::sleep(rest).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printer_that_is_asked_nothing_is_not_gone_because_it_is_silent() {
        let at = Duration::from_secs;
        assert_eq!(rest(at(7), None, None), None);
        assert_eq!(rest(at(7), Some(at(9)), None), Some(at(2)));
        assert_eq!(rest(at(7), Some(at(9)), Some(at(8))), Some(at(1)));
        assert_eq!(rest(at(7), None, Some(at(6))), Some(at(0)));
    }
}
