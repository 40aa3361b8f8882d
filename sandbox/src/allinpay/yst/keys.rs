//! The throw-away keys of 云商通.

use super::super::keys::{Sm2Signer, Sm2Verifier};
use super::options::YstOptions;

const MERCHANT: &str = include_str!("../../../keys/yst_merchant_sm2_private_key.pem");
const MERCHANT_LONG: &str = include_str!("../../../keys/yst_merchant_sm2_private_key_with_parameters.pem");
const MERCHANT_PUBLIC: &str = include_str!("../../../keys/yst_merchant_sm2_public_key.pem");
const PLATFORM: &str = include_str!("../../../keys/yst_platform_sm2_private_key.pem");
const PLATFORM_PUBLIC: &str = include_str!("../../../keys/yst_platform_sm2_public_key.pem");
const SECRET_KEY: &str = include_str!("../../../keys/yst_secret_key.txt");

/// Everything that a till's configuration needs to sell through the simulated 云商通. Published, worth nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YstKeys {
    /// Application number.
    pub app_id: String,
    /// A member who may get the money.
    pub receiver_sign_num: String,
    /// The VSP merchant underneath.
    pub vsp_cusid: String,
    /// The application's SM2 key, PKCS#8 PEM as OpenSSL writes it.
    pub merchant_sm2_private_key_pem: String,
    /// The same key with the redundant curve parameters, as Allinpay writes it.
    pub merchant_sm2_private_key_with_parameters_pem: String,
    /// Allinpay's SM2 key.
    pub platform_sm2_public_key_pem: String,
    /// `secretKey`: the SM4 key of card and identity numbers, 32 hexadecimal digits.
    pub secret_key: String,
}

/// The merchant side of the simulated 云商通's keys.
#[must_use]
pub fn yst_keys() -> YstKeys {
    let options = YstOptions::default();
    YstKeys {
        app_id: options.app_id,
        receiver_sign_num: options.members.first().cloned().unwrap_or_default(),
        vsp_cusid: options.vsp_cusid,
        merchant_sm2_private_key_pem: MERCHANT.to_owned(),
        merchant_sm2_private_key_with_parameters_pem: MERCHANT_LONG.to_owned(),
        platform_sm2_public_key_pem: PLATFORM_PUBLIC.to_owned(),
        secret_key: SECRET_KEY.trim().to_owned(),
    }
}

/// The gateway's half: signs answers, checks requests.
pub(super) struct GatewayKeys {
    pub(super) platform: Sm2Signer,
    pub(super) merchant: Sm2Verifier,
    /// The SM4 key.
    pub(super) secret: [u8; 16],
}

impl GatewayKeys {
    /// Fails only if a key in the source is damaged.
    pub(super) fn load() -> Result<Self, String> {
        Ok(Self {
            platform: Sm2Signer::from_pem(PLATFORM)?,
            merchant: Sm2Verifier::from_pem(MERCHANT_PUBLIC)?,
            secret: super::sm4_ecb::key(SECRET_KEY.trim()).ok_or("the secret key is not 32 hexadecimal digits")?,
        })
    }
}
