//! APIv2: XML with a shared secret, the calls of the pay code (reference/wechatpay.md 5.3 to 5.6).

mod micropay;
mod order_query;
mod reverse;
mod sign;
mod xml;

use std::collections::BTreeMap;

use super::http::{Incoming, Moment, Said};
use super::keys::APIV2_KEY;
use super::operation::{Operation, Route};
use super::order::{Account, OrderKey};
use super::reply::Reply;
use super::weather::Fault;
use super::world::World;
use sign::SignType;

/// The members of a request or an answer.
type Members = BTreeMap<String, String>;

/// A request whose signature holds.
struct Call {
    members: Members,
    sign_type: SignType,
}

/// Why a call has no `result_code` `SUCCESS`.
enum Failure {
    /// `return_code` `FAIL`: nothing is signed.
    Return(&'static str),
    /// `result_code` `FAIL` with a code, its words, and for a reverse `recall`.
    Result { code: String, words: String, recall: Option<&'static str> },
}

impl Failure {
    fn result(code: &str, words: &str) -> Self {
        Self::Result { code: code.to_owned(), words: words.to_owned(), recall: None }
    }

    fn parameter(name: &str) -> Self {
        Self::result("PARAM_ERROR", &format!("参数错误:{name}"))
    }
}

/// What a success tells beside what every answer tells.
type Told = Vec<(&'static str, String)>;

/// Answers a request.
pub(crate) fn call(world: &mut World, incoming: &Incoming, route: &Route, moment: Moment<'_>) -> Said {
    if route.operation == Operation::SecApiReverse && incoming.wire.certificate().is_none() {
        return refused_by_tls();
    }
    let call = read(incoming, moment);
    let out_trade_no = call.as_ref().ok().and_then(|call| call.members.get("out_trade_no").cloned());
    let result = match &call {
        Ok(call) => answer(world, incoming, route.operation, call, moment),
        Err(failure) => Err(Failure::Return(failure)),
    };
    let executed = moment.executes && result.is_ok();
    let result = by_weather(result, moment);
    let code = match &result {
        Ok(_) => None,
        Err(Failure::Return(text)) => Some((*text).to_owned()),
        Err(Failure::Result { code, .. }) => Some(code.clone()),
    };
    let body = write(world, call.ok().as_ref(), result, moment);
    Said { reply: Reply::of(200, "text/plain", body.into_bytes()), code, executed, out_trade_no }
}

/// What stands before the gateway says when no certificate is shown.
fn refused_by_tls() -> Said {
    let page = "<html><head><title>400 No required SSL certificate was sent</title></head></html>";
    Said { reply: Reply::bare(400, page), code: Some("CERT_ERROR".to_owned()), executed: false, out_trade_no: None }
}

fn by_weather(result: Result<Told, Failure>, moment: Moment<'_>) -> Result<Told, Failure> {
    let told = result?;
    if moment.faults.iter().any(|fault| matches!(fault, Fault::ReturnFail { .. })) {
        return Err(Failure::Return("系统繁忙，请稍后再试"));
    }
    match moment.forced_code() {
        Some((_, code)) => Err(Failure::result(code, "made by the sandbox's weather")),
        None => Ok(told),
    }
}

/// The checks that end in `return_code` `FAIL`.
fn read(incoming: &Incoming, moment: Moment<'_>) -> Result<Call, &'static str> {
    if incoming.method != "POST" {
        return Err("请使用post方法");
    }
    if incoming.body.is_empty() {
        return Err("post数据为空");
    }
    let text = std::str::from_utf8(&incoming.body).map_err(|_| "编码格式错误")?;
    let members = xml::read(text).ok_or("XML格式错误")?;
    let sign_type = SignType::named(members.get("sign_type").map(String::as_str)).ok_or("签名类型不支持")?;
    let known = [&moment.options.mchid, &moment.options.other_mchid];
    let mchid = members.get("mch_id").ok_or("缺少参数")?;
    let signature = members.get("sign").ok_or("缺少参数")?;
    if !known.contains(&mchid) || sign::sign(&members, sign_type, APIV2_KEY) != *signature {
        return Err("签名错误");
    }
    Ok(Call { members, sign_type })
}

fn answer(
    world: &mut World,
    incoming: &Incoming,
    operation: Operation,
    call: &Call,
    moment: Moment<'_>,
) -> Result<Told, Failure> {
    let mchid = call.required("mch_id", 32)?;
    if operation == Operation::SecApiReverse
        && !incoming.wire.certificate().is_some_and(|shown| moment.keys.is_certificate_of(mchid, shown))
    {
        return Err(Failure::Return("证书验证失败"));
    }
    if !moment.executes {
        return Ok(Vec::new());
    }
    match operation {
        Operation::MicroPay => micropay::execute(world, call, moment),
        Operation::OrderQuery => order_query::execute(world, call, moment),
        Operation::SecApiReverse => reverse::execute(world, call, moment),
        Operation::Native
        | Operation::Query
        | Operation::QueryById
        | Operation::Close
        | Operation::CodePay
        | Operation::Reverse
        | Operation::Refund
        | Operation::RefundQuery
        | Operation::Certificates
        | Operation::TradeBill
        | Operation::FundFlowBill
        | Operation::BillDownload
        | Operation::Complaints
        | Operation::Token
        | Operation::UploadShipping => Err(Failure::Return("not a call of APIv2")),
    }
}

impl Call {
    /// A member of at most `longest` characters; an empty one counts as absent.
    fn get(&self, name: &str, longest: usize) -> Result<Option<&str>, Failure> {
        match self.members.get(name).filter(|value| !value.is_empty()) {
            Some(value) if value.chars().count() > longest => Err(Failure::parameter(name)),
            value => Ok(value.map(String::as_str)),
        }
    }

    /// A member that must be there.
    fn required(&self, name: &str, longest: usize) -> Result<&str, Failure> {
        let lacking = || Failure::result("LACK_PARAMS", &format!("缺少参数:{name}"));
        self.get(name, longest)?.ok_or_else(lacking)
    }

    /// Refuses members that are neither `own` nor those of every call.
    fn only_known(&self, own: &[&str], moment: Moment<'_>) -> Result<(), Failure> {
        const COMMON: [&str; 7] = ["appid", "mch_id", "sub_appid", "sub_mch_id", "nonce_str", "sign", "sign_type"];
        let unknown =
            self.members.keys().find(|name| !COMMON.contains(&name.as_str()) && !own.contains(&name.as_str()));
        match unknown.filter(|_| moment.options.refuse_unknown_fields) {
            Some(name) => Err(Failure::parameter(name)),
            None => Ok(()),
        }
    }

    /// Who asks: checked like the rest of what is common to all calls.
    fn account(&self, moment: Moment<'_>) -> Result<Account, Failure> {
        self.required("nonce_str", 32)?;
        if self.required("appid", 32)? != moment.options.appid {
            return Err(Failure::result("APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配"));
        }
        let mchid = self.required("mch_id", 32)?.to_owned();
        let sub_mchid = self.get("sub_mch_id", 32)?.map(str::to_owned);
        let related = sub_mchid
            .as_ref()
            .is_none_or(|sub| mchid == moment.options.mchid && moment.options.sub_mchids.contains(sub));
        if related { Ok(Account { mchid, sub_mchid }) } else { Err(Failure::result("NOAUTH", "商户无权限")) }
    }

    /// The order that is named by `transaction_id`, which wins, or `out_trade_no`; `None` when there is none.
    fn order(&self, world: &World, account: &Account) -> Result<Option<OrderKey>, Failure> {
        if let Some(id) = self.get("transaction_id", 32)? {
            return Ok(world.order_by_id(account, id).map(|order| order.terms.key.clone()));
        }
        let number = self.required("out_trade_no", 32)?.to_owned();
        let key = OrderKey { account: account.clone(), number };
        Ok(world.orders.contains_key(&key).then_some(key))
    }
}

fn write(world: &mut World, call: Option<&Call>, result: Result<Told, Failure>, moment: Moment<'_>) -> String {
    let mut members: Vec<(&str, String)> = Vec::new();
    let echo = |name: &str| call.and_then(|call| call.members.get(name).cloned()).unwrap_or_default();
    if let Err(Failure::Return(text)) = &result {
        members.extend([("return_code", "FAIL".to_owned()), ("return_msg", (*text).to_owned())]);
        return xml::write(&members);
    }
    members.extend([
        ("return_code", "SUCCESS".to_owned()),
        ("return_msg", "OK".to_owned()),
        ("appid", echo("appid")),
        ("mch_id", echo("mch_id")),
        ("nonce_str", world.letters(16)),
    ]);
    match result {
        Ok(told) => {
            members.push(("result_code", "SUCCESS".to_owned()));
            members.extend(told);
        }
        Err(Failure::Result { code, words, recall }) => {
            members.extend([("result_code", "FAIL".to_owned()), ("err_code", code), ("err_code_des", words)]);
            members.extend(recall.map(|recall| ("recall", recall.to_owned())));
        }
        Err(Failure::Return(_)) => {}
    }
    if moment.has(&Fault::ExtraFields) {
        members.push(("sandbox_extra", "元".to_owned()));
    }
    sign_answer(&mut members, call.map_or(SignType::Md5, |call| call.sign_type), moment);
    xml::write(&members)
}

fn sign_answer(members: &mut Vec<(&str, String)>, sign_type: SignType, moment: Moment<'_>) {
    let map: Members = members.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let broken = moment.has(&Fault::BadSignature) || moment.has(&Fault::Probe) || moment.has(&Fault::UnknownSerial);
    let key = if broken { "nobodys key" } else { APIV2_KEY };
    if !moment.has(&Fault::NoSignature) {
        members.push(("sign", sign::sign(&map, sign_type, key)));
    }
}
