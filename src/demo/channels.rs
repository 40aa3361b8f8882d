//! The channels of a scene: their simulated gateways, their key files, and what `till.toml` says of them.

use std::io;

use payment::channel::ChannelId;
use sandbox::allinpay::{SignType, VspGateway, VspKeys, VspOptions, YstGateway, YstKeys, YstOptions};
use sandbox::allinpay::{vsp_keys, yst_keys};
use sandbox::{Clock, wechat};

/// Which channels collect, what stands on the screen, and how the gateways behave. Alipay's gateway is there in any
/// case, with settings of its own in [`SceneOptions`](super::scene::SceneOptions).
#[derive(Debug, Clone)]
pub struct ChannelOptions {
    /// The channels that collect, the preferred one first.
    pub collect: Vec<ChannelId>,
    /// Whose codes stand on the screen, in the words of `[sell] show`; empty leaves it to Till.
    pub show: Vec<&'static str>,
    /// WeChat Pay's gateway.
    pub wechat: wechat::GatewayOptions,
    /// Allinpay VSP's gateway.
    pub vsp: VspOptions,
    /// Allinpay YunST's gateway.
    pub yst: YstOptions,
}

impl Default for ChannelOptions {
    fn default() -> Self {
        Self {
            collect: vec![ChannelId::Alipay],
            show: Vec::new(),
            wechat: wechat::GatewayOptions::default(),
            vsp: VspOptions::default(),
            yst: YstOptions::default(),
        }
    }
}

impl ChannelOptions {
    /// These channels, the preferred one first.
    #[must_use]
    pub fn of(collect: impl Into<Vec<ChannelId>>) -> Self {
        Self { collect: collect.into(), ..Self::default() }
    }

    /// Whether a channel collects here.
    #[must_use]
    pub fn has(&self, channel: ChannelId) -> bool {
        self.collect.contains(&channel)
    }

    /// All gateways go by this clock.
    pub fn set_clock(&mut self, clock: &Clock) {
        self.wechat.clock = clock.clone();
        self.vsp.house.clock = clock.clone();
        self.yst.house.clock = clock.clone();
    }

    /// What `[sell]` says of them; nothing where it is Alipay alone.
    pub(super) fn in_sell(&self) -> String {
        let list = |words: Vec<&str>| format!("[\"{}\"]", words.join("\", \""));
        let mut text = String::new();
        if self.collect != [ChannelId::Alipay] {
            let names = self.collect.iter().map(|channel| channel.name()).collect();
            text += &format!("channels = {}\n", list(names));
        }
        if !self.show.is_empty() {
            text += &format!("show = {}\n", list(self.show.clone()));
        }
        text
    }
}

/// The gateways beside Alipay's, as far as their channels collect.
pub(super) struct Gateways {
    pub(super) wechat: Option<wechat::Gateway>,
    pub(super) vsp: Option<VspGateway>,
    pub(super) yst: Option<YstGateway>,
}

impl Gateways {
    pub(super) async fn start(options: &ChannelOptions) -> io::Result<Self> {
        let mut gateways = Self { wechat: None, vsp: None, yst: None };
        if options.has(ChannelId::Wechat) {
            gateways.wechat = Some(wechat::Gateway::start(options.wechat.clone()).await?);
        }
        if options.has(ChannelId::AllinpayVsp) {
            gateways.vsp = Some(VspGateway::start(options.vsp.clone()).await?);
        }
        if options.has(ChannelId::AllinpayYst) {
            gateways.yst = Some(YstGateway::start(options.yst.clone()).await?);
        }
        Ok(gateways)
    }
}

/// A file below `keys/`: its name, its text, whether others may read it.
pub(super) type KeyFile = (&'static str, String, Readers);

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readers {
    /// Its owner only.
    Owner,
    /// Everybody.
    All,
}

impl Readers {
    pub(super) const fn mode(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::All => 0o644,
        }
    }
}

/// The merchant's files for a channel; all of them, whichever the section names.
pub(super) fn key_files(channel: ChannelId) -> Vec<KeyFile> {
    match channel {
        ChannelId::Alipay => alipay_files(),
        ChannelId::Wechat => wechat_files(),
        ChannelId::AllinpayVsp => vsp_files(vsp_keys()),
        ChannelId::AllinpayYst => yst_files(yst_keys()),
        ChannelId::Voucher => Vec::new(),
    }
}

fn alipay_files() -> Vec<KeyFile> {
    let keys = sandbox::merchant_keys();
    let certificates = keys.certificates;
    vec![
        ("app_private_key.pem", keys.app_private_key_pem, Readers::Owner),
        ("alipay_public_key.pem", keys.alipay_public_key_pem, Readers::All),
        ("app_cert.pem", certificates.app_cert_pem, Readers::All),
        ("alipay_cert.pem", certificates.alipay_cert_pem, Readers::All),
        ("alipay_root_cert.pem", certificates.root_cert_pem, Readers::All),
    ]
}

fn wechat_files() -> Vec<KeyFile> {
    let keys = wechat::merchant_keys();
    vec![
        ("wechat_private_key.pem", keys.private_key_pem, Readers::Owner),
        ("wechat_certificate.pem", keys.certificate_pem, Readers::All),
        ("wechat_apiv3.key", keys.apiv3_key, Readers::Owner),
        ("wechat_v2.key", keys.apiv2_key, Readers::Owner),
        ("wechat_appsecret", keys.app_secret, Readers::Owner),
        ("wechat_public_key.pem", keys.public_key_pem, Readers::All),
        ("wechat_next_public_key.pem", keys.next_public_key_pem, Readers::All),
        ("wechat_platform_cert.pem", keys.platform_certificate_pem, Readers::All),
        ("wechat_tls_root.pem", keys.tls_root_pem, Readers::All),
    ]
}

fn vsp_files(keys: VspKeys) -> Vec<KeyFile> {
    vec![
        ("vsp_app.key", keys.app_key, Readers::Owner),
        ("vsp_rsa_private_key.pem", keys.merchant_rsa_private_key_pem, Readers::Owner),
        ("vsp_rsa_public_key.pem", keys.platform_rsa_public_key_pem, Readers::All),
        ("vsp_sm2_private_key.pem", keys.merchant_sm2_private_key_pem, Readers::Owner),
        ("vsp_sm2_public_key.pem", keys.platform_sm2_public_key_pem, Readers::All),
    ]
}

fn yst_files(keys: YstKeys) -> Vec<KeyFile> {
    vec![
        ("yst_private_key.pem", keys.merchant_sm2_private_key_pem, Readers::Owner),
        ("yst_public_key.pem", keys.platform_sm2_public_key_pem, Readers::All),
        ("yst_secret.key", keys.secret_key, Readers::Owner),
    ]
}

/// The sections of the channels beside Alipay.
pub(super) fn sections(gateways: &Gateways, options: &ChannelOptions) -> String {
    let mut text = String::new();
    if let Some(gateway) = &gateways.wechat {
        text += &wechat_section(gateway, &options.wechat);
    }
    if let Some(gateway) = &gateways.vsp {
        text += &vsp_section(gateway, &options.vsp);
    }
    if let Some(gateway) = &gateways.yst {
        text += &yst_section(gateway, &options.yst);
    }
    text
}

/// All calls go by TLS: pay codes are undone there only.
fn wechat_section(gateway: &wechat::Gateway, options: &wechat::GatewayOptions) -> String {
    let (pay, backup) = (gateway.tls_url(), gateway.backup_tls_url());
    let (mchid, appid) = (&options.mchid, &options.appid);
    let verify = match options.mode {
        wechat::KeyMode::PublicKey => format!(
            "public_key_id = \"{}\"\npublic_key_file = \"keys/wechat_public_key.pem\"\n",
            wechat::merchant_keys().public_key_id
        ),
        wechat::KeyMode::Certificate => "platform_cert_files = [\"keys/wechat_platform_cert.pem\"]\n".to_owned(),
    };
    format!(
        "[channels.wechat]\ngateway_url = \"{pay}\"\nbackup_url = \"{backup}\"\nweixin_url = \"{pay}\"\n\
         mchid = \"{mchid}\"\nappid = \"{appid}\"\nprivate_key_file = \"keys/wechat_private_key.pem\"\n\
         certificate_file = \"keys/wechat_certificate.pem\"\napiv3_key_file = \"keys/wechat_apiv3.key\"\n\
         v2_key_file = \"keys/wechat_v2.key\"\nnotify_url = \"https://example.com/wechat\"\n{verify}"
    )
}

fn vsp_section(gateway: &VspGateway, options: &VspOptions) -> String {
    let (pay, statements, cusid, appid) = (gateway.url(), gateway.cus_url(), &options.cusid, &options.appid);
    let orgid = options.orgid.as_ref().map(|orgid| format!("orgid = \"{orgid}\"\n")).unwrap_or_default();
    let keys = match options.sign_type {
        SignType::Md5 => "sign_type = \"md5\"\napp_key_file = \"keys/vsp_app.key\"\n",
        SignType::Rsa => {
            "sign_type = \"rsa\"\nprivate_key_file = \"keys/vsp_rsa_private_key.pem\"\npublic_key_file = \"keys/vsp_rsa_public_key.pem\"\n"
        }
        SignType::Sm2 => {
            "sign_type = \"sm2\"\nprivate_key_file = \"keys/vsp_sm2_private_key.pem\"\npublic_key_file = \"keys/vsp_sm2_public_key.pem\"\n"
        }
    };
    format!(
        "[channels.allinpay_vsp]\ngateway_url = \"{pay}\"\nstatement_url = \"{statements}\"\ncusid = \"{cusid}\"\n\
         appid = \"{appid}\"\nterminal_number = \"00000001\"\n{orgid}{keys}"
    )
}

fn yst_section(gateway: &YstGateway, options: &YstOptions) -> String {
    let (url, app_id, cusid) = (gateway.url(), &options.app_id, &options.vsp_cusid);
    let receiver = yst_keys().receiver_sign_num;
    let provider = options.sp_app_id.as_ref().map(|id| format!("sp_app_id = \"{id}\"\n")).unwrap_or_default();
    format!(
        "[channels.allinpay_yst]\ngateway_url = \"{url}\"\napp_id = \"{app_id}\"\nreceiver = \"{receiver}\"\n\
         cusid = \"{cusid}\"\nterminal_number = \"00000001\"\nprivate_key_file = \"keys/yst_private_key.pem\"\n\
         public_key_file = \"keys/yst_public_key.pem\"\n{provider}"
    )
}

/// `[http]`'s key for the simulated WeChat Pay's TLS.
pub(super) const TLS_ROOT: &str = "[http]\nca_file = \"keys/wechat_tls_root.pem\"\n";
