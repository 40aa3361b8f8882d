//! The merchant's settings, checked once at start so that a wrong one is a clear sentence and not a refused payment.

use thiserror::Error;

use super::aes;
use super::cert::{self, CertError, Certificate};
use crate::channel::keys::{KeyError, PrivateKey, PublicKey};
use crate::redact::Secret;

/// The settings of one Alipay application. Lengths are those of Alipay's parameter tables.
#[derive(Debug, Clone)]
pub struct Config {
    /// The gateway, such as `https://openapi.alipay.com/gateway.do`; no query.
    pub gateway_url: String,
    /// The application's number: digits, 16 of them today.
    pub app_id: String,
    /// Our private key: PEM (PKCS#1 or PKCS#8) or the bare Base64 of either.
    pub private_key: Secret<String>,
    /// What Alipay's answers are verified with.
    pub verify: Verify,
    /// A service provider's right to act for the merchant (40 characters).
    pub app_auth_token: Option<Secret<String>>,
    /// The receiving account, where it is not the contract's (28 characters).
    pub seller_id: Option<String>,
    /// Our own store code, as registered at Alipay (32 characters).
    pub store_id: Option<String>,
    /// Alipay's number of the store (32 characters).
    pub alipay_store_id: Option<String>,
    /// The sub-merchant's number (SMID) in indirect acquiring (间连) and 直付通, where a bank or a platform holds the
    /// contract (32 characters); not together with `seller_id`. Where the money settles follows the platform's default
    /// rule: a 直付通 contract without one wants `settle_info` with every trade, which Till does not send, and refuses
    /// with `ACQ.DEFAULT_SETTLE_RULE_NOT_EXIST`.
    pub smid: Option<String>,
    /// The machine's number (32 characters).
    pub terminal_id: Option<String>,
    /// The clerk (28 characters).
    pub operator_id: Option<String>,
    /// The contract's product, such as `FACE_TO_FACE_PAYMENT` (Alipay's default) or `QR_CODE_OFFLINE`.
    pub product_code: Option<String>,
    /// The service provider's PID, for its rebate (64 characters).
    pub sys_service_provider_id: Option<String>,
    /// Where Alipay posts its notices (256 characters).
    pub notify_url: Option<String>,
    /// Key for content encryption, the Base64 of 16 bytes.
    pub aes_key: Option<Secret<String>>,
    /// The only ways to pay, joined by commas; not together with the next.
    pub enable_pay_channels: Option<String>,
    /// The ways that may not pay, joined by commas.
    pub disable_pay_channels: Option<String>,
}

/// What Alipay's answers are verified with.
#[derive(Debug, Clone)]
pub enum Verify {
    /// Alipay's public key (not ours), PEM or bare Base64.
    PublicKey(String),
    /// The three certificate files, as PEM texts.
    Certificates {
        /// Ours, `appCertPublicKey_….crt`.
        app: String,
        /// Alipay's, `alipayCertPublicKey_RSA2.crt`.
        alipay: String,
        /// The roots, `alipayRootCert.crt`.
        root: String,
    },
}

/// One of the three certificate files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateFile {
    /// Ours.
    App,
    /// Alipay's.
    Alipay,
    /// The roots.
    Root,
}

impl std::fmt::Display for CertificateFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::App => "our application certificate (appCertPublicKey_….crt)",
            Self::Alipay => "Alipay's certificate (alipayCertPublicKey_RSA2.crt)",
            Self::Root => "the root certificates (alipayRootCert.crt)",
        })
    }
}

/// What is wrong with the settings, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SetupError {
    /// The gateway's address.
    #[error(
        "gateway_url {0:?} is not an http(s) address without query and blanks: in production it is https://openapi.alipay.com/gateway.do"
    )]
    GatewayUrl(String),
    /// The application's number.
    #[error("app_id {0:?} is not the 16 to 32 digits that Alipay's console shows for the application")]
    AppId(String),
    /// The merchant's number in place of the application's.
    #[error(
        "app_id {0:?} begins with 2088: that is a merchant's PID; the app_id stands beside the application's name in Alipay's console"
    )]
    PidForAppId(String),
    /// A text that is empty, too long, or has blanks or control characters in it.
    #[error("{name} must have 1 to {longest} characters and no blanks: correct it, or leave it out")]
    Field {
        /// The setting.
        name: &'static str,
        /// Characters allowed.
        longest: usize,
    },
    /// Two settings that exclude each other.
    #[error("enable_pay_channels and disable_pay_channels exclude each other: keep one")]
    BothChannelLists,
    /// The receiver of an indirect merchant is the sub-merchant.
    #[error(
        "smid and seller_id exclude each other: with a smid the money goes to the sub-merchant; leave seller_id out"
    )]
    SmidAndSeller,
    /// Our private key.
    #[error("our private key cannot be used: {0}")]
    PrivateKey(KeyError),
    /// Alipay's public key.
    #[error("Alipay's public key cannot be used: {0}")]
    AlipayKey(KeyError),
    /// Our own key where Alipay's belongs, the commonest mistake.
    #[error(
        "the key given as Alipay's is our own public key: take the one that the console shows as \"Alipay public key\" \
         after our key was uploaded"
    )]
    AlipayKeyIsOurs,
    /// One of the certificate files.
    #[error("{file} cannot be used: {problem}")]
    Certificate {
        /// Which.
        file: CertificateFile,
        /// Why.
        problem: CertError,
    },
    /// The application certificate belongs to another private key.
    #[error(
        "our application certificate is not for our private key: download the certificate that was made for this key"
    )]
    CertificateNotForKey,
    /// The key for content encryption.
    #[error("aes_key cannot be used: {0}")]
    AesKey(aes::NotAKey),
    /// A signature made with our key does not verify with its own public half.
    #[error("our private key signs what its own public half does not verify: make a new key")]
    SelfTest,
}

/// Settings that passed every check, with the keys loaded.
#[derive(Debug)]
pub(super) struct Setup {
    pub(super) config: Config,
    pub(super) key: PrivateKey,
    pub(super) mode: Mode,
    pub(super) aes: Option<aes::Key>,
}

/// How answers are verified.
#[derive(Debug)]
pub(super) enum Mode {
    PublicKey(PublicKey),
    Certificates(Box<Certificates>),
}

/// Certificate mode.
pub(super) struct Certificates {
    pub(super) app_sn: String,
    pub(super) root_sn: String,
    pub(super) alipay_sn: String,
    pub(super) alipay_key: PublicKey,
    /// Authorities that came along in the files; any chain may use them.
    pub(super) between: Vec<Certificate>,
    pub(super) roots: Vec<Certificate>,
}

impl std::fmt::Debug for Certificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "app {}, alipay {}, root {}", self.app_sn, self.alipay_sn, self.root_sn)
    }
}

impl Setup {
    pub(super) fn new(config: Config) -> Result<Self, SetupError> {
        check_texts(&config)?;
        let key = PrivateKey::load(config.private_key.expose()).map_err(SetupError::PrivateKey)?;
        key.works().then_some(()).ok_or(SetupError::SelfTest)?;
        let mode = match &config.verify {
            Verify::PublicKey(text) => Mode::PublicKey(alipay_key(text, &key)?),
            Verify::Certificates { app, alipay, root } => {
                Mode::Certificates(Box::new(Certificates::new(app, alipay, root, &key)?))
            }
        };
        let aes = config.aes_key.as_ref().map(|text| aes::Key::load(text.expose()));
        let aes = aes.transpose().map_err(SetupError::AesKey)?;
        Ok(Self { config, key, mode, aes })
    }
}

impl Certificates {
    fn new(app: &str, alipay: &str, root: &str, key: &PrivateKey) -> Result<Self, SetupError> {
        let (app, app_key, mut between) = leaf(CertificateFile::App, app)?;
        if app_key != key.public() {
            return Err(SetupError::CertificateNotForKey);
        }
        let (alipay, alipay_key, more) = leaf(CertificateFile::Alipay, alipay)?;
        if alipay_key == key.public() {
            return Err(SetupError::AlipayKeyIsOurs);
        }
        between.extend(more);
        let in_root = |problem| SetupError::Certificate { file: CertificateFile::Root, problem };
        Ok(Self {
            app_sn: app.serial_number(),
            root_sn: cert::root_serial_number(root).map_err(in_root)?,
            alipay_sn: alipay.serial_number(),
            alipay_key,
            between,
            roots: Certificate::read_all(root).map_err(in_root)?,
        })
    }
}

/// The first certificate of a file, its key, and the authorities behind it.
fn leaf(file: CertificateFile, text: &str) -> Result<(Certificate, PublicKey, Vec<Certificate>), SetupError> {
    let wrong = |problem| SetupError::Certificate { file, problem };
    let mut found = Certificate::read_all(text).map_err(wrong)?;
    let first = found.remove(0);
    let key = first.public_key().map_err(wrong)?;
    Ok((first, key, found))
}

fn alipay_key(text: &str, ours: &PrivateKey) -> Result<PublicKey, SetupError> {
    let key = PublicKey::load(text).map_err(SetupError::AlipayKey)?;
    if key == ours.public() {
        return Err(SetupError::AlipayKeyIsOurs);
    }
    Ok(key)
}

fn check_texts(config: &Config) -> Result<(), SetupError> {
    check_gateway(&config.gateway_url)?;
    check_app_id(&config.app_id)?;
    let token = config.app_auth_token.as_ref().map(|token| token.expose().as_str());
    for (name, text, longest) in [
        ("app_auth_token", token, 40),
        ("seller_id", config.seller_id.as_deref(), 28),
        ("store_id", config.store_id.as_deref(), 32),
        ("alipay_store_id", config.alipay_store_id.as_deref(), 32),
        ("smid", config.smid.as_deref(), 32),
        ("terminal_id", config.terminal_id.as_deref(), 32),
        ("operator_id", config.operator_id.as_deref(), 28),
        ("product_code", config.product_code.as_deref(), 64),
        ("sys_service_provider_id", config.sys_service_provider_id.as_deref(), 64),
        ("notify_url", config.notify_url.as_deref(), 256),
        ("enable_pay_channels", config.enable_pay_channels.as_deref(), 128),
        ("disable_pay_channels", config.disable_pay_channels.as_deref(), 128),
    ] {
        let fits = |text: &str| {
            (1..=longest).contains(&text.chars().count()) && !text.chars().any(|c| c.is_whitespace() || c.is_control())
        };
        if !text.is_none_or(fits) {
            return Err(SetupError::Field { name, longest });
        }
    }
    if config.enable_pay_channels.is_some() && config.disable_pay_channels.is_some() {
        return Err(SetupError::BothChannelLists);
    }
    if config.smid.is_some() && config.seller_id.is_some() {
        return Err(SetupError::SmidAndSeller);
    }
    Ok(())
}

fn check_gateway(url: &str) -> Result<(), SetupError> {
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let clean = |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#');
    match host {
        Some(host) if !host.is_empty() && !host.starts_with('/') && host.chars().all(clean) => Ok(()),
        _ => Err(SetupError::GatewayUrl(url.to_owned())),
    }
}

fn check_app_id(app_id: &str) -> Result<(), SetupError> {
    let digits = app_id.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || !(16..=32).contains(&app_id.len()) {
        return Err(SetupError::AppId(app_id.to_owned()));
    }
    if app_id.starts_with("2088") {
        return Err(SetupError::PidForAppId(app_id.to_owned()));
    }
    Ok(())
}
