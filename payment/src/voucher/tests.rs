use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Kind, LENGTH_MAX, OperatorKey, PREFIX, Voucher, VoucherRefused};
use crate::money::Fen;
use crate::redact::PayCode;
use crate::time::Wall;

fn operator() -> OperatorKey {
    OperatorKey::from_seed(&[1; 32])
}

fn member() -> Voucher {
    Voucher {
        id: "M-1001".to_owned(),
        kind: Kind::Member,
        amount: Fen::new(5_000),
        expires_ms: 1_800_000_000_000,
        terminals: vec!["VM-0001".to_owned()],
    }
}

fn code(voucher: &Voucher) -> PayCode {
    operator().sign(voucher).expect("not too long")
}

fn read(text: &str) -> Result<Voucher, VoucherRefused> {
    Voucher::read(&PayCode::new(text), &operator().public())
}

/// A code of the operator that says `payload`.
fn says(payload: &str) -> Result<Voucher, VoucherRefused> {
    Voucher::read(&operator().sign_payload(payload.as_bytes()), &operator().public())
}

#[test]
fn what_the_operator_signed_reads_back() {
    let voucher = Voucher { id: "a-Z_9".to_owned(), kind: Kind::Voucher, terminals: Vec::new(), ..member() };
    for voucher in [member(), voucher] {
        assert_eq!(read(code(&voucher).expose()), Ok(voucher));
    }
}

#[test]
fn the_payload_is_what_the_page_says() {
    let code = code(&member());
    let payload = code.expose().split('.').nth(1).expect("a payload");
    let payload = String::from_utf8(URL_SAFE_NO_PAD.decode(payload).expect("base64url")).expect("text");
    let expected =
        r#"{"id":"M-1001","kind":"member","amount":5000,"expires_ms":1800000000000,"terminals":["VM-0001"]}"#;
    assert_eq!(payload, expected);
    assert_eq!(says(expected), Ok(member()));
}

#[test]
fn every_single_bit_counts() {
    let whole = code(&member());
    let whole = whole.expose();
    assert!(read(whole).is_ok());
    for place in 0..whole.len() {
        for bit in 0..8 {
            let mut bytes = whole.as_bytes().to_vec();
            bytes[place] ^= 1 << bit;
            let refused = String::from_utf8(bytes).map_or(Err(VoucherRefused::Damaged), |text| read(&text));
            assert!(
                matches!(refused, Err(VoucherRefused::Damaged | VoucherRefused::Forged)),
                "bit {bit} of character {place}: {refused:?}"
            );
        }
    }
}

#[test]
fn what_is_cut_off_doubled_or_padded_is_refused() {
    let whole = code(&member());
    let whole = whole.expose();
    for length in 0..whole.len() {
        assert!(read(&whole[..length]).is_err(), "{length} characters were taken");
    }
    let (payload, signature) = whole.strip_prefix(PREFIX).and_then(|rest| rest.split_once('.')).expect("two parts");
    for text in [
        format!("{whole}="),
        format!("{whole}{whole}"),
        format!("{whole}.{signature}"),
        format!("{PREFIX}{signature}.{payload}"),
        format!("{PREFIX}{payload}."),
        format!("{PREFIX}.{signature}"),
        format!("{PREFIX}{payload}.{signature}\n"),
        format!("{PREFIX}{payload} .{signature}"),
        whole.replace("TILL1", "TILL2"),
        whole.replace(PREFIX, ""),
    ] {
        assert!(read(&text).is_err(), "{text} was taken");
    }
}

#[test]
fn anything_may_be_scanned() {
    let mut word: u64 = 7;
    for length in 0..600 {
        let any = |word: &mut u64| {
            *word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from_u32(u32::try_from(*word >> 43).expect("21 bits")).unwrap_or('.')
        };
        let text: String = (0..length).map(|_| any(&mut word)).collect();
        assert!(read(&text).is_err() && read(&format!("{PREFIX}{text}")).is_err());
    }
}

#[test]
fn another_key_signs_nothing_here() {
    let stranger = OperatorKey::from_seed(&[2; 32]);
    let code = stranger.sign(&member()).expect("not too long");
    assert_eq!(Voucher::read(&code, &operator().public()), Err(VoucherRefused::Forged));
    for key in [[0; 32], [0xff; 32]] {
        assert_eq!(Voucher::read(&code, &key), Err(VoucherRefused::Forged), "a key that is no point of the curve");
    }
}

#[test]
fn a_signature_for_another_purpose_makes_no_code() {
    let pair = ring::signature::Ed25519KeyPair::from_seed_unchecked(&[1; 32]).expect("a seed");
    let payload = serde_json::to_vec(&member()).expect("JSON");
    for context in ["", "till command 1\n", "till voucher 1", "till voucher 2\n"] {
        let signature = pair.sign(&[context.as_bytes(), &payload].concat());
        let [payload, signature] = [payload.as_slice(), signature.as_ref()].map(|part| URL_SAFE_NO_PAD.encode(part));
        assert_eq!(read(&format!("{PREFIX}{payload}.{signature}")), Err(VoucherRefused::Forged), "{context:?}");
    }
}

#[test]
fn a_payload_says_exactly_what_it_must() {
    let (front, back) = (r#"{"id":"M-1","kind":"member","amount":1"#, r#","expires_ms":9,"terminals":[]}"#);
    assert!(says(&format!("{front}{back}")).is_ok());
    let odd = [
        "null".to_owned(),
        r#"["M-1","member",1,9,[]]"#.to_owned(),
        format!("{front}{back} {{}}"),
        format!(" {front}{back}"),
        format!("{front},\"note\":\"\"{back}"),
        format!("{front},\"amount\":2{back}"),
        format!("{front}.5{back}"),
        format!("{front}e3{back}"),
        format!("{front}{back}").replace("\"kind\":\"member\",", ""),
        format!("{front}{back}").replace("member", "Member"),
        format!("{front}{back}").replace("\"M-1\"", "1"),
        format!("{front}{back}").replace("[]", "null"),
        format!("{front}{back}").replace("[]", "[1]"),
        format!("{front}{back}").replace('9', "\"9\""),
    ];
    for payload in odd {
        assert_eq!(says(&payload), Err(VoucherRefused::Malformed("payload")), "{payload}");
    }
    for id in ["", "ä", "a b", "a.b", &"x".repeat(65)] {
        let voucher = Voucher { id: id.to_owned(), ..member() };
        assert_eq!(read(code(&voucher).expose()), Err(VoucherRefused::Malformed("id")), "{id:?}");
    }
    for fen in [0, -1, i64::MIN, 10_000_000_001, i64::MAX] {
        let voucher = Voucher { amount: Fen::new(fen), ..member() };
        assert_eq!(read(code(&voucher).expose()), Err(VoucherRefused::Malformed("amount")), "{fen}");
    }
}

#[test]
fn a_code_is_spent_before_it_expires_at_its_terminals_by_a_clock_that_is_trusted() {
    let at = |ms, trusted| Wall { ms, trusted };
    let everywhere = Voucher { terminals: Vec::new(), ..member() };
    assert_eq!(member().check("VM-0001", at(1_799_999_999_999, true)), Ok(()));
    assert_eq!(everywhere.check("VM-9", at(0, true)), Ok(()));
    assert_eq!(member().check("VM-0001", at(1_800_000_000_000, true)), Err(VoucherRefused::Expired));
    assert_eq!(member().check("VM-0001", at(i64::MAX, true)), Err(VoucherRefused::Expired));
    assert_eq!(member().check("VM-0001", at(0, false)), Err(VoucherRefused::NoClock));
    for other in ["VM-00011", "VM-000", "vm-0001", ""] {
        assert_eq!(member().check(other, at(0, true)), Err(VoucherRefused::Elsewhere), "{other:?}");
    }
}

#[test]
fn a_code_that_no_scanner_reads_is_not_made() {
    let many = (0..40).map(|number| format!("VM-{number:04}")).collect();
    let voucher = Voucher { terminals: many, ..member() };
    assert!(operator().sign(&voucher).is_none());
    let payload = serde_json::to_string(&voucher).expect("JSON");
    assert!(operator().sign_payload(payload.as_bytes()).expose().len() > LENGTH_MAX);
    assert_eq!(says(&payload), Err(VoucherRefused::Damaged));
}

#[test]
fn neither_the_code_nor_the_key_is_printed() {
    let code = code(&member());
    let printed = format!("{code} {code:?} {:?}", operator());
    assert!(!printed.contains(&code.expose()[10..20]), "{printed}");
    assert!(printed.contains("<secret>"));
}
