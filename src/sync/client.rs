//! One signed request to the hub, one answer back. A client of its own: a hub that hangs holds up no sale.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use payment::time::Wall;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};

use super::key::TerminalKey;
use super::sign::sign;
use super::wire::ANSWER_BYTES_MAX;
use crate::config::HubConfig;
use crate::daemon::clock::dates::Dates;
use crate::daemon::clock::trust::Witness;
use crate::http::{self, ClientError};

const CONNECT: Duration = Duration::from_secs(10);
/// An unused connection is closed after this: a new sale may come any time, or tomorrow.
const KEEP_IDLE: Duration = Duration::from_secs(50);

/// What is posted.
#[derive(Debug)]
pub(super) struct Post {
    /// The last word of the path: `entries`, `poll`, `join`.
    pub(super) to: &'static str,
    pub(super) content_type: &'static str,
    /// The body is compressed with gzip.
    pub(super) is_gzip: bool,
    pub(super) body: Vec<u8>,
    /// The longest that all of it may take.
    pub(super) limit: Duration,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Replied {
    pub(super) status: u16,
    pub(super) retry_after: Option<String>,
    pub(super) body: Vec<u8>,
}

/// The hub as this terminal reaches it.
#[derive(Debug, Clone)]
pub(super) struct HubClient {
    http: reqwest::Client,
    url: String,
    terminal: String,
    key: Arc<TerminalKey>,
    dates: Option<Dates>,
}

impl HubClient {
    pub(super) fn new(config: &HubConfig, terminal: &str, key: TerminalKey) -> Result<Self, ClientError> {
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(http::tls(config.roots.as_deref())?)
            .connect_timeout(CONNECT)
            .pool_idle_timeout(KEEP_IDLE)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .build()?;
        let url = config.url.trim_end_matches('/').to_owned();
        Ok(Self { http, url, terminal: terminal.to_owned(), key: Arc::new(key), dates: None })
    }

    /// The same, handing the date of every answer to the clock.
    pub(super) fn telling(self, dates: Dates) -> Self {
        Self { dates: Some(dates), ..self }
    }

    pub(super) fn key(&self) -> &TerminalKey {
        &self.key
    }

    /// Signs and posts. Whatever goes wrong is a reason in words, without the address.
    pub(super) async fn post(&self, post: Post, wall: Wall) -> Result<Replied, String> {
        let path = format!("/v1/terminals/{}/{}", self.terminal, post.to);
        let signed = sign(&self.key, &self.terminal, &path, &post.body, wall.ms.div_euclid(1_000));
        let mut request = self
            .http
            .post(format!("{}{path}", self.url))
            .timeout(post.limit)
            .header(CONTENT_TYPE, post.content_type)
            .header("content-digest", signed.content_digest)
            .header("signature-input", signed.signature_input)
            .header("signature", signed.signature);
        if post.is_gzip {
            request = request.header(CONTENT_ENCODING, "gzip");
        }
        let mut response = request.body(post.body).send().await.map_err(|error| cause(&error))?;
        if let Some(dates) = &self.dates {
            dates.hear(Witness::Hub, &response);
        }
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| cause(&error))? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_BYTES_MAX {
                return Err(format!("an answer of more than {ANSWER_BYTES_MAX} bytes"));
            }
        }
        Ok(Replied { status, retry_after, body })
    }
}

/// The innermost cause.
fn cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut cause = error.source();
    while let Some(deeper) = cause.and_then(std::error::Error::source) {
        cause = Some(deeper);
    }
    cause.map_or_else(|| "no answer".to_owned(), ToString::to_string)
}
