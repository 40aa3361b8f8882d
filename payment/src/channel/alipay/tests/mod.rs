//! Tests of the whole channel: requests as they leave, replies as they come, signed with the throw-away vector keys.

mod bills;
mod certificates;
mod codes;
mod details;
mod giving_back;
mod replies;
mod requests;
mod setup;
pub(crate) mod told;

use serde_json::Value;

use super::wire::Method;
use super::{Alipay, Config, Verify};
use crate::channel::Decoded;
use crate::channel::keys::PrivateKey;
use crate::channel::outcome::{Doubt, DoubtKind};
use crate::channel::{Answer, GoodsRow, Method as Collect, Offer, RefundOrder, Request, Trade};
use crate::ids::{AttemptId, RefundId};
use crate::money::Fen;
use crate::redact::{PayCode, Secret};
use crate::time::Wall;

/// 2025-06-01 12:00:00 in China.
const NOON: Wall = Wall { ms: 1_748_750_400_000, trusted: true };

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../../tests/vectors/alipay.json")).unwrap()
}

fn text(path: &str) -> String {
    let found = vectors().pointer(path).and_then(Value::as_str).map(str::to_owned);
    found.unwrap_or_else(|| panic!("no text at {path}"))
}

fn config() -> Config {
    Config {
        gateway_url: "https://openapi.alipay.com/gateway.do".into(),
        app_id: "2021000000000001".into(),
        private_key: Secret::new(text("/keys/app/pkcs1_pem")),
        verify: Verify::PublicKey(text("/keys/alipay/public_spki_pem")),
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
        aes_key: None,
        enable_pay_channels: None,
        disable_pay_channels: None,
    }
}

fn certificate_config() -> Config {
    let verify = Verify::Certificates {
        app: text("/cert_sn/certs/0/pem"),
        alipay: text("/cert_sn/certs/1/pem"),
        root: text("/cert_sn/root_bundle/pem"),
    };
    Config { verify, ..config() }
}

fn alipay() -> Alipay {
    Alipay::new(config()).unwrap()
}

fn attempt() -> AttemptId {
    AttemptId::from_entropy([1; 16])
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
    offer().trade(Collect::TakeCode)
}

fn goods() -> GoodsRow {
    GoodsRow { code: "cola".into(), name: "可乐".into(), quantity: 2, price: Fen::new(175) }
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
    Request::TakeCode(offer(), PayCode::new("285000000000000017"))
}

/// Every kind of request about an order.
fn every_request() -> Vec<Request> {
    vec![
        show(),
        take(),
        Request::Query(trade()),
        Request::Cancel(trade()),
        Request::Close(trade()),
        Request::Refund(refund()),
        Request::RefundQuery(refund()),
    ]
}

/// A reply whose content is signed with Alipay's vector key.
fn reply(node: &str, content: &[u8]) -> Vec<u8> {
    let sign = PrivateKey::load(&text("/keys/alipay/pkcs8_pem")).unwrap().sign_sha256(content);
    [format!("{{\"{node}\":").as_bytes(), content, format!(",\"sign\":\"{sign}\"}}").as_bytes()].concat()
}

fn unsigned(node: &str, content: &str) -> Vec<u8> {
    format!("{{\"{node}\":{content},\"sign\":\"\"}}").into_bytes()
}

/// `content` with `$NO` for the attempt's number and `$RF` for the refund's.
fn filled(content: &str) -> String {
    content.replace("$NO", attempt().as_str()).replace("$RF", refund_id().as_str())
}

/// The content of a business failure.
fn failure(sub_code: &str) -> String {
    format!(r#"{{"code":"40004","msg":"Business Failed","sub_code":"{sub_code}","sub_msg":"交易"}}"#)
}

/// The answer to a signed reply.
fn answer(request: &Request, content: &str) -> Answer {
    let body = reply(&Method::of(request).node(), filled(content).as_bytes());
    decoded(request, 200, &body)
}

fn decoded(request: &Request, status: u16, body: &[u8]) -> Answer {
    match alipay().decode(request, status, body) {
        Decoded::Answer(answer) => answer,
        Decoded::UnknownKey { serial } => panic!("certificate {serial} is wanted in key mode"),
        Decoded::EncodeAgain => panic!("nothing is done in steps"),
    }
}

fn kind(answer: &Answer) -> Option<DoubtKind> {
    answer.doubt().map(|doubt: &Doubt| doubt.kind)
}
