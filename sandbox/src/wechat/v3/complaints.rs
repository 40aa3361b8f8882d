//! The list of complaints (reference/wechatpay.md 11).

use serde_json::{Value, json};

use super::super::http::Moment;
use super::super::refusal::Refusal;
use super::super::times::{read_day, rfc3339};
use super::super::world::{Complaint, World};
use super::{Call, Done};
use crate::alipay::china_time::DAY_MS;

const KNOWN: [&str; 5] = ["limit", "offset", "begin_date", "end_date", "complainted_mchid"];
/// The longest span of a query, in days.
const MOST_DAYS: i64 = 30;
/// 13800138000, encrypted to the merchant's throw-away key (RSA-OAEP with SHA-1).
const PHONE: &str = concat!(
    "zxeGaAYxmvQUv2tkrP0txEEmMthxpC0wPmYcKV+e9yGrJlWxAh5IMyBhu8hbBvMv7EEVFwk0Er7kBP2EiGK+RVjTsGpcFq/p",
    "EpNROvGT9Bcy1EVylAOmm1MGpO0GxjsmUvLXcVhwyPT5+xsnL17ILMZ+WnrsS/eocITf9A5Ib909Fx8RS+TTLRt9eZF7N/1F",
    "w2KncWf3vMtGdvsvyZu7qG2fWjI+NKnFfY/JlKD085PJCOErkygI2Z4BuF5uvIvp5inlqlcguKI1Z0iu5478Ra+t7nsy0y1/",
    "4UxSxHc/OBLW2h1XKb7QE9XPD/QoVUU/7Ge/o9Y6117u8nsPg1Pfeg==",
);

pub(super) fn execute(world: &World, call: &Call<'_>, _moment: Moment<'_>) -> Result<Done, Refusal> {
    let query = &call.query;
    query.only_known(&KNOWN)?;
    let limit = number(call, "limit", 10, 1, 50)?;
    let offset = number(call, "offset", 0, 0, usize::MAX)?;
    let begin = day(call, "begin_date")?;
    let end = day(call, "end_date")?;
    if end < begin || end - begin > MOST_DAYS * DAY_MS {
        return Err(wrong(call, "end_date", "查询日期跨度不能超过30天"));
    }
    let asked = query.get("complainted_mchid");
    let found: Vec<&Complaint> = world
        .complaints
        .iter()
        .filter(|complaint| complaint.key.account.mchid == call.mchid)
        .filter(|complaint| asked.is_none_or(|asked| complaint.key.account.payee() == asked))
        .filter(|complaint| complaint.at >= begin && complaint.at < end + DAY_MS)
        .collect();
    let page = found.iter().skip(offset).take(limit);
    let rows: Vec<Value> = page.map(|complaint| entry(world, complaint)).collect();
    Ok(Done::Json(json!({ "data": rows, "limit": limit, "offset": offset, "total_count": found.len() })))
}

fn wrong(call: &Call<'_>, name: &str, issue: &str) -> Refusal {
    Refusal::parameter(name, call.query.get(name).unwrap_or_default(), issue, "query")
}

fn number(call: &Call<'_>, name: &str, usual: usize, least: usize, most: usize) -> Result<usize, Refusal> {
    let Some(text) = call.query.get(name) else {
        return Ok(usual);
    };
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| wrong(call, name, "超出取值范围"))
}

fn day(call: &Call<'_>, name: &str) -> Result<i64, Refusal> {
    read_day(call.query.required(name)?).ok_or_else(|| wrong(call, name, "日期格式错误"))
}

fn entry(world: &World, complaint: &Complaint) -> Value {
    let order = world.orders.get(&complaint.key);
    let openid = order.and_then(|order| world.buyers.get(order.buyer.as_ref()?)).map(|buyer| buyer.openid.clone());
    json!({
        "complaint_id": complaint.id,
        "complaint_time": rfc3339(complaint.at),
        "complaint_detail": complaint.detail,
        "complainted_mchid": complaint.key.account.payee(),
        "complaint_state": if complaint.is_answered { "PROCESSED" } else { "PENDING" },
        "payer_phone": PHONE,
        "payer_openid": openid,
        "complaint_order_info": [{
            "transaction_id": order.map(|order| &order.transaction_id),
            "out_trade_no": complaint.key.number,
            "amount": order.map(|order| order.terms.total_fen),
        }],
        "complaint_full_refunded": order.is_some_and(|order| order.is_paid() && order.left_fen() == 0),
        "incoming_user_response": false,
        "problem_description": "商品未收到",
        "user_complaint_times": 1,
        "problem_type": "REFUND",
    })
}
