//! The official SDK's own requests, as bytes, and what the gateway makes of them.

use super::*;

/// The moment in every vector: 2025-06-01 12:00:00 in China.
const VECTOR_TIME: i64 = 1_748_750_400_000;

fn vectors(part: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("request_sign.json")).unwrap();
    all[part].as_array().unwrap().clone()
}

fn keys() -> GatewayKeys {
    GatewayKeys::load(KeyMode::PublicKey).unwrap()
}

fn params_of(vector: &Value) -> Params {
    let http = |name: &str| vector["http"][name].as_str().unwrap_or_default();
    Params::decode(http("query"), http("body").as_bytes()).unwrap()
}

fn verdict(params: &Params) -> Result<Method, String> {
    check(params, &GatewayOptions::default(), &keys(), VECTOR_TIME)
        .map(|checked| checked.method)
        .map_err(|refusal| refusal.sub_code)
}

#[test]
fn the_string_to_sign_is_the_one_that_the_official_sdk_signs() {
    for vector in vectors("request_sign") {
        let text = params_of(&vector).string_to_sign();
        assert_eq!(text, vector["string_to_sign"], "{}", vector["id"]);
    }
}

#[test]
fn requests_of_the_official_sdk_are_taken_unless_a_rule_forbids_them() {
    for vector in vectors("request_sign") {
        let id = vector["id"].as_str().unwrap();
        let expected = match id {
            "precreate-rsa1" => Err("isv.invalid-signature-type"),
            "precreate-aes" => Err("isv.invalid-encrypt-type"),
            "cancel-cert-mode" => Err("isv.invalid-parameter"),
            _ => Ok(()),
        };
        let verdict = verdict(&params_of(&vector)).map(drop);
        assert_eq!(verdict, expected.map_err(str::to_owned), "{id}");
    }
}

#[test]
fn a_certificate_mode_request_is_signed_with_its_serials() {
    let vectors = vectors("request_sign");
    let mut vectors = vectors.iter();
    let vector = vectors.find(|vector| vector["id"] == "cancel-cert-mode");
    assert_eq!(check_signature(&params_of(vector.unwrap()), &keys()), Ok(()));
}

#[test]
fn badly_signed_requests_are_refused_and_told_the_right_string() {
    for vector in vectors("request_sign_negative") {
        let mut query = vec![("sign", vector["sign"].as_str().unwrap())];
        let sent = vector["params"].as_object().unwrap();
        query.extend(sent.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())));
        let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", percent(value))).collect();
        let params = Params::decode(&query.join("&"), b"").unwrap();
        let options = GatewayOptions::default();
        let refusal = check(&params, &options, &keys(), VECTOR_TIME).unwrap_err();
        let id = &vector["id"];
        assert_eq!((refusal.code, &*refusal.sub_code), ("40002", "isv.invalid-signature"), "{id}");
        let echo = escape_html(&params.string_to_sign());
        assert!(refusal.sub_msg.ends_with(&echo), "{id}: {}", refusal.sub_msg);
        assert!(echo.contains("&amp;biz_content={&quot;"), "{id}: {echo}");
    }
}

fn percent(value: &str) -> String {
    value.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
