//! HTTP to the daemon over its Unix socket.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use rustls::crypto::ring::default_provider;
use rustls::{ClientConfig, RootCertStore};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Exit, Failure};

/// Longer than the daemon takes to give up by itself.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// Longer than any order is open in front of somebody who waits for it.
const STREAM_LIMIT: Duration = Duration::from_secs(24 * 3_600);

/// The daemon's API.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    socket: PathBuf,
}

impl Client {
    /// A client of the daemon that listens at `socket`. Connects with the first request.
    pub(super) fn new(socket: PathBuf) -> Result<Self, Failure> {
        let http = tls().and_then(|tls| {
            let builder = reqwest::Client::builder().unix_socket(socket.as_path()).tls_backend_preconfigured(tls);
            builder.timeout(ANSWER_LIMIT).build().map_err(|error| error.to_string())
        });
        match http {
            Ok(http) => Ok(Self { http, socket }),
            Err(why) => Err(Failure::other(Exit::Refused, format!("the HTTP client does not start ({why})"))),
        }
    }

    /// Where the daemon should be.
    pub(super) fn socket(&self) -> &Path {
        &self.socket
    }

    /// `GET`, with the answer as it came and as what it means.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<(T, Value), Failure> {
        understood(&self.read(self.request(Method::GET, path)).await?)
    }

    /// `GET` with parameters; those without a value are left out.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: &[(&str, Option<String>)],
    ) -> Result<(T, Value), Failure> {
        let given = parameters.iter().filter_map(|(name, value)| Some(format!("{name}={}", escaped(value.as_ref()?))));
        let query: Vec<String> = given.collect();
        self.get(&format!("{path}?{}", query.join("&"))).await
    }

    /// `POST` of a body, under a key where repeating it must be harmless.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
        key: Option<&str>,
    ) -> Result<(T, Value), Failure> {
        let mut request = self.request(Method::POST, path);
        request = request.header("content-type", "application/json").body(body.to_string());
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        understood(&self.read(request).await?)
    }

    /// A request without a body.
    pub(super) async fn call<T: DeserializeOwned>(&self, method: Method, path: &str) -> Result<(T, Value), Failure> {
        understood(&self.read(self.request(method, path)).await?)
    }

    /// `GET` of bytes.
    pub(super) async fn bytes(&self, path: &str) -> Result<Vec<u8>, Failure> {
        self.read(self.request(Method::GET, path)).await
    }

    /// The journal's entries from now on, to look again when something happened.
    pub(super) async fn entries(&self) -> Result<Entries<'_>, Failure> {
        let stream = self.send(self.request(Method::GET, "/v1/events").timeout(STREAM_LIMIT)).await?;
        Ok(Entries { client: self, stream })
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        // The socket decides who answers; the name only fills the Host header.
        self.http.request(method, format!("http://till{path}"))
    }

    async fn read(&self, request: RequestBuilder) -> Result<Vec<u8>, Failure> {
        let response = self.send(request).await?;
        let bytes = response.bytes().await.map_err(|error| self.unreachable(&error))?;
        Ok(bytes.to_vec())
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let bytes = response.bytes().await.map_err(|error| self.unreachable(&error))?;
        match serde_json::from_slice(&bytes) {
            Ok(problem) => Err(Failure::Problem { problem: Box::new(problem) }),
            Err(_) => Err(Failure::Answer(format!("status {status} without a problem document"))),
        }
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        let mut why = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(deeper) = source {
            why = deeper.to_string();
            source = deeper.source();
        }
        Failure::Unreachable { socket: self.socket.clone(), why }
    }
}

/// An answer as what it means and as it came. Not part of [`Client::read`]: that is in the program once, this for each `T`.
fn understood<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, Value), Failure> {
    let read = serde_json::from_slice(bytes).and_then(|meaning| Ok((meaning, serde_json::from_slice(bytes)?)));
    read.map_err(|error| Failure::Answer(error.to_string()))
}

/// The daemon's event stream.
pub(super) struct Entries<'c> {
    client: &'c Client,
    stream: Response,
}

impl Entries<'_> {
    /// Waits for something to happen. The stream's keep-alives count too: then nothing did, and looking again is harmless.
    pub(super) async fn next(&mut self) -> Result<(), Failure> {
        match self.stream.chunk().await {
            Ok(Some(_)) => Ok(()),
            Ok(None) => {
                Err(Failure::other(Exit::Unreachable, "the daemon stopped; `till order` tells how the order stands"))
            }
            Err(error) => Err(self.client.unreachable(&error)),
        }
    }
}

/// One part of an address or one value of a query, escaped.
pub(super) fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// The HTTP library wants a TLS set-up even for a socket: this one trusts nobody, and is never used.
fn tls() -> Result<ClientConfig, String> {
    let builder = ClientConfig::builder_with_provider(default_provider().into()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| error.to_string())?;
    Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}
