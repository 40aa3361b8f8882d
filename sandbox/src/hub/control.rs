//! The side that tests and people hold: books, commands, codes, weather. No HTTP is needed for any of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::books::{Books, DoubleUse, KeptEntry};
use super::operator::{CodeKind, OperatorKey, SignedCommand};
use super::receiver::{HubError, Receiver, Rule};
use super::seal::to_hex;
use super::weather::{Call, Fault, Weather};
use super::wire::{Request, Response};
use crate::Clock;

/// What went over the wire, without TCP and TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Requests that arrived.
    pub requests: u64,
    /// Bytes of their bodies and header fields.
    pub bytes_in: u64,
    /// Bytes of the answers' bodies and header fields.
    pub bytes_out: u64,
}

/// What the socket and the controls share.
pub(crate) struct Shared {
    pub(crate) clock: Clock,
    pub(crate) operator: OperatorKey,
    /// Counts everything that happened.
    pub(crate) changes: watch::Sender<u64>,
    /// Counts commands that were queued.
    pub(crate) commands: watch::Sender<u64>,
    receiver: Mutex<Receiver>,
    weather: Mutex<Weather>,
    traffic: Mutex<Traffic>,
}

impl Shared {
    pub(crate) fn new(receiver: Receiver, operator: OperatorKey, clock: Clock) -> Self {
        Self {
            clock,
            operator,
            changes: watch::Sender::new(0),
            commands: watch::Sender::new(0),
            receiver: Mutex::new(receiver),
            weather: Mutex::new(Weather::fair()),
            traffic: Mutex::new(Traffic::default()),
        }
    }

    /// Answers a request. Blocks on the disk.
    pub(crate) fn handle(&self, request: &Request) -> Response {
        let response = lock(&self.receiver).handle(request, self.clock.now());
        self.tell();
        response
    }

    pub(crate) fn strike(&self, call: Call) -> Vec<Fault> {
        lock(&self.weather).strike(call)
    }

    pub(crate) fn count(&self, request: &Request) {
        let mut traffic = lock(&self.traffic);
        traffic.requests += 1;
        traffic.bytes_in += size(&request.headers, &request.body);
        drop(traffic);
        self.tell();
    }

    pub(crate) fn count_answer(&self, response: &Response) {
        lock(&self.traffic).bytes_out += size(&response.headers, &response.body);
    }

    fn tell(&self) {
        self.changes.send_modify(|count| *count += 1);
    }
}

/// A field is its name, a colon, a space, its value and a line's end.
fn size(headers: &[(String, String)], body: &[u8]) -> u64 {
    let fields: usize = headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
    (fields + body.len()) as u64
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Everything outside the wire: cheap to clone, usable from any thread, alive after the hub stopped.
///
/// Its functions panic when the database fails: a witness without books proves nothing.
#[derive(Clone)]
pub struct HubControl {
    pub(crate) shared: Arc<Shared>,
}

impl HubControl {
    /// Looks at the books.
    pub fn books<R>(&self, look: impl FnOnce(Books<'_>) -> R) -> R {
        look(lock(&self.shared.receiver).books())
    }

    /// Waits until the books are as wished; they are looked at again when a request arrived, was carried out, or a command
    /// was queued. Put a time limit around it.
    pub async fn until(&self, mut wished: impl FnMut(Books<'_>) -> bool) {
        let mut changes = self.shared.changes.subscribe();
        while !self.books(&mut wished) {
            // The sender lives in `shared`, which is held here.
            let _ = changes.changed().await;
        }
    }

    /// Everything that the hub has of a terminal, in its order.
    #[must_use]
    pub fn entries(&self, terminal: &str) -> Vec<KeptEntry> {
        self.books(|books| books.entries(terminal))
    }

    /// Up to where the hub has everything of a terminal.
    #[must_use]
    pub fn acknowledged(&self, terminal: &str) -> u64 {
        self.books(|books| books.acknowledged(terminal))
    }

    /// Every code that was used twice or overdrawn, once.
    #[must_use]
    pub fn double_uses(&self) -> Vec<DoubleUse> {
        self.books(|books| books.double_uses())
    }

    /// What went over the wire so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        *lock(&self.shared.traffic)
    }

    /// Changes the weather.
    pub fn set_weather(&self, weather: Weather) {
        *lock(&self.shared.weather) = weather;
    }

    /// Refuses such entries for good from now on.
    pub fn refuse(&self, rule: Rule) {
        lock(&self.shared.receiver).refuse(rule);
    }

    /// Refuses nothing more.
    pub fn refuse_nothing(&self) {
        lock(&self.shared.receiver).refuse_nothing();
    }

    /// A new one-time code for a technician.
    #[must_use]
    pub fn join_code(&self) -> String {
        let mut bytes = [0; 8];
        SystemRandom::new().fill(&mut bytes).unwrap_or_default();
        let code = to_hex(&bytes);
        self.must(|receiver| receiver.add_join_code(&code));
        code
    }

    /// Lets a terminal in by its public key, as an operator does who read it off the machine. It replaces another key.
    pub fn let_in(&self, terminal: &str, public_key: &[u8; 32]) {
        let now_ms = self.shared.clock.now();
        self.must(|receiver| receiver.let_in(terminal, public_key, now_ms));
    }

    /// What terminals must hold as the operator's key.
    #[must_use]
    pub fn operator_public_key(&self) -> [u8; 32] {
        self.shared.operator.public_key()
    }

    /// The operator's key itself, for what is signed wrongly on purpose.
    #[must_use]
    pub fn operator(&self) -> &OperatorKey {
        &self.shared.operator
    }

    /// Orders a refund, of all that is left without `amount` (fen). Gives the command's number.
    pub fn order_refund(&self, terminal: &str, order: &str, amount: Option<i64>) -> u64 {
        let mut refund = json!({ "kind": "refund", "order": order });
        if let Some(amount) = amount {
            refund["amount"] = amount.into();
        }
        self.order(terminal, &refund)
    }

    /// Sends the overlay `hub.toml`. Gives the command's number.
    pub fn send_config(&self, terminal: &str, toml: &str) -> u64 {
        let sha256 = to_hex(ring::digest::digest(&ring::digest::SHA256, toml.as_bytes()).as_ref());
        self.order(terminal, &json!({ "kind": "config", "toml": toml, "sha256": sha256 }))
    }

    /// Orders a restart. Gives the command's number.
    pub fn restart(&self, terminal: &str) -> u64 {
        self.order(terminal, &json!({ "kind": "restart" }))
    }

    /// Orders what waits to be sent now. Gives the command's number.
    pub fn send_now(&self, terminal: &str) -> u64 {
        self.order(terminal, &json!({ "kind": "send_now" }))
    }

    /// Orders anything, rightly signed; `order` is the JSON of `do`. Gives the command's number.
    pub fn order(&self, terminal: &str, order: &Value) -> u64 {
        let issued_ms = self.shared.clock.now();
        self.queue(terminal, |operator, number| operator.command(terminal, number, issued_ms, order))
    }

    /// Queues whatever `make` signs, rightly or wrongly, under the next number, which it is given. Gives that number.
    pub fn queue(&self, terminal: &str, make: impl FnOnce(&OperatorKey, u64) -> SignedCommand) -> u64 {
        let number = self.must(|receiver| {
            let number = receiver.next_number(terminal)?;
            receiver.queue_command(terminal, number, &make(&self.shared.operator, number)).map(|()| number)
        });
        self.shared.commands.send_modify(|count| *count += 1);
        self.shared.tell();
        number
    }

    /// A member code for an allowance in fen. No terminals mean everywhere.
    #[must_use]
    pub fn member_code(&self, id: &str, amount: i64, expires_ms: i64, terminals: &[&str]) -> String {
        self.shared.operator.code(CodeKind::Member, id, amount, expires_ms, terminals)
    }

    /// A voucher for one sale up to this amount in fen. No terminals mean everywhere.
    #[must_use]
    pub fn voucher_code(&self, id: &str, amount: i64, expires_ms: i64, terminals: &[&str]) -> String {
        self.shared.operator.code(CodeKind::Voucher, id, amount, expires_ms, terminals)
    }

    #[expect(clippy::expect_used, reason = "a witness that cannot write its own books shall say so and stop")]
    fn must<R>(&self, act: impl FnOnce(&mut Receiver) -> Result<R, HubError>) -> R {
        act(&mut lock(&self.shared.receiver)).expect("the hub's books can be written")
    }
}
