//! Which answers are WeChat Pay's, and the keys that are fetched.

use super::*;
use crate::channel::outcome::{CodeAnswer, Doubt};
use crate::channel::wechat::KeyError;

const CODE: &str = r#"{"code_url":"weixin://wxpay/bizpayurl?pr=p4lpSuKzz"}"#;

fn doubt(reply: &HttpReply) -> Doubt {
    decoded(&show(), reply).doubt().cloned().unwrap_or_else(|| panic!("{reply:?} was taken"))
}

fn with(reply: HttpReply, name: &str, value: Option<&str>) -> HttpReply {
    let mut headers: Vec<_> = reply.headers.into_iter().filter(|(known, _)| known != name).collect();
    headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    HttpReply { headers, ..reply }
}

#[test]
fn answers_live_less_than_five_minutes_both_ways() {
    let now = NOW.ms / 1000;
    for (seconds, taken) in [(0, true), (299, true), (-299, true), (300, false), (-300, false), (301, false)] {
        let answer = decoded(&show(), &signed_at(now + seconds, 200, CODE));
        assert_eq!(matches!(answer, Answer::Code(CodeAnswer::Ready(_))), taken, "{seconds}");
        assert_eq!(kind(&answer) == Some(DoubtKind::BadSignature), !taken, "{seconds}");
    }
}

#[test]
fn every_header_is_needed_and_every_byte_counts() {
    for name in ["wechatpay-timestamp", "wechatpay-nonce", "wechatpay-serial", "wechatpay-signature"] {
        assert_eq!(doubt(&with(signed(200, CODE), name, None)).kind, DoubtKind::BadSignature, "{name}");
        assert_eq!(doubt(&with(signed(200, CODE), name, Some(""))).kind, DoubtKind::BadSignature, "{name}");
    }
    let changed = HttpReply { body: CODE.replace("p4", "p5").into_bytes(), ..signed(200, CODE) };
    assert_eq!(doubt(&changed).kind, DoubtKind::BadSignature);
    let scheme = with(signed(200, CODE), "wechatpay-signature-type", Some("WECHATPAY2-SM2-WITH-SM3"));
    assert_eq!(doubt(&scheme).kind, DoubtKind::BadSignature);
    for timestamp in ["-1780000000", "+1780000000", "1780000000.0", "99999999999999999999"] {
        assert_eq!(
            doubt(&with(signed(200, CODE), "wechatpay-timestamp", Some(timestamp))).kind,
            DoubtKind::BadSignature
        );
    }
}

#[test]
fn a_failure_with_a_bad_signature_is_not_read_as_unsigned() {
    let reply = signed(403, &failure("NO_AUTH"));
    let forged = with(reply, "wechatpay-signature", Some("AAAA"));
    assert_eq!(doubt(&forged).kind, DoubtKind::BadSignature);
}

#[test]
fn a_probe_signature_fails_like_any_other() {
    let probe = with(signed(200, CODE), "wechatpay-signature", Some("WECHATPAY/SIGNTEST/abcd"));
    assert_eq!(doubt(&probe).kind, DoubtKind::BadSignature);
}

#[test]
fn an_unknown_certificate_is_asked_for_and_an_unknown_public_key_is_not() {
    let serial = "5157F09EFDC096DE15EBE81A47057A72A0B1C2D4";
    let reply = with(signed(200, CODE), "wechatpay-serial", Some(serial));
    assert_eq!(wechat(config()).decode(&show(), NOW, &reply), Decoded::UnknownKey { serial: serial.into() });
    for other in ["PUB_KEY_ID_0116000000012026052900000000000002", "x", &"A".repeat(41)] {
        assert_eq!(doubt(&with(signed(200, CODE), "wechatpay-serial", Some(other))).kind, DoubtKind::BadSignature);
    }
}

/// The list of certificates of the vectors, as it came.
fn list() -> HttpReply {
    let headers = VECTORS["certificates_download"]["headers"].clone();
    let headers = headers.as_object().unwrap().iter();
    HttpReply {
        status: 200,
        headers: headers.map(|(name, value)| (name.to_lowercase(), value.as_str().unwrap().to_owned())).collect(),
        body: text("/certificates_download/body").into_bytes(),
    }
}

fn bare() -> Wechat {
    wechat(Config { verify: Verify::default(), ..config() })
}

fn by_certificate() -> HttpReply {
    let row = &VECTORS["response_verification"][1];
    let headers = row["headers"].as_object().unwrap().iter();
    HttpReply {
        status: 200,
        headers: headers.map(|(name, value)| (name.to_lowercase(), value.as_str().unwrap().to_owned())).collect(),
        body: row["body"].as_str().unwrap().as_bytes().to_vec(),
    }
}

#[test]
fn a_certificate_is_fetched_and_then_verifies() {
    let channel = bare();
    let serial = text("/platform_certificate/serial_no");
    let reply = by_certificate();
    assert_eq!(channel.decode(&show(), NOW, &reply), Decoded::UnknownKey { serial: serial.clone() });
    let request = channel.key_request(&serial, NOW, ENTROPY);
    assert_eq!(request.url, "https://api.mch.weixin.qq.com/v3/certificates");
    assert!(!header(&request, "User-Agent").is_empty() && !header(&request, "Accept").is_empty());
    assert_eq!(channel.accept_key(&serial, NOW, &list()), Ok(()));
    let expected = CodeAnswer::Ready("weixin://wxpay/bizpayurl?pr=p4lpSuKzz".into());
    assert_eq!(channel.decode(&show(), NOW, &reply), Decoded::Answer(Answer::Code(expected)));
}

#[test]
fn a_list_that_proves_nothing_adds_no_key() {
    let serial = text("/platform_certificate/serial_no");
    let refused = |channel: Wechat, serial: &str, wall, reply: &HttpReply| {
        let error = channel.accept_key(serial, wall, reply).unwrap_err();
        let still = channel.decode(&show(), NOW, &by_certificate());
        assert!(matches!(still, Decoded::UnknownKey { .. }), "{error}");
        error
    };
    let late = Wall { ms: NOW.ms + 301_000, ..NOW };
    assert!(matches!(refused(bare(), &serial, late, &list()), KeyError::Signature(_)));
    let forged = with(list(), "wechatpay-signature", Some("AAAA"));
    assert!(matches!(refused(bare(), &serial, NOW, &forged), KeyError::Signature(_)));
    let naked = HttpReply { headers: Vec::new(), ..list() };
    assert!(matches!(refused(bare(), &serial, NOW, &naked), KeyError::Signature(_)));
    let other = Config { apiv3_key: Secret::new("X".repeat(32)), verify: Verify::default(), ..config() };
    assert!(matches!(refused(wechat(other), &serial, NOW, &list()), KeyError::Certificate { .. }));
    assert!(matches!(refused(bare(), &"A".repeat(40), NOW, &list()), KeyError::NotGiven(_)));
    let renamed =
        HttpReply { body: text("/certificates_download/body").replace("5157F09E", "5157F09F").into_bytes(), ..list() };
    assert!(matches!(refused(bare(), &serial, NOW, &renamed), KeyError::Certificate { .. }));
    assert_eq!(refused(bare(), &serial, NOW, &unsigned(500, "")), KeyError::Http(500));
    assert!(matches!(refused(bare(), &serial, NOW, &unsigned(200, "{}")), KeyError::Malformed(_)));
}

#[test]
fn a_new_merchant_has_no_certificates_and_is_told_so() {
    let reply = unsigned(404, &failure("RESOURCE_NOT_EXISTS"));
    assert_eq!(bare().accept_key(&"A".repeat(40), NOW, &reply), Err(KeyError::PublicKeyOnly));
}

/// Bytes that nobody promised anything about: no panic, and never an end.
#[test]
fn no_bytes_make_a_decoder_fall_or_believe() {
    let mut bodies: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"\xff\xfe\x00".to_vec(),
        b"{".to_vec(),
        b"[[[[[[[[[[".to_vec(),
        b"<xml>".to_vec(),
        b"<xml><a></b></xml>".to_vec(),
        b"<xml>&#xD800;</xml>".to_vec(),
        b"\x1f\x8b\x08".to_vec(),
        "[".repeat(100_000).into_bytes(),
    ];
    let good = paid().into_bytes();
    bodies.extend((0..good.len()).step_by(7).map(|end| good[..end].to_vec()));
    for config in [config(), v3_config(), delivering()] {
        let channel = wechat(config);
        for request in every_request() {
            for body in &bodies {
                for status in [0, 200, 204, 400, 404, 500, 999] {
                    let reply = HttpReply { status, headers: Vec::new(), body: body.clone() };
                    let Decoded::Answer(answer) = channel.decode(&request, NOW, &reply) else {
                        panic!("{request:?} {status}");
                    };
                    let is_nothing = matches!(answer, Answer::Duty(_) | Answer::Reachable(false));
                    assert!(is_nothing || answer.doubt().is_some(), "{request:?} {status} {answer:?}");
                }
            }
        }
        for body in &bodies {
            assert!(channel.notice(NOW, &[], body).is_err());
        }
    }
}

#[test]
fn nothing_secret_is_printed() {
    let channel = wechat(delivering());
    let sent = channel.encode(&take(), NOW, ENTROPY);
    let printed = format!("{channel:?} {sent:?} {:?} {:?}", channel.config(), take());
    for secret in
        [V2_KEY, "Throwaway0APIv3Key0For0Tests0032", "throwaway-appsecret", "PRIVATE KEY", "130061098828009406"]
    {
        assert!(!printed.contains(secret), "{secret}");
    }
}
