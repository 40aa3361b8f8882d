//! Member and voucher codes, read as a terminal reads them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ED25519, UnparsedPublicKey};
use sandbox::hub::{CodeKind, OperatorKey};
use serde_json::{Value, json};

/// What a code says, if this operator signed it.
fn read(code: &str, public_key: [u8; 32]) -> Option<Value> {
    let parts: Vec<&str> = code.split('.').collect();
    let [prefix, payload, signature] = parts.as_slice() else { panic!("{code} has not three parts") };
    assert_eq!(*prefix, "TILL1");
    let [payload, signature] = [payload, signature].map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    let signed = [b"till voucher 1\n", payload.as_slice()].concat();
    UnparsedPublicKey::new(&ED25519, public_key).verify(&signed, &signature).ok()?;
    Some(serde_json::from_slice(&payload).unwrap())
}

#[test]
fn a_code_says_what_the_operator_signed() {
    let operator = OperatorKey::from_seed(&[3; 32]);
    let code = operator.code(CodeKind::Member, "M-1001", 5000, 1_800_000_000_000, &["VM-0001"]);
    let wanted = json!({
        "id": "M-1001", "kind": "member", "amount": 5000, "expires_ms": 1_800_000_000_000_i64, "terminals": ["VM-0001"],
    });
    assert_eq!(read(&code, operator.public_key()), Some(wanted));
    let code = operator.code(CodeKind::Voucher, "V-7", 300, 1, &[]);
    let wanted = json!({ "id": "V-7", "kind": "voucher", "amount": 300, "expires_ms": 1, "terminals": [] });
    assert_eq!(read(&code, operator.public_key()), Some(wanted));
    assert_eq!(read(&code, OperatorKey::from_seed(&[4; 32]).public_key()), None);
}

#[test]
fn two_operators_have_two_keys() {
    let keys = [OperatorKey::generate().unwrap(), OperatorKey::generate().unwrap()];
    assert_ne!(keys[0].public_key(), keys[1].public_key());
}
