//! `[channels.alipay]`: reads the key files, has the channel check them, and puts its answer at the right key.

use payment::channel::alipay::aes;
use payment::channel::alipay::cert::Certificate;
use payment::channel::alipay::{Alipay, CertificateFile, Config, SetupError, Verify};
use payment::channel::keys::{PrivateKey, PublicKey};
use payment::redact::Secret;

use super::check::Checker;
use super::checked::TerminalConfig;
use super::gateway::{self, Gateway};
use super::keys::{self, Readers};
use super::raw::{self, Written};
use super::source::{At, closest};
use crate::http::{Adapter, Channel};

/// The ways to pay that Alipay can switch on and off (reference/alipay.md 5.14).
const WAYS_TO_PAY: &[&str] = &[
    "balance",
    "moneyFund",
    "bankPay",
    "debitCardExpress",
    "creditCardExpress",
    "creditCardCartoon",
    "creditCard",
    "cartoon",
    "pcredit",
    "pcreditpayInstallment",
    "credit_group",
    "coupon",
    "point",
    "promotion",
    "voucher",
    "mdiscount",
    "honeyPay",
    "mcard",
    "pcard",
];

/// Those of them that lend.
const HUABEI: &[&str] = &["pcredit", "pcreditpayInstallment", "credit_group"];

/// A number that passes, to go on checking after a wrong one was reported.
const ANY_APP_ID: &str = "1000000000000000";

const KEY_ADVICE: &str =
    "use PEM or the bare Base64 from Alipay's key tool; docs/configuration.md says which file is which";

/// A key of the section that names a file.
struct KeyFile {
    at: At,
    /// Whether the key is written.
    is_named: bool,
    /// The file's text; none when it could not be read, which is reported already.
    text: Option<String>,
}

/// The key files of the section.
struct KeyFiles {
    private_key: KeyFile,
    public_key: KeyFile,
    app_cert: KeyFile,
    alipay_cert: KeyFile,
    root_cert: KeyFile,
    aes_key: KeyFile,
    app_auth_token: KeyFile,
}

/// Checks the section and loads the keys.
pub(super) fn check(c: &mut Checker<'_, '_>, mut raw: raw::Alipay, terminal: &TerminalConfig) -> Option<Channel> {
    let gateway_advice = format!("add gateway_url = \"{}\"", Gateway::ALIPAY.production);
    let gateway_url = c.required(raw.gateway_url.take(), raw.at.missing("gateway_url"), &gateway_advice);
    if let Some(url) = &gateway_url {
        let ground = c.ground(terminal.mode);
        gateway::check(url, &Gateway::ALIPAY, ground, c.found);
    }
    let app_id =
        c.required(raw.app_id.take(), raw.at.missing("app_id"), "add the application's number from Alipay's console");
    let places = Places::of(&raw, gateway_url.as_ref(), app_id.as_ref());
    let files = KeyFiles::read(c, &mut raw);
    let verify = verify(c, &files, &raw.at);
    let is_complete = verify.is_some() && files.private_key.text.is_some();
    let config = Config {
        gateway_url: gateway_url.map_or_else(|| Gateway::ALIPAY.production.to_owned(), |url| url.value),
        app_id: app_id.map_or_else(|| ANY_APP_ID.to_owned(), |id| id.value),
        private_key: Secret::new(files.private_key.text.clone().unwrap_or_default()),
        verify: verify.unwrap_or_else(|| Verify::PublicKey(String::new())),
        app_auth_token: files.app_auth_token.text.as_ref().map(|text| Secret::new(text.trim().to_owned())),
        seller_id: value(c, raw.seller_id),
        store_id: value(c, raw.store_id),
        alipay_store_id: value(c, raw.alipay_store_id),
        smid: value(c, raw.smid),
        terminal_id: Some(terminal.id.clone()).filter(|id| !id.is_empty()),
        operator_id: value(c, raw.operator_id),
        product_code: value(c, raw.product_code),
        sys_service_provider_id: value(c, raw.sys_service_provider_id),
        notify_url: value(c, raw.notify_url),
        aes_key: files.aes_key.text.clone().map(Secret::new),
        enable_pay_channels: ways_to_pay(c, raw.enable_pay_channels),
        disable_pay_channels: ways_to_pay(c, raw.disable_pay_channels),
    };
    let address = config.gateway_url.clone();
    let alipay = set_up(c, config, is_complete, &files, &places)?;
    Some(Channel { adapter: Adapter::Alipay(alipay), address, identity: None })
}

fn value(c: &mut Checker<'_, '_>, written: Option<Written<String>>) -> Option<String> {
    c.optional(written).map(|written| written.value)
}

fn ways_to_pay(c: &mut Checker<'_, '_>, written: Option<Written<Vec<String>>>) -> Option<String> {
    let Written { value: ways, at } = c.optional(written)?;
    for way in ways.iter().filter(|way| !WAYS_TO_PAY.contains(&way.as_str())) {
        let advice = match closest(way, WAYS_TO_PAY.iter().copied()) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => format!("Alipay knows {}", WAYS_TO_PAY.join(", ")),
        };
        c.found.warning(&at, format!("\"{way}\" is no way to pay that is known here"), advice);
    }
    Some(ways.join(","))
}

/// With instalments: a list of ways to pay that leaves no Huabei makes Alipay refuse every plan.
pub(super) fn leaves_huabei(c: &mut Checker<'_, '_>, raw: &raw::Alipay) {
    let names = |ways: &Written<Vec<String>>| ways.value.iter().any(|way| HUABEI.contains(&way.as_str()));
    let enabled = raw.enable_pay_channels.as_ref().filter(|ways| !names(ways));
    let disabled = raw.disable_pay_channels.as_ref().filter(|ways| names(ways));
    for ways in enabled.into_iter().chain(disabled) {
        let advice = "let pcredit pay, or leave [instalments] out";
        c.found.error(&ways.at, "[instalments] are offered, and this list leaves no Huabei to pay them", advice);
    }
}

impl KeyFiles {
    fn read(c: &mut Checker<'_, '_>, raw: &mut raw::Alipay) -> Self {
        let section = raw.at.clone();
        let private = c.required(
            raw.private_key_file.take(),
            section.missing("private_key_file"),
            "name the file with the application's private key, or a credential: \"credential:alipay-private-key\"",
        );
        let mut file = |written: Option<Written<String>>, name: &str, readers: Readers| {
            let written = c.optional(written);
            read_file(c, written, section.missing(name), readers)
        };
        Self {
            public_key: file(raw.public_key_file.take(), "public_key_file", Readers::Anybody),
            app_cert: file(raw.app_cert_file.take(), "app_cert_file", Readers::Anybody),
            alipay_cert: file(raw.alipay_cert_file.take(), "alipay_cert_file", Readers::Anybody),
            root_cert: file(raw.alipay_root_cert_file.take(), "alipay_root_cert_file", Readers::Anybody),
            aes_key: file(raw.aes_key_file.take(), "aes_key_file", Readers::Owner),
            app_auth_token: file(raw.app_auth_token_file.take(), "app_auth_token_file", Readers::Owner),
            private_key: read_file(c, private, section.missing("private_key_file"), Readers::Owner),
        }
    }
}

fn read_file(c: &mut Checker<'_, '_>, written: Option<Written<String>>, absent: At, readers: Readers) -> KeyFile {
    match written {
        Some(written) => KeyFile { text: keys::read(c, &written, readers), is_named: true, at: written.at },
        None => KeyFile { at: absent, is_named: false, text: None },
    }
}

/// What answers are verified with: exactly one of the two ways.
fn verify(c: &mut Checker<'_, '_>, files: &KeyFiles, section: &At) -> Option<Verify> {
    let certificates = [&files.app_cert, &files.alipay_cert, &files.root_cert];
    let in_certificate_mode = certificates.iter().any(|file| file.is_named);
    match (files.public_key.is_named, in_certificate_mode) {
        (true, true) => {
            let problem =
                "both Alipay's public key and certificate files are given, and an application uses one of them";
            c.found.error(
                &files.public_key.at,
                problem,
                "keep what the console shows for this application: certificates or public key",
            );
            None
        }
        (true, false) => files.public_key.text.clone().map(Verify::PublicKey),
        (false, false) => {
            let advice = "add public_key_file with Alipay's public key (not ours), or app_cert_file, alipay_cert_file and \
                          alipay_root_cert_file";
            c.found.missing(&section.missing("public_key_file"), advice);
            None
        }
        (false, true) => {
            for file in certificates.iter().filter(|file| !file.is_named) {
                c.found.missing(&file.at, "certificate mode needs all three files that the console gives out");
            }
            let text = |file: &KeyFile| file.text.clone();
            let (app, alipay, root) = (text(&files.app_cert)?, text(&files.alipay_cert)?, text(&files.root_cert)?);
            Some(Verify::Certificates { app, alipay, root })
        }
    }
}

/// Has the channel check the settings until it has nothing more to say about the texts, then about the keys. A key that
/// already has an error gets no second one.
fn set_up(
    c: &mut Checker<'_, '_>,
    mut config: Config,
    is_complete: bool,
    files: &KeyFiles,
    places: &Places,
) -> Option<Alipay> {
    for _ in 0..=places.0.len() {
        let error = match Alipay::new(config.clone()) {
            Ok(alipay) => return Some(alipay),
            Err(error) => error,
        };
        if let Some(name) = name_of_text(&error) {
            let (at, advice) = (places.of_key(name), "correct it as Alipay's console shows it");
            if !c.found.report.has_error_at(&at.key) {
                c.found.error(&at, error.to_string(), advice);
            }
            mend(&mut config, name);
        } else {
            let are_sound = every_key_is_sound(c, files);
            if are_sound && is_complete {
                c.found.error(files.about(&error), error.to_string(), KEY_ADVICE);
            }
            return None;
        }
    }
    None
}

/// The setting that an error is about, unless it is about keys.
fn name_of_text(error: &SetupError) -> Option<&'static str> {
    match error {
        SetupError::GatewayUrl(_) => Some("gateway_url"),
        SetupError::AppId(_) | SetupError::PidForAppId(_) => Some("app_id"),
        SetupError::Field { name, .. } => Some(name),
        SetupError::BothChannelLists => Some("disable_pay_channels"),
        SetupError::SmidAndSeller => Some("smid"),
        SetupError::PrivateKey(_)
        | SetupError::AlipayKey(_)
        | SetupError::AlipayKeyIsOurs
        | SetupError::Certificate { .. }
        | SetupError::CertificateNotForKey
        | SetupError::AesKey(_)
        | SetupError::SelfTest => None,
    }
}

/// Takes a reported text out of the way, so that the next one is checked.
fn mend(config: &mut Config, name: &str) {
    match name {
        "gateway_url" => config.gateway_url = Gateway::ALIPAY.production.to_owned(),
        "app_id" => config.app_id = ANY_APP_ID.to_owned(),
        "app_auth_token" => config.app_auth_token = None,
        "seller_id" => config.seller_id = None,
        "store_id" => config.store_id = None,
        "alipay_store_id" => config.alipay_store_id = None,
        "smid" => config.smid = None,
        "terminal_id" => config.terminal_id = None,
        "operator_id" => config.operator_id = None,
        "product_code" => config.product_code = None,
        "sys_service_provider_id" => config.sys_service_provider_id = None,
        "notify_url" => config.notify_url = None,
        "enable_pay_channels" => config.enable_pay_channels = None,
        _ => config.disable_pay_channels = None,
    }
}

/// Judges every key file by itself, so that one bad file does not hide another.
fn every_key_is_sound(c: &mut Checker<'_, '_>, files: &KeyFiles) -> bool {
    let before = c.found.report.problems().len();
    judge(c, &files.private_key, |text| PrivateKey::load(text).err().map(SetupError::PrivateKey));
    judge(c, &files.public_key, |text| PublicKey::load(text).err().map(SetupError::AlipayKey));
    judge(c, &files.app_cert, |text| bad_certificate(CertificateFile::App, text));
    judge(c, &files.alipay_cert, |text| bad_certificate(CertificateFile::Alipay, text));
    judge(c, &files.root_cert, |text| bad_certificate(CertificateFile::Root, text));
    judge(c, &files.aes_key, |text| aes::Key::load(text).err().map(SetupError::AesKey));
    c.found.report.problems().len() == before
}

fn judge(c: &mut Checker<'_, '_>, file: &KeyFile, bad: impl Fn(&str) -> Option<SetupError>) {
    if let Some(error) = file.text.as_deref().and_then(bad) {
        c.found.error(&file.at, error.to_string(), KEY_ADVICE);
    }
}

fn bad_certificate(file: CertificateFile, text: &str) -> Option<SetupError> {
    Certificate::read_all(text).err().map(|problem| SetupError::Certificate { file, problem })
}

impl KeyFiles {
    /// The file that an error is about.
    fn about(&self, error: &SetupError) -> &At {
        let file = match error {
            SetupError::AlipayKey(_) => &self.public_key,
            SetupError::AlipayKeyIsOurs if self.public_key.is_named => &self.public_key,
            SetupError::AlipayKeyIsOurs => &self.alipay_cert,
            SetupError::CertificateNotForKey => &self.app_cert,
            SetupError::Certificate { file: CertificateFile::App, .. } => &self.app_cert,
            SetupError::Certificate { file: CertificateFile::Alipay, .. } => &self.alipay_cert,
            SetupError::Certificate { file: CertificateFile::Root, .. } => &self.root_cert,
            SetupError::AesKey(_) => &self.aes_key,
            SetupError::PrivateKey(_)
            | SetupError::SelfTest
            | SetupError::GatewayUrl(_)
            | SetupError::AppId(_)
            | SetupError::PidForAppId(_)
            | SetupError::Field { .. }
            | SetupError::BothChannelLists
            | SetupError::SmidAndSeller => &self.private_key,
        };
        &file.at
    }
}

/// Where each text stands that the channel checks, by the channel's name for it.
struct Places(Vec<(&'static str, At)>);

impl Places {
    fn of(raw: &raw::Alipay, gateway_url: Option<&Written<String>>, app_id: Option<&Written<String>>) -> Self {
        let texts = [
            ("gateway_url", gateway_url),
            ("app_id", app_id),
            ("app_auth_token", raw.app_auth_token_file.as_ref()),
            ("seller_id", raw.seller_id.as_ref()),
            ("store_id", raw.store_id.as_ref()),
            ("alipay_store_id", raw.alipay_store_id.as_ref()),
            ("smid", raw.smid.as_ref()),
            ("operator_id", raw.operator_id.as_ref()),
            ("product_code", raw.product_code.as_ref()),
            ("sys_service_provider_id", raw.sys_service_provider_id.as_ref()),
            ("notify_url", raw.notify_url.as_ref()),
        ];
        let lists = [
            ("enable_pay_channels", raw.enable_pay_channels.as_ref()),
            ("disable_pay_channels", raw.disable_pay_channels.as_ref()),
        ];
        let texts = texts.into_iter().filter_map(|(name, written)| Some((name, written?.at.clone())));
        let lists = lists.into_iter().filter_map(|(name, written)| Some((name, written?.at.clone())));
        Self(texts.chain(lists).chain([("terminal_id", At::key("terminal.id"))]).collect())
    }

    fn of_key(&self, name: &str) -> At {
        let found = self.0.iter().find(|(key, _)| *key == name);
        found.map_or_else(|| At::key(format!("channels.alipay.{name}")), |(_, at)| at.clone())
    }
}
