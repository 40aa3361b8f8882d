//! The bill of a day (业务账单): every payment and refund that finished that day in China, in GBK with CRLF, summary and
//! detail in one ZIP (reference/alipay.md 5.9, 11).

use encoding_rs::GBK;

use super::amount::yuan;
use super::charges::Charges;
use super::options::GatewayOptions;
use super::trade::{Parts, Refund, Trade};
use super::world::World;
use super::{archive, china_time};

/// An address of a bill and until when it lives.
#[derive(Debug, Clone)]
pub(crate) struct BillLink {
    pub(crate) day: i64,
    pub(crate) expires_at: i64,
}

const DETAIL_COLUMNS: &str = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,\
    订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,\
    商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注";
/// Seen in bills of 2026; here they stand in front, so that who counts columns is wrong at once.
const EXTRA_COLUMNS: &str = "业务订单号,业务描述,";
const SUMMARY_COLUMNS: &str = "门店编号,门店名称,交易订单总笔数,退款订单总笔数,订单金额（元）,商家实收（元）,支付宝优惠（元）,\
    商家优惠（元）,卡消费金额（元）,服务费（元）,分润（元）,实收净额（元）";

/// A payment or a refund that finished.
struct Row<'a> {
    trade: &'a Trade,
    refund: Option<&'a Refund>,
    at: i64,
    /// Below nothing for a refund.
    parts: Parts,
    /// Below nothing for a payment.
    fee: i64,
}

/// The ZIP of the day that begins at `day`; `None` when nothing finished then.
pub(crate) fn file(world: &World, options: &GatewayOptions, day: i64, now: i64) -> Option<Vec<u8>> {
    let rows = rows(world, options, day);
    if rows.is_empty() {
        return None;
    }
    let name = format!("{}0156_{}_业务明细", options.seller_id, china_time::day(day));
    let detail = detail(world, &rows, options, day, now);
    let summary = summary(&rows, options, day, now);
    Some(archive::zip(&[(format!("{name}(汇总).csv"), gbk(&summary)), (format!("{name}.csv"), gbk(&detail))]))
}

/// Whether anything finished that day.
pub(crate) fn has_rows(world: &World, options: &GatewayOptions, day: i64) -> bool {
    !rows(world, options, day).is_empty()
}

fn rows<'a>(world: &'a World, options: &GatewayOptions, day: i64) -> Vec<Row<'a>> {
    let that_day = day..day + china_time::DAY_MS;
    let mut rows: Vec<Row<'a>> = world.trades.values().flat_map(|trade| rows_of(trade, options)).collect();
    rows.retain(|row| that_day.contains(&row.at));
    rows.sort_by_key(|row| (row.at, row.refund.is_some()));
    rows
}

fn rows_of<'a>(trade: &'a Trade, options: &GatewayOptions) -> Vec<Row<'a>> {
    let Some(paid_at) = trade.paid_at else { return Vec::new() };
    let whole = Row {
        trade,
        refund: None,
        at: paid_at,
        parts: trade.paid,
        fee: -Charges::on(trade, trade.paid, options).sum(),
    };
    let mut rows = vec![whole];
    let mut left = trade.paid;
    for refund in &trade.refunds {
        let rest = left.less(refund.parts);
        let fee = Charges::returned(trade, left, rest, options).sum();
        rows.push(Row { trade, refund: Some(refund), at: refund.at, parts: Parts::default().less(refund.parts), fee });
        left = rest;
    }
    rows
}

fn detail(world: &World, rows: &[Row<'_>], options: &GatewayOptions, day: i64, now: i64) -> String {
    let mut lines = head("业务明细", options, day);
    let extra = |cells: &str| if options.bill_extra_columns { cells.to_owned() } else { String::new() };
    lines.push(format!("{}{DETAIL_COLUMNS}", extra(EXTRA_COLUMNS)));
    lines.extend(rows.iter().map(|row| format!("{}{}", extra("\t,交易支付,"), detail_row(world, row))));
    lines.push(ruled("业务明细列表结束"));
    for (word, gets, gives, refunds) in
        [("交易", "商家实收", "商家优惠", false), ("退款", "商家实收退款", "商家优惠退款", true)]
    {
        let these: Vec<&Row<'_>> = rows.iter().filter(|row| row.refund.is_some() == refunds).collect();
        let (receipt, merchant) = (sum(&these, |row| row.parts.receipt()), sum(&these, |row| row.parts.merchant));
        let count = these.len();
        lines.push(format!("#{word}合计：{count}笔，{gets}共{}元，{gives}共{}元", signed(receipt), signed(merchant)));
    }
    lines.push(made_at(now));
    text(&lines)
}

fn detail_row(world: &World, row: &Row<'_>) -> String {
    let Trade { terms, trade_no, created_at, redeemed, .. } = row.trade;
    let names: Vec<&str> = redeemed.iter().map(|used| used.coupon.name.as_str()).collect();
    let buyer = world.buyers.get(&row.trade.buyer).map(super::world::Buyer::masked).unwrap_or_default();
    let request = row.refund.and_then(|refund| refund.number.as_deref()).unwrap_or_default();
    let total = row.parts.receipt() + row.parts.merchant;
    // Cells of numbers and codes end with a TAB, so that a spreadsheet does not take them for amounts.
    let tabbed = |cell: &str| format!("{cell}\t");
    let none = || "0.00".to_owned();
    [
        tabbed(trade_no),
        tabbed(&terms.out_trade_no),
        if row.refund.is_some() { "退款" } else { "交易" }.to_owned(),
        terms.subject.clone(),
        china_time::write(row.refund.map_or(*created_at, |refund| refund.at)),
        china_time::write(row.at),
        tabbed(terms.text("store_id")),
        String::new(),
        terms.text("operator_id").to_owned(),
        tabbed(terms.text("terminal_id")),
        buyer,
        signed(total),
        signed(row.parts.receipt()),
        signed(row.parts.alipay),
        none(),
        none(),
        signed(row.parts.merchant),
        none(),
        names.join(";"),
        none(),
        none(),
        tabbed(request),
        signed(row.fee),
        none(),
        String::new(),
    ]
    .join(",")
}

fn summary(rows: &[Row<'_>], options: &GatewayOptions, day: i64, now: i64) -> String {
    let mut lines = head("业务汇总", options, day);
    lines.push(SUMMARY_COLUMNS.to_owned());
    let mut stores: Vec<&str> = rows.iter().map(|row| row.trade.terms.text("store_id")).collect();
    stores.sort_unstable();
    stores.dedup();
    for store in stores {
        let these: Vec<&Row<'_>> = rows.iter().filter(|row| row.trade.terms.text("store_id") == store).collect();
        lines.push(summary_row(&format!("{store}\t"), &these));
    }
    lines.push(summary_row("合计", &rows.iter().collect::<Vec<_>>()));
    lines.push(ruled("业务汇总列表结束"));
    lines.push(made_at(now));
    text(&lines)
}

fn summary_row(store: &str, rows: &[&Row<'_>]) -> String {
    let refunds = rows.iter().filter(|row| row.refund.is_some()).count();
    let (receipt, merchant) = (sum(rows, |row| row.parts.receipt()), sum(rows, |row| row.parts.merchant));
    let (alipay, fee) = (sum(rows, |row| row.parts.alipay), sum(rows, |row| row.fee));
    let amounts = [receipt + merchant, receipt, alipay, merchant, 0, fee, 0, receipt + fee].map(signed);
    format!("{store},,{},{refunds},{}", rows.len() - refunds, amounts.join(","))
}

fn sum(rows: &[&Row<'_>], part: impl Fn(&Row<'_>) -> i64) -> i64 {
    rows.iter().map(|row| part(row)).sum()
}

fn head(kind: &str, options: &GatewayOptions, day: i64) -> Vec<String> {
    let date = |ms: i64| china_time::chinese(ms);
    vec![
        format!("#支付宝{kind}查询"),
        format!("#账号：[{}0156]", options.seller_id),
        format!("#起始日期：[{}]   终止日期：[{}]", date(day), date(day + china_time::DAY_MS)),
        ruled(&format!("{kind}列表")),
    ]
}

fn ruled(words: &str) -> String {
    format!("#{0}{words}{0}", "-".repeat(41))
}

fn made_at(now: i64) -> String {
    format!("#导出时间：[{}]", china_time::chinese(now))
}

fn text(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\r\n")).collect()
}

fn signed(fen: i64) -> String {
    if fen < 0 { format!("-{}", yuan(-fen)) } else { yuan(fen) }
}

fn gbk(text: &str) -> Vec<u8> {
    GBK.encode(text).0.into_owned()
}
