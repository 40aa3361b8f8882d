//! APIv3: the checks that every call passes, and one file for each call (reference/wechatpay.md 1 to 8, 11).

mod bills;
mod certificates;
mod close;
mod codepay;
mod complaints;
mod native;
mod order_query;
mod parties;
mod refund;
mod refund_query;
mod reverse;
mod transaction;

use serde_json::Value;

use super::authorization;
use super::fields::Fields;
use super::http::{Incoming, Moment, Said};
use super::operation::{Operation, Route};
use super::query::Query;
use super::refusal::Refusal;
use super::reply::{self, Reply};
use super::world::World;

pub(crate) use transaction::{trade_type, transaction};

/// A call whose signature holds.
struct Call<'a> {
    /// Who signed.
    mchid: String,
    partner: bool,
    /// The number in the path.
    number: &'a str,
    query: Query,
    body: Value,
    /// Where the client thinks that it is.
    base: String,
}

impl Call<'_> {
    fn fields(&self, moment: Moment<'_>) -> Result<Fields<'_>, Refusal> {
        Fields::of(&self.body, moment.options.refuse_unknown_fields)
    }
}

/// What a call gives.
enum Done {
    Json(Value),
    /// 204.
    Nothing,
    /// A bill, which is not signed.
    File(Vec<u8>, &'static str),
}

/// Answers a request.
pub(crate) fn call(world: &mut World, incoming: &Incoming, route: &Route, moment: Moment<'_>) -> Said {
    let body: Result<Value, _> = serde_json::from_slice(&incoming.body);
    let out_trade_no = number_of(route, body.as_ref().ok());
    let result = answer(world, incoming, route, body.ok(), moment);
    let executed = moment.executes && result.is_ok();
    let result = match (result, moment.forced_code()) {
        (Ok(_), Some((status, code))) => Err(Refusal::new(status, code, "made by the sandbox's weather")),
        (result, _) => result,
    };
    let (reply, code) = match result {
        Ok(Some(Done::File(bytes, content_type))) => (Reply::of(200, content_type, bytes), None),
        Ok(Some(Done::Json(value))) => (reply::v3(world, incoming, moment, 200, Some(value)), None),
        Ok(Some(Done::Nothing) | None) => (reply::v3(world, incoming, moment, 204, None), None),
        Err(refusal) => {
            let body = refusal.body(moment.options.joined_codes);
            let code = body.get("code").and_then(Value::as_str).map(str::to_owned);
            (reply::v3(world, incoming, moment, refusal.status, Some(body)), code)
        }
    };
    Said { reply, code, executed, out_trade_no }
}

/// The number that a request is about, for the record.
fn number_of(route: &Route, body: Option<&Value>) -> Option<String> {
    let in_body = |name: &str| body?.get(name)?.as_str().map(str::to_owned);
    match route.operation {
        Operation::Refund => in_body("out_refund_no"),
        Operation::Query | Operation::Close | Operation::Reverse | Operation::RefundQuery | Operation::QueryById => {
            route.number.clone()
        }
        Operation::Native
        | Operation::CodePay
        | Operation::Certificates
        | Operation::TradeBill
        | Operation::FundFlowBill
        | Operation::BillDownload
        | Operation::Complaints
        | Operation::MicroPay
        | Operation::OrderQuery
        | Operation::SecApiReverse
        | Operation::Token
        | Operation::UploadShipping => in_body("out_trade_no"),
    }
}

/// The checks in the channel's order (reference/wechatpay.md 17), then the call itself.
fn answer(
    world: &mut World,
    incoming: &Incoming,
    route: &Route,
    body: Option<Value>,
    moment: Moment<'_>,
) -> Result<Option<Done>, Refusal> {
    let strict = matches!(route.operation, Operation::Certificates | Operation::Refund | Operation::RefundQuery);
    if strict {
        check_agent(incoming)?;
    }
    let mchid = authorization::check(incoming, route.operation, moment)?;
    check_agent(incoming)?;
    check_serial(incoming, moment)?;
    let body = checked_body(incoming, body)?;
    let query = Query::read(&incoming.query)?;
    let number = route.number.as_deref().unwrap_or_default();
    let call = Call { mchid, partner: route.partner, number, query, body, base: incoming.base() };
    if !moment.executes {
        return Ok(None);
    }
    execute(route.operation, world, &call, moment).map(Some)
}

fn check_agent(incoming: &Incoming) -> Result<(), Refusal> {
    let agent = incoming.header("user-agent").is_some_and(|agent| !agent.is_empty());
    let accept = incoming.header("accept");
    if agent && accept.is_some_and(|accept| accept.contains("application/json") || accept.contains("*/*")) {
        return Ok(());
    }
    Err(Refusal::new(400, "INVALID_REQUEST", "Http头缺少Accept或User-Agent"))
}

/// The key that is to sign the answer must be one of ours. The code for it is not documented.
fn check_serial(incoming: &Incoming, moment: Moment<'_>) -> Result<(), Refusal> {
    match incoming.header("wechatpay-serial") {
        Some(id) if !moment.keys.knows_signing_id(id) => {
            Err(Refusal::new(400, "INVALID_REQUEST", "Http头Wechatpay-Serial中的平台证书序列号或公钥ID有误"))
        }
        Some(_) | None => Ok(()),
    }
}

fn checked_body(incoming: &Incoming, body: Option<Value>) -> Result<Value, Refusal> {
    if incoming.method == "GET" {
        return if incoming.body.is_empty() { Ok(Value::Null) } else { Err(not_json("GET请求不应有请求体")) };
    }
    let content_type = incoming.header("content-type").unwrap_or_default();
    if !content_type.starts_with("application/json") {
        return Err(not_json("Content-Type不是application/json"));
    }
    body.ok_or_else(|| not_json("请求体不是JSON"))
}

fn not_json(issue: &str) -> Refusal {
    Refusal::parameter("", "", issue, "body")
}

fn execute(operation: Operation, world: &mut World, call: &Call<'_>, moment: Moment<'_>) -> Result<Done, Refusal> {
    match operation {
        Operation::Native => native::execute(world, call, moment),
        Operation::Query => order_query::by_number(world, call, moment),
        Operation::QueryById => order_query::by_id(world, call, moment),
        Operation::Close => close::execute(world, call, moment),
        Operation::CodePay => codepay::execute(world, call, moment),
        Operation::Reverse => reverse::execute(world, call, moment),
        Operation::Refund => refund::execute(world, call, moment),
        Operation::RefundQuery => refund_query::execute(world, call, moment),
        Operation::Certificates => certificates::execute(world, call, moment),
        Operation::TradeBill => bills::trades(world, call, moment),
        Operation::FundFlowBill => bills::fund_flow(world, call, moment),
        Operation::BillDownload => bills::download(world, call, moment),
        Operation::Complaints => complaints::execute(world, call, moment),
        Operation::MicroPay
        | Operation::OrderQuery
        | Operation::SecApiReverse
        | Operation::Token
        | Operation::UploadShipping => Err(Refusal::new(404, "RESOURCE_NOT_EXISTS", "not a call of APIv3")),
    }
}
