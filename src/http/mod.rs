//! The only network client of the channels: one request to a channel, one answer back.
//!
//! | module | subject |
//! |---|---|
//! | `adapter` | the channels' protocols side by side |
//! | `client` | limits, trusted roots, the merchant's certificate |
//! | `line` | the way to one channel and its two hosts |
//! | `doubt` | what went wrong on the way, in words |
//!
//! Whatever goes wrong here is a doubt, never a failure: the engine asks again under the same number.

mod adapter;
mod client;
mod doubt;
mod line;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use payment::channel::outcome::{Doubt, DoubtKind};
use payment::channel::{Answer, ChannelId, Decoded, HttpReply, HttpRequest, Request};
use payment::time::Wall;
use ring::rand::{SecureRandom, SystemRandom};
use tokio::time::timeout;

pub use adapter::Adapter;
pub(crate) use client::tls;
pub use client::{ClientError, ClientOptions, Identity, IdentityError};
use line::{Elsewhere, Line};

use crate::daemon::clock::dates::Dates;
use crate::daemon::clock::trust::Witness;

/// The longest reply to a call that is read. They are about 1 KB; a fetched certificate has 10.
const REPLY_MAX: usize = 256 * 1024;

/// How often a call may turn out to be a step on the way, such as one for an access token.
const STEPS_MAX: usize = 2;

/// A channel that is set up.
#[derive(Debug)]
pub struct Channel {
    /// Its protocol.
    pub adapter: Adapter,
    /// Where it is asked for the time: its gateway, scheme and host at least.
    pub address: String,
    /// The merchant's certificate, for calls that must show it.
    pub identity: Option<Identity>,
}

/// What one exchange beside the sales may use up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest body that is read, in bytes.
    pub body: usize,
    /// For all of it.
    pub total: Duration,
}

/// A channel with its way there.
#[derive(Debug)]
struct Open {
    channel: Channel,
    line: Line,
}

/// The channels as the loop calls them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Channels {
    /// The preferred one first.
    open: Arc<[Open]>,
    total: Duration,
    dates: Option<Dates>,
    /// Why the newest exchange that failed did.
    trouble: Arc<Mutex<Option<String>>>,
}

impl Channels {
    /// Clients for the checked channels, the preferred one first.
    ///
    /// # Errors
    ///
    /// [`ClientError`] when the roots cannot be read or TLS cannot be set up.
    pub fn new(channels: Vec<Channel>, options: &ClientOptions) -> Result<Self, ClientError> {
        let open = channels.into_iter().map(|channel| {
            let line = Line::new(channel.adapter.id(), channel.identity.as_ref(), options)?;
            Ok(Open { channel, line })
        });
        let open: Result<Vec<_>, ClientError> = open.collect();
        Ok(Self { open: open?.into(), total: options.total, dates: None, trouble: Arc::default() })
    }

    /// The same, handing the date of every answer to the clock.
    #[must_use]
    pub fn telling(self, dates: Dates) -> Self {
        Self { dates: Some(dates), ..self }
    }

    /// A channel's protocol, for what goes beside the sales.
    #[must_use]
    pub fn adapter(&self, channel: ChannelId) -> Option<&Adapter> {
        self.find(channel).ok().map(|open| &open.channel.adapter)
    }

    /// Asks the channels, one after another until one of them says it, for nothing but the date: no signature, and nothing
    /// that is a secret. What comes of it is told to the clock.
    ///
    /// # Errors
    ///
    /// In words, what each of them answered instead.
    pub async fn ask_time(&self) -> Result<ChannelId, String> {
        let Some(dates) = &self.dates else {
            return Err("nobody is told the time".to_owned());
        };
        let mut troubles = Vec::new();
        for Open { channel, line } in self.open.iter() {
            let id = channel.adapter.id();
            let trouble = match within(self.total, line.head(&channel.address)).await {
                Ok(answer) if dates.hear(Witness::Channel(id), &answer) => return Ok(id),
                Ok(_) => "answers without a date".to_owned(),
                Err(doubt) => format!("does not answer: {}", doubt.detail),
            };
            troubles.push(format!("{} {trouble}", id.name()));
        }
        let trouble = match troubles.is_empty() {
            true => "no channel is set up that could be asked".to_owned(),
            false => troubles.join("; "),
        };
        dates.silent(trouble.clone());
        Err(trouble)
    }

    /// Why the newest exchange that failed did, for the log.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Encodes and signs; costs one signature and touches no network, so it may overlap the journal's flush.
    #[must_use]
    pub fn prepare(&self, channel: ChannelId, request: Request, wall: Wall) -> Prepared {
        let http = self.find(channel).and_then(|open| open.encode(&request, wall));
        Prepared { channel, request, http, wall }
    }

    /// Sends what was prepared and waits for the answer: no longer than the limit for a whole call, with the other host,
    /// a fetched key and every step in it.
    pub async fn send(&self, prepared: Prepared) -> Answer {
        let Prepared { channel, request, http, wall } = prepared;
        let answer = match (self.find(channel), http) {
            (Ok(open), Ok(http)) => within(self.total, self.talk(open, &request, http, wall)).await,
            (Err(doubt), _) | (_, Err(doubt)) => return Answer::in_doubt(&request, doubt),
        };
        answer.unwrap_or_else(|doubt| Answer::in_doubt(&request, self.noted(doubt)))
    }

    /// One request beside the sales, such as for a statement, and its reply as it came. Its date is not evidence for the
    /// clock: a statement may lie on somebody else's host.
    ///
    /// # Errors
    ///
    /// The doubt: nobody was reached, nothing came back, or more than `limits`.
    pub async fn exchange(
        &self,
        channel: ChannelId,
        http: &HttpRequest,
        wall: Wall,
        limits: Limits,
    ) -> Result<HttpReply, Doubt> {
        let open = self.find(channel)?;
        let whole = async { line::read(open.line.send(http, wall, Elsewhere::Unanswered).await?, limits.body).await };
        within(limits.total, whole).await.map_err(|doubt| self.noted(doubt))
    }

    /// Fetches the key that [`Decoded::UnknownKey`] named, for what goes beside the sales.
    ///
    /// # Errors
    ///
    /// The doubt: the key was not fetched, or is not to be trusted.
    pub async fn fetch_key(&self, channel: ChannelId, serial: &str, wall: Wall) -> Result<(), Doubt> {
        let open = self.find(channel)?;
        within(self.total, self.fetch(open, serial, wall)).await.map_err(|doubt| self.noted(doubt))
    }

    fn find(&self, channel: ChannelId) -> Result<&Open, Doubt> {
        let found = self.open.iter().find(|open| open.channel.adapter.id() == channel);
        found.ok_or_else(|| Doubt::new(DoubtKind::NoConnection, "the channel is not set up"))
    }

    /// Keeps what went wrong on the way there or back, for the log.
    fn noted(&self, doubt: Doubt) -> Doubt {
        if !doubt.kind.was_reached() {
            *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(doubt.detail.clone());
        }
        doubt
    }

    /// Until there is an answer; steps on the way are taken, so many and no more.
    async fn talk(&self, open: &Open, request: &Request, first: HttpRequest, wall: Wall) -> Result<Answer, Doubt> {
        let mut http = first;
        for _ in 0..STEPS_MAX {
            if let Some(answer) = self.step(open, request, &http, wall).await? {
                return Ok(answer);
            }
            http = open.encode(request, wall)?;
        }
        let no_end = || Doubt::new(DoubtKind::Malformed, format!("no answer after {STEPS_MAX} steps on the way"));
        self.step(open, request, &http, wall).await?.ok_or_else(no_end)
    }

    /// One exchange, read. A key that the channel changed to is fetched once, then the same reply is read again.
    async fn step(
        &self,
        open: &Open,
        request: &Request,
        http: &HttpRequest,
        wall: Wall,
    ) -> Result<Option<Answer>, Doubt> {
        let reply = self.ask(open, http, wall, Elsewhere::of(request)).await?;
        let decode = || read(open.channel.adapter.decode(request, wall, &reply));
        let serial = match decode() {
            Ok(read) => return Ok(read),
            Err(serial) => serial,
        };
        self.fetch(open, &serial, wall).await?;
        decode().map_err(|serial| {
            Doubt::new(DoubtKind::BadSignature, format!("key {serial} is still unknown after it was fetched"))
        })
    }

    async fn fetch(&self, open: &Open, serial: &str, wall: Wall) -> Result<(), Doubt> {
        let unverified = |kind, why: &str| Doubt::new(kind, format!("a reply signed with key {serial}: {why}"));
        let http = open.channel.adapter.key_request(serial, wall, entropy()?);
        let http = http.ok_or_else(|| unverified(DoubtKind::BadSignature, "the channel does not give keys out"))?;
        // The call itself did leave, whatever happens to this one.
        let kept = |kind| if kind == DoubtKind::NoConnection { DoubtKind::NoReply } else { kind };
        let fetched = self.ask(open, &http, wall, Elsewhere::Unanswered).await;
        let reply = fetched.map_err(|doubt| unverified(kept(doubt.kind), &doubt.detail))?;
        let taken = open.channel.adapter.accept_key(serial, wall, &reply);
        taken.map_err(|why| unverified(DoubtKind::BadSignature, &why))
    }

    /// One exchange with the channel's own hosts.
    async fn ask(&self, open: &Open, http: &HttpRequest, wall: Wall, elsewhere: Elsewhere) -> Result<HttpReply, Doubt> {
        let response = open.line.send(http, wall, elsewhere).await?;
        if let Some(dates) = &self.dates {
            dates.hear(Witness::Channel(open.channel.adapter.id()), &response);
        }
        line::read(response, REPLY_MAX).await
    }
}

impl Open {
    fn encode(&self, request: &Request, wall: Wall) -> Result<HttpRequest, Doubt> {
        Ok(self.channel.adapter.encode(request, wall, entropy()?))
    }
}

/// A reply that could be read: an answer, or `None` for a step on the way. Or else the number of the key that is missing.
fn read(decoded: Decoded) -> Result<Option<Answer>, String> {
    match decoded {
        Decoded::Answer(answer) => Ok(Some(answer)),
        Decoded::EncodeAgain => Ok(None),
        Decoded::UnknownKey { serial } => Err(serial),
    }
}

/// A request that is signed and waits to be sent.
#[derive(Debug)]
pub struct Prepared {
    channel: ChannelId,
    request: Request,
    http: Result<HttpRequest, Doubt>,
    wall: Wall,
}

/// What `work` comes to, or a doubt when it takes longer.
async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, Doubt>>) -> Result<T, Doubt> {
    let late = || Doubt::new(DoubtKind::NoReply, "timed out");
    timeout(limit, work).await.unwrap_or_else(|_elapsed| Err(late()))
}

/// Random bytes that no other call has.
pub(crate) fn entropy() -> Result<[u8; 32], Doubt> {
    let mut entropy = [0; 32];
    let filled = SystemRandom::new().fill(&mut entropy);
    filled.map_err(|_| Doubt::new(DoubtKind::NoConnection, "not sent: the system gives no random numbers"))?;
    Ok(entropy)
}
