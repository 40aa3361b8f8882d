//! Every signature vector that concerns what Till does with Alipay: the ones that must pass, and the ones that must not.
//!
//! The vectors were made with Alipay's official SDKs and checked with OpenSSL; their keys are throw-away.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use encoding_rs::{GB18030, GBK};
use payment::channel::alipay::aes::Key;
use payment::channel::alipay::cert::{self, Certificate};
use payment::channel::alipay::envelope::{self, Envelope};
use payment::channel::alipay::notice::{NotANotice, Notice, Tells};
use payment::channel::alipay::{Alipay, Config, Verify, v3};
use payment::channel::form::string_to_sign;
use payment::channel::keys::{PrivateKey, PublicKey};
use payment::channel::outcome::{CodeAnswer, DoubtKind};
use payment::channel::{Answer, Decoded, HttpMethod, Method, Offer, Request};
use payment::ids::AttemptId;
use payment::money::Fen;
use payment::redact::{PayCode, Secret};
use payment::time::Wall;
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/alipay.json")).unwrap()
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

fn parameters(value: &Value) -> Vec<(&str, &str)> {
    let members = value.as_object().unwrap();
    members.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn requests_are_signed_byte_for_byte_like_the_official_sdk() {
    let vectors = vectors();
    let key = PrivateKey::load(text(&vectors, "/keys/app/pkcs1_pem")).unwrap();
    for row in rows(&vectors, "request_sign", 10) {
        let id = text(row, "/id");
        let given = row.get("input_params_before_dropping").unwrap_or(&row["params"]);
        let built = string_to_sign(parameters(given));
        assert_eq!(built, text(row, "/string_to_sign"), "{id}");
        // Till never sends `sign_type=RSA` (SHA-1), which new applications may not use: its string is checked, not its
        // signature. Nor does it send GBK; the bytes of that string can still be signed and compared.
        if text(row, "/params/sign_type") == "RSA" {
            continue;
        }
        let bytes = match text(row, "/charset") {
            "GBK" => GBK.encode(&built).0.into_owned(),
            _ => built.into_bytes(),
        };
        if let Some(expected) = row["string_to_sign_hex"].as_str() {
            assert_eq!(hex(&bytes), expected, "{id}");
        }
        assert_eq!(key.sign_sha256(&bytes), text(row, "/sign"), "{id}");
        assert!(key.public().verify(&bytes, text(row, "/sign")), "{id}");
    }
}

#[test]
fn bad_requests_do_not_verify() {
    let vectors = vectors();
    let key = PublicKey::load(text(&vectors, "/keys/app/public_spki_pem")).unwrap();
    for row in rows(&vectors, "request_sign_negative", 4) {
        let built = string_to_sign(parameters(&row["params"]));
        assert!(!key.verify(built.as_bytes(), text(row, "/sign")), "{} was taken", text(row, "/id"));
    }
}

fn body(row: &Value) -> Vec<u8> {
    match row["raw_body_b64"].as_str() {
        Some(encoded) => STANDARD.decode(encoded).unwrap(),
        None => text(row, "/raw_body").as_bytes().to_vec(),
    }
}

/// The content that a vector says is signed, in the body's charset.
fn content(row: &Value, member: &str) -> Vec<u8> {
    let content = text(row, member);
    match text(row, "/charset") {
        "GBK" => GBK.encode(content).0.into_owned(),
        _ => content.as_bytes().to_vec(),
    }
}

fn check_reply(row: &Value, key: &PublicKey) {
    let id = text(row, "/id");
    let body = body(row);
    let node = match text(row, "/node") {
        // Failures come under this name whatever the method's own is.
        "error_response" => "alipay_trade_pay_response",
        node => node,
    };
    let envelope = Envelope::open(node, &body).unwrap_or_else(|error| panic!("{id}: {error}"));
    assert_eq!(envelope.content, content(row, "/signed_content"), "{id}");
    let verified = envelope.verified(key);
    match text(row, "/expect") {
        // The last of these verifies; that it is another certificate's or another order's is for `decode` to see.
        "valid" | "valid-but-wrong-order" => {
            assert_eq!(verified.as_deref(), Some(envelope.content), "{id}");
            assert!(envelope::text(envelope.content).is_ok(), "{id}");
        }
        "do-not-verify-with-local-cert" => {
            assert_eq!(envelope.cert_sn.as_deref(), Some(text(row, "/alipay_cert_sn")), "{id}");
        }
        "invalid-unless-fallback" => {
            let plain = content(row, "/signed_content_fallback");
            assert_eq!(verified.as_deref(), Some(plain.as_slice()), "{id}");
        }
        "unverified-failure" => {
            assert_eq!(envelope.sign, None, "{id}");
            assert_eq!(verified, None, "{id}");
        }
        "invalid" => assert_eq!(verified, None, "{id}"),
        other => panic!("{id} expects {other}"),
    }
}

#[test]
fn replies_are_verified_over_their_exact_bytes() {
    let vectors = vectors();
    let key = PublicKey::load(text(&vectors, "/keys/alipay/public_spki_pem")).unwrap();
    for row in rows(&vectors, "response_verify", 21) {
        check_reply(row, &key);
    }
}

#[test]
fn gbk_replies_are_read_after_verifying() {
    let vectors = vectors();
    let gbk = rows(&vectors, "response_verify", 21).iter().filter(|row| row["charset"] == "GBK");
    let mut seen = 0;
    for row in gbk {
        let body = body(row);
        let envelope = Envelope::open(text(row, "/node"), &body).unwrap();
        assert_eq!(envelope::text(envelope.content).unwrap(), text(row, "/signed_content"));
        assert!(!GB18030.decode_without_bom_handling(envelope.content).1);
        seen += 1;
    }
    assert_eq!(seen, 2);
}

fn config(vectors: &Value, verify: Verify) -> Config {
    Config {
        gateway_url: "https://openapi.alipay.com/gateway.do".into(),
        app_id: "2021000000000001".into(),
        private_key: Secret::new(text(vectors, "/keys/app/pkcs8_pem").to_owned()),
        verify,
        app_auth_token: None,
        seller_id: None,
        store_id: None,
        alipay_store_id: None,
        smid: None,
        terminal_id: None,
        operator_id: None,
        product_code: None,
        sys_service_provider_id: None,
        notify_url: None,
        aes_key: Some(Secret::new("AAECAwQFBgcICQoLDA0ODw==".into())),
        enable_pay_channels: None,
        disable_pay_channels: None,
    }
}

fn certificates(vectors: &Value) -> Verify {
    Verify::Certificates {
        app: text(vectors, "/cert_sn/certs/0/pem").to_owned(),
        alipay: text(vectors, "/cert_sn/certs/1/pem").to_owned(),
        root: text(vectors, "/cert_sn/root_bundle/pem").to_owned(),
    }
}

fn request_for(node: &str) -> Request {
    let attempt = AttemptId::from_entropy([9; 16]);
    let offer = Offer {
        attempt,
        amount: Fen::new(350),
        subject: "Cola".into(),
        goods: Vec::new(),
        valid_ms: 60_000,
        begun: Wall { ms: 0, trusted: true },
        wallet: None,
        instalment: None,
    };
    let trade = offer.trade(Method::TakeCode);
    match node {
        "alipay_trade_precreate_response" | "error_response" => Request::ShowCode(offer),
        "alipay_trade_pay_response" => Request::TakeCode(offer, PayCode::new("285000000000000017")),
        "alipay_trade_query_response" => Request::Query(trade),
        "alipay_trade_cancel_response" => Request::Cancel(trade),
        other => panic!("no request for {other}"),
    }
}

/// All vectors are about orders of somebody else, so that the whole channel must take none of them for an answer.
#[test]
fn no_vector_is_taken_for_an_answer_about_our_order() {
    let vectors = vectors();
    let key = Verify::PublicKey(text(&vectors, "/keys/alipay/public_spki_pem").to_owned());
    for verify in [key, certificates(&vectors)] {
        let in_certificate_mode = matches!(verify, Verify::Certificates { .. });
        let alipay = Alipay::new(config(&vectors, verify)).unwrap();
        for row in rows(&vectors, "response_verify", 21) {
            let id = text(row, "/id");
            let decoded = alipay.decode(&request_for(text(row, "/node")), 200, &body(row));
            let unknown = text(row, "/expect") == "do-not-verify-with-local-cert" && in_certificate_mode;
            match decoded {
                Decoded::EncodeAgain => panic!("{id}"),
                Decoded::UnknownKey { serial } => {
                    assert!(unknown && serial == text(row, "/alipay_cert_sn"), "{id}");
                }
                // A refused set-up, signed or not, is about no order.
                Decoded::Answer(Answer::Code(CodeAnswer::Refused(refusal))) => {
                    assert!(id.starts_with("resp-error-response"), "{id}");
                    assert_eq!(refusal.code, "isv.invalid-app-id");
                }
                Decoded::Answer(answer) => check_doubt(row, &answer),
            }
        }
    }
}

/// Which doubt a vector of somebody else's order must raise.
fn check_doubt(row: &Value, answer: &Answer) {
    let id = text(row, "/id");
    // The GBK vector without an order number says that an unknown trade does not exist; that is no pay's code.
    let expected = match (id, text(row, "/expect")) {
        ("resp-gbk-bytes", _) => DoubtKind::ChannelTrouble,
        ("resp-gbk-backslash-byte", _) => DoubtKind::Unlisted,
        (_, "invalid") => DoubtKind::BadSignature,
        _ => DoubtKind::WrongOrder,
    };
    let doubt = answer.doubt().unwrap_or_else(|| panic!("{id} was believed: {answer:?}"));
    assert_eq!(doubt.kind, expected, "{id}: {doubt:?}");
}

#[test]
fn certificates_have_the_numbers_that_alipay_counts() {
    let vectors = vectors();
    for row in vectors["cert_sn"]["certs"].as_array().unwrap() {
        let pem = text(row, "/pem");
        assert_eq!(cert::serial_number(pem).as_deref(), Ok(text(row, "/cert_sn")), "{}", text(row, "/id"));
    }
    let bundle = text(&vectors, "/cert_sn/root_bundle/pem");
    let expected = text(&vectors, "/cert_sn/root_bundle/alipay_root_cert_sn");
    for form in [bundle.to_owned(), bundle.replace('\n', "\r\n"), bundle.replace("\n\n", "\n")] {
        assert_eq!(cert::root_serial_number(&form).as_deref(), Ok(expected));
    }
    let roots = Certificate::read_all(bundle).unwrap();
    let parts = vectors["cert_sn"]["root_bundle"]["order_and_parts"].as_array().unwrap();
    assert_eq!(roots.len(), parts.len());
    for (root, part) in roots.iter().zip(parts) {
        assert_eq!(root.serial_number(), text(part, "/cert_sn"), "{}", text(part, "/id"));
    }
}

#[test]
fn certificates_chain_to_the_root_bundle() {
    let vectors = vectors();
    let read = |path: &str| Certificate::read_all(text(&vectors, path)).unwrap();
    let roots = read("/cert_sn/root_bundle/pem");
    for (leaf, between) in [
        ("/cert_sn/certs/0/pem", "/cert_sn/intermediates/class1"),
        ("/cert_sn/certs/1/pem", "/cert_sn/intermediates/class2"),
    ] {
        assert!(cert::chains_to_root(&read(leaf)[0], &read(between), &roots), "{leaf}");
        assert!(!cert::chains_to_root(&read(leaf)[0], &[], &roots), "{leaf}");
    }
}

#[test]
fn content_encryption_is_the_same_both_ways() {
    let vectors = vectors();
    for row in rows(&vectors, "aes", 2) {
        let key = Key::load(text(row, "/key_b64")).unwrap();
        let (plain, sealed) = (text(row, "/plaintext"), text(row, "/ciphertext_b64"));
        assert_eq!(key.encrypt(plain.as_bytes()), sealed);
        assert_eq!(key.decrypt(sealed).unwrap(), plain.as_bytes());
        assert!(key.decrypt(&sealed[4..]).is_err(), "a cut ciphertext was opened");
    }
    let encrypted = rows(&vectors, "response_verify", 21).iter().find(|row| row["id"] == "resp-aes").unwrap();
    let key = Key::load(text(encrypted, "/aes_key_b64")).unwrap();
    let sealed = text(encrypted, "/signed_content").trim_matches('"');
    assert_eq!(key.decrypt(sealed).unwrap(), text(encrypted, "/decrypts_to").as_bytes());
}

#[test]
fn notices_are_verified_over_what_came_and_tell_payments_from_refunds() {
    let vectors = vectors();
    let key = PublicKey::load(text(&vectors, "/keys/alipay/public_spki_pem")).unwrap();
    for row in rows(&vectors, "notify_verify", 14) {
        let id = text(row, "/id");
        let opened = Notice::open(text(row, "/form_body").as_bytes(), &key);
        match text(row, "/expect") {
            "invalid" | "invalid-under-trade-rule" => {
                let expected =
                    if id == "notify-bad-no-sign" { NotANotice::NotSigned } else { NotANotice::BadSignature };
                assert_eq!(opened, Err(expected), "{id}");
            }
            expected => check_notice(row, expected, &opened.unwrap_or_else(|error| panic!("{id}: {error}"))),
        }
    }
}

fn check_notice(row: &Value, expected: &str, notice: &Notice) {
    let id = text(row, "/id");
    let is_payment = |fen: i64| {
        let Tells::Paid { out_trade_no, trade_no, amount } = notice.tells() else { panic!("{id} is a payment") };
        assert_eq!(Some(&*out_trade_no), notice.get("out_trade_no"), "{id}");
        assert_eq!(trade_no, "2025060122001400001000000001", "{id}");
        assert_eq!(amount, Fen::new(fen), "{id}");
    };
    match expected {
        "valid" if id == "notify-message-keeps-sign-type" => assert_eq!(notice.tells(), Tells::Other),
        "valid" => is_payment(350),
        // The order is of 3.50: who compares the amount does not take it.
        "valid-business-reject" => is_payment(1),
        "valid-not-a-payment" => assert_eq!(notice.tells(), Tells::Refunded, "{id}"),
        other => panic!("{id} expects {other}"),
    }
}

#[test]
fn a_notice_is_decoded_once_and_read_in_its_charset() {
    let vectors = vectors();
    let key = PublicKey::load(text(&vectors, "/keys/alipay/public_spki_pem")).unwrap();
    let rows = rows(&vectors, "notify_verify", 14);
    let open = |id: &str| {
        let row = rows.iter().find(|row| row["id"] == id).unwrap();
        Notice::open(text(row, "/form_body").as_bytes(), &key).unwrap()
    };
    assert_eq!(open("notify-passback").get("passback_params"), Some("store%3D1%26slot%3DA%252B3"));
    assert_eq!(open("notify-plus-percent").get("subject"), Some("A+B 100% x=1&y"));
    assert_eq!(open("notify-gbk").get("subject"), Some("可乐"));
    assert_eq!(open("notify-empty-value").get("body"), None);
}

#[test]
fn a_notice_that_is_no_form_or_changes_on_the_way_is_refused() {
    let vectors = vectors();
    let key = PublicKey::load(text(&vectors, "/keys/alipay/public_spki_pem")).unwrap();
    let good = text(&vectors, "/notify_verify/0/form_body");
    assert!(Notice::open(good.as_bytes(), &key).is_ok());
    for (body, expected) in [
        (String::new(), NotANotice::NotAForm),
        ("<html>".to_owned(), NotANotice::NotAForm),
        (format!("{good}&version=1.0"), NotANotice::NotAForm),
        (good.replace("330ml", "330ml%"), NotANotice::NotAForm),
        (good.replace("330ml", "330ml%zz"), NotANotice::NotAForm),
        (good.replace("sign_type=RSA2", "sign_type=RSA"), NotANotice::NotSigned),
        (format!("{good}&refund_fee=1.00"), NotANotice::BadSignature),
        (good.replace("charset=utf-8", "charset=latin1"), NotANotice::BadSignature),
        (format!("{good}&x={}", "y".repeat(64 << 10)), NotANotice::NotAForm),
    ] {
        assert_eq!(Notice::open(body.as_bytes(), &key), Err(expected), "{body}");
    }
}

#[test]
fn the_rest_protocols_strings_are_the_sdks() {
    let vectors = vectors();
    let app = PublicKey::load(text(&vectors, "/keys/app/public_spki_pem")).unwrap();
    let alipay = PublicKey::load(text(&vectors, "/keys/alipay/public_spki_pem")).unwrap();
    for row in rows(&vectors, "v3", 5) {
        let id = text(row, "/id");
        let part = |name: &str| text(row, "/auth_string").split(',').find_map(|p| p.strip_prefix(&format!("{name}=")));
        let time = part("timestamp").unwrap().parse().unwrap();
        let auth = v3::auth_string(part("app_id").unwrap(), part("app_cert_sn"), part("nonce").unwrap(), time);
        assert_eq!(auth, text(row, "/auth_string"), "{id}");
        let method = if text(row, "/method") == "GET" { HttpMethod::Get } else { HttpMethod::Post };
        let token = row["request_headers"]["alipay-app-auth-token"].as_str();
        let built = v3::request_string(&auth, method, text(row, "/uri"), text(row, "/body"), token);
        assert_eq!(built, text(row, "/string_to_sign"), "{id}");
        let sign = text(row, "/sign");
        assert!(app.verify(built.as_bytes(), sign), "{id}");
        assert_eq!(v3::authorization(&auth, sign), text(row, "/request_headers/authorization"), "{id}");
        let headers = &row["response"]["headers"];
        let (time, nonce) = (text(headers, "/alipay-timestamp"), text(headers, "/alipay-nonce"));
        let answer = v3::response_string(time, nonce, text(row, "/response/body").as_bytes());
        assert_eq!(answer, text(row, "/response/string_to_sign").as_bytes(), "{id}");
        assert!(alipay.verify(&answer, text(headers, "/alipay-signature")), "{id}");
        let changed = v3::response_string(time, nonce, b"{}");
        assert!(!alipay.verify(&changed, text(headers, "/alipay-signature")), "{id}");
    }
}
