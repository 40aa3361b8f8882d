//! A simulated vending machine behind a Unix socket.
//!
//! The daemon's simulator backends connect to it and drive its pins as they would drive a board's. It runs in the caller's
//! process, a demo or a test, and outlives the daemon: when a driver goes away, its outputs keep their levels, as on a
//! Raspberry Pi (reference/hardware.md 4.4), and only the hardware one-shot stops a motor.

mod connection;
mod model;
mod spec;
mod state;

use std::{
    collections::BTreeSet,
    io::{self, Write},
    net::Shutdown,
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::sync::watch;

use self::model::Model;
pub use self::{
    spec::{MachineSpec, Pin},
    state::{MachineState, SlotState},
};
use super::protocol::{FromMachine, to_line};
use crate::{board::Rotation, display::Frame, event::Key, pace};

/// A driver that does not read its answers for this long is cut off.
const WRITE_WITHIN: Duration = Duration::from_secs(2);
/// Nothing is due: look again after this.
const IDLE: Duration = Duration::from_secs(3600);

/// One connected driver, as the core sees it.
struct Driver {
    number: u64,
    stream: UnixStream,
    inputs: BTreeSet<String>,
}

struct Core {
    model: Model,
    drivers: Vec<Driver>,
    next_driver: u64,
    /// The panel's memory, as it is mounted.
    panel: Option<Frame>,
    frames: u64,
    reachable: bool,
}

struct Shared {
    core: Mutex<Core>,
    /// Something changed what is due next.
    changed: Condvar,
    state: watch::Sender<MachineState>,
    picture: watch::Sender<Option<Arc<Frame>>>,
    stopping: AtomicBool,
    /// The machine's own time starts here.
    started: Duration,
    rotation: Rotation,
}

/// A simulated vending machine. Dropping it closes its socket and cuts its drivers off.
pub struct Machine {
    shared: Arc<Shared>,
    socket: PathBuf,
}

impl Machine {
    /// Builds the machine and listens at `socket`; a stale socket file is replaced.
    ///
    /// # Errors
    /// When the socket cannot be made: directory missing, path longer than the system's 107 bytes, or another machine
    /// listens there.
    pub fn start(socket: impl Into<PathBuf>, spec: MachineSpec) -> io::Result<Self> {
        let socket = socket.into();
        let listener = listen(&socket)?;
        let rotation = spec.rotation;
        let model = Model::new(spec);
        let (state, _) = watch::channel(model.state());
        let (picture, _) = watch::channel(None);
        let shared = Arc::new(Shared {
            core: Mutex::new(Core {
                model,
                drivers: Vec::new(),
                next_driver: 0,
                panel: None,
                frames: 0,
                reachable: true,
            }),
            changed: Condvar::new(),
            state,
            picture,
            stopping: AtomicBool::new(false),
            started: pace::now(),
            rotation,
        });
        spawn("till-machine", &shared, |shared| shared.run_physics())?;
        spawn("till-machine-door", &shared, move |shared| {
            connection::accept_all(&shared, &listener);
        })?;
        Ok(Self { shared, socket })
    }

    /// Presses a key, after the presses before it. False: the keypad has no such key, or 64 presses wait already.
    pub fn press(&self, key: Key) -> bool {
        self.shared.act(|core| core.model.press(key))
    }

    /// From now on nothing falls from this slot. False: there is no such slot.
    pub fn jam(&self, slot: &str) -> bool {
        self.shared.act(|core| core.model.jam(slot, true))
    }

    /// Undoes [`jam`](Self::jam).
    pub fn unjam(&self, slot: &str) -> bool {
        self.shared.act(|core| core.model.jam(slot, false))
    }

    /// Fills a slot. False: there is no such slot.
    pub fn restock(&self, slot: &str, items: u32) -> bool {
        self.shared.act(|core| core.model.restock(slot, items))
    }

    /// Something lies in the light curtain, or no longer.
    pub fn block_curtain(&self, blocked: bool) {
        self.shared.act(|core| core.model.block_curtain(blocked));
    }

    /// Pulls every driver's cable once; they may connect again at once.
    pub fn disconnect(&self) {
        self.shared.act(Core::cut_drivers);
    }

    /// Pulls every driver's cable and keeps it out until the next call.
    pub fn set_reachable(&self, reachable: bool) {
        self.shared.act(|core| {
            core.reachable = reachable;
            if !reachable {
                core.cut_drivers();
            }
        });
    }

    /// The machine as it is now.
    #[must_use]
    pub fn state(&self) -> MachineState {
        self.shared.act(|core| core.state())
    }

    /// The machine's states from now on; quick changes may be merged, but the counters in them never miss one.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<MachineState> {
        self.shared.state.subscribe()
    }

    /// The picture on the panel, upright.
    #[must_use]
    pub fn frame(&self) -> Option<Arc<Frame>> {
        self.shared.picture.borrow().clone()
    }

    /// The pictures from now on, upright.
    #[must_use]
    pub fn frames(&self) -> watch::Receiver<Option<Arc<Frame>>> {
        self.shared.picture.subscribe()
    }

    /// Where the machine listens.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // Wakes the door so that it sees the flag; if that fails it is not listening.
        drop(UnixStream::connect(&self.socket));
        // Gone already is fine.
        let _ = std::fs::remove_file(&self.socket);
        self.shared.act(Core::cut_drivers);
    }
}

fn listen(socket: &Path) -> io::Result<UnixListener> {
    if UnixStream::connect(socket).is_ok() {
        return Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            format!("a simulated machine already listens at {}", socket.display()),
        ));
    }
    match std::fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    UnixListener::bind(socket)
}

fn spawn(name: &str, shared: &Arc<Shared>, body: impl FnOnce(Arc<Shared>) + Send + 'static) -> io::Result<()> {
    let shared = Arc::clone(shared);
    thread::Builder::new().name(name.into()).spawn(move || body(shared)).map(drop)
}

impl Core {
    fn state(&self) -> MachineState {
        MachineState {
            frames: self.frames,
            drivers: self.drivers.len(),
            inputs_read: self.drivers.iter().map(|driver| driver.inputs.len()).sum(),
            ..self.model.state()
        }
    }

    fn cut_drivers(&mut self) {
        for driver in self.drivers.drain(..) {
            // Gone already is fine.
            let _ = driver.stream.shutdown(Shutdown::Both);
        }
    }

    /// Tells every driver that reads a pin about its new level.
    fn send_changes(&mut self) {
        for (line, high) in self.model.take_changes() {
            let message = to_line(&FromMachine::Level { line: line.clone(), high });
            for driver in &self.drivers {
                if driver.inputs.contains(&line) {
                    // A driver that went away is noticed by its own thread.
                    let _ = (&driver.stream).write_all(&message);
                }
            }
        }
    }
}

impl Shared {
    fn core(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        pace::now().saturating_sub(self.started)
    }

    /// Brings the machine up to now, changes it, and tells everyone who watches.
    fn act<T>(&self, change: impl FnOnce(&mut Core) -> T) -> T {
        let mut core = self.core();
        core.model.advance(self.now());
        let result = change(&mut core);
        core.send_changes();
        self.publish(&core);
        drop(core);
        self.changed.notify_all();
        result
    }

    fn publish(&self, core: &Core) {
        let state = core.state();
        self.state.send_if_modified(|known| {
            let differs = *known != state;
            if differs {
                *known = state;
            }
            differs
        });
    }

    fn run_physics(&self) {
        let mut core = self.core();
        while !self.stopping.load(Ordering::SeqCst) {
            core.model.advance(self.now());
            core.send_changes();
            self.publish(&core);
            let rest = core.model.next_deadline().map_or(IDLE, |at| at.saturating_sub(self.now()));
            (core, _) = self.changed.wait_timeout(core, rest).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
