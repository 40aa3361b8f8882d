//! A reconciliation as sheets for an accountant: the rows, the sums, and what is to be known about the statements.

use payment::channel::ChannelId;
use payment::money::Fen;

use super::{Cell, Sheet};
use crate::day;
use crate::reconcile::{By, Difference, Edge, Entry, EntryKind, Found, Reconciliation, Row, State, Totals};
use crate::statement::{Kind, Numbers, Sort, Source};

const HEADINGS: &[&str] = &[
    "对账结果",
    "渠道",
    "类型",
    "我方金额（元）",
    "渠道金额（元）",
    "差额（元）",
    "渠道手续费（元）",
    "我方时间",
    "渠道时间",
    "匹配依据",
    "商户订单号",
    "商户退款单号",
    "渠道订单号",
    "渠道退款单号",
    "请求渠道流水号",
    "渠道流水号",
    "后端渠道流水号",
    "渠道状态",
    "对账单行号",
    "说明",
];

/// Three sheets: 对账明细, 对账汇总, 对账提示.
#[must_use]
pub fn report(result: &Reconciliation<'_>) -> Vec<Sheet> {
    vec![details(result), sums(result), remarks(result)]
}

fn details(result: &Reconciliation<'_>) -> Sheet {
    let mut sheet = Sheet::new("对账明细", HEADINGS);
    sheet.rows = result.rows.iter().map(detail).collect();
    sheet
}

fn detail(row: &Row<'_>) -> Vec<Cell> {
    let (entry, line) = (row.entry, row.line());
    let channel = entry.map(|entry| entry.channel).or(row.listed.map(|listed| listed.channel));
    let (ours, theirs) = (entry.map(|entry| entry.amount), line.map(|line| line.amount));
    let money = |amount: Option<Fen>| amount.map_or(Cell::Empty, Cell::Money);
    let mut cells = vec![
        Cell::text(found_word(&row.found)),
        channel.map_or(Cell::Empty, |channel| Cell::text(channel_word(channel))),
        Cell::text(kind(row)),
        money(ours),
        money(theirs),
        difference_of(row),
        money(line.and_then(|line| line.fee)),
        entry.map_or(Cell::Empty, |entry| Cell::text(&day::written(entry.at))),
        Cell::of(line.map(|line| line.at.text.as_str())),
        row.by.map_or(Cell::Empty, |by| Cell::text(by_word(by))),
    ];
    cells.extend(numbers(entry.map(|entry| &entry.numbers), line.map(|line| &line.numbers)));
    cells.push(Cell::of(line.map(|line| line.words.as_str())));
    cells.push(line.and_then(|line| u64::try_from(line.row).ok()).map_or(Cell::Empty, Cell::Count));
    cells.push(Cell::text(&explanation(row)));
    cells
}

/// Ours less theirs, where the two should be the same.
fn difference_of(row: &Row<'_>) -> Cell {
    let ours = row.entry.map_or(0, |entry| entry.amount.get());
    let theirs = row.line().map_or(0, |line| line.amount.get());
    match row.found {
        Found::Undone | Found::Waiting | Found::Other | Found::NotCompared => Cell::Empty,
        Found::Agreed
        | Found::OtherDay(..)
        | Found::DoneByThem
        | Found::Differing(_)
        | Found::Long { .. }
        | Found::Short => Cell::Money(Fen::new(ours.saturating_sub(theirs))),
    }
}

/// Each number once, from whichever side knows it; two different ones both, with a stroke between.
fn numbers(ours: Option<&Numbers>, theirs: Option<&Numbers>) -> Vec<Cell> {
    let parts: [fn(&Numbers) -> Option<&String>; 7] = [
        |numbers| numbers.ours.as_ref(),
        |numbers| numbers.refund_ours.as_ref(),
        |numbers| numbers.channel.as_ref(),
        |numbers| numbers.refund_channel.as_ref(),
        |numbers| numbers.request.as_ref(),
        |numbers| numbers.acquirer.as_ref(),
        |numbers| numbers.wallet.as_ref(),
    ];
    let cell = |part: fn(&Numbers) -> Option<&String>| match (ours.and_then(part), theirs.and_then(part)) {
        (Some(one), Some(other)) if one != other => Cell::text(&format!("{one} / {other}")),
        (Some(number), _) | (None, Some(number)) => Cell::text(number),
        (None, None) => Cell::Empty,
    };
    parts.into_iter().map(cell).collect()
}

fn kind(row: &Row<'_>) -> &'static str {
    match (row.entry, row.line()) {
        (Some(Entry { kind: EntryKind::Payment, .. }), _) => "收款",
        (Some(Entry { kind: EntryKind::Refund, .. }), _) => "退款",
        (None, Some(line)) => kind_word(line.kind),
        (None, None) => "",
    }
}

/// A kind in Chinese.
#[must_use]
pub const fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Payment => "收款",
        Kind::Refund => "退款",
        Kind::Reversal => "撤销",
        Kind::Other => "其他",
    }
}

/// A channel in Chinese.
#[must_use]
pub const fn channel_word(channel: ChannelId) -> &'static str {
    match channel {
        ChannelId::Alipay => "支付宝",
        ChannelId::Wechat => "微信支付",
        ChannelId::AllinpayVsp => "通联收银宝",
        ChannelId::AllinpayYst => "通联云商通",
        ChannelId::Voucher => "会员与兑换码",
    }
}

const fn found_word(found: &Found) -> &'static str {
    match found {
        Found::Agreed => "一致",
        Found::Undone => "已撤销（收退相抵）",
        Found::OtherDay(..) => "跨日一致",
        Found::Waiting => "待定",
        Found::DoneByThem => "渠道已完成，我方未定",
        Found::Differing(_) => "不一致",
        Found::Long { .. } => "长款（渠道有，我方无）",
        Found::Short => "短款（我方有，渠道无）",
        Found::Other => "其他流水",
        Found::NotCompared => "未对账（无对账单）",
    }
}

const fn by_word(by: By) -> &'static str {
    match by {
        By::Refund => "商户退款单号",
        By::Attempt => "商户订单号",
        By::ChannelRefund => "渠道退款单号",
        By::Channel => "渠道订单号",
        By::Acquirer => "渠道流水号",
        By::Wallet => "后端渠道流水号",
        By::Request => "请求渠道流水号",
        By::Any => "其他单号",
    }
}

fn explanation(row: &Row<'_>) -> String {
    match &row.found {
        Found::Differing(differences) => differences.iter().map(difference).collect::<Vec<_>>().join("；"),
        Found::Long { twice: true } => "对账单中重复列出".to_owned(),
        Found::OtherDay(Edge::Line, day) => format!("渠道列在{day}的对账单"),
        Found::OtherDay(Edge::Entry, day) => format!("我方记在{day}"),
        Found::Waiting | Found::NotCompared if row.entry.is_some_and(|entry| entry.state == State::Open) => {
            "我方结果未定".to_owned()
        }
        Found::Agreed
        | Found::Undone
        | Found::Waiting
        | Found::DoneByThem
        | Found::Long { twice: false }
        | Found::Short
        | Found::Other
        | Found::NotCompared => String::new(),
    }
}

fn difference(difference: &Difference) -> String {
    match difference {
        Difference::Amount { ours, theirs } => format!("金额：我方{ours}，渠道{theirs}"),
        Difference::Kind => "收退类型不同".to_owned(),
        Difference::State => "我方已完成，渠道显示失败".to_owned(),
        Difference::Number(by) => format!("{}不同", by_word(*by)),
    }
}

fn sums(result: &Reconciliation<'_>) -> Sheet {
    let headings = [
        "渠道",
        "方",
        "收款笔数",
        "收款金额（元）",
        "退款笔数",
        "退款金额（元）",
        "净额（元）",
        "手续费（元）",
        "未计入笔数",
    ];
    let mut sheet = Sheet::new("对账汇总", &headings);
    for channel in result.channels() {
        let name = channel_word(channel);
        sheet.rows.push(sum(name, "我方", &result.ours(Some(channel))));
        sheet.rows.push(sum(name, "渠道", &result.theirs(Some(channel))));
    }
    sheet.rows.push(sum("合计", "我方", &result.ours(None)));
    sheet.rows.push(sum("合计", "渠道", &result.theirs(None)));
    sheet
}

fn sum(channel: &str, side: &str, totals: &Totals) -> Vec<Cell> {
    let count = |count: usize| Cell::Count(u64::try_from(count).unwrap_or(u64::MAX));
    vec![
        Cell::text(channel),
        Cell::text(side),
        count(totals.payments),
        Cell::Money(totals.paid),
        count(totals.refunds),
        Cell::Money(totals.returned),
        Cell::Money(totals.net()),
        Cell::Money(totals.fees),
        count(totals.apart),
    ]
}

fn remarks(result: &Reconciliation<'_>) -> Sheet {
    let mut sheet = Sheet::new("对账提示", &["渠道", "对账单", "提示"]);
    let row = |(source, remark): &(Source, &crate::statement::Remark)| {
        let sort = match source.sort() {
            Sort::Trades => "交易",
            Sort::Ledger => "资金",
        };
        vec![Cell::text(channel_word(source.channel())), Cell::text(sort), Cell::text(&remark.chinese())]
    };
    sheet.rows = result.remarks.iter().map(row).collect();
    sheet
}
