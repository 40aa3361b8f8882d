//! The operator's settings, checked once at start so that a wrong one is a clear sentence and not a refused payment.

use thiserror::Error;

use super::codes::{CodeRule, OK, PENDING};
use super::sm4;
use super::split::{self, SplitError, SplitPart};
use crate::channel::Wallet;
use crate::channel::allinpay::sm2::{KeyError, PrivateKey, PublicKey};
use crate::redact::Secret;

/// The settings of one 云商通 application. Lengths are those of reference/allinpay.md where it knows them.
#[derive(Debug, Clone)]
pub struct Config {
    /// The service, such as `https://ibsapi.allinpay.com/yst-service-api`; no query, no slash at its end.
    pub base_url: String,
    /// The application's number: 20 digits today.
    pub app_id: String,
    /// The service provider's number, when one acts for the application.
    pub sp_app_id: Option<String>,
    /// Our SM2 private key: PKCS#8, PEM or bare Base64.
    pub private_key: Secret<String>,
    /// Allinpay's SM2 public key (not ours), PEM or bare Base64.
    pub allinpay_key: String,
    /// The `secretKey` for sensitive fields, 32 hexadecimal characters. Payments need none.
    pub secret_key: Option<Secret<String>>,
    /// The member who gets the money (`receiverSignNum`).
    pub receiver: String,
    /// The VSP merchant number behind it (`vspCusid`).
    pub cusid: String,
    /// The VSP group merchant number, for terminal filing (`orgId`).
    pub orgid: Option<String>,
    /// How money is collected.
    pub trade: TradeKind,
    /// The names of the pay modes.
    pub modes: PayModes,
    /// How `payMode` holds its fields.
    pub pay_mode_form: PayModeForm,
    /// How amounts are written.
    pub amount_form: AmountForm,
    /// With which call a payment is asked after.
    pub ask_by: AskBy,
    /// `limitPay`, such as `no_credit`. An empty text is sent as such.
    pub limit_pay: Option<String>,
    /// Who else gets a part.
    pub split: Vec<SplitPart>,
    /// What is said of the goods.
    pub goods: GoodsFields,
    /// The machine, as it was filed.
    pub terminal: Terminal,
    /// Where Allinpay posts its notices (`respUrl`).
    pub notify_url: Option<String>,
    /// A text that comes back in answers and statements (`extendParams`); no `|`.
    pub extend_params: Option<String>,
    /// What the contract documents say about codes that are in no public list.
    pub codes: Vec<CodeRule>,
}

/// How money is collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TradeKind {
    /// 消费 (2085): the payee has the money at once.
    Consume,
    /// 担保消费 (2089): Allinpay holds the money until it is confirmed.
    Guaranteed,
}

/// The names of the pay modes, by whose code is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayModes {
    /// For a code on our screen.
    pub shown: Vec<(Wallet, String)>,
    /// Whose code is shown when the order does not say.
    pub usual: Wallet,
    /// For the buyer's pay code, of all wallets.
    pub taken: String,
}

impl Default for PayModes {
    /// Those of the documents.
    fn default() -> Self {
        let shown =
            [(Wallet::Wechat, "SCAN_WEIXIN"), (Wallet::Alipay, "SCAN_ALIPAY"), (Wallet::UnionPay, "SCAN_UNIONPAY")];
        Self {
            shown: shown.map(|(wallet, mode)| (wallet, mode.to_owned())).into(),
            usual: Wallet::Wechat,
            taken: "CODEPAY_VSP".to_owned(),
        }
    }
}

impl PayModes {
    /// The mode for a shown code of `wallet`. Where that has none it is empty, which Allinpay refuses: another wallet's code
    /// under its name would be worse.
    pub(super) fn shown(&self, wallet: Option<Wallet>) -> &str {
        let wanted = wallet.unwrap_or(self.usual);
        let found = self.shown.iter().find(|(known, _)| *known == wanted);
        found.map(|(_, mode)| mode.as_str()).unwrap_or_default()
    }
}

/// How `payMode` holds the fields of its mode: public clients do it both ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PayModeForm {
    /// As an object.
    #[default]
    Object,
    /// As a JSON text.
    Text,
}

/// How amounts are written: public clients do it both ways. Answers are read in either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AmountForm {
    /// As a number of fen.
    #[default]
    Number,
    /// As a text of fen.
    Text,
}

/// With which call a payment is asked after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AskBy {
    /// 3001, the order's state.
    #[default]
    State,
    /// 3002, its details: by public clients only this one tells the channel's numbers.
    Detail,
}

/// What is said of the goods besides their name. Absent ones are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GoodsFields {
    /// `goodsDesc`.
    pub description: Option<String>,
    /// `industryCode`.
    pub industry_code: Option<String>,
    /// `industryName`.
    pub industry_name: Option<String>,
    /// `txDistrictCode`, where the trade takes place.
    pub district_code: Option<String>,
    /// `summary`.
    pub summary: Option<String>,
    /// `goodsType`, for guaranteed payments.
    pub goods_type: Option<String>,
    /// `bizGoodsNo`, for guaranteed payments.
    pub goods_no: Option<String>,
}

/// The machine, as it is filed at the wallets (终端报备).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terminal {
    /// `termNo`: 8 characters, filed before the first pay code is taken.
    pub number: String,
    /// `deviceType`: 10 in all samples (条码支付受理终端).
    pub device_type: String,
    /// Its serial number.
    pub serial: Option<String>,
    /// Where it stands.
    pub address: Option<String>,
    /// Its longitude.
    pub longitude: Option<String>,
    /// Its latitude.
    pub latitude: Option<String>,
    /// Its network address.
    pub ip: Option<String>,
    /// Its state, for filing (`termState`), in Allinpay's code; left out when unset.
    pub state: Option<String>,
    /// The version of its program.
    pub app_version: Option<String>,
}

/// What is wrong with the settings, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SetupError {
    /// The service's address.
    #[error(
        "base_url {0:?} is not an http(s) address without query, blanks and slash at its end: in production it is https://ibsapi.allinpay.com/yst-service-api"
    )]
    BaseUrl(String),
    /// A number that is none.
    #[error("{name} must be {shortest} to {longest} digits, as the portal shows it")]
    Number {
        /// The setting.
        name: &'static str,
        /// Digits at least.
        shortest: usize,
        /// Digits at most.
        longest: usize,
    },
    /// A text that is empty, too long, or has control characters or a `|` in it.
    #[error(
        "{name} must have 1 to {longest} characters, without | and control characters: correct it, or leave it out"
    )]
    Field {
        /// The setting.
        name: &'static str,
        /// Characters allowed.
        longest: usize,
    },
    /// Where notices go.
    #[error("notify_url {0:?} is not an http(s) address without #")]
    NotifyUrl(String),
    /// The wallet whose code is usually shown has no mode.
    #[error("no pay mode is set for the wallet whose code is usually shown ({0})")]
    NoUsualMode(&'static str),
    /// A code with a meaning of its own, or one with two.
    #[error("the code {0:?} cannot be given a meaning: it is empty, stands twice, or has a fixed one")]
    Code(String),
    /// The split rule.
    #[error("the split rule cannot be used: {0}")]
    Split(#[from] SplitError),
    /// Our private key.
    #[error("our private key cannot be used: {0}")]
    PrivateKey(KeyError),
    /// Allinpay's public key.
    #[error("Allinpay's public key cannot be used: {0}")]
    AllinpayKey(KeyError),
    /// Our own key where Allinpay's belongs.
    #[error("the key given as Allinpay's is our own public key: download Allinpay's from the portal")]
    AllinpayKeyIsOurs,
    /// The key for sensitive fields.
    #[error("secret_key cannot be used: {0}")]
    SecretKey(sm4::NotAKey),
}

/// Settings that passed every check, with the keys loaded.
#[derive(Debug)]
pub(super) struct Setup {
    pub(super) config: Config,
    pub(super) key: PrivateKey,
    pub(super) allinpay: PublicKey,
    pub(super) sm4: Option<sm4::Key>,
}

impl Setup {
    pub(super) fn new(config: Config) -> Result<Self, SetupError> {
        check_url(&config.base_url)?;
        check_numbers(&config)?;
        check_texts(&config)?;
        check_notify_url(config.notify_url.as_deref())?;
        check_modes(&config.modes)?;
        check_codes(&config.codes)?;
        split::check(&config.split, &config.receiver)?;
        let key = PrivateKey::load(config.private_key.expose()).map_err(SetupError::PrivateKey)?;
        let allinpay = PublicKey::load(&config.allinpay_key).map_err(SetupError::AllinpayKey)?;
        if allinpay == key.public() {
            return Err(SetupError::AllinpayKeyIsOurs);
        }
        let sm4 = config.secret_key.as_ref().map(|text| sm4::Key::load(text.expose()));
        let sm4 = sm4.transpose().map_err(SetupError::SecretKey)?;
        Ok(Self { config, key, allinpay, sm4 })
    }
}

fn check_url(url: &str) -> Result<(), SetupError> {
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let clean = |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#');
    match host {
        Some(host) if !host.is_empty() && !host.starts_with('/') && !host.ends_with('/') && host.chars().all(clean) => {
            Ok(())
        }
        _ => Err(SetupError::BaseUrl(url.to_owned())),
    }
}

fn check_numbers(config: &Config) -> Result<(), SetupError> {
    for (name, text, shortest, longest) in [
        ("app_id", Some(config.app_id.as_str()), 8, 32),
        ("sp_app_id", config.sp_app_id.as_deref(), 8, 32),
        ("cusid", Some(config.cusid.as_str()), 15, 15),
        ("orgid", config.orgid.as_deref(), 15, 15),
        ("terminal.device_type", Some(config.terminal.device_type.as_str()), 2, 2),
    ] {
        let fits =
            |text: &str| (shortest..=longest).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if !text.is_none_or(fits) {
            return Err(SetupError::Number { name, shortest, longest });
        }
    }
    Ok(())
}

fn check_texts(config: &Config) -> Result<(), SetupError> {
    let (goods, terminal) = (&config.goods, &config.terminal);
    let limit_pay = config.limit_pay.as_deref().filter(|text| !text.is_empty());
    let fixed = [
        ("receiver", Some(config.receiver.as_str()), 64),
        ("limit_pay", limit_pay, 64),
        ("notify_url", config.notify_url.as_deref(), 256),
        ("extend_params", config.extend_params.as_deref(), 200),
        ("goods.description", goods.description.as_deref(), 100),
        ("goods.industry_code", goods.industry_code.as_deref(), 32),
        ("goods.industry_name", goods.industry_name.as_deref(), 64),
        ("goods.district_code", goods.district_code.as_deref(), 32),
        ("goods.summary", goods.summary.as_deref(), 50),
        ("goods.goods_type", goods.goods_type.as_deref(), 32),
        ("goods.goods_no", goods.goods_no.as_deref(), 64),
        ("terminal.number", Some(terminal.number.as_str()), 8),
        ("terminal.serial", terminal.serial.as_deref(), 64),
        ("terminal.address", terminal.address.as_deref(), 256),
        ("terminal.longitude", terminal.longitude.as_deref(), 16),
        ("terminal.latitude", terminal.latitude.as_deref(), 16),
        ("terminal.ip", terminal.ip.as_deref(), 64),
        ("terminal.state", terminal.state.as_deref(), 8),
        ("terminal.app_version", terminal.app_version.as_deref(), 32),
    ];
    let parts = config.split.iter().flat_map(|part| {
        [("split.sign_num", Some(part.sign_num.as_str()), 64), ("split.remark", part.remark.as_deref(), 64)]
    });
    for (name, text, longest) in fixed.into_iter().chain(parts) {
        if !text.is_none_or(|text| is_text(text, longest)) {
            return Err(SetupError::Field { name, longest });
        }
    }
    Ok(())
}

fn is_text(text: &str, longest: usize) -> bool {
    let clean = |c: char| !c.is_control() && c != '|';
    (1..=longest).contains(&text.chars().count()) && text.trim() == text && text.chars().all(clean)
}

/// Generation 1 allowed no `#`, and nothing says that this one does.
fn check_notify_url(url: Option<&str>) -> Result<(), SetupError> {
    let clean = |url: &str| url.starts_with("http") && url.chars().all(|c| c.is_ascii_graphic() && c != '#');
    match url.filter(|url| !clean(url)) {
        Some(url) => Err(SetupError::NotifyUrl(url.to_owned())),
        None => Ok(()),
    }
}

fn check_modes(modes: &PayModes) -> Result<(), SetupError> {
    let names = modes.shown.iter().map(|(_, mode)| mode).chain([&modes.taken]);
    let word = |name: &String| {
        (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    if !names.into_iter().all(word) {
        return Err(SetupError::Field { name: "modes", longest: 64 });
    }
    let usual = modes.shown.iter().any(|(wallet, _)| *wallet == modes.usual);
    usual.then_some(()).ok_or(SetupError::NoUsualMode(modes.usual.name()))
}

fn check_codes(codes: &[CodeRule]) -> Result<(), SetupError> {
    for (place, rule) in codes.iter().enumerate() {
        let twice = codes[..place].iter().any(|known| known.code == rule.code);
        if twice || rule.code.is_empty() || [OK, PENDING].contains(&rule.code.as_str()) {
            return Err(SetupError::Code(rule.code.clone()));
        }
    }
    Ok(())
}
