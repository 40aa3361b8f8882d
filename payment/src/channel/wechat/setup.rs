//! The merchant's settings, checked once at start so that a wrong one is a clear sentence and not a refused payment.

use core::net::IpAddr;
use std::collections::BTreeMap;

use thiserror::Error;

use super::aead;
use super::cert::{CertError, Certificate};
use crate::channel::keys::{KeyError, PrivateKey, PublicKey};
use crate::redact::Secret;

/// What begins the number of a WeChat Pay public key.
pub const PUBLIC_KEY_PREFIX: &str = "PUB_KEY_ID_";

const LIMITS: [&str; 4] = ["no_credit", "no_debit", "no_balance", "balance_only"];

/// The settings of one WeChat Pay merchant. Lengths are those of WeChat Pay's parameter tables.
#[derive(Debug, Clone)]
pub struct Config {
    /// Our merchant number: 8 to 10 digits as a rule; the service provider's one in partner mode.
    pub mchid: String,
    /// The application bound to it, `wx` and 16 characters; the service provider's one in partner mode.
    pub appid: String,
    /// Whom a service provider collects for.
    pub sub_merchant: Option<SubMerchant>,
    /// `apiclient_key.pem`.
    pub private_key: Secret<String>,
    /// Which certificate belongs to the private key.
    pub certificate: MerchantCertificate,
    /// The 32 characters set in the merchant portal: opens notices and platform certificates.
    pub apiv3_key: Secret<String>,
    /// What WeChat Pay's answers are verified with.
    pub verify: Verify,
    /// The 32 characters of APIv2; needed for pay codes by [`CodePay::V2`].
    pub v2_key: Option<Secret<String>>,
    /// The interface that collects with the buyer's pay code.
    pub code_pay: CodePay,
    /// Where the calls go.
    pub hosts: Hosts,
    /// The machine and its place.
    pub store: Store,
    /// Where WeChat Pay posts its notices: https, no query, 255 characters. The API demands one for every order.
    pub notify_url: String,
    /// The discount mark (32 characters).
    pub goods_tag: Option<String>,
    /// Whether the money is frozen for sharing.
    pub profit_sharing: bool,
    /// `no_credit`, `no_debit`, `no_balance` or `balance_only`: for pay codes by v2 (`no_credit` only) and for the codes of a
    /// service provider; a direct merchant's codes cannot be limited.
    pub limit_pay: Option<String>,
    /// Delivery management of a mini-program, which wants to hear of deliveries; `None` is off.
    pub delivery: Option<Delivery>,
}

/// How deliveries are reported.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The mini-program's `appsecret`.
    pub appsecret: Secret<String>,
    /// Where the access token comes from.
    pub token: TokenCall,
}

/// The interface that gives an access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TokenCall {
    /// `POST /cgi-bin/stable_token`: several machines of one application share one token.
    #[default]
    Stable,
    /// `GET /cgi-bin/token`: every call makes the token of every other machine invalid. Only where a relay offers no other.
    Plain,
}

/// The merchant behind a service provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubMerchant {
    /// Its number.
    pub mchid: String,
    /// Its application, if it has one.
    pub appid: Option<String>,
}

/// The merchant API certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MerchantCertificate {
    /// Its serial number: 40 hex digits.
    Serial(String),
    /// `apiclient_cert.pem`: the number is read from it, and that it belongs to the key is checked.
    Pem(String),
}

/// What answers are verified with. Both kinds at once is right while a merchant moves from one to the other; neither means
/// that the platform certificate is fetched when the first answer names it.
#[derive(Debug, Clone, Default)]
pub struct Verify {
    /// The WeChat Pay public key.
    pub public_key: Option<WechatKey>,
    /// Platform certificates, as PEM texts.
    pub certificates: Vec<String>,
}

/// A WeChat Pay public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WechatKey {
    /// `PUB_KEY_ID_` and digits.
    pub id: String,
    /// `pub_key.pem`.
    pub pem: String,
}

/// The interface for pay codes. Sources disagree whether v3 has one; see docs/wechat.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CodePay {
    /// APIv2 micropay, orderquery and reverse: works for every merchant.
    #[default]
    V2,
    /// APIv3 codepay and reverse: needs the product to be open.
    V3,
}

/// Where the calls go: scheme, host and port, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts {
    /// The payment host.
    pub pay: String,
    /// Its second, tried with the same bytes.
    pub backup: Option<String>,
    /// The host of the mini-program interfaces.
    pub weixin: String,
}

impl Default for Hosts {
    fn default() -> Self {
        Self {
            pay: "https://api.mch.weixin.qq.com".to_owned(),
            backup: Some("https://api2.mch.weixin.qq.com".to_owned()),
            weixin: "https://api.weixin.qq.com".to_owned(),
        }
    }
}

/// The machine and its place, as orders name it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Store {
    /// The number that WeChat's store management gave (32 characters).
    pub id: Option<String>,
    /// The merchant's own number of the store (256 characters); v3 code pay takes it in place of `id`.
    pub out_id: Option<String>,
    /// Its name (256 characters).
    pub name: Option<String>,
    /// The national code of the district, 6 digits.
    pub area_code: Option<String>,
    /// Its address (512 characters).
    pub address: Option<String>,
    /// The machine's number (32 characters).
    pub device_id: Option<String>,
    /// The machine's address on the network, IPv4 or IPv6.
    pub terminal_ip: String,
}

/// What is wrong with the settings, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SetupError {
    /// A merchant number.
    #[error("{name} {value:?} is not the 8 to 32 digits that the merchant portal shows as merchant number")]
    Mchid {
        /// The setting.
        name: &'static str,
        /// As given.
        value: String,
    },
    /// An application's number.
    #[error(
        "{name} {value:?} is not wx and 16 letters and digits: take the AppID that is bound to the merchant number"
    )]
    Appid {
        /// The setting.
        name: &'static str,
        /// As given.
        value: String,
    },
    /// A text that is empty, too long, or has control characters in it.
    #[error("{name} must have 1 to {longest} characters: correct it, or leave it out")]
    Field {
        /// The setting.
        name: &'static str,
        /// Characters allowed.
        longest: usize,
    },
    /// One of the hosts.
    #[error("{name} {value:?} is not http(s):// and a host, without path, query and slash at the end")]
    Host {
        /// The setting.
        name: &'static str,
        /// As given.
        value: String,
    },
    /// Where notices go.
    #[error(
        "notify_url {0:?} must be a public https address of 255 characters at most, without query, not an IP address and \
         not localhost: WeChat Pay refuses orders without one, even if nobody listens there"
    )]
    NotifyUrl(String),
    /// The machine's address.
    #[error("terminal_ip {0:?} is not an IPv4 or IPv6 address")]
    TerminalIp(String),
    /// The district.
    #[error("store_area_code {0:?} is not the 6 digits of the national district code")]
    AreaCode(String),
    /// Ways to pay.
    #[error("limit_pay {0:?} is none of no_credit, no_debit, no_balance, balance_only")]
    LimitPay(String),
    /// A limit that a pay code cannot have.
    #[error("limit_pay {0:?} does not exist for pay codes: only no_credit does")]
    LimitPayForCodes(String),
    /// A limit that would limit nothing.
    #[error("limit_pay does nothing here: only pay codes by v2 and the codes of a service provider can be limited")]
    LimitPayNowhere,
    /// Our private key.
    #[error("our private key (private_key_file: apiclient_key.pem) cannot be used: {0}")]
    PrivateKey(KeyError),
    /// The certificate's number.
    #[error(
        "{0:?} is not the serial number of the merchant API certificate: it has 40 hex digits (openssl x509 -serial), and \
         it is neither a PUB_KEY_ID_ nor the number of the platform certificate"
    )]
    Serial(String),
    /// The merchant certificate.
    #[error("the merchant certificate (certificate_file: apiclient_cert.pem) cannot be used: {0}")]
    Certificate(CertError),
    /// The merchant certificate belongs to another private key.
    #[error("the merchant certificate is not for our private key: both must come from the same download")]
    CertificateNotForKey,
    /// The APIv3 key.
    #[error("the key of apiv3_key_file cannot be used: {0}")]
    Apiv3Key(aead::NotAKey),
    /// The APIv2 key.
    #[error(
        "the file of v2_key_file must hold the 32 letters and digits that were set as APIv2 key in the merchant portal"
    )]
    V2Key,
    /// Pay codes by v2 without its key.
    #[error(
        "pay codes by v2 need the APIv2 key: set v2_key_file, or code_pay = \"v3\" if WeChat Pay opened that product"
    )]
    NoV2Key,
    /// v3 code pay without a store.
    #[error("pay codes by v3 need the store: set store_id or store_out_id")]
    NoStore,
    /// The public key's number.
    #[error("{0:?} is not the number of a WeChat Pay public key: PUB_KEY_ID_ and digits, from the merchant portal")]
    PublicKeyId(String),
    /// The WeChat Pay public key.
    #[error("the WeChat Pay public key (public_key_file: pub_key.pem) cannot be used: {0}")]
    PublicKey(KeyError),
    /// A platform certificate.
    #[error("certificate {number} of platform_cert_files cannot be used: {problem}")]
    PlatformCertificate {
        /// Its place in the list, from 1.
        number: usize,
        /// Why.
        problem: CertError,
    },
    /// Our own key where WeChat Pay's belongs, the commonest mistake.
    #[error(
        "the key given as WeChat Pay's is our own: take pub_key.pem or the platform certificate, not apiclient_cert.pem"
    )]
    KeyIsOurs,
    /// A signature made with our key does not verify with its own public half.
    #[error("our private key signs what its own public half does not verify: make a new key")]
    SelfTest,
}

/// Settings that passed every check, with the keys loaded.
#[derive(Debug)]
pub(super) struct Setup {
    pub(super) config: Config,
    pub(super) key: PrivateKey,
    /// The number of the certificate that belongs to the key.
    pub(super) serial: String,
    pub(super) apiv3: aead::Key,
    /// WeChat Pay's keys by their number.
    pub(super) keys: BTreeMap<String, PublicKey>,
}

impl Setup {
    pub(super) fn new(config: Config) -> Result<Self, SetupError> {
        check_numbers(&config)?;
        check_texts(&config)?;
        check_hosts(&config.hosts)?;
        check_notify_url(&config.notify_url)?;
        check_code_pay(&config)?;
        let key = PrivateKey::load(config.private_key.expose()).map_err(SetupError::PrivateKey)?;
        key.works().then_some(()).ok_or(SetupError::SelfTest)?;
        let serial = serial(&config.certificate, &key)?;
        let apiv3 = aead::Key::load(config.apiv3_key.expose()).map_err(SetupError::Apiv3Key)?;
        let keys = wechat_keys(&config.verify, &key)?;
        Ok(Self { config, key, serial, apiv3, keys })
    }

    /// `&name=` and the number of the merchant behind the service provider, for a query; nothing where there is none.
    pub(super) fn sub_merchant(&self, name: &str) -> String {
        self.config.sub_merchant.as_ref().map(|sub| format!("&{name}={}", sub.mchid)).unwrap_or_default()
    }

    /// The APIv2 key; empty where none is needed.
    pub(super) fn v2_key(&self) -> &str {
        self.config.v2_key.as_ref().map_or("", |key| key.expose())
    }
}

fn serial(certificate: &MerchantCertificate, key: &PrivateKey) -> Result<String, SetupError> {
    match certificate {
        MerchantCertificate::Serial(text) => {
            let hex = text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            hex.then(|| text.to_ascii_uppercase()).ok_or_else(|| SetupError::Serial(text.clone()))
        }
        MerchantCertificate::Pem(text) => {
            let read = Certificate::read(text).map_err(SetupError::Certificate)?;
            if read.key != key.public() {
                return Err(SetupError::CertificateNotForKey);
            }
            Ok(read.serial)
        }
    }
}

fn wechat_keys(verify: &Verify, ours: &PrivateKey) -> Result<BTreeMap<String, PublicKey>, SetupError> {
    let mut keys = BTreeMap::new();
    if let Some(WechatKey { id, pem }) = &verify.public_key {
        let digits = id.strip_prefix(PUBLIC_KEY_PREFIX).unwrap_or_default();
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(SetupError::PublicKeyId(id.clone()));
        }
        keys.insert(id.clone(), PublicKey::load(pem).map_err(SetupError::PublicKey)?);
    }
    for (place, text) in verify.certificates.iter().enumerate() {
        let wrong = |problem| SetupError::PlatformCertificate { number: place + 1, problem };
        let read = Certificate::read(text).map_err(wrong)?;
        keys.insert(read.serial, read.key);
    }
    if keys.values().any(|key| *key == ours.public()) {
        return Err(SetupError::KeyIsOurs);
    }
    Ok(keys)
}

fn check_numbers(config: &Config) -> Result<(), SetupError> {
    check_mchid("mchid", &config.mchid)?;
    check_appid("appid", &config.appid)?;
    if let Some(sub) = &config.sub_merchant {
        check_mchid("sub_mchid", &sub.mchid)?;
        sub.appid.as_deref().map_or(Ok(()), |appid| check_appid("sub_appid", appid))?;
    }
    Ok(())
}

fn check_mchid(name: &'static str, value: &str) -> Result<(), SetupError> {
    let fits = (8..=32).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit());
    fits.then_some(()).ok_or_else(|| SetupError::Mchid { name, value: value.to_owned() })
}

fn check_appid(name: &'static str, value: &str) -> Result<(), SetupError> {
    let rest = value.strip_prefix("wx").unwrap_or_default();
    let fits = rest.len() == 16 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
    fits.then_some(()).ok_or_else(|| SetupError::Appid { name, value: value.to_owned() })
}

fn check_texts(config: &Config) -> Result<(), SetupError> {
    let store = &config.store;
    for (name, text, longest) in [
        ("goods_tag", config.goods_tag.as_deref(), 32),
        ("store_id", store.id.as_deref(), 32),
        ("store_out_id", store.out_id.as_deref(), 256),
        ("store_name", store.name.as_deref(), 256),
        ("store_address", store.address.as_deref(), 512),
        ("terminal.id", store.device_id.as_deref(), 32),
        ("delivery_secret_file", config.delivery.as_ref().map(|delivery| delivery.appsecret.expose().as_str()), 128),
    ] {
        let fits = |text: &str| {
            (1..=longest).contains(&text.chars().count())
                && !text.trim().is_empty()
                && !text.chars().any(char::is_control)
        };
        if !text.is_none_or(fits) {
            return Err(SetupError::Field { name, longest });
        }
    }
    if store.terminal_ip.parse::<IpAddr>().is_err() {
        return Err(SetupError::TerminalIp(store.terminal_ip.clone()));
    }
    let six_digits = |code: &String| code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit());
    store.area_code.iter().find(|code| !six_digits(code)).map_or(Ok(()), |code| Err(SetupError::AreaCode(code.clone())))
}

fn check_hosts(hosts: &Hosts) -> Result<(), SetupError> {
    let backup = hosts.backup.as_deref();
    for (name, value) in
        [("gateway_url", Some(hosts.pay.as_str())), ("backup_url", backup), ("weixin_url", Some(&hosts.weixin))]
    {
        if let Some(value) = value.filter(|value| !is_host(value)) {
            return Err(SetupError::Host { name, value: value.to_owned() });
        }
    }
    Ok(())
}

fn is_host(url: &str) -> bool {
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or_default();
    let clean = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']');
    !host.is_empty() && host.bytes().all(clean)
}

fn check_notify_url(url: &str) -> Result<(), SetupError> {
    let rest = url.strip_prefix("https://").unwrap_or_default();
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    let clean = url.len() <= 255 && url.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#[]@\"\\".contains(&byte));
    let public = host.contains('.') && host.parse::<IpAddr>().is_err() && !host.ends_with("localhost");
    (clean && public).then_some(()).ok_or_else(|| SetupError::NotifyUrl(url.to_owned()))
}

fn check_code_pay(config: &Config) -> Result<(), SetupError> {
    if let Some(limit) = &config.limit_pay {
        if !LIMITS.contains(&limit.as_str()) {
            return Err(SetupError::LimitPay(limit.clone()));
        }
        if config.code_pay == CodePay::V2 && limit != "no_credit" {
            return Err(SetupError::LimitPayForCodes(limit.clone()));
        }
        if config.code_pay == CodePay::V3 && config.sub_merchant.is_none() {
            return Err(SetupError::LimitPayNowhere);
        }
    }
    let is_key =
        |key: &Secret<String>| key.expose().len() == 32 && key.expose().bytes().all(|b| b.is_ascii_alphanumeric());
    if !config.v2_key.as_ref().is_none_or(is_key) {
        return Err(SetupError::V2Key);
    }
    match config.code_pay {
        CodePay::V2 if config.v2_key.is_none() => Err(SetupError::NoV2Key),
        CodePay::V3 if config.store.id.is_none() && config.store.out_id.is_none() => Err(SetupError::NoStore),
        CodePay::V2 | CodePay::V3 => Ok(()),
    }
}
