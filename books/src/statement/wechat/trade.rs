//! The trade bill: `ALL`, `SUCCESS` or `REFUND`, today's layout or the old one. Columns are read by name.

use rust_decimal::Decimal;

use super::super::draft::{Draft, Told, misshapen, sum_of};
use super::super::table::same_heading;
use super::super::totals::count;
use super::super::{Cells, Kind, Line, Numbers, Source, Standing, Statement, Trouble, Unit, Unreadable};
use super::bill;

const WANTED: &[&str] = &["交易时间", "微信订单号", "商户订单号", "交易状态"];
/// Coupons included: what the order asked for. 总金额 is its name in the old layout.
const AMOUNTS: [&str; 2] = ["订单金额", "总金额"];
/// What we asked to return; 退款金额 leaves out free coupons.
const REFUND_AMOUNTS: [&str; 2] = ["申请退款金额", "退款金额"];
const COUNT: &str = "总交易单数";

/// The sums at the end, and the columns that they add up.
const SUMS: &[(&str, &str)] = &[
    ("应结订单总金额", "应结订单金额"),
    ("退款总金额", "退款金额"),
    ("充值券退款总金额", "充值券退款金额"),
    ("手续费总金额", "手续费"),
    ("订单总金额", "订单金额"),
    ("申请退款总金额", "申请退款金额"),
];

pub(in super::super) fn read(bytes: &[u8]) -> Result<Statement, Unreadable> {
    let bill = bill(bytes, WANTED, COUNT)?;
    let mut statement = Statement::new(Source::WechatTrade);
    for (row, cells) in bill.rows {
        if has_amounts(&cells)? {
            add(Draft::new(&mut statement, row, cells, Unit::Yuan));
        } else {
            misshapen(&mut statement, row, cells);
        }
    }
    if let Some(sum) = bill.sum {
        totals(&mut statement, &sum);
    }
    Ok(statement)
}

/// Whether the row fits; an error when the whole layout has no amount.
fn has_amounts(cells: &Cells) -> Result<bool, Unreadable> {
    let has = |name: &&str| cells.headings.iter().any(|known| same_heading(known, name));
    if !AMOUNTS.iter().chain(&REFUND_AMOUNTS).any(has) {
        let beginning = cells.headings.join(",").chars().take(120).collect();
        return Err(Unreadable::Columns { missing: AMOUNTS.to_vec(), beginning });
    }
    Ok(cells.values.len() == cells.headings.len())
}

fn add(mut row: Draft<'_>) {
    let state = row.text("交易状态");
    let kind = match state.as_str() {
        "SUCCESS" => Kind::Payment,
        "REFUND" => Kind::Refund,
        "REVOKED" => Kind::Reversal,
        _ => Kind::Other,
    };
    if kind == Kind::Other {
        row.remark(Trouble::Words(state.clone()));
    }
    let refund_state = row.text("退款状态");
    let standing = standing(&mut row, kind, &refund_state);
    let amount_column = amount_column(&row, kind);
    let amount = row.money(amount_column);
    row.check_sign(kind, amount, false);
    let fee = row.fee("手续费");
    let at = row.at("交易时间");
    let numbers = Numbers {
        ours: row.number("商户订单号"),
        refund_ours: row.number("商户退款单号"),
        channel: row.number("微信订单号"),
        refund_channel: row.number("微信退款单号"),
        ..Numbers::default()
    };
    let words = if refund_state.is_empty() { state } else { format!("{state} {refund_state}") };
    row.push(Told { kind, amount, amount_column, fee, at, numbers, standing, words });
}

/// Returns stand in their own columns. A reversed payment's are not documented: the first column above zero is taken.
fn amount_column(row: &Draft<'_>, kind: Kind) -> &'static str {
    let there = |name: &&&str| !row.text(name).is_empty();
    let above_zero = |name: &&&str| row.text(name).chars().any(|c| matches!(c, '1'..='9'));
    let (first, then) = if kind.returns() { (REFUND_AMOUNTS, AMOUNTS) } else { (AMOUNTS, REFUND_AMOUNTS) };
    let order = || first.iter().chain(&then);
    let found = match kind {
        Kind::Payment => first.iter().find(there),
        Kind::Refund => first.iter().find(there),
        Kind::Reversal | Kind::Other => order().find(above_zero),
    };
    found.or_else(|| order().find(there)).copied().unwrap_or(first[0])
}

fn standing(row: &mut Draft<'_>, kind: Kind, refund_state: &str) -> Standing {
    match (kind, refund_state) {
        (_, "PROCESSING") => Standing::Pending,
        (_, "FAIL" | "CHANGE") => Standing::Failed,
        (_, "SUCCESS" | "") | (Kind::Other, _) => Standing::Done,
        (Kind::Payment | Kind::Refund | Kind::Reversal, words) => {
            row.remark(Trouble::Words(words.to_owned()));
            Standing::Pending
        }
    }
}

fn totals(statement: &mut Statement, sum: &Cells) {
    if let Some(said) = sum.get(COUNT) {
        statement.total(COUNT, said, count(statement.lines.len()));
    }
    let has = |lines: &[Line], column| lines.first().is_none_or(|line| line.cells.get(column).is_some());
    for (name, column) in SUMS {
        // A bill of payments alone has the sums of refunds too, without their columns.
        let rows =
            if has(&statement.lines, column) { sum_of(statement.lines.iter(), column) } else { Some(Decimal::ZERO) };
        if let Some(said) = sum.get(name) {
            statement.total(name, said, rows);
        }
    }
}
