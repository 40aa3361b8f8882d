//! VSP's throw-away keys.

use super::super::keys::{RsaSigner, RsaVerifier, Sm2Signer, Sm2Verifier};
use super::options::{SignType, VspOptions};

const APP_KEY: &str = include_str!("../../../keys/vsp_app_key.txt");
const MERCHANT_RSA: &str = include_str!("../../../keys/vsp_merchant_rsa_private_key.pem");
const MERCHANT_RSA_PUBLIC: &str = include_str!("../../../keys/vsp_merchant_rsa_public_key.pem");
const PLATFORM_RSA: &str = include_str!("../../../keys/vsp_platform_rsa_private_key.pem");
const PLATFORM_RSA_PUBLIC: &str = include_str!("../../../keys/vsp_platform_rsa_public_key.pem");
const MERCHANT_SM2: &str = include_str!("../../../keys/vsp_merchant_sm2_private_key.pem");
const MERCHANT_SM2_LONG: &str = include_str!("../../../keys/vsp_merchant_sm2_private_key_with_parameters.pem");
const MERCHANT_SM2_PUBLIC: &str = include_str!("../../../keys/vsp_merchant_sm2_public_key.pem");
const PLATFORM_SM2: &str = include_str!("../../../keys/vsp_platform_sm2_private_key.pem");
const PLATFORM_SM2_PUBLIC: &str = include_str!("../../../keys/vsp_platform_sm2_public_key.pem");

/// Everything that a till's configuration needs to sell through the simulated VSP. Published, worth nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VspKeys {
    /// Merchant number.
    pub cusid: String,
    /// Application number.
    pub appid: String,
    /// The key of MD5, both ways.
    pub app_key: String,
    /// The merchant's RSA key, 2048 bit, PKCS#8 PEM.
    pub merchant_rsa_private_key_pem: String,
    /// Allinpay's RSA key, 1024 bit, as the real one.
    pub platform_rsa_public_key_pem: String,
    /// The merchant's SM2 key, PKCS#8 PEM as OpenSSL writes it.
    pub merchant_sm2_private_key_pem: String,
    /// The same key with the redundant curve parameters, as Allinpay writes it.
    pub merchant_sm2_private_key_with_parameters_pem: String,
    /// Allinpay's SM2 key.
    pub platform_sm2_public_key_pem: String,
}

/// The merchant side of the simulated VSP's keys.
#[must_use]
pub fn vsp_keys() -> VspKeys {
    let options = VspOptions::default();
    VspKeys {
        cusid: options.cusid,
        appid: options.appid,
        app_key: APP_KEY.trim().to_owned(),
        merchant_rsa_private_key_pem: MERCHANT_RSA.to_owned(),
        platform_rsa_public_key_pem: PLATFORM_RSA_PUBLIC.to_owned(),
        merchant_sm2_private_key_pem: MERCHANT_SM2.to_owned(),
        merchant_sm2_private_key_with_parameters_pem: MERCHANT_SM2_LONG.to_owned(),
        platform_sm2_public_key_pem: PLATFORM_SM2_PUBLIC.to_owned(),
    }
}

/// The gateway's half: signs answers, checks requests.
pub(super) struct GatewayKeys {
    sign_type: SignType,
    rsa: RsaSigner,
    merchant_rsa: RsaVerifier,
    sm2: Sm2Signer,
    merchant_sm2: Sm2Verifier,
}

impl GatewayKeys {
    /// Fails only if a key in the source or in the options is damaged.
    pub(super) fn load(options: &VspOptions) -> Result<Self, String> {
        let merchant = options.merchant_rsa_public_key_pem.as_deref().unwrap_or(MERCHANT_RSA_PUBLIC);
        Ok(Self {
            sign_type: options.sign_type,
            rsa: RsaSigner::from_pem(PLATFORM_RSA)?,
            merchant_rsa: RsaVerifier::from_pem(merchant)?,
            sm2: Sm2Signer::from_pem(PLATFORM_SM2)?,
            merchant_sm2: Sm2Verifier::from_pem(MERCHANT_SM2_PUBLIC)?,
        })
    }

    /// The key that takes part in the string, when it is MD5's turn.
    pub(super) fn md5_key(&self) -> Option<&'static str> {
        (self.sign_type == SignType::Md5).then_some(APP_KEY.trim())
    }

    /// The signature over a string that already holds the MD5 key if there is one.
    pub(super) fn sign(&self, text: &str) -> String {
        match self.sign_type {
            SignType::Md5 => super::sign::md5_hex(text),
            SignType::Rsa => self.rsa.sign(text),
            SignType::Sm2 => self.sm2.sign(text),
        }
    }

    /// Whether the merchant's signature holds.
    pub(super) fn request_is_signed(&self, text: &str, signature: &str) -> bool {
        match self.sign_type {
            SignType::Md5 => super::sign::md5_hex(text).eq_ignore_ascii_case(signature),
            SignType::Rsa => self.merchant_rsa.holds(text, signature),
            SignType::Sm2 => self.merchant_sm2.holds(text, signature),
        }
    }
}
