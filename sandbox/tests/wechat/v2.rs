//! APIv2 without its certificate part: micropay, query, and what refuses them.

use sandbox::wechat::{CallOutcome, Fault, Operation, Weather};
use serde_json::Value;

use crate::calling::{Ask, v2_ask, v2_sign};
use crate::till::{Till, micropay};

const PAY: &str = "/pay/micropay";
const QUERY: &str = "/pay/orderquery";

async fn query(till: &Till, number: &str) -> std::collections::BTreeMap<String, String> {
    till.v2(QUERY, &[("out_trade_no", number)]).await
}

#[tokio::test]
async fn a_pay_code_pays_and_the_query_knows_it() {
    let till = Till::open().await;
    let code = till.phone.pay_code();
    let paid = till.v2(PAY, &micropay("C00001", "350", &code)).await;
    assert_eq!((&*paid["result_code"], &*paid["trade_type"], &*paid["total_fee"]), ("SUCCESS", "MICROPAY", "350"));
    assert_eq!((&*paid["time_end"], &paid["openid"]), ("20250601120000", &till.phone.user_id()));
    let asked = query(&till, "C00001").await;
    assert_eq!((&*asked["trade_state"], &asked["transaction_id"]), ("SUCCESS", &paid["transaction_id"]));
    let by_id = till.v2(QUERY, &[("transaction_id", &paid["transaction_id"])]).await;
    assert_eq!(by_id["out_trade_no"], "C00001");
    assert_eq!(till.query("C00001").await.member("/trade_state"), "SUCCESS");
}

#[tokio::test]
async fn every_refusal_of_a_code_has_its_code() {
    let till = Till::open().await;
    let used = till.phone.pay_code();
    till.v2(PAY, &micropay("C00001", "350", &used)).await;
    let err = async |number: &str, fen: &str, code: &str| {
        till.v2(PAY, &micropay(number, fen, code)).await["err_code"].clone()
    };
    assert_eq!(err("C00001", "350", &used).await, "ORDERPAID");
    assert_eq!(err("C00001", "351", &used).await, "OUT_TRADE_NO_USED");
    assert_eq!(err("C00002", "350", &used).await, "AUTH_CODE_ERROR");
    assert_eq!(err("C00003", "350", "288888888888888888").await, "AUTH_CODE_INVALID");
    let old = till.phone.pay_code();
    till.control.expire_pay_codes();
    assert_eq!(err("C00004", "350", &old).await, "AUTHCODEEXPIRE");
    till.phone.set_balance_fen(0);
    assert_eq!(err("C00005", "350", &till.phone.pay_code()).await, "NOTENOUGH");
    assert_eq!(till.control.ledger().charged_fen(), 350);
}

#[tokio::test]
async fn typing_is_a_failure_with_a_code_and_the_query_follows_it() {
    let till = Till::open().await;
    till.control.set_weather(Weather::fair().with(Fault::PaysAtQuery(2).on(Operation::MicroPay).times(1)));
    let answer = till.v2(PAY, &micropay("C00001", "350", &till.phone.pay_code())).await;
    assert_eq!((&*answer["result_code"], &*answer["err_code"]), ("FAIL", "USERPAYING"));
    let first = query(&till, "C00001").await;
    assert_eq!((&*first["trade_state"], first.get("total_fee")), ("USERPAYING", None));
    assert_eq!(query(&till, "C00001").await["trade_state"], "SUCCESS");
    assert_eq!(query(&till, "C00009").await["err_code"], "ORDERNOTEXIST");
}

#[tokio::test]
async fn the_vectors_pass_the_signature_and_not_with_another_amount() {
    let till = Till::open().await;
    let vectors: Value = serde_json::from_str(include_str!("vectors/requests.json")).unwrap();
    for vector in vectors["micropay"].as_array().unwrap() {
        let xml = vector["xml"].as_str().unwrap();
        let answer = Ask::new("POST", PAY, xml).send(&till.gateway.url()).await.unwrap().xml();
        assert_eq!(answer["err_code"], "AUTH_CODE_INVALID", "{answer:?}");
        let spoiled = xml.replace("[200]", "[201]");
        assert_ne!(spoiled, xml);
        let answer = Ask::new("POST", PAY, &spoiled).send(&till.gateway.url()).await.unwrap().xml();
        assert_eq!((&*answer["return_code"], &*answer["return_msg"]), ("FAIL", "签名错误"));
    }
}

#[tokio::test]
async fn what_cannot_be_read_fails_without_a_signature() {
    let till = Till::open().await;
    let entity = "<!DOCTYPE xml [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><xml><a>&x;</a></xml>";
    for (method, body, message) in [
        ("GET", "", "请使用post方法"),
        ("POST", "", "post数据为空"),
        ("POST", "{}", "XML格式错误"),
        ("POST", entity, "XML格式错误"),
        ("POST", "<xml><mch_id>1900000001</mch_id></xml>", "缺少参数"),
        ("POST", "<xml><mch_id>1900000001</mch_id><sign>X</sign></xml>", "签名错误"),
        ("POST", "<xml><mch_id>9</mch_id><sign>X</sign></xml>", "签名错误"),
    ] {
        let answer = Ask::new(method, PAY, body).send(&till.gateway.url()).await.unwrap();
        assert_eq!((answer.status, answer.header("content-type")), (200, "text/plain"));
        let xml = answer.xml();
        assert_eq!((&*xml["return_msg"], xml.get("sign")), (message, None), "{body}");
    }
}

#[tokio::test]
async fn fields_are_checked_and_strangers_refused() {
    let till = Till::open().await;
    let err = async |change: &[(&str, &str)]| {
        let mut own: Vec<(&str, &str)> = micropay("C00001", "350", "130061098828009406").to_vec();
        own.retain(|(name, _)| change.iter().all(|(other, _)| other != name));
        let answer = till.v2(PAY, &[&own[..], change].concat()).await;
        answer["err_code"].clone()
    };
    assert_eq!(err(&[("total_fee", "3.50")]).await, "PARAM_ERROR");
    assert_eq!(err(&[("total_fee", "+350")]).await, "PARAM_ERROR");
    assert_eq!(err(&[("total_fee", "0")]).await, "PARAM_ERROR");
    assert_eq!(err(&[("spbill_create_ip", "here")]).await, "PARAM_ERROR");
    assert_eq!(err(&[("colour", "red")]).await, "PARAM_ERROR");
    assert_eq!(err(&[("time_expire", "2025060112")]).await, "PARAM_ERROR");
    assert_eq!(err(&[("body", "")]).await, "LACK_PARAMS");
    assert_eq!(err(&[("sub_mch_id", "1900000099")]).await, "NOAUTH");
    let other = [("appid", "wx1"), ("mch_id", &*till.keys.mchid), ("nonce_str", "1"), ("out_trade_no", "C1")];
    let answer = v2_ask(QUERY, &other, &till.keys.apiv2_key).send(&till.gateway.url()).await.unwrap().xml();
    assert_eq!(answer["err_code"], "APPID_MCHID_NOT_MATCH");
}

#[tokio::test]
async fn system_trouble_hides_whether_money_moved() {
    for executed in [false, true] {
        let till = Till::open().await;
        till.control.set_weather(Weather::fair().with(Fault::ReturnFail { executed }.times(1)));
        let answer = till.v2(PAY, &micropay("C00001", "350", &till.phone.pay_code())).await;
        assert_eq!(answer["return_code"], "FAIL");
        assert_eq!(till.control.ledger().charged_fen() > 0, executed);
        let code = Fault::Code { status: 200, code: "SYSTEMERROR".to_owned(), executed };
        till.control.set_weather(Weather::fair().with(code.times(1)));
        let answer = till.v2(PAY, &micropay("C00002", "350", &till.phone.pay_code())).await;
        assert_eq!(answer["err_code"], "SYSTEMERROR");
        assert_eq!(till.control.ledger().trade("C00002").is_some(), executed);
    }
}

#[tokio::test]
async fn a_bad_signature_of_an_answer_does_not_hold() {
    let till = Till::open().await;
    for fault in [Fault::BadSignature, Fault::NoSignature] {
        till.control.set_weather(Weather::fair().with(fault.times(1)));
        let ask = till.v2_ask(QUERY, &[("out_trade_no", "C00001")]);
        let xml = ask.send(&till.gateway.url()).await.unwrap().xml();
        assert_ne!(xml.get("sign"), Some(&v2_sign(&xml, &till.keys.apiv2_key)));
    }
}

#[tokio::test]
async fn a_reverse_without_tls_meets_a_closed_door() {
    let till = Till::open().await;
    let ask = till.v2_ask("/secapi/pay/reverse", &[("out_trade_no", "C00001")]);
    let answer = ask.send(&till.gateway.url()).await.unwrap();
    assert_eq!((answer.status, answer.text().contains("No required SSL certificate")), (400, true));
    let outcome = till.control.calls()[0].outcome.clone();
    assert_eq!(outcome, CallOutcome::Answered { status: 400, code: Some("CERT_ERROR".to_owned()) });
}
