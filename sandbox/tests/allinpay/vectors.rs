//! Requests that other people's clients signed: they pass, and what must be refused is refused.

use sandbox::Clock;
use sandbox::allinpay::{SignType, VspOptions, YstGateway, YstOptions};
use serde_json::Value;

use crate::calling::{self, post, set};
use crate::vsp_till::Till;

/// Made with public clients and OpenSSL; the file says how. Only throw-away keys.
fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/allinpay.json")).unwrap()
}

/// 2026-05-29 04:26:40 in China.
const VECTORS_MADE: i64 = 1_780_000_000_000;

fn path_of(name: &str) -> &'static str {
    match name.split('_').next() {
        Some("scanqrpay") => "/unitorder/scanqrpay",
        Some("nativepay") => "/unitorder/nativepay",
        _ => "/tranx/query",
    }
}

fn sign_type(vector: &Value) -> SignType {
    match vector["signtype"].as_str() {
        Some("MD5") => SignType::Md5,
        Some("RSA") => SignType::Rsa,
        _ => SignType::Sm2,
    }
}

async fn till(sign_type: SignType) -> Till {
    Till::with(|options: &mut VspOptions| {
        options.sign_type = sign_type;
        options.house.clock = Clock::new(|| VECTORS_MADE);
    })
    .await
}

#[tokio::test]
async fn requests_of_other_clients_pass_at_vsp() {
    let all = vectors();
    let merchant = all["vsp_signatures"].as_array().unwrap().iter().filter(|each| each["signed_by"] == "merchant");
    let mut count = 0;
    for vector in merchant {
        count += 1;
        let till = till(sign_type(vector)).await;
        let url = till.address(path_of(vector["name"].as_str().unwrap()));
        let form = vector["form_body"].as_str().unwrap();
        let answer = till.read(&post(&url, "application/x-www-form-urlencoded", form).await.unwrap());
        assert_eq!(answer.retcode(), "SUCCESS", "{}: {}", vector["name"], answer.node);
        assert!(answer.signed, "{}", vector["name"]);
        let cheaper = form.replace("randomstr=a1", "randomstr=a2");
        let changed = till.read(&post(&url, "application/x-www-form-urlencoded", &cheaper).await.unwrap());
        assert_eq!(changed.retcode(), "FAIL", "{} passes when changed", vector["name"]);
    }
    assert_eq!(count, 5);
}

#[tokio::test]
async fn the_md5_key_at_the_end_is_refused() {
    let all = vectors();
    let vector = &all["vsp_signatures"][0];
    let negative = &all["vsp_negative"][0];
    let till = till(SignType::Md5).await;
    let mut params: calling::Params = vector["params"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
        .collect();
    for (name, expected) in [("wrong_sign", "FAIL"), ("right_sign", "SUCCESS")] {
        set(&mut params, "sign", negative[name].as_str().unwrap());
        let answer = till.read(&till.send("/unitorder/scanqrpay", &params).await.unwrap());
        assert_eq!(answer.retcode(), expected, "{name}");
    }
}

#[tokio::test]
async fn requests_of_other_clients_pass_at_yst() {
    let all = vectors();
    let mut options = YstOptions::default();
    options.house.clock = Clock::new(|| VECTORS_MADE);
    let gateway = YstGateway::start(options).await.unwrap();
    let merchant = all["yst2_signatures"].as_array().unwrap().iter().filter(|each| each["signed_by"] == "merchant");
    let mut count = 0;
    for vector in merchant {
        count += 1;
        let url = format!("{}{}", gateway.url(), vector["path"].as_str().unwrap());
        let body = vector["json_body"].as_str().unwrap();
        let answer = post(&url, "application/json;charset=utf-8", body).await.unwrap().text();
        assert!(answer.contains(r#""code":"00000""#), "{}: {answer}", vector["name"]);
        let changed = body.replace("VM0001-20260529", "VM0002-20260529");
        assert_ne!(changed, body);
        let answer = post(&url, "application/json;charset=utf-8", &changed).await.unwrap().text();
        assert!(answer.contains(r#""code":"20019""#), "{} passes when changed: {answer}", vector["name"]);
    }
    assert_eq!(count, 3);
}

#[tokio::test]
async fn the_download_of_a_statement_is_signed_over_three_bare_values() {
    let all = vectors();
    let vector = &all["yst2_file_download"];
    let mut options = YstOptions::default();
    options.house.clock = Clock::new(|| VECTORS_MADE + 12 * 3_600_000);
    let gateway = YstGateway::start(options).await.unwrap();
    let sign = calling::percent(vector["sign"].as_str().unwrap());
    let url = format!("{}/file/download", gateway.url());
    for (date, passes) in [("20260528", true), ("20260527", false)] {
        let body = format!("appId=20000000000000000001&fileType=1&fileDate={date}&sign={sign}");
        let answer = post(&url, "application/x-www-form-urlencoded", &body).await.unwrap().text();
        assert_eq!(!answer.starts_with('{'), passes, "{answer}");
    }
}
