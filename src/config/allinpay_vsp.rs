//! `[channels.allinpay_vsp]`: reads the key files, has the channel check them, and puts its answer at the right key.

use payment::channel::allinpay::vsp::{Config, Folder, Folders, PayTypes, SetupError, Shown, SignType, Terminal, Vsp};
use payment::redact::Secret;

use super::channels::{self, Settings, file, required, required_file, text};
use super::check::Checker;
use super::checked::{Mode, ShowConfig, TerminalConfig};
use super::gateway::Gateway;
use super::keys::Readers;
use super::raw::{self, Places, SignKind, Word, Written};
use crate::http::{Adapter, Channel};

const ADVICE: &str = "correct it as the VSP portal shows it; docs/configuration.md says which file is which";

/// What passes, to go on checking after something wrong was reported.
const ANY_CUSID: &str = "000000000000000";
const ANY_APPID: &str = "00000000";
const ANY_TERMINAL: &str = "00000000";

/// A terminal that takes pay codes (条码支付受理终端).
const DEVICE_TYPE: &str = "10";
const VERSION: &str = "11";
/// As long as WeChat codes live.
const LONGEST_VALID_MINUTES: u64 = 120;

/// Checks the section and loads the keys. How a shown code is closed follows from whose codes are shown.
pub(super) fn check(
    c: &mut Checker<'_, '_>,
    raw: raw::AllinpayVsp,
    terminal: &TerminalConfig,
    show: &ShowConfig,
) -> Option<Channel> {
    let places = raw.places();
    let shown = match show {
        ShowConfig::Any => Shown::OneCode,
        ShowConfig::Wallets(_) => Shown::CodePerWallet,
    };
    let config = read(c, raw, &places, terminal.mode, shown);
    let address = config.base_url.clone();
    let vsp = channels::settle(c, config, &places, ADVICE)?;
    Some(Channel { adapter: Adapter::AllinpayVsp(vsp), address, identity: None })
}

fn read(c: &mut Checker<'_, '_>, raw: raw::AllinpayVsp, places: &Places, mode: Mode, shown: Shown) -> Config {
    let mut address = |written, key: &str, gateway| channels::address(c, written, places.unwritten(key), gateway, mode);
    let base_url = address(raw.gateway_url, "gateway_url", &Gateway::VSP);
    let statement_base_url = address(raw.statement_url, "statement_url", &Gateway::VSP_STATEMENTS);
    let asked = ("cusid", "add the merchant number, 15 digits: cusid = \"…\"", ANY_CUSID);
    let cusid = required(c, raw.cusid, places, asked);
    let appid = required(c, raw.appid, places, ("appid", "add the application's number: appid = \"…\"", ANY_APPID));
    let keys = SignKeys { app: raw.app_key_file, private: raw.private_key_file, public: raw.public_key_file };
    let sign_type = c.choice(raw.sign_type, places.unwritten("sign_type"), SignKind::Rsa);
    let sign_type = sign_keys(c, sign_type, keys, places);
    let advice =
        "add the number under which the terminal was filed, 8 letters and digits: terminal_number = \"00000001\"";
    let number = required(c, raw.terminal_number, places, ("terminal_number", advice, ANY_TERMINAL));
    let terminal = Terminal {
        device_type: c.choice(raw.device_type, places.unwritten("device_type"), DEVICE_TYPE.to_owned()),
        number,
        serial: text(c, raw.terminal_serial),
        ip: text(c, raw.terminal_ip),
        longitude: text(c, raw.longitude),
        latitude: text(c, raw.latitude),
        address: text(c, raw.terminal_address),
        state: text(c, raw.terminal_state),
    };
    let unwritten = places.unwritten("longest_valid_minutes");
    let minutes = c.number(raw.longest_valid_minutes, unwritten, LONGEST_VALID_MINUTES, 1..=120, "minutes");
    let usual = Folders::default();
    let mut folder = |written: Option<Written<Word<Folder>>>, key: &str, usual| {
        c.choice(written, places.unwritten(key), Word(usual)).0
    };
    let folders = Folders {
        query: folder(raw.query_folder, "query_folder", usual.query),
        cancel: folder(raw.cancel_folder, "cancel_folder", usual.cancel),
        refund: folder(raw.refund_folder, "refund_folder", usual.refund),
        close: folder(raw.close_folder, "close_folder", usual.close),
    };
    let usual = PayTypes::default();
    let mut pay_type = |written, key, usual| pay_type(c, written, key, usual, places);
    let pay_types = PayTypes {
        alipay: pay_type(raw.pay_type_alipay, "pay_type_alipay", usual.alipay),
        wechat: pay_type(raw.pay_type_wechat, "pay_type_wechat", usual.wechat),
        union_pay: pay_type(raw.pay_type_union_pay, "pay_type_union_pay", usual.union_pay),
        ecny: pay_type(raw.pay_type_ecny, "pay_type_ecny", usual.ecny),
    };
    Config {
        base_url,
        statement_base_url,
        cusid,
        orgid: text(c, raw.orgid),
        appid,
        version: c.choice(raw.version, places.unwritten("version"), VERSION.to_owned()),
        sign_type,
        terminal,
        notify_url: text(c, raw.notify_url),
        limit_pay: text(c, raw.limit_pay),
        shown,
        pay_types,
        folders,
        longest_valid_minutes: u32::try_from(minutes).unwrap_or_default(),
    }
}

/// The channel names none of the four in what it complains about.
fn pay_type(
    c: &mut Checker<'_, '_>,
    written: Option<Written<String>>,
    key: &str,
    usual: String,
    places: &Places,
) -> String {
    let value = c.choice(written, places.unwritten(key), usual.clone());
    if value.len() == 3 && value.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return value;
    }
    let problem = format!("\"{value}\" is no pay type: a letter and two digits are wanted");
    c.found.error(&places.of(key), problem, format!("it is {usual} unless the contract says otherwise"));
    usual
}

/// The files of the keys, as they are named.
struct SignKeys {
    app: Option<Written<String>>,
    private: Option<Written<String>>,
    public: Option<Written<String>>,
}

/// The keys that this way of signing needs. Those of another way are not read, and said to be of no use.
fn sign_keys(c: &mut Checker<'_, '_>, kind: SignKind, files: SignKeys, places: &Places) -> SignType {
    let spare = match kind {
        SignKind::Md5 => [&files.private, &files.public].into_iter().flatten().collect::<Vec<_>>(),
        SignKind::Rsa | SignKind::Sm2 => files.app.iter().collect(),
    };
    for written in spare {
        let advice = "set sign_type as the portal shows it for this application, or take the key away";
        c.found.error(&written.at, "this key is not used by this sign_type", advice);
    }
    if kind == SignKind::Md5 {
        let advice = "name the file with the application's key, as the VSP portal shows it";
        let text = required_file(c, files.app, places, ("app_key_file", advice), Readers::Owner);
        return SignType::Md5 { app_key: Secret::new(text.trim().to_owned()) };
    }
    let advice = "name the file with our private key, or a credential: \"credential:vsp-private-key\"";
    let ours = required_file(c, files.private, places, ("private_key_file", advice), Readers::Owner);
    let advice = "name the file with Allinpay's public key (not ours)";
    let allinpay_key = match file(c, files.public.clone(), Readers::Anybody) {
        Some(text) => text,
        None => {
            if files.public.is_none() {
                c.found.missing(&places.of("public_key_file"), advice);
            }
            String::new()
        }
    };
    let private_key = Secret::new(ours);
    match kind {
        SignKind::Sm2 => SignType::Sm2 { private_key, allinpay_key },
        SignKind::Rsa | SignKind::Md5 => SignType::Rsa { private_key, allinpay_key },
    }
}

impl Settings for Config {
    type Adapter = Vsp;
    type Complaint = SetupError;

    fn try_out(self) -> Result<Vsp, SetupError> {
        Vsp::new(self)
    }

    fn key_of(complaint: &SetupError) -> &'static str {
        match complaint {
            SetupError::Url { name, .. } | SetupError::Number { name, .. } | SetupError::Field { name, .. } => {
                key_of_field(name)
            }
            SetupError::OrgidIsCusid => "orgid",
            SetupError::ValidMinutes(_) => "longest_valid_minutes",
            SetupError::AppKey => "app_key_file",
            SetupError::RsaPrivateKey(_) | SetupError::Sm2PrivateKey(_) | SetupError::SelfTest => "private_key_file",
            SetupError::RsaAllinpayKey(_) | SetupError::Sm2AllinpayKey(_) | SetupError::AllinpayKeyIsOurs => {
                "public_key_file"
            }
        }
    }

    fn mend(&mut self, key: &str) -> bool {
        match key {
            "gateway_url" => self.base_url = Gateway::VSP.production.to_owned(),
            "statement_url" => self.statement_base_url = Gateway::VSP_STATEMENTS.production.to_owned(),
            "cusid" => self.cusid = ANY_CUSID.to_owned(),
            "orgid" => self.orgid = None,
            "appid" => self.appid = ANY_APPID.to_owned(),
            "version" => self.version = VERSION.to_owned(),
            "terminal_number" => self.terminal.number = ANY_TERMINAL.to_owned(),
            "device_type" => self.terminal.device_type = DEVICE_TYPE.to_owned(),
            "terminal_serial" => self.terminal.serial = None,
            "terminal_ip" => self.terminal.ip = None,
            "longitude" => self.terminal.longitude = None,
            "latitude" => self.terminal.latitude = None,
            "terminal_address" => self.terminal.address = None,
            "terminal_state" => self.terminal.state = None,
            "notify_url" => self.notify_url = None,
            "limit_pay" => self.limit_pay = None,
            // The keys are checked last, ours first.
            _ => return false,
        }
        true
    }
}

/// The key for a field, as the channel names it.
fn key_of_field(name: &str) -> &'static str {
    match name {
        "base_url" => "gateway_url",
        "statement_base_url" => "statement_url",
        "cusid" => "cusid",
        "appid" => "appid",
        "orgid" => "orgid",
        "version" => "version",
        "terminal number" => "terminal_number",
        "device_type" => "device_type",
        "serial" => "terminal_serial",
        "ip" => "terminal_ip",
        "longitude" => "longitude",
        "latitude" => "latitude",
        "address" => "terminal_address",
        "state" => "terminal_state",
        "limit_pay" => "limit_pay",
        _ => "notify_url",
    }
}
