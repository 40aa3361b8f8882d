//! The operator's hub on virtual time: the terminal's own [`Uplink`] against an independent [`Receiver`] without a socket.
//!
//! A batch goes the terminal's whole way: read from the journal, packed, signed, judged by the hub, acknowledged in the
//! journal, told to the engine. Between any two of these the terminal may die, and any of them may fail.

use std::io::Write;
use std::sync::LazyLock;

use flate2::Compression;
use flate2::write::GzEncoder;
use payment::engine::input::Input;
use ring::signature::{Ed25519KeyPair, KeyPair};
use sandbox::hub::{Receiver, Request, Rule};
use till::journal::SetAside;
use till::journal::chain::Record;
use till::sync::key::TerminalKey;
use till::sync::sign::sign;
use till::sync::uplink::{Acknowledgement, Next, Span, Uplink};
use till::sync::wire::{Answer, BATCH_BYTES_MAX, Batch};

use super::death::{Death, Instant};
use super::verdict::must;
use super::world::{BEGIN_MS, DAY, World};
use crate::dice::Dice;

/// The terminal's number at the hub.
const TERMINAL: &str = "VM-0001";

/// What the key of every simulated terminal is made of. It is worth nothing elsewhere.
const SEED: [u8; 32] = [9; 32];

/// What stands before an Ed25519 seed in PKCS #8 (RFC 8410, section 7).
const PKCS8: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

/// So many batches are sent in one go.
const BATCHES_MAX: u32 = 8;

/// In fine weather everything is at the hub after so many waits.
const WAITS_MAX: u32 = 200;

/// What is refused for good, now and then.
const REFUSED_KINDS: [&str; 3] = ["vend_ended", "refund_owed", "order_closed"];

static KEY: LazyLock<TerminalKey> = LazyLock::new(|| {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("hub.key");
    let der = [&PKCS8[..], &SEED[..]].concat();
    let text = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", base64(&der));
    std::fs::write(&path, text).expect("a file");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&path, mode).expect("a file of one's own");
    TerminalKey::load(&path).expect("a key")
});

/// The hub, and what the running process knows of it.
pub struct Hub {
    receiver: Receiver,
    up: Uplink,
    /// What the journal called durable of the hub's word.
    acknowledged: u64,
    is_down: bool,
    /// Requests that were taken for lost and are still on their way.
    strays: Vec<Request>,
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub").field("up", &self.up).finish_non_exhaustive()
    }
}

/// What becomes of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Fine,
    /// Lost on the way there.
    Lost,
    /// Taken for lost, and there later.
    Late,
    /// Carried out, and the answer is lost.
    Unheard,
    /// The hub says "not now".
    Busy(u16),
    /// It is carried out twice.
    Doubled,
}

impl Hub {
    /// A hub that knows the terminal and has nothing of it.
    #[must_use]
    pub fn new() -> Self {
        let mut receiver = Receiver::in_memory().expect("a hub in memory");
        let pair = Ed25519KeyPair::from_seed_unchecked(&SEED).expect("a key");
        let public = pair.public_key().as_ref().try_into().expect("32 bytes");
        receiver.let_in(TERMINAL, &public, BEGIN_MS).expect("a hub in memory");
        Self { receiver, up: Uplink::new(0, 0), acknowledged: 0, is_down: false, strays: Vec::new() }
    }

    /// A process starts on a journal that says this.
    pub fn started(&mut self, acknowledged: u64, newest: u64) {
        // An acknowledgement may be durable although nobody was told; one that was told never goes back.
        let kept = acknowledged >= self.acknowledged;
        must!(kept, Lost, "the journal forgot that the hub has {}: it says {acknowledged}", self.acknowledged);
        self.acknowledged = acknowledged;
        self.up = Uplink::new(acknowledged, newest);
        self.invariant_hub_has_what_it_acknowledged(None);
    }

    /// Line 7: what the journal calls acknowledged, the hub has, and it is the same.
    fn invariant_hub_has_what_it_acknowledged(&self, newest_sent: Option<&Record>) {
        let books = self.receiver.books();
        let has = books.acknowledged(TERMINAL);
        must!(self.acknowledged <= has, Lost, "{} entries are the hub's, and it has {has}", self.acknowledged);
        if let Some(record) = newest_sent.filter(|record| record.seq == has) {
            let head = books.head(TERMINAL);
            must!(record.hash.to_string() == head, Broken, "the hub's entry {has} is another than the journal's");
        }
    }

    /// A request reaches the hub.
    fn takes(&mut self, request: &Request, now_ms: i64) -> Answer {
        let response = self.receiver.handle(request, now_ms);
        let retry_after = response.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
        Answer::read(response.status, retry_after.map(|(_, value)| value.as_str()), &response.body)
    }

    fn way(&self, dice: &mut Dice) -> Way {
        if self.is_down {
            return Way::Lost;
        }
        match dice.roll(16) {
            0 => Way::Lost,
            1 => Way::Late,
            2 | 3 => Way::Unheard,
            4 => Way::Busy(503),
            5 => Way::Busy(429),
            6 => Way::Doubled,
            _ => Way::Fine,
        }
    }
}

impl Default for Hub {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// The link to the hub does what is due.
    pub(super) fn syncs(&mut self) {
        if self.hub.is_none() {
            return;
        }
        self.hub_turns();
        self.sends(false);
    }

    /// The hub goes, comes back, or cannot read something any more.
    fn hub_turns(&mut self) {
        let roll = self.dice.roll(40);
        let kind = *self.dice.pick(&REFUSED_KINDS);
        let Some(hub) = self.hub.as_mut() else { return };
        let fault = match roll {
            0 => {
                hub.is_down = true;
                "hub down"
            }
            1 => {
                hub.receiver.refuse(Rule::kind(kind, "unknown_kind"));
                "hub refuses a kind for good"
            }
            2..=5 => {
                hub.is_down = false;
                hub.receiver.refuse_nothing();
                return;
            }
            _ => return,
        };
        self.fault(fault);
        if fault == "hub down" && self.dice.one_in(3) {
            let weeks = 7 * DAY * (1 + self.dice.roll(3));
            self.run(weeks);
        }
    }

    /// Sends what may be sent now. In fine weather nothing goes wrong.
    fn sends(&mut self, is_fine: bool) {
        for _ in 0..BATCHES_MAX {
            let (now, runs, newest) = (self.now(), self.runs, self.memory.told.len() as u64);
            let Some(hub) = self.hub.as_mut() else { return };
            hub.up.woken(now.mono, newest);
            let Next::Send(span) = hub.up.poll(now) else { return };
            self.sends_one(&span, is_fine);
            self.drain();
            if self.runs != runs {
                return;
            }
        }
    }

    fn sends_one(&mut self, span: &Span, is_fine: bool) {
        let (now, entropy) = (self.now(), self.dice.roll(u64::MAX));
        let (Some(hub), Some(store)) = (self.hub.as_mut(), self.store.as_ref()) else { return };
        let records = match self.disk.outbox(store, span.after, span.entries_max, BATCH_BYTES_MAX) {
            Ok(records) => records,
            Err(error) => return hub.up.on_unread(now.mono, error, entropy),
        };
        let batch = match (&span.unreadable, records.first()) {
            (Some(code), Some(record)) => Some(Batch::unreadable(record, code)),
            (None | Some(_), _) => Batch::of(&records),
        };
        let Some(batch) = batch else { return hub.up.on_gone(now.mono) };
        if !is_fine && self.dice.one_in(60) {
            return self.dies_syncing("killed before the hub was told");
        }
        let answer = self.exchanges(&batch, now.wall.ms, is_fine);
        if !is_fine && self.dice.one_in(60) {
            return self.dies_syncing("killed when the hub had taken a batch");
        }
        self.note(|| format!("the hub says to {} to {}: {answer:?}", batch.first, batch.last));
        let Some(hub) = self.hub.as_mut() else { return };
        if let Some(taken) = hub.up.on_answer(now.mono, &batch, answer, entropy) {
            self.acknowledges(&batch, &records, taken, is_fine);
        }
    }

    /// One batch on its way there and back.
    fn exchanges(&mut self, batch: &Batch, created_ms: i64, is_fine: bool) -> Answer {
        let request = request_of(batch, created_ms);
        // The hub's clock is right; the terminal's may not be.
        let now_ms = BEGIN_MS.saturating_add(i64::try_from(self.at).unwrap_or(i64::MAX));
        let Some(hub) = self.hub.as_mut() else { return Answer::none("no hub") };
        let way = if is_fine { Way::Fine } else { hub.way(&mut self.dice) };
        for late in std::mem::take(&mut hub.strays) {
            let _unheard = hub.takes(&late, now_ms);
        }
        let (answer, kind) = match way {
            Way::Fine => return hub.takes(&request, now_ms),
            Way::Lost => (Answer::none("no route to it"), "batch lost on the way to the hub"),
            Way::Late => {
                hub.strays.push(request);
                (Answer::none("no answer in time"), "batch late at the hub")
            }
            Way::Unheard => {
                let _unheard = hub.takes(&request, now_ms);
                (Answer::none("no answer in time"), "hub's answer lost")
            }
            Way::Busy(status) => (Answer::read(status, Some("120"), b"{}"), "hub busy"),
            Way::Doubled => {
                let _first = hub.takes(&request, now_ms);
                (hub.takes(&request, now_ms), "batch doubled on the way to the hub")
            }
        };
        self.fault(kind);
        answer
    }

    /// Acknowledged is what the journal holds: until then it may be sent again.
    fn acknowledges(&mut self, batch: &Batch, records: &[Record], taken: Acknowledgement, is_fine: bool) {
        let Acknowledgement { up_to, refused } = taken;
        let (now, entropy) = (self.now(), self.dice.roll(u64::MAX));
        let order_of = |seq| records.iter().find(|record| record.seq == seq).map(|record| record.order.clone());
        let set_aside = refused.into_iter().map(|entry| SetAside {
            seq: entry.seq,
            order: order_of(entry.seq).unwrap_or_default(),
            code: entry.code,
            detail: entry.detail,
            at_ms: now.wall.ms,
        });
        let set_aside: Vec<SetAside> = set_aside.collect();
        set_aside.iter().for_each(|_| self.tally.add("entry set aside"));
        let before = self.disk.instant();
        let (Some(hub), Some(store)) = (self.hub.as_mut(), self.store.as_mut()) else { return };
        let kept = self.disk.acknowledge(store, up_to, set_aside);
        if !is_fine && self.dice.one_in(40) {
            return self.dies_within_acknowledgement(before);
        }
        if kept.is_none() {
            return hub.up.not_stored(now.mono, "the journal does not take it", entropy);
        }
        hub.acknowledged = hub.acknowledged.max(up_to);
        hub.up.acknowledged(now.mono, batch, up_to);
        hub.invariant_hub_has_what_it_acknowledged(records.iter().find(|record| record.seq == up_to));
        self.tally.add("batch acknowledged");
        if let Some(amount) = self.store.as_ref().and_then(|store| self.disk.unsettled(store))
            && self.settings.vouchers.is_some()
        {
            self.tell(Input::Unsettled(amount));
        }
    }

    fn dies_syncing(&mut self, kind: &'static str) {
        let power = self.dice.one_in(2);
        self.die(Death { instant: Instant::AfterEffects(0), power, gap_ms: 500 }, kind);
    }

    /// Nothing or all of the acknowledgement reached the disk, and nobody was told.
    fn dies_within_acknowledgement(&mut self, before: usize) {
        let asked = self.disk.instant().saturating_sub(before);
        let within = before + usize::try_from(self.dice.roll(asked as u64 + 1)).unwrap_or(0);
        let power = self.dice.one_in(2);
        if power {
            let fates = Dice::new(self.dice.roll(u64::MAX));
            self.disk.power_fails(Some(within), fates);
        } else {
            self.disk.process_died_at(within);
        }
        self.store = None;
        self.die(Death { instant: Instant::AfterEffects(0), power, gap_ms: 500 }, "killed within an acknowledgement");
    }

    /// In fine weather all that waits goes to the hub.
    pub(super) fn syncs_all(&mut self) {
        let Some(hub) = self.hub.as_mut() else { return };
        hub.is_down = false;
        hub.receiver.refuse_nothing();
        hub.up.send_now();
        for _ in 0..WAITS_MAX {
            self.sends(true);
            if self.hub.as_ref().is_none_or(|hub| hub.up.is_empty()) {
                return;
            }
            self.run(DAY / 24);
        }
    }

    /// Line 7: the hub has every entry once, in its order, with the journal's hash and words.
    pub(super) fn invariant_hub_has_each_entry_once_in_order(&mut self) {
        let (Some(hub), Some(store)) = (self.hub.as_ref(), self.store.as_ref()) else { return };
        let has = hub.receiver.books().entries(TERMINAL);
        let told = self.memory.told.len();
        must!(hub.up.is_empty(), Stuck, "the hub has {} of {told} entries: {:?}", has.len(), hub.up.trouble());
        must!(has.len() == told, Lost, "the hub has {} of {told} entries", has.len());
        let refused: Vec<u64> = hub.receiver.books().refused(TERMINAL).iter().map(|entry| entry.seq).collect();
        let mut journal: Vec<Record> = Vec::new();
        while let Ok(more) = self.disk.outbox(store, journal.len() as u64, 500, usize::MAX)
            && !more.is_empty()
        {
            journal.extend(more);
        }
        must!(journal.len() == told, Broken, "the outbox shows {} of {told} entries", journal.len());
        for (record, kept) in journal.iter().zip(&has) {
            let same = record.seq == kept.seq && record.hash.to_string() == kept.hash;
            must!(same, Lost, "at the hub entry {} is {kept:?}", record.seq);
            let body = kept.body.as_deref();
            let known = body == Some(record.body.as_str()) || (body.is_none() && refused.contains(&record.seq));
            must!(known, Broken, "at the hub entry {} says {body:?}", record.seq);
        }
    }
}

fn request_of(batch: &Batch, created_ms: i64) -> Request {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(batch.lines.as_bytes()).expect("memory takes every byte");
    let body = encoder.finish().expect("memory takes every byte");
    let path = format!("/v1/terminals/{TERMINAL}/entries");
    let signed = sign(&KEY, TERMINAL, &path, &body, created_ms.div_euclid(1_000));
    let headers = [
        ("content-type", "application/x-ndjson".to_owned()),
        ("content-encoding", "gzip".to_owned()),
        ("content-digest", signed.content_digest),
        ("signature-input", signed.signature_input),
        ("signature", signed.signature),
    ];
    let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Request { method: "POST".to_owned(), path, headers, body }
}

/// The 48 bytes of a key as text: RFC 4648, and no padding is ever needed.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let word = |three: &[u8]| three.iter().fold(0_usize, |word, byte| (word << 8) | usize::from(*byte));
    let digits = |word: usize| [18, 12, 6, 0].map(|shift| char::from(DIGITS[(word >> shift) & 63]));
    bytes.chunks(3).flat_map(|three| digits(word(three))).collect()
}

#[cfg(test)]
mod tests {
    use payment::engine::entry::WhoScans;

    use super::*;
    use crate::sim::codes::voucher_settings;
    use crate::sim::fair::settings;
    use crate::sim::log::Log;
    use crate::sim::people::SLOTS;
    use crate::sim::verdict::{Wrong, judged};

    /// A terminal that has sold something and whose hub has it all.
    fn world() -> World {
        let settings = settings(WhoScans::BuyerScans, Some(voucher_settings()));
        let mut world = World::new(Dice::new(7), Log::counted(), settings, Some(0));
        world.hub = Some(Hub::new());
        world.run(1_000);
        world.buys(SLOTS[0]).expect("it sells");
        world.clear_up();
        world.syncs_all();
        world
    }

    #[test]
    fn in_fine_weather_the_hub_has_everything() {
        let mut world = world();
        assert!(world.memory.told.len() > 2);
        judged(|| world.invariant_hub_has_each_entry_once_in_order()).expect("nothing is wrong");
    }

    #[test]
    fn a_hub_that_lost_what_it_acknowledged_is_found() {
        let mut world = world();
        let hub = world.hub.as_mut().expect("a hub");
        hub.receiver = Hub::new().receiver;
        let found = judged(|| hub.invariant_hub_has_what_it_acknowledged(None)).expect_err("a loss");
        assert_eq!(found.wrong, Wrong::Lost);
        let found = judged(|| world.invariant_hub_has_each_entry_once_in_order()).expect_err("a loss");
        assert_eq!(found.wrong, Wrong::Lost);
    }

    #[test]
    fn a_journal_that_forgets_an_acknowledgement_is_found() {
        let mut world = world();
        let newest = world.memory.told.len() as u64;
        let hub = world.hub.as_mut().expect("a hub");
        let found = judged(|| hub.started(newest - 1, newest)).expect_err("a loss");
        assert_eq!(found.wrong, Wrong::Lost);
    }
}
