//! The rules of the members of `bizData` (reference/allinpay.md 3.5).

use serde_json::Value;

use super::super::china_time::{self, DASHED, MINUTE_MS};
use super::super::http::{Node, Refusal};
use super::super::order::{Order, Payee};
use super::super::world::World;
use super::Yst;

/// The largest amount: 100,000,000 yuan.
const LARGEST_FEN: i64 = 10_000_000_000;

/// How long an order lives that asks for nothing.
const LIFE_MS: i64 = 60 * MINUTE_MS;

/// A member breaks its rule.
pub(super) fn broken(text: impl Into<String>) -> Refusal {
    Refusal::business("10001", text)
}

/// A text that has a value. `None` when it is missing, null or empty.
pub(super) fn text<'a>(biz: &'a Node, name: &str, most: usize) -> Result<Option<&'a str>, Refusal> {
    match biz.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) if text.chars().count() <= most => Ok(Some(text)),
        Some(_) => Err(broken(format!("{name}: a text of at most {most} characters"))),
    }
}

/// A text that must be there.
pub(super) fn required<'a>(biz: &'a Node, name: &str, most: usize) -> Result<&'a str, Refusal> {
    text(biz, name, most)?.ok_or_else(|| broken(format!("{name} is missing")))
}

/// Integer fen, as a number or as digits.
pub(super) fn fen(biz: &Node, name: &str) -> Result<Option<i64>, Refusal> {
    let written = match biz.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => String::new(),
    };
    let digits = !written.is_empty() && written.bytes().all(|byte| byte.is_ascii_digit());
    let fen = written.parse().ok().filter(|fen| digits && (0..=LARGEST_FEN).contains(fen));
    fen.map(Some).ok_or_else(|| broken(format!("{name}: integer fen")))
}

/// An amount that must be there and be more than nothing.
pub(super) fn payable(biz: &Node, name: &str) -> Result<i64, Refusal> {
    fen(biz, name)?.filter(|fen| *fen > 0).ok_or_else(|| broken(format!("{name}: integer fen, more than nothing")))
}

/// A new number of ours.
pub(super) fn new_number<'a>(biz: &'a Node, world: &World) -> Result<&'a str, Refusal> {
    let number = required(biz, "reqTraceNum", 50)?;
    if world.numbers.contains_key(number) {
        return Err(Refusal::business("40017", "商户订单号已存在"));
    }
    Ok(number)
}

/// Until when the order may be paid.
pub(super) fn deadline(biz: &Node, now: i64) -> Result<i64, Refusal> {
    let Some(text) = text(biz, "orderValidTime", 19)? else { return Ok(now + LIFE_MS) };
    let end = china_time::read(DASHED, text).ok_or_else(|| broken("orderValidTime: yyyy-MM-dd HH:mm:ss"))?;
    if end <= now || end > now + 24 * 60 * MINUTE_MS {
        return Err(broken("orderValidTime: it lies in the past or more than a day ahead"));
    }
    Ok(end)
}

/// What all trades share.
pub(super) fn check_trade(biz: &Node) -> Result<(), Refusal> {
    for (name, most) in [("goodsName", 50), ("goodsDesc", 100), ("summary", 50), ("signNum", 32), ("reqsUrl", 256)] {
        text(biz, name, most)?;
    }
    if text(biz, "extendParams", 200)?.is_some_and(|params| params.contains('|')) {
        return Err(broken("extendParams: no |"));
    }
    notify_url(biz).map(|_| ())
}

/// Where the result is told.
pub(super) fn notify_url(biz: &Node) -> Result<Option<String>, Refusal> {
    let url = text(biz, "respUrl", 256)?;
    if url.is_some_and(|url| !url.starts_with("http") || url.contains('#')) {
        return Err(broken("respUrl: an address without #"));
    }
    Ok(url.map(str::to_owned))
}

/// A list of members and amounts under `list`; the amount's name differs from list to list.
pub(super) fn payees(yst: &Yst, biz: &Node, list: &str, amount: &str) -> Result<Vec<Payee>, Refusal> {
    let rows = match biz.get(list) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(rows)) => rows,
        Some(_) => return Err(broken(format!("{list}: a list"))),
    };
    let row = |row: &Value| {
        let row = row.as_object().ok_or_else(|| broken(format!("{list}: a list of objects")))?;
        let sign_num = member(yst, required(row, "signNum", 32)?)?;
        Ok(Payee { sign_num, fen: payable(row, amount)? })
    };
    rows.iter().map(row).collect()
}

/// A member who exists.
pub(super) fn member(yst: &Yst, sign_num: &str) -> Result<String, Refusal> {
    if yst.options.members.iter().any(|member| member == sign_num) {
        return Ok(sign_num.to_owned());
    }
    Err(Refusal::business("30000", format!("会员不存在: {sign_num}")))
}

/// What a list adds up to.
pub(super) fn sum(payees: &[Payee]) -> i64 {
    payees.iter().map(|payee| payee.fen).sum()
}

/// The order that a request names by `orgRespTraceNum`, which wins, or by our number and its day.
pub(super) fn original<'w>(world: &'w World, biz: &Node) -> Result<&'w Order, Refusal> {
    if let Some(number) = text(biz, "orgRespTraceNum", 32)? {
        return world.order_by_trade_no(number).ok_or_else(not_found);
    }
    let number = required(biz, "orgReqTraceNum", 50)?;
    let date = required(biz, "orgTransDate", 8)?;
    let order = world.orders.get(number).filter(|order| china_time::day(order.created_at) == date);
    order.ok_or_else(not_found)
}

/// 40000: there is no such order.
pub(super) fn not_found() -> Refusal {
    Refusal::business("40000", "订单不存在")
}
