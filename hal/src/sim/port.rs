//! A simulated serial device behind a real pseudo-terminal: the model is pure, the port is the kernel's.
//!
//! A pty has no speed, parity or modem lines: what depends on them is the model's business.

use std::{
    fs,
    io::{self, Read, Write},
    os::{fd::AsFd, unix::net::UnixStream},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::Notify;

use super::pty::Pty;
use crate::pace;

/// A device's own side of its wire: bytes and time in, bytes out. Times are those of one monotonic clock.
pub trait Device: Send + 'static {
    /// Bytes came, cut anywhere.
    fn received(&mut self, now: Duration, bytes: &[u8]);
    /// Something is due.
    fn woken(&mut self, now: Duration);
    /// When [`woken`](Self::woken) is to be called.
    fn due(&self) -> Option<Duration>;
    /// The next bytes to send, in order.
    fn to_send(&mut self) -> Option<Vec<u8>>;
}

/// A device that is plugged in under a stable name.
pub struct SimPort<D> {
    link: PathBuf,
    device: Arc<Mutex<D>>,
    /// Something came, was sent or was due.
    moved: Arc<Notify>,
    running: Option<Running>,
}

/// The cable, and the thread at its far end.
struct Running {
    _pty: Pty,
    wake: UnixStream,
    thread: JoinHandle<()>,
}

impl<D: Device> SimPort<D> {
    /// Plugs the device in under `link`; a stale link is replaced.
    ///
    /// # Errors
    /// When there is no free pty, the link cannot be made, or no thread.
    pub fn start(link: impl Into<PathBuf>, device: D) -> io::Result<Self> {
        let (device, moved) = (Arc::new(Mutex::new(device)), Arc::default());
        let mut port = Self { link: link.into(), device, moved, running: None };
        port.replug()?;
        Ok(port)
    }

    /// Does something to the device, such as showing a code to it, at the present time.
    pub fn with<T>(&self, act: impl FnOnce(&mut D, Duration) -> T) -> T {
        let done = act(&mut lock(&self.device), pace::now());
        if let Some(running) = &self.running {
            // A full pipe wakes as well.
            let _ = (&running.wake).write(&[1]);
        }
        done
    }

    /// Waits until the device is as wanted; it is looked at whenever its port was served.
    pub async fn until(&self, mut wanted: impl FnMut(&mut D) -> bool) {
        loop {
            let moved = self.moved.notified();
            if wanted(&mut lock(&self.device)) {
                return;
            }
            moved.await;
        }
    }

    /// Pulls the cable: the name disappears and the open port ends. The device keeps its state.
    pub fn unplug(&mut self) {
        if let Some(Running { _pty, wake, thread }) = self.running.take() {
            drop(wake);
            // A thread that panicked has told why.
            let _ = thread.join();
        }
    }

    /// Plugs the cable in again, as a new port under the same name.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn replug(&mut self) -> io::Result<()> {
        self.unplug();
        let pty = Pty::open(self.link.clone())?;
        let master = pty.master()?;
        let (wake, woken) = UnixStream::pair()?;
        for end in [&wake, &woken] {
            end.set_nonblocking(true)?;
        }
        let (device, moved) = (Arc::clone(&self.device), Arc::clone(&self.moved));
        let thread =
            thread::Builder::new().name("sim-port".into()).spawn(move || run(master, woken, &device, &moved))?;
        self.running = Some(Running { _pty: pty, wake, thread });
        Ok(())
    }
}

impl<D> Drop for SimPort<D> {
    fn drop(&mut self) {
        // The thread ends with its waker.
        self.running = None;
    }
}

fn lock<D>(device: &Mutex<D>) -> MutexGuard<'_, D> {
    device.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs until the waker's other end or the port is gone.
fn run(mut master: fs::File, mut woken: UnixStream, device: &Mutex<impl Device>, moved: &Notify) {
    let mut bytes = [0; 512];
    loop {
        let due = {
            let mut device = lock(device);
            let now = pace::now();
            if device.due().is_some_and(|due| due <= now) {
                device.woken(now);
            }
            while let Some(message) = device.to_send() {
                if master.write_all(&message).is_err() {
                    return;
                }
            }
            device.due()
        };
        moved.notify_waiters();
        let Some([from_port, from_owner]) = wait(&master, &woken, due) else { return };
        if from_owner && matches!(woken.read(&mut bytes), Ok(0)) {
            return;
        }
        if from_port {
            match master.read(&mut bytes) {
                Ok(length) => lock(device).received(pace::now(), bytes.get(..length).unwrap_or_default()),
                Err(_) => return,
            }
        }
    }
}

/// Which of the two has something, at the latest when the device is due.
fn wait(master: &fs::File, woken: &UnixStream, due: Option<Duration>) -> Option<[bool; 2]> {
    let rest = due.map(|due| due.saturating_sub(pace::now()));
    let rest = rest.and_then(|rest| Timespec::try_from(rest).ok());
    let mut polled = [
        PollFd::from_borrowed_fd(master.as_fd(), PollFlags::IN),
        PollFd::from_borrowed_fd(woken.as_fd(), PollFlags::IN),
    ];
    poll(&mut polled, rest.as_ref()).ok()?;
    Some(polled.map(|one| !one.revents().is_empty()))
}
