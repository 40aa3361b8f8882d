//! Certificate mode.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sandbox::{Fault, KeyMode, Weather, merchant_keys};
use serde_json::json;

use crate::calling::{Answer, Params, send, set, signed};
use crate::till::Till;

type Change = fn(&mut Params);

const APP_SN: &str = "e06e0531c04f46cad125015350a029d2";
const ROOT_SN: &str = "ad7336ff58342939667a6019df8d2efb_5b5c02c427c2d24cef7415db2bb2e922";

async fn open() -> Till {
    Till::with(|options| options.mode = KeyMode::Certificate).await
}

async fn ask(till: &Till, method: &str, biz: serde_json::Value, change: Change) -> Answer {
    let mut params = till.params(method, &biz);
    set(&mut params, "app_cert_sn", APP_SN);
    set(&mut params, "alipay_root_cert_sn", ROOT_SN);
    change(&mut params);
    send(&till.gateway.url(), &signed(params)).await.unwrap()
}

#[tokio::test]
async fn both_serials_are_demanded() {
    let till = open().await;
    let changes: [(Change, &str); 4] = [
        (|params| set(params, "app_cert_sn", ""), "isv.missing-app-cert-sn"),
        (|params| set(params, "app_cert_sn", "00"), "isv.app-cert-not-exist"),
        (|params| set(params, "alipay_root_cert_sn", ""), "isv.missing-alipay-root-cert-sn"),
        (
            |params| set(params, "alipay_root_cert_sn", "ad7336ff58342939667a6019df8d2efb"),
            "isv.invalid-alipay-root-cert-sn",
        ),
    ];
    for (change, sub_code) in changes {
        let answer = ask(&till, "alipay.trade.query", json!({ "out_trade_no": "N1" }), change).await;
        assert_eq!(answer.sub_code(), sub_code);
    }
}

#[tokio::test]
async fn after_a_rotation_the_new_certificate_can_be_fetched() {
    let till = open().await;
    let query = json!({ "out_trade_no": "N1" });
    let before = ask(&till, "alipay.trade.query", query.clone(), |_| ()).await;
    assert!(before.signed && !before.signed_by_next);
    till.control.set_weather(Weather::fair().with(Fault::RotatedCertificate));
    let after = ask(&till, "alipay.trade.query", query, |_| ()).await;
    assert!(after.signed_by_next && !after.signed);
    assert_ne!(before.cert_sn, after.cert_sn);

    let method = "alipay.open.app.alipaycert.download";
    let wish = json!({ "alipay_cert_sn": after.cert_sn.unwrap() });
    let download = ask(&till, method, wish, |_| ()).await;
    let pem = STANDARD.decode(download.member("alipay_cert_content")).unwrap();
    let pem = String::from_utf8(pem).unwrap();
    assert_eq!(pem, include_str!("../../keys/alipay_next_cert.pem"));
    assert_ne!(pem, merchant_keys().certificates.alipay_cert_pem);
    let unknown = ask(&till, method, json!({ "alipay_cert_sn": APP_SN }), |_| ()).await;
    assert_eq!(unknown.sub_code(), "isv.alipay-cert-not-exist");
}

#[tokio::test]
async fn the_serial_stands_before_after_and_ahead_of_the_signature() {
    let till = open().await;
    let mut places = std::collections::BTreeSet::new();
    for _ in 0..40 {
        let answer = ask(&till, "alipay.trade.query", json!({ "out_trade_no": "N1" }), |_| ()).await;
        assert!(answer.signed, "{}", answer.text());
        let text = answer.text();
        let at = |name: &str| text.find(name).unwrap();
        let (node, sn, sign) = (at("_response\""), at("\"alipay_cert_sn\""), at("\"sign\""));
        places.insert((sn < node, sn < sign));
    }
    assert_eq!(places.len(), 3, "{places:?}");
}
