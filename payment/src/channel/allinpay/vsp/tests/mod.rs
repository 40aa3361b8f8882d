//! Tests of the whole channel: requests as they leave, answers as they come, signed with the throw-away vector keys.

mod beside;
mod cancels;
mod codes;
mod replies;
mod requests;
mod seals;
mod setup;
pub(crate) mod told;

use serde_json::{Map, Value, json};

use super::sign::md5_of;
use super::{Config, SignType, Vsp};
use crate::channel::outcome::{Doubt, DoubtKind};
use crate::channel::{
    Answer, Decoded, Duty, DutyKind, HttpReply, HttpRequest, Method, Offer, RefundOrder, Request, Trade,
};
use crate::ids::{AttemptId, RefundId};
use crate::money::Fen;
use crate::redact::{PayCode, Secret};
use crate::time::Wall;

/// 2025-06-01 12:00:00 in China.
const NOON: Wall = Wall { ms: 1_748_750_400_000, trusted: true };
const ENTROPY: [u8; 32] = [9; 32];

fn text(path: &str) -> String {
    let vectors: Value = serde_json::from_str(include_str!("../../../../../tests/vectors/allinpay.json")).unwrap();
    let found = vectors.pointer(path).and_then(Value::as_str).map(str::to_owned);
    found.unwrap_or_else(|| panic!("no text at {path}"))
}

fn app_key() -> Secret<String> {
    Secret::new("ThrowawayVspAppKey0123456789abcd".into())
}

fn config() -> Config {
    Config::new("990000000000001", "00000001", "00000001", SignType::Md5 { app_key: app_key() })
}

fn rsa() -> SignType {
    SignType::Rsa {
        private_key: Secret::new(text("/vsp_keys/merchant_rsa_private_pkcs8_base64")),
        allinpay_key: text("/vsp_keys/platform_rsa_public_spki_base64"),
    }
}

fn sm2() -> SignType {
    SignType::Sm2 {
        private_key: Secret::new(text("/sm2_keys/vsp_merchant_sm2/private_pkcs8_base64")),
        allinpay_key: text("/sm2_keys/vsp_platform_sm2/public_spki_base64"),
    }
}

fn vsp() -> Vsp {
    Vsp::new(config()).unwrap()
}

fn attempt() -> AttemptId {
    AttemptId::from_entropy([1; 16])
}

fn cancel_no() -> String {
    attempt().as_str().replacen('P', "C", 1)
}

fn refund_id() -> RefundId {
    RefundId::from_entropy([2; 16])
}

fn offer() -> Offer {
    Offer {
        attempt: attempt(),
        amount: Fen::new(350),
        subject: "可乐 330ml".into(),
        goods: Vec::new(),
        valid_ms: 180_000,
        begun: NOON,
        wallet: None,
        instalment: None,
    }
}

fn trade() -> Trade {
    offer().trade(Method::TakeCode)
}

fn shown() -> Trade {
    offer().trade(Method::ShowCode)
}

fn refund() -> RefundOrder {
    RefundOrder {
        trade: trade(),
        refund: refund_id(),
        begun: NOON,
        amount: Fen::new(100),
        reason: "缺货".into(),
        confirmed: None,
    }
}

fn show() -> Request {
    Request::ShowCode(offer())
}

fn take() -> Request {
    Request::TakeCode(offer(), PayCode::new("130061098828009406"))
}

fn duty() -> Request {
    Request::Duty(Duty {
        amount: trade().amount,
        trade: trade(),
        kind: DutyKind::ReportDelivery,
        goods: "可乐".into(),
        buyer: None,
        delivered: NOON,
    })
}

/// Every kind of request that is about money, by the name that the tables of the tests use.
fn every_request() -> Vec<(&'static str, Request)> {
    vec![
        ("code", show()),
        ("pay", take()),
        ("query", Request::Query(trade())),
        ("query-shown", Request::Query(shown())),
        ("cancel", Request::Cancel(trade())),
        ("close", Request::Close(shown())),
        ("refund", Request::Refund(refund())),
        ("refund-query", Request::RefundQuery(refund())),
    ]
}

/// Our number of what `request` is about.
fn number(request: &Request) -> String {
    match request {
        Request::Cancel(_) => cancel_no(),
        Request::Refund(_) | Request::RefundQuery(_) => refund_id().to_string(),
        Request::Probe => super::wire::PROBE.to_owned(),
        Request::ShowCode(_) | Request::TakeCode(..) | Request::Query(_) | Request::Close(_) | Request::Duty(_) => {
            attempt().to_string()
        }
    }
}

/// A whole and good answer to `request` in state `trxstatus`.
fn members(request: &Request, trxstatus: &str) -> Value {
    let amount = if matches!(request, Request::Refund(_) | Request::RefundQuery(_)) { "100" } else { "350" };
    json!({
        "retcode": "SUCCESS", "retmsg": "", "cusid": "990000000000001", "appid": "00000001",
        "reqsn": number(request), "trxstatus": trxstatus, "trxid": "260529110000000001",
        "chnltrxid": "4200001234202605290123456790", "fintime": "20250601120003", "trxamt": amount,
        "payinfo": "https://syb.allinpay.com/apiweb/h5unionpay/unionnative?token=t1",
        "acct": "oThrowawayOpenId0000000000001", "errmsg": "交易", "randomstr": "9f8e7d6c5b4a", "fee": "1",
    })
}

/// `members` with some replaced or added; a null takes one out.
fn with(mut members: Value, changed: &Value) -> Value {
    let all = members.as_object_mut().unwrap();
    for (name, value) in changed.as_object().unwrap() {
        all.insert(name.clone(), value.clone());
        if value.is_null() {
            all.remove(name);
        }
    }
    members
}

/// What a member counts as in the string to sign.
fn raw(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn signed_pairs(members: &Map<String, Value>) -> Vec<(String, String)> {
    members.iter().map(|(name, value)| (name.clone(), raw(value))).collect()
}

/// The answer signed with the app key.
fn sealed(members: &Value) -> HttpReply {
    let pairs = signed_pairs(members.as_object().unwrap());
    let sign = md5_of(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())), &app_key());
    plain(&with(members.clone(), &json!({ "sign": sign })))
}

fn plain(members: &Value) -> HttpReply {
    HttpReply { status: 200, headers: Vec::new(), body: members.to_string().into_bytes() }
}

fn answer_of(vsp: &Vsp, request: &Request, wall: Wall, reply: &HttpReply) -> Answer {
    match vsp.decode(request, wall, reply) {
        Decoded::Answer(answer) => answer,
        Decoded::UnknownKey { serial } => panic!("VSP has no keys by number, and {serial} was asked for"),
        Decoded::EncodeAgain => panic!("{request:?} would be encoded again"),
    }
}

/// What a signed answer means at noon.
fn answer(request: &Request, members: &Value) -> Answer {
    answer_of(&vsp(), request, NOON, &sealed(members))
}

fn kind(answer: &Answer) -> Option<DoubtKind> {
    answer.doubt().map(|doubt: &Doubt| doubt.kind)
}

/// The fields of a form, decoded.
fn fields(request: &HttpRequest) -> Vec<(String, String)> {
    let body = std::str::from_utf8(&request.body).unwrap();
    let pairs = body.split('&').map(|pair| pair.split_once('=').unwrap());
    pairs.map(|(name, value)| (name.to_owned(), decoded_form(value))).collect()
}

fn decoded_form(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let hex = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap()
            }
            b'+' => b' ',
            other => other,
        });
    }
    String::from_utf8(bytes).unwrap()
}

fn field(request: &HttpRequest, name: &str) -> Option<String> {
    fields(request).into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
}
