//! From a checked configuration to a running loop, and back down in order.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use payment::engine::Engine;
use payment::engine::input::Input;
use payment::engine::settings::Settings;
use payment::ids::IdMint;
use ring::rand::{SecureRandom, SystemRandom};
use thiserror::Error;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::calls::Calls;
use super::clock::Clock;
use super::devices::Machinery;
use super::health::Health;
use super::journaling::Journaling;
use super::metrics::Metrics;
use super::picture::Picture;
use super::terminal::{COMMANDS_MAX, Terminal};
use super::{Broken, Daemon, Inputs, opening};
use crate::api::{ApiOptions, Doors, TcpOptions};
use crate::config::{self, Checked};
use crate::http::{Channels, ClientError, ClientOptions};
use crate::journal;
use crate::screen::{Language, Look};

/// Device events that may wait for the loop. Devices drop what does not fit and say so; the scanner's lines are few.
const DEVICE_EVENTS_MAX: usize = 256;

/// How long the API may take to finish its last answers.
const API_FINISH: Duration = Duration::from_secs(2);

/// Why the daemon did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The journal.
    #[error(transparent)]
    Journal(#[from] journal::OpenError),
    /// The HTTP client.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The devices.
    #[error(transparent)]
    Devices(#[from] hal::OpenError),
    /// The local API.
    #[error("the local API cannot be served: {0}")]
    Api(#[from] std::io::Error),
    /// The system gave no randomness.
    #[error("the system gives no random numbers, and order numbers need them")]
    Entropy,
    /// The loop cannot go on.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// The API ended by itself.
    #[error("the local API ended by itself; the daemon stops so that systemd can start it anew")]
    ApiEnded,
}

/// Runs a terminal until `stop` says so.
///
/// # Errors
///
/// [`StartError`] when a part cannot be started, or a leaf ends by itself.
pub async fn run(checked: Checked, stop: watch::Receiver<bool>) -> Result<(), StartError> {
    hal::safe_state::install_panic_hook();
    let look = look(checked.terminal);
    let Some(opened) = opening::open(&checked.journal, &checked.board, &look, &mut stop.clone()).await? else {
        return Ok(());
    };
    let clock = Clock::start(opened.last.map(|(_, wall)| wall));
    let reader = opened.journal.reader();
    let journal = Journaling::new(opened.journal, opened.last.map_or(0, |(seq, _)| seq));
    let channels = Channels::new(
        checked.alipay.map(Arc::new),
        &ClientOptions {
            connect: checked.http.connect_timeout,
            total: checked.http.timeout,
            extra_roots: checked.http.extra_roots,
        },
    )?;
    let (calls, answers) = Calls::new(channels);
    let (events, device_events) = mpsc::channel(DEVICE_EVENTS_MAX);
    let machinery = Machinery::new(hal::open(&checked.board, events)?);
    let picture = Picture::new(look, machinery.display_size());
    let metrics = Arc::new(Metrics::default());
    let doors = Doors::open(api_options(checked.api, &checked.settings)).await?;
    let (commands, command_queue) = mpsc::channel(COMMANDS_MAX);
    let terminal = Terminal::new(commands, reader, journal.newest(), picture.frames(), Arc::clone(&metrics));

    let mut engine = Engine::restore(checked.settings, mint()?, clock.now(), &opened.open_orders);
    for fault in machinery.faults_at_start() {
        // Raising a fault is never refused.
        let _taken = engine.handle(clock.now(), Input::Raise(fault));
    }
    let api = tokio::spawn(doors.serve(terminal, stop.clone()));
    let health = Health::ready(clock.now().mono);
    tracing::info!(open_orders = opened.open_orders.len(), newest_entry = journal.last_seq(), "ready");
    let daemon = Daemon { engine, clock, journal, calls, machinery, picture, health, metrics };
    let inputs = Inputs { answers, devices: device_events, commands: command_queue, stop: stop.clone() };
    run_with_api(daemon, inputs, api, &stop).await
}

/// The loop and its API live and end together: whichever ends first, the other follows.
async fn run_with_api(
    daemon: Daemon,
    inputs: Inputs,
    mut api: JoinHandle<std::io::Result<()>>,
    stop: &watch::Receiver<bool>,
) -> Result<(), StartError> {
    let mut running = pin!(daemon.run(inputs));
    tokio::select! {
        ended = &mut running => {
            ended?;
            if tokio::time::timeout(API_FINISH, &mut api).await.is_err() {
                api.abort();
            }
            Ok(())
        }
        ended = &mut api => match *stop.borrow() {
            true => Ok(running.await?),
            false => Err(api_trouble(ended)),
        },
    }
}

fn api_trouble(ended: Result<std::io::Result<()>, tokio::task::JoinError>) -> StartError {
    match ended {
        Ok(Err(error)) => StartError::Api(error),
        Ok(Ok(())) | Err(_) => StartError::ApiEnded,
    }
}

fn api_options(config: config::ApiConfig, settings: &Settings) -> ApiOptions {
    let tcp = config.tcp.map(|tcp| TcpOptions { address: tcp.address, token: tcp.token });
    ApiOptions { socket: config.socket, tcp, products: settings.products.clone() }
}

fn look(terminal: config::TerminalConfig) -> Look {
    let language = match terminal.language {
        config::Language::Chinese => Language::Chinese,
        config::Language::English => Language::English,
    };
    Look { language, merchant: terminal.merchant, support: terminal.support }
}

/// Order numbers of this run come from fresh entropy.
fn mint() -> Result<IdMint, StartError> {
    let mut seed = [0; 32];
    SystemRandom::new().fill(&mut seed).map_err(|_| StartError::Entropy)?;
    Ok(IdMint::new(seed))
}
