//! Signatures of answers: which hold, and what is no answer at all.

use serde_json::{Value, json};

use super::super::{Config, Vsp, rsa};
use super::{
    NOON, answer, answer_of, app_key, config, every_request, kind, members, plain, raw, rsa as rsa_settings, sealed,
    signed_pairs, sm2 as sm2_settings, take, text, vsp, with,
};
use crate::channel::allinpay::sm2;
use crate::channel::form::string_to_sign;
use crate::channel::outcome::{DoubtKind, Outcome, Reversal};
use crate::channel::{Answer, HttpReply, Request};

fn is_paid(answer: &Answer) -> bool {
    matches!(answer, Answer::Payment(Outcome::Paid(_)))
}

fn string(members: &Value) -> String {
    let pairs = signed_pairs(members.as_object().unwrap());
    string_to_sign(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

#[test]
fn each_way_of_signing_holds_for_its_own_answers_only() {
    let told = members(&take(), "0000");
    let rsa_key = rsa::PrivateKey::load(&text("/vsp_keys/platform_rsa_private_pkcs8_base64")).unwrap();
    let sm2_key = sm2::PrivateKey::load(&text("/sm2_keys/vsp_platform_sm2/private_pkcs8_base64")).unwrap();
    let by_rsa = plain(&with(told.clone(), &json!({ "sign": rsa_key.sign_sha1(string(&told).as_bytes(), [5; 32]) })));
    let by_sm2 = plain(&with(told.clone(), &json!({ "sign": sm2_key.sign_sm3(string(&told).as_bytes(), [5; 32]) })));
    let replies = [sealed(&told), by_rsa, by_sm2];
    let settings = [config().sign_type, rsa_settings(), sm2_settings()];
    for (ours, sign_type) in settings.into_iter().enumerate() {
        let vsp = Vsp::new(Config { sign_type, ..config() }).unwrap();
        for (theirs, reply) in replies.iter().enumerate() {
            let found = answer_of(&vsp, &take(), NOON, reply);
            assert_eq!(is_paid(&found), ours == theirs, "{found:?}");
            assert_eq!(kind(&found), (ours != theirs).then_some(DoubtKind::BadSignature));
        }
    }
}

#[test]
fn fields_that_nobody_knows_are_signed_too() {
    for (name, value) in [
        ("newfield2027", json!("added later")),
        ("Zebra", json!(7)),
        ("aaa", json!(1.50)),
        ("flag", json!(true)),
        ("nested", json!({"a": [1, "b"]})),
        ("chnldata", json!("{\"a\":\"b&c=d\"}")),
    ] {
        let told = with(members(&take(), "0000"), &json!({ name: value }));
        assert!(is_paid(&answer(&take(), &told)), "{name}");
        let signed = sealed(&told);
        let whole = String::from_utf8(signed.body).unwrap();
        let mut without: Value = serde_json::from_str(&whole).unwrap();
        without.as_object_mut().unwrap().remove(name);
        let found = answer_of(&vsp(), &take(), NOON, &plain(&without));
        assert_eq!(kind(&found), Some(DoubtKind::BadSignature), "{name}");
    }
}

#[test]
fn empty_and_null_fields_are_not_signed() {
    let told = members(&take(), "0000");
    let sign: Value = serde_json::from_slice(&sealed(&told).body).unwrap();
    let mut padded = with(told, &json!({ "sign": sign["sign"], "unused": "" }));
    padded.as_object_mut().unwrap().insert("nothing".into(), Value::Null);
    assert!(is_paid(&answer_of(&vsp(), &take(), NOON, &plain(&padded))));
}

/// WeChat appends the key; Allinpay sorts it in.
#[test]
fn the_key_at_the_end_is_refused() {
    use md5::{Digest, Md5};
    let told = members(&take(), "0000");
    let appended = format!("{}&key={}", string(&told), app_key().expose());
    let sign: String = Md5::digest(appended.as_bytes()).iter().map(|byte| format!("{byte:02X}")).collect();
    let found = answer_of(&vsp(), &take(), NOON, &plain(&with(told, &json!({ "sign": sign }))));
    assert_eq!(kind(&found), Some(DoubtKind::BadSignature));
}

#[test]
fn the_case_of_an_md5_signature_does_not_matter() {
    let body = String::from_utf8(sealed(&members(&take(), "0000")).body).unwrap();
    let mut told: Value = serde_json::from_str(&body).unwrap();
    let lower = raw(&told["sign"]).to_lowercase();
    assert_ne!(raw(&told["sign"]), lower);
    told["sign"] = lower.into();
    assert!(is_paid(&answer_of(&vsp(), &take(), NOON, &plain(&told))));
}

#[test]
fn a_tampered_answer_is_a_doubt_for_every_request() {
    for (name, request) in every_request() {
        for (member, instead) in [("trxstatus", "2008"), ("reqsn", "P1"), ("trxamt", "1"), ("retcode", "FAIL")] {
            let signed: Value = serde_json::from_slice(&sealed(&members(&request, "0000")).body).unwrap();
            let tampered = with(signed, &json!({ member: instead }));
            let found = answer_of(&vsp(), &request, NOON, &plain(&tampered));
            assert_eq!(kind(&found), Some(DoubtKind::BadSignature), "{member} to {name}");
        }
    }
}

#[test]
fn what_is_no_answer_is_a_doubt_for_every_request() {
    for (name, request) in every_request() {
        for body in
            ["", "{", "[]", "null", "<html>", "success", r#"{"a":1}x"#, r#"{"retcode":"SUCCESS","retcode":"SUCCESS"}"#]
        {
            let reply = HttpReply { status: 200, headers: Vec::new(), body: body.into() };
            let found = answer_of(&vsp(), &request, NOON, &reply);
            assert_eq!(kind(&found), Some(DoubtKind::Malformed), "{body} to {name}");
        }
        let mut broken = sealed(&members(&request, "0000"));
        broken.body.insert(30, 0xFF);
        assert_eq!(kind(&answer_of(&vsp(), &request, NOON, &broken)), Some(DoubtKind::Malformed), "{name}");
        for status in [0, 201, 302, 400, 403, 500, 502, 503] {
            let reply = HttpReply { status, ..sealed(&members(&request, "0000")) };
            let found = answer_of(&vsp(), &request, NOON, &reply);
            assert_eq!(kind(&found), Some(DoubtKind::ChannelTrouble), "{status} to {name}");
        }
    }
}

/// Sources disagree on the path of `close`: with the wrong one set, a late payment must still be found by the query.
#[test]
fn a_close_that_has_no_such_path_asks_how_the_trade_stands() {
    for (name, request) in every_request() {
        let reply = HttpReply { status: 404, ..HttpReply::default() };
        let found = answer_of(&vsp(), &request, NOON, &reply);
        let is_close = matches!(request, Request::Close(_));
        assert_eq!(matches!(found, Answer::Reversal(Reversal::Ask { .. })), is_close, "{name}");
        assert_eq!(kind(&found), (!is_close).then_some(DoubtKind::ChannelTrouble), "{name}");
    }
}

/// Whatever a broken line does to an answer: no panic, and never another meaning.
#[test]
fn no_damage_makes_it_panic_or_paid() {
    let good = sealed(&members(&take(), "0000"));
    assert!(is_paid(&answer_of(&vsp(), &take(), NOON, &good)));
    for place in 0..good.body.len() {
        let cut = HttpReply { body: good.body[..place].to_vec(), ..good.clone() };
        assert!(!is_paid(&answer_of(&vsp(), &take(), NOON, &cut)));
        for byte in [b'"', b'\\', b'{', b'}', b',', b'0', 0, 0x81, 0xFF] {
            let mut damaged = good.clone();
            damaged.body[place] = byte;
            // Only what counts as nothing may be damaged: an empty member's name, or the case of the signature.
            let found = answer_of(&vsp(), &take(), NOON, &damaged);
            if is_paid(&found) {
                assert_eq!(found, answer_of(&vsp(), &take(), NOON, &good));
            }
        }
    }
}
