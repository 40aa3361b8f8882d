//! Wrong settings are named before the first sale.

use super::super::cert::CertError;
use super::super::{Alipay, CertificateFile, Config, SetupError, Verify};
use super::{certificate_config, config, text};
use crate::channel::keys::{KeyError, PrivateKey, PublicKey};
use crate::channel::pem::PemError;
use crate::redact::Secret;

fn refusal(config: Config) -> SetupError {
    Alipay::new(config).map(|_| ()).unwrap_err()
}

fn bare(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with("-----")).collect()
}

#[test]
fn our_key_is_taken_in_every_form_that_alipay_hands_out() {
    let pkcs1 = text("/keys/app/pkcs1_pem");
    let pkcs8 = text("/keys/app/pkcs8_pem");
    let expected = PrivateKey::load(&pkcs1).unwrap().sign_sha256(b"x");
    for form in [
        pkcs8.clone(),
        bare(&pkcs1),
        bare(&pkcs8),
        format!("  \r\n{}\r\n\r\n", pkcs1.replace('\n', "\r\n")),
        format!("{}\n", bare(&pkcs8)),
    ] {
        assert_eq!(PrivateKey::load(&form).unwrap().sign_sha256(b"x"), expected);
        let private_key = Secret::new(form);
        assert!(Alipay::new(Config { private_key, ..config() }).is_ok());
    }
}

#[test]
fn alipays_key_is_taken_in_every_form() {
    let spki = text("/keys/app/public_spki_pem");
    let expected = PrivateKey::load(&text("/keys/app/pkcs1_pem")).unwrap().public();
    for form in [spki.clone(), bare(&spki), text("/keys/app/public_pkcs1_pem"), spki.replace('\n', "\r\n")] {
        assert_eq!(PublicKey::load(&form), Ok(expected.clone()));
    }
}

#[test]
fn our_own_key_in_place_of_alipays_is_recognised() {
    let ours = text("/keys/app/public_spki_pem");
    let verify = Verify::PublicKey(bare(&ours));
    assert_eq!(refusal(Config { verify, ..config() }), SetupError::AlipayKeyIsOurs);
    let Verify::Certificates { app, root, .. } = certificate_config().verify else { panic!() };
    let verify = Verify::Certificates { alipay: app.clone(), app, root };
    assert_eq!(refusal(Config { verify, ..config() }), SetupError::AlipayKeyIsOurs);
}

#[test]
fn a_key_of_the_wrong_kind_is_named() {
    let private = |text: String| refusal(Config { private_key: Secret::new(text), ..config() });
    let public = |text: String| refusal(Config { verify: Verify::PublicKey(text), ..config() });
    let is = |error: SetupError, thing: &str| {
        let said = error.to_string();
        assert!(said.contains(&format!("it is {thing}, and")), "{said}");
    };
    is(private(text("/keys/app/public_spki_pem")), "a public key");
    is(private(text("/cert_sn/certs/0/pem")), "a certificate");
    is(public(text("/keys/app/pkcs8_pem")), "a private key");
    is(public(text("/cert_sn/certs/1/pem")), "a certificate");
    assert_eq!(private(String::new()), SetupError::PrivateKey(KeyError::Text(PemError::Empty)));
    assert_eq!(public("no key".into()), SetupError::AlipayKey(KeyError::Text(PemError::NotBase64)));
    assert!(matches!(public("AAAA".into()), SetupError::AlipayKey(KeyError::Damaged(_))));
}

#[test]
fn a_key_that_was_cut_or_changed_is_refused() {
    let whole = bare(&text("/keys/app/pkcs1_pem"));
    let cut = whole[..whole.len() - 8].to_owned();
    let changed = whole.replacen("iitI", "iitJ", 1);
    assert_ne!(changed, whole);
    for broken in [cut, changed] {
        let error = refusal(Config { private_key: Secret::new(broken), ..config() });
        assert!(matches!(error, SetupError::PrivateKey(KeyError::Damaged(_))), "{error}");
    }
}

#[test]
fn small_and_foreign_public_keys_are_refused() {
    // 512 bits: an SPKI around a modulus of 64 bytes.
    let modulus = [&[0x02, 0x41, 0x00][..], &[0xC1; 64]].concat();
    let pkcs1 = [&[0x30, 0x48][..], &modulus, &[0x02, 0x03, 1, 0, 1]].concat();
    let pem = |der: &[u8]| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, der);
    assert_eq!(PublicKey::load(&pem(&pkcs1)), Err(KeyError::TooSmall(512)));
    // An SPKI with an Ed25519 key.
    let ed25519 = [&[0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00][..], &[7; 32]].concat();
    assert_eq!(PublicKey::load(&pem(&ed25519)), Err(KeyError::NotRsa));
}

#[test]
fn certificate_files_that_do_not_fit_are_named() {
    assert!(Alipay::new(certificate_config()).is_ok());
    let Verify::Certificates { app, alipay, root } = certificate_config().verify else { panic!() };
    let with = |app: &str, alipay: &str, root: &str| {
        let verify = Verify::Certificates { app: app.into(), alipay: alipay.into(), root: root.into() };
        refusal(Config { verify, ..config() })
    };
    assert_eq!(with(&alipay, &alipay, &root), SetupError::CertificateNotForKey);
    let none = |file, problem| SetupError::Certificate { file, problem };
    assert_eq!(with(&app, "", &root), none(CertificateFile::Alipay, CertError::NoCertificate));
    assert_eq!(with(&app, &alipay, "x"), none(CertificateFile::Root, CertError::NoCertificate));
    let sm2_only = root.split_inclusive("-----END CERTIFICATE-----").next().unwrap();
    assert_eq!(with(&app, &alipay, sm2_only), none(CertificateFile::Root, CertError::NoRsaRoot));
    let key_file = text("/keys/app/public_spki_pem");
    assert_eq!(with(&key_file, &alipay, &root), none(CertificateFile::App, CertError::NoCertificate));
}

#[test]
fn texts_of_wrong_length_or_kind_are_named() {
    let app_id = |id: &str| refusal(Config { app_id: id.into(), ..config() });
    assert_eq!(app_id("2088000000000001"), SetupError::PidForAppId("2088000000000001".into()));
    for wrong in ["", "202100000000000", "20210000000000O1", &"1".repeat(33)] {
        assert_eq!(app_id(wrong), SetupError::AppId(wrong.into()));
    }
    for wrong in ["", "openapi.alipay.com", "ftp://x", "https://", "https:///x", "https://x?a=b", "https://x y"] {
        let gateway_url = wrong.to_owned();
        assert_eq!(refusal(Config { gateway_url, ..config() }), SetupError::GatewayUrl(wrong.into()));
    }
    for wrong in ["", " ", "a b", &"x".repeat(33)] {
        let store_id = Some(wrong.to_owned());
        assert_eq!(refusal(Config { store_id, ..config() }), SetupError::Field { name: "store_id", longest: 32 });
    }
    let lists = Config {
        enable_pay_channels: Some("balance".into()),
        disable_pay_channels: Some("pcredit".into()),
        ..config()
    };
    assert_eq!(refusal(lists), SetupError::BothChannelLists);
    let smid = |smid: &str| Config { smid: Some(smid.to_owned()), ..config() };
    assert!(Alipay::new(smid("2088000000000300")).is_ok());
    for wrong in ["", "2088 0000", &"2".repeat(33)] {
        assert_eq!(refusal(smid(wrong)), SetupError::Field { name: "smid", longest: 32 });
    }
    let two = Config { seller_id: Some("2088000000000001".into()), ..smid("2088000000000300") };
    assert_eq!(refusal(two), SetupError::SmidAndSeller);
    let aes_key = Some(Secret::new("c2hvcnQ=".into()));
    assert!(matches!(refusal(Config { aes_key, ..config() }), SetupError::AesKey(_)));
}

#[test]
fn settings_print_without_their_secrets() {
    let secret = bare(&text("/keys/app/pkcs1_pem"));
    let config = Config {
        private_key: Secret::new(secret.clone()),
        app_auth_token: Some(Secret::new("token-of-the-merchant".into())),
        ..config()
    };
    let printed = format!("{config:?} {:?}", Alipay::new(config.clone()).unwrap());
    assert!(!printed.contains(&secret[..40]) && !printed.contains("token-of-the-merchant"), "{printed}");
}
