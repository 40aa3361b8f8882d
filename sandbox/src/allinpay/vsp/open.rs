//! The checks before any business: address, form, merchant, signature (reference/allinpay.md 2.1 to 2.3).

use super::super::http::{Incoming, Level, Opened, Refusal};
use super::super::weather::Method;
use super::Vsp;
use super::form::Form;
use super::options::ClosePath;
use super::sign::string_to_sign;

/// A request that may go to the business layer.
pub(super) enum Asked {
    Call {
        method: Method,
        form: Form,
    },
    /// Not a call: the statement behind the address that `trxfile/get` gave.
    File {
        name: String,
    },
}

/// Where statements lie.
pub(super) const FILES: &str = "/cusapi/trxfile/file/";

/// Older and newer addresses of the same calls.
const PATHS: [(&str, Method); 14] = [
    ("/apiweb/unitorder/pay", Method::Pay),
    ("/apiweb/unitorder/nativepay", Method::NativePay),
    ("/apiweb/unitorder/closenative", Method::CloseNative),
    ("/apiweb/unitorder/scanqrpay", Method::ScanQrPay),
    ("/apiweb/tranx/query", Method::Query),
    ("/apiweb/tranx/queryconfirm", Method::Query),
    ("/apiweb/unitorder/query", Method::Query),
    ("/apiweb/tranx/cancel", Method::Cancel),
    ("/apiweb/unitorder/cancel", Method::Cancel),
    ("/apiweb/tranx/refund", Method::Refund),
    ("/apiweb/unitorder/refund", Method::Refund),
    ("/cusapi/merchantapi/addterm", Method::Terminal),
    ("/cusapi/trxfile/get", Method::Statement),
    ("/apiweb/trxfile/get", Method::Statement),
];

pub(super) fn open(vsp: &Vsp, incoming: &Incoming) -> Opened<Asked> {
    let path = incoming.path.as_str();
    if let Some(name) = path.strip_prefix(FILES).filter(|_| !incoming.post) {
        let checked = Ok(Asked::File { name: name.to_owned() });
        return Opened { method: Some(Method::Statement), name: path.to_owned(), number: None, checked };
    }
    let method = method_at(vsp, path);
    let form = read(incoming, method);
    let number = form.as_ref().ok().and_then(|form| form.get("reqsn").or_else(|| form.get("oldreqsn")));
    Opened { method, name: path.to_owned(), number: number.map(str::to_owned), checked: check(vsp, method, form) }
}

fn method_at(vsp: &Vsp, path: &str) -> Option<Method> {
    let (unitorder, tranx) = match vsp.options.close_path {
        ClosePath::Unitorder => (true, false),
        ClosePath::Tranx => (false, true),
        ClosePath::Both => (true, true),
    };
    match path {
        "/apiweb/unitorder/close" => unitorder.then_some(Method::Close),
        "/apiweb/tranx/close" => tranx.then_some(Method::Close),
        other => PATHS.iter().find(|(each, _)| *each == other).map(|(_, method)| *method),
    }
}

fn read(incoming: &Incoming, method: Option<Method>) -> Result<Form, Refusal> {
    if method.is_none() {
        return Err(Refusal::new(Level::Http(404), "404", "no such address"));
    }
    if !incoming.post {
        return Err(Refusal::new(Level::Http(405), "405", "calls are POST"));
    }
    if !incoming.content_type.starts_with("application/x-www-form-urlencoded") {
        return Err(Refusal::new(Level::Stranger, "PARAMERR", "send a form: application/x-www-form-urlencoded"));
    }
    Form::decode(&incoming.body)
}

fn check(vsp: &Vsp, method: Option<Method>, form: Result<Form, Refusal>) -> Result<Asked, Refusal> {
    let form = form.map_err(|refusal| worded(refusal, None))?;
    let version = form.get("version").map(str::to_owned);
    check_form(vsp, method, form).map_err(|refusal| worded(refusal, version.as_deref()))
}

/// Version 11 knows only FAIL.
pub(super) fn worded(refusal: Refusal, version: Option<&str>) -> Refusal {
    let code = if version == Some("12") { refusal.code } else { "FAIL".to_owned() };
    Refusal { code, ..refusal }
}

fn check_form(vsp: &Vsp, method: Option<Method>, form: Form) -> Result<Asked, Refusal> {
    check_merchant(vsp, &form)?;
    check_common(vsp, &form)?;
    check_signature(vsp, &form)?;
    method.map(|method| Asked::Call { method, form }).ok_or_else(|| parameter("no such address"))
}

fn check_merchant(vsp: &Vsp, form: &Form) -> Result<(), Refusal> {
    let options = &vsp.options;
    let known = form.get("cusid") == Some(&options.cusid) && form.get("appid") == Some(&options.appid);
    if !known {
        return Err(Refusal::new(Level::Stranger, "PARAMERR", "商户或应用不存在: cusid, appid"));
    }
    // A group's number and its merchant's are two numbers: sending one for the other fails.
    match (form.get("orgid"), options.orgid.as_deref()) {
        (None, None) => Ok(()),
        (Some(sent), Some(own)) if sent == own => Ok(()),
        (Some(_) | None, _) => Err(Refusal::new(Level::Stranger, "PARAMERR", "集团商户不存在: orgid")),
    }
}

fn check_common(vsp: &Vsp, form: &Form) -> Result<(), Refusal> {
    if !matches!(form.get("version").unwrap_or("11"), "11" | "12") {
        return Err(parameter("version is 11 or 12"));
    }
    match form.get("randomstr") {
        Some(random) if random.chars().count() <= 32 => {}
        Some(_) | None => return Err(parameter("randomstr: 1 to 32 characters")),
    }
    if form.get("signtype") != Some(vsp.options.sign_type.wire()) {
        let own = vsp.options.sign_type.wire();
        return Err(Refusal::new(Level::Signature, "SIGNAUTHERR", format!("signtype of this merchant is {own}")));
    }
    Ok(())
}

fn check_signature(vsp: &Vsp, form: &Form) -> Result<(), Refusal> {
    let text = string_to_sign(form.all(), vsp.keys.md5_key());
    let signature = form.get("sign").unwrap_or_default();
    if form.get("key").is_none() && vsp.keys.request_is_signed(&text, signature) {
        return Ok(());
    }
    Err(Refusal::new(Level::Signature, "SIGNAUTHERR", "签名校验失败"))
}

/// A parameter breaks its rule.
pub(super) fn parameter(text: impl Into<String>) -> Refusal {
    Refusal::new(Level::Parameters, "PARAMERR", text)
}
