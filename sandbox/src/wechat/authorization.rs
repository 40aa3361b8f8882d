//! The `Authorization` of APIv3: shape, clock, serial, signature, in the channel's order (reference/wechatpay.md 1.3, 1.4).

use std::collections::BTreeMap;

use super::http::{Incoming, Moment};
use super::operation::Operation;
use super::refusal::Refusal;

const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048";
const NAMES: [&str; 5] = ["mchid", "nonce_str", "serial_no", "signature", "timestamp"];

/// The merchant who signed a request.
pub(crate) fn check(incoming: &Incoming, operation: Operation, moment: Moment<'_>) -> Result<String, Refusal> {
    let header = incoming.header("authorization");
    let header = header.ok_or_else(|| shapeless(operation))?;
    let given = parse(header, operation)?;
    check_clock(given.timestamp, moment)?;
    if !moment.keys.knows_merchant(given.mchid, given.serial_no) {
        return Err(Refusal::sign("商户证书序列号有误。请使用签名私钥匹配的证书序列号"));
    }
    let content = to_sign(incoming, &given);
    if !moment.keys.request_is_signed(given.mchid, &content, given.signature) {
        return Err(Refusal::sign("签名错误"));
    }
    Ok(given.mchid.to_owned())
}

struct Given<'a> {
    mchid: &'a str,
    nonce_str: &'a str,
    serial_no: &'a str,
    signature: &'a str,
    timestamp: &'a str,
}

/// What is said about a header that is not there or cannot be read: it depends on the path.
fn shapeless(operation: Operation) -> Refusal {
    match operation {
        Operation::Native
        | Operation::Query
        | Operation::QueryById
        | Operation::Close
        | Operation::CodePay
        | Operation::Reverse => Refusal::sign("签名信息错误，验签失败"),
        Operation::Refund
        | Operation::RefundQuery
        | Operation::Certificates
        | Operation::TradeBill
        | Operation::FundFlowBill
        | Operation::BillDownload
        | Operation::Complaints
        | Operation::MicroPay
        | Operation::OrderQuery
        | Operation::SecApiReverse
        | Operation::Token
        | Operation::UploadShipping => malformed(),
    }
}

fn malformed() -> Refusal {
    Refusal::sign("Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》")
}

fn parse(header: &str, operation: Operation) -> Result<Given<'_>, Refusal> {
    let (scheme, rest) = header.split_once(' ').ok_or_else(|| shapeless(operation))?;
    if scheme == "Bearer" {
        return Err(shapeless(operation));
    }
    if scheme != SCHEME {
        return Err(Refusal::sign("HTTP头Authorization认证类型不正确"));
    }
    let mut members = BTreeMap::new();
    for member in rest.split(',') {
        let (name, value) = member.split_once('=').ok_or_else(malformed)?;
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).ok_or_else(malformed)?;
        if !NAMES.contains(&name) || value.is_empty() || members.insert(name, value).is_some() {
            return Err(malformed());
        }
    }
    let member = |name: &str| members.get(name).copied().ok_or_else(malformed);
    let given = Given {
        mchid: member("mchid")?,
        nonce_str: member("nonce_str")?,
        serial_no: member("serial_no")?,
        signature: member("signature")?,
        timestamp: member("timestamp")?,
    };
    let digits = given.timestamp.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || given.nonce_str.chars().count() > 32 {
        return Err(malformed());
    }
    Ok(given)
}

fn check_clock(timestamp: &str, moment: Moment<'_>) -> Result<(), Refusal> {
    let seconds: i64 = timestamp.parse().map_err(|_| malformed())?;
    let off = (seconds.saturating_mul(1000)).abs_diff(moment.clock);
    if i64::try_from(off).is_ok_and(|off| off <= moment.options.clock_tolerance_ms) {
        return Ok(());
    }
    Err(Refusal::sign("Http头Authorization中的timestamp与发起请求的时间不得超过5分钟"))
}

/// The five lines, over the bytes as they came.
fn to_sign(incoming: &Incoming, given: &Given<'_>) -> Vec<u8> {
    let Incoming { method, target, body, .. } = incoming;
    let mut content = format!("{method}\n{target}\n{}\n{}\n", given.timestamp, given.nonce_str).into_bytes();
    content.extend_from_slice(body);
    content.push(b'\n');
    content
}
