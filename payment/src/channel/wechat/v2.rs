//! APIv2, which collects with pay codes: micropay, order query, reverse.
//!
//! Source: WeChat Pay APIv2, "code payment" (reference 5.3 to 5.6). Failures come with HTTP 200 too. Whatever has no right
//! signature is a doubt, `return_code` FAIL above all, which never has one and has been seen for payments that went through.

use std::collections::BTreeMap;

use serde_json::json;

use super::codes::class;
use super::order::{Order, Payer, Total};
use super::reply;
use super::setup::Setup;
use super::sign::{v2_sign, v2_verify};
use super::wire::{Operation, Stamp};
use super::xml;
use crate::channel::outcome::{Doubt, DoubtKind, Outcome, Reversal};
use crate::channel::text::{self, limited};
use crate::channel::{Answer, HttpReply, HttpRequest, Method, Offer, Request};
use crate::redact::PayCode;

const CONTENT_TYPE: &str = "text/xml; charset=utf-8";
const SIGN_TYPE: &str = "HMAC-SHA256";
const BODY: usize = 127;
const LONGEST_SCENE: usize = 256;

type Message = BTreeMap<String, String>;

/// The signed message for a request that v2 carries.
pub(super) fn request(setup: &Setup, request: &Request, stamp: &Stamp) -> HttpRequest {
    let mut fields = common(setup, stamp);
    match request {
        Request::TakeCode(offer, code) => micropay(&mut fields, setup, offer, code),
        Request::ShowCode(_)
        | Request::Query(_)
        | Request::Cancel(_)
        | Request::Close(_)
        | Request::Refund(_)
        | Request::RefundQuery(_)
        | Request::Duty(_)
        | Request::Probe => fields.push(("out_trade_no", reply::number(request).to_owned())),
    }
    let operation = Operation::of(&setup.config, request);
    signed(setup, path(operation), fields, operation == Operation::V2Reverse)
}

/// The interface's path.
const fn path(operation: Operation) -> &'static str {
    match operation {
        Operation::Micropay => "/pay/micropay",
        Operation::V2Reverse => "/secapi/pay/reverse",
        Operation::V2Query
        | Operation::Native
        | Operation::CodePay
        | Operation::Query
        | Operation::Close
        | Operation::Reverse
        | Operation::Refund
        | Operation::RefundQuery
        | Operation::Delivery => "/pay/orderquery",
    }
}

type Fields = Vec<(&'static str, String)>;

fn common(setup: &Setup, stamp: &Stamp) -> Fields {
    let config = &setup.config;
    let mut fields = vec![("appid", config.appid.clone()), ("mch_id", config.mchid.clone())];
    if let Some(sub) = &config.sub_merchant {
        fields.extend(sub.appid.iter().map(|appid| ("sub_appid", appid.clone())));
        fields.push(("sub_mch_id", sub.mchid.clone()));
    }
    fields.push(("nonce_str", stamp.nonce.clone()));
    fields.push(("sign_type", SIGN_TYPE.to_owned()));
    fields
}

fn micropay(fields: &mut Fields, setup: &Setup, offer: &Offer, code: &PayCode) {
    let config = &setup.config;
    fields.extend(config.store.device_id.iter().map(|id| ("device_info", id.clone())));
    fields.push(("body", body(&offer.subject, offer.attempt.as_str())));
    fields.push(("out_trade_no", offer.attempt.to_string()));
    fields.push(("total_fee", offer.amount.get().to_string()));
    fields.push(("fee_type", "CNY".to_owned()));
    fields.push(("spbill_create_ip", config.store.terminal_ip.clone()));
    fields.extend(config.goods_tag.iter().map(|tag| ("goods_tag", tag.clone())));
    fields.extend(config.limit_pay.iter().map(|limit| ("limit_pay", limit.clone())));
    fields.extend(scene(setup).map(|scene| ("scene_info", scene)));
    if config.profit_sharing {
        fields.push(("profit_sharing", "Y".to_owned()));
    }
    fields.push(("auth_code", code.expose().to_owned()));
}

/// The store, if it fits: it is optional, and too long a text would get the payment refused.
fn scene(setup: &Setup) -> Option<String> {
    let store = &setup.config.store;
    let mut info = text::Fields::default();
    info.put("id", store.id.as_deref()?);
    info.maybe("name", store.name.as_deref());
    info.maybe("area_code", store.area_code.as_deref());
    info.maybe("address", store.address.as_deref());
    let scene = json!({ "store_info": info.done() }).to_string();
    (scene.chars().count() <= LONGEST_SCENE).then_some(scene)
}

/// The line for the buyer's bill. The table says 127 and not of what: bytes fit both readings.
fn body(text: &str, number: &str) -> String {
    let mut line = String::new();
    for c in limited(text, BODY).chars() {
        if line.len() + c.len_utf8() > BODY {
            break;
        }
        line.push(c);
    }
    if line.is_empty() { number.to_owned() } else { line }
}

fn signed(setup: &Setup, path: &str, mut fields: Fields, shows_certificate: bool) -> HttpRequest {
    let sign = v2_sign(fields.iter().map(|(name, value)| (*name, value.as_str())), setup.v2_key());
    fields.push(("sign", sign));
    let body = xml::write(fields.iter().map(|(name, value)| (*name, value.as_str())));
    let hosts = &setup.config.hosts;
    let mut request = HttpRequest::post(format!("{}{path}", hosts.pay), CONTENT_TYPE, body.into_bytes());
    request.backup_url = hosts.backup.as_ref().map(|host| format!("{host}{path}"));
    request.shows_certificate = shows_certificate;
    request
}

/// What the reply to a v2 message means.
pub(super) fn decode(setup: &Setup, request: &Request, reply: &HttpReply) -> Result<Answer, Doubt> {
    if reply.status != 200 {
        return Err(reply::trouble(format!("HTTP status {}", reply.status)));
    }
    let message = xml::read(&reply.body).map_err(|error| reply::malformed(error.to_string()))?;
    let get = |name: &str| message.get(name).map(String::as_str).filter(|text| !text.is_empty());
    match get("return_code") {
        Some("SUCCESS") => {}
        Some("FAIL") => return Err(reply::trouble(get("return_msg").unwrap_or("return_code FAIL"))),
        Some(_) | None => return Err(reply::malformed("no return_code in the answer")),
    }
    verify(setup, &message)?;
    let order = order(setup, &message)?;
    order.must_be_ours(&setup.config)?;
    if let Some(doubt) = order.names_another(request) {
        return Err(doubt);
    }
    match get("result_code") {
        Some("SUCCESS") => success(setup, request, &message, &order),
        Some("FAIL") => failure(setup, request, &message),
        Some(_) | None => Err(reply::malformed("no result_code in the answer")),
    }
}

fn verify(setup: &Setup, message: &Message) -> Result<(), Doubt> {
    let sign = message.get("sign").map_or("", String::as_str);
    let parameters = message.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    if v2_verify(parameters, setup.v2_key(), sign) {
        return Ok(());
    }
    Err(Doubt::new(DoubtKind::BadSignature, "the sign is not WeChat Pay's HMAC-SHA256 over this message"))
}

/// The message in the words of v3.
fn order(setup: &Setup, message: &Message) -> Result<Order, Doubt> {
    let get = |name: &str| message.get(name).filter(|text| !text.is_empty()).cloned();
    let fen = |name: &str| get(name).map(|text| whole(name, &text)).transpose();
    let (appid, mchid) = (get("appid"), get("mch_id"));
    let who = match setup.config.sub_merchant {
        None => Order { appid, mchid, ..Order::default() },
        Some(_) => Order { sp_appid: appid, sp_mchid: mchid, ..Order::default() },
    };
    let amount = Total {
        total: fen("total_fee")?,
        payer_total: fen("cash_fee")?,
        settlement: fen("settlement_total_fee")?,
        coupons: fen("coupon_fee")?,
        currency: get("fee_type"),
    };
    Ok(Order {
        sub_appid: get("sub_appid"),
        sub_mchid: get("sub_mch_id"),
        out_trade_no: get("out_trade_no"),
        transaction_id: get("transaction_id"),
        trade_state: get("trade_state"),
        success_time: get("time_end"),
        payer: Some(Payer { openid: get("openid"), sub_openid: get("sub_openid"), ..Payer::default() }),
        amount: Some(amount),
        ..who
    })
}

/// Fen as digits.
fn whole(name: &str, text: &str) -> Result<i64, Doubt> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| text.parse().ok()).flatten();
    number.ok_or_else(|| reply::malformed(format!("{name} is {text:?}")))
}

fn success(setup: &Setup, request: &Request, message: &Message, order: &Order) -> Result<Answer, Doubt> {
    match request {
        Request::TakeCode(offer, _) => {
            order.must_name(request)?;
            order.receipt(offer.amount).map(|receipt| Answer::Payment(Outcome::Paid(receipt)))
        }
        Request::Cancel(_) => reversed(message).map(Answer::Reversal),
        Request::Query(trade) | Request::Close(trade) => {
            order.must_name(request)?;
            let outcome = order.standing(Method::TakeCode, trade.amount)?;
            Ok(reply::asked(request, outcome))
        }
        Request::ShowCode(_) | Request::Refund(_) | Request::RefundQuery(_) | Request::Duty(_) | Request::Probe => {
            Err(reply::malformed(format!("{:?} is no call of APIv2", Operation::of(&setup.config, request))))
        }
    }
}

/// `recall` Y means that it is not finished, whatever else the answer says.
fn reversed(message: &Message) -> Result<Reversal, Doubt> {
    match message.get("recall").map(String::as_str) {
        Some("Y") => Ok(Reversal::Again),
        Some("N" | "") | None => Ok(Reversal::Closed),
        Some(other) => Err(Doubt::new(DoubtKind::Unlisted, format!("recall {other}"))),
    }
}

fn failure(setup: &Setup, request: &Request, message: &Message) -> Result<Answer, Doubt> {
    if matches!(request, Request::Cancel(_)) && message.get("recall").is_some_and(|recall| recall == "Y") {
        return Ok(Answer::Reversal(Reversal::Again));
    }
    let code = message.get("err_code").map_or("", String::as_str);
    let words = message.get("err_code_des").map_or("", String::as_str);
    let known = class(Operation::of(&setup.config, request), code);
    reply::failed(request, known, code, words)
}
