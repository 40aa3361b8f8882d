//! A call as 云商通 wants it: path, code, day, business fields, and the signed envelope that carries them.
//!
//! Source: 云商通 generation 2 (reference/allinpay.md 3.1, 3.2, 3.4, 3.5).

use jiff::civil::Date;
use serde_json::{Value, json};

use super::envelope::Members;
use super::setup::{AmountForm, AskBy, Config, PayModeForm, Setup, TradeKind};
use super::split::{self, Part};
use crate::channel::form::form;
use crate::channel::text::{Fields, china, limited};
use crate::channel::{Duty, DutyKind, HttpRequest, Offer, RefundOrder, Trade};
use crate::ids::AttemptId;
use crate::money::Fen;
use crate::redact::PayCode;
use crate::time::Wall;

/// The number that a probe asks for; no attempt has it.
pub(super) const PROBE: &str = "TILLPROBE";

const JSON: &str = "application/json;charset=utf-8";
const FORM: &str = "application/x-www-form-urlencoded;charset=utf-8";
const TRADES: &str = "/tx/handle";
const MEMBERS: &str = "/tm/handle";
const QUERIES: &str = "/tq/handle";
const GOODS_LIMIT: usize = 50;
const REASON_LIMIT: usize = 50;

/// One call, not signed yet.
pub(super) struct Call {
    path: &'static str,
    code: &'static str,
    /// `transDate` and `transTime`. For what makes an order see [`on_day_of`].
    at: Wall,
    fields: Fields,
}

/// 2085 or 2089 with a code for our screen.
pub(super) fn show_code(config: &Config, offer: &Offer, wall: Wall) -> Call {
    let mode = config.modes.shown(offer.wallet);
    let at = on_day_of(offer.begun, wall);
    Call { at, ..pay(config, offer, mode, mode_fields(config)) }
}

/// 2085 or 2089 with the buyer's pay code.
pub(super) fn take_code(config: &Config, offer: &Offer, code: &PayCode, wall: Wall) -> Call {
    let mut fields = mode_fields(config);
    fields.put("authcode", code.expose());
    fields.put("termInfo", terminal_info(config));
    fields.maybe("fqNum", offer.instalment.map(|plan| plan.periods.to_string()).as_deref());
    let at = on_day_of(offer.begun, wall);
    Call { at, ..pay(config, offer, &config.modes.taken, fields) }
}

fn pay(config: &Config, offer: &Offer, mode: &str, mode_fields: Fields) -> Call {
    let mut fields = Fields::default();
    fields.put("reqTraceNum", offer.attempt.as_str());
    let code = match config.trade {
        TradeKind::Consume => {
            fields.put("receiverSignNum", config.receiver.as_str());
            fields.put("verifyType", "0");
            put_list(&mut fields, "sepDetail", &parts(config, &split::parts(&config.split, offer.amount)));
            "2085"
        }
        TradeKind::Guaranteed => {
            fields.put("receiverList", json!([receiver(config, "amount", offer.amount).done()]));
            fields.maybe("goodsType", config.goods.goods_type.as_deref());
            fields.maybe("bizGoodsNo", config.goods.goods_no.as_deref());
            "2089"
        }
    };
    fields.put("orderAmount", amount(config, offer.amount));
    fields.put("payAmount", amount(config, offer.amount));
    fields.put("payMode", pay_mode(config, mode, mode_fields));
    fields.put("orderValidTime", china(later(offer.begun, offer.valid_ms)).strftime("%Y-%m-%d %H:%M:%S").to_string());
    goods(&mut fields, config, offer);
    fields.maybe("respUrl", config.notify_url.as_deref());
    fields.maybe("extendParams", config.extend_params.as_deref());
    Call { path: TRADES, code, at: offer.begun, fields }
}

fn goods(fields: &mut Fields, config: &Config, offer: &Offer) {
    let name = column(&offer.subject, GOODS_LIMIT);
    fields.put("goodsName", if name.is_empty() { offer.attempt.as_str() } else { &name });
    fields.maybe("goodsDesc", config.goods.description.as_deref());
    fields.maybe("industryCode", config.goods.industry_code.as_deref());
    fields.maybe("industryName", config.goods.industry_name.as_deref());
    fields.maybe("txDistrictCode", config.goods.district_code.as_deref());
    fields.maybe("summary", config.goods.summary.as_deref());
}

fn mode_fields(config: &Config) -> Fields {
    let mut fields = Fields::default();
    fields.put("vspCusid", config.cusid.as_str());
    fields.maybe("limitPay", config.limit_pay.as_deref());
    fields
}

fn pay_mode(config: &Config, mode: &str, fields: Fields) -> Value {
    let value = match config.pay_mode_form {
        PayModeForm::Object => fields.done(),
        PayModeForm::Text => Value::String(fields.done().to_string()),
    };
    json!({ mode: value })
}

fn terminal_info(config: &Config) -> Value {
    let terminal = &config.terminal;
    let mut fields = Fields::default();
    fields.put("termNo", terminal.number.as_str());
    fields.put("deviceType", terminal.device_type.as_str());
    fields.maybe("termsn", terminal.serial.as_deref());
    fields.maybe("longitude", terminal.longitude.as_deref());
    fields.maybe("latitude", terminal.latitude.as_deref());
    fields.maybe("deviceip", terminal.ip.as_deref());
    fields.maybe("appversion", terminal.app_version.as_deref());
    fields.done()
}

/// 3001, or 3002 where the settings want it, about a payment.
pub(super) fn ask_payment(config: &Config, trade: &Trade, wall: Wall) -> Call {
    let code = match config.ask_by {
        AskBy::State => "3001",
        AskBy::Detail => "3002",
    };
    Call { code, ..ask(trade.attempt.as_str(), trade.begun, wall) }
}

/// 3001 about the order with this number, made at `begun`.
pub(super) fn ask(number: &str, begun: Wall, wall: Wall) -> Call {
    let mut fields = Fields::default();
    fields.put("reqTraceNum", number);
    fields.put("oriTransDate", day(begun));
    Call { path: QUERIES, code: "3001", at: wall, fields }
}

/// 2295 for the order that Allinpay knows as `trade_no`.
pub(super) fn close(trade_no: &str, wall: Wall) -> Call {
    let mut fields = Fields::default();
    fields.put("orgRespTraceNum", trade_no);
    Call { path: TRADES, code: "2295", at: wall, fields }
}

/// A refund is 2294. Money that the payee holds comes back from it, and parties of a split give back their part in
/// proportion (see [`split::given_back`]).
pub(super) fn refund(config: &Config, refund: &RefundOrder, wall: Wall) -> Call {
    let mut fields = Fields::default();
    fields.put("reqTraceNum", refund.refund.as_str());
    fields.put("orderAmount", amount(config, refund.amount));
    put_original(&mut fields, &refund.trade);
    if let Some(held) = held_by_the_payee(config, refund) {
        let back = split::given_back(&config.split, held, refund.amount);
        let mut payee = receiver(config, "orderAmount", refund.amount);
        put_list(&mut payee, "sepDetail", &parts(config, &back));
        fields.put("refundDetail", json!([payee.done()]));
    }
    fields.maybe("respUrl", config.notify_url.as_deref());
    let reason = column(&refund.reason, REASON_LIMIT);
    fields.maybe("reason", (!reason.is_empty()).then_some(&reason));
    Call { path: TRADES, code: "2294", at: on_day_of(begun_at(refund.begun, &refund.trade), wall), fields }
}

/// What the payee and the parties got of the payment, where a refund must say who gives back: of a split one, and of a
/// guaranteed one that was confirmed. Before that the money is Allinpay's to return.
fn held_by_the_payee(config: &Config, refund: &RefundOrder) -> Option<Fen> {
    match config.trade {
        TradeKind::Consume => (!config.split.is_empty()).then_some(refund.trade.amount),
        TradeKind::Guaranteed => refund.confirmed,
    }
}

/// 2090: the payee, and who has a part, get the money of a guaranteed payment.
pub(super) fn confirm(config: &Config, duty: &Duty, wall: Wall) -> Call {
    let mut fields = Fields::default();
    fields.put("reqTraceNum", confirm_number(duty.trade.attempt));
    put_original(&mut fields, &duty.trade);
    let mut payee = receiver(config, "amount", duty.amount);
    put_list(&mut payee, "sepDetail", &parts(config, &split::parts(&config.split, duty.amount)));
    fields.put("receiverList", json!([payee.done()]));
    fields.maybe("respUrl", config.notify_url.as_deref());
    fields.maybe("summary", config.goods.summary.as_deref());
    Call { path: TRADES, code: "2090", at: on_day_of(begun_at(duty.delivered, &duty.trade), wall), fields }
}

/// How the confirmation of a guaranteed payment stands; or, where nothing is owed, a harmless question.
pub(super) fn ask_duty(duty: &Duty, wall: Wall) -> Call {
    match duty.kind {
        DutyKind::ConfirmGuarantee => {
            ask(&confirm_number(duty.trade.attempt), begun_at(duty.delivered, &duty.trade), wall)
        }
        DutyKind::ReportDelivery => ask(duty.trade.attempt.as_str(), duty.trade.begun, wall),
    }
}

/// The number of an attempt's confirmation: the attempt's own with another first letter, so that every run finds it again.
pub(super) fn confirm_number(attempt: AttemptId) -> String {
    attempt.as_str().replacen(AttemptId::LETTER, "G", 1)
}

/// 3001 about a refund.
pub(super) fn ask_refund(refund: &RefundOrder, wall: Wall) -> Call {
    ask(refund.refund.as_str(), begun_at(refund.begun, &refund.trade), wall)
}

/// 4001 about this machine.
pub(super) fn terminal(config: &Config, operation: &str, wall: Wall) -> Call {
    let (terminal, mut fields) = (&config.terminal, Fields::default());
    fields.maybe("orgId", config.orgid.as_deref());
    fields.put("cusId", config.cusid.as_str());
    fields.put("termNo", terminal.number.as_str());
    fields.put("operation", operation);
    fields.put("deviceType", terminal.device_type.as_str());
    fields.maybe("termSn", terminal.serial.as_deref());
    fields.maybe("termState", terminal.state.as_deref());
    fields.maybe("termAddress", terminal.address.as_deref());
    Call { path: MEMBERS, code: "4001", at: wall, fields }
}

/// The signed HTTP request.
pub(super) fn sealed(setup: &Setup, call: Call, entropy: [u8; 32]) -> HttpRequest {
    let at = china(call.at);
    let text = |text: &str| text.to_owned();
    let envelope: Vec<(&str, String)> = vec![
        ("appId", setup.config.app_id.clone()),
        ("bizData", call.fields.done().to_string()),
        ("charset", text("UTF-8")),
        ("format", text("json")),
        ("spAppId", setup.config.sp_app_id.clone().unwrap_or_default()),
        ("transCode", text(call.code)),
        ("transDate", day(call.at)),
        ("transTime", at.strftime("%H%M%S").to_string()),
        ("version", text("1.0")),
    ];
    let members: Members = envelope.iter().map(|(name, text)| ((*name).to_owned(), text.clone())).collect();
    let sign = setup.key.sign_sm3(members.string_to_sign(false).as_bytes(), entropy);
    let mut body = Fields::default();
    for (name, text) in envelope.into_iter().filter(|(_, text)| !text.is_empty()) {
        body.put(name, text);
    }
    body.put("sign", sign);
    body.put("signType", "SM3withSM2");
    HttpRequest::post(format!("{}{}", setup.config.base_url, call.path), JSON, body.done().to_string().into_bytes())
}

/// The daily statement: a form, signed over its values without names or separators (reference/allinpay.md 3.7).
pub(super) fn statement(setup: &Setup, date: Date, entropy: [u8; 32]) -> HttpRequest {
    const FILE_TYPE: &str = "1";
    let (app_id, date) = (setup.config.app_id.as_str(), date.strftime("%Y%m%d").to_string());
    let sign = setup.key.sign_sm3(format!("{app_id}{FILE_TYPE}{date}").as_bytes(), entropy);
    let body = form([("appId", app_id), ("fileDate", &date), ("fileType", FILE_TYPE), ("sign", &sign)]);
    HttpRequest::post(format!("{}/file/download", setup.config.base_url), FORM, body.into_bytes())
}

fn receiver(config: &Config, name: &str, got: Fen) -> Fields {
    let mut fields = Fields::default();
    fields.put("signNum", config.receiver.as_str());
    fields.put(name, amount(config, got));
    fields
}

fn parts(config: &Config, parts: &[Part<'_>]) -> Vec<Value> {
    let of_part = |part: &Part<'_>| {
        let mut fields = Fields::default();
        fields.put("signNum", part.sign_num);
        fields.put("amount", amount(config, part.amount));
        fields.maybe("remark", part.remark);
        fields.done()
    };
    parts.iter().map(of_part).collect()
}

fn amount(config: &Config, amount: Fen) -> Value {
    match config.amount_form {
        AmountForm::Number => Value::from(amount.get()),
        AmountForm::Text => Value::String(amount.get().to_string()),
    }
}

/// When a refund or confirmation was begun. One that was begun before the machine knew the time counts as begun with its
/// payment, which no machine takes without the time: the day of a number must be the same at every call.
const fn begun_at(begun: Wall, trade: &Trade) -> Wall {
    if begun.trusted { begun } else { trade.begun }
}

/// The time that a call which makes an order gives as its own: now, while it is the day on which its number was made; after
/// that still a moment of that day, since 3001 finds the order by that day.
fn on_day_of(begun: Wall, wall: Wall) -> Wall {
    if day(begun) == day(wall) { wall } else { begun }
}

/// `yyyyMMdd` in China.
fn day(wall: Wall) -> String {
    china(wall).strftime("%Y%m%d").to_string()
}

fn later(wall: Wall, ms: u64) -> Wall {
    Wall { ms: wall.ms.saturating_add_unsigned(ms), ..wall }
}

/// At most `limit` characters, none of them the `|` that separates the columns of a statement.
fn column(text: &str, limit: usize) -> String {
    limited(&text.replace('|', ""), limit)
}

fn put_list(fields: &mut Fields, name: &str, list: &[Value]) {
    if !list.is_empty() {
        fields.put(name, list.to_vec());
    }
}

/// The payment that a refund or confirmation is about: by Allinpay's number, or by ours and its day.
fn put_original(fields: &mut Fields, trade: &Trade) {
    match &trade.trade_no {
        Some(trade_no) => fields.put("orgRespTraceNum", trade_no.as_str()),
        None => {
            fields.put("orgReqTraceNum", trade.attempt.as_str());
            fields.put("orgTransDate", day(trade.begun));
        }
    }
}
