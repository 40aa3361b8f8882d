//! `/file/download` (4002): the statement of a day, lines with fields that end in `|` (reference/allinpay.md 3.7, 5.1).

use std::collections::BTreeMap;

use super::super::china_time::{self, COMPACT};
use super::super::http::{Incoming, Level, Opened, Refusal, Said};
use super::super::order::{Order, RefundState};
use super::super::weather::Method;
use super::super::world::World;
use super::Yst;
use super::envelope::Asked;
use super::method::vsp_trxid;

const HOUR_MS: i64 = 3_600_000;

/// The first line, which readers skip.
const HEADER: &str = "通联订单号|订单类型|交易金额|平台抽佣金额|交易时间|商户订单号|原商户订单号|原通联订单号|支付模式|扩展参数|\
                      结算金额|订单子类型|预留1|预留2|渠道金额|渠道流水号|渠道手续费|渠道交易类型|卡号|卡类别|渠道商户号|门店名称|终端号|";

pub(super) fn open(yst: &Yst, incoming: &Incoming) -> Opened<Asked> {
    Opened { method: Some(Method::Statement), name: "4002".to_owned(), number: None, checked: check(yst, incoming) }
}

fn check(yst: &Yst, incoming: &Incoming) -> Result<Asked, Refusal> {
    let parameter = |text: &str| Refusal::new(Level::Parameters, "10001", text);
    if !incoming.post {
        return Err(Refusal::new(Level::Http(405), "405", "calls are POST"));
    }
    if !incoming.content_type.starts_with("application/x-www-form-urlencoded") {
        return Err(Refusal::new(Level::Stranger, "10001", "send a form"));
    }
    let form: BTreeMap<String, String> = pairs(&incoming.body);
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    if field("appId") != yst.options.app_id {
        return Err(Refusal::new(Level::Stranger, "20001", "应用不存在: appId"));
    }
    if field("fileType") != "1" {
        return Err(parameter("fileType is 1"));
    }
    let date = field("fileDate");
    let text = format!("{}1{date}", field("appId"));
    if !yst.keys.merchant.holds(&text, field("sign")) {
        return Err(Refusal::new(Level::Signature, "20019", "签名校验失败"));
    }
    if !china_time::is_day(date) {
        return Err(parameter("fileDate: yyyyMMdd"));
    }
    Ok(Asked::File { date: date.to_owned() })
}

fn pairs(body: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(body);
    let halves = text.split('&').filter_map(|pair| pair.split_once('='));
    halves.map(|(name, value)| (name.to_owned(), decoded(value))).collect()
}

fn decoded(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let hex = after.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match (byte, hex) {
            (b'%', Some(value)) => {
                bytes.push(value);
                rest = after.get(2..).unwrap_or_default();
            }
            (b'+', _) => bytes.push(b' '),
            (other, _) => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The statement of a day that is over.
pub(super) fn download(yst: &Yst, world: &World, date: &str, now: i64) -> Result<Said, Refusal> {
    let start = china_time::read(COMPACT, &format!("{date}000000")).unwrap_or(i64::MAX / 2);
    if now < start + (24 + yst.options.statement_hour) * HOUR_MS {
        return Err(Refusal::new(Level::Parameters, "10001", "对账文件未生成"));
    }
    let mut lines: Vec<(i64, String)> = world.orders.values().flat_map(|order| lines(yst, world, order)).collect();
    lines.retain(|(at, _)| china_time::day(*at) == date);
    lines.sort_by_key(|(at, _)| *at);
    let text: String = std::iter::once(HEADER).chain(lines.iter().map(|(_, line)| &**line)).map(ended).collect();
    Ok(Said::File { bytes: text.into_bytes(), content_type: "text/plain;charset=UTF-8" })
}

fn ended(line: &str) -> String {
    format!("{line}\n")
}

/// What stands in a line, in the order of the columns; the rest is empty.
struct Row<'a> {
    trade_no: &'a str,
    code: &'a str,
    fen: i64,
    at: i64,
    number: &'a str,
    original: Option<&'a Order>,
    /// Place among the three trade codes of the app; `None` when no channel took part.
    channel: Option<usize>,
}

fn lines(yst: &Yst, world: &World, order: &Order) -> Vec<(i64, String)> {
    let code = if order.terms.guaranteed { "2089" } else { "2085" };
    let mut rows = Vec::new();
    if let Some(at) = order.paid_at {
        let (trade_no, number) = (&*order.trade_no, &*order.terms.number);
        rows.push(Row { trade_no, code, fen: order.charged_fen, at, number, original: None, channel: Some(0) });
    }
    for confirm in &order.confirms {
        let (trade_no, number) = (&*confirm.trade_no, &*confirm.number);
        let fen = super::fields::sum(&confirm.payees);
        rows.push(Row { trade_no, code: "2090", fen, at: confirm.at, number, original: Some(order), channel: None });
    }
    for refund in order.refunds.iter().filter(|refund| refund.state == RefundState::Done) {
        let (trade_no, number, fen) = (&*refund.trade_no, &*refund.number, refund.fen);
        rows.push(Row { trade_no, code: "2294", fen, at: refund.at, number, original: Some(order), channel: Some(2) });
    }
    rows.iter().map(|row| (row.at, line(yst, world, order, row))).collect()
}

fn line(yst: &Yst, world: &World, order: &Order, row: &Row<'_>) -> String {
    let original = row.original.map_or(["", ""], |order| [&*order.terms.number, &*order.trade_no]);
    let channel = channel(yst, world, order, row);
    let mut cells = vec![
        row.trade_no.to_owned(),
        row.code.to_owned(),
        row.fen.to_string(),
        "0".to_owned(),
        china_time::write(COMPACT, row.at),
        row.number.to_owned(),
        original[0].to_owned(),
        original[1].to_owned(),
        order.terms.means.clone(),
        String::new(),
        row.fen.to_string(),
        String::new(),
        String::new(),
        String::new(),
    ];
    cells.extend(channel);
    cells.iter().map(|cell| format!("{cell}|")).collect()
}

/// The nine fields of the channel; "0" stands for nothing.
fn channel(yst: &Yst, world: &World, order: &Order, row: &Row<'_>) -> [String; 9] {
    let nothing = || "0".to_owned();
    let (Some(place), Some((buyer, app))) = (row.channel, &order.payer) else {
        return std::array::from_fn(|_| nothing());
    };
    let account = app.account(world.buyers.get(buyer).map_or(0, |buyer| buyer.serial));
    let fee = if place == 0 { (row.fen * 6 + 500) / 1000 } else { 0 };
    let termno = if order.terms.termno.is_empty() { nothing() } else { order.terms.termno.clone() };
    [
        row.fen.to_string(),
        vsp_trxid(row.trade_no),
        fee.to_string(),
        app.trxcodes()[place].to_owned(),
        format!("{}***", account.get(..8).unwrap_or_default()),
        app.accttype().to_owned(),
        yst.options.vsp_cusid.clone(),
        "一号店".to_owned(),
        termno,
    ]
}
