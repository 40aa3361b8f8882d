//! The sandbox's throw-away keys, and WECHATPAY2-SHA256-RSA2048 over them (reference/wechatpay.md 1.3, 1.5).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey};

use super::options::{GatewayOptions, KeyMode};

const MERCHANT_PRIVATE_KEY: &str = include_str!("../../keys/wechat_merchant_private_key.pem");
const MERCHANT_CERT: &str = include_str!("../../keys/wechat_merchant_cert.pem");
const OTHER_PRIVATE_KEY: &str = include_str!("../../keys/wechat_other_private_key.pem");
const OTHER_CERT: &str = include_str!("../../keys/wechat_other_cert.pem");
const PLATFORM_PRIVATE_KEY: &str = include_str!("../../keys/wechat_platform_private_key.pem");
const PLATFORM_CERT: &str = include_str!("../../keys/wechat_platform_cert.pem");
const PUBLIC_KEY_PRIVATE: &str = include_str!("../../keys/wechat_public_key_private.pem");
const PUBLIC_KEY: &str = include_str!("../../keys/wechat_public_key.pem");
const NEXT_PRIVATE_KEY: &str = include_str!("../../keys/wechat_next_private_key.pem");
const NEXT_CERT: &str = include_str!("../../keys/wechat_next_cert.pem");
const NEXT_PUBLIC_KEY: &str = include_str!("../../keys/wechat_next_public_key.pem");
pub(crate) const ROOT_CERT: &str = include_str!("../../keys/wechat_root_cert.pem");
pub(crate) const SERVER_CERT: &str = include_str!("../../keys/wechat_server_cert.pem");
pub(crate) const SERVER_PRIVATE_KEY: &str = include_str!("../../keys/wechat_server_private_key.pem");

const MERCHANT_SERIAL: &str = "2B3C4D5E6F708192A3B4C5D6E7F8091A2B3C4D5E";
const OTHER_SERIAL: &str = "3C4D5E6F708192A3B4C5D6E7F8091A2B3C4D5E6F";
const PLATFORM_SERIAL: &str = "5157F09EFDC096DE15EBE81A47057A72A0B1C2D3";
const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0116000000012026052900000000000001";
const NEXT_SERIAL: &str = "61F9C719728A5157F09EFDC096DE15EBE81A4705";
const NEXT_PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0116000000012026112900000000000002";

/// The merchant's APIv3 key, and the APIv2 key.
pub(crate) const APIV3_KEY: &str = "Throwaway0APIv3Key0For0Tests0032";
pub(crate) const APIV2_KEY: &str = "ThrowawayAPIv2Key0For0Tests00032";
/// The mini-program's secret.
pub(crate) const APP_SECRET: &str = "throwawayappsecret00000000000032";

/// Everything that a till's configuration needs to sell through the sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MerchantKeys {
    /// The application.
    pub appid: String,
    /// The merchant; for the partner forms the service provider.
    pub mchid: String,
    /// A shop of the service provider.
    pub sub_mchid: String,
    /// Serial of the merchant's certificate: 40 hex digits, upper case.
    pub serial_no: String,
    /// `apiclient_key.pem`, PKCS#8.
    pub private_key_pem: String,
    /// `apiclient_cert.pem`: shown to the TLS listener by APIv2 reverses.
    pub certificate_pem: String,
    /// 32 characters.
    pub apiv3_key: String,
    /// 32 characters.
    pub apiv2_key: String,
    /// `AppSecret` of the mini-program.
    pub app_secret: String,
    /// What answers are signed with in public-key mode.
    pub public_key_id: String,
    /// The key under [`Self::public_key_id`], PEM.
    pub public_key_pem: String,
    /// What answers are signed with after [`Control::rotate_signing_key`](super::Control::rotate_signing_key).
    pub next_public_key_id: String,
    /// The key under [`Self::next_public_key_id`], PEM.
    pub next_public_key_pem: String,
    /// Serial of the platform certificate.
    pub platform_serial: String,
    /// The platform certificate, PEM.
    pub platform_certificate_pem: String,
    /// Root of the TLS listener's certificate, PEM: what `http.ca_file` of a test must hold.
    pub tls_root_pem: String,
}

/// The merchant side of the sandbox's keys. They are published test vectors, worth nothing.
#[must_use]
pub fn merchant_keys() -> MerchantKeys {
    let options = GatewayOptions::default();
    MerchantKeys {
        appid: options.appid,
        mchid: options.mchid,
        sub_mchid: options.sub_mchids.into_iter().next().unwrap_or_default(),
        serial_no: MERCHANT_SERIAL.to_owned(),
        private_key_pem: MERCHANT_PRIVATE_KEY.to_owned(),
        certificate_pem: MERCHANT_CERT.to_owned(),
        apiv3_key: APIV3_KEY.to_owned(),
        apiv2_key: APIV2_KEY.to_owned(),
        app_secret: APP_SECRET.to_owned(),
        public_key_id: PUBLIC_KEY_ID.to_owned(),
        public_key_pem: PUBLIC_KEY.to_owned(),
        next_public_key_id: NEXT_PUBLIC_KEY_ID.to_owned(),
        next_public_key_pem: NEXT_PUBLIC_KEY.to_owned(),
        platform_serial: PLATFORM_SERIAL.to_owned(),
        platform_certificate_pem: PLATFORM_CERT.to_owned(),
        tls_root_pem: ROOT_CERT.to_owned(),
    }
}

/// The keys of the second merchant, who has nothing to do with the first.
#[must_use]
pub fn other_merchant_keys() -> MerchantKeys {
    MerchantKeys {
        mchid: GatewayOptions::default().other_mchid,
        serial_no: OTHER_SERIAL.to_owned(),
        private_key_pem: OTHER_PRIVATE_KEY.to_owned(),
        certificate_pem: OTHER_CERT.to_owned(),
        ..merchant_keys()
    }
}

/// A key of the gateway and the name that it goes by.
struct SigningKey {
    id: &'static str,
    pair: RsaKeyPair,
}

/// A merchant as the gateway knows it.
struct KnownMerchant {
    mchid: String,
    serial: &'static str,
    public: Vec<u8>,
    certificate: Vec<u8>,
}

/// A platform certificate as `/v3/certificates` hands it out.
pub(crate) struct PlatformCertificate {
    pub(crate) serial: &'static str,
    pub(crate) pem: &'static str,
}

/// The gateway's own half: signs answers, checks requests.
pub(crate) struct GatewayKeys {
    mode: KeyMode,
    signing: Vec<SigningKey>,
    merchants: Vec<KnownMerchant>,
}

impl GatewayKeys {
    /// Loads the keys in the source; fails only if they were damaged there.
    pub(crate) fn load(options: &GatewayOptions) -> Result<Self, String> {
        let signing = [
            (PUBLIC_KEY_ID, PUBLIC_KEY_PRIVATE),
            (PLATFORM_SERIAL, PLATFORM_PRIVATE_KEY),
            (NEXT_PUBLIC_KEY_ID, NEXT_PRIVATE_KEY),
            (NEXT_SERIAL, NEXT_PRIVATE_KEY),
        ];
        let signing = signing.into_iter().map(|(id, pem)| Ok(SigningKey { id, pair: private_key(pem)? }));
        Ok(Self {
            mode: options.mode,
            signing: signing.collect::<Result<_, String>>()?,
            merchants: vec![
                merchant(&options.mchid, MERCHANT_SERIAL, MERCHANT_PRIVATE_KEY, MERCHANT_CERT)?,
                merchant(&options.other_mchid, OTHER_SERIAL, OTHER_PRIVATE_KEY, OTHER_CERT)?,
            ],
        })
    }

    /// The name of the key that signs an answer: what the request asked for, else that of the mode. After the rotation
    /// it is always the next one.
    pub(crate) fn signing_id(&self, asked: Option<&str>, rotated: bool) -> &'static str {
        let by_public_key = asked.map_or(self.mode == KeyMode::PublicKey, |asked| asked.starts_with("PUB_KEY_ID_"));
        match (by_public_key, rotated) {
            (true, false) => PUBLIC_KEY_ID,
            (false, false) => PLATFORM_SERIAL,
            (true, true) => NEXT_PUBLIC_KEY_ID,
            (false, true) => NEXT_SERIAL,
        }
    }

    /// Whether a request may name this key in `Wechatpay-Serial`.
    pub(crate) fn knows_signing_id(&self, id: &str) -> bool {
        self.signing.iter().any(|key| key.id == id)
    }

    /// The Base64 signature over `content` by the key with this name.
    pub(crate) fn sign(&self, id: &str, content: &[u8]) -> String {
        let Some(key) = self.signing.iter().find(|key| key.id == id) else {
            tracing::error!(id, "the sandbox has no such key; the terminal will refuse the answer");
            return String::new();
        };
        let mut signature = vec![0; key.pair.public().modulus_len()];
        if key.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), content, &mut signature).is_err() {
            tracing::error!("the sandbox could not sign an answer; the terminal will refuse it");
        }
        STANDARD.encode(signature)
    }

    /// Whether a merchant has a certificate with this serial.
    pub(crate) fn knows_merchant(&self, mchid: &str, serial: &str) -> bool {
        self.merchants.iter().any(|merchant| merchant.mchid == mchid && merchant.serial == serial)
    }

    /// Whether the Base64 `signature` of a merchant's request holds for `content`.
    pub(crate) fn request_is_signed(&self, mchid: &str, content: &[u8], signature: &str) -> bool {
        let merchant = self.merchants.iter().find(|merchant| merchant.mchid == mchid);
        let signature = STANDARD.decode(signature).ok();
        merchant.zip(signature).is_some_and(|(merchant, signature)| {
            UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &merchant.public).verify(content, &signature).is_ok()
        })
    }

    /// Whether the certificate that a client showed is this merchant's.
    pub(crate) fn is_certificate_of(&self, mchid: &str, der: &[u8]) -> bool {
        self.merchants.iter().any(|merchant| merchant.mchid == mchid && merchant.certificate == der)
    }

    /// The certificates that may be downloaded; none in public-key mode.
    pub(crate) fn platform_certificates(&self, rotated: bool) -> Vec<PlatformCertificate> {
        let current = PlatformCertificate { serial: PLATFORM_SERIAL, pem: PLATFORM_CERT };
        let next = PlatformCertificate { serial: NEXT_SERIAL, pem: NEXT_CERT };
        match (self.mode, rotated) {
            (KeyMode::PublicKey, _) => Vec::new(),
            (KeyMode::Certificate, false) => vec![current],
            (KeyMode::Certificate, true) => vec![current, next],
        }
    }
}

fn merchant(mchid: &str, serial: &'static str, key: &str, certificate: &str) -> Result<KnownMerchant, String> {
    let public = private_key(key)?.public_key().as_ref().to_vec();
    Ok(KnownMerchant { mchid: mchid.to_owned(), serial, public, certificate: der(certificate)? })
}

fn private_key(pem: &str) -> Result<RsaKeyPair, String> {
    RsaKeyPair::from_pkcs8(&der(pem)?).map_err(|error| error.to_string())
}

fn der(pem: &str) -> Result<Vec<u8>, String> {
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(body).map_err(|error| error.to_string())
}
