//! The devices as the loop uses them: effects go out, inputs for the engine come in.

use hal::{DeviceEvent, Devices, DisplayState, PrinterState};
use payment::engine::choice::Choice;
use payment::engine::effect::{Beep, JobId, Vend, VendWhat};
use payment::engine::entry::{SlotId, VendResult};
use payment::engine::faults::Fault;
use payment::engine::input::{Input, Key};
use payment::money::Fen;

use super::Broken;
use super::metrics::Metrics;

/// The devices of the board.
pub struct Machinery {
    devices: Devices,
    ready: bool,
    /// Inspections that came before the machine was ready.
    waiting: Vec<Vend>,
    /// The driver that said that it ended.
    ended: Option<String>,
    /// What stands on the status display.
    told: Vec<String>,
}

impl std::fmt::Debug for Machinery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { devices: _, ready, waiting, ended, told: _ } = self;
        let mut debug = f.debug_struct("Machinery");
        debug.field("ready", ready).field("waiting", waiting).field("ended", ended).finish_non_exhaustive()
    }
}

impl Machinery {
    /// Over the opened devices.
    #[must_use]
    pub const fn new(devices: Devices) -> Self {
        Self { devices, ready: false, waiting: Vec::new(), ended: None, told: Vec::new() }
    }

    /// The faults that stand until a device says that it is there.
    #[must_use]
    pub fn faults_at_start(&self) -> Vec<Fault> {
        let machine = self.devices.has_vend().then_some(Fault::Machine);
        let scanner = self.devices.has_scanner().then_some(Fault::Scanner);
        machine.into_iter().chain(scanner).collect()
    }

    /// The display's size in pixels, if there is one.
    #[must_use]
    pub fn display_size(&self) -> Option<(u32, u32)> {
        self.devices.size()
    }

    /// Shows a frame; a slow panel shows the newest.
    pub fn show(&self, frame: hal::display::Frame) {
        self.devices.show(frame);
    }

    /// Shows a frame that nobody waits for.
    pub fn show_quietly(&self, frame: hal::display::Frame) {
        self.devices.show_quietly(frame);
    }

    /// Says on the status display, where there is one, whether the machine sells; only when that has changed.
    pub fn tell_status(&mut self, blocking: Option<&Fault>) {
        let lines = match blocking {
            None => vec!["READY".to_owned()],
            Some(fault) => vec!["CLOSED".to_owned(), fault.name()],
        };
        if self.told != lines {
            self.told.clone_from(&lines);
            self.devices.status(lines);
        }
    }

    /// What an event means for the engine.
    pub fn on_event(&mut self, event: DeviceEvent, metrics: &Metrics) -> Vec<Input> {
        match event {
            DeviceEvent::Scanned(line) => {
                metrics.scans.add_one();
                vec![Input::Scanned(line)]
            }
            DeviceEvent::ScannerUp { .. } => vec![Input::Clear(Fault::Scanner)],
            DeviceEvent::ScannerDown { reason } => vec![raise(Fault::Scanner, &reason)],
            DeviceEvent::Key(key) => {
                self.devices.wake();
                vec![Input::Key(key_of(key))]
            }
            DeviceEvent::VendReady { drops } => self.on_ready(drops, metrics),
            DeviceEvent::VendDown { reason } => {
                self.ready = false;
                vec![raise(Fault::Machine, &reason)]
            }
            DeviceEvent::VendEnded { job, result, drops, taken, told } => {
                if let Some(told) = told {
                    tracing::info!(job, ?result, %told, "what the machine says of a vend");
                }
                let result = result_of(result);
                if result != VendResult::Dropped {
                    metrics.vends_failed.add_one();
                }
                vec![Input::Vended { job: JobId(job), result, drops, taken: taken.map(Fen::new) }]
            }
            DeviceEvent::Chosen { slot, price } => vec![Input::Chosen(choice_of(slot.as_deref(), price))],
            DeviceEvent::ChoiceEnded => vec![Input::ChoiceEnded],
            DeviceEvent::CashSold { slot, price } => {
                vec![Input::MachineSold(choice_of(slot.as_deref(), Some(price)))]
            }
            DeviceEvent::Display(DisplayState::Up) => vec![Input::Clear(Fault::Display)],
            DeviceEvent::Display(DisplayState::Down { reason }) => vec![raise(Fault::Display, &reason)],
            DeviceEvent::Printer(PrinterState::Up) => vec![Input::Clear(Fault::Printer)],
            DeviceEvent::Printer(PrinterState::PaperLow) => {
                tracing::warn!("the receipt printer's paper is nearly used up");
                vec![Input::Clear(Fault::Printer)]
            }
            DeviceEvent::Printer(PrinterState::Down { reason }) => vec![raise(Fault::Printer, &reason)],
            DeviceEvent::DriverEnded { name } => {
                self.ended = Some(name);
                Vec::new()
            }
        }
    }

    fn on_ready(&mut self, drops: Option<u64>, metrics: &Metrics) -> Vec<Input> {
        self.ready = true;
        let mut inputs = vec![Input::Drops(drops), Input::Clear(Fault::Machine)];
        for vend in std::mem::take(&mut self.waiting) {
            inputs.extend(self.vend(vend, metrics));
        }
        inputs
    }

    /// Gives the machine a job. An answer comes back at once only when the machine refuses: then nothing turned.
    pub fn vend(&mut self, vend: Vend, metrics: &Metrics) -> Option<Input> {
        let Vend { job, slot, what } = &vend;
        let given = match what {
            VendWhat::Dispense { price } => {
                metrics.vends.add_one();
                self.devices.dispense(job.0, slot.as_str(), price.get())
            }
            VendWhat::Inspect { .. } if !self.ready => {
                self.waiting.push(vend);
                return None;
            }
            VendWhat::Inspect { drops_before } => self.devices.inspect(job.0, slot.as_str(), *drops_before),
        };
        let refused = given.err()?;
        tracing::error!(%slot, %refused, "the machine did not take the job; no motor turned");
        let result = match what {
            VendWhat::Dispense { .. } => VendResult::NotDropped,
            VendWhat::Inspect { .. } => VendResult::Unknown,
        };
        Some(Input::Vended { job: *job, result, drops: None, taken: None })
    }

    /// Lets the scanner's lines through, or not.
    pub fn arm_scanner(&self, armed: bool) {
        self.devices.arm_scanner(armed);
    }

    /// What was chosen at the machine will not be paid.
    pub fn turn_away(&self) {
        self.devices.turn_away();
    }

    /// The lamp of the delivery bay.
    pub fn lamp(&self, on: bool) {
        self.devices.lamp(on);
    }

    /// Whether there is a receipt printer.
    #[must_use]
    pub fn has_printer(&self) -> bool {
        self.devices.has_printer()
    }

    /// Prints a receipt, where there is a printer.
    ///
    /// # Errors
    ///
    /// When it was not taken on.
    pub fn print(&self, receipt: hal::printer::Receipt) -> Result<(), hal::printer::PrintRefused> {
        self.devices.print(receipt)
    }

    /// A sound.
    pub fn beep(&self, beep: Beep) {
        self.devices.beep(match beep {
            Beep::Taken => hal::Beep::Key,
            Beep::Paid => hal::Beep::Success,
            Beep::Bad => hal::Beep::Error,
        });
    }

    /// Whether every driver still runs.
    ///
    /// # Errors
    ///
    /// [`Broken::Driver`] with the name of the first that does not.
    pub fn all_alive(&self) -> Result<(), Broken> {
        let dead = self.ended.clone().or_else(|| self.devices.dead_driver());
        dead.map_or(Ok(()), |name| Err(Broken::Driver(name)))
    }

    /// Every output inactive.
    pub fn make_safe(&self) {
        hal::safe_state::make_everything_safe();
    }
}

fn raise(fault: Fault, reason: &str) -> Input {
    tracing::warn!(fault = fault.name(), "{reason}");
    Input::Raise(fault)
}

/// A controller that does not name the slot knows by itself what it was asked for.
fn choice_of(slot: Option<&str>, price: Option<i64>) -> Choice {
    let slot = slot.and_then(SlotId::new).unwrap_or_else(SlotId::unnamed);
    Choice { slot, price: price.map(Fen::new) }
}

const fn key_of(key: hal::Key) -> Key {
    match key {
        hal::Key::Digit(digit) => Key::Digit(digit),
        hal::Key::Ok => Key::Ok,
        hal::Key::Cancel => Key::Cancel,
    }
}

const fn result_of(result: hal::VendResult) -> VendResult {
    match result {
        hal::VendResult::Dropped => VendResult::Dropped,
        hal::VendResult::NotDropped => VendResult::NotDropped,
        hal::VendResult::Unknown => VendResult::Unknown,
    }
}
