//! Key and certificate texts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use payment::channel::alipay::cert::{Certificate, chains_to_root, root_serial_number, serial_number};
use payment::channel::allinpay::vsp::rsa;
use payment::channel::allinpay::{sm2, yst::sm4};
use payment::channel::wechat::{aead, cert};
use payment::channel::{alipay::aes, keys, pem};

const LABELS: [&str; 6] = ["", "PRIVATE KEY", "RSA PRIVATE KEY", "PUBLIC KEY", "RSA PUBLIC KEY", "CERTIFICATE"];

/// The first byte chooses a label: the rest is DER under it; or the text itself.
pub fn loaders(data: &[u8]) {
    let Some((pick, rest)) = data.split_first() else { return };
    let text = match LABELS.get(usize::from(pick % 8)) {
        None => String::from_utf8_lossy(rest).into_owned(),
        Some(&"") => STANDARD.encode(rest),
        Some(label) => format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(rest)),
    };
    assert!(pem::blocks(&text) == pem::blocks(&text), "two readings");
    private_keys(&text);
    public_keys(&text);
    certificates(&text);
    symmetric(&text);
}

/// A private key that is taken signs what its public half verifies, and nothing else.
fn private_keys(text: &str) {
    if let Ok(key) = keys::PrivateKey::load(text) {
        let sign = key.sign_sha256(b"till");
        // The library refuses to sign with numbers that do not belong together; the set-up's own test refuses them then.
        assert!(sign.is_empty() || key.public().verify(b"till", &sign), "RSA: it signs and does not verify");
        assert!(!key.public().verify(b"tilt", &sign), "RSA: it verifies another text");
    }
    if let Ok(key) = sm2::PrivateKey::load(text) {
        let sign = key.sign_sm3(b"till", [1; 32]);
        assert!(key.public().verify_sm3(b"till", &sign), "SM2: it signs and does not verify");
        assert!(!key.public().verify_sm3(b"tilt", &sign), "SM2: it verifies another text");
    }
    if let Ok(key) = rsa::PrivateKey::load(text) {
        let sign = key.sign_sha1(b"till", [1; 32]);
        assert!(!key.public().verify_sha1(b"tilt", &sign), "RSA, SHA-1: it verifies another text");
    }
}

/// Nothing verifies an empty signature, or one of zeros.
fn public_keys(text: &str) {
    let zeros = STANDARD.encode([0; 256]);
    for sign in ["", zeros.as_str()] {
        assert!(!keys::PublicKey::load(text).is_ok_and(|key| key.verify(b"till", sign)), "RSA: {sign:?}");
        assert!(!sm2::PublicKey::load(text).is_ok_and(|key| key.verify_sm3(b"till", sign)), "SM2: {sign:?}");
        let small = STANDARD.encode([0; 128]);
        let old = rsa::PublicKey::load(text);
        let verifies = |sign: &str| old.as_ref().is_ok_and(|key| key.verify_sha1(b"till", sign));
        assert!(!verifies(sign) && !verifies(&small), "RSA, SHA-1: {sign:?}");
    }
}

fn certificates(text: &str) {
    let first = serial_number(text);
    if let Ok(sn) = &first {
        assert!(sn.len() == 32 && sn.bytes().all(|byte| byte.is_ascii_hexdigit()), "{sn:?}");
    }
    assert!(first == serial_number(text), "two numbers");
    let _roots = root_serial_number(text);
    if let Ok(found) = Certificate::read_all(text) {
        let _keys: Vec<_> = found.iter().map(Certificate::public_key).collect();
        assert!(!chains_to_root(&found[0], &found, &[]), "it leads to no root");
    }
    if let Ok(read) = cert::Certificate::read(text) {
        assert!(read.serial.bytes().all(|byte| byte.is_ascii_hexdigit()), "{:?}", read.serial);
    }
}

fn symmetric(text: &str) {
    if let Ok(key) = aes::Key::load(text) {
        assert!(key.decrypt(&key.encrypt(b"till")).is_ok_and(|plain| plain == b"till"), "AES");
    }
    let _apiv3 = aead::Key::load(text);
    if let Ok(key) = sm4::Key::load(text) {
        assert!(key.decrypt(&key.encrypt("till")).is_ok_and(|plain| plain == "till"), "SM4");
    }
    let known = aes::Key::load("AAECAwQFBgcICQoLDA0ODw==");
    let _opened = known.map(|key| key.decrypt(text));
    let _opened = sm4::Key::load("00112233445566778899aabbccddeeff").map(|key| key.decrypt(text));
}
