//! VSP (收银宝): a zip with a GBK table, or the portal's Excel (reference/allinpay.md 2.9).
//!
//! Column names are from public code. Not proven, and therefore read both ways: the unit of money ([`Unit`]) and the
//! sign of returns, for which the words of 交易类型 decide and either sign is taken. A fee is kept as written.

use payment::channel::allinpay::vsp::cancelled_attempt;
use payment::ids::AttemptId;

use super::super::amount::decimal;
use super::super::container::{self, Contents, Encoding, Text};
use super::super::draft::{Draft, Told, misshapen};
use super::super::table::{self, Fit, Headings};
use super::super::{At, Kind, Numbers, Remark, Source, Standing, Statement, Trouble, Unit, Unreadable};
use super::{Table, amount_column, is_sum, tables_of};
use crate::{day, words};

const WANTED: &[&str] = &["交易类型", "订单号", "交易时间"];

/// The columns of a file without headings. What the sixteenth holds is not known.
#[rustfmt::skip]
const BY_PLACE: [&str; 19] = [
    "商户号", "门店名称", "终端号", "交易时间", "交易类型", "交易批次号", "凭证号", "参考号", "卡号", "卡类别",
    "发卡行机构代码", "发卡行名称", "交易金额", "手续费", "交易日期", "预留", "订单号", "商户备注", "对接应用号",
];
const AMOUNT_PLACE: usize = 12;

pub(in super::super) fn read(bytes: &[u8], unit: Unit) -> Result<Statement, Unreadable> {
    let mut statement = Statement::new(Source::Vsp(unit));
    let tables = match container::open(bytes, Encoding::Gbk)? {
        Contents::Texts(texts) => tables(&texts, &mut statement)?,
        Contents::Sheets(sheets) => tables_of(&sheets, WANTED, &mut statement)?,
    };
    for table in tables {
        statement.has_room_for(table.rows.len())?;
        let unit = table.unit(unit, &mut statement)?;
        for (row, cells) in &table.rows {
            match cells {
                Ok(cells) => add(Draft::new(&mut statement, *row, table.cells(cells.clone()), unit), table.amount.0),
                Err(cells) => misshapen(&mut statement, *row, table.cells(cells.clone())),
            }
        }
    }
    Ok(statement)
}

fn tables(texts: &[Text], statement: &mut Statement) -> Result<Vec<Table>, Unreadable> {
    let mut tables = Vec::new();
    for text in texts {
        let lines = table::lines(&text.text)?;
        match table(&lines, statement) {
            Some(table) => tables.push(table),
            None => statement.remarks.push(Remark::ExtraFile { name: text.name.clone() }),
        }
    }
    if tables.is_empty() {
        let first = texts.iter().find_map(|text| text.text.lines().next()).unwrap_or_default();
        return Err(table::no_table(&BY_PLACE, first));
    }
    Ok(tables)
}

fn table(lines: &[(usize, &str)], statement: &mut Statement) -> Option<Table> {
    let first = table::split(lines.first()?.1, ',');
    let (headings, body) = match Headings::of(&first, WANTED) {
        Some(headings) => (headings, lines.get(1..)?),
        None => (by_place(&first, statement)?, lines),
    };
    let amount = amount_column(&headings)?;
    let place = headings.place(amount.0)?;
    let fit = Fit {
        columns: headings.names.len(),
        free: headings.place("商户备注"),
        plausible: &|cells| cells.get(place).is_some_and(|text| decimal(text).is_some()),
    };
    let rows = body.iter().map(|(row, line)| (*row, fit.cells(line))).collect();
    Some(Table { headings, rows, amount, hides_points: false })
}

/// The documented order, when the first line is a row and not headings.
fn by_place(first: &[String], statement: &mut Statement) -> Option<Headings> {
    let is_row = first.len() == BY_PLACE.len() && decimal(first.get(AMOUNT_PLACE)?).is_some();
    if !is_row {
        return None;
    }
    let what = "the file has no headings: its columns were read in the documented order";
    statement.remarks.push(Remark::Assumed { what, chinese: "文件没有表头，按文档中的列顺序读取" });
    Headings::of(&BY_PLACE.map(str::to_owned), WANTED)
}

fn add(mut row: Draft<'_>, amount_column: &'static str) {
    let words = row.text("交易类型");
    let kind = kind(&words);
    if kind == Kind::Other && !(words.is_empty() && row.is(is_sum)) {
        row.remark(Trouble::Words(words.clone()));
    }
    let amount = row.money(amount_column);
    row.check_sign(kind, amount, false);
    let fee = row.fee("手续费");
    let (number, wallet) = (row.number("订单号"), row.number_of(&["后端渠道流水号", "渠道订单号"]));
    // Public code does not say whether the reference number is the trxid, so it may match but never contradicts.
    let others =
        ["参考号", "凭证号"].iter().filter_map(|column| row.number(column)).filter(|text| text.len() > 6).collect();
    let trxid = row.number_of(&["平台流水号", "交易流水号", "渠道流水号"]);
    let numbers = if kind.returns() {
        let by_cancel = number.as_deref().and_then(cancelled_attempt);
        let common = Numbers { refund_channel: trxid, wallet, others, ..Numbers::default() };
        returned(common, number, by_cancel)
    } else {
        Numbers { ours: number, channel: trxid, wallet, others, ..Numbers::default() }
    };
    let at = at(&row);
    row.push(Told { kind, amount, amount_column, fee, at, numbers, standing: Standing::Done, words });
}

/// A return stands under the number under which it was asked for: a refund's own, or that of an attempt's cancel, which
/// says whose attempt it was.
fn returned(mut numbers: Numbers, number: Option<String>, of_cancel: Option<AttemptId>) -> Numbers {
    match of_cancel {
        Some(attempt) => {
            numbers.ours = Some(attempt.to_string());
            numbers.others.extend(number);
        }
        None => numbers.refund_ours = number,
    }
    numbers
}

/// A code or a word of the table, or any word that ends as they do.
fn kind(words: &str) -> Kind {
    let word = words::word(words::TRADE_TYPES, words);
    let ends = |endings: &[&str]| endings.iter().any(|ending| word.ends_with(ending));
    if ends(&["退货", "退款"]) {
        Kind::Refund
    } else if ends(&["撤销", "冲正"]) {
        Kind::Reversal
    } else if ends(&["支付", "消费"]) {
        Kind::Payment
    } else {
        Kind::Other
    }
}

/// Date and time in one cell, or the time of day beside 交易日期.
fn at(row: &Draft<'_>) -> At {
    let whole = row.at("交易时间");
    if whole.ms.is_some() {
        return whole;
    }
    let date: String = row.text("交易日期").chars().filter(char::is_ascii_digit).collect();
    let time: String = whole.text.chars().filter(char::is_ascii_digit).collect();
    At { ms: day::read(&format!("{date}{time}")), text: whole.text }
}
