//! A scanner on a serial port, as a task on the caller's tokio runtime: it carries what its [session](super::session) says.
//!
//! The port is opened by its stable name, and opened again by it after the scanner was unplugged. End of file means that the
//! device is gone: a reader that goes on would spin at full speed (reference/hardware.md 1.8).

use std::{path::PathBuf, sync::Arc};

use tokio::{io::AsyncReadExt, sync::mpsc::Sender, time::sleep};
use tokio_serial::SerialStream;

use super::{
    Gate, Memory,
    outlet::{Outlet, Stopping},
    session::{Output, Session},
};
use crate::{
    board::ScannerSpec,
    event::DeviceEvent,
    pace,
    port::{self, Settings},
};

/// The driver task's state.
pub(crate) struct SerialScanner {
    path: PathBuf,
    baud: u32,
    session: Session,
    outlet: Outlet,
    memory: Option<Memory>,
}

/// Why a port is not served any more.
enum End {
    /// It is gone by itself.
    Gone(String),
    /// The scanner behind it is mute.
    Mute(String),
}

impl SerialScanner {
    pub(crate) fn new(spec: &ScannerSpec, path: PathBuf, gate: Arc<Gate>, events: Sender<DeviceEvent>) -> Self {
        let session = Session::new(spec, pace::now());
        Self { path, baud: spec.baud, session, outlet: Outlet::new(gate, events), memory: None }
    }

    /// With what was found before a restart, and a place for what is found now.
    pub(crate) fn remembering(mut self, memory: Option<Memory>) -> Self {
        if let Some(before) = memory.as_ref().and_then(|memory| memory.before.as_deref()) {
            self.session.recall(before);
        }
        self.memory = memory;
        self
    }

    /// Runs until the loop's end of the event queue is gone.
    pub(crate) async fn run(mut self) {
        // It ends only when the daemon does.
        let Err(Stopping) = self.serve_for_ever().await;
    }

    async fn serve_for_ever(&mut self) -> Result<std::convert::Infallible, Stopping> {
        loop {
            let reason = match port::open("scanner", &self.path, Settings::at(self.baud)) {
                Ok(port) => self.serve(port).await?,
                Err(reason) => reason,
            };
            self.outlet.down(reason).await?;
        }
    }

    /// Serves until the port is gone; returns why.
    async fn serve(&mut self, mut port: SerialStream) -> Result<String, Stopping> {
        self.outlet.gate.set_port(port::duplicate(&port));
        self.session.opened(pace::now());
        self.session.armed(pace::now(), self.outlet.gate.is_armed());
        let end = self.talk(&mut port).await;
        self.outlet.gate.set_port(None);
        self.session.closed(!matches!(end, Ok(End::Mute(_))));
        end.map(|end| match end {
            End::Gone(reason) | End::Mute(reason) => reason,
        })
    }

    async fn talk(&mut self, port: &mut SerialStream) -> Result<End, Stopping> {
        let mut bytes = [0; 512];
        loop {
            if let Some(end) = self.carry_out(port).await? {
                return Ok(end);
            }
            let rest = pace::rest(self.session.due());
            // In this order: what came before the scanner was armed is not read after it, and no line ends by silence while
            // its rest waits to be read.
            tokio::select! {
                biased;
                () = self.outlet.events.closed() => return Err(Stopping),
                () = self.outlet.gate.changed() => self.wishes(),
                read = port.read(&mut bytes) => match read {
                    Ok(0) => return Ok(self.gone("end of file")),
                    Err(error) => return Ok(self.gone(&error.to_string())),
                    Ok(length) => self.session.received(pace::now(), bytes.get(..length).unwrap_or_default()),
                },
                () = sleep(rest) => self.session.woken(pace::now()),
            }
            self.outlet.report(self.session.noise());
        }
    }

    fn wishes(&mut self) {
        let (before, early) = self.outlet.gate.take_early();
        early.iter().for_each(|bytes| self.session.received(before, bytes));
        self.session.armed(pace::now(), self.outlet.gate.is_armed());
        if let Some(beep) = self.outlet.gate.take_beep() {
            self.session.beep(pace::now(), beep);
        }
    }

    async fn carry_out(&mut self, port: &mut SerialStream) -> Result<Option<End>, Stopping> {
        while let Some(output) = self.session.output() {
            match output {
                Output::Send(bytes) => {
                    if let Err(error) = port::write(port, &bytes).await {
                        return Ok(Some(self.gone(&error.to_string())));
                    }
                }
                Output::Baud(baud) => {
                    if let Err(error) = port::set_speed(port, baud) {
                        return Ok(Some(self.gone(&error.to_string())));
                    }
                }
                Output::Line(line) => self.outlet.pass(line)?,
                Output::Up { identity } => {
                    self.remember();
                    self.outlet.up(identity).await?;
                }
                Output::Advice(advice) => tracing::warn!(scanner = %self.path.display(), "{advice}"),
                Output::Reopen(seen) => return Ok(Some(self.mute(seen))),
            }
        }
        Ok(None)
    }

    fn remember(&mut self) {
        let Some((memory, found)) = self.memory.as_mut().zip(self.session.memory()) else { return };
        if memory.before.as_ref() != Some(&found) {
            (memory.keep)(found.clone());
            memory.before = Some(found);
        }
    }

    fn gone(&self, seen: &str) -> End {
        End::Gone(format!("the scanner at {} is gone ({seen}): plug it in again", self.path.display()))
    }

    fn mute(&self, seen: &str) -> End {
        End::Mute(format!("the scanner at {} {seen}: look at its cable and its power", self.path.display()))
    }
}
