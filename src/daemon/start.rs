//! From a checked configuration to a running loop, and back down in order.

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use payment::engine::Engine;
use payment::engine::input::Input;
use payment::engine::settings::Settings;
use payment::ids::IdMint;
use payment::time::Now;
use ring::rand::{SecureRandom, SystemRandom};
use thiserror::Error;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;

use super::alarms::Alarms;
use super::calls::Calls;
use super::clock::{Clock, Timekeeper};
use super::complaints::{self, Complaints};
use super::devices::Machinery;
use super::health::Health;
use super::journaling::Journaling;
use super::keeping::Keeping;
use super::metrics::Metrics;
use super::notices::{ChannelNews, Notices};
use super::picture::Picture;
use super::receipts::Receipts;
use super::slots::SlotNotice;
use super::terminal::{COMMANDS_MAX, SyncEnds, Terminal};
use super::{Broken, Daemon, Ended, Inputs, binding, opening, scanner_memory};
use crate::api::{ApiOptions, Doors, TcpOptions};
use crate::config::{self, Checked};
use crate::http::{Channel, Channels, ClientError, ClientOptions};
use crate::journal;
use crate::screen::{Language, Look};
use crate::sync::link::{self, LinkEnds, LinkOptions, Marks};
use crate::sync::status::Nudges;

/// Device events that may wait for the loop. Devices drop what does not fit and say so; the scanner's lines are few.
const DEVICE_EVENTS_MAX: usize = 256;

/// How long the start waits for somebody to confirm the time.
const FIRST_TIME: Duration = Duration::from_secs(2);

/// How long the API may take to finish its last answers.
const API_FINISH: Duration = Duration::from_secs(2);

/// Why the daemon did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The journal.
    #[error(transparent)]
    Journal(#[from] journal::OpenError),
    /// The journal is another board's.
    #[error(transparent)]
    OtherBoard(#[from] super::binding::OtherBoard),
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
pub async fn run(checked: Checked, stop: watch::Receiver<bool>) -> Result<Ended, StartError> {
    hal::safe_state::install_panic_hook();
    let hub = LinkOptions::of(&checked);
    let pretend_money = checked.terminal.mode == config::Mode::Sandbox;
    let look = look(&checked.terminal);
    let Some(opened) = opening::open(&checked.journal, &checked.board, &look, &mut stop.clone()).await? else {
        return Ok(Ended::Stopped);
    };
    is_at_home(&checked)?;
    let newest = opened.last.map(|(_, wall)| wall);
    let mut clock = Timekeeper::start(newest, pretend_money, checked.settings.pace.probe_ms);
    let reader = opened.journal.reader();
    let journal = Journaling::new(opened.journal, opened.last.map_or(0, |(seq, _)| seq));
    let channels = clients(checked.channels, checked.http)?.telling(clock.clock().dates());
    let (news, complaints_watched) = channel_news(&channels, clock.clock());
    let (calls, answers) = Calls::new(channels);
    first_time(&mut clock, &calls).await;
    let (events, device_events) = mpsc::channel(DEVICE_EVENTS_MAX);
    let memory = scanner_memory::beside(&checked.journal);
    let machinery = Machinery::new(hal::open_remembering(&checked.board, events, memory)?);
    let picture = Picture::new(look, machinery.display_size());
    let metrics = Arc::new(Metrics::default());
    let doors = Doors::open(api_options(checked.api, &checked.settings)).await?;
    let (commands, command_queue) = mpsc::channel(COMMANDS_MAX);
    let (nudges, link_news) = (watch::Sender::new(Nudges::default()), watch::Sender::default());
    let keeping = Keeping::new(checked.retention, checked.settings.vouchers.is_some(), nudges.clone());
    let limit_bytes = checked.retention.limit_bytes;
    let terminal = Terminal::new(commands, reader, journal.newest(), picture.frames(), Arc::clone(&metrics));
    let terminal = terminal.with_news(news).with_sync(SyncEnds {
        link: link_news.subscribe(),
        nudges: nudges.clone(),
        limit_bytes,
    });
    let marks = Marks {
        acknowledged: opened.acknowledged,
        newest: journal.last_seq(),
        handled: opened.handled,
        results: opened.results,
        unseen: opened.unseen,
    };
    let link = hub.map(|options| {
        let (terminal, clock, nudges) = (terminal.clone(), clock.clock().clone(), nudges.subscribe());
        tokio::spawn(link::run(options, LinkEnds { terminal, clock, nudges, news: link_news }, marks))
    });

    let now = clock.now();
    let told = std::iter::once(Input::Unsettled(opened.unsettled))
        .chain(opened.slots.into_iter().map(|(slot, count)| Input::Slot { slot, count }))
        .chain(machinery.faults_at_start().into_iter().map(Input::Raise));
    let engine = take_up(Engine::restore(checked.settings, mint()?, now, &opened.open_orders, opened.spent), now, told);
    let slots = SlotNotice::new(&engine);
    let terminal = terminal.with_slots(slots.subscribe());
    let api = tokio::spawn(doors.serve(terminal, stop.clone()));
    let health = Health::ready(clock.now().mono);
    tracing::info!(open_orders = opened.open_orders.len(), newest_entry = journal.last_seq(), "ready");
    let receipts = Receipts::new(checked.print_receipts);
    let daemon =
        Daemon { engine, clock, journal, calls, machinery, receipts, picture, health, keeping, slots, metrics };
    let inputs = Inputs { answers, devices: device_events, commands: command_queue, stop: stop.clone() };
    let ended = run_with_api(daemon, inputs, api, &stop).await;
    complaints_watched.abort();
    if let Some(link) = link {
        link.abort();
    }
    ended
}

fn clients(channels: Vec<Channel>, http: config::HttpConfig) -> Result<Channels, ClientError> {
    let config::HttpConfig { connect_timeout, timeout, extra_roots } = http;
    Channels::new(channels, &ClientOptions { connect: connect_timeout, total: timeout, extra_roots })
}

/// Refuses the journal of another board. Pretend money needs no such guard, and its folders are copied about.
fn is_at_home(checked: &Checked) -> Result<(), StartError> {
    if checked.terminal.mode == config::Mode::Production {
        binding::check(Path::new("/"), &checked.journal, &checked.terminal.id)?;
    }
    Ok(())
}

/// The engine with what it is told at start, which it never refuses.
fn take_up(mut engine: Engine, now: Now, told: impl Iterator<Item = Input>) -> Engine {
    for input in told {
        let _taken = engine.handle(now, input);
    }
    engine
}

/// What the channels tell besides the sales, and the leaf that asks them.
fn channel_news(channels: &Channels, clock: &Clock) -> (ChannelNews, JoinHandle<()>) {
    let (told, complaints) = watch::channel(Complaints::default());
    let (look, alarms) = (Arc::new(Notify::new()), Alarms::default());
    let watched = tokio::spawn(complaints::watch(channels.clone(), clock.clone(), told, Arc::clone(&look)));
    let (channels, clock) = (channels.clone(), clock.clone());
    let notices = Notices { channels, clock, alarms: alarms.clone(), look };
    (ChannelNews { complaints, alarms, notices: Some(notices) }, watched)
}

/// Waits for the first word on the time, and not for long: a machine need not start with a fault that is over a moment
/// later.
async fn first_time(clock: &mut Timekeeper, calls: &Calls) {
    if clock.attend() {
        calls.ask_time();
        let _late = tokio::time::timeout(FIRST_TIME, clock.stirred()).await;
        let _asked = clock.attend();
    }
    tracing::info!(trusted = clock.now().wall.trusted, "clock: {}", clock.words());
}

/// The loop and its API live and end together: whichever ends first, the other follows.
async fn run_with_api(
    daemon: Daemon,
    inputs: Inputs,
    mut api: JoinHandle<std::io::Result<()>>,
    stop: &watch::Receiver<bool>,
) -> Result<Ended, StartError> {
    let mut running = pin!(daemon.run(inputs));
    tokio::select! {
        ended = &mut running => {
            let ended = ended?;
            if tokio::time::timeout(API_FINISH, &mut api).await.is_err() {
                api.abort();
            }
            Ok(ended)
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
    let (products, instalments) = (settings.products.clone(), settings.instalments.clone());
    ApiOptions { socket: config.socket, tcp, products, instalments }
}

fn look(terminal: &config::TerminalConfig) -> Look {
    let language = match terminal.language {
        config::Language::Chinese => Language::Chinese,
        config::Language::English => Language::English,
    };
    Look { language, merchant: terminal.merchant.clone(), support: terminal.support.clone() }
}

/// Order numbers of this run come from fresh entropy.
fn mint() -> Result<IdMint, StartError> {
    let mut seed = [0; 32];
    SystemRandom::new().fill(&mut seed).map_err(|_| StartError::Entropy)?;
    Ok(IdMint::new(seed))
}
