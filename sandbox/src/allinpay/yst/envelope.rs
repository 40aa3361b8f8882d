//! The checks before any business: envelope, application, time, signature (reference/allinpay.md 3.1, 3.2).

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::china_time::{self, COMPACT};
use super::super::http::{Incoming, Level, Node, Opened, Refusal};
use super::super::weather::Method;
use super::Yst;

/// A request that may go to the business layer.
pub(super) enum Asked {
    Call {
        method: Method,
        biz: Node,
    },
    /// The statement of a day, `yyyyMMdd`.
    File {
        date: String,
    },
}

/// Codes, where they are handled and what they are.
const CODES: [(&str, &str, Method); 8] = [
    ("2085", "/tx/handle", Method::Consume),
    ("2089", "/tx/handle", Method::Guarantee),
    ("2090", "/tx/handle", Method::Confirm),
    ("2294", "/tx/handle", Method::Refund),
    ("2295", "/tx/handle", Method::Close),
    ("3001", "/tq/handle", Method::Query),
    ("3002", "/tq/handle", Method::Detail),
    ("4001", "/tm/handle", Method::Terminal),
];

/// The outer fields: every one is a text.
type Fields = BTreeMap<String, String>;

pub(super) fn open(yst: &Yst, incoming: &Incoming, path: &str, now: i64) -> Opened<Asked> {
    let fields = read(incoming, path);
    let name = fields.as_ref().ok().and_then(|fields| fields.get("transCode").cloned()).unwrap_or_default();
    let method = CODES.iter().find(|(code, ..)| *code == name).map(|(.., method)| *method);
    let checked = fields.and_then(|fields| check(yst, path, &fields, now));
    let number = match &checked {
        Ok(Asked::Call { biz, .. }) => ["reqTraceNum", "orgRespTraceNum"].iter().find_map(|name| biz.get(*name)),
        Ok(Asked::File { .. }) | Err(_) => None,
    };
    let number = number.and_then(Value::as_str).map(str::to_owned);
    Opened { method, name, number, checked }
}

fn parameter(text: impl Into<String>) -> Refusal {
    Refusal::new(Level::Parameters, "10001", text)
}

fn read(incoming: &Incoming, path: &str) -> Result<Fields, Refusal> {
    if !matches!(path, "/tx/handle" | "/tm/handle" | "/tq/handle") {
        return Err(Refusal::new(Level::Http(404), "404", "no such address"));
    }
    if !incoming.post {
        return Err(Refusal::new(Level::Http(405), "405", "calls are POST"));
    }
    if !incoming.content_type.to_ascii_lowercase().starts_with("application/json") {
        return Err(Refusal::new(Level::Stranger, "10001", "send application/json;charset=utf-8"));
    }
    let texts = |_| Refusal::new(Level::Stranger, "10001", "the envelope is a JSON object of texts");
    serde_json::from_slice(&incoming.body).map_err(texts)
}

fn check(yst: &Yst, path: &str, fields: &Fields, now: i64) -> Result<Asked, Refusal> {
    check_application(yst, fields)?;
    let method = check_code(fields, path)?;
    check_fixed(fields)?;
    check_time(yst, fields, now)?;
    check_signature(yst, fields)?;
    let biz = required(fields, "bizData")?;
    let biz = serde_json::from_str(biz).map_err(|_| parameter("bizData is the text of a JSON object"))?;
    Ok(Asked::Call { method, biz })
}

fn required<'a>(fields: &'a Fields, name: &str) -> Result<&'a str, Refusal> {
    let value = fields.get(name).filter(|value| !value.is_empty());
    value.map(String::as_str).ok_or_else(|| parameter(format!("{name} is missing")))
}

fn check_application(yst: &Yst, fields: &Fields) -> Result<(), Refusal> {
    let stranger = |text: &str| Err(Refusal::new(Level::Stranger, "20001", text));
    if fields.get("appId") != Some(&yst.options.app_id) {
        return stranger("应用不存在: appId");
    }
    if fields.get("spAppId").filter(|value| !value.is_empty()) != yst.options.sp_app_id.as_ref() {
        return stranger("服务商不存在或不匹配: spAppId");
    }
    Ok(())
}

fn check_code(fields: &Fields, path: &str) -> Result<Method, Refusal> {
    let sent = required(fields, "transCode")?;
    let (code, at, method) =
        CODES.into_iter().find(|(code, ..)| *code == sent).ok_or_else(|| parameter("transCode: no such code"))?;
    if at != path {
        return Err(parameter(format!("{code} goes to {at}")));
    }
    Ok(method)
}

fn check_fixed(fields: &Fields) -> Result<(), Refusal> {
    for (name, only) in [("format", "json"), ("charset", "utf-8"), ("version", "1.0"), ("signType", "SM3withSM2")] {
        if !required(fields, name)?.eq_ignore_ascii_case(only) {
            return Err(parameter(format!("{name} is {only}")));
        }
    }
    Ok(())
}

fn check_time(yst: &Yst, fields: &Fields, now: i64) -> Result<(), Refusal> {
    let (date, time) = (required(fields, "transDate")?, required(fields, "transTime")?);
    let sent = china_time::read(COMPACT, &format!("{date}{time}")).filter(|_| date.len() == 8);
    let sent = sent.ok_or_else(|| parameter("transDate is yyyyMMdd and transTime HHmmss"))?;
    if yst.options.clock_tolerance_ms.is_some_and(|tolerance| (now - sent).abs() > tolerance) {
        return Err(parameter("transDate and transTime are too far from the time in Beijing"));
    }
    Ok(())
}

fn check_signature(yst: &Yst, fields: &Fields) -> Result<(), Refusal> {
    let text = string_to_sign(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    if yst.keys.merchant.holds(&text, required(fields, "sign")?) {
        return Ok(());
    }
    Err(Refusal::new(Level::Signature, "20019", "签名校验失败"))
}

/// Everything but `sign` and `signType` that has a value, sorted by name, joined raw.
pub(super) fn string_to_sign<'a>(values: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let signed = values.filter(|(name, value)| !matches!(*name, "sign" | "signType") && !value.is_empty());
    let sorted: BTreeMap<&str, &str> = signed.collect();
    let pairs: Vec<String> = sorted.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}
