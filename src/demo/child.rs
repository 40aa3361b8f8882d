//! A daemon as a child process: started as systemd would start it, watched, killed, stopped.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use thiserror::Error;
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixDatagram;
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::scene::Scene;

/// Lines of the daemon's log that are kept.
const LOG_LINES: usize = 200;

/// What is to be started, and where.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The program `till`.
    pub program: PathBuf,
    /// `till.toml`
    pub config: PathBuf,
    /// The board file.
    pub board: PathBuf,
    /// The folder for state and sockets; the log goes to `till.log` there.
    pub dir: PathBuf,
    /// Further variables of its environment.
    pub environment: Vec<(OsString, OsString)>,
}

impl Launch {
    /// This program on the files of a scene.
    #[must_use]
    pub fn on(program: impl Into<PathBuf>, scene: &Scene) -> Self {
        Self {
            program: program.into(),
            config: scene.config_path.clone(),
            board: scene.board_path.clone(),
            dir: scene.dir.clone(),
            environment: Vec::new(),
        }
    }

    /// The same with one more variable in its environment.
    #[must_use]
    pub fn with(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("run").arg("--config").arg(&self.config);
        command.arg("--board").arg(&self.board);
        for inherited in ["WATCHDOG_USEC", "WATCHDOG_PID", "CREDENTIALS_DIRECTORY", "LISTEN_FDS"] {
            command.env_remove(inherited);
        }
        command.env("RUNTIME_DIRECTORY", &self.dir);
        command.env("STATE_DIRECTORY", &self.dir);
        command.env("NOTIFY_SOCKET", self.notify_path());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        // Not in our group: Ctrl-C reaches us, and we stop the daemon in order.
        command.process_group(0).kill_on_drop(true);
        command
    }

    fn notify_path(&self) -> PathBuf {
        self.dir.join("notify.sock")
    }
}

/// What the daemon told the one who started it (`sd_notify`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// Recovery is over and the loop runs.
    pub ready: bool,
    /// The newest status line.
    pub status: Option<String>,
}

/// Why a daemon did not become ready.
#[derive(Debug, Error)]
pub enum NotReady {
    /// It ended before.
    #[error("the daemon ended before it was ready: {status}\n{log}")]
    Ended {
        /// How.
        status: ExitStatus,
        /// The end of its log.
        log: String,
    },
    /// The system lost track of it.
    #[error("the daemon cannot be watched: {0}")]
    Lost(#[from] io::Error),
}

/// A running daemon. Dropping it kills it.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    told: watch::Receiver<Told>,
    log: watch::Receiver<VecDeque<String>>,
    listening: JoinHandle<()>,
    reading: Option<JoinHandle<()>>,
}

impl Daemon {
    /// Starts the daemon; it is not ready yet. Call it inside a tokio runtime.
    ///
    /// # Errors
    ///
    /// When the program or one of the files cannot be opened.
    pub fn start(launch: &Launch) -> io::Result<Self> {
        let notify = launch.notify_path();
        match std::fs::remove_file(&notify) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let socket = UnixDatagram::bind(&notify)?;
        let log_file = std::fs::OpenOptions::new().create(true).append(true).open(launch.dir.join("till.log"))?;
        let mut child = launch.command().spawn()?;
        let (telling, told) = watch::channel(Told::default());
        let (logging, log) = watch::channel(VecDeque::new());
        let stderr = child.stderr.take();
        Ok(Self {
            child,
            told,
            log,
            listening: tokio::spawn(listen(socket, telling)),
            reading: stderr.map(|stderr| tokio::spawn(keep(stderr, File::from_std(log_file), logging))),
        })
    }

    /// Waits until recovery is over and the loop runs.
    ///
    /// # Errors
    ///
    /// [`NotReady`] when the daemon ends before that.
    pub async fn ready(&mut self) -> Result<(), NotReady> {
        let ended = tokio::select! {
            biased;
            told = self.told.wait_for(|told| told.ready) => match told {
                Ok(_) => return Ok(()),
                Err(_) => None,
            },
            status = self.child.wait() => Some(status?),
        };
        let status = match ended {
            Some(status) => status,
            None => self.child.wait().await?,
        };
        Err(NotReady::Ended { status, log: self.last_words().await })
    }

    /// Its process number, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// What it told, from now on.
    #[must_use]
    pub fn told(&self) -> watch::Receiver<Told> {
        self.told.clone()
    }

    /// The end of its log, from now on.
    #[must_use]
    pub fn log(&self) -> watch::Receiver<VecDeque<String>> {
        self.log.clone()
    }

    /// SIGKILL, as a power cut would: nothing is said and nothing is flushed. Waits for the end.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub async fn kill(&mut self) -> io::Result<ExitStatus> {
        self.child.start_kill()?;
        self.child.wait().await
    }

    /// SIGTERM, and waits for the end.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub async fn stop(&mut self) -> io::Result<ExitStatus> {
        self.terminate()?;
        self.child.wait().await
    }

    /// SIGTERM.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn terminate(&self) -> io::Result<()> {
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok());
        match pid.and_then(Pid::from_raw) {
            Some(pid) => Ok(kill_process(pid, Signal::TERM)?),
            None => Ok(()),
        }
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    ///
    /// When the system lost track of it.
    pub async fn ended(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// The end of its log, whole, after it ended.
    pub async fn last_words(&mut self) -> String {
        if let Some(reading) = self.reading.take() {
            // It ends with the pipe; a panic in it would only cost log lines.
            let _over = reading.await;
        }
        let lines = self.log.borrow();
        lines.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// Takes what `sd_notify` sends: lines of `NAME=value`.
async fn listen(socket: UnixDatagram, telling: watch::Sender<Told>) {
    let mut datagram = [0; 4096];
    while let Ok(length) = socket.recv(&mut datagram).await {
        let text = String::from_utf8_lossy(&datagram[..length]);
        telling.send_modify(|told| {
            for line in text.lines() {
                match line.split_once('=') {
                    Some(("READY", "1")) => told.ready = true,
                    Some(("STATUS", status)) => told.status = Some(status.to_owned()),
                    Some(_) | None => {}
                }
            }
        });
    }
}

/// Copies the log to its file and keeps its end.
async fn keep(stderr: ChildStderr, mut file: File, logging: watch::Sender<VecDeque<String>>) {
    let mut lines = BufReader::new(stderr).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        // The file is for reading along; without it the page still has the end.
        let _written = file.write_all(format!("{line}\n").as_bytes()).await;
        logging.send_modify(|kept| {
            kept.push_back(line);
            if kept.len() > LOG_LINES {
                kept.pop_front();
            }
        });
    }
    let _flushed = file.flush().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch(dir: &tempfile::TempDir, script: &str) -> Launch {
        use std::os::unix::fs::PermissionsExt;
        let program = dir.path().join("program");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
        Launch {
            program,
            config: "till.toml".into(),
            board: "board.toml".into(),
            dir: dir.path().to_owned(),
            environment: Vec::new(),
        }
    }

    #[tokio::test]
    async fn a_daemon_that_ends_before_it_is_ready_gives_its_last_words() {
        let dir = tempfile::tempdir().unwrap();
        let launch = launch(&dir, "echo no such board >&2; exit 3");
        let mut daemon = Daemon::start(&launch).unwrap();
        let NotReady::Ended { status, log } = daemon.ready().await.unwrap_err() else {
            panic!("it ended");
        };
        assert_eq!(status.code(), Some(3));
        assert_eq!(log, "no such board");
        let file = std::fs::read_to_string(dir.path().join("till.log")).unwrap();
        assert_eq!(file, "no such board\n");
    }

    #[tokio::test]
    async fn what_is_told_is_read_line_by_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify.sock");
        let socket = UnixDatagram::bind(&path).unwrap();
        let (telling, mut told) = watch::channel(Told::default());
        let listening = tokio::spawn(listen(socket, telling));
        let daemon = UnixDatagram::unbound().unwrap();
        daemon.send_to(b"STATUS=selling\nREADY=1", &path).await.unwrap();
        let seen = told.wait_for(|told| told.ready).await.unwrap().clone();
        assert_eq!(seen.status.as_deref(), Some("selling"));
        listening.abort();
    }

    #[tokio::test]
    async fn a_kill_is_sigkill_and_a_stop_is_sigterm() {
        use std::os::unix::process::ExitStatusExt;
        let dir = tempfile::tempdir().unwrap();
        let launch = launch(&dir, "exec sleep 600");
        let mut daemon = Daemon::start(&launch).unwrap();
        assert_eq!(daemon.kill().await.unwrap().signal(), Some(9));
        let mut daemon = Daemon::start(&launch).unwrap();
        assert_eq!(daemon.stop().await.unwrap().signal(), Some(15));
    }
}
