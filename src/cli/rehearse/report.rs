//! The report: Markdown for people, CSV with a row for each order, JSON for programs.

use books::export::{self, Cell, ExportError, Sheet};
use payment::channel::ChannelId;
use payment::money::Fen;
use serde_json::{Value, json};

use super::cases::Case;
use super::words;
use crate::api::wire::{Attempt, Order, Refund};
use crate::cli::text::{plain, yuan};
use crate::config::Mode;

/// How a case came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// 通过
    Passed,
    /// 未通过, and why.
    Failed(String),
    /// 跳过, and why.
    Skipped(String),
}

impl Verdict {
    const fn word(&self) -> &'static str {
        match self {
            Self::Passed => "通过",
            Self::Failed(_) => "未通过",
            Self::Skipped(_) => "跳过",
        }
    }

    fn why(&self) -> &str {
        match self {
            Self::Passed => "",
            Self::Failed(why) | Self::Skipped(why) => why,
        }
    }

    pub(super) fn in_words(&self) -> String {
        match self {
            Self::Passed => self.word().to_owned(),
            Self::Failed(why) | Self::Skipped(why) => format!("{}：{why}", self.word()),
        }
    }
}

/// One case with what came of it.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    pub case: &'static Case,
    pub channel: ChannelId,
    pub verdict: Verdict,
    /// When it was begun and over, by the daemon's clock, RFC 3339.
    pub begun: String,
    pub ended: String,
    /// The numbers of the orders that were opened.
    pub opened: Vec<String>,
    /// Nothing may have been paid.
    pub nothing: bool,
    /// The orders, as they were at the end.
    pub orders: Vec<Order>,
    pub notes: Vec<String>,
}

/// Where and when.
#[derive(Debug, Clone)]
pub(super) struct Head {
    pub terminal: String,
    pub name: String,
    pub version: String,
    pub mode: Mode,
    /// Against the gateways of the sandbox in this program.
    pub is_simulated: bool,
    pub by: Option<String>,
    /// By the daemon's clock, RFC 3339.
    pub begun: String,
    pub ended: String,
    pub clock_trusted: bool,
}

impl Head {
    const fn mode(&self) -> &'static str {
        match (self.is_simulated, self.mode) {
            (true, _) => "模拟（程序自带的模拟渠道，不是渠道的环境，没有真实资金）",
            (false, Mode::Production) => "生产（真实资金）",
            (false, Mode::Sandbox) => "沙箱（没有真实资金）",
        }
    }
}

/// A rehearsal.
#[derive(Debug, Clone)]
pub(super) struct Report {
    pub head: Head,
    pub outcomes: Vec<Outcome>,
}

/// What came in, what went back, and what did not.
#[derive(Debug, Clone, Copy, Default)]
struct Money {
    paid: i64,
    refunded: i64,
}

impl Report {
    /// Nothing failed, and something was found to be right.
    pub(super) fn is_good(&self) -> bool {
        self.count("未通过") == 0 && self.count("通过") > 0
    }

    fn count(&self, word: &str) -> usize {
        self.outcomes.iter().filter(|outcome| outcome.verdict.word() == word).count()
    }

    fn money(&self) -> Money {
        let orders = self.outcomes.iter().flat_map(|outcome| &outcome.orders);
        orders.fold(Money::default(), |sum, order| Money {
            paid: sum.paid + order.paid,
            refunded: sum.refunded + order.refunded,
        })
    }

    /// The closing sum in one line.
    pub(super) fn sum(&self) -> String {
        let Money { paid, refunded } = self.money();
        format!(
            "通过 {}，未通过 {}，跳过 {}；收款 {}，退款 {}，未退 {}",
            self.count("通过"),
            self.count("未通过"),
            self.count("跳过"),
            yuan(paid),
            yuan(refunded),
            yuan(paid - refunded)
        )
    }

    pub(super) fn markdown(&self) -> String {
        let mut text = format!("# 联调测试报告\n\n{}\n## 结果\n\n", self.heading());
        text += &row(&["用例", "名称", "渠道", "结果", "原因"]);
        text += "|---|---|---|---|---|\n";
        for outcome in &self.outcomes {
            let Outcome { case, channel, verdict, .. } = outcome;
            text += &row(&[case.id, case.chinese, words::channel(*channel), verdict.word(), verdict.why()]);
        }
        text += "\n## 明细\n";
        for outcome in &self.outcomes {
            text += &details(outcome);
        }
        text + &format!("\n## 合计\n\n{}\n\n{}\n", self.sum(), self.owed())
    }

    fn heading(&self) -> String {
        let head = &self.head;
        let clock = if head.clock_trusted { "" } else { "（终端时钟未经确认）" };
        let channels = self.outcomes.iter().map(|outcome| words::channel(outcome.channel));
        let mut channels: Vec<&str> = channels.collect();
        channels.dedup();
        let by = head.by.as_deref().unwrap_or("（未填写）");
        [
            row(&["项目", "内容"]),
            "|---|---|\n".to_owned(),
            row(&["日期", &format!("{} 至 {}{clock}", head.begun, head.ended)]),
            row(&["终端", &format!("{}（{}）", head.terminal, head.name)]),
            row(&["软件版本", &format!("Till {}", head.version)]),
            row(&["渠道", &channels.join("、")]),
            row(&["环境", head.mode()]),
            row(&["测试人", by]),
        ]
        .concat()
    }

    /// Every order that did not come to rest, or that all did.
    fn owed(&self) -> String {
        let orders = self.outcomes.iter().flat_map(|outcome| &outcome.orders);
        let owed: Vec<String> = orders
            .filter(|order| order.paid != order.refunded || order.open)
            .map(|order| {
                format!("- 订单 {} 未了结：收款 {}，退款 {}", order.id, yuan(order.paid), yuan(order.refunded))
            })
            .collect();
        let unread: usize = self.outcomes.iter().map(|outcome| outcome.opened.len() - outcome.orders.len()).sum();
        match (owed.is_empty(), unread) {
            (true, 0) => "所有订单已了结，收到的钱已全部退回。".to_owned(),
            (true, unread) => format!("有 {unread} 个订单的结果没有读到，请用 till orders 核对。"),
            (false, _) => owed.join("\n"),
        }
    }

    /// A row for each order; a case without orders has one, too.
    ///
    /// # Errors
    ///
    /// When the writer fails.
    pub(super) fn csv(&self) -> Result<Vec<u8>, ExportError> {
        let mut sheet = Sheet::new("联调测试", HEADINGS);
        for outcome in &self.outcomes {
            if outcome.orders.is_empty() {
                sheet.rows.push(self.cells(outcome, None));
            }
            sheet.rows.extend(outcome.orders.iter().map(|order| self.cells(outcome, Some(order))));
        }
        export::csv(&sheet)
    }

    fn cells(&self, outcome: &Outcome, order: Option<&Order>) -> Vec<Cell> {
        let Outcome { case, channel, verdict, notes, begun, ended, .. } = outcome;
        let all =
            |of: fn(&Attempt) -> String| order.map_or(String::new(), |order| joined(order.attempts.iter().map(of)));
        let money = |of: fn(&Order) -> i64| order.map_or(Cell::Empty, |order| Cell::Money(Fen::new(of(order))));
        let refunds =
            |of: fn(&Refund) -> String| order.map_or(String::new(), |order| joined(order.refunds.iter().map(of)));
        vec![
            Cell::text(case.id),
            Cell::text(case.chinese),
            Cell::text(words::channel(*channel)),
            Cell::text(verdict.word()),
            Cell::text(verdict.why()),
            Cell::text(&order.map_or(String::new(), |order| order.id.to_string())),
            Cell::text(&all(|attempt| attempt.number.to_string())),
            Cell::text(&all(|attempt| attempt.trade_no.clone().unwrap_or_default())),
            Cell::text(&all(|attempt| attempt.paid_at.clone().unwrap_or_default())),
            Cell::text(&refunds(|refund| refund.number.to_string())),
            Cell::text(&refunds(|refund| refund.done_at.clone().unwrap_or_default())),
            money(|order| order.amount),
            money(|order| order.paid),
            money(|order| order.refunded),
            Cell::text(&order.map_or(String::new(), |order| words::order(order.state).to_owned())),
            Cell::text(begun),
            Cell::text(ended),
            Cell::text(&self.head.terminal),
            Cell::text(&self.head.version),
            Cell::text(self.head.mode()),
            Cell::of(self.head.by.as_deref()),
            Cell::text(&notes.join("；")),
        ]
    }

    pub(super) fn json(&self) -> Value {
        let Money { paid, refunded } = self.money();
        json!({
            "terminal": self.head.terminal, "version": self.head.version, "mode": self.head.mode,
            "simulated": self.head.is_simulated, "by": self.head.by, "begun": self.head.begun, "ended": self.head.ended,
            "good": self.is_good(), "paid": paid, "refunded": refunded,
            "cases": self.outcomes.iter().map(|outcome| json!({
                "case": outcome.case.id, "title": outcome.case.english, "channel": outcome.channel,
                "result": match outcome.verdict {
                    Verdict::Passed => "passed",
                    Verdict::Failed(_) => "failed",
                    Verdict::Skipped(_) => "skipped",
                },
                "why": outcome.verdict.why(), "notes": outcome.notes, "orders": outcome.orders,
            })).collect::<Vec<_>>(),
        })
    }
}

const HEADINGS: &[&str] = &[
    "用例",
    "名称",
    "渠道",
    "结果",
    "原因",
    "订单号",
    "商户订单号",
    "渠道交易号",
    "支付时间",
    "退款单号",
    "退款完成时间",
    "订单金额",
    "收款",
    "退款",
    "状态",
    "开始",
    "结束",
    "终端",
    "软件版本",
    "环境",
    "测试人",
    "备注",
];

fn details(outcome: &Outcome) -> String {
    let Outcome { case, channel, verdict, begun, ended, orders, notes, .. } = outcome;
    let mut text = format!("\n### {} {}（{}）\n\n", case.id, case.chinese, words::channel(*channel));
    text += &format!(
        "- 结果：{}\n- 应得：{}\n- 证据：{}\n- 时间：{begun} 至 {ended}\n",
        cell(&verdict.in_words()),
        case.must,
        case.evidence
    );
    for note in notes {
        text += &format!("- 备注：{}\n", cell(note));
    }
    for order in orders {
        text += &of_order(order);
    }
    text
}

fn of_order(order: &Order) -> String {
    let Order { id, state, amount, paid, refunded, opened_at, .. } = order;
    let mut text = format!(
        "\n订单 {id}，{opened_at}：{}，金额 {}，收款 {}，退款 {}，未退 {}。\n\n",
        words::order(*state),
        yuan(*amount),
        yuan(*paid),
        yuan(*refunded),
        yuan(paid - refunded)
    );
    if !order.attempts.is_empty() {
        text += &row(&["商户订单号", "渠道", "方式", "金额", "结果", "渠道交易号", "支付时间", "渠道码"]);
        text += "|---|---|---|---|---|---|---|---|\n";
        order.attempts.iter().for_each(|attempt| text += &of_attempt(attempt));
    }
    if !order.refunds.is_empty() {
        text += &format!(
            "\n{}|---|---|---|---|---|---|\n",
            row(&["退款单号", "商户订单号", "金额", "结果", "发出时间", "完成时间"])
        );
        order.refunds.iter().for_each(|refund| text += &of_refund(refund));
    }
    text
}

fn of_attempt(attempt: &Attempt) -> String {
    row(&[
        &attempt.number.to_string(),
        words::channel(attempt.channel),
        words::method(attempt.method),
        &yuan(attempt.amount),
        words::attempt(attempt.state),
        attempt.trade_no.as_deref().unwrap_or_default(),
        attempt.paid_at.as_deref().unwrap_or_default(),
        attempt.code.as_deref().unwrap_or_default(),
    ])
}

fn of_refund(refund: &Refund) -> String {
    row(&[
        &refund.number.to_string(),
        &refund.attempt.to_string(),
        &yuan(refund.amount),
        words::refund(refund.state),
        refund.started_at.as_deref().unwrap_or_default(),
        refund.done_at.as_deref().unwrap_or_default(),
    ])
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A line of a table.
fn row(cells: &[&str]) -> String {
    let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// What others wrote must not end a cell or a line.
fn cell(text: &str) -> String {
    plain(&text.replace('\n', " ")).replace('|', "\\|")
}
