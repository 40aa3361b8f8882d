//! The fund flow bill: every movement of the merchant's account.
//!
//! The layout is known from one sample (reference/wechatpay.md 8.1): a payment's movement may be less its fee, and the
//! remark then tells the whole (`结算总金额 3.50 元;含手续费 0.02 元`). The whole is what a line has as its amount.

use payment::money::Fen;

use super::super::amount::{decimal, fen};
use super::super::draft::{Draft, Told, misshapen, sum_of};
use super::super::totals::count;
use super::super::{Cells, Kind, Line, Numbers, Source, Standing, Statement, Trouble, Unit, Unreadable};
use super::bill;

const AMOUNT: &str = "收支金额(元)";
const WANTED: &[&str] = &["记账时间", "微信支付业务单号", "资金流水单号", "业务类型", "收支类型", AMOUNT];
const COUNT: &str = "资金流水总笔数";
const DIRECTION: &str = "收支类型";

pub(in super::super) fn read(bytes: &[u8]) -> Result<Statement, Unreadable> {
    let bill = bill(bytes, WANTED, COUNT)?;
    let mut statement = Statement::new(Source::WechatFundFlow);
    for (row, cells) in bill.rows {
        if cells.values.len() == cells.headings.len() {
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

fn add(mut row: Draft<'_>) {
    let (sort, direction) = (row.text("业务类型"), row.text(DIRECTION));
    let kind = match (sort.as_str(), direction.as_str()) {
        ("交易", "收入") => Kind::Payment,
        ("退款", "支出") => Kind::Refund,
        _ => Kind::Other,
    };
    if !matches!(direction.as_str(), "收入" | "支出") {
        row.remark(Trouble::Words(direction.clone()));
    }
    let moved = row.money(AMOUNT);
    let (whole, fee) = remark(&row.text("备注"));
    let amount = whole_of(&mut row, moved, whole, fee);
    let business = row.number("微信支付业务单号");
    let voucher = row.number("业务凭证号");
    let others = row.number("资金流水单号").into_iter().collect();
    let numbers = match kind {
        Kind::Refund | Kind::Reversal => {
            Numbers { refund_channel: business, refund_ours: voucher, others, ..Numbers::default() }
        }
        Kind::Payment | Kind::Other => {
            Numbers { channel: business, others: voucher.into_iter().chain(others).collect(), ..Numbers::default() }
        }
    };
    let at = row.at("记账时间");
    let words = format!("{sort} {direction}");
    row.push(Told { kind, amount, amount_column: AMOUNT, fee, at, numbers, standing: Standing::Done, words });
}

/// The whole and the fee that the remark tells.
fn remark(text: &str) -> (Option<Fen>, Option<Fen>) {
    let after = |word: &str| {
        let (_, rest) = text.split_once(word)?;
        let (number, _) = rest.split_once('元')?;
        fen(decimal(number)?, Unit::Yuan)
    };
    (after("总金额"), after("含手续费"))
}

/// The whole, when it and the fee explain what moved; else what moved, and a remark if they should have.
fn whole_of(row: &mut Draft<'_>, moved: Option<Fen>, whole: Option<Fen>, fee: Option<Fen>) -> Option<Fen> {
    let (Some(moved), Some(whole)) = (moved, whole) else { return moved };
    let fee = fee.unwrap_or_default();
    let explained = moved == whole || whole.get().checked_sub(fee.get()) == Some(moved.get());
    if explained {
        return Some(whole);
    }
    row.remark(Trouble::Cell { column: "备注".to_owned(), text: row.text("备注") });
    Some(moved)
}

fn totals(statement: &mut Statement, sum: &Cells) {
    let of = |word: &'static str| {
        let is = move |line: &&Line| line.cells.get(DIRECTION) == Some(word);
        let sum = sum_of(statement.lines.iter().filter(is), AMOUNT);
        (count(statement.lines.iter().filter(is).count()), sum)
    };
    let ((ins, income), (outs, expense)) = (of("收入"), of("支出"));
    let all = count(statement.lines.len());
    let sums = [(COUNT, all), ("收入笔数", ins), ("收入金额", income), ("支出笔数", outs), ("支出金额", expense)];
    for (name, rows) in sums {
        if let Some(said) = sum.get(name) {
            statement.total(name, said, rows);
        }
    }
}
