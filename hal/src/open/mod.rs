//! Opens what a board names: here the backends and what every device shares, one file for each kind of device.

mod controllers;
mod display;
mod indicators;
mod keypad;
mod printer;
mod scanner;
mod status_display;
mod vend;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    thread,
};

use tokio::sync::mpsc::Sender;

use crate::{
    board::{BoardSpec, CounterKind, GpioKind, Use},
    devices::Devices,
    event::DeviceEvent,
    gpio::{Bank, LineError, Lines, sim::SimLines},
    scanner::Memory,
    sim::link::Link,
    sound,
    vend::DropCounter,
};

/// Why the devices cannot be used at all. A device that is merely absent is no such error: it reports that it is down, and
/// its driver goes on trying.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The board lacks something that [`BoardSpec::validate`] asks for.
    #[error("the board lacks {0}: run `till check`")]
    Incomplete(&'static str),
    /// This binary was built without the backend.
    #[error("this build has no {0} backend: choose another kind in [gpio], or build with --features {0}")]
    NotBuilt(&'static str),
    /// The GPIO backend does not work on this machine.
    #[error(transparent)]
    Gpio(#[from] LineError),
    /// A driver's thread could not be started.
    #[error("no thread for the {0}: {1}")]
    Thread(&'static str, std::io::Error),
    /// Called outside a tokio runtime, which the serial scanner needs.
    #[error("the serial scanner needs a tokio runtime around it")]
    NoRuntime,
}

/// The lines of a board, and what comes with them.
struct Backend {
    bank: Arc<Bank>,
    counter: Option<Arc<dyn DropCounter>>,
    link: Option<Arc<Link>>,
}

fn sim_socket(board: &BoardSpec) -> Result<PathBuf, OpenError> {
    board.sim.socket.clone().ok_or(OpenError::Incomplete("sim.socket"))
}

fn plain(lines: Arc<dyn Lines>) -> Backend {
    Backend { bank: Bank::new(lines), counter: None, link: None }
}

fn backend(board: &BoardSpec) -> Result<Option<Backend>, OpenError> {
    match board.gpio.kind {
        GpioKind::None => Ok(None),
        #[cfg(feature = "gpio")]
        GpioKind::Chardev => Ok(Some(plain(Arc::new(crate::gpio::chardev::Chardev)))),
        #[cfg(not(feature = "gpio"))]
        GpioKind::Chardev => Err(OpenError::NotBuilt("gpio")),
        #[cfg(feature = "rppal")]
        GpioKind::Rppal => Ok(Some(plain(Arc::new(crate::gpio::rppal::Rppal::open()?)))),
        #[cfg(not(feature = "rppal"))]
        GpioKind::Rppal => Err(OpenError::NotBuilt("rppal")),
        GpioKind::Sim => {
            let link = Arc::new(Link::new(sim_socket(board)?));
            let lines = Arc::new(SimLines::new(Arc::clone(&link)));
            let counter: Option<Arc<dyn DropCounter>> = match board.vend.drop_counter {
                CounterKind::None => None,
                CounterKind::Sim => Some(Arc::clone(&lines) as Arc<dyn DropCounter>),
            };
            Ok(Some(Backend { counter, link: Some(link), ..plain(lines) }))
        }
    }
}

/// Opens every device of a board that passed [`BoardSpec::read`].
///
/// Returns at once: devices come up by themselves and say so through `events`. Outputs are requested inactive. Must be
/// called inside a tokio runtime when the board has a serial scanner.
///
/// # Errors
/// Only what no waiting can mend; see [`OpenError`].
pub fn open(board: &BoardSpec, events: Sender<DeviceEvent>) -> Result<Devices, OpenError> {
    open_with(board, events, None)
}

/// As [`open`], with a memory for the scanner of `dialect = "auto"`.
///
/// # Errors
/// Those of [`open`].
pub fn open_remembering(board: &BoardSpec, events: Sender<DeviceEvent>, memory: Memory) -> Result<Devices, OpenError> {
    open_with(board, events, Some(memory))
}

fn open_with(board: &BoardSpec, events: Sender<DeviceEvent>, memory: Option<Memory>) -> Result<Devices, OpenError> {
    let backend = backend(board)?;
    let mut opening = Opening {
        board,
        events,
        backend,
        devices: Devices {
            size: None,
            slots: Vec::new(),
            machine_chooses: board.vend.machine_chooses(),
            screen: None,
            display_end: None,
            status: None,
            last_frame: Mutex::default(),
            scanner: None,
            vend: None,
            lamp: None,
            buzzer: None,
            voice: None,
            printer: None,
            prints_dropped: Arc::default(),
            sounds: None,
            has_keypad: false,
            bank: None,
            links: Vec::new(),
            threads: Vec::new(),
            scanner_task: None,
        },
    };
    opening.vend()?;
    opening.indicators()?;
    opening.display()?;
    opening.status_display()?;
    opening.scanner(memory)?;
    opening.keypad()?;
    opening.printer()?;
    if let Some(Backend { bank, link, .. }) = opening.backend {
        opening.devices.bank = Some(bank);
        opening.devices.links.extend(link);
    }
    Ok(opening.devices)
}

/// Requests every output of a board inactive and lets go of it: for `ExecStopPost=` after a daemon that was killed. An
/// e-paper is cleared, which takes some seconds: it would go on showing a code that can be paid.
///
/// # Errors
/// One message per output that could not be reached, and one for an e-paper that could not be cleared.
pub fn release_outputs(board: &BoardSpec) -> Result<(), Vec<String>> {
    let mut faults: Vec<String> =
        sound::silence(&board.buzzer).err().map(|fault| fault.to_string()).into_iter().collect();
    match backend(board) {
        Ok(Some(backend)) => faults.extend(release_lines(board, &backend.bank)),
        Ok(None) => {}
        Err(error) => faults.push(error.to_string()),
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

fn release_lines(board: &BoardSpec, bank: &Arc<Bank>) -> Vec<String> {
    let wired = board.lines();
    let outputs = wired.iter().filter(|wired| wired.purpose != Use::Input);
    let mut faults: Vec<String> =
        outputs.filter_map(|wired| bank.output(wired.line).err()).map(|fault| fault.to_string()).collect();
    faults.extend(display::clear_epaper(board, bank).err().map(|fault| fault.to_string()));
    faults
}

/// Held by a driver while it runs: wakes the loop when the driver ends, which may hold a job that is never answered.
struct DriverEnd {
    name: String,
    events: Sender<DeviceEvent>,
}

impl DriverEnd {
    fn of(what: &str, events: &Sender<DeviceEvent>) -> Self {
        Self { name: format!("till-{what}"), events: events.clone() }
    }
}

impl Drop for DriverEnd {
    fn drop(&mut self) {
        // A full queue wakes the loop as well, and a closed one is a daemon that stops.
        let _ = self.events.try_send(DeviceEvent::DriverEnded { name: self.name.clone() });
    }
}

struct Opening<'a> {
    board: &'a BoardSpec,
    events: Sender<DeviceEvent>,
    backend: Option<Backend>,
    devices: Devices,
}

impl Opening<'_> {
    fn spawn(&mut self, what: &'static str, body: impl FnOnce() + Send + 'static) -> Result<(), OpenError> {
        let end = DriverEnd::of(what, &self.events);
        let thread = thread::Builder::new()
            .name(end.name.clone())
            .spawn(move || {
                let _end = end;
                body();
            })
            .map_err(|error| OpenError::Thread(what, error))?;
        self.devices.threads.push(thread);
        Ok(())
    }

    fn backend(&self) -> Result<&Backend, OpenError> {
        self.backend.as_ref().ok_or(OpenError::Incomplete("gpio.kind"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_that_panics_wakes_the_loop_with_its_name() {
        let (events, mut heard) = tokio::sync::mpsc::channel(4);
        let end = DriverEnd::of("vend", &events);
        let died = thread::spawn(move || {
            let _end = end;
            panic!("on purpose");
        });
        assert!(died.join().is_err());
        assert_eq!(heard.try_recv().unwrap(), DeviceEvent::DriverEnded { name: "till-vend".into() });
    }
}
