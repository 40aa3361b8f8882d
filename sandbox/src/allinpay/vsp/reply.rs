//! Answers: members become JSON with a signature over all of them that have a value (reference/allinpay.md 2.2, 2.4).

use serde_json::{Number, Value};

use super::super::calls::CallOutcome;
use super::super::http::{Dress, Level, Node, Opened, Reply, Verdict};
use super::super::options::AmountForm;
use super::Vsp;
use super::open::Asked;
use super::sign::string_to_sign;

const AMOUNTS: [&str; 3] = ["trxamt", "initamt", "fee"];

pub(super) fn reply(vsp: &Vsp, opened: &Opened<Asked>, verdict: &Verdict<'_>, dress: Dress) -> Reply {
    let mut node = Node::new();
    let mut signed = !dress.unsigned;
    match verdict {
        Verdict::Node(members) => understood(vsp, &mut node, members),
        Verdict::Refused(refusal) if refusal.level == Level::Business => {
            understood(vsp, &mut node, &business(opened, &refusal.code, &refusal.text));
        }
        Verdict::Refused(refusal) => {
            failed(&mut node, opened, &refusal.code, &refusal.text);
            signed &= vsp.options.sign_failures && refusal.level != Level::Stranger;
        }
        Verdict::SystemError => {
            failed(&mut node, opened, "SYSTEMERR", "系统繁忙");
            signed &= vsp.options.sign_failures;
        }
        Verdict::Code(code) => understood(vsp, &mut node, &business(opened, code, "made by the sandbox's weather")),
    }
    put(&mut node, "randomstr", format!("{:016x}", dress.quirk));
    if dress.extra {
        put(&mut node, "newfield2027", "added later by the gateway");
    }
    shape_amounts(&mut node, vsp.options.house.amounts);
    let outcome = outcome(&node);
    if signed {
        let signature = sign(vsp, &node, dress.bad_signature);
        put(&mut node, "sign", signature);
    }
    let bytes = Value::Object(node).to_string().into_bytes();
    Reply { bytes, content_type: "application/json;charset=UTF-8", outcome }
}

fn understood(vsp: &Vsp, node: &mut Node, members: &Node) {
    put(node, "retcode", "SUCCESS");
    put(node, "retmsg", "");
    put(node, "cusid", &*vsp.options.cusid);
    put(node, "appid", &*vsp.options.appid);
    node.extend(members.clone());
}

/// The call was understood and the trade is not there or failed.
fn business(opened: &Opened<Asked>, code: &str, text: &str) -> Node {
    let mut node = Node::new();
    if let Some(reqsn) = &opened.number {
        put(&mut node, "reqsn", &**reqsn);
    }
    put(&mut node, "trxstatus", code);
    put(&mut node, "errmsg", text);
    node
}

/// Version 11 knows only FAIL. What was refused before the call is worded already.
fn failed(node: &mut Node, opened: &Opened<Asked>, retcode: &str, retmsg: &str) {
    let older = match &opened.checked {
        Ok(Asked::Call { form, .. }) => form.get("version") != Some("12"),
        Ok(Asked::File { .. }) | Err(_) => false,
    };
    put(node, "retcode", if older { "FAIL" } else { retcode });
    put(node, "retmsg", retmsg);
}

fn put(node: &mut Node, name: &str, value: impl Into<String>) {
    node.insert(name.to_owned(), Value::String(value.into()));
}

fn shape_amounts(node: &mut Node, form: AmountForm) {
    for name in AMOUNTS {
        let Some(Value::String(text)) = node.get(name) else { continue };
        let number: Option<i64> = text.parse().ok();
        if let (AmountForm::Number, Some(number)) = (form, number) {
            node.insert(name.to_owned(), Value::Number(Number::from(number)));
        }
    }
}

fn outcome(node: &Node) -> CallOutcome {
    let text = |name: &str| node.get(name).and_then(Value::as_str).map(str::to_owned);
    CallOutcome::Answered { code: text("retcode").unwrap_or_default(), sub_code: text("trxstatus") }
}

fn sign(vsp: &Vsp, node: &Node, badly: bool) -> String {
    let texts: Vec<(&str, String)> = node.iter().map(|(name, value)| (name.as_str(), plain(value))).collect();
    let pairs = texts.iter().map(|(name, value)| (*name, value.as_str()));
    let mut text = string_to_sign(pairs, vsp.keys.md5_key());
    if badly {
        text.push(' ');
    }
    vsp.keys.sign(&text)
}

/// A value as it takes part in the string: texts without quotes.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => other.to_string(),
    }
}
