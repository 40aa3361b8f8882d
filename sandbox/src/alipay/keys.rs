//! The sandbox's throw-away keys and certificates, and RSA2 over them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey};

use super::options::{GatewayOptions, KeyMode};

const APP_PRIVATE_KEY: &str = include_str!("../../keys/app_private_key.pem");
const APP_PUBLIC_KEY: &str = include_str!("../../keys/app_public_key.pem");
const ALIPAY_PRIVATE_KEY: &str = include_str!("../../keys/alipay_private_key.pem");
const ALIPAY_PUBLIC_KEY: &str = include_str!("../../keys/alipay_public_key.pem");
const NEXT_PRIVATE_KEY: &str = include_str!("../../keys/alipay_next_private_key.pem");
const APP_CERT: &str = include_str!("../../keys/app_cert.pem");
const ALIPAY_CERT: &str = include_str!("../../keys/alipay_cert.pem");
const NEXT_CERT: &str = include_str!("../../keys/alipay_next_cert.pem");
const ROOT_CERTS: &str = include_str!("../../keys/root_certs.pem");

/// Serial of the merchant's certificate; `keys/README.md` says how it was made.
pub(crate) const APP_CERT_SN: &str = "e06e0531c04f46cad125015350a029d2";
/// Serials of the RSA roots of the bundle, in file order.
pub(crate) const ROOT_CERT_SN: &str = "ad7336ff58342939667a6019df8d2efb_5b5c02c427c2d24cef7415db2bb2e922";
/// Serial of the gateway's certificate.
pub(crate) const ALIPAY_CERT_SN: &str = "c26a74c16306234863a553acb5f5c6c3";
/// Serial of the gateway's certificate after the rotation.
pub(crate) const NEXT_CERT_SN: &str = "4caf9885c1ecc8a827f868b1ddd9f0af";

/// Everything that a till's configuration needs to sell through the sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MerchantKeys {
    /// The application's id.
    pub app_id: String,
    /// The application's private key, PKCS#8 PEM.
    pub app_private_key_pem: String,
    /// The gateway's public key, PEM: what answers are checked with in public-key mode.
    pub alipay_public_key_pem: String,
    /// The certificate files of certificate mode.
    pub certificates: CertificateFiles,
}

/// The texts of the three files that Alipay hands out in certificate mode (reference/alipay.md 3.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// `appCertPublicKey_<appid>.crt`
    pub app_cert_pem: String,
    /// `alipayCertPublicKey_RSA2.crt`
    pub alipay_cert_pem: String,
    /// `alipayRootCert.crt`
    pub root_cert_pem: String,
}

/// The merchant side of the sandbox's keys. They are published test vectors, worth nothing.
#[must_use]
pub fn merchant_keys() -> MerchantKeys {
    MerchantKeys {
        app_id: GatewayOptions::default().app_id,
        app_private_key_pem: APP_PRIVATE_KEY.to_owned(),
        alipay_public_key_pem: ALIPAY_PUBLIC_KEY.to_owned(),
        certificates: CertificateFiles {
            app_cert_pem: APP_CERT.to_owned(),
            alipay_cert_pem: ALIPAY_CERT.to_owned(),
            root_cert_pem: ROOT_CERTS.to_owned(),
        },
    }
}

/// The gateway's own half: signs answers, checks requests.
pub(crate) struct GatewayKeys {
    current: RsaKeyPair,
    next: RsaKeyPair,
    app_public: Vec<u8>,
    certificate_mode: bool,
}

impl GatewayKeys {
    /// Loads the keys in the source; fails only if they were damaged there.
    pub(crate) fn load(mode: KeyMode) -> Result<Self, String> {
        Ok(Self {
            current: private_key(ALIPAY_PRIVATE_KEY)?,
            next: private_key(NEXT_PRIVATE_KEY)?,
            app_public: rsa_public_key(APP_PUBLIC_KEY)?,
            certificate_mode: mode == KeyMode::Certificate,
        })
    }

    /// The Base64 signature over `content`, by the rotated key when `rotated`.
    pub(crate) fn sign(&self, content: &[u8], rotated: bool) -> String {
        let key = if self.rotates(rotated) { &self.next } else { &self.current };
        let mut signature = vec![0; key.public().modulus_len()];
        let signed = key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), content, &mut signature);
        if signed.is_err() {
            tracing::error!("the sandbox could not sign an answer; the terminal will refuse it");
        }
        STANDARD.encode(signature)
    }

    /// The serial that an answer names, in certificate mode.
    pub(crate) fn cert_sn(&self, rotated: bool) -> Option<&'static str> {
        self.certificate_mode.then_some(if rotated { NEXT_CERT_SN } else { ALIPAY_CERT_SN })
    }

    /// Whether the Base64 `signature` of a request holds for `content`.
    pub(crate) fn request_is_signed(&self, content: &[u8], signature: &str) -> bool {
        STANDARD.decode(signature).is_ok_and(|signature| {
            UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.app_public).verify(content, &signature).is_ok()
        })
    }

    fn rotates(&self, rotated: bool) -> bool {
        self.certificate_mode && rotated
    }
}

/// The PEM of the gateway's certificate with serial `sn`, and of its issuer.
pub(crate) fn certificate(sn: &str) -> Option<&'static str> {
    match sn {
        ALIPAY_CERT_SN => Some(ALIPAY_CERT),
        NEXT_CERT_SN => Some(NEXT_CERT),
        _ => None,
    }
}

fn private_key(pem: &str) -> Result<RsaKeyPair, String> {
    RsaKeyPair::from_pkcs8(&der(pem)?).map_err(|error| error.to_string())
}

/// The RSAPublicKey inside a 2048-bit SubjectPublicKeyInfo, which is what ring wants.
fn rsa_public_key(pem: &str) -> Result<Vec<u8>, String> {
    // SEQUENCE, AlgorithmIdentifier of rsaEncryption, BIT STRING header: the same 24 bytes for every 2048-bit key.
    const PREFIX: usize = 24;
    der(pem)?.get(PREFIX..).map(<[u8]>::to_vec).ok_or_else(|| "the public key is too short".to_owned())
}

fn der(pem: &str) -> Result<Vec<u8>, String> {
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(body).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_signed_by_the_key_that_the_terminal_knows() {
        let keys = GatewayKeys::load(KeyMode::PublicKey).unwrap();
        let signature = STANDARD.decode(keys.sign(b"{}", true)).unwrap();
        let alipay = rsa_public_key(ALIPAY_PUBLIC_KEY).unwrap();
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, alipay)
            .verify(b"{}", &signature)
            .expect("public-key mode never rotates");
    }

    #[test]
    fn every_certificate_named_in_answers_can_be_downloaded() {
        for sn in [ALIPAY_CERT_SN, NEXT_CERT_SN] {
            assert!(certificate(sn).is_some_and(|pem| pem.contains("BEGIN CERTIFICATE")));
        }
        assert_eq!(certificate(APP_CERT_SN), None);
    }
}
