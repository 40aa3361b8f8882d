//! Bill files: trades and movements of money of one day (reference/wechatpay.md 8.1).

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::options::GatewayOptions;
use super::order::{Account, Order, Refund, RefundState};
use super::v3::trade_type;
use super::world::World;
use crate::alipay::china_time::{DAY_MS, midnight_after, write};

/// A bill that waits to be fetched.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) mchid: String,
    pub(crate) expires_at: i64,
    pub(crate) gzip: bool,
    pub(crate) text: String,
}

/// Which trades are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    All,
    Success,
    Refund,
}

/// A column and the cell under it.
type Cells = Vec<(&'static str, String)>;

/// The columns that a few merchants do not get.
const NEWER: [&str; 4] = ["应结订单金额", "代金券金额", "应结订单总金额", "充值券退款总金额"];

/// A line of the bill before it is written.
struct Row<'a> {
    at: i64,
    order: &'a Order,
    refund: Option<&'a Refund>,
    state: &'static str,
}

/// The trades of a day, or `None` when there were none.
pub(crate) fn trades(
    world: &World,
    account: &Account,
    day: i64,
    kind: Kind,
    options: &GatewayOptions,
) -> Option<String> {
    let mut rows: Vec<Row<'_>> = world
        .orders
        .values()
        .filter(|order| is_of(order, account))
        .flat_map(rows_of)
        .filter(|row| (day..day + DAY_MS).contains(&row.at))
        .filter(|row| match kind {
            Kind::All => true,
            Kind::Success => row.state == "SUCCESS",
            Kind::Refund => row.state == "REFUND",
        })
        .collect();
    rows.sort_by_key(|row| row.at);
    let cells: Vec<Cells> = rows.iter().map(|row| cells(world, row, kind, options)).collect();
    let summary = summary(&rows, options);
    file(cells, summary, options)
}

/// A service provider sees all its shops, or the one that it names.
fn is_of(order: &Order, account: &Account) -> bool {
    let own = &order.terms.key.account;
    own.mchid == account.mchid && (account.sub_mchid.is_none() || own.sub_mchid == account.sub_mchid)
}

fn rows_of(order: &Order) -> Vec<Row<'_>> {
    let paid = order.paid_at.map(|at| Row { at, order, refund: None, state: "SUCCESS" });
    let refunds = order.refunds.iter().map(|refund| {
        let state = if refund.number.is_some() { "REFUND" } else { "REVOKED" };
        Row { at: refund.created_at, order, refund: Some(refund), state }
    });
    paid.into_iter().chain(refunds).collect()
}

fn cells(world: &World, row: &Row<'_>, kind: Kind, options: &GatewayOptions) -> Cells {
    let (order, terms) = (row.order, &row.order.terms);
    let (paid, refunded) = amounts(row);
    let mut cells = vec![
        ("交易时间", write(row.at)),
        ("公众账号ID", terms.appid.clone()),
        ("商户号", terms.key.account.mchid.clone()),
        ("特约商户号", terms.key.account.sub_mchid.clone().unwrap_or_else(|| "0".to_owned())),
        ("设备号", terms.device_id.clone().unwrap_or_default()),
        ("微信订单号", order.transaction_id.clone()),
        ("商户订单号", terms.key.number.clone()),
        ("用户标识", openid(world, order)),
        ("交易类型", trade_type(order).to_owned()),
        ("交易状态", row.state.to_owned()),
        ("付款银行", "OTHERS".to_owned()),
        ("货币种类", "CNY".to_owned()),
        ("应结订单金额", yuan(paid)),
        ("代金券金额", yuan(0)),
    ];
    if kind != Kind::Success {
        cells.extend(refund_cells(row, kind, refunded));
    }
    let fee = fee(paid, options) - fee(refunded, options);
    let percent = options.fee_per_myriad;
    cells.extend([
        ("商品名称", escaped(&terms.description)),
        ("商户数据包", escaped(terms.attach.as_deref().unwrap_or_default())),
        ("手续费", format!("{}000", yuan(fee))),
        ("费率", format!("{}.{:02}%", percent / 100, percent % 100)),
        ("订单金额", yuan(paid)),
    ]);
    if kind != Kind::Success {
        cells.push(("申请退款金额", yuan(refunded)));
    }
    cells.push(("费率备注", String::new()));
    cells
}

fn openid(world: &World, order: &Order) -> String {
    let buyer = order.buyer.as_ref().and_then(|name| world.buyers.get(name));
    buyer.map(|buyer| buyer.openid.clone()).unwrap_or_default()
}

fn refund_cells(row: &Row<'_>, kind: Kind, refunded: i64) -> Cells {
    let refund = row.refund;
    let or_zero = |text: Option<&str>| text.unwrap_or("0").to_owned();
    let mut cells = Vec::new();
    if kind == Kind::Refund {
        let done = refund.filter(|refund| refund.state_at(made_at(row)) == RefundState::Success);
        let done = done.map(|refund| write(refund.ends_at));
        cells.push(("退款申请时间", refund.map(|refund| write(refund.created_at)).unwrap_or_default()));
        cells.push(("退款成功时间", done.unwrap_or_default()));
    }
    let number = refund.map(|refund| refund.number.as_deref().unwrap_or(&row.order.terms.key.number));
    cells.extend([
        ("微信退款单号", or_zero(refund.map(|refund| refund.refund_id.as_str()))),
        ("商户退款单号", or_zero(number)),
        ("退款金额", yuan(refunded)),
        ("充值券退款金额", yuan(0)),
        ("退款类型", refund.map(|_| "ORIGINAL".to_owned()).unwrap_or_default()),
        ("退款状态", refund.map(|refund| state_word(refund.state_at(made_at(row))).to_owned()).unwrap_or_default()),
    ]);
    cells
}

/// The file of a day is made at nine the next morning, and never changed later.
fn made_at(row: &Row<'_>) -> i64 {
    midnight_after(row.at) + 9 * 3_600_000
}

/// Bills use other words than the API.
fn state_word(state: RefundState) -> &'static str {
    match state {
        RefundState::Processing => "PROCESSING",
        RefundState::Success => "SUCCESS",
        RefundState::Closed => "FAIL",
        RefundState::Abnormal => "CHANGE",
    }
}

/// What a row paid and what it gave back.
fn amounts(row: &Row<'_>) -> (i64, i64) {
    match row.refund {
        Some(refund) => (0, refund.fen),
        None => (row.order.terms.total_fen, 0),
    }
}

fn summary(rows: &[Row<'_>], options: &GatewayOptions) -> Cells {
    let paid: i64 = rows.iter().map(|row| amounts(row).0).sum();
    let refunded: i64 = rows.iter().map(|row| amounts(row).1).sum();
    let fees: i64 = rows
        .iter()
        .map(|row| {
            let (paid, refunded) = amounts(row);
            fee(paid, options) - fee(refunded, options)
        })
        .sum();
    vec![
        ("总交易单数", rows.len().to_string()),
        ("应结订单总金额", yuan(paid)),
        ("退款总金额", yuan(refunded)),
        ("充值券退款总金额", yuan(0)),
        ("手续费总金额", format!("{}000", yuan(fees))),
        ("订单总金额", yuan(paid)),
        ("申请退款总金额", yuan(refunded)),
    ]
}

/// The movements of money on a merchant's account in a day, or `None` when there were none.
pub(crate) fn fund_flow(world: &World, mchid: &str, day: i64, options: &GatewayOptions) -> Option<String> {
    let orders = world.orders.values().filter(|order| order.terms.key.account.payee() == mchid);
    let mut rows: Vec<Row<'_>> = orders.flat_map(rows_of).filter(|row| row.at < day + DAY_MS).collect();
    rows.sort_by_key(|row| row.at);
    let mut balance = 0;
    let (mut lines, mut incoming, mut outgoing) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        let (paid, refunded) = amounts(&row);
        balance += paid - refunded;
        if row.at >= day {
            lines.push(flow_cells(&row, balance));
            if paid > 0 { incoming.push(paid) } else { outgoing.push(refunded) }
        }
    }
    let summary = vec![
        ("资金流水总笔数", lines.len().to_string()),
        ("收入笔数", incoming.len().to_string()),
        ("收入金额", yuan(incoming.iter().sum())),
        ("支出笔数", outgoing.len().to_string()),
        ("支出金额", yuan(outgoing.iter().sum())),
    ];
    file(lines, summary, options)
}

fn flow_cells(row: &Row<'_>, balance: i64) -> Cells {
    let order = row.order;
    let (word, direction, number, by, proof, fen) = match row.refund {
        None => ("交易", "收入", &order.transaction_id, "system", order.transaction_id.clone(), order.terms.total_fen),
        Some(refund) => {
            let proof = refund.number.clone().unwrap_or_else(|| order.terms.key.number.clone());
            ("退款", "支出", &refund.refund_id, "API", proof, refund.fen)
        }
    };
    vec![
        ("记账时间", write(row.at)),
        ("微信支付业务单号", number.clone()),
        ("资金流水单号", order.transaction_id.clone()),
        ("业务名称", word.to_owned()),
        ("业务类型", word.to_owned()),
        ("收支类型", direction.to_owned()),
        ("收支金额(元)", yuan(fen)),
        ("账户结余(元)", yuan(balance)),
        ("资金变更提交申请人", by.to_owned()),
        ("备注", format!("{word}总金额 {} 元;含手续费 0.00 元", yuan(fen))),
        ("业务凭证号", proof),
    ]
}

/// Header, rows, header of the summary, summary: every cell but those of a header begins with a backtick.
fn file(rows: Vec<Cells>, summary: Cells, options: &GatewayOptions) -> Option<String> {
    let first = rows.first()?;
    let shown = |cells: &Cells| -> Cells {
        cells.iter().filter(|(name, _)| !options.older_bill || !NEWER.contains(name)).cloned().collect()
    };
    let mut text = String::from(if options.bill_mark { "\u{feff}" } else { "" });
    let mut lines = vec![header(&shown(first))];
    lines.extend(rows.iter().map(|cells| line(&shown(cells))));
    lines.extend([header(&shown(&summary)), line(&shown(&summary))]);
    for line in lines {
        text.push_str(&line);
        text.push_str("\r\n");
    }
    Some(text)
}

fn header(cells: &Cells) -> String {
    cells.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(",")
}

fn line(cells: &Cells) -> String {
    cells.iter().map(|(_, value)| format!("`{value}")).collect::<Vec<_>>().join(",")
}

/// Merchant text never holds a comma or a line feed in a bill.
fn escaped(text: &str) -> String {
    text.replace(',', "\\ ").replace('\n', "\\n")
}

fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    let fen = fen.unsigned_abs();
    format!("{sign}{}.{:02}", fen / 100, fen % 100)
}

/// Rounded half up to the fen.
fn fee(fen: i64, options: &GatewayOptions) -> i64 {
    (fen * options.fee_per_myriad + 5_000).div_euclid(10_000)
}

/// The gzip stream of a file.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail; an empty answer would show it if it did.
    if encoder.write_all(bytes).is_err() {
        return Vec::new();
    }
    encoder.finish().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_and_fees_are_decimal_text() {
        let options = GatewayOptions::default();
        assert_eq!((yuan(350), yuan(-2), yuan(0)), ("3.50".to_owned(), "-0.02".to_owned(), "0.00".to_owned()));
        assert_eq!((fee(350, &options), fee(100_000, &options), fee(1, &options)), (2, 600, 0));
    }

    #[test]
    fn merchant_text_cannot_break_a_line() {
        assert_eq!(escaped("可乐,大\n杯"), "可乐\\ 大\\n杯");
    }
}
