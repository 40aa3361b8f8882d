//! YunST (云商通), generation 2: the daily txt, fields between pipes, and Excel (reference/allinpay.md 5.1, 5.3).
//!
//! The txt is known from one public reader: UTF-8, fen, first line skipped, `0` for an empty channel field. The order of
//! Excel's columns is not known: they are found by heading, and their words by [`crate::words`].

use super::super::amount::decimal;
use super::super::container::{self, Contents, Encoding};
use super::super::draft::{Draft, Told, misshapen};
use super::super::table::{self, Headings};
use super::super::unreadable::beginning;
use super::super::{CELLS_MAX, Kind, Numbers, Remark, Source, Standing, Statement, Trouble, Unit, Unreadable};
use super::{Table, is_sum, tables_of};
use crate::day;
use crate::words::order_types;

/// The fields of the txt, in their order.
#[rustfmt::skip]
const BY_PLACE: [&str; 23] = [
    "通联订单号", "订单类型", "交易金额", "平台抽佣金额", "交易时间", "商户订单号", "原商户订单号", "原通联订单号",
    "支付模式", "扩展参数", "结算金额", "订单子类型", "备用1", "备用2", "渠道金额", "渠道流水号", "渠道手续费",
    "渠道交易类型", "卡号", "卡类别", "渠道商户号", "门店名称", "终端号",
];
/// Up to the channel's trade type: what comes after it may be missing.
const FIELDS_MIN: usize = 18;
const WANTED: &[&str] = &["商户订单号", "交易时间"];
const TYPES: [&str; 3] = ["订单类型-订单子类型", "订单类型", "交易类型"];

pub(in super::super) fn read(bytes: &[u8], unit: Unit) -> Result<Statement, Unreadable> {
    let mut statement = Statement::new(Source::Yst(unit));
    match container::open(bytes, Encoding::Utf8)? {
        Contents::Texts(texts) => {
            for text in texts {
                txt(&mut statement, &text.text)?;
            }
        }
        Contents::Sheets(sheets) => {
            for table in tables_of(&sheets, WANTED, &mut statement)? {
                excel(&mut statement, &table, unit)?;
            }
        }
    }
    Ok(statement)
}

fn txt(statement: &mut Statement, text: &str) -> Result<(), Unreadable> {
    let lines = table::lines(text)?;
    statement.has_room_for(lines.len())?;
    let headings = Headings::of(&BY_PLACE.map(str::to_owned), &[]).ok_or(Unreadable::Empty)?;
    let table = Table { headings, rows: Vec::new(), amount: ("交易金额", Some(Unit::Fen)), hides_points: false };
    let rows: Vec<(usize, Vec<String>)> = lines.iter().map(|(row, line)| (*row, fields(line))).collect();
    if !rows.iter().any(|(_, fields)| is_row(fields))
        && (rows.len() > 1 || rows.iter().any(|(_, fields)| fields.len() < 2))
    {
        return Err(Unreadable::Columns { missing: BY_PLACE.to_vec(), beginning: beginning(text) });
    }
    for (place, (row, fields)) in rows.into_iter().enumerate() {
        match (is_row(&fields), place) {
            (true, 0) => {
                let what = "the first line is a trade, where a heading was expected: it was read as a trade";
                statement.remarks.push(Remark::Assumed { what, chinese: "首行即为明细，已按明细读取" });
                add(Draft::new(statement, row, table.cells(fields), Unit::Fen), "交易金额");
            }
            (true, _) => add(Draft::new(statement, row, table.cells(fields), Unit::Fen), "交易金额"),
            (false, 0) => (),
            (false, _) => misshapen(statement, row, table.cells(fields)),
        }
    }
    Ok(())
}

/// A pipe ends the line, so the last piece is none.
fn fields(line: &str) -> Vec<String> {
    let line = line.trim_end();
    let line = line.strip_suffix('|').unwrap_or(line);
    line.splitn(CELLS_MAX, '|').map(|field| table::bare(field).to_owned()).collect()
}

/// A trade: enough fields, a moment and an amount where they belong.
fn is_row(fields: &[String]) -> bool {
    let [_, _, amount, _, at, ..] = fields else { return false };
    fields.len() >= FIELDS_MIN && decimal(amount).is_some() && day::read(at).is_some()
}

fn excel(statement: &mut Statement, table: &Table, unit: Unit) -> Result<(), Unreadable> {
    if !TYPES.iter().any(|name| table.headings.place(name).is_some()) {
        return Err(Unreadable::Columns { missing: vec!["订单类型"], beginning: table.headings.names.join(",") });
    }
    statement.has_room_for(table.rows.len())?;
    let unit = table.unit(unit, statement)?;
    for (row, cells) in &table.rows {
        match cells {
            Ok(cells) => add(Draft::new(statement, *row, table.cells(cells.clone()), unit), table.amount.0),
            Err(cells) => misshapen(statement, *row, table.cells(cells.clone())),
        }
    }
    Ok(())
}

fn add(mut row: Draft<'_>, amount_column: &'static str) {
    let words = TYPES.iter().map(|column| row.text(column)).find(|text| !text.is_empty()).unwrap_or_default();
    let kind = match kind(&words) {
        Some(kind) => kind,
        None if row.is(is_sum) => Kind::Other,
        None => {
            row.remark(Trouble::Words(words.clone()));
            Kind::Other
        }
    };
    let amount = row.money(amount_column);
    row.check_sign(kind, amount, false);
    let fee = row.fee("渠道手续费");
    let numbers = numbers(&row, kind);
    let at = row.at("交易时间");
    row.push(Told { kind, amount, amount_column, fee, at, numbers, standing: Standing::Done, words });
}

/// What an order type means for the books; `None` when it is not known. Where a word stands for several types that
/// differ (担保消费 alone), it is not known either.
fn kind(words: &str) -> Option<Kind> {
    let mut kinds = order_types(words).into_iter().map(|order| match order.code {
        "2085" | "2089" => Kind::Payment,
        "2294" => Kind::Refund,
        _ => Kind::Other,
    });
    let first = kinds.next()?;
    kinds.all(|kind| kind == first).then_some(first)
}

fn numbers(row: &Draft<'_>, kind: Kind) -> Numbers {
    let own = row.number("商户订单号");
    let channel = row.number_of(&["通联订单号", "云商通订单号"]);
    let common = Numbers {
        request: row.number("请求渠道流水号"),
        acquirer: row.number("渠道流水号"),
        wallet: row.number("后端渠道流水号"),
        ..Numbers::default()
    };
    if kind.returns() {
        let ours = row.number("原商户订单号");
        let original = row.number_of(&["原通联订单号", "原云商通订单号"]);
        Numbers { ours, channel: original, refund_ours: own, refund_channel: channel, ..common }
    } else {
        Numbers { ours: own, channel, ..common }
    }
}
