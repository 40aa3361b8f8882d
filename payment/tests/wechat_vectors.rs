//! Every vector that concerns what Till does with WeChat Pay: the ones that must pass, and the ones that must not.
//!
//! The vectors were made with public SDKs and checked with OpenSSL; their keys are throw-away.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use md5::{Digest, Md5};
use payment::channel::keys::PrivateKey;
use payment::channel::outcome::{CodeAnswer, DoubtKind, Reversal};
use payment::channel::wechat::aead::{Encrypted, Key};
use payment::channel::wechat::cert::Certificate;
use payment::channel::wechat::notice::Content;
use payment::channel::wechat::oaep::FieldKey;
use payment::channel::wechat::sign::{authorization, request_to_sign, v2_sign, v2_to_sign, v2_verify};
use payment::channel::wechat::{CodePay, Config, Hosts, MerchantCertificate, Store, Verify, Wechat, WechatKey, xml};
use payment::channel::{Answer, Decoded, HttpReply, Method, Offer, Request};
use payment::ids::AttemptId;
use payment::money::Fen;
use payment::redact::Secret;
use payment::time::Wall;
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/wechat.json")).unwrap()
}

fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    let found = value.pointer(path).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no text at {path} of {value}"))
}

fn rows<'a>(vectors: &'a Value, part: &str, count: usize) -> &'a [Value] {
    let rows = vectors[part].as_array().unwrap();
    assert_eq!(rows.len(), count, "{part} has vectors that this test does not know");
    rows
}

fn at(seconds: i64) -> Wall {
    Wall { ms: seconds * 1000, trusted: true }
}

fn wechat(vectors: &Value) -> Wechat {
    let owned = |path| text(vectors, path).to_owned();
    let public_key = WechatKey {
        id: owned("/platform_public_key/public_key_id"),
        pem: owned("/platform_public_key/public_key_pem"),
    };
    Wechat::new(Config {
        mchid: owned("/merchant/mchid"),
        appid: owned("/merchant/appid"),
        sub_merchant: None,
        private_key: Secret::new(owned("/merchant/private_key_pem")),
        certificate: MerchantCertificate::Pem(owned("/merchant/certificate_pem")),
        apiv3_key: Secret::new(owned("/apiv3_key")),
        verify: Verify {
            public_key: Some(public_key),
            certificates: vec![owned("/platform_certificate/certificate_pem")],
        },
        v2_key: Some(Secret::new(owned("/apiv2_key"))),
        code_pay: CodePay::V2,
        hosts: Hosts::default(),
        store: Store { terminal_ip: "203.0.113.7".into(), ..Store::default() },
        notify_url: "https://pay.example.com/wx/notify".into(),
        goods_tag: None,
        profit_sharing: false,
        limit_pay: None,
        delivery: None,
    })
    .unwrap()
}

fn offer() -> Offer {
    Offer {
        attempt: AttemptId::from_entropy([1; 16]),
        amount: Fen::new(350),
        subject: "可乐 330ml".into(),
        goods: Vec::new(),
        valid_ms: 180_000,
        begun: at(1_780_000_000),
        wallet: None,
        instalment: None,
    }
}

fn headers(row: &Value) -> Vec<(String, String)> {
    let headers = row["headers"].as_object().unwrap().iter();
    headers.map(|(name, value)| (name.to_lowercase(), value.as_str().unwrap().to_owned())).collect()
}

fn parameters(row: &Value) -> Vec<(&str, &str)> {
    let members = row["params"].as_object().unwrap();
    members.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect()
}

#[test]
fn requests_are_signed_byte_for_byte() {
    let vectors = vectors();
    let key = PrivateKey::load(text(&vectors, "/merchant/private_key_pem")).unwrap();
    let merchant = (text(&vectors, "/merchant/mchid"), text(&vectors, "/merchant/serial_no"));
    for row in rows(&vectors, "request_signatures", 9) {
        let name = text(row, "/name");
        let seconds = text(row, "/timestamp").parse().unwrap();
        let nonce = text(row, "/nonce_str");
        let body = text(row, "/body").as_bytes();
        let lines = request_to_sign(text(row, "/method"), text(row, "/url_path_and_query"), seconds, nonce, body);
        assert_eq!(String::from_utf8(lines.clone()).unwrap(), text(row, "/string_to_sign"), "{name}");
        let signature = key.sign_sha256(&lines);
        assert_eq!(signature, text(row, "/signature"), "{name}");
        let header = authorization(merchant.0, merchant.1, seconds, nonce, &signature);
        assert_eq!(header, text(row, "/authorization"), "{name}");
    }
}

#[test]
fn answers_are_taken_and_refused_as_they_must_be() {
    let vectors = vectors();
    let channel = wechat(&vectors);
    for row in rows(&vectors, "response_verification", 7) {
        let name = text(row, "/name");
        let reply = HttpReply {
            status: u16::try_from(row["http_status"].as_u64().unwrap()).unwrap(),
            headers: headers(row),
            body: text(row, "/body").as_bytes().to_vec(),
        };
        let wall = at(row["verify_at_unix_time"].as_i64().unwrap());
        let request = match reply.status {
            204 => Request::Close(offer().trade(Method::ShowCode)),
            _ => Request::ShowCode(offer()),
        };
        let Decoded::Answer(answer) = channel.decode(&request, wall, &reply) else {
            panic!("{name} is no answer");
        };
        match text(row, "/expect") {
            "accept" => {
                let taken = matches!(answer, Answer::Code(CodeAnswer::Ready(_)) | Answer::Reversal(Reversal::Closed));
                assert!(taken, "{name}: {answer:?}");
            }
            "reject" => {
                assert_eq!(answer.doubt().map(|doubt| doubt.kind), Some(DoubtKind::BadSignature), "{name}");
            }
            other => panic!("{name} expects {other}"),
        }
    }
}

#[test]
fn notices_are_verified_opened_and_read() {
    let vectors = vectors();
    let channel = wechat(&vectors);
    let key = Key::load(text(&vectors, "/apiv3_key")).unwrap();
    for row in rows(&vectors, "notifications", 4) {
        let name = text(row, "/name");
        let body = text(row, "/body");
        let sent: Value = serde_json::from_str(body).unwrap();
        let sealed: Encrypted = serde_json::from_value(sent["resource"].clone()).unwrap();
        assert_eq!(String::from_utf8(key.open(&sealed).unwrap()).unwrap(), text(row, "/plaintext"), "{name}");
        let notice = channel.notice(at(1_780_000_000), &headers(row), body.as_bytes()).unwrap();
        assert_eq!(notice.event, text(&sent, "/event_type"));
        let fits = match (name, &notice.content) {
            ("payment_success" | "payment_success_empty_aad", Content::Payment { out_trade_no, receipt }) => {
                out_trade_no == "VM0001-20260529-000123" && receipt.amount == Fen::new(350)
            }
            ("refund_success", Content::Refund { status, amount, .. }) => {
                status == "SUCCESS" && *amount == Fen::new(350)
            }
            ("complaint_state_change", Content::Complaint { action, .. }) => action == "CREATE_COMPLAINT",
            _ => false,
        };
        assert!(fits, "{name}: {:?}", notice.content);
    }
}

#[test]
fn ciphertexts_that_must_not_open_do_not() {
    let vectors = vectors();
    for row in rows(&vectors, "gcm_negative", 2) {
        let key = Key::load(text(row, "/apiv3_key")).unwrap();
        let sealed = Encrypted {
            algorithm: "AEAD_AES_256_GCM".into(),
            nonce: text(row, "/nonce").into(),
            associated_data: Some(text(row, "/associated_data").into()),
            ciphertext: text(row, "/ciphertext").into(),
            original_type: None,
        };
        assert!(key.open(&sealed).is_err(), "{}", text(row, "/why"));
    }
}

#[test]
fn the_list_of_certificates_opens() {
    let vectors = vectors();
    let row = &vectors["certificates_download"];
    let list: Value = serde_json::from_str(text(row, "/body")).unwrap();
    let sealed: Encrypted = serde_json::from_value(list["data"][0]["encrypt_certificate"].clone()).unwrap();
    let plain = Key::load(text(&vectors, "/apiv3_key")).unwrap().open(&sealed).unwrap();
    assert_eq!(String::from_utf8(plain).unwrap(), text(row, "/expect_pem"));
    let read = Certificate::read(text(row, "/expect_pem")).unwrap();
    assert_eq!(read.serial, text(row, "/expect_serial_no"));
    let reply = HttpReply { status: 200, headers: headers(row), body: text(row, "/body").as_bytes().to_vec() };
    assert_eq!(wechat(&vectors).accept_key(&read.serial, at(1_780_000_000), &reply), Ok(()));
}

#[test]
fn encrypted_fields_open_with_the_key_that_they_were_made_for() {
    let vectors = vectors();
    let rows = rows(&vectors, "sensitive_fields", 2);
    for row in rows {
        let path = format!("/{}", text(row, "/decrypt_with").replace('.', "/"));
        let key = FieldKey::load(text(&vectors, &path)).unwrap();
        assert_eq!(key.open(text(row, "/ciphertext")).as_deref(), Some(text(row, "/plaintext")));
    }
    let ours = FieldKey::load(text(&vectors, "/merchant/private_key_pem")).unwrap();
    assert_eq!(ours.open(text(&rows[0], "/ciphertext")), None);
    assert_eq!(ours.open("no Base64"), None);
}

#[test]
fn v2_messages_are_signed_and_read_like_everywhere() {
    let vectors = vectors();
    for row in rows(&vectors, "v2_signatures", 6) {
        let name = text(row, "/name");
        let (key, sign) = (text(row, "/key"), text(row, "/sign"));
        let string = v2_to_sign(parameters(row), key);
        assert_eq!(string, text(row, "/string_to_sign"), "{name}");
        let message = xml::read(text(row, "/xml").as_bytes()).unwrap();
        assert_eq!(message["sign"], sign, "{name}");
        let fields = || message.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        assert_eq!(v2_to_sign(fields(), key), string, "{name}");
        // Till never signs by MD5: its string is checked, and that such a sign is not taken.
        if text(row, "/sign_type") == "MD5" {
            let hash: String = Md5::digest(string.as_bytes()).iter().map(|byte| format!("{byte:02X}")).collect();
            assert_eq!(hash, sign, "{name}");
            assert!(!v2_verify(fields(), key, sign), "{name}");
            continue;
        }
        assert_eq!(v2_sign(parameters(row), key), sign, "{name}");
        assert!(v2_verify(fields(), key, sign), "{name}");
        assert!(!v2_verify(fields().chain([("extra", "1")]), key, sign), "{name}");
        assert!(!v2_verify(fields(), "another key", sign), "{name}");
    }
}
