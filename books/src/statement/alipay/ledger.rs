//! The account ledger (`signcustomer`, 账务明细): every movement of the account's balance, fees among them.
//!
//! The words of 业务类型 are not documented in what we could read: 在线支付 and 交易退款 are from memory, everything else
//! is [`Kind::Other`], which a ledger has by nature.

use payment::money::Fen;

use super::super::amount::decimal;
use super::super::draft::{Draft, Told, misshapen};
use super::super::{Cells, Kind, Numbers, Source, Standing, Statement, Unit, Unreadable};
use super::{files, section};
use crate::day;

const INCOME: &str = "收入金额(+元)";
const EXPENSE: &str = "支出金额(-元)";
const WANTED: &[&str] = &["账务流水号", "业务流水号", "商户订单号", "发生时间", INCOME, EXPENSE, "业务类型"];

pub(in super::super) fn read(bytes: &[u8]) -> Result<Statement, Unreadable> {
    let mut statement = Statement::new(Source::AlipayLedger);
    let files = files(bytes)?;
    if files.details.is_empty() {
        let missing = WANTED.to_vec();
        return Err(Unreadable::Columns { missing, beginning: "(no 账务明细 file in the archive)".to_owned() });
    }
    for text in &files.details {
        let section = section(&text.text, WANTED)?;
        statement.has_room_for(section.rows.len())?;
        for (row, line) in &section.rows {
            match section.cells(line, &anchored) {
                Ok(cells) => add(Draft::new(&mut statement, *row, cells, Unit::Yuan)),
                Err(cells) => misshapen(&mut statement, *row, cells),
            }
        }
    }
    Ok(statement)
}

fn anchored(cells: &Cells) -> bool {
    let is_money = |column| cells.get(column).is_some_and(|text| text.is_empty() || decimal(text).is_some());
    cells.get("发生时间").is_some_and(|text| day::read(text).is_some()) && is_money(INCOME) && is_money(EXPENSE)
}

fn add(mut row: Draft<'_>) {
    let income = row.money(INCOME).filter(|amount| *amount != Fen::ZERO);
    let expense = row.money(EXPENSE).filter(|amount| *amount != Fen::ZERO);
    let words = row.text("业务类型");
    let kind = match (words.as_str(), income.is_some(), expense.is_some()) {
        ("在线支付" | "交易付款", true, false) => Kind::Payment,
        ("交易退款" | "退款", false, true) => Kind::Refund,
        _ => Kind::Other,
    };
    let numbers = Numbers {
        ours: row.number("商户订单号"),
        channel: row.number("业务流水号"),
        others: row.number("账务流水号").into_iter().collect(),
        ..Numbers::default()
    };
    let at = row.at("发生时间");
    let amount = income.or(expense).or(Some(Fen::ZERO));
    row.push(Told { kind, amount, amount_column: INCOME, fee: None, at, numbers, standing: Standing::Done, words });
}
