//! Every signature vector that concerns Allinpay VSP: the ones that must pass, and the ones that must not.
//!
//! The vectors were made with pyallinpay and OpenSSL and checked with gmssl and sm-crypto; their keys are throw-away. One is
//! published, with pyallinpay's own tests.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use payment::channel::allinpay::sm2;
use payment::channel::allinpay::vsp::rsa;
use payment::channel::allinpay::vsp::sign::md5_of;
use payment::channel::allinpay::vsp::{Config, SignType, Vsp};
use payment::channel::form::string_to_sign;
use payment::channel::outcome::DoubtKind;
use payment::channel::{Answer, Decoded, HttpReply, Method, Offer, Request};
use payment::ids::AttemptId;
use payment::money::Fen;
use payment::redact::{PayCode, Secret};
use payment::time::Wall;
use serde_json::Value;

const NOON: Wall = Wall { ms: 1_748_750_400_000, trusted: true };

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/allinpay.json")).unwrap()
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

fn app_key(vectors: &Value) -> Secret<String> {
    Secret::new(text(vectors, "/vsp_keys/md5_appkey").to_owned())
}

/// Whether `sign` is good for `row`'s string, by the key that the row says.
fn holds(vectors: &Value, row: &Value, string: &str, sign: &str) -> bool {
    let who = text(row, "/signed_by");
    match text(row, "/signtype") {
        "MD5" => md5_of(parameters(&row["params"]).into_iter(), &app_key(vectors)) == sign,
        "RSA" => {
            let key = text(vectors, &format!("/vsp_keys/{who}_rsa_public_spki_base64"));
            rsa::PublicKey::load(key).unwrap().verify_sha1(string.as_bytes(), sign)
        }
        "SM2" => {
            let key = text(vectors, &format!("/sm2_keys/vsp_{who}_sm2/public_spki_base64"));
            sm2::PublicKey::load(key).unwrap().verify_sm3(string.as_bytes(), sign)
        }
        other => panic!("signtype {other}"),
    }
}

#[test]
fn every_string_is_built_and_every_signature_holds() {
    let vectors = vectors();
    for row in rows(&vectors, "vsp_signatures", 9) {
        let (name, sign) = (text(row, "/name"), text(row, "/sign"));
        let string = string_to_sign(parameters(&row["params"]));
        // MD5 has one more parameter, the key.
        let key = app_key(&vectors);
        let with_key = string_to_sign(parameters(&row["params"]).into_iter().chain([("key", key.expose().as_str())]));
        let built = if text(row, "/signtype") == "MD5" { &with_key } else { &string };
        assert_eq!(built, text(row, "/canonical_string"), "{name}");
        assert!(holds(&vectors, row, &string, sign), "{name}");
    }
}

#[test]
fn rsa_and_md5_are_made_byte_for_byte() {
    let vectors = vectors();
    for row in rows(&vectors, "vsp_signatures", 9) {
        let string = string_to_sign(parameters(&row["params"]));
        if text(row, "/signtype") == "RSA" {
            let path = format!("/vsp_keys/{}_rsa_private_pkcs8_base64", text(row, "/signed_by"));
            let key = rsa::PrivateKey::load(text(&vectors, &path)).unwrap();
            for entropy in [[0; 32], [255; 32]] {
                assert_eq!(key.sign_sha1(string.as_bytes(), entropy), text(row, "/sign"), "{}", text(row, "/name"));
            }
        }
    }
}

#[test]
fn every_changed_string_or_signature_is_refused() {
    let vectors = vectors();
    for row in rows(&vectors, "vsp_signatures", 9) {
        let (name, sign) = (text(row, "/name"), text(row, "/sign"));
        let mut changed = row.clone();
        changed["params"]["appid"] = "00000002".into();
        let string = string_to_sign(parameters(&changed["params"]));
        assert!(!holds(&vectors, &changed, &string, sign), "{name}");
        let mut longer = row.clone();
        longer["params"]["added"] = "1".into();
        let string = string_to_sign(parameters(&longer["params"]));
        assert!(!holds(&vectors, &longer, &string, sign), "{name}");
        let string = string_to_sign(parameters(&row["params"]));
        assert!(!holds(&vectors, row, &string, &sign[..sign.len() - 4]), "{name}");
    }
}

#[test]
fn the_key_at_the_end_gives_another_value() {
    let vectors = vectors();
    let row = &rows(&vectors, "vsp_negative", 1)[0];
    let signed = &rows(&vectors, "vsp_signatures", 9)[0];
    let made = md5_of(parameters(&signed["params"]).into_iter(), &app_key(&vectors));
    assert_eq!(made, text(row, "/right_sign"));
    assert_ne!(made, text(row, "/wrong_sign"));
}

#[test]
fn the_published_vector_of_a_1024_bit_key_holds() {
    let vectors = vectors();
    let row = &vectors["vsp_published_vector"];
    let key = rsa::PublicKey::load(text(row, "/public_key_spki_base64")).unwrap();
    assert!(key.verify_sha1(text(row, "/canonical_string").as_bytes(), text(row, "/sign")));
    assert!(!key.verify_sha1(b"appid=00000052", text(row, "/sign")));
}

fn vsp(vectors: &Value, sign_type: &str) -> Vsp {
    let (ours, theirs) = match sign_type {
        "RSA" => ("/vsp_keys/merchant_rsa_private_pkcs8_base64", "/vsp_keys/platform_rsa_public_spki_base64"),
        _ => ("/sm2_keys/vsp_merchant_sm2/private_pkcs8_base64", "/sm2_keys/vsp_platform_sm2/public_spki_base64"),
    };
    let (private_key, allinpay_key) = (Secret::new(text(vectors, ours).into()), text(vectors, theirs).into());
    let sign_type = match sign_type {
        "RSA" => SignType::Rsa { private_key, allinpay_key },
        _ => SignType::Sm2 { private_key, allinpay_key },
    };
    Vsp::new(Config::new("990000000000001", "00000001", "00000001", sign_type)).unwrap()
}

/// The vectors' order is not one of ours: a signature that holds shows itself by what is found wrong after it.
#[test]
fn whole_answers_are_verified_and_then_found_to_be_about_another_order() {
    let vectors = vectors();
    let offer = Offer {
        attempt: AttemptId::from_entropy([1; 16]),
        amount: Fen::new(200),
        subject: "矿泉水".into(),
        goods: Vec::new(),
        valid_ms: 180_000,
        begun: NOON,
        wallet: None,
        instalment: None,
    };
    let requests =
        [Request::Query(offer.trade(Method::TakeCode)), Request::TakeCode(offer, PayCode::new("130061098828009406"))];
    let replies = rows(&vectors, "vsp_signatures", 9).iter().filter(|row| !row["json_body"].is_null());
    let mut seen = 0;
    for row in replies {
        let vsp = vsp(&vectors, text(row, "/signtype"));
        let body = text(row, "/json_body");
        for (body, wanted) in [
            (body.to_owned(), DoubtKind::WrongOrder),
            (body.replace("SUCCESS", "SUCCES"), DoubtKind::BadSignature),
            (body.replace("randomstr", "randomtxt"), DoubtKind::BadSignature),
            (body.replace("\"sign\"", "\"sing\""), DoubtKind::BadSignature),
        ] {
            let reply = HttpReply { status: 200, headers: Vec::new(), body: body.into_bytes() };
            for request in &requests {
                let Decoded::Answer(answer) = vsp.decode(request, NOON, &reply) else { panic!("no answer") };
                assert!(matches!(answer, Answer::Payment(_)));
                assert_eq!(answer.doubt().map(|doubt| doubt.kind), Some(wanted));
            }
        }
        seen += 1;
    }
    assert_eq!(seen, 2);
}
