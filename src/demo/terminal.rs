//! What the daemon says of itself, through its own API: read again whenever it says that something happened.

use std::path::Path;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::sync::watch;

use super::supervisor::{Life, Phase};
use crate::api::wire::{OrderPage, OrderRow, TerminalStatus};

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

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Option<T> {
        let request = self.client.get(format!("http://till{path}"));
        let answer = request.timeout(ANSWER_WITHIN).send().await.ok()?;
        let body = answer.error_for_status().ok()?.bytes().await.ok()?;
        serde_json::from_slice(&body).ok()
    }

    async fn look(&self) -> Option<Seen> {
        let terminal = self.get("/v1/terminal").await?;
        let page: OrderPage = self.get(&format!("/v1/orders?limit={ORDERS}")).await?;
        Some(Seen { terminal: Some(terminal), orders: page.orders })
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
