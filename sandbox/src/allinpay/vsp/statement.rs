//! The statement of a day: a ZIP with one GBK file of 19 columns (reference/allinpay.md 2.9). The cells' forms are not
//! proven; the options have switches for the doubtful ones.

use std::io::{Cursor, Write as _};

use encoding_rs::GBK;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::super::china_time;
use super::super::http::{Level, Refusal, Said};
use super::super::order::{Order, Refund, RefundState, Why};
use super::super::world::World;
use super::Vsp;
use super::method::fee;

const HEADER: &str = "商户号,门店名称,终端号,交易时间,交易类型,交易批次号,凭证号,参考号,卡号,卡类别,发卡行机构代码,\
                      发卡行名称,交易金额,手续费,交易日期,预留,订单号,商户备注,对接应用号";

/// The file behind an address that `trxfile/get` gave.
pub(super) fn download(vsp: &Vsp, world: &World, name: &str) -> Result<Said, Refusal> {
    let lost = || Refusal::new(Level::Http(404), "404", "no such file");
    let stem = name.strip_suffix(".zip").ok_or_else(lost)?;
    let (cusid, date) = stem.split_once('_').ok_or_else(lost)?;
    if cusid != vsp.options.cusid || !china_time::is_day(date) {
        return Err(lost());
    }
    let text = text(vsp, world, date);
    let bytes = packed(&format!("{stem}.csv"), &GBK.encode(&text).0).map_err(|_| lost())?;
    Ok(Said::File { bytes, content_type: "application/zip" })
}

fn packed(name: &str, bytes: &[u8]) -> Result<Vec<u8>, zip::result::ZipError> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file(name, SimpleFileOptions::default())?;
    writer.write_all(bytes)?;
    Ok(writer.finish()?.into_inner())
}

/// One movement of money.
struct Row<'a> {
    at: i64,
    order: &'a Order,
    refund: Option<&'a Refund>,
}

fn text(vsp: &Vsp, world: &World, date: &str) -> String {
    let mut rows: Vec<Row<'_>> = world.orders.values().flat_map(rows_of).collect();
    rows.retain(|row| china_time::day(row.at) == date);
    rows.sort_by_key(|row| row.at);
    let lines = rows.iter().enumerate().map(|(index, row)| line(vsp, world, index + 1, row));
    std::iter::once(format!("{HEADER}\r\n")).chain(lines).collect()
}

fn rows_of(order: &Order) -> Vec<Row<'_>> {
    let paid = order.paid_at.map(|at| Row { at, order, refund: None });
    let done = order.refunds.iter().filter(|refund| refund.state == RefundState::Done && refund.fen > 0);
    let returned = done.map(|refund| Row { at: refund.at, order, refund: Some(refund) });
    paid.into_iter().chain(returned).collect()
}

fn line(vsp: &Vsp, world: &World, serial: usize, row: &Row<'_>) -> String {
    let (order, options) = (row.order, &vsp.options);
    let Some((buyer, app)) = &order.payer else { return String::new() };
    let account = app.account(world.buyers.get(buyer).map_or(0, |buyer| buyer.serial));
    let masked = format!("{}***", account.get(..8).unwrap_or_default());
    let (kind, trxid, number, fen) = match row.refund {
        None => ("", &order.trade_no, &order.terms.number, order.charged_fen),
        Some(refund) => (suffix(refund.why), &refund.trade_no, &refund.number, refund.fen),
    };
    let sign = if row.refund.is_some() && options.statement_negative_returns { "-" } else { "" };
    let money = |fen: i64| format!("{sign}{}", written(fen, options.statement_in_yuan));
    let cells = [
        options.cusid.clone(),
        "一号店".to_owned(),
        order.terms.termno.clone(),
        china_time::write(china_time::DASHED, row.at),
        format!("{}{kind}", app.chinese()),
        "000001".to_owned(),
        format!("{serial:06}"),
        trxid.clone(),
        masked,
        app.accttype().to_owned(),
        String::new(),
        String::new(),
        money(fen),
        money(fee(fen)),
        china_time::day(row.at),
        String::new(),
        number.clone(),
        String::new(),
        options.appid.clone(),
    ];
    format!("{}\r\n", cells.join(","))
}

fn suffix(why: Why) -> &'static str {
    match why {
        Why::Cancel => "撤销",
        Why::Refund | Why::TooLate => "退货",
    }
}

fn written(fen: i64, in_yuan: bool) -> String {
    if in_yuan { format!("{}.{:02}", fen / 100, fen % 100) } else { fen.to_string() }
}
