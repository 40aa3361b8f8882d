//! `[channels.wechat]`: reads the key files, has the channel check them, and puts its answer at the right key.

use payment::channel::wechat::{
    CodePay, Config, Delivery, Hosts, MerchantCertificate, SetupError, Store, SubMerchant, TokenCall, Verify, Wechat,
    WechatKey,
};
use payment::redact::Secret;

use super::channels::{self, Settings, file, secret_line, text};
use super::check::Checker;
use super::checked::{Mode, TerminalConfig};
use super::gateway::Gateway;
use super::keys::{self, Readers};
use super::raw::{self, Places, Word, Written};
use crate::http::{Adapter, Channel, Identity, IdentityError};

const ADVICE: &str = "correct it as the merchant portal shows it; docs/configuration.md says which file is which";

/// What passes, to go on checking after something wrong was reported.
const ANY_MCHID: &str = "1900000001";
const ANY_APPID: &str = "wx0000000000000000";
const ANY_SERIAL: &str = "0000000000000000000000000000000000000000";
const ANY_KEY: &str = "00000000000000000000000000000000";
const ANY_NOTIFY_URL: &str = "https://example.com/wechat";

/// What WeChat Pay takes from a machine that does not know its address.
const LOOPBACK: &str = "127.0.0.1";

/// Checks the section and loads the keys.
pub(super) fn check(c: &mut Checker<'_, '_>, raw: raw::Wechat, terminal: &TerminalConfig) -> Option<Channel> {
    let places = raw.places();
    let pem = raw.certificate_file.clone();
    let config = read(c, raw, &places, terminal);
    let (address, key, code_pay) = (config.hosts.pay.clone(), config.private_key.clone(), config.code_pay);
    let certificate = match &config.certificate {
        MerchantCertificate::Pem(text) => Some(text.clone()),
        MerchantCertificate::Serial(_) => None,
    };
    let wechat = channels::settle(c, config, &places, ADVICE)?;
    let identity = match (pem, certificate) {
        (Some(written), Some(certificate)) => identity(c, &written, &places, &certificate, &key, code_pay),
        (Some(_), None) | (None, _) => None,
    };
    Some(Channel { adapter: Adapter::Wechat(wechat), address, identity })
        .filter(|_| !c.found.report.has_error_under(&places.section().key))
}

fn read(c: &mut Checker<'_, '_>, raw: raw::Wechat, places: &Places, terminal: &TerminalConfig) -> Config {
    let hosts = hosts(c, raw.gateway_url, raw.backup_url, raw.weixin_url, places, terminal.mode);
    let mut required =
        |written, key, advice, otherwise| channels::required(c, written, places, (key, advice, otherwise));
    let mchid = required(raw.mchid, "mchid", "add the merchant number: mchid = \"1900000001\"", ANY_MCHID);
    let appid = required(raw.appid, "appid", "add the AppID that is bound to the merchant number", ANY_APPID);
    let notify_url = required(
        raw.notify_url,
        "notify_url",
        "add an https address of yours: WeChat Pay refuses orders without one, even if nobody listens there",
        ANY_NOTIFY_URL,
    );
    let sub_merchant = sub_merchant(c, raw.sub_mchid, raw.sub_appid, places);
    let advice = "name the file apiclient_key.pem, or a credential: \"credential:wechat-private-key\"";
    let asked = ("private_key_file", advice);
    let private_key = channels::required_file(c, raw.private_key_file, places, asked, Readers::Owner);
    let advice = "name the file with the APIv3 key, the 32 characters that were set in the merchant portal";
    let asked = ("apiv3_key_file", advice);
    let apiv3_key = channels::required_file(c, raw.apiv3_key_file, places, asked, Readers::Owner);
    let Word(code_pay) = c.choice(raw.code_pay, places.unwritten("code_pay"), Word(CodePay::V2));
    let certificate = certificate(c, raw.certificate_file, raw.certificate_serial, places, code_pay);
    let v2_key = secret_line(c, raw.v2_key_file);
    let Word(token) = c.choice(raw.delivery_token, places.unwritten("delivery_token"), Word(TokenCall::default()));
    Config {
        mchid,
        appid,
        sub_merchant,
        private_key: Secret::new(private_key),
        certificate,
        apiv3_key: Secret::new(apiv3_key.trim().to_owned()),
        verify: verify(c, raw.public_key_id, raw.public_key_file, raw.platform_cert_files, places),
        v2_key,
        code_pay,
        hosts,
        store: Store {
            id: text(c, raw.store_id),
            out_id: text(c, raw.store_out_id),
            name: text(c, raw.store_name),
            area_code: text(c, raw.store_area_code),
            address: text(c, raw.store_address),
            device_id: Some(terminal.id.clone()).filter(|id| !id.is_empty()),
            terminal_ip: c.choice(raw.terminal_ip, places.unwritten("terminal_ip"), LOOPBACK.to_owned()),
        },
        notify_url,
        goods_tag: text(c, raw.goods_tag),
        profit_sharing: c.choice(raw.profit_sharing, places.unwritten("profit_sharing"), false),
        limit_pay: text(c, raw.limit_pay),
        delivery: secret_line(c, raw.delivery_secret_file).map(|appsecret| Delivery { appsecret, token }),
    }
}

/// The second host belongs to the first: another first host has none unless it is named.
fn hosts(
    c: &mut Checker<'_, '_>,
    pay: Option<Written<String>>,
    backup: Option<Written<String>>,
    weixin: Option<Written<String>>,
    places: &Places,
    mode: Mode,
) -> Hosts {
    let is_usual = pay.as_ref().is_none_or(|written| written.value == Gateway::WECHAT.production);
    let mut address =
        |written, key: &str, gateway: &Gateway| channels::address(c, written, places.unwritten(key), gateway, mode);
    let pay = address(pay, "gateway_url", &Gateway::WECHAT);
    let backup = (is_usual || backup.is_some()).then(|| address(backup, "backup_url", &Gateway::WECHAT_BACKUP));
    Hosts { pay, backup, weixin: address(weixin, "weixin_url", &Gateway::WEIXIN) }
}

fn sub_merchant(
    c: &mut Checker<'_, '_>,
    mchid: Option<Written<String>>,
    appid: Option<Written<String>>,
    places: &Places,
) -> Option<SubMerchant> {
    let (mchid, appid) = (text(c, mchid), text(c, appid));
    if mchid.is_none() && appid.is_some() {
        c.found.missing(&places.of("sub_mchid"), "add the merchant that is collected for, or take sub_appid away");
    }
    mchid.map(|mchid| SubMerchant { mchid, appid })
}

/// Which certificate belongs to the key. By v2 a pay code is undone over a connection that shows it.
fn certificate(
    c: &mut Checker<'_, '_>,
    pem: Option<Written<String>>,
    serial: Option<Written<String>>,
    places: &Places,
    code_pay: CodePay,
) -> MerchantCertificate {
    let (is_pem, serial) = (pem.is_some(), text(c, serial));
    let pem = file(c, pem, Readers::Anybody);
    match (is_pem, serial, code_pay) {
        (true, Some(_), _) => {
            let problem = "certificate_file and certificate_serial say the same thing twice";
            c.found.error(
                &places.of("certificate_serial"),
                problem,
                "keep certificate_file: the number is read from it",
            );
        }
        (false, _, CodePay::V2) => {
            let advice = "name apiclient_cert.pem: by v2 a payment with a pay code is undone over a connection that shows \
                          it; or set code_pay = \"v3\", if WeChat Pay opened that product";
            c.found.missing(&places.of("certificate_file"), advice);
        }
        (false, None, CodePay::V3) => {
            c.found
                .missing(&places.of("certificate_file"), "name apiclient_cert.pem, or its number: certificate_serial");
        }
        (false, Some(serial), CodePay::V3) => return MerchantCertificate::Serial(serial),
        (true, None, _) => {}
    }
    pem.map_or_else(|| MerchantCertificate::Serial(ANY_SERIAL.to_owned()), MerchantCertificate::Pem)
}

fn verify(
    c: &mut Checker<'_, '_>,
    id: Option<Written<String>>,
    key: Option<Written<String>>,
    certificates: Option<Written<Vec<String>>>,
    places: &Places,
) -> Verify {
    let (has_key, id) = (key.is_some(), text(c, id));
    let pem = file(c, key, Readers::Anybody);
    match (&id, has_key) {
        (Some(_), false) => c.found.missing(&places.of("public_key_file"), "add pub_key.pem, which has this number"),
        (None, true) => c.found.missing(&places.of("public_key_id"), "add its number: PUB_KEY_ID_ and digits"),
        (Some(_), true) | (None, false) => {}
    }
    let certificates = c.optional(certificates).map(|Written { value, at }| {
        let files = value.into_iter().map(|value| Written { value, at: at.clone() });
        files.filter_map(|written| keys::read(c, &written, Readers::Anybody)).collect()
    });
    let public_key = id.zip(pem).map(|(id, pem)| WechatKey { id, pem });
    Verify { public_key, certificates: certificates.unwrap_or_default() }
}

/// What TLS needs to show the certificate. A key that is bare Base64 signs well enough, and TLS wants it as PEM.
fn identity(
    c: &mut Checker<'_, '_>,
    written: &Written<String>,
    places: &Places,
    certificate: &str,
    key: &Secret<String>,
    code_pay: CodePay,
) -> Option<Identity> {
    let error = match Identity::new(certificate, key) {
        Ok(identity) => return Some(identity),
        Err(error) => error,
    };
    let at = match &error {
        IdentityError::Key(_) => places.of("private_key_file"),
        IdentityError::Certificate(_) | IdentityError::Pair(_) => written.at.clone(),
    };
    let advice = "give both files as PEM, as they were downloaded together";
    match code_pay {
        CodePay::V2 => c.found.error(&at, error.to_string(), advice),
        // No call of v3 shows it.
        CodePay::V3 => {}
    }
    None
}

impl Settings for Config {
    type Adapter = Wechat;
    type Complaint = SetupError;

    fn try_out(self) -> Result<Wechat, SetupError> {
        Wechat::new(self)
    }

    fn key_of(complaint: &SetupError) -> &'static str {
        match complaint {
            SetupError::Mchid { name, .. }
            | SetupError::Appid { name, .. }
            | SetupError::Field { name, .. }
            | SetupError::Host { name, .. } => name,
            SetupError::NotifyUrl(_) => "notify_url",
            SetupError::TerminalIp(_) => "terminal_ip",
            SetupError::AreaCode(_) => "store_area_code",
            SetupError::LimitPay(_) | SetupError::LimitPayForCodes(_) | SetupError::LimitPayNowhere => "limit_pay",
            SetupError::PrivateKey(_) | SetupError::SelfTest => "private_key_file",
            SetupError::Serial(_) => "certificate_serial",
            SetupError::Certificate(_) | SetupError::CertificateNotForKey => "certificate_file",
            SetupError::Apiv3Key(_) => "apiv3_key_file",
            SetupError::V2Key | SetupError::NoV2Key => "v2_key_file",
            SetupError::NoStore => "store_id",
            SetupError::PublicKeyId(_) => "public_key_id",
            SetupError::PublicKey(_) | SetupError::KeyIsOurs => "public_key_file",
            SetupError::PlatformCertificate { .. } => "platform_cert_files",
        }
    }

    fn mend(&mut self, key: &str) -> bool {
        match key {
            "mchid" => self.mchid = ANY_MCHID.to_owned(),
            "appid" => self.appid = ANY_APPID.to_owned(),
            "sub_mchid" | "sub_appid" => self.sub_merchant = None,
            "notify_url" => self.notify_url = ANY_NOTIFY_URL.to_owned(),
            "terminal_ip" => self.store.terminal_ip = LOOPBACK.to_owned(),
            "terminal.id" => self.store.device_id = None,
            "store_id" => self.store.id = Some("1".to_owned()),
            "store_out_id" => self.store.out_id = None,
            "store_name" => self.store.name = None,
            "store_area_code" => self.store.area_code = None,
            "store_address" => self.store.address = None,
            "goods_tag" => self.goods_tag = None,
            "limit_pay" => self.limit_pay = None,
            "delivery_secret_file" => self.delivery = None,
            "gateway_url" => self.hosts.pay = Hosts::default().pay,
            "backup_url" => self.hosts.backup = None,
            "weixin_url" => self.hosts.weixin = Hosts::default().weixin,
            "certificate_serial" | "certificate_file" => {
                self.certificate = MerchantCertificate::Serial(ANY_SERIAL.to_owned());
            }
            "apiv3_key_file" => self.apiv3_key = Secret::new(ANY_KEY.to_owned()),
            "v2_key_file" => self.v2_key = Some(Secret::new(ANY_KEY.to_owned())),
            "public_key_id" | "public_key_file" => self.verify = Verify::default(),
            "platform_cert_files" => self.verify.certificates = Vec::new(),
            // Everything else is checked with our private key.
            _ => return false,
        }
        true
    }
}
