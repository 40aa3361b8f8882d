//! A line scanner on a serial port, as a task on the caller's tokio runtime.
//!
//! The port is opened by its stable name, and opened again by it after the scanner was unplugged. End of file means that the
//! device is gone: a reader that goes on would spin at full speed (reference/hardware.md 1.8).

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::{
    io::AsyncReadExt,
    sync::mpsc::{Sender, error::TrySendError},
    time::{sleep, timeout},
};
use tokio_serial::SerialStream;

use super::{
    Gate,
    frame::{Assembler, Framing, Line, Noise},
};
use crate::{
    board::ScannerSpec,
    event::DeviceEvent,
    pace::{self, BackOff},
    port::{self, Settings},
};

/// Without a terminator to wait for, and no line begun.
const NO_DEADLINE: Duration = Duration::from_secs(3600);

/// The driver task's state.
pub(crate) struct SerialScanner {
    path: PathBuf,
    baud: u32,
    assembler: Assembler,
    noise: Noise,
    gate: Arc<Gate>,
    events: Sender<DeviceEvent>,
}

/// The loop's end of the event queue is gone: the daemon is stopping.
struct Stopping;

impl SerialScanner {
    pub(crate) fn new(spec: &ScannerSpec, path: PathBuf, gate: Arc<Gate>, events: Sender<DeviceEvent>) -> Self {
        Self {
            path,
            baud: spec.baud,
            assembler: Assembler::new(Framing::from(spec), pace::now()),
            noise: Noise::default(),
            gate,
            events,
        }
    }

    /// Runs until the loop's end of the event queue is gone.
    pub(crate) async fn run(mut self) {
        let mut pauses = BackOff::default();
        let mut reported = false;
        while !self.events.is_closed() {
            let reason = match port::open("scanner", &self.path, Settings::at(self.baud)) {
                Ok(port) => {
                    pauses.up();
                    reported = false;
                    match self.serve(port).await {
                        Ok(reason) => reason,
                        Err(Stopping) => return,
                    }
                }
                Err(reason) => reason,
            };
            if !reported {
                reported = true;
                if self.tell(DeviceEvent::ScannerDown { reason }).await.is_err() {
                    return;
                }
            }
            sleep(pauses.next()).await;
        }
    }

    /// Reads until the port is gone; returns why.
    async fn serve(&mut self, mut port: SerialStream) -> Result<String, Stopping> {
        self.gate.set_port(port::duplicate(&port));
        self.assembler.reopen(pace::now());
        self.tell(DeviceEvent::ScannerUp).await?;
        let reason = self.read_all(&mut port).await;
        self.gate.set_port(None);
        reason
    }

    async fn read_all(&mut self, port: &mut SerialStream) -> Result<String, Stopping> {
        let mut bytes = [0; 512];
        loop {
            let silence = self.assembler.idle_deadline().map_or(NO_DEADLINE, |at| at.saturating_sub(pace::now()));
            let read = tokio::select! {
                read = timeout(silence, port.read(&mut bytes)) => read,
                () = self.events.closed() => return Err(Stopping),
            };
            let now = pace::now();
            let lines: Vec<Line> = match read {
                Ok(Ok(0)) => return Ok(self.gone("end of file")),
                Ok(Err(error)) => return Ok(self.gone(&error.to_string())),
                Ok(Ok(length)) => {
                    let received = bytes.get(..length).unwrap_or_default();
                    self.assembler.push(now, received)
                }
                Err(_silent) => self.assembler.flush(now).into_iter().collect(),
            };
            for line in lines {
                self.pass(line)?;
            }
            self.report_noise();
        }
    }

    /// A flooded loop loses codes, which are counted; it is never waited for with a code that grows old.
    fn pass(&self, line: Line) -> Result<(), Stopping> {
        if !self.gate.admits(line.began) {
            return Ok(());
        }
        match self.events.try_send(DeviceEvent::Scanned(line.text)) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) => {
                self.gate.count_dropped();
                Ok(())
            }
            Err(TrySendError::Closed(_)) => Err(Stopping),
        }
    }

    /// Counts only: what was read may be a buyer's code, even if it came through badly.
    fn report_noise(&mut self) {
        let noise = self.assembler.noise();
        if noise != self.noise {
            self.noise = noise;
            tracing::info!(?noise, "the scanner's reads so far that were no codes");
        }
    }

    fn gone(&self, seen: &str) -> String {
        format!("the scanner at {} is gone ({seen}): plug it in again", self.path.display())
    }

    async fn tell(&self, event: DeviceEvent) -> Result<(), Stopping> {
        self.events.send(event).await.map_err(|_| Stopping)
    }
}
