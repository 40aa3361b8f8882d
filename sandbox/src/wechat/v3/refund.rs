//! Refund (reference/wechatpay.md 6.1): 200 says accepted, not finished.

use serde_json::{Map, Value, json};

use super::super::fields::Fields;
use super::super::http::Moment;
use super::super::order::{Account, Order, OrderKey, Refund, RefundState, TradeState};
use super::super::refusal::Refusal;
use super::super::times::rfc3339;
use super::super::weather::Fault;
use super::super::world::World;
use super::{Call, Done, parties};

const YEAR_MS: i64 = 365 * 24 * 3_600_000;
/// The most refunds of one order.
const MOST: usize = 50;

const KNOWN: [&str; 9] = [
    "sub_mchid",
    "transaction_id",
    "out_trade_no",
    "out_refund_no",
    "reason",
    "notify_url",
    "funds_account",
    "amount",
    "goods_detail",
];

struct Asked {
    number: String,
    fen: i64,
    total: i64,
    reason: Option<String>,
}

pub(super) fn execute(world: &mut World, call: &Call<'_>, moment: Moment<'_>) -> Result<Done, Refusal> {
    let fields = call.fields(moment)?;
    fields.only_known(&KNOWN)?;
    let asked = read(&fields)?;
    let sub_mchid = fields.text("sub_mchid", 32)?.map(str::to_owned);
    let account = Account { mchid: call.mchid.clone(), sub_mchid };
    parties::check(call, &account, moment)?;
    let key = order_of(world, &account, &fields)?;
    if let Some((other, earlier)) = refund_numbered(world, &account, &asked.number) {
        let same = other.terms.key == key && earlier.fen == asked.fen && other.terms.total_fen == asked.total;
        let mismatch = || Refusal::new(400, "REFUND_FEE_MISMATCH", "订单金额或退款金额与之前请求不一致");
        return if same { Ok(Done::Json(answer(other, earlier))) } else { Err(mismatch()) };
    }
    check(world.orders.get(&key), &asked, moment)?;
    let refund_id = world.serial("50300000001", moment.now);
    let order = world.orders.get_mut(&key).ok_or_else(not_there)?;
    let refund = accepted(refund_id, asked, moment);
    order.state = TradeState::Refund;
    order.refunds.push(refund.clone());
    let told = answer(order, &refund);
    world.restless.insert(key);
    Ok(Done::Json(told))
}

fn read(fields: &Fields<'_>) -> Result<Asked, Refusal> {
    let number = fields.required("out_refund_no", 64)?;
    if !number.chars().all(|each| each.is_ascii_alphanumeric() || "_-*@|".contains(each)) {
        return Err(fields.wrong("out_refund_no", "商户退款单号格式错误"));
    }
    fields.lengths(&[("notify_url", 256), ("funds_account", 32)])?;
    let goods =
        ["merchant_goods_id", "wechatpay_goods_id", "goods_name", "unit_price", "refund_amount", "refund_quantity"];
    for row in fields.objects("goods_detail", &goods)? {
        row.required("merchant_goods_id", 32)?;
    }
    let amount = fields.required_object("amount", &["refund", "total", "currency", "from"])?;
    if amount.required("currency", 16)? != "CNY" {
        return Err(amount.wrong("currency", "仅支持人民币CNY"));
    }
    for part in amount.objects("from", &["account", "amount"])? {
        part.required("account", 32)?;
        part.fen("amount")?;
    }
    let reason = fields.text("reason", 80)?.map(str::to_owned);
    Ok(Asked { number: number.to_owned(), fen: amount.fen("refund")?, total: amount.fen("total")?, reason })
}

fn not_there() -> Refusal {
    Refusal::new(404, "RESOURCE_NOT_EXISTS", "订单不存在")
}

fn order_of(world: &World, account: &Account, fields: &Fields<'_>) -> Result<OrderKey, Refusal> {
    match (fields.text("transaction_id", 32)?, fields.text("out_trade_no", 32)?) {
        (Some(id), None) => world.order_by_id(account, id).map(|order| order.terms.key.clone()).ok_or_else(not_there),
        (None, Some(number)) => Ok(OrderKey { account: account.clone(), number: number.to_owned() }),
        (Some(_), Some(_)) | (None, None) => {
            Err(fields.wrong("out_trade_no", "transaction_id与out_trade_no二选一必填"))
        }
    }
}

/// The refund with this number, which is unique within the account.
pub(super) fn refund_numbered<'w>(
    world: &'w World,
    account: &Account,
    number: &str,
) -> Option<(&'w Order, &'w Refund)> {
    let orders = world.orders.values().filter(|order| order.terms.key.account == *account);
    let mut refunds = orders.flat_map(|order| order.refunds.iter().map(move |refund| (order, refund)));
    refunds.find(|(_, refund)| refund.number.as_deref() == Some(number))
}

fn check(order: Option<&Order>, asked: &Asked, moment: Moment<'_>) -> Result<(), Refusal> {
    let order = order.filter(|order| order.paid_at.is_some()).ok_or_else(not_there)?;
    let invalid = |words: &str| Err(Refusal::new(400, "INVALID_REQUEST", words));
    if !order.is_paid() {
        return invalid("订单状态不允许退款");
    }
    if asked.total != order.terms.total_fen {
        return invalid("订单金额不一致");
    }
    if moment.now - order.paid_at.unwrap_or_default() > YEAR_MS {
        return Err(Refusal::new(400, "TRADE_OVERDUE", "订单已经超过退款期限"));
    }
    if asked.fen > order.left_fen() {
        return invalid("累计退款金额大于订单金额");
    }
    if order.refunds.len() >= MOST {
        return invalid("同一笔订单最多退款50次");
    }
    let last = order.refunds.iter().map(|refund| refund.created_at).max();
    if last.is_some_and(|last| moment.now - last < moment.options.refund_pace_ms) {
        return Err(Refusal::new(429, "FREQUENCY_LIMITED", "同一笔订单多次退款需间隔1分钟"));
    }
    if moment.has(&Fault::NotEnough) {
        return Err(Refusal::new(403, "NOT_ENOUGH", "基本账户余额不足，请充值后重新发起"));
    }
    Ok(())
}

fn accepted(refund_id: String, asked: Asked, moment: Moment<'_>) -> Refund {
    let ends =
        moment.faults.iter().find_map(|fault| if let Fault::RefundEnds(state) = fault { Some(*state) } else { None });
    // One that ends in PROCESSING never ends.
    let (ends_as, takes) = match ends.unwrap_or(RefundState::Success) {
        RefundState::Processing => (RefundState::Success, i64::MAX / 4),
        state @ (RefundState::Success | RefundState::Closed | RefundState::Abnormal) => {
            (state, moment.options.refund_takes_ms)
        }
    };
    Refund {
        refund_id,
        number: Some(asked.number),
        fen: asked.fen,
        reason: asked.reason,
        state: RefundState::Processing,
        created_at: moment.now,
        ends_at: moment.now + takes,
        ends_as,
    }
}

/// A refund as its own call and its query show it.
pub(super) fn answer(order: &Order, refund: &Refund) -> Value {
    let (total, fen) = (order.terms.total_fen, refund.fen);
    let amount = json!({
        "total": total,
        "refund": fen,
        "payer_total": total,
        "payer_refund": fen,
        "settlement_refund": fen,
        "settlement_total": total,
        "discount_refund": 0,
        "currency": "CNY",
    });
    let members = [
        ("refund_id", json!(refund.refund_id)),
        ("out_refund_no", json!(refund.number)),
        ("transaction_id", json!(order.transaction_id)),
        ("out_trade_no", json!(order.terms.key.number)),
        ("channel", json!("ORIGINAL")),
        ("user_received_account", json!("支付用户零钱")),
        ("create_time", json!(rfc3339(refund.created_at))),
        ("status", json!(refund.state.wire())),
        ("funds_account", json!("AVAILABLE")),
        ("amount", amount),
    ];
    let mut members: Map<String, Value> = members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    if refund.state == RefundState::Success {
        members.insert("success_time".to_owned(), json!(rfc3339(refund.ends_at)));
    }
    Value::Object(members)
}
