//! Every wrong setting is a clear sentence.

use super::*;
use crate::channel::wechat::SetupError;

fn refused(config: Config) -> SetupError {
    match Wechat::new(config) {
        Err(error) => error,
        Ok(_) => panic!("it was taken"),
    }
}

fn stored(change: impl FnOnce(&mut Store)) -> Config {
    let mut store = config().store;
    change(&mut store);
    Config { store, ..config() }
}

#[test]
fn good_settings_are_taken() {
    for good in [config(), v3_config(), partner(config()), delivering()] {
        assert_eq!(wechat(good).serial(), text("/merchant/serial_no"));
    }
    let lower = MerchantCertificate::Serial(text("/merchant/serial_no").to_lowercase());
    assert_eq!(wechat(Config { certificate: lower, ..config() }).serial(), text("/merchant/serial_no"));
    let v3_without_v2_key = Config { v2_key: None, ..v3_config() };
    assert!(Wechat::new(v3_without_v2_key).is_ok());
}

#[test]
fn the_serial_number_is_read_from_the_certificate() {
    let pem = MerchantCertificate::Pem(text("/merchant/certificate_pem"));
    assert_eq!(wechat(Config { certificate: pem, ..config() }).serial(), text("/merchant/serial_no"));
    let other = MerchantCertificate::Pem(text("/platform_certificate/certificate_pem"));
    assert_eq!(refused(Config { certificate: other, ..config() }), SetupError::CertificateNotForKey);
    let none = MerchantCertificate::Pem(text("/merchant/private_key_pem"));
    assert!(matches!(refused(Config { certificate: none, ..config() }), SetupError::Certificate(_)));
}

#[test]
fn every_wrong_setting_is_named() {
    let sub =
        |mchid: &str, appid: Option<&str>| Some(SubMerchant { mchid: mchid.into(), appid: appid.map(str::to_owned) });
    let hosts = |pay: &str| Hosts { pay: pay.into(), ..Hosts::default() };
    for (wrong, words) in [
        (Config { mchid: "19x".into(), ..config() }, "mchid"),
        (Config { mchid: String::new(), ..config() }, "mchid"),
        (Config { appid: "2021000000000001".into(), ..config() }, "appid"),
        (Config { sub_merchant: sub("x", None), ..config() }, "sub_mchid"),
        (Config { sub_merchant: sub("1900000109", Some("x")), ..config() }, "sub_appid"),
        (Config { certificate: MerchantCertificate::Serial("1".into()), ..config() }, "40 hex digits"),
        (Config { certificate: MerchantCertificate::Serial("PUB_KEY_ID_1".into()), ..config() }, "40 hex digits"),
        (Config { private_key: Secret::new("x".into()), ..config() }, "apiclient_key.pem"),
        (Config { private_key: Secret::new(text("/merchant/public_key_pem")), ..config() }, "apiclient_key.pem"),
        (Config { apiv3_key: Secret::new("short".into()), ..config() }, "apiv3_key"),
        (Config { v2_key: Some(Secret::new("short".into())), ..config() }, "v2_key_file must hold"),
        (Config { v2_key: None, ..config() }, "set v2_key_file"),
        (Config { store: config().store, ..v3_config() }, "store_id or store_out_id"),
        (Config { hosts: hosts("api.mch.weixin.qq.com"), ..config() }, "gateway_url"),
        (Config { hosts: hosts("https://api.mch.weixin.qq.com/"), ..config() }, "gateway_url"),
        (Config { hosts: hosts("https://"), ..config() }, "gateway_url"),
        (Config { goods_tag: Some("x".repeat(33)), ..config() }, "goods_tag"),
        (Config { limit_pay: Some("no_money".into()), ..config() }, "limit_pay"),
        (Config { limit_pay: Some("no_balance".into()), ..config() }, "only no_credit"),
        (Config { limit_pay: Some("no_credit".into()), ..v3_config() }, "does nothing here"),
        (stored(|store| store.terminal_ip = "machine".into()), "terminal_ip"),
        (stored(|store| store.area_code = Some("4403".into())), "area_code"),
        (stored(|store| store.device_id = Some(String::new())), "terminal.id"),
        (stored(|store| store.name = Some(" ".into())), "store_name"),
    ] {
        let error = refused(wrong).to_string();
        assert!(error.contains(words), "{error} does not name {words}");
    }
}

#[test]
fn notices_go_to_a_public_address() {
    for url in [
        "",
        "http://pay.example.com/n",
        "https://",
        "https://localhost/n",
        "https://127.0.0.1/n",
        "https://[::1]/n",
        "https://pay.example.com/n?a=1",
        "https://pay.example.com/通知",
        &format!("https://pay.example.com/{}", "x".repeat(255)),
    ] {
        assert_eq!(refused(Config { notify_url: url.into(), ..config() }), SetupError::NotifyUrl(url.into()));
    }
}

#[test]
fn wechats_keys_are_wechats() {
    let with = |id: &str, pem: String| Config {
        verify: Verify { public_key: Some(WechatKey { id: id.into(), pem }), ..Verify::default() },
        ..config()
    };
    let id = text("/platform_public_key/public_key_id");
    assert_eq!(refused(with(&id, text("/merchant/public_key_pem"))), SetupError::KeyIsOurs);
    for wrong in ["PUB_KEY_ID_", "0116", &text("/platform_certificate/serial_no"), "PUB_KEY_ID_\"1"] {
        let error = refused(with(wrong, text("/platform_public_key/public_key_pem")));
        assert_eq!(error, SetupError::PublicKeyId(wrong.into()));
    }
    assert!(matches!(refused(with(&id, text("/platform_public_key/private_key_pem"))), SetupError::PublicKey(_)));
    let certificates = |pem: &str| Config {
        verify: Verify {
            public_key: None,
            certificates: vec![text("/platform_certificate/certificate_pem"), text(pem)],
        },
        ..config()
    };
    assert_eq!(refused(certificates("/merchant/certificate_pem")), SetupError::KeyIsOurs);
    assert!(
        refused(certificates("/merchant/public_key_pem"))
            .to_string()
            .starts_with("certificate 2 of platform_cert_files")
    );
}
