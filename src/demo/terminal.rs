//! What the daemon says of itself, through its own API: read again whenever it says that something happened.

use std::path::Path;
use std::time::Duration;

use payment::channel::ChannelId;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use thiserror::Error;
use tokio::sync::watch;

use super::supervisor::{Life, Phase};
use crate::api::problem::ProblemBody;
use crate::api::wire::{OrderPage, OrderRow, RefundMade, RefundPage, TerminalStatus};

/// Orders that are read; older ones are in `till orders`.
const ORDERS: u32 = 200;
/// The daemon answers from memory; it is only slower than this when it hangs.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// A lost event stream is opened again after this.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// What was read last.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Seen {
    /// The terminal; `None` while the daemon is not there.
    pub terminal: Option<TerminalStatus>,
    /// Its newest orders, the newest first.
    pub orders: Vec<OrderRow>,
    /// The refunds that wait for another person's approval.
    pub asked: Vec<RefundMade>,
}

/// Why the terminal did not do it.
#[derive(Debug, Error)]
pub enum ApiError {
    /// It says so.
    #[error("{0}")]
    Refused(String),
    /// It is not there.
    #[error("the daemon does not answer: try again when it runs")]
    Gone(#[from] reqwest::Error),
}

impl Seen {
    /// Whether the terminal has found that a channel cannot be used.
    #[must_use]
    pub fn is_away(&self, channel: ChannelId) -> bool {
        let faults = [format!("network-{}", channel.name()), format!("setup-{}", channel.name())];
        let known = self.terminal.iter().flat_map(|terminal| &terminal.faults);
        known.into_iter().any(|fault| faults.contains(&fault.name))
    }

    /// Whether anything is still to be done about an order.
    #[must_use]
    pub fn has_open_orders(&self) -> bool {
        self.orders.iter().any(|order| order.open)
    }
}

/// A client of the daemon's API, over its Unix socket.
#[derive(Debug, Clone)]
pub struct Api {
    client: reqwest::Client,
}

impl Api {
    /// A client for the API at `socket`, which need not be there yet.
    ///
    /// # Errors
    ///
    /// When the HTTP library refuses its settings.
    pub fn new(socket: &Path) -> Result<Self, reqwest::Error> {
        let no_roots = rustls::RootCertStore::empty();
        let tls = rustls::ClientConfig::builder().with_root_certificates(no_roots).with_no_client_auth();
        let client =
            reqwest::Client::builder().tls_backend_preconfigured(tls).unix_socket(socket).no_proxy().build()?;
        Ok(Self { client })
    }

    /// Clears a slot's fault, as a technician does after mending it.
    ///
    /// # Errors
    ///
    /// When the daemon is not there or refuses.
    pub async fn clear_slot(&self, slot: &str) -> Result<(), reqwest::Error> {
        let address = format!("http://till/v1/faults/slot-{slot}");
        let request = self.client.delete(address).timeout(ANSWER_WITHIN);
        request.send().await?.error_for_status()?;
        Ok(())
    }

    /// Asks for an order's money back, all that is left of it, on a person's word. The same key asks once.
    ///
    /// # Errors
    ///
    /// When the daemon is not there or refuses.
    pub async fn refund(&self, order: &str, by: &str, key: &str) -> Result<RefundMade, ApiError> {
        let request = self.client.post(format!("http://till/v1/orders/{order}/refunds"));
        Self::send(request.header("Idempotency-Key", key), &json!({ "by": by })).await
    }

    /// Another person's word on a refund that waits for it.
    ///
    /// # Errors
    ///
    /// When the daemon is not there or refuses.
    pub async fn decide(&self, refund: &RefundMade, approved: bool, by: &str) -> Result<RefundMade, ApiError> {
        let (order, number) = (refund.order, refund.refund.number);
        let request = self.client.post(format!("http://till/v1/orders/{order}/refunds/{number}/decision"));
        Self::send(request, &json!({ "approved": approved, "by": by })).await
    }

    async fn send<T: DeserializeOwned>(request: reqwest::RequestBuilder, body: &Value) -> Result<T, ApiError> {
        let request = request.header("content-type", "application/json").body(body.to_string());
        let answer = request.timeout(ANSWER_WITHIN).send().await?;
        let done = answer.status().is_success();
        let body = answer.bytes().await?;
        let unreadable = || ApiError::Refused("the daemon's answer cannot be read".to_owned());
        if done {
            return serde_json::from_slice(&body).map_err(|_| unreadable());
        }
        let problem = serde_json::from_slice::<ProblemBody>(&body);
        Err(problem.map_or_else(|_| unreadable(), |problem| ApiError::Refused(problem.detail)))
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Option<T> {
        let request = self.client.get(format!("http://till{path}"));
        let answer = request.timeout(ANSWER_WITHIN).send().await.ok()?;
        let body = answer.error_for_status().ok()?.bytes().await.ok()?;
        serde_json::from_slice(&body).ok()
    }

    async fn look(&self) -> Option<Seen> {
        let terminal = self.get("/v1/terminal").await?;
        let page: OrderPage = self.get(&format!("/v1/orders?limit={ORDERS}")).await?;
        let asked: RefundPage = self.get("/v1/refunds?state=asked").await?;
        Some(Seen { terminal: Some(terminal), orders: page.orders, asked: asked.refunds })
    }

    /// Follows the daemon through its lives, for ever.
    pub async fn follow(self, mut life: watch::Receiver<Life>, seen: watch::Sender<Seen>) {
        while life.wait_for(|life| life.phase == Phase::Ready).await.is_ok() {
            self.follow_one_stream(&mut life, &seen).await;
            seen.send_modify(|seen| seen.terminal = None);
            tokio::select! {
                _ = life.wait_for(|life| life.phase != Phase::Ready) => {}
                // The daemon lives and its stream ended: it had too many readers, say.
                () = tokio::time::sleep(AGAIN_AFTER) => {}
            }
        }
    }

    /// The event stream tells of every entry of the journal; the status line, of every fault.
    async fn follow_one_stream(&self, life: &mut watch::Receiver<Life>, seen: &watch::Sender<Seen>) {
        let stream = self.client.get("http://till/v1/events").send().await;
        let Ok(mut stream) = stream else { return };
        loop {
            let status = life.borrow_and_update().status.clone();
            if let Some(now) = self.look().await {
                seen.send_if_modified(|seen| replace_if_new(seen, now));
            }
            let news = |life: &Life| life.phase != Phase::Ready || life.status != status;
            tokio::select! {
                chunk = stream.chunk() => if !matches!(chunk, Ok(Some(_))) { return },
                life = life.wait_for(news) => {
                    if life.is_ok_and(|life| life.phase == Phase::Ready) {
                        continue;
                    }
                    return;
                }
            }
        }
    }
}

fn replace_if_new(seen: &mut Seen, now: Seen) -> bool {
    let is_new = *seen != now;
    if is_new {
        *seen = now;
    }
    is_new
}
