//! Keeps a daemon running as systemd would: started again two seconds after it died.

use std::collections::VecDeque;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::{mpsc, watch};

use super::child::{Daemon, Launch, NotReady, Told};

/// `RestartSec=` of the unit file.
const RESTART_AFTER: Duration = Duration::from_secs(2);
/// How long a daemon may take to stop before it is killed.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// Lines of the log on the page.
const SHOWN_LINES: usize = 60;

/// How the daemon is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Starting: it reads its journal.
    Starting,
    /// It runs.
    Ready,
    /// It was asked to stop.
    Stopping,
    /// It is dead and will be started again.
    Dead,
}

/// The daemon as seen from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Life {
    /// How it is.
    pub phase: Phase,
    /// Its process number.
    pub pid: Option<u32>,
    /// How often it was started.
    pub starts: u32,
    /// Its own status line.
    pub status: Option<String>,
    /// How it ended the last time.
    pub last_end: Option<String>,
    /// The end of its log.
    pub log: VecDeque<String>,
}

/// What a person wants of the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Kill,
    Restart,
    Stop,
}

/// The one who starts the daemon, as often as it takes.
#[derive(Debug)]
pub struct Supervisor {
    wishes: mpsc::Sender<Wish>,
    life: watch::Receiver<Life>,
}

impl Supervisor {
    /// Starts the daemon and waits until it is ready.
    ///
    /// # Errors
    ///
    /// When the first start fails: then something is wrong that no restart mends.
    pub async fn start(launch: Launch) -> Result<Self, NotReady> {
        let mut daemon = Daemon::start(&launch)?;
        daemon.ready().await?;
        let (wishes, wished) = mpsc::channel(4);
        let (telling, life) = watch::channel(Life {
            phase: Phase::Ready,
            pid: daemon.pid(),
            starts: 1,
            status: None,
            last_end: None,
            log: VecDeque::new(),
        });
        let keeper = Keeper { launch, wished, telling };
        tokio::spawn(keeper.run(daemon));
        Ok(Self { wishes, life })
    }

    /// The daemon as it is, from now on.
    #[must_use]
    pub fn life(&self) -> watch::Receiver<Life> {
        self.life.clone()
    }

    /// SIGKILL. It is started again after two seconds.
    pub fn kill(&self) {
        self.wish(Wish::Kill);
    }

    /// Stops it in order and starts it again at once, so that it reads its files anew.
    pub fn restart(&self) {
        self.wish(Wish::Restart);
    }

    /// Stops it in order, for good.
    pub async fn stop(&self) {
        let mut life = self.life();
        if self.wishes.send(Wish::Stop).await.is_ok() {
            // The keeper ends with the daemon, and its channel with it.
            while life.changed().await.is_ok() {}
        }
    }

    fn wish(&self, wish: Wish) {
        // A full queue means that somebody clicks faster than processes die: the wishes before do it.
        let _taken = self.wishes.try_send(wish);
    }
}

struct Keeper {
    launch: Launch,
    wished: mpsc::Receiver<Wish>,
    telling: watch::Sender<Life>,
}

impl Keeper {
    async fn run(mut self, first: Daemon) {
        let mut daemon = Some(first);
        loop {
            let wish = match daemon.take() {
                Some(daemon) => self.live(daemon).await,
                None => Wish::Kill,
            };
            match wish {
                Wish::Stop => return,
                Wish::Restart => {}
                Wish::Kill => {
                    if self.pause().await == Wish::Stop {
                        return;
                    }
                }
            }
            daemon = self.start();
        }
    }

    fn start(&mut self) -> Option<Daemon> {
        let started = Daemon::start(&self.launch);
        self.telling.send_modify(|life| {
            life.starts += 1;
            life.status = None;
            match &started {
                Ok(daemon) => (life.phase, life.pid) = (Phase::Starting, daemon.pid()),
                Err(error) => {
                    life.last_end = Some(format!("it could not be started: {error}"));
                    (life.phase, life.pid) = (Phase::Dead, None);
                }
            }
        });
        started.ok()
    }

    /// Waits before the next start; a wish to restart ends the wait.
    async fn pause(&mut self) -> Wish {
        let until = tokio::time::Instant::now() + RESTART_AFTER;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(until) => return Wish::Restart,
                wish = self.wished.recv() => match wish.unwrap_or(Wish::Stop) {
                    // It is dead already.
                    Wish::Kill => {}
                    wish @ (Wish::Restart | Wish::Stop) => return wish,
                },
            }
        }
    }

    /// Follows a daemon to its end and tells why it ended.
    async fn live(&mut self, mut daemon: Daemon) -> Wish {
        let (mut told, mut log) = (daemon.told(), daemon.log());
        let mut why = Wish::Kill;
        let mut patience = None;
        let status = loop {
            self.show(&told.borrow_and_update(), &log.borrow_and_update(), patience.is_some());
            tokio::select! {
                ended = daemon.ended() => break ended,
                Ok(()) = told.changed() => {}
                Ok(()) = log.changed() => {}
                () = until(patience) => break daemon.kill().await,
                wish = self.wished.recv() => match wish.unwrap_or(Wish::Stop) {
                    Wish::Kill => break daemon.kill().await,
                    wish @ (Wish::Restart | Wish::Stop) => {
                        why = wish;
                        patience = Some(tokio::time::Instant::now() + STOP_WITHIN);
                        if daemon.terminate().is_err() {
                            break daemon.kill().await;
                        }
                    }
                },
            }
        };
        let end = status.map_or_else(|error| format!("it was lost: {error}"), in_words);
        self.telling.send_modify(|life| {
            (life.phase, life.pid, life.status) = (Phase::Dead, None, None);
            life.last_end = Some(end);
        });
        why
    }

    fn show(&self, told: &Told, log: &VecDeque<String>, stopping: bool) {
        self.telling.send_modify(|life| {
            life.phase = match (stopping, told.ready) {
                (true, _) => Phase::Stopping,
                (false, true) => Phase::Ready,
                (false, false) => Phase::Starting,
            };
            life.status = told.status.clone();
            life.log = log.iter().rev().take(SHOWN_LINES).rev().cloned().collect();
        });
    }
}

async fn until(moment: Option<tokio::time::Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

fn in_words(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(9), _) => "killed (SIGKILL)".to_owned(),
        (Some(signal), _) => format!("ended by signal {signal}"),
        (None, Some(0)) => "stopped in order".to_owned(),
        (None, Some(code)) => format!("ended with code {code}"),
        (None, None) => "ended".to_owned(),
    }
}
