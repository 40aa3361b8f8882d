//! Bills: asked for, then fetched within minutes (reference/wechatpay.md 8).

use serde_json::json;
use sha1::{Digest, Sha1};

use super::super::bill::{self, Token, gzip};
use super::super::http::Moment;
use super::super::order::Account;
use super::super::refusal::Refusal;
use super::super::times::{midnight_before, read_day};
use super::super::weather::Fault;
use super::super::world::World;
use super::{Call, Done, parties};
use crate::alipay::china_time::DAY_MS;

const HOUR_MS: i64 = 3_600_000;
/// How far back bills reach: three months.
const MOST_DAYS: i64 = 92;

pub(super) fn trades(world: &mut World, call: &Call<'_>, moment: Moment<'_>) -> Result<Done, Refusal> {
    call.query.only_known(&["bill_date", "bill_type", "tar_type", "sub_mchid"])?;
    let kind = match call.query.get("bill_type").unwrap_or("ALL") {
        "ALL" => bill::Kind::All,
        "SUCCESS" => bill::Kind::Success,
        "REFUND" => bill::Kind::Refund,
        _ => return Err(wrong(call, "bill_type", "不支持的账单类型")),
    };
    let day = day(call, moment)?;
    let sub_mchid = call.query.get("sub_mchid").map(str::to_owned);
    let account = Account { mchid: call.mchid.clone(), sub_mchid };
    parties::check(call, &account, moment)?;
    let text = bill::trades(world, &account, day, kind, moment.options);
    offer(world, call, moment, text)
}

pub(super) fn fund_flow(world: &mut World, call: &Call<'_>, moment: Moment<'_>) -> Result<Done, Refusal> {
    call.query.only_known(&["bill_date", "account_type", "tar_type"])?;
    let basic = match call.query.get("account_type").unwrap_or("BASIC") {
        "BASIC" => true,
        "OPERATION" | "FEES" => false,
        _ => return Err(wrong(call, "account_type", "不支持的资金账户类型")),
    };
    let day = day(call, moment)?;
    let text = bill::fund_flow(world, &call.mchid, day, moment.options).filter(|_| basic);
    offer(world, call, moment, text)
}

pub(super) fn download(world: &mut World, call: &Call<'_>, moment: Moment<'_>) -> Result<Done, Refusal> {
    call.query.only_known(&["token", "tartype"])?;
    let token = world.bills.get(call.query.required("token")?).filter(|token| token.expires_at > moment.now);
    let invalid = || Refusal::new(400, "INVALID_REQUEST", "token无效或已过期，请重新申请账单");
    let token = token.ok_or_else(invalid)?;
    if token.mchid != call.mchid {
        return Err(Refusal::new(403, "NO_AUTH", "无权下载其他商户的账单"));
    }
    if token.gzip {
        return Ok(Done::File(gzip(token.text.as_bytes()), "application/x-gzip"));
    }
    Ok(Done::File(token.text.clone().into_bytes(), "text/plain; charset=utf-8"))
}

fn wrong(call: &Call<'_>, name: &str, issue: &str) -> Refusal {
    Refusal::parameter(name, call.query.get(name).unwrap_or_default(), issue, "query")
}

/// Midnight at the beginning of the day that is asked for: yesterday or older, and its file made.
fn day(call: &Call<'_>, moment: Moment<'_>) -> Result<i64, Refusal> {
    let day = read_day(call.query.required("bill_date")?).ok_or_else(|| wrong(call, "bill_date", "日期格式错误"))?;
    if call.query.get("tar_type").is_some_and(|kind| kind != "GZIP") {
        return Err(wrong(call, "tar_type", "不支持的压缩格式"));
    }
    let today = midnight_before(moment.now);
    if moment.options.bill_of_today && day == today {
        return Ok(day);
    }
    if day >= today || day < today - MOST_DAYS * DAY_MS {
        return Err(Refusal::new(400, "INVALID_REQUEST", "账单日期不在可查询范围内"));
    }
    if day + DAY_MS == today && moment.now < today + 10 * HOUR_MS {
        return Err(Refusal::new(400, "STATEMENT_CREATING", "账单生成中，请稍后再试"));
    }
    Ok(day)
}

fn offer(world: &mut World, call: &Call<'_>, moment: Moment<'_>, text: Option<String>) -> Result<Done, Refusal> {
    let text = text.ok_or_else(|| Refusal::new(400, "NO_STATEMENT_EXIST", "账单文件不存在"))?;
    let (wrong_hash, hashed) = (moment.has(&Fault::WrongHash), text.as_bytes());
    let digest = if wrong_hash { Sha1::digest(gzip(hashed)) } else { Sha1::digest(hashed) };
    let hash: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let gzip = call.query.get("tar_type") == Some("GZIP");
    let id = world.letters(48);
    let expires_at = moment.now + moment.options.bill_token_life_ms;
    world.bills.insert(id.clone(), Token { mchid: call.mchid.clone(), expires_at, gzip, text });
    let tail = if gzip { "&tartype=gzip" } else { "" };
    let url = format!("{}/v3/billdownload/file?token={id}{tail}", call.base);
    Ok(Done::Json(json!({ "hash_type": "SHA1", "hash_value": hash, "download_url": url })))
}
