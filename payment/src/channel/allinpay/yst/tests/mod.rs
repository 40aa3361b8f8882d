//! Tests of the whole channel: requests as they leave, answers as they come, signed with the throw-away vector keys.

mod replies;
mod requests;
mod setup;
mod steps;
mod table;
pub(crate) mod told;

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::codes::{CodeRule, Meaning};
use super::setup::{AmountForm, AskBy, Config, GoodsFields, PayModeForm, PayModes, Terminal, TradeKind};
use super::{Members, Yst};
use crate::channel::allinpay::sm2::PrivateKey;
use crate::channel::outcome::DoubtKind;
use crate::channel::{
    Answer, Decoded, Duty, DutyKind, HttpReply, HttpRequest, Method, Offer, RefundOrder, Request, Trade,
};
use crate::ids::{AttemptId, RefundId};
use crate::money::Fen;
use crate::redact::{PayCode, Secret};
use crate::time::Wall;

/// 2026-05-29 04:26:40 in China.
const NIGHT: Wall = Wall { ms: 1_780_000_000_000, trusted: true };
const ENTROPY: [u8; 32] = [7; 32];
const TRADE_NO: &str = "20260529042640208500000001";

fn text(path: &str) -> String {
    let vectors: Value = serde_json::from_str(include_str!("../../../../../tests/vectors/yst.json")).unwrap();
    let found = vectors.pointer(path).and_then(Value::as_str).map(str::to_owned);
    found.unwrap_or_else(|| panic!("no text at {path}"))
}

fn config() -> Config {
    Config {
        base_url: "https://ibsapi.allinpay.com/yst-service-api".into(),
        app_id: "20000000000000000001".into(),
        sp_app_id: None,
        private_key: Secret::new(text("/sm2_keys/yst2_merchant_sm2/private_pkcs8_base64")),
        allinpay_key: text("/sm2_keys/yst2_platform_sm2/public_spki_base64"),
        secret_key: None,
        receiver: "OPERATOR001".into(),
        cusid: "990000000000001".into(),
        orgid: None,
        trade: TradeKind::Consume,
        modes: PayModes::default(),
        pay_mode_form: PayModeForm::Object,
        amount_form: AmountForm::Number,
        ask_by: AskBy::State,
        limit_pay: None,
        split: Vec::new(),
        goods: GoodsFields::default(),
        terminal: Terminal { number: "00000001".into(), device_type: "10".into(), ..Terminal::default() },
        notify_url: None,
        extend_params: None,
        codes: Vec::new(),
    }
}

/// With the meanings that a contract's documents could give to three codes.
fn taught() -> Yst {
    let rule = |code: &str, meaning| CodeRule { code: code.to_owned(), meaning };
    let codes =
        vec![rule("20404", Meaning::NoOrder), rule("20409", Meaning::NumberUsed), rule("20402", Meaning::ShortOfFunds)];
    Yst::new(Config { codes, ..config() }).unwrap()
}

fn yst() -> Yst {
    Yst::new(config()).unwrap()
}

fn attempt() -> AttemptId {
    AttemptId::from_entropy([1; 16])
}

fn refund_id() -> RefundId {
    RefundId::from_entropy([2; 16])
}

fn confirm_no() -> String {
    format!("G{}", &attempt().as_str()[1..])
}

fn offer() -> Offer {
    Offer {
        attempt: attempt(),
        amount: Fen::new(350),
        subject: "可乐 330ml".into(),
        goods: Vec::new(),
        valid_ms: 600_000,
        begun: NIGHT,
        wallet: None,
        instalment: None,
    }
}

fn shown() -> Trade {
    offer().trade(Method::ShowCode)
}

fn taken() -> Trade {
    offer().trade(Method::TakeCode)
}

fn paid() -> Trade {
    Trade { trade_no: Some(TRADE_NO.into()), ..taken() }
}

fn refund() -> RefundOrder {
    RefundOrder {
        trade: paid(),
        refund: refund_id(),
        begun: NIGHT,
        amount: Fen::new(100),
        reason: "缺货".into(),
        confirmed: None,
    }
}

fn duty(kind: DutyKind) -> Duty {
    Duty { amount: paid().amount, trade: paid(), kind, goods: "可乐".into(), buyer: None, delivered: NIGHT }
}

fn show() -> Request {
    Request::ShowCode(offer())
}

fn take() -> Request {
    Request::TakeCode(offer(), PayCode::new("285000000000000017"))
}

fn confirm() -> Request {
    Request::Duty(duty(DutyKind::ConfirmGuarantee))
}

/// Every kind of request about an order.
fn every_request() -> Vec<Request> {
    vec![
        show(),
        take(),
        Request::Query(shown()),
        Request::Query(taken()),
        Request::Cancel(taken()),
        Request::Close(shown()),
        Request::Refund(refund()),
        Request::RefundQuery(refund()),
        confirm(),
    ]
}

/// The number that a good answer to this request names.
fn number(request: &Request) -> String {
    match request {
        Request::Refund(_) | Request::RefundQuery(_) => refund_id().to_string(),
        Request::Duty(_) => confirm_no(),
        Request::ShowCode(_)
        | Request::TakeCode(..)
        | Request::Query(_)
        | Request::Cancel(_)
        | Request::Close(_)
        | Request::Probe => attempt().to_string(),
    }
}

/// An envelope signed with Allinpay's vector key, its members as given.
fn sealed(members: &[(&str, &str)], with_sign_type: bool) -> HttpReply {
    let owned = members.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    let signed = owned.collect::<Members>().string_to_sign(with_sign_type);
    let key = PrivateKey::load(&text("/sm2_keys/yst2_platform_sm2/private_pkcs8_base64")).unwrap();
    let mut body: serde_json::Map<String, Value> =
        members.iter().map(|(name, text)| ((*name).to_owned(), json!(text))).collect();
    body.insert("sign".into(), json!(key.sign_sm3(signed.as_bytes(), ENTROPY)));
    HttpReply { status: 200, headers: Vec::new(), body: Value::Object(body).to_string().into_bytes() }
}

fn reply(code: &str, fields: &Value) -> HttpReply {
    sealed(&[("appId", "20000000000000000001"), ("code", code), ("bizData", &fields.to_string())], false)
}

fn answer_of(yst: &Yst, request: &Request, reply: &HttpReply) -> Answer {
    let decoded = yst.decode(request, NIGHT, reply);
    let Decoded::Answer(answer) = decoded else { panic!("{decoded:?} to {request:?}") };
    answer
}

/// What an envelope says whose signature held: verifying takes long here, and has tests of its own.
fn understood(yst: &Yst, request: &Request, code: &str, fields: &Value) -> Answer {
    let members = [("code", code.to_owned()), ("bizData", fields.to_string())];
    let envelope = members.map(|(name, text)| (name.to_owned(), text)).into_iter().collect();
    yst.understood(request, &envelope).unwrap_or_else(|doubt| Answer::in_doubt(request, doubt))
}

/// What these business fields say to a new installation.
fn answer(request: &Request, fields: &Value) -> Answer {
    static SHARED: LazyLock<Yst> = LazyLock::new(yst);
    understood(&SHARED, request, "00000", fields)
}

fn kind(answer: &Answer) -> Option<DoubtKind> {
    answer.doubt().map(|doubt| doubt.kind)
}

/// A paid order as 3001 tells it.
fn paid_fields() -> Value {
    json!({
        "reqTraceNum": attempt().as_str(), "respTraceNum": TRADE_NO, "result": "1", "orderAmount": 350,
        "payAmount": 350, "finishTime": "2026-05-29 04:27:01", "respCode": "00000", "respMsg": "成功",
    })
}

/// `fields` with one member set, or taken away by null.
fn with(mut fields: Value, name: &str, value: Value) -> Value {
    let members = fields.as_object_mut().unwrap();
    if value.is_null() {
        members.remove(name)
    } else {
        members.insert(name.into(), value)
    };
    fields
}

/// The envelope that leaves, and its business fields.
fn sent(request: &HttpRequest) -> (Value, Value) {
    let envelope: Value = serde_json::from_slice(&request.body).unwrap();
    let fields = serde_json::from_str(envelope["bizData"].as_str().unwrap()).unwrap();
    (envelope, fields)
}

fn code_of(yst: &Yst, request: &Request) -> String {
    let (envelope, _) = sent(&yst.encode(request, NIGHT, ENTROPY));
    envelope["transCode"].as_str().unwrap().to_owned()
}
