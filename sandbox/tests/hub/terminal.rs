//! A terminal written by hand: a key, a journal, a clock. It follows docs/hub.md and docs/journal.md by its own code.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use ring::digest::{SHA256, digest};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use sandbox::hub::{Hub, HubControl, HubOptions, Request};
use serde_json::{Value, json};

use crate::calling::{self, Answer, Cut};

/// 2026-09-21 22:13:20 in China.
pub const START: i64 = 1_790_000_000_000;

/// A hub with a clock that the test moves.
pub struct World {
    pub hub: Hub,
    pub control: HubControl,
    clock: Arc<AtomicI64>,
}

impl World {
    pub async fn open() -> Self {
        let clock = Arc::new(AtomicI64::new(START));
        let read = Arc::clone(&clock);
        let clock_of_hub = sandbox::Clock::new(move || read.load(Ordering::SeqCst));
        let hub = Hub::start(HubOptions { clock: clock_of_hub, ..HubOptions::default() }).await.unwrap();
        Self { control: hub.control(), hub, clock }
    }

    pub fn pass(&self, ms: i64) {
        self.clock.fetch_add(ms, Ordering::SeqCst);
    }

    /// A terminal that has not joined.
    pub fn stranger(&self, name: &str) -> Terminal {
        let seed: [u8; 32] = digest(&SHA256, name.as_bytes()).as_ref().try_into().unwrap();
        Terminal {
            name: name.to_owned(),
            key: Ed25519KeyPair::from_seed_unchecked(&seed).unwrap(),
            url: self.hub.url(),
            clock: Arc::clone(&self.clock),
            lines: Vec::new(),
        }
    }

    pub async fn terminal(&self, name: &str) -> Terminal {
        let terminal = self.stranger(name);
        let answer = terminal.join(&self.control.join_code()).await;
        assert_eq!((answer.status, answer.body), (200, json!({ "joined": true })));
        terminal
    }
}

/// A request before it is signed.
#[derive(Clone)]
pub struct Draft {
    pub method: String,
    pub path: String,
    pub created: i64,
    pub keyid: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

pub struct Terminal {
    pub name: String,
    pub url: String,
    pub lines: Vec<Value>,
    key: Ed25519KeyPair,
    clock: Arc<AtomicI64>,
}

impl Terminal {
    pub fn now(&self) -> i64 {
        self.clock.load(Ordering::SeqCst)
    }

    pub fn public_key(&self) -> String {
        STANDARD.encode(self.key.public_key().as_ref())
    }

    /// The same terminal after somebody swapped its key.
    pub fn with_key(mut self, seed: u8) -> Self {
        self.key = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        self
    }

    /// Writes an entry into the journal.
    pub fn write(&mut self, state: &str, body: &Value) {
        let seq = self.lines.len() as u64 + 1;
        let prev = self.lines.last().map_or_else(
            || hex(digest(&SHA256, b"till journal, format 1").as_ref()),
            |line| line["hash"].as_str().unwrap().to_owned(),
        );
        let body_text = body.to_string();
        let hash = seal(seq, START, true, state, &prev, &body_text);
        self.lines.push(json!({
            "seq": seq, "order": body["order"], "at_ms": START, "trusted": true, "state": state,
            "prev": prev, "hash": hash, "body": body_text,
        }));
    }

    /// Writes a sale of one order, paid in full.
    pub fn sale(&mut self, order: &str, amount: i64, voucher: Option<Value>) {
        let attempt = format!("A-{order}");
        self.write("waiting", &json!({ "kind": "order_opened", "order": order, "amount": amount }));
        let mut started = json!({ "kind": "attempt_started", "order": order, "attempt": attempt, "channel": "alipay", "amount": amount });
        if let Some(voucher) = voucher {
            started["channel"] = "voucher".into();
            started["voucher"] = voucher;
        }
        self.write("confirming", &started);
        self.write("paid", &json!({ "kind": "attempt_paid", "order": order, "attempt": attempt, "trade_no": "1" }));
        self.write("completed", &json!({ "kind": "order_closed", "order": order, "ending": "delivered" }));
    }

    /// Writes a refund of that sale.
    pub fn refund(&mut self, order: &str, amount: i64) {
        let (attempt, refund) = (format!("A-{order}"), format!("R-{order}-{}", self.lines.len()));
        self.write(
            "refunding",
            &json!({ "kind": "refund_started", "order": order, "attempt": attempt, "refund": refund, "amount": amount }),
        );
        self.write("refunded", &json!({ "kind": "refund_done", "order": order, "refund": refund }));
    }

    pub fn draft(&self, call: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Draft {
        Draft {
            method: "POST".to_owned(),
            path: format!("/v1/terminals/{}/{call}", self.name),
            created: self.now() / 1000,
            keyid: self.name.clone(),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            body,
        }
    }

    pub fn json(&self, call: &str, body: &Value) -> Draft {
        self.draft(call, &[("Content-Type", "application/json")], body.to_string().into_bytes())
    }

    /// A batch of these lines, whatever they are.
    pub fn batch(&self, lines: &[Value]) -> Draft {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        self.batch_of(&gzip(text.as_bytes()))
    }

    pub fn batch_of(&self, body: &[u8]) -> Draft {
        let headers = [("Content-Type", "application/x-ndjson"), ("Content-Encoding", "gzip")];
        self.draft("entries", &headers, body.to_vec())
    }

    pub fn sign(&self, draft: Draft) -> Request {
        let digest = format!("sha-256=:{}:", STANDARD.encode(digest(&SHA256, &draft.body)));
        let parameters = format!(
            r#"("@method" "@path" "content-digest");created={};keyid="{}";alg="ed25519""#,
            draft.created, draft.keyid
        );
        let base = format!(
            "\"@method\": {}\n\"@path\": {}\n\"content-digest\": {digest}\n\"@signature-params\": {parameters}",
            draft.method, draft.path
        );
        let signature = STANDARD.encode(self.key.sign(base.as_bytes()));
        let mut headers = draft.headers;
        headers.push(("Content-Digest".to_owned(), digest));
        headers.push(("Signature-Input".to_owned(), format!("till={parameters}")));
        headers.push(("Signature".to_owned(), format!("till=:{signature}:")));
        Request { method: draft.method, path: draft.path, headers, body: draft.body }
    }

    pub async fn try_send(&self, draft: Draft) -> Result<Answer, Cut> {
        calling::send(&self.url, &self.sign(draft)).await
    }

    pub async fn send(&self, draft: Draft) -> Answer {
        self.try_send(draft).await.expect("the connection ended")
    }

    pub async fn join(&self, code: &str) -> Answer {
        self.send(self.json("join", &json!({ "public_key": self.public_key(), "code": code }))).await
    }

    /// Sends the entries from one place to another.
    pub async fn sync(&self, first: usize, last: usize) -> Answer {
        self.send(self.batch(&self.lines[first - 1..last])).await
    }

    pub async fn sync_all(&self) -> Answer {
        self.sync(1, self.lines.len()).await
    }

    pub async fn poll(&self, handled: u64, results: Value, wait_s: u64) -> Answer {
        let body = json!({ "handled": handled, "results": results, "wait_s": wait_s });
        self.send(self.json("poll", &body)).await
    }
}

/// The order of a test.
pub fn order(number: u8) -> String {
    format!("S{number:025}")
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn seal(seq: u64, at_ms: i64, trusted: bool, state: &str, prev: &str, body: &str) -> String {
    let prev: Vec<u8> = (0..32).map(|byte| u8::from_str_radix(&prev[2 * byte..2 * byte + 2], 16).unwrap()).collect();
    let fields: [&[u8]; 7] = [
        b"till journal entry, format 1",
        &seq.to_be_bytes(),
        &at_ms.to_be_bytes(),
        &[u8::from(trusted)],
        state.as_bytes(),
        &prev,
        body.as_bytes(),
    ];
    let text: Vec<u8> =
        fields.iter().flat_map(|field| [&(field.len() as u64).to_be_bytes(), *field].concat()).collect();
    hex(digest(&SHA256, &text).as_ref())
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
