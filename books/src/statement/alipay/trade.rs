//! The business bill (`trade`, 业务明细): payments and refunds that were finished on the day.

use payment::money::Fen;
use rust_decimal::Decimal;

use super::super::amount::decimal;
use super::super::container::Text;
use super::super::draft::{Draft, Told, misshapen, sum_of};
use super::super::totals::count;
use super::super::{Kind, Line, Numbers, Remark, Source, Standing, Statement, Trouble, Unit, Unreadable};
use super::{Section, files, section};
use crate::day;

const WANTED: &[&str] = &["支付宝交易号", "商户订单号", "业务类型", "完成时间", "订单金额(元)"];
const AMOUNT: &str = "订单金额(元)";
const RECEIVED: &str = "商家实收(元)";
const REFUND_NUMBER: &str = "退款批次号/请求号";

pub(in super::super) fn read(bytes: &[u8]) -> Result<Statement, Unreadable> {
    let files = files(bytes)?;
    let mut statement = Statement::new(Source::AlipayTrade);
    if files.details.is_empty() {
        let missing = WANTED.to_vec();
        return Err(Unreadable::Columns { missing, beginning: "(no 业务明细 file in the archive)".to_owned() });
    }
    for text in &files.details {
        details(&mut statement, &text.text)?;
    }
    files.sums.iter().for_each(|text| sums(&mut statement, text));
    Ok(statement)
}

fn details(statement: &mut Statement, text: &str) -> Result<(), Unreadable> {
    let section = section(text, WANTED)?;
    statement.has_room_for(section.rows.len())?;
    let before = statement.lines.len();
    for (row, line) in &section.rows {
        let anchored = |cells: &super::Cells| {
            let amount = cells.get(AMOUNT).and_then(decimal);
            amount.is_some() && cells.get("完成时间").is_some_and(|text| day::read(text).is_some())
        };
        match section.cells(line, &anchored) {
            Ok(cells) => add(Draft::new(statement, *row, cells, Unit::Yuan)),
            Err(cells) => misshapen(statement, *row, cells),
        }
    }
    said(statement, before, &section);
    Ok(())
}

fn add(mut row: Draft<'_>) {
    let words = row.text("业务类型");
    let kind = match words.as_str() {
        "交易" => Kind::Payment,
        "退款" => Kind::Refund,
        _ => Kind::Other,
    };
    if kind == Kind::Other {
        row.remark(Trouble::Words(words.clone()));
    }
    let amount = row.money(AMOUNT);
    row.check_sign(kind, amount, true);
    let numbers = Numbers {
        ours: row.number("商户订单号"),
        refund_ours: row.number(REFUND_NUMBER),
        channel: row.number("支付宝交易号"),
        ..Numbers::default()
    };
    // Below zero is what Alipay takes.
    let fee = row.fee("服务费(元)").map(|fee| Fen::new(fee.get().saturating_neg()));
    let at = row.at("完成时间");
    row.push(Told { kind, amount, amount_column: AMOUNT, fee, at, numbers, standing: Standing::Done, words });
}

/// The comments below the rows: `#交易合计：2笔，商家实收共5.50元，商家优惠共0.00元`.
fn said(statement: &mut Statement, before: usize, section: &Section<'_>) {
    let kinds = [("交易合计", "商家实收共", Kind::Payment), ("退款合计", "商家实收退款共", Kind::Refund)];
    for (name, received, kind) in kinds {
        let Some(comment) = section.comments.iter().find(|comment| comment.trim_start_matches('#').starts_with(name))
        else {
            continue;
        };
        let lines: Vec<&Line> = statement.lines.iter().skip(before).filter(|line| line.kind == kind).collect();
        let (rows, sum) = (lines.len(), sum_of(lines.into_iter(), RECEIVED));
        if let Some(said) = between(comment, "：", "笔") {
            statement.total(&format!("{name}笔数"), &said, count(rows));
        }
        if let Some(said) = between(comment, received, "元") {
            statement.total(&format!("{name}{received}"), &said, sum);
        }
    }
}

fn between(text: &str, before: &str, after: &str) -> Option<String> {
    let (_, rest) = text.split_once(before)?;
    let (said, _) = rest.split_once(after)?;
    Some(said.trim().to_owned())
}

/// The sums per store: their last row counts the trades and refunds, and gives the net amount.
fn sums(statement: &mut Statement, text: &Text) {
    let wanted = ["交易订单总笔数", "退款订单总笔数"];
    let Ok(section) = section(&text.text, &wanted) else {
        statement.remarks.push(Remark::ExtraFile { name: text.name.clone() });
        return;
    };
    let Some((_, last)) = section.rows.iter().rfind(|(_, line)| line.trim_start().starts_with("合计")) else {
        return;
    };
    let Ok(cells) = section.cells(last, &|_| true) else { return };
    let of = |kind| statement.lines.iter().filter(|line| line.kind == kind).count();
    let (trades, refunds) = (of(Kind::Payment), of(Kind::Refund));
    let traded = statement.lines.iter().filter(|line| line.kind != Kind::Other);
    let net: Option<Decimal> = sum_of(traded, AMOUNT);
    for (name, rows) in [(wanted[0], count(trades)), (wanted[1], count(refunds)), (AMOUNT, net)] {
        if let Some(said) = cells.get(name) {
            statement.total(&format!("汇总 {name}"), said, rows);
        }
    }
}
