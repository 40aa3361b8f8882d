//! A request as WeChat Pay wants it: which interface, its JSON, its signature.
//!
//! Source: WeChat Pay APIv3 (reference 1 to 6). The bytes that are signed are the bytes that are sent; the second host gets
//! the same ones. v2 messages are in the module `v2`, reports of deliveries in `delivery`.

use serde_json::{Value, json};

use super::setup::{CodePay, Config, Setup};
use super::sign::{authorization, hex, method_name, request_to_sign};
use super::{delivery, v2};
use crate::channel::text::{Fields, china, limited};
use crate::channel::{Duty, DutyKind, GoodsRow, HttpMethod, HttpRequest, Method, Offer, RefundOrder, Request, Trade};
use crate::redact::PayCode;
use crate::time::Wall;

/// The number that a probe asks for; no attempt has it.
pub(super) const PROBE: &str = "TILL_PROBE";

const USER_AGENT: &str = concat!("till/", env!("CARGO_PKG_VERSION"));
const JSON: &str = "application/json";
const MINUTE_MS: u64 = 60_000;
/// The shorter of the two limits that are documented (reference 2).
const LONGEST_MS: u64 = 7 * 24 * 60 * MINUTE_MS;
const DESCRIPTION: usize = 127;
const REASON: usize = 80;
const LONGEST_DETAIL: usize = 6144;

/// An interface of WeChat Pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// v3 Native order: make a code for our screen.
    Native,
    /// v3 code pay.
    CodePay,
    /// v2 code pay.
    Micropay,
    /// v3 order query.
    Query,
    /// v2 order query.
    V2Query,
    /// v3 close.
    Close,
    /// v3 reverse.
    Reverse,
    /// v2 reverse.
    V2Reverse,
    /// v3 refund.
    Refund,
    /// v3 refund query.
    RefundQuery,
    /// The mini-program's delivery management: an access token, then the report.
    Delivery,
}

impl Operation {
    /// The interface that carries `request`. What WeChat Pay has no interface for becomes a question, which is harmless.
    pub(super) fn of(config: &Config, request: &Request) -> Self {
        match request {
            Request::ShowCode(_) => Self::Native,
            Request::TakeCode(..) => by_version(config, Self::Micropay, Self::CodePay),
            Request::Query(trade) => Self::query(config, trade.method),
            Request::Cancel(trade) => match trade.method {
                Method::ShowCode => Self::Close,
                Method::TakeCode => by_version(config, Self::V2Reverse, Self::Reverse),
            },
            Request::Close(trade) => match trade.method {
                Method::ShowCode => Self::Close,
                // "Code-pay orders cannot be closed, only reversed" (reference 4.2), and a reversal returns the money.
                Method::TakeCode => Self::query(config, Method::TakeCode),
            },
            Request::Refund(_) => Self::Refund,
            Request::RefundQuery(_) => Self::RefundQuery,
            Request::Duty(duty) if is_owed(config, duty) => Self::Delivery,
            Request::Duty(duty) => Self::query(config, duty.trade.method),
            Request::Probe => Self::Query,
        }
    }

    fn query(config: &Config, method: Method) -> Self {
        match method {
            Method::ShowCode => Self::Query,
            Method::TakeCode => by_version(config, Self::V2Query, Self::Query),
        }
    }

    /// Whether it speaks XML.
    pub(super) const fn is_v2(self) -> bool {
        match self {
            Self::Micropay | Self::V2Query | Self::V2Reverse => true,
            Self::Native
            | Self::CodePay
            | Self::Query
            | Self::Close
            | Self::Reverse
            | Self::Refund
            | Self::RefundQuery
            | Self::Delivery => false,
        }
    }
}

fn by_version(config: &Config, v2: Operation, v3: Operation) -> Operation {
    match config.code_pay {
        CodePay::V2 => v2,
        CodePay::V3 => v3,
    }
}

/// Whether WeChat wants to hear of this: only of deliveries, and only where delivery management is on.
pub(super) fn is_owed(config: &Config, duty: &Duty) -> bool {
    match duty.kind {
        DutyKind::ReportDelivery => config.delivery.is_some(),
        DutyKind::ConfirmGuarantee => false,
    }
}

/// What makes a message unique and dates it.
#[derive(Debug, Clone)]
pub(super) struct Stamp {
    pub(super) seconds: i64,
    /// 32 characters.
    pub(super) nonce: String,
}

impl Stamp {
    pub(super) fn new(wall: Wall, entropy: [u8; 32]) -> Self {
        Self { seconds: wall.ms.div_euclid(1000), nonce: hex(&entropy[..16]) }
    }
}

/// The signed HTTP request for a channel request.
pub(super) fn request(setup: &Setup, request: &Request, stamp: &Stamp, token: Option<&str>) -> HttpRequest {
    let operation = Operation::of(&setup.config, request);
    if operation.is_v2() {
        return v2::request(setup, request, stamp);
    }
    match request {
        Request::ShowCode(offer) => post(setup, &native_path(&setup.config), &native(&setup.config, offer), stamp),
        Request::TakeCode(offer, code) => {
            post(setup, &pay_path(&setup.config, "codepay"), &code_pay(&setup.config, offer, code), stamp)
        }
        Request::Duty(duty) if operation == Operation::Delivery => delivery::request(setup, duty, token),
        Request::Query(trade) => query(setup, trade.attempt.as_str(), stamp),
        Request::Duty(duty) => query(setup, duty.trade.attempt.as_str(), stamp),
        Request::Probe => query(setup, PROBE, stamp),
        Request::Close(trade) | Request::Cancel(trade) => match operation {
            Operation::Reverse => reverse(setup, trade, stamp),
            Operation::Close => close(setup, trade, stamp),
            Operation::Query
            | Operation::Native
            | Operation::CodePay
            | Operation::Micropay
            | Operation::V2Query
            | Operation::V2Reverse
            | Operation::Refund
            | Operation::RefundQuery
            | Operation::Delivery => query(setup, trade.attempt.as_str(), stamp),
        },
        Request::Refund(refund) => {
            post(setup, "/v3/refund/domestic/refunds", &refund_body(&setup.config, refund), stamp)
        }
        Request::RefundQuery(refund) => {
            let sub = setup.config.sub_merchant.as_ref().map(|sub| format!("?sub_mchid={}", sub.mchid));
            let target = format!("/v3/refund/domestic/refunds/{}{}", refund.refund, sub.unwrap_or_default());
            get(setup, &target, stamp)
        }
    }
}

/// A signed GET of the payment host.
pub(super) fn get(setup: &Setup, target: &str, stamp: &Stamp) -> HttpRequest {
    v3(setup, HttpMethod::Get, target, Vec::new(), stamp)
}

fn post(setup: &Setup, target: &str, body: &Value, stamp: &Stamp) -> HttpRequest {
    v3(setup, HttpMethod::Post, target, body.to_string().into_bytes(), stamp)
}

fn v3(setup: &Setup, method: HttpMethod, target: &str, body: Vec<u8>, stamp: &Stamp) -> HttpRequest {
    let hosts = &setup.config.hosts;
    HttpRequest {
        method,
        url: format!("{}{target}", hosts.pay),
        backup_url: hosts.backup.as_ref().map(|host| format!("{host}{target}")),
        headers: headers(setup, method, target, &body, stamp),
        body,
        shows_certificate: false,
    }
}

fn headers(setup: &Setup, method: HttpMethod, target: &str, body: &[u8], stamp: &Stamp) -> Vec<(&'static str, String)> {
    let Stamp { seconds, nonce } = stamp;
    let signature = setup.key.sign_sha256(&request_to_sign(method_name(method), target, *seconds, nonce, body));
    let authorization = authorization(&setup.config.mchid, &setup.serial, *seconds, nonce, &signature);
    let mut headers = vec![
        ("Authorization", authorization),
        ("Accept", JSON.to_owned()),
        // Without one some interfaces answer 400 before they look at anything else (reference 1.2).
        ("User-Agent", USER_AGENT.to_owned()),
    ];
    if method == HttpMethod::Post {
        headers.push(("Content-Type", JSON.to_owned()));
    }
    // It selects the key that signs the answer.
    if let Some(key) = &setup.config.verify.public_key {
        headers.push(("Wechatpay-Serial", key.id.clone()));
    }
    headers
}

fn pay_path(config: &Config, last: &str) -> String {
    let partner = if config.sub_merchant.is_some() { "partner/" } else { "" };
    format!("/v3/pay/{partner}transactions/{last}")
}

fn native_path(config: &Config) -> String {
    pay_path(config, "native")
}

fn query(setup: &Setup, number: &str, stamp: &Stamp) -> HttpRequest {
    let config = &setup.config;
    let who = match &config.sub_merchant {
        None => format!("mchid={}", config.mchid),
        Some(sub) => format!("sp_mchid={}&sub_mchid={}", config.mchid, sub.mchid),
    };
    get(setup, &pay_path(config, &format!("out-trade-no/{number}?{who}")), stamp)
}

fn close(setup: &Setup, trade: &Trade, stamp: &Stamp) -> HttpRequest {
    let mut fields = Fields::default();
    match &setup.config.sub_merchant {
        None => fields.put("mchid", setup.config.mchid.as_str()),
        Some(sub) => {
            fields.put("sp_mchid", setup.config.mchid.as_str());
            fields.put("sub_mchid", sub.mchid.as_str());
        }
    }
    post(setup, &pay_path(&setup.config, &format!("out-trade-no/{}/close", trade.attempt)), &fields.done(), stamp)
}

fn reverse(setup: &Setup, trade: &Trade, stamp: &Stamp) -> HttpRequest {
    let mut fields = Fields::default();
    put_merchant(&mut fields, &setup.config);
    post(setup, &pay_path(&setup.config, &format!("out-trade-no/{}/reverse", trade.attempt)), &fields.done(), stamp)
}

fn native(config: &Config, offer: &Offer) -> Value {
    let mut fields = Fields::default();
    offered(&mut fields, config, offer);
    // From the attempt's own beginning: the same order must have the same fields whenever it is sent again.
    fields.put("time_expire", china(expires(offer)).strftime("%Y-%m-%dT%H:%M:%S+08:00").to_string());
    fields.put("notify_url", config.notify_url.as_str());
    fields.put("amount", json!({ "total": offer.amount.get(), "currency": "CNY" }));
    // The page for direct merchants does not have it (reference 3), and unknown fields may be refused.
    if let (Some(limit), Some(_)) = (&config.limit_pay, &config.sub_merchant) {
        fields.put("limit_pay", json!([limit]));
    }
    fields.put("scene_info", native_scene(config));
    fields.done()
}

fn code_pay(config: &Config, offer: &Offer, code: &PayCode) -> Value {
    let mut fields = Fields::default();
    offered(&mut fields, config, offer);
    fields.put("payer", json!({ "auth_code": code.expose() }));
    fields.put("amount", json!({ "total": offer.amount.get(), "currency": "CNY" }));
    fields.put("scene_info", code_scene(config));
    fields.done()
}

/// What both ways of paying have in common.
fn offered(fields: &mut Fields, config: &Config, offer: &Offer) {
    put_merchant(fields, config);
    fields.put("description", description(&offer.subject, offer.attempt.as_str()));
    fields.put("out_trade_no", offer.attempt.as_str());
    fields.maybe("goods_tag", config.goods_tag.as_deref());
    if config.profit_sharing {
        fields.put("settle_info", json!({ "profit_sharing": true }));
    }
    if let Some(goods) = goods(&offer.goods) {
        fields.put("detail", goods);
    }
}

fn native_scene(config: &Config) -> Value {
    let store = &config.store;
    let mut scene = Fields::default();
    scene.put("payer_client_ip", store.terminal_ip.as_str());
    scene.maybe("device_id", store.device_id.as_deref());
    if let Some(id) = &store.id {
        let mut info = Fields::default();
        info.put("id", id.as_str());
        info.maybe("name", store.name.as_deref());
        info.maybe("area_code", store.area_code.as_deref());
        info.maybe("address", store.address.as_deref());
        scene.put("store_info", info.done());
    }
    scene.done()
}

fn code_scene(config: &Config) -> Value {
    let store = &config.store;
    let mut scene = Fields::default();
    scene.maybe("device_id", store.device_id.as_deref());
    scene.put("device_ip", store.terminal_ip.as_str());
    let mut info = Fields::default();
    match &store.id {
        Some(id) => info.put("id", id.as_str()),
        None => info.maybe("out_id", store.out_id.as_deref()),
    }
    scene.put("store_info", info.done());
    scene.done()
}

fn refund_body(config: &Config, refund: &RefundOrder) -> Value {
    let mut fields = Fields::default();
    fields.maybe("sub_mchid", config.sub_merchant.as_ref().map(|sub| sub.mchid.as_str()));
    fields.put("out_trade_no", refund.trade.attempt.as_str());
    fields.put("out_refund_no", refund.refund.as_str());
    let reason = limited(&refund.reason, REASON);
    fields.maybe("reason", (!reason.is_empty()).then_some(&reason));
    // Without it a v2 notice in XML is sent instead, or none (reference 6.1).
    fields.put("notify_url", config.notify_url.as_str());
    let (part, whole) = (refund.amount.get(), refund.trade.amount.get());
    fields.put("amount", json!({ "refund": part, "total": whole, "currency": "CNY" }));
    fields.done()
}

/// The goods, where every one has a code that WeChat Pay takes; they only matter for discounts on single goods, so a list
/// that would get the order refused is left out.
fn goods(rows: &[GoodsRow]) -> Option<Value> {
    let is_clean = |row: &GoodsRow| {
        (1..=32).contains(&row.code.len())
            && row.code.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            && row.price.is_positive()
    };
    if rows.is_empty() || !rows.iter().all(is_clean) {
        return None;
    }
    let list: Value = rows.iter().map(goods_row).collect();
    let detail = json!({ "goods_detail": list });
    (detail.to_string().len() <= LONGEST_DETAIL).then_some(detail)
}

fn goods_row(row: &GoodsRow) -> Value {
    let mut fields = Fields::default();
    fields.put("merchant_goods_id", row.code.as_str());
    let name = limited(&row.name, 256);
    fields.maybe("goods_name", (!name.is_empty()).then_some(&name));
    fields.put("quantity", row.quantity);
    fields.put("unit_price", row.price.get());
    fields.done()
}

/// When the offer ends: one minute after its beginning at least, seven days at most.
pub(super) fn expires(offer: &Offer) -> Wall {
    let lives = offer.valid_ms.clamp(MINUTE_MS, LONGEST_MS);
    let ms = offer.begun.ms.saturating_add(i64::try_from(lives).unwrap_or(i64::MAX));
    Wall { ms: ms.saturating_add(999).div_euclid(1000).saturating_mul(1000), ..offer.begun }
}

/// The line for the buyer's bill. A subject of nothing becomes the order number, since an empty one is refused.
fn description(text: &str, number: &str) -> String {
    let line = limited(text, DESCRIPTION);
    if line.is_empty() { number.to_owned() } else { line }
}

/// Who collects.
fn put_merchant(fields: &mut Fields, config: &Config) {
    match &config.sub_merchant {
        None => {
            fields.put("appid", config.appid.as_str());
            fields.put("mchid", config.mchid.as_str());
        }
        Some(sub) => {
            fields.put("sp_appid", config.appid.as_str());
            fields.put("sp_mchid", config.mchid.as_str());
            fields.maybe("sub_appid", sub.appid.as_deref());
            fields.put("sub_mchid", sub.mchid.as_str());
        }
    }
}
