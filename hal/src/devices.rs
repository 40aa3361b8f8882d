//! The open devices, as the daemon's loop holds them. No method waits.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::SyncSender,
    },
    time::Duration,
};

use crate::{
    display::{Frame, Screen},
    event::Beep,
    gpio::Bank,
    latest::Latest,
    printer::{PrintRefused, Receipt},
    safe_state::MakeSafe,
    scanner::Scanner,
    sim::link::Link,
    sound::Voice,
    vend::Job,
};

/// Why a vend was not taken on. In every case no motor was started for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VendRefused {
    /// The board has nothing that vends.
    #[error("this machine has no vending hardware; no motor was started")]
    NoVend,
    /// The board has no such slot.
    #[error("this machine has no such slot; no motor was started")]
    NoSuchSlot,
    /// Too many vends wait already.
    #[error("too many vends wait already; no motor was started")]
    Busy,
    /// The vending thread ended.
    #[error("the vending driver has stopped; no motor was started, restart the service")]
    Stopped,
}

/// Gives a job to whatever vends.
pub(crate) type GiveJob = Box<dyn Fn(Job) -> Result<(), VendRefused> + Send + Sync>;

/// Everything the board names, opened. Dropping it stops the drivers; outputs go inactive.
pub struct Devices {
    pub(crate) size: Option<(u32, u32)>,
    pub(crate) slots: Vec<String>,
    pub(crate) machine_chooses: bool,
    pub(crate) screen: Option<Arc<Screen>>,
    /// Closed when the display's thread has ended, and how long a stop waits for that.
    pub(crate) display_end: Option<(Arc<Latest<()>>, Duration)>,
    pub(crate) status: Option<Arc<Latest<Vec<String>>>>,
    pub(crate) last_frame: Mutex<Option<Arc<Frame>>>,
    pub(crate) scanner: Option<Arc<dyn Scanner>>,
    pub(crate) vend: Option<GiveJob>,
    pub(crate) lamp: Option<Arc<Latest<bool>>>,
    pub(crate) buzzer: Option<SyncSender<Beep>>,
    pub(crate) voice: Option<Arc<Voice>>,
    pub(crate) printer: Option<tokio::sync::mpsc::Sender<Receipt>>,
    pub(crate) prints_dropped: Arc<AtomicU64>,
    pub(crate) sounds: Option<Arc<Latest<Beep>>>,
    pub(crate) has_keypad: bool,
    pub(crate) bank: Option<Arc<Bank>>,
    pub(crate) links: Vec<Arc<Link>>,
    pub(crate) threads: Vec<std::thread::JoinHandle<()>>,
    pub(crate) scanner_task: Option<tokio::task::JoinHandle<()>>,
}

impl Devices {
    /// Shows a frame; one that the panel has not taken yet is replaced. A panel that is dark is lit by it.
    pub fn show(&self, frame: Frame) {
        self.put(Arc::new(frame), true);
    }

    /// Shows a frame that nobody waits for, such as the one of an idle machine: it neither lights a dark panel nor keeps a
    /// lit one from going dark after the board's `blank_after_s`.
    pub fn show_quietly(&self, frame: Frame) {
        self.put(Arc::new(frame), false);
    }

    /// Lights a panel that went dark, without a new picture: somebody touched a key.
    pub fn wake(&self) {
        if let Some(frame) = self.last_frame() {
            self.put(frame, true);
        }
    }

    fn put(&self, frame: Arc<Frame>, wakes: bool) {
        *self.last() = Some(Arc::clone(&frame));
        if let Some(screen) = &self.screen {
            screen.put(frame, wakes);
        }
    }

    /// Shows a few short lines of ASCII on the status display, where there is one: the first one large.
    pub fn status(&self, lines: Vec<String>) {
        if let Some(status) = &self.status {
            status.put(lines);
        }
    }

    /// The frame given last, for the screen in the API.
    #[must_use]
    pub fn last_frame(&self) -> Option<Arc<Frame>> {
        self.last().clone()
    }

    /// Width and height of the upright picture; `None`: no display.
    #[must_use]
    pub fn size(&self) -> Option<(u32, u32)> {
        self.size
    }

    /// Turns the slot's motor once, or has the machine's controller do it for `price` fen.
    /// [`VendEnded`](crate::DeviceEvent::VendEnded) with `job` follows, exactly once.
    ///
    /// # Errors
    /// When the vend was not taken on: no motor was started and no event follows.
    pub fn dispense(&self, job: u64, slot: &str, price: i64) -> Result<(), VendRefused> {
        self.vend_job(slot, |slot| Job::Dispense { job, slot, price })
    }

    /// Tells a controller that what the buyer [chose](crate::DeviceEvent::Chosen) will not be paid.
    pub fn turn_away(&self) {
        if let Some(give) = &self.vend {
            // A machine that takes no jobs waits for nobody's money.
            let _ = give(Job::TurnAway);
        }
    }

    /// Finds out what became of a vend that was interrupted, without turning a motor.
    /// [`VendEnded`](crate::DeviceEvent::VendEnded) with `job` follows, exactly once.
    ///
    /// `drops_before` is the latched counter from before that vend.
    ///
    /// # Errors
    /// When the inspection was not taken on: no event follows.
    pub fn inspect(&self, job: u64, slot: &str, drops_before: Option<u64>) -> Result<(), VendRefused> {
        self.vend_job(slot, |_| Job::Inspect { job, drops_before })
    }

    /// Switches the lamp, where there is one.
    pub fn lamp(&self, on: bool) {
        if let Some(lamp) = &self.lamp {
            lamp.put(on);
        }
    }

    /// Sounds the buzzer, plays the beep's file and has the scanner beep, where there are such; dropped when too many wait.
    pub fn beep(&self, beep: Beep) {
        if let Some(scanner) = &self.scanner {
            scanner.beep(beep);
        }
        if let Some(buzzer) = &self.buzzer {
            // A full queue or a dead buzzer is silence, nothing more.
            let _ = buzzer.try_send(beep);
        }
        if let Some(sounds) = &self.sounds {
            sounds.put(beep);
        }
    }

    /// Prints a receipt, where there is a printer. It is dropped and counted if it cannot be printed in its time.
    ///
    /// # Errors
    /// When it was not taken on; that is not counted.
    pub fn print(&self, receipt: Receipt) -> Result<(), PrintRefused> {
        let printer = self.printer.as_ref().ok_or(PrintRefused::NoPrinter)?;
        printer.try_send(receipt).map_err(|_| PrintRefused::Busy)
    }

    /// Receipts that were taken on and not printed, or not to their end.
    #[must_use]
    pub fn prints_dropped(&self) -> u64 {
        self.prints_dropped.load(Ordering::Relaxed)
    }

    /// Whether the board has a printer.
    #[must_use]
    pub fn has_printer(&self) -> bool {
        self.printer.is_some()
    }

    /// Arms the scanner while an order waits for a code. A line counts only if its first byte came while armed.
    pub fn arm_scanner(&self, armed: bool) {
        if let Some(scanner) = &self.scanner {
            scanner.arm(armed);
        }
    }

    /// Scanned lines that were dropped because nobody waited for them.
    #[must_use]
    pub fn scans_dropped(&self) -> u64 {
        self.scanner.as_ref().map_or(0, |scanner| scanner.dropped())
    }

    /// The slots of the machine, in the order of the board file.
    #[must_use]
    pub fn slots(&self) -> &[String] {
        &self.slots
    }

    /// Whether the board has a display.
    #[must_use]
    pub fn has_display(&self) -> bool {
        self.size.is_some()
    }

    /// Whether the board has a scanner.
    #[must_use]
    pub fn has_scanner(&self) -> bool {
        self.scanner.is_some()
    }

    /// Whether the board has vending hardware.
    #[must_use]
    pub fn has_vend(&self) -> bool {
        self.vend.is_some()
    }

    /// Whether the board has a keypad.
    #[must_use]
    pub fn has_keypad(&self) -> bool {
        self.has_keypad
    }

    /// What does not work any more until the service restarts: a driver that died, or outputs that a panic anywhere
    /// switched off for good. It does not happen; if it does, a machine that goes on selling delivers nothing.
    #[must_use]
    pub fn dead_driver(&self) -> Option<String> {
        let thread = self.threads.iter().find(|thread| thread.is_finished());
        let thread = thread.map(|dead| dead.thread().name().unwrap_or("unnamed").to_owned());
        let scanner = self.scanner_task.as_ref().filter(|task| task.is_finished()).map(|_| "till-scanner".to_owned());
        let outputs = self.bank.as_ref().filter(|bank| bank.is_closed()).map(|_| "till-outputs".to_owned());
        thread.or(scanner).or(outputs)
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Option<Arc<Frame>>> {
        self.last_frame.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn vend_job(&self, slot: &str, job: impl FnOnce(String) -> Job) -> Result<(), VendRefused> {
        let give = self.vend.as_ref().ok_or(VendRefused::NoVend)?;
        // A controller that chooses by itself knows its slots, and refuses what it has not asked for.
        if !self.machine_chooses && !self.slots.iter().any(|known| known == slot) {
            return Err(VendRefused::NoSuchSlot);
        }
        give(job(slot.to_owned()))
    }
}

impl Drop for Devices {
    /// Switches every output off at once and for good, then lets the threads end by themselves: the vending thread may be in
    /// the middle of a pulse. Only the display's is waited for, some seconds at most: an e-paper that is not cleared goes on
    /// showing a code that can be paid, and a console that is not given back stays blind.
    fn drop(&mut self) {
        if let Some(bank) = &self.bank {
            bank.make_safe();
        }
        if let Some(voice) = &self.voice {
            voice.make_safe();
        }
        self.vend = None;
        self.buzzer = None;
        self.printer = None;
        if let Some(sounds) = &self.sounds {
            sounds.close();
        }
        if let Some(screen) = &self.screen {
            screen.frames.close();
        }
        if let Some(status) = &self.status {
            status.close();
        }
        if let Some(lamp) = &self.lamp {
            lamp.close();
        }
        for link in &self.links {
            link.close();
        }
        if let Some(task) = &self.scanner_task {
            task.abort();
        }
        if let Some((ended, limit)) = &self.display_end {
            ended.take_within(*limit);
        }
    }
}
