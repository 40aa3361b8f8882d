//! The leaf: one task with a client of its own that carries out what [`Uplink`] and [`Downlink`] want. It knows the loop
//! through [`Terminal`] alone, so a hub that is slow or hangs holds up nobody.

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use payment::engine::faults::Fault;
use payment::engine::input::Input;
use payment::time::{Mono, Now};
use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::{Notify, watch};

use super::carry_out::{CarriedOut, Turn};
use super::client::{HubClient, Post};
use super::command::Delivered;
use super::downlink::{self, Downlink};
use super::key::TerminalKey;
use super::status::{LinkNews, LinkState, Nudges};
use super::uplink::{Acknowledgement, Next, Span, Trouble, Uplink};
use super::wire::{self, Answer, BATCH_BYTES_MAX, Batch, POLL_WAIT_S};
use crate::config::{Base, Checked, HubConfig, overlay};
use crate::daemon::clock::Clock;
use crate::daemon::terminal::{SyncWish, Terminal};
use crate::journal::chain::Record;
use crate::journal::{CommandResult, SetAside};

/// The longest that a batch may take, over a radio that carries 10 kbit/s.
const SEND_LIMIT: Duration = Duration::from_secs(120);
/// A poll is given up so long after the hub should have answered.
const POLL_LIMIT: Duration = Duration::from_secs(POLL_WAIT_S + 15);
/// A key that could not be made is tried again after this.
const KEY_AGAIN: Duration = Duration::from_secs(300);
const NO_CLOCK: &str = "the clock is not trusted, and the hub would not believe a signature of another time";
/// Batches of more entries are written and compressed beside the loop's thread.
const INLINE_ENTRIES: usize = 16;

/// What the settings say of the link.
#[derive(Debug, Clone)]
pub struct LinkOptions {
    pub(super) hub: HubConfig,
    pub(super) terminal_id: String,
    /// `None`: no commands are asked for.
    pub(super) operator_key: Option<[u8; 32]>,
    pub(super) base: Base,
    pub(super) overlay_path: PathBuf,
}

impl LinkOptions {
    /// The link of this terminal; `None` when it has no hub.
    #[must_use]
    pub fn of(checked: &Checked) -> Option<Self> {
        Some(Self {
            hub: checked.hub.clone()?,
            terminal_id: checked.terminal.id.clone(),
            operator_key: checked.operator_key,
            base: checked.base.clone(),
            overlay_path: overlay::path(checked),
        })
    }
}

/// The ends through which the leaf knows the rest.
#[derive(Debug)]
pub struct LinkEnds {
    /// The loop.
    pub terminal: Terminal,
    /// What time it is.
    pub clock: Clock,
    /// What the loop and people tell it.
    pub nudges: watch::Receiver<Nudges>,
    /// What it tells people.
    pub news: watch::Sender<LinkNews>,
}

/// Runs the leaf until it is dropped.
pub async fn run(options: LinkOptions, ends: LinkEnds, marks: Marks) {
    let mut raised = false;
    let client = loop {
        let client = TerminalKey::load_or_make(&options.hub.key_file)
            .map_err(|error| error.to_string())
            .and_then(|key| HubClient::new(&options.hub, &options.terminal_id, key).map_err(|error| error.to_string()));
        match client {
            Ok(client) => break client.telling(ends.clock.dates()),
            Err(why) => {
                without_a_key(&ends, why).await;
                raised = true;
            }
        }
    };
    let blame = Mutex::new(Blame { raised, set_aside: marks.unseen, ..Blame::default() });
    let (for_up, for_down) = (Notify::new(), Notify::new());
    Link { options, client, ends, blame, for_up, for_down, fault: tokio::sync::Mutex::default() }.serve(marks).await;
}

/// A machine whose disk holds no key sells all the same.
async fn without_a_key(ends: &LinkEnds, why: String) {
    tracing::error!("nothing is sent to the hub: {why}");
    ends.news.send_modify(|news| (news.state, news.trouble) = (LinkState::Refused, Some(why)));
    // A loop that has no time now is told the next time.
    let _raised = ends.terminal.act(Input::Raise(Fault::Hub)).await;
    tokio::time::sleep(KEY_AGAIN).await;
}

/// The leaf.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) options: LinkOptions,
    client: HubClient,
    pub(super) ends: LinkEnds,
    blame: Mutex<Blame>,
    /// The other direction began to work.
    for_up: Notify,
    for_down: Notify,
    /// Held while the fault is raised or cleared, and while an entry is set aside: a clear of the link's own, which is on
    /// its way to the loop, would else be taken for a person's who saw the entry.
    fault: tokio::sync::Mutex<()>,
}

/// What is wrong in either direction: who wants the fault `hub` raised, and what people read.
#[derive(Debug, Default)]
struct Blame {
    up: Option<Trouble>,
    down: Option<Trouble>,
    /// An entry was set aside, and no person has cleared the fault since.
    set_aside: bool,
    /// So often the fault had been cleared when that was last looked at.
    clears: u64,
    /// Hub and journal have one history.
    agrees: bool,
    raised: bool,
    /// The last that came of each direction was as wished.
    up_works: bool,
    down_works: bool,
    doing: LinkState,
    next_try: Option<Mono>,
    waits_for_clock: bool,
}

/// What the journal said at the start.
#[derive(Debug)]
pub struct Marks {
    /// Up to which place the hub has it.
    pub acknowledged: u64,
    /// Its newest entry.
    pub newest: u64,
    /// The newest command that was handled.
    pub handled: u64,
    /// What was not reported of commands.
    pub results: Vec<CommandResult>,
    /// An entry is set aside that no person has seen.
    pub unseen: bool,
}

impl Link {
    async fn serve(self, marks: Marks) {
        let up = Uplink::new(marks.acknowledged, marks.newest);
        let down = Downlink::new(marks.handled, marks.results);
        match self.options.operator_key {
            Some(_) => {
                tokio::join!(self.send(up), self.obey(down));
            }
            None => self.send(up).await,
        }
    }

    // ---- entries up ----

    async fn send(&self, mut up: Uplink) {
        let (mut newest, mut nudges) = (self.ends.terminal.newest(), self.ends.nudges.clone());
        let mut told = *nudges.borrow_and_update();
        self.blame().clears = told.hub_cleared;
        // What an earlier run left.
        self.raise_or_clear().await;
        loop {
            let known = *newest.borrow_and_update();
            up.woken(self.now().mono, known);
            let now_told = *nudges.borrow_and_update();
            nudge(&mut up, self.now().mono, told, now_told);
            if self.blame().is_seen_by(now_told.hub_cleared) {
                self.note_seen().await;
            }
            told = now_told;
            self.note_agreement(up.agrees());
            match up.poll(self.now()) {
                Next::Send(span) => {
                    self.publish(&up, LinkState::Sending, None);
                    self.send_batch(&mut up, &span).await;
                    self.blame_up(&up).await;
                }
                Next::Wait(until) => {
                    let doing = if up.is_empty() { LinkState::Idle } else { LinkState::Waiting };
                    self.publish(&up, doing, until);
                    tokio::select! {
                        () = self.sleep_until(until) => {}
                        // The loop holds the other ends, and is gone only when the daemon stops.
                        Ok(()) = newest.changed() => {}
                        Ok(()) = nudges.changed() => {}
                        () = self.for_up.notified() => up.hub_back(self.now().mono),
                        else => return,
                    }
                }
            }
        }
    }

    async fn send_batch(&self, up: &mut Uplink, span: &Span) {
        let read = self.ends.terminal.journal().outbox(span.after, span.entries_max, BATCH_BYTES_MAX).await;
        let records = match read {
            Ok(records) => records,
            Err(error) => return up.on_unread(self.now().mono, error, entropy()),
        };
        let Some((batch, records, body)) = packed(records, span.unreadable.clone()).await else {
            return up.on_gone(self.now().mono);
        };
        let answer = self.exchange(body).await;
        let taken = up.on_answer(self.now().mono, &batch, answer, entropy());
        if let Some(acknowledgement) = taken {
            self.acknowledge(up, &batch, &records, acknowledgement).await;
        }
    }

    async fn exchange(&self, body: Vec<u8>) -> Answer {
        let content_type = "application/x-ndjson";
        let post = Post { to: "entries", content_type, is_gzip: true, body, limit: SEND_LIMIT };
        match self.client.post(post, self.now().wall).await {
            Ok(replied) => Answer::read(replied.status, replied.retry_after.as_deref(), &replied.body),
            Err(why) => Answer::none(why),
        }
    }

    /// Acknowledged is what the journal holds: until then it may be sent again.
    async fn acknowledge(&self, up: &mut Uplink, batch: &Batch, records: &[Record], taken: Acknowledgement) {
        let Acknowledgement { up_to, refused } = taken;
        let at_ms = self.now().wall.ms;
        let order_of = |seq| records.iter().find(|record| record.seq == seq).map(|record| record.order.clone());
        let set_aside: Vec<SetAside> = refused
            .into_iter()
            .map(|entry| SetAside {
                seq: entry.seq,
                order: order_of(entry.seq).unwrap_or_default(),
                code: entry.code,
                detail: entry.detail,
                at_ms,
            })
            .collect();
        for entry in &set_aside {
            let SetAside { seq, order, code, detail, .. } = entry;
            tracing::warn!(seq, order, code, detail, "the hub refuses an entry for good; see `till queue`");
        }
        let any = !set_aside.is_empty();
        let _no_clear_on_its_way = self.fault.lock().await;
        match self.ends.terminal.sync(SyncWish::Acknowledge { up_to, set_aside }).await {
            Ok(()) => {
                up.acknowledged(self.now().mono, batch, up_to);
                self.note_success(Direction::Up);
                self.note_set_aside(any);
            }
            Err(error) => up.not_stored(self.now().mono, error, entropy()),
        }
    }

    // ---- commands down ----

    async fn obey(&self, mut down: Downlink) {
        let mut nudges = self.ends.nudges.clone();
        let mut wants_restart = false;
        loop {
            down.agrees(self.blame().agrees);
            let next = down.poll(self.now());
            // What came with one answer is done in one run, and one restart serves all that want one.
            if wants_restart && !matches!(next, downlink::Next::Do(_)) {
                wants_restart = !self.restart().await;
            }
            match next {
                downlink::Next::Do(command) => wants_restart |= self.command(&mut down, &command).await,
                downlink::Next::Ask { handled, results, wait_s } => {
                    self.ask(&mut down, handled, &results, wait_s).await;
                }
                downlink::Next::Wait(until) => tokio::select! {
                    () = self.sleep_until(until) => {}
                    Ok(()) = nudges.changed() => down.ask_now(),
                    () = self.for_down.notified() => down.ask_now(),
                    else => return,
                },
            }
            self.blame_down(&down).await;
        }
    }

    /// Does a command; whether it wants a restart.
    async fn command(&self, down: &mut Downlink, command: &Delivered) -> bool {
        let (number, turn) = (command.number, Turn { is_next: down.is_next(command.number), tries: down.tries() });
        let carried_out = self.carry_out(command, turn).await;
        let now = self.now().mono;
        match carried_out {
            CarriedOut::Handled { result, restarts } => {
                down.handled(result);
                return restarts;
            }
            CarriedOut::NotNow(why) => {
                tracing::warn!(number, why, "a command of the operator has to wait");
                down.not_now(now, number, why, entropy());
            }
            CarriedOut::Forged(result) => down.forged(now, result, entropy()),
            CarriedOut::Dropped(why) => down.dropped(now, why, entropy()),
        }
        false
    }

    async fn ask(&self, down: &mut Downlink, handled: u64, results: &[CommandResult], wait_s: u64) {
        let asked = self.now();
        let body = wire::poll(handled, results, wait_s).into_bytes();
        let post = Post { to: "poll", content_type: "application/json", is_gzip: false, body, limit: POLL_LIMIT };
        let answer = match self.client.post(post, asked.wall).await {
            Ok(replied) => wire::commands(replied.status, replied.retry_after.as_deref(), &replied.body),
            Err(why) => Err(Answer::none(why)),
        };
        if answer.is_ok() {
            self.note_success(Direction::Down);
        }
        let Some(up_to) = down.on_answer(self.now().mono, asked.mono, results, answer, entropy()) else {
            return;
        };
        // What is not forgotten is reported again, which does no harm.
        match self.ends.terminal.sync(SyncWish::Reported(up_to)).await {
            Ok(()) => down.reported(up_to),
            Err(error) => down.not_forgotten(self.now().mono, error.to_string(), entropy()),
        }
    }

    // ---- how it stands ----

    /// What people see: what is being done, and what either direction complains of.
    fn publish(&self, up: &Uplink, doing: LinkState, next_try: Option<Mono>) {
        {
            let mut blame = self.blame();
            blame.doing = doing;
            blame.next_try = next_try;
            blame.waits_for_clock = !up.is_empty() && !self.now().wall.trusted;
        }
        self.refresh();
    }

    fn refresh(&self) {
        let blame = self.blame();
        let refused = [&blame.up, &blame.down].into_iter().flatten().any(Trouble::needs_a_person);
        let state = if refused && blame.doing != LinkState::Sending { LinkState::Refused } else { blame.doing };
        let trouble = blame.up.as_ref().or(blame.down.as_ref()).map(ToString::to_string);
        let trouble = trouble.or_else(|| blame.waits_for_clock.then(|| NO_CLOCK.to_owned()));
        let next_try = blame.next_try;
        self.ends.news.send_modify(|news| {
            *news = LinkNews { state, next_try, trouble, last_success_ms: news.last_success_ms };
        });
    }

    /// A hub that begins to take one thing may take the other too: `till hub join` was run, or the network is back.
    fn note_success(&self, direction: Direction) {
        let wall = self.now().wall.ms;
        self.ends.news.send_modify(|news| news.last_success_ms = Some(wall));
        let mut blame = self.blame();
        let (works, other) = match direction {
            Direction::Up => (&mut blame.up_works, &self.for_down),
            Direction::Down => (&mut blame.down_works, &self.for_up),
        };
        if !std::mem::replace(works, true) {
            other.notify_one();
        }
    }

    fn note_set_aside(&self, any: bool) {
        let clears = self.ends.nudges.borrow().hub_cleared;
        self.blame().note_set_aside(any, clears);
    }

    /// Commands wait for it.
    fn note_agreement(&self, agrees: bool) {
        let before = std::mem::replace(&mut self.blame().agrees, agrees);
        if before != agrees {
            self.for_down.notify_one();
        }
    }

    /// A person knows of what is set aside.
    async fn note_seen(&self) {
        // When it cannot be noted, the next start raises the fault again.
        if self.ends.terminal.sync(SyncWish::SetAsideSeen).await.is_err() {
            tracing::warn!(
                "that the entries set aside were seen could not be noted; the fault comes back at the next start"
            );
        }
    }

    async fn blame_up(&self, up: &Uplink) {
        let news = self.blame().note(Direction::Up, up.trouble());
        log_trouble(news, "entries wait");
        self.raise_or_clear().await;
    }

    async fn blame_down(&self, down: &Downlink) {
        let news = self.blame().note(Direction::Down, down.trouble());
        log_trouble(news, "no commands come");
        self.refresh();
        self.raise_or_clear().await;
    }

    /// The fault follows what both directions say, also when it changes meanwhile. A loop that has no time now is told the
    /// next time.
    async fn raise_or_clear(&self) {
        let _one_at_a_time = self.fault.lock().await;
        loop {
            let (wanted, raised) = {
                let blame = self.blame();
                (blame.wants_fault(), blame.raised)
            };
            if wanted == raised {
                return;
            }
            let input = if wanted { Input::Raise(Fault::Hub) } else { Input::Clear(Fault::Hub) };
            if self.ends.terminal.act(input).await.is_err() {
                return;
            }
            self.blame().raised = wanted;
        }
    }

    fn blame(&self) -> MutexGuard<'_, Blame> {
        self.blame.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Now {
        self.ends.clock.now()
    }

    async fn sleep_until(&self, until: Option<Mono>) {
        match until {
            Some(at) => tokio::time::sleep_until(self.ends.clock.instant(at).into()).await,
            None => std::future::pending().await,
        }
    }
}

impl Blame {
    fn wants_fault(&self) -> bool {
        let person = |trouble: &Option<Trouble>| trouble.as_ref().is_some_and(Trouble::needs_a_person);
        self.set_aside || person(&self.up) || person(&self.down)
    }

    /// Entries were set aside, durably. However often the fault was cleared until now, it was before anybody could see
    /// them: in doubt it comes back.
    fn note_set_aside(&mut self, any: bool, clears: u64) {
        if any {
            self.set_aside = true;
            self.clears = clears;
            // A technician may have cleared the last one.
            self.raised = false;
        }
    }

    /// The fault was cleared so often; whether a person saw by that what is set aside. The link clears it only when nothing
    /// stands against the hub any more, so if something does, it was a person: what stands does not raise it again, only
    /// what is new.
    fn is_seen_by(&mut self, clears: u64) -> bool {
        let is_new = std::mem::replace(&mut self.clears, clears) != clears;
        is_new && std::mem::take(&mut self.set_aside)
    }

    /// Remembers what is wrong now; returns it when it is news. What is new is raised again, even if a technician
    /// cleared the last one meanwhile.
    fn note(&mut self, direction: Direction, now: Option<&Trouble>) -> Option<Option<Trouble>> {
        let known = match direction {
            Direction::Up => &mut self.up,
            Direction::Down => &mut self.down,
        };
        let is_news = known.as_ref().map(std::mem::discriminant) != now.map(std::mem::discriminant);
        *known = now.cloned();
        if now.is_some() {
            match direction {
                Direction::Up => self.up_works = false,
                Direction::Down => self.down_works = false,
            }
        }
        self.raised &= !(is_news && now.is_some_and(Trouble::needs_a_person));
        is_news.then(|| now.cloned())
    }
}

#[derive(Debug, Clone, Copy)]
enum Direction {
    Up,
    Down,
}

fn log_trouble(news: Option<Option<Trouble>>, what: &str) {
    match news {
        Some(Some(trouble)) => tracing::warn!("{what}: {trouble}"),
        Some(None) => tracing::info!("over: {what}"),
        None => {}
    }
}

fn nudge(up: &mut Uplink, now: Mono, before: Nudges, told: Nudges) {
    if told.send_now != before.send_now {
        up.send_now();
    }
    if told.link_back != before.link_back {
        up.link_back(now);
    }
}

/// The records as one compressed batch; `None` when there is none.
async fn packed(records: Vec<Record>, unreadable: Option<String>) -> Option<(Batch, Vec<Record>, Vec<u8>)> {
    let is_small = records.len() <= INLINE_ENTRIES;
    let pack = move || {
        let batch = match (&unreadable, records.first()) {
            (Some(code), Some(record)) => Some(Batch::unreadable(record, code)),
            (None | Some(_), _) => Batch::of(&records),
        };
        batch.map(|batch| {
            let body = compressed(&batch);
            (batch, records, body)
        })
    };
    // A big batch takes a small processor longer than a customer should wait.
    if is_small { pack() } else { tokio::task::spawn_blocking(pack).await.ok().flatten() }
}

fn compressed(batch: &Batch) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Memory takes every byte.
    let _written = encoder.write_all(batch.lines.as_bytes());
    encoder.finish().unwrap_or_default()
}

/// Chance for the back-off. Without randomness all terminals would try together, which is no more than impolite.
fn entropy() -> u64 {
    let mut bytes = [0; 8];
    let _without = SystemRandom::new().fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clear_counts_only_for_what_was_set_aside_before_it() {
        let mut blame = Blame { raised: true, ..Blame::default() };
        // The fault was cleared twice while the batch was on its way, by the link or by a technician.
        blame.note_set_aside(true, 2);
        assert!(blame.wants_fault() && !blame.raised, "the fault does not come back for what nobody saw");
        assert!(!blame.is_seen_by(2), "what came after the clear is marked as seen");
        assert!(blame.is_seen_by(3) && !blame.wants_fault());
        assert!(!blame.is_seen_by(4), "there is nothing more to see");
        blame.note_set_aside(false, 9);
        assert!(!blame.wants_fault());
    }
}
