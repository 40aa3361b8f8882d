//! The drivers' end of the wire to a simulated machine: connects when first needed, and again after the machine was away.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read, Write},
    net::Shutdown,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::Duration,
};

use super::protocol::{FromMachine, LINE_MAX, ToMachine, to_line};
use crate::gpio::{Edge, LineError};

/// A machine that does not answer within this time is gone.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where an input's changes go.
pub(crate) struct Watcher {
    pub(crate) index: usize,
    pub(crate) active_low: bool,
    pub(crate) edges: Sender<Edge>,
}

/// One connection. Once dead it stays dead; [`Link::wire`] makes the next.
pub(crate) struct Wire {
    stream: UnixStream,
    answers: Mutex<Receiver<FromMachine>>,
    watchers: Mutex<HashMap<String, Watcher>>,
    dead: AtomicBool,
}

impl Wire {
    fn connect(socket: &Path) -> Result<Arc<Self>, LineError> {
        let away = |error: std::io::Error| {
            LineError::Gone(format!("no simulated machine at {}: {error}; `till demo` starts one", socket.display()))
        };
        let stream = UnixStream::connect(socket).map_err(away)?;
        stream.set_write_timeout(Some(ANSWER_WITHIN)).map_err(away)?;
        let reading = stream.try_clone().map_err(away)?;
        let (sender, answers) = mpsc::channel();
        let wire = Arc::new(Self {
            stream,
            answers: Mutex::new(answers),
            watchers: Mutex::default(),
            dead: AtomicBool::new(false),
        });
        let reader = Arc::clone(&wire);
        thread::Builder::new()
            .name("till-sim-link".into())
            .spawn(move || reader.read_all(reading, &sender))
            .map_err(away)?;
        Ok(wire)
    }

    /// Ends with the connection; dropping the watchers tells every waiting driver.
    fn read_all(&self, stream: UnixStream, answers: &Sender<FromMachine>) {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        loop {
            line.clear();
            let limit = u64::try_from(LINE_MAX).unwrap_or(u64::MAX);
            match (&mut stream).take(limit).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
            match serde_json::from_slice(&line) {
                Ok(FromMachine::Level { line, high }) => self.level(&line, high),
                Ok(answer @ (FromMachine::Done | FromMachine::Refused { .. } | FromMachine::Drops { .. })) => {
                    if answers.send(answer).is_err() {
                        break;
                    }
                }
                Err(_) => break,
            }
        }
        self.cut();
    }

    fn level(&self, line: &str, high: bool) {
        if let Some(watcher) = lock(&self.watchers).get(line) {
            // A driver that stopped listening is being dropped.
            let _ = watcher.edges.send(Edge { index: watcher.index, active: high != watcher.active_low });
        }
    }

    fn cut(&self) {
        self.dead.store(true, Ordering::SeqCst);
        // Already gone is fine.
        let _ = self.stream.shutdown(Shutdown::Both);
        lock(&self.watchers).clear();
    }

    /// Whether the connection has ended.
    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    /// Sends a question and waits for its answer. After an error the wire is dead.
    pub(crate) fn ask(&self, question: &ToMachine, body: &[u8]) -> Result<FromMachine, LineError> {
        let answers = lock(&self.answers);
        let gone = |why: &str| {
            self.cut();
            LineError::Gone(format!("the simulated machine {why}"))
        };
        if self.is_dead() {
            return Err(gone("closed the connection"));
        }
        let mut message = to_line(question);
        message.extend_from_slice(body);
        (&self.stream).write_all(&message).map_err(|_| gone("closed the connection"))?;
        answers.recv_timeout(ANSWER_WITHIN).map_err(|_| gone("does not answer"))
    }

    /// As [`ask`](Self::ask) for questions whose only good answer is "done".
    pub(crate) fn order(&self, question: &ToMachine, body: &[u8]) -> Result<(), LineError> {
        match self.ask(question, body)? {
            FromMachine::Done => Ok(()),
            FromMachine::Refused { why } => Err(LineError::Failed { line: "sim".into(), why }),
            FromMachine::Drops { .. } | FromMachine::Level { .. } => {
                self.cut();
                Err(LineError::Gone("the simulated machine answers out of turn".into()))
            }
        }
    }

    /// Sends without waiting for anything but the socket's buffer.
    pub(crate) fn shout(&self, message: &ToMachine) {
        // Best effort by design: there is nobody left to report to.
        let _ = (&self.stream).write_all(&to_line(message));
    }

    /// From now on changes of `line` go to `watcher`.
    pub(crate) fn watch(&self, line: String, watcher: Watcher) -> Result<(), LineError> {
        lock(&self.watchers).insert(line.clone(), watcher);
        self.order(&ToMachine::Input { line }, &[])
    }
}

/// The way to one simulated machine.
pub(crate) struct Link {
    socket: PathBuf,
    wire: Mutex<Option<Arc<Wire>>>,
    closed: AtomicBool,
}

impl Link {
    pub(crate) fn new(socket: impl Into<PathBuf>) -> Self {
        Self { socket: socket.into(), wire: Mutex::default(), closed: AtomicBool::new(false) }
    }

    /// A living connection.
    pub(crate) fn wire(&self) -> Result<Arc<Wire>, LineError> {
        let mut current = lock(&self.wire);
        if self.closed.load(Ordering::SeqCst) {
            return Err(LineError::Gone("the devices are being closed".into()));
        }
        if let Some(wire) = current.as_ref().filter(|wire| !wire.is_dead()) {
            return Ok(Arc::clone(wire));
        }
        let wire = Wire::connect(&self.socket)?;
        *current = Some(Arc::clone(&wire));
        Ok(wire)
    }

    /// Ends the connection for good and wakes everyone who waits on it.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        if let Some(wire) = lock(&self.wire).take() {
            wire.cut();
        }
    }
}
