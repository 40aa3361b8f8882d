//! What can be wrong with the settings, and that nothing secret is printed.

use super::super::{Config, SetupError, SignType, Terminal, Vsp};
use super::{ENTROPY, NOON, app_key, config, every_request, rsa, sm2, text};
use crate::redact::Secret;

fn refused(config: Config) -> SetupError {
    Vsp::new(config).unwrap_err()
}

#[test]
fn every_way_of_signing_loads() {
    for sign_type in [config().sign_type, rsa(), sm2()] {
        assert!(Vsp::new(Config { sign_type, ..config() }).is_ok());
    }
}

#[test]
fn addresses_and_numbers_are_checked() {
    for url in ["", "vsp.allinpay.com", "https://", "https:///x", "https://a/", "https://a?b", "https://a b", "ftp://a"]
    {
        let wrong = Config { base_url: url.into(), ..config() };
        assert!(matches!(refused(wrong), SetupError::Url { name: "base_url", .. }), "{url}");
        let wrong = Config { statement_base_url: url.into(), ..config() };
        assert!(matches!(refused(wrong), SetupError::Url { name: "statement_base_url", .. }), "{url}");
    }
    let terminal = |number: &str| Terminal { number: number.into(), ..config().terminal };
    let wrong = [
        ("cusid", Config { cusid: "99000000000000".into(), ..config() }),
        ("cusid", Config { cusid: "99000000000000x".into(), ..config() }),
        ("appid", Config { appid: "000000001".into(), ..config() }),
        ("appid", Config { appid: String::new(), ..config() }),
        ("version", Config { version: "1".into(), ..config() }),
        ("orgid", Config { orgid: Some("x".into()), ..config() }),
        ("terminal number", Config { terminal: terminal("1"), ..config() }),
        ("device_type", Config { terminal: Terminal { device_type: "x".into(), ..config().terminal }, ..config() }),
        (
            "pay type",
            Config { pay_types: super::super::PayTypes { ecny: String::new(), ..Default::default() }, ..config() },
        ),
    ];
    for (setting, config) in wrong {
        assert!(matches!(refused(config), SetupError::Number { name, .. } if name == setting), "{setting}");
    }
}

#[test]
fn the_groups_number_is_not_the_merchants() {
    let wrong = Config { orgid: Some(config().cusid), ..config() };
    assert_eq!(refused(wrong), SetupError::OrgidIsCusid);
}

#[test]
fn texts_and_times_are_checked() {
    for text in ["", " x", "a\nb", &"x".repeat(300)] {
        let wrong = Config { notify_url: Some(text.into()), ..config() };
        assert_eq!(refused(wrong), SetupError::Field { name: "notify_url", longest: 256 });
    }
    for minutes in [0, 121] {
        let wrong = Config { longest_valid_minutes: minutes, ..config() };
        assert_eq!(refused(wrong), SetupError::ValidMinutes(minutes));
    }
}

#[test]
fn keys_in_each_others_places_are_found() {
    let md5 = |key: &str| Config { sign_type: SignType::Md5 { app_key: Secret::new(key.into()) }, ..config() };
    for key in ["", "short", "with blanks in it", "密钥密钥密钥密钥"] {
        assert_eq!(refused(md5(key)), SetupError::AppKey, "{key}");
    }
    let with = |private: &str, public: &str, is_rsa: bool| {
        let (private_key, allinpay_key) = (Secret::new(text(private)), text(public));
        let sign_type = if is_rsa {
            SignType::Rsa { private_key, allinpay_key }
        } else {
            SignType::Sm2 { private_key, allinpay_key }
        };
        refused(Config { sign_type, ..config() })
    };
    let (private, public) =
        ("/vsp_keys/merchant_rsa_private_pkcs8_base64", "/vsp_keys/merchant_rsa_public_spki_base64");
    assert_eq!(with(private, public, true), SetupError::AllinpayKeyIsOurs);
    assert!(matches!(with(public, public, true), SetupError::RsaPrivateKey(_)));
    assert!(matches!(with(private, private, true), SetupError::RsaAllinpayKey(_)));
    let (private, public) =
        ("/sm2_keys/vsp_merchant_sm2/private_pkcs8_base64", "/sm2_keys/vsp_merchant_sm2/public_spki_base64");
    assert_eq!(with(private, public, false), SetupError::AllinpayKeyIsOurs);
    assert!(matches!(with(public, public, false), SetupError::Sm2PrivateKey(_)));
    assert!(matches!(with(private, private, false), SetupError::Sm2AllinpayKey(_)));
}

#[test]
fn nothing_secret_is_printed() {
    let secrets = [
        app_key().expose().clone(),
        text("/vsp_keys/merchant_rsa_private_pkcs8_base64"),
        text("/sm2_keys/vsp_merchant_sm2/private_pkcs8_base64"),
        "130061098828009406".into(),
    ];
    for sign_type in [config().sign_type, rsa(), sm2()] {
        let config = Config { sign_type, ..config() };
        let mut printed = format!("{config:?}");
        let vsp = Vsp::new(config).unwrap();
        printed += &format!("{vsp:?}");
        for (_, request) in every_request() {
            let sent = vsp.encode(&request, NOON, ENTROPY);
            printed += &format!("{request:?} {sent:?}");
        }
        for secret in &secrets {
            assert!(!printed.contains(&secret[..16]), "{printed}");
        }
    }
}
