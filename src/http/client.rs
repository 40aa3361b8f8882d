//! The HTTP clients: limits, trusted roots, and the certificate that some calls show.

use std::time::Duration;

use payment::redact::Secret;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore};

/// Limits and trust of the clients.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// To make a connection.
    pub connect: Duration,
    /// For a whole call: every host, step and key that it needs.
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

/// Why a certificate cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The certificate's text.
    #[error("the certificate is not PEM: {0}")]
    Certificate(String),
    /// The key's text.
    #[error("the private key is not PEM: {0}")]
    Key(String),
    /// They do not fit each other, or TLS cannot sign with the key.
    #[error("TLS cannot use the certificate with the private key: {0}")]
    Pair(String),
}

/// The merchant's own certificate and its key, for connections that must show it.
#[derive(Debug)]
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// From two PEM texts.
    ///
    /// # Errors
    ///
    /// [`IdentityError`] when one of them cannot be read, or they do not belong together.
    pub fn new(certificate: &str, key: &Secret<String>) -> Result<Self, IdentityError> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate.as_bytes()).collect();
        let chain = chain.map_err(|error| IdentityError::Certificate(error.to_string()))?;
        if chain.is_empty() {
            return Err(IdentityError::Certificate("there is none in it".to_owned()));
        }
        let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes());
        let key = key.map_err(|error| IdentityError::Key(error.to_string()))?;
        CertifiedKey::from_der(chain.clone(), key.clone_key(), &provider())
            .map_err(|error| IdentityError::Pair(error.to_string()))?;
        Ok(Self { chain, key })
    }
}

/// A client that keeps one unused connection to each host, for no longer than `idle`, and repeats nothing by itself.
pub(super) fn client(
    options: &ClientOptions,
    identity: Option<&Identity>,
    idle: Duration,
) -> Result<reqwest::Client, ClientError> {
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls_showing(options.extra_roots.as_deref(), identity)?)
        .connect_timeout(options.connect)
        .pool_idle_timeout(idle)
        .pool_max_idle_per_host(1)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .build()?;
    Ok(client)
}

/// TLS by rustls and ring, trusting the roots that are built in and the extra ones.
pub(crate) fn tls(extra: Option<&str>) -> Result<ClientConfig, ClientError> {
    tls_showing(extra, None)
}

fn tls_showing(extra: Option<&str>, identity: Option<&Identity>) -> Result<ClientConfig, ClientError> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for certificate in CertificateDer::pem_slice_iter(extra.unwrap_or_default().as_bytes()) {
        let certificate = certificate.map_err(|error| ClientError::Roots(error.to_string()))?;
        roots.add(certificate).map_err(|error| ClientError::Roots(error.to_string()))?;
    }
    let refused = |error: rustls::Error| ClientError::Tls(error.to_string());
    let builder = ClientConfig::builder_with_provider(provider().into());
    let builder = builder.with_safe_default_protocol_versions().map_err(refused)?.with_root_certificates(roots);
    match identity {
        None => Ok(builder.with_no_client_auth()),
        Some(Identity { chain, key }) => builder.with_client_auth_cert(chain.clone(), key.clone_key()).map_err(refused),
    }
}

fn provider() -> CryptoProvider {
    ring::default_provider()
}
