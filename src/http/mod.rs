//! The only network client of the daemon: one HTTP request to a channel, one answer back.
//!
//! Whatever goes wrong here is a doubt, never a failure: the engine asks again under the same number.

use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use payment::channel::alipay::Alipay;
use payment::channel::outcome::{Doubt, DoubtKind};
use payment::channel::{Answer, ChannelId, Decoded, HttpRequest, Request};
use payment::time::Wall;
use rustls::CertificateError;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::daemon::clock::dates::Dates;
use crate::daemon::clock::trust::Witness;

/// The longest reply that is read. Alipay's are about 1 KB.
const REPLY_MAX: usize = 256 * 1024;

/// How long an unused connection is kept. A new TLS connection costs ten times a kept one.
const KEEP_IDLE: Duration = Duration::from_secs(50);

/// Who speaks when Alipay's gateway answers.
const ALIPAY: Witness = Witness::Channel(ChannelId::Alipay);

/// Limits and trust of the client.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// To make a connection.
    pub connect: Duration,
    /// For a whole call.
    pub total: Duration,
    /// PEM text of further root certificates, such as a test's.
    pub extra_roots: Option<String>,
}

/// Why the client could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The extra root certificates.
    #[error("http.ca_file: {0}; give a PEM file of root certificates, or leave the key out")]
    Roots(String),
    /// The TLS library refused its own defaults.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    /// The library refused.
    #[error("the HTTP client cannot be made: {0}")]
    Client(#[from] reqwest::Error),
}

/// The channels as the loop calls them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Channels {
    client: reqwest::Client,
    alipay: Option<Arc<Alipay>>,
    dates: Option<Dates>,
    /// Why the newest exchange that failed did.
    trouble: Arc<Mutex<Option<String>>>,
}

impl Channels {
    /// A client over the checked channels.
    ///
    /// # Errors
    ///
    /// [`ClientError`] when the roots cannot be read or TLS cannot be set up.
    pub fn new(alipay: Option<Arc<Alipay>>, options: &ClientOptions) -> Result<Self, ClientError> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(options.extra_roots.as_deref())?)
            .connect_timeout(options.connect)
            .timeout(options.total)
            .pool_idle_timeout(KEEP_IDLE)
            .pool_max_idle_per_host(1)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .build()?;
        Ok(Self { client, alipay, dates: None, trouble: Arc::default() })
    }

    /// The same, handing the date of every answer to the clock.
    #[must_use]
    pub fn telling(self, dates: Dates) -> Self {
        Self { dates: Some(dates), ..self }
    }

    /// Asks a channel for nothing but its date: no signature, and nothing that is a secret. What comes of it is told to
    /// the clock.
    pub async fn ask_time(&self) {
        let Some(dates) = &self.dates else {
            return;
        };
        let Some(alipay) = &self.alipay else {
            return dates.silent("no channel is set up that could be asked".to_owned());
        };
        let trouble = match self.client.head(alipay.gateway_url()).send().await {
            Ok(answer) if dates.hear(ALIPAY, &answer) => return,
            Ok(_) => "answers without a date".to_owned(),
            Err(error) => format!("does not answer: {}", doubt_of(&error).detail),
        };
        dates.silent(format!("{} {trouble}", ChannelId::Alipay.name()));
    }

    /// Why the newest exchange that failed did, for the log.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What went wrong on the way there or back.
    fn failed(&self, error: &reqwest::Error) -> Doubt {
        let doubt = doubt_of(error);
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(doubt.detail.clone());
        doubt
    }

    /// Encodes and signs; costs one RSA signature and touches no network, so it may overlap the journal's flush.
    #[must_use]
    pub fn prepare(&self, channel: ChannelId, request: Request, wall: Wall) -> Prepared {
        let http = match channel {
            ChannelId::Alipay => self.alipay.as_ref().map(|alipay| alipay.encode(&request, wall)),
            ChannelId::Wechat | ChannelId::AllinpayVsp | ChannelId::AllinpayYst => None,
            // Taken by the terminal itself: nothing is ever sent.
            ChannelId::Voucher => None,
        };
        Prepared { request, http, wall }
    }

    /// Sends what was prepared and waits for the answer, no longer than the client's limit.
    pub async fn send(&self, prepared: Prepared) -> Answer {
        let Prepared { request, http, wall } = prepared;
        let (Some(http), Some(alipay)) = (http, &self.alipay) else {
            let doubt = Doubt::new(DoubtKind::NoConnection, "the channel is not set up");
            return Answer::in_doubt(&request, doubt);
        };
        match self.exchange(&http).await {
            Ok((status, body)) => self.read(alipay, &request, wall, status, &body).await,
            Err(doubt) => Answer::in_doubt(&request, doubt),
        }
    }

    /// Reads a reply; a certificate that Alipay changed to is fetched once, then the same reply is read again.
    async fn read(&self, alipay: &Alipay, request: &Request, wall: Wall, status: u16, body: &[u8]) -> Answer {
        let sn = match alipay.decode(request, status, body) {
            Decoded::Answer(answer) => return answer,
            Decoded::UnknownKey { serial } => serial,
            Decoded::EncodeAgain => return still_a_step(request),
        };
        if let Err(doubt) = self.fetch_certificate(alipay, &sn, wall).await {
            return Answer::in_doubt(request, doubt);
        }
        match alipay.decode(request, status, body) {
            Decoded::Answer(answer) => answer,
            Decoded::UnknownKey { serial } => {
                let detail = format!("certificate {serial} is still unknown after it was fetched");
                Answer::in_doubt(request, Doubt::new(DoubtKind::BadSignature, detail))
            }
            Decoded::EncodeAgain => still_a_step(request),
        }
    }

    async fn fetch_certificate(&self, alipay: &Alipay, sn: &str, wall: Wall) -> Result<(), Doubt> {
        let (status, body) = self.exchange(&alipay.certificate_request(sn, wall)).await?;
        alipay
            .accept_certificate(sn, status, &body)
            .map_err(|error| Doubt::new(DoubtKind::BadSignature, error.to_string()))
    }

    async fn exchange(&self, http: &HttpRequest) -> Result<(u16, Vec<u8>), Doubt> {
        let request = self.client.post(&http.url).body(http.body.clone());
        let request = http.headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
        let mut response = request.send().await.map_err(|error| self.failed(&error))?;
        if let Some(dates) = &self.dates {
            dates.hear(ALIPAY, &response);
        }
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.failed(&error))? {
            body.extend_from_slice(&chunk);
            if body.len() > REPLY_MAX {
                return Err(Doubt::new(DoubtKind::Malformed, format!("a reply of more than {REPLY_MAX} bytes")));
            }
        }
        Ok((status, body))
    }
}

/// Alipay does nothing in steps.
fn still_a_step(request: &Request) -> Answer {
    Answer::in_doubt(request, Doubt::new(DoubtKind::Malformed, "a step where an answer was due"))
}

/// A request that is signed and waits to be sent.
#[derive(Debug)]
pub struct Prepared {
    request: Request,
    http: Option<HttpRequest>,
    wall: Wall,
}

/// The innermost cause, without the address: it may hold a signature, and the log knows the channel anyway.
fn doubt_of(error: &reqwest::Error) -> Doubt {
    let kind = if error.is_connect() { DoubtKind::NoConnection } else { DoubtKind::NoReply };
    let mut cause = error.source();
    while let Some(deeper) = cause.and_then(Error::source) {
        cause = Some(deeper);
    }
    let timed_out = if error.is_timeout() { "timed out" } else { "no reply" };
    let detail = cause.map_or_else(|| timed_out.to_owned(), in_words);
    Doubt::new(kind, detail)
}

/// A server's certificate that is not valid today is more often a wrong clock than a wrong server.
fn in_words(cause: &(dyn Error + 'static)) -> String {
    let inner = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    let tls = inner.and_then(|inner| inner.downcast_ref()).or_else(|| cause.downcast_ref::<rustls::Error>());
    match tls {
        Some(rustls::Error::InvalidCertificate(
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. },
        )) => format!("{cause}. Nothing was sent; see whether this machine's clock is right"),
        _ => cause.to_string(),
    }
}

/// TLS by rustls and ring, trusting the roots that are built in and the extra ones.
pub(crate) fn tls(extra: Option<&str>) -> Result<rustls::ClientConfig, ClientError> {
    let mut roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for certificate in CertificateDer::pem_slice_iter(extra.unwrap_or_default().as_bytes()) {
        let certificate = certificate.map_err(|error| ClientError::Roots(error.to_string()))?;
        roots.add(certificate).map_err(|error| ClientError::Roots(error.to_string()))?;
    }
    let builder = rustls::ClientConfig::builder_with_provider(ring::default_provider().into());
    let builder = builder.with_safe_default_protocol_versions().map_err(|error| ClientError::Tls(error.to_string()))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::UnixTime;

    use super::*;

    fn refused(certificate: CertificateError) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, rustls::Error::InvalidCertificate(certificate))
    }

    #[test]
    fn a_certificate_of_another_time_points_to_the_clock() {
        let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let expired = CertificateError::ExpiredContext { time: at(4_100_000_000), not_after: at(1_800_000_000) };
        let early = CertificateError::NotValidYetContext { time: at(1_000), not_before: at(1_700_000_000) };
        for of_another_time in [expired, early, CertificateError::Expired, CertificateError::NotValidYet] {
            let words = in_words(&refused(of_another_time));
            assert!(words.ends_with("see whether this machine's clock is right"), "{words}");
        }
        let words = in_words(&refused(CertificateError::UnknownIssuer));
        assert_eq!(words, "invalid peer certificate: UnknownIssuer");
        assert_eq!(in_words(&io::Error::other("connection refused")), "connection refused");
    }
}
