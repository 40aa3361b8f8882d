//! The checks before any business: common parameters and the signature (reference/alipay.md 2.3, 3.2, 15 item 1).

use serde_json::{Map, Value};

use super::china_time;
use super::keys::{APP_CERT_SN, GatewayKeys, ROOT_CERT_SN};
use super::method::Method;
use super::options::{GatewayOptions, KeyMode};
use super::params::Params;
use super::refusal::Refusal;

/// The members of `biz_content`.
pub(crate) type Biz = Map<String, Value>;

/// A request that may go to the business layer.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) method: Method,
    pub(crate) biz: Biz,
}

/// Checks the common parameters in the gateway's order; `biz_content` is opened last.
pub(crate) fn check(
    params: &Params,
    options: &GatewayOptions,
    keys: &GatewayKeys,
    now: i64,
) -> Result<Checked, Refusal> {
    check_app(params, options)?;
    let method = check_method(params)?;
    check_fixed(params)?;
    check_timestamp(params, options, now)?;
    check_serials(params, options.mode)?;
    check_signature(params, keys)?;
    let biz = open_biz_content(params)?;
    Ok(Checked { method, biz })
}

fn required<'a>(params: &'a Params, name: &str, missing: &str) -> Result<&'a str, Refusal> {
    params.get(name).ok_or_else(|| Refusal::missing(missing))
}

fn check_app(params: &Params, options: &GatewayOptions) -> Result<(), Refusal> {
    if required(params, "app_id", "isv.missing-app-id")? == options.app_id {
        return Ok(());
    }
    Err(Refusal::invalid("isv.invalid-app-id", "无效的AppID参数"))
}

fn check_method(params: &Params) -> Result<Method, Refusal> {
    let name = required(params, "method", "isv.missing-method")?;
    Method::named(name).ok_or_else(|| Refusal::invalid("isv.invalid-method", "不存在的方法名"))
}

/// `format`, `version`, `sign_type` and encryption have one legal value each.
fn check_fixed(params: &Params) -> Result<(), Refusal> {
    if !params.get("format").is_none_or(|format| format.eq_ignore_ascii_case("json")) {
        return Err(Refusal::invalid("isv.invalid-format", "format is JSON"));
    }
    if required(params, "version", "isv.missing-version")? != "1.0" {
        return Err(Refusal::invalid("isv.invalid-version", "version is 1.0"));
    }
    if required(params, "sign_type", "isv.missing-signature-type")? != "RSA2" {
        return Err(Refusal::invalid("isv.invalid-signature-type", "sign_type is RSA2"));
    }
    if params.get("encrypt_type").is_some() {
        return Err(Refusal::invalid("isv.invalid-encrypt-type", "no AES key is set for this application"));
    }
    Ok(())
}

fn check_timestamp(params: &Params, options: &GatewayOptions, now: i64) -> Result<(), Refusal> {
    let text = required(params, "timestamp", "isv.missing-timestamp")?;
    let invalid = |why: &str| Refusal::invalid("isv.invalid-timestamp", why);
    let sent = china_time::read(text).ok_or_else(|| invalid("write yyyy-MM-dd HH:mm:ss"))?;
    if (now - sent).abs() > options.clock_tolerance_ms {
        let now = china_time::write(now);
        return Err(invalid(&format!("too far from {now} (GMT+8)")));
    }
    Ok(())
}

fn check_serials(params: &Params, mode: KeyMode) -> Result<(), Refusal> {
    match mode {
        KeyMode::PublicKey => refuse_serials(params),
        KeyMode::Certificate => demand_serials(params),
    }
}

fn refuse_serials(params: &Params) -> Result<(), Refusal> {
    match ["app_cert_sn", "alipay_root_cert_sn"].into_iter().find(|name| params.get(name).is_some()) {
        Some(name) => Err(Refusal::invalid(
            "isv.invalid-parameter",
            format!("{name}: this application uses public keys, send no certificate serial"),
        )),
        None => Ok(()),
    }
}

fn demand_serials(params: &Params) -> Result<(), Refusal> {
    if required(params, "app_cert_sn", "isv.missing-app-cert-sn")? != APP_CERT_SN {
        return Err(Refusal::invalid("isv.app-cert-not-exist", "应用证书不存在"));
    }
    let root = required(params, "alipay_root_cert_sn", "isv.missing-alipay-root-cert-sn")?;
    if root != ROOT_CERT_SN {
        return Err(Refusal::invalid("isv.invalid-alipay-root-cert-sn", "支付宝根证书序列号无效"));
    }
    Ok(())
}

fn check_signature(params: &Params, keys: &GatewayKeys) -> Result<(), Refusal> {
    let signature = required(params, "sign", "isv.missing-signature")?;
    let text = params.string_to_sign();
    let (bytes, _, _) = params.charset.encode(&text);
    if keys.request_is_signed(&bytes, signature) {
        return Ok(());
    }
    let advice = "验签出错，请检查签名字符串或签名私钥与应用公钥是否匹配，网关生成的验签字符串为：";
    let echo = escape_html(&text);
    Err(Refusal::invalid("isv.invalid-signature", format!("{advice}{echo}")))
}

fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn open_biz_content(params: &Params) -> Result<Biz, Refusal> {
    let text = required(params, "biz_content", "isv.missing-biz-content")?;
    serde_json::from_str(text).map_err(|error| {
        Refusal::invalid("isv.invalid-parameter", format!("biz_content is not a JSON object: {error}"))
    })
}

#[cfg(test)]
mod tests;
