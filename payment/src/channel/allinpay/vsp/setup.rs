//! The merchant's settings, checked once at start so that a wrong one is a clear sentence and not a refused payment.

use thiserror::Error;

use super::rsa;
use super::sign::Keys;
use crate::channel::Wallet;
use crate::channel::allinpay::sm2;
use crate::redact::Secret;

/// The settings of one VSP application. Lengths are those of reference/allinpay.md 2.1 and 2.3.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where payments go, such as `https://vsp.allinpay.com/apiweb`; no slash at its end.
    pub base_url: String,
    /// Where statements and terminal filing go, such as `https://cus.allinpay.com/cusapi`; no slash at its end.
    pub statement_base_url: String,
    /// The merchant's number, 15 digits.
    pub cusid: String,
    /// The group's or agent's number, where there is one (15 digits); not the merchant's own.
    pub orgid: Option<String>,
    /// The application's number, 8 characters.
    pub appid: String,
    /// The interface's version: `11` in what is current, `12` in some older calls.
    pub version: String,
    /// How requests are signed and answers verified.
    pub sign_type: SignType,
    /// The machine, as it was filed with the clearing houses.
    pub terminal: Terminal,
    /// Where Allinpay posts its notices (256 characters).
    pub notify_url: Option<String>,
    /// `no_credit` to take no credit cards (32 characters).
    pub limit_pay: Option<String>,
    /// What kind of codes the machine shows: it decides how they are closed.
    pub shown: Shown,
    /// The pay type that makes each wallet's own code.
    pub pay_types: PayTypes,
    /// Under which folder the calls are that have moved over the years.
    pub folders: Folders,
    /// The longest that a shown code may be paid, in minutes, 1 to 120; an offer's own time when that is shorter.
    pub longest_valid_minutes: u32,
}

impl Config {
    /// Allinpay's production and the defaults, for this merchant, application and filed terminal number.
    #[must_use]
    pub fn new(cusid: &str, appid: &str, terminal_number: &str, sign_type: SignType) -> Self {
        Self {
            base_url: "https://vsp.allinpay.com/apiweb".to_owned(),
            statement_base_url: "https://cus.allinpay.com/cusapi".to_owned(),
            cusid: cusid.to_owned(),
            orgid: None,
            appid: appid.to_owned(),
            version: "11".to_owned(),
            sign_type,
            terminal: Terminal::new(terminal_number),
            notify_url: None,
            limit_pay: None,
            shown: Shown::default(),
            pay_types: PayTypes::default(),
            folders: Folders::default(),
            longest_valid_minutes: 120,
        }
    }
}

/// How requests are signed and answers verified. Key texts are PEM or bare Base64.
#[derive(Debug, Clone)]
pub enum SignType {
    /// One key that both sides know.
    Md5 {
        /// The application's key, as the VSP portal shows it.
        app_key: Secret<String>,
    },
    /// SHA1withRSA.
    Rsa {
        /// Ours (PKCS#8 or PKCS#1).
        private_key: Secret<String>,
        /// Allinpay's public key, 1024 bits.
        allinpay_key: String,
    },
    /// SM3withSM2.
    Sm2 {
        /// Ours (PKCS#8).
        private_key: Secret<String>,
        /// Allinpay's public key.
        allinpay_key: String,
    },
}

/// The machine as a payment terminal (`terminfo`). Allinpay refuses numbers that were not filed before.
#[derive(Debug, Clone)]
pub struct Terminal {
    /// Its kind in the national list: `10` a terminal that takes pay codes, `01` multimedia self-service, `11` an aid.
    pub device_type: String,
    /// Its number, 8 characters.
    pub number: String,
    /// The maker's serial number (50 characters).
    pub serial: Option<String>,
    /// Its address in the network (64 characters).
    pub ip: Option<String>,
    /// Degrees of longitude as text, such as `+121.48352` (16 characters).
    pub longitude: Option<String>,
    /// Degrees of latitude as text (16 characters).
    pub latitude: Option<String>,
    /// Where it stands, for filing (province-city-district-street in Allinpay's form, 256 characters).
    pub address: Option<String>,
    /// Its state, for filing, in Allinpay's code (8 characters); left out when unset.
    pub state: Option<String>,
}

impl Terminal {
    /// A terminal that takes pay codes (kind `10`), of this number.
    #[must_use]
    pub fn new(number: &str) -> Self {
        Self {
            device_type: "10".to_owned(),
            number: number.to_owned(),
            serial: None,
            ip: None,
            longitude: None,
            latitude: None,
            address: None,
            state: None,
        }
    }
}

/// What kind of codes the machine shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shown {
    /// One code for all wallets (`nativepay`), closed by `closenative`.
    #[default]
    OneCode,
    /// One code for each wallet (`pay`), closed by `close`.
    CodePerWallet,
}

/// The pay type of each wallet's own code (reference/allinpay.md 2.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayTypes {
    /// `A01`.
    pub alipay: String,
    /// `W01`.
    pub wechat: String,
    /// `U01`.
    pub union_pay: String,
    /// `S01`, or `S03` where the contract says so.
    pub ecny: String,
}

impl Default for PayTypes {
    fn default() -> Self {
        Self { alipay: "A01".into(), wechat: "W01".into(), union_pay: "U01".into(), ecny: "S01".into() }
    }
}

impl PayTypes {
    pub(super) fn of(&self, wallet: Wallet) -> &str {
        match wallet {
            Wallet::Alipay => &self.alipay,
            Wallet::Wechat => &self.wechat,
            Wallet::UnionPay => &self.union_pay,
            Wallet::Ecny => &self.ecny,
        }
    }
}

/// The first part of a call's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folder {
    /// `/unitorder/…`.
    Unitorder,
    /// `/tranx/…`.
    Tranx,
}

impl Folder {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Unitorder => "unitorder",
            Self::Tranx => "tranx",
        }
    }
}

/// Calls that sources put under different folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Folders {
    /// Of `query`: `tranx`, formerly `unitorder`.
    pub query: Folder,
    /// Of `cancel`: `tranx`, formerly `unitorder`.
    pub cancel: Folder,
    /// Of `refund`: `tranx`, formerly `unitorder`.
    pub refund: Folder,
    /// Of `close`: sources disagree; `unitorder` in the more careful one.
    pub close: Folder,
}

impl Default for Folders {
    fn default() -> Self {
        Self { query: Folder::Tranx, cancel: Folder::Tranx, refund: Folder::Tranx, close: Folder::Unitorder }
    }
}

/// What is wrong with the settings, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SetupError {
    /// One of the addresses.
    #[error("{name} {url:?} is not an http(s) address without query, blanks and a slash at its end")]
    Url {
        /// The setting.
        name: &'static str,
        /// What it says.
        url: String,
    },
    /// A number of the wrong shape.
    #[error("{name} {found:?} is not {wanted}, as the VSP portal shows it")]
    Number {
        /// The setting.
        name: &'static str,
        /// What it says.
        found: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// The same number twice, a mistake that fails for every merchant of a group.
    #[error("orgid is the merchant's own number: it is the group's, or is left out where there is no group")]
    OrgidIsCusid,
    /// A text that is empty, too long, or has control characters in it.
    #[error("{name} must have 1 to {longest} characters, no blanks at its ends: correct it, or leave it out")]
    Field {
        /// The setting.
        name: &'static str,
        /// Characters allowed.
        longest: usize,
    },
    /// The time of a code.
    #[error("longest_valid_minutes {0} is not 1 to 120: WeChat codes live two hours at most")]
    ValidMinutes(u32),
    /// The MD5 key.
    #[error("the app key must have 8 to 128 ASCII characters and no blanks: copy it again from the VSP portal")]
    AppKey,
    /// Our RSA key.
    #[error("our private key cannot be used: {0}")]
    RsaPrivateKey(rsa::KeyError),
    /// Allinpay's RSA key.
    #[error("Allinpay's public key cannot be used: {0}")]
    RsaAllinpayKey(rsa::KeyError),
    /// Our SM2 key.
    #[error("our private key cannot be used: {0}")]
    Sm2PrivateKey(sm2::KeyError),
    /// Allinpay's SM2 key.
    #[error("Allinpay's public key cannot be used: {0}")]
    Sm2AllinpayKey(sm2::KeyError),
    /// Our own key where Allinpay's belongs.
    #[error("the key given as Allinpay's is our own public key: download Allinpay's from the VSP portal")]
    AllinpayKeyIsOurs,
    /// The key signs and does not verify.
    #[error("our private key signs what its public half does not verify: copy it again, whole")]
    SelfTest,
}

/// Checked settings with their keys.
#[derive(Debug)]
pub(super) struct Setup {
    pub(super) config: Config,
    pub(super) keys: Keys,
}

impl Setup {
    pub(super) fn new(config: Config) -> Result<Self, SetupError> {
        check_url("base_url", &config.base_url)?;
        check_url("statement_base_url", &config.statement_base_url)?;
        check_numbers(&config)?;
        check_texts(&config)?;
        if !(1..=120).contains(&config.longest_valid_minutes) {
            return Err(SetupError::ValidMinutes(config.longest_valid_minutes));
        }
        let keys = Keys::load(&config.sign_type)?;
        Ok(Self { config, keys })
    }
}

fn check_url(name: &'static str, url: &str) -> Result<(), SetupError> {
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let clean = |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '@');
    match host {
        Some(host) if !host.is_empty() && !host.starts_with('/') && !host.ends_with('/') && host.chars().all(clean) => {
            Ok(())
        }
        _ => Err(SetupError::Url { name, url: url.to_owned() }),
    }
}

fn check_numbers(config: &Config) -> Result<(), SetupError> {
    let number = |name, text: &str, lengths: std::ops::RangeInclusive<usize>, digits: bool, wanted| {
        let allowed = |byte: u8| byte.is_ascii_digit() || (!digits && byte.is_ascii_alphanumeric());
        let fits = lengths.contains(&text.len()) && text.bytes().all(allowed);
        fits.then_some(()).ok_or_else(|| SetupError::Number { name, found: text.to_owned(), wanted })
    };
    number("cusid", &config.cusid, 15..=15, true, "15 digits")?;
    number("appid", &config.appid, 1..=8, false, "up to 8 letters and digits")?;
    number("version", &config.version, 2..=2, true, "two digits")?;
    number("terminal number", &config.terminal.number, 8..=8, false, "8 letters and digits")?;
    number("device_type", &config.terminal.device_type, 2..=2, true, "two digits")?;
    for wallet in [Wallet::Alipay, Wallet::Wechat, Wallet::UnionPay, Wallet::Ecny] {
        number("pay type", config.pay_types.of(wallet), 3..=3, false, "a letter and two digits")?;
    }
    if let Some(orgid) = &config.orgid {
        number("orgid", orgid, 1..=15, true, "up to 15 digits")?;
        if *orgid == config.cusid {
            return Err(SetupError::OrgidIsCusid);
        }
    }
    Ok(())
}

fn check_texts(config: &Config) -> Result<(), SetupError> {
    let terminal = &config.terminal;
    for (name, text, longest) in [
        ("notify_url", &config.notify_url, 256),
        ("limit_pay", &config.limit_pay, 32),
        ("serial", &terminal.serial, 50),
        ("ip", &terminal.ip, 64),
        ("longitude", &terminal.longitude, 16),
        ("latitude", &terminal.latitude, 16),
        ("address", &terminal.address, 256),
        ("state", &terminal.state, 8),
    ] {
        let fits = |text: &str| {
            (1..=longest).contains(&text.chars().count()) && text.trim() == text && !text.chars().any(char::is_control)
        };
        if !text.as_deref().is_none_or(fits) {
            return Err(SetupError::Field { name, longest });
        }
    }
    Ok(())
}
