//! Answers: an envelope whose `bizData` is a text, signed without `signType` (reference/allinpay.md 3.1, 3.2).

use serde_json::{Map, Value};

use super::super::calls::CallOutcome;
use super::super::china_time;
use super::super::http::{Dress, Level, Node, Opened, Reply, Verdict};
use super::Yst;
use super::envelope::{Asked, string_to_sign};
use super::method::put;

pub(super) fn reply(yst: &Yst, opened: &Opened<Asked>, verdict: &Verdict<'_>, now: i64, dress: Dress) -> Reply {
    let mut signed = !dress.unsigned;
    let (code, msg, biz) = match verdict {
        Verdict::Node(biz) => ("00000", "成功", Some((*biz).clone())),
        Verdict::Refused(refusal) if refusal.level == Level::Business => {
            ("00000", "成功", Some(business(opened, &refusal.code, &refusal.text)))
        }
        Verdict::Refused(refusal) => {
            signed &= yst.options.sign_failures && refusal.level != Level::Stranger;
            (refusal.code.as_str(), refusal.text.as_str(), None)
        }
        Verdict::SystemError => ("99999", "系统异常", None),
        Verdict::Code(code) => ("00000", "成功", Some(business(opened, code, "made by the sandbox's weather"))),
    };
    let resp_code = biz.as_ref().and_then(|biz| biz.get("respCode")).and_then(Value::as_str).map(str::to_owned);
    let outcome = CallOutcome::Answered { code: code.to_owned(), sub_code: resp_code };
    let mut outer = envelope(yst, &opened.name, code, msg, now);
    if let Some(biz) = biz {
        put(&mut outer, "bizData", written(biz, dress));
    }
    if dress.extra {
        put(&mut outer, "newField2027", "added later by the gateway");
    }
    if signed {
        sign(yst, &mut outer, dress.bad_signature);
    }
    let bytes = Value::Object(outer).to_string().into_bytes();
    Reply { bytes, content_type: "application/json;charset=UTF-8", outcome }
}

fn business(opened: &Opened<Asked>, code: &str, text: &str) -> Node {
    let mut node = Node::new();
    put(&mut node, "respCode", code);
    put(&mut node, "respMsg", text);
    if let Some(number) = &opened.number {
        put(&mut node, "reqTraceNum", &**number);
    }
    node
}

fn written(mut biz: Node, dress: Dress) -> String {
    if dress.extra {
        put(&mut biz, "newField2027", "added later by the gateway");
    }
    Value::Object(biz).to_string()
}

/// The outer fields without `bizData` and `sign`.
pub(super) fn envelope(yst: &Yst, trans_code: &str, code: &str, msg: &str, now: i64) -> Map<String, Value> {
    let mut outer = Map::new();
    put(&mut outer, "appId", &*yst.options.app_id);
    put(&mut outer, "transCode", trans_code);
    put(&mut outer, "transDate", china_time::day(now));
    put(&mut outer, "transTime", china_time::write("%H%M%S", now));
    put(&mut outer, "format", "json");
    put(&mut outer, "charset", "UTF-8");
    put(&mut outer, "version", "1.0");
    put(&mut outer, "code", code);
    put(&mut outer, "msg", msg);
    outer
}

/// Adds `sign`, and `signType` when the options say so.
pub(super) fn sign(yst: &Yst, outer: &mut Map<String, Value>, badly: bool) {
    let texts = outer.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()));
    let mut text = string_to_sign(texts);
    if badly {
        text.push(' ');
    }
    put(outer, "sign", yst.keys.platform.sign(&text));
    if yst.options.sign_type_in_answers {
        put(outer, "signType", "SM3withSM2");
    }
}
