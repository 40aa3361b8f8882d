//! The way to one channel: its clients, and which of its two hosts goes first.

use std::sync::atomic::{AtomicI64, Ordering};

use payment::channel::outcome::{Doubt, DoubtKind};
use payment::channel::{ChannelId, HttpMethod, HttpReply, HttpRequest, Request};
use payment::time::Wall;
use reqwest::Response;
use std::time::Duration;

use super::client::{self, ClientError, ClientOptions, Identity};
use super::doubt::{both, doubt_of};

/// How long a second host that answered when the first did not stays the first one.
const SECOND_GOES_FIRST_MS: i64 = 5 * 60 * 1_000;

/// The second host is not preferred.
const NEVER: i64 = i64::MIN;

/// One channel's clients.
#[derive(Debug)]
pub(super) struct Line {
    plain: reqwest::Client,
    /// The client that shows the merchant's certificate, where there is one.
    showing: Option<reqwest::Client>,
    /// Until when the second host goes first, in milliseconds since 1970.
    second_until: AtomicI64,
}

/// When the same bytes may go to the other host within one call. Never after a time-out: the host may still be at it, and
/// the buyer's time is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Elsewhere {
    /// Only when the connection could not be made. The answer to a second submission may speak of the code and not of the
    /// payment: "used up" says nothing of the one that used it up (reference/wechatpay.md 5.4).
    Unsent,
    /// Also when the connection broke before any answer: the number in it makes a repetition the same order or refund.
    Unanswered,
}

impl Elsewhere {
    pub(super) const fn of(request: &Request) -> Self {
        match request {
            Request::TakeCode(..) => Self::Unsent,
            Request::ShowCode(_)
            | Request::Query(_)
            | Request::Cancel(_)
            | Request::Close(_)
            | Request::Refund(_)
            | Request::RefundQuery(_)
            | Request::Duty(_)
            | Request::Probe => Self::Unanswered,
        }
    }

    const fn allows(self, silence: Silence) -> bool {
        match silence {
            Silence::Unsent => true,
            Silence::Broken => matches!(self, Self::Unanswered),
            Silence::Final => false,
        }
    }
}

/// Why a host did not answer.
struct Silent {
    doubt: Doubt,
    silence: Silence,
}

/// How far the request got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Silence {
    /// No connection: nothing left.
    Unsent,
    /// The connection broke before any answer.
    Broken,
    /// It took too long, or could not be sent by anybody.
    Final,
}

/// The first word of a call. Unless the host that has it serves, the other one has it next time: also when the call is
/// given up while the host hangs, since the caller's time runs out elsewhere.
struct FirstWord<'l> {
    line: &'l Line,
    /// What is noted when it does not serve.
    second_until: i64,
    served: bool,
}

impl FirstWord<'_> {
    /// A host that says itself that it is in trouble does not serve.
    fn answered(&mut self, response: &Response) {
        self.served = !response.status().is_server_error();
    }
}

impl Drop for FirstWord<'_> {
    fn drop(&mut self) {
        if !self.served {
            self.line.second_until.store(self.second_until, Ordering::Relaxed);
        }
    }
}

impl Line {
    pub(super) fn new(
        channel: ChannelId,
        identity: Option<&Identity>,
        options: &ClientOptions,
    ) -> Result<Self, ClientError> {
        let idle = keep_idle(channel);
        Ok(Self {
            plain: client::client(options, None, idle)?,
            showing: identity.map(|identity| client::client(options, Some(identity), idle)).transpose()?,
            second_until: AtomicI64::new(NEVER),
        })
    }

    /// Asks for nothing but an answer's head: unsigned, and nothing in it is a secret.
    pub(super) async fn head(&self, address: &str) -> Result<Response, Doubt> {
        self.plain.head(address).send().await.map_err(|error| doubt_of(&error))
    }

    /// Sends to the host that is likely to work, and once more to the other one where that is safe. The answer's body is
    /// not read yet.
    pub(super) async fn send(&self, http: &HttpRequest, wall: Wall, elsewhere: Elsewhere) -> Result<Response, Doubt> {
        let Some(second) = &http.backup_url else {
            return self.send_to(&http.url, http).await.map_err(|silent| silent.doubt);
        };
        let second_first = self.prefers_second(wall);
        let (one, other) = if second_first { (second, &http.url) } else { (&http.url, second) };
        let second_until = if second_first { NEVER } else { wall.ms.saturating_add(SECOND_GOES_FIRST_MS) };
        let mut first_word = FirstWord { line: self, second_until, served: false };
        match self.send_to(one, http).await {
            Ok(response) => {
                first_word.answered(&response);
                Ok(response)
            }
            Err(silent) if elsewhere.allows(silent.silence) => {
                self.send_to(other, http).await.map_err(|again| both(silent.doubt, again.doubt))
            }
            Err(silent) => Err(silent.doubt),
        }
    }

    /// A clock that was set back does not make it prefer the second host for longer.
    fn prefers_second(&self, wall: Wall) -> bool {
        let left = self.second_until.load(Ordering::Relaxed).saturating_sub(wall.ms);
        (1..=SECOND_GOES_FIRST_MS).contains(&left)
    }

    async fn send_to(&self, url: &str, http: &HttpRequest) -> Result<Response, Silent> {
        let client = match (&self.showing, http.shows_certificate) {
            (Some(showing), true) => showing,
            (None, true) => {
                let detail = "the call must show the merchant's certificate, and none is set up";
                return Err(Silent { doubt: Doubt::new(DoubtKind::NoConnection, detail), silence: Silence::Final });
            }
            (_, false) => &self.plain,
        };
        let request = match http.method {
            HttpMethod::Get => client.get(url),
            HttpMethod::Post => client.post(url).body(http.body.clone()),
        };
        let request = http.headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
        request.send().await.map_err(|error| Silent {
            doubt: doubt_of(&error),
            silence: match (error.is_connect(), error.is_request() && !error.is_timeout()) {
                (true, _) => Silence::Unsent,
                (false, true) => Silence::Broken,
                (false, false) => Silence::Final,
            },
        })
    }
}

/// The whole answer, if its body is not longer than `body_max` bytes.
pub(super) async fn read(mut response: Response, body_max: usize) -> Result<HttpReply, Doubt> {
    let status = response.status().as_u16();
    let text = |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = response.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| doubt_of(&error))? {
        if body.len() + chunk.len() > body_max {
            return Err(Doubt::new(DoubtKind::Malformed, format!("a reply of more than {body_max} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(HttpReply { status, headers, body })
}

/// How long an unused connection is kept. A new TLS connection costs ten times a kept one; but a request written to one
/// that the gateway is just closing is lost.
const fn keep_idle(channel: ChannelId) -> Duration {
    match channel {
        ChannelId::Alipay => Duration::from_secs(50),
        // WeChat's gateway closes after 8 s (reference/wechatpay.md 1.1); of Allinpay's nobody says.
        ChannelId::Wechat | ChannelId::AllinpayVsp | ChannelId::AllinpayYst | ChannelId::Voucher => {
            Duration::from_secs(7)
        }
    }
}
