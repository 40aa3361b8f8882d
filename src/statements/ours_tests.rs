//! The journal's side of a day, held against a channel's files.

use books::day;
use books::reconcile::{Date, Edge, Files, Found, State, reconcile};
use books::statement::{At, Cells, Kind, Line, Numbers, Standing, Statement, Unit, read};
use payment::channel::ChannelId;
use payment::channel::allinpay::vsp::cancel_number;
use payment::channel::outcome::Details;
use payment::engine::entry::{Entry, Method, Origin, RefundReason, ReverseReason, Stored, WhoScans};
use payment::engine::record::OrderRecord;
use payment::ids::{AttemptId, OrderId, RefundId};
use payment::money::Fen;
use payment::time::Wall;

use super::{ours, source_of};

const VSP: ChannelId = ChannelId::AllinpayVsp;
const AMOUNT: Fen = Fen::new(350);

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn order() -> OrderId {
    OrderId::from_entropy([1; 16])
}

fn attempt() -> AttemptId {
    AttemptId::from_entropy([2; 16])
}

fn refund() -> RefundId {
    RefundId::from_entropy([3; 16])
}

fn opened() -> Entry {
    Entry::OrderOpened {
        order: order(),
        amount: AMOUNT,
        currency: "CNY".to_owned(),
        items: Vec::new(),
        who_scans: WhoScans::Either,
        origin: Origin::Api,
        subject: "Tea".to_owned(),
        pay_within_ms: 120_000,
        down_payment: Fen::ZERO,
        instalment: None,
        reference: None,
        idempotency: None,
    }
}

fn started(channel: ChannelId) -> Entry {
    let (order, attempt) = (order(), attempt());
    let method = Method::TakeCode;
    Entry::AttemptStarted {
        order,
        attempt,
        channel,
        method,
        amount: AMOUNT,
        voucher: None,
        wallet: None,
        instalment: None,
    }
}

fn paid() -> Entry {
    Entry::AttemptPaid {
        order: order(),
        attempt: attempt(),
        trade_no: "4200".to_owned(),
        paid_at: Some("2026-11-19 20:00:00".to_owned()),
        buyer: None,
        details: Details::default(),
    }
}

fn refund_started() -> Entry {
    Entry::RefundStarted {
        order: order(),
        attempt: attempt(),
        refund: refund(),
        amount: AMOUNT,
        reason: RefundReason::Operator,
        idempotency: None,
        said: None,
        instead_of: None,
    }
}

fn refund_done() -> Entry {
    Entry::RefundDone { order: order(), refund: refund() }
}

fn reversing() -> Entry {
    Entry::ReverseStarted { order: order(), attempt: attempt(), reason: ReverseReason::NoAnswer }
}

/// An order with these entries, each at its moment in China.
fn told(entries: &[(&str, Entry)]) -> Vec<OrderRecord> {
    let first = std::iter::once(("2026-11-19 19:59:00", opened()));
    let stored = first.chain(entries.iter().cloned()).zip(1..).map(|((at, entry), seq)| Stored {
        seq,
        at: Wall { ms: day::read(at).unwrap(), trusted: true },
        entry,
    });
    OrderRecord::from_entries(&stored.collect::<Vec<_>>()).into_iter().collect()
}

/// Paid on the 19th at 20:00, its refund sent at 20:01; the answer was lost, and its end learnt days later.
fn refund_learnt_late(channel: ChannelId) -> Vec<OrderRecord> {
    told(&[
        ("2026-11-19 19:59:30", started(channel)),
        ("2026-11-19 20:00:00", paid()),
        ("2026-11-19 20:01:00", refund_started()),
        ("2026-11-22 08:00:00", refund_done()),
    ])
}

fn line(kind: Kind, numbers: Numbers) -> Line {
    Line {
        row: 2,
        kind,
        amount: AMOUNT,
        fee: None,
        at: At::default(),
        numbers,
        standing: Standing::Done,
        words: String::new(),
        cells: Cells::default(),
    }
}

fn payment_line() -> Line {
    line(Kind::Payment, Numbers { ours: Some(attempt().to_string()), ..Numbers::default() })
}

fn refund_line() -> Line {
    line(Kind::Refund, Numbers { refund_ours: Some(refund().to_string()), ..Numbers::default() })
}

fn file(channel: ChannelId, lines: Vec<Line>) -> Statement {
    let source = source_of(channel, Unit::Fen).unwrap();
    Statement { source, lines, totals: Vec::new(), remarks: Vec::new() }
}

/// What the day's file and those of other days come to, and the exit code.
fn compared(
    orders: &[OrderRecord],
    channel: ChannelId,
    day: &str,
    lines: Vec<Line>,
    others: Vec<(Date, Statement)>,
) -> (Vec<Found>, u8) {
    let ours = ours::of_day(orders, date(day), &[]);
    let known = others.iter().all(|(other, _)| ours.days.contains(&(channel, *other)));
    assert!(known, "nobody would have read the other days' files: {:?}", ours.days);
    let files = Files { day: &[file(channel, lines)], other_days: &others };
    let result = reconcile(date(day), &ours.books, files).unwrap();
    (result.rows.iter().map(|row| row.found.clone()).collect(), result.verdict().exit_code())
}

/// The attempt's payment and its return in Allinpay VSP's file, which calls the attempt by its cancel there.
fn vsps_file() -> Vec<Line> {
    let row = |code: &str, number: &str| {
        format!("99,,1,2026-11-19 20:00:00,{code},1,1,,,99,,,3.50,0.02,20261119,,{number},,1\n")
    };
    let text = row("VSP501", attempt().as_str()) + &row("VSP502", &cancel_number(attempt()));
    read(source_of(VSP, Unit::Yuan).unwrap(), text.as_bytes()).unwrap().lines
}

/// What the reader of a statement would have been told before: refund the buyer.
#[test]
fn a_payment_that_is_not_known_yet_waits_and_is_never_a_strangers() {
    let open = told(&[("2026-11-19 19:59:30", started(ChannelId::Alipay))]);
    let found = |lines| compared(&open, ChannelId::Alipay, "2026-11-19", lines, Vec::new());
    assert_eq!(found(vec![]), (vec![Found::Waiting], 0));
    assert_eq!(found(vec![payment_line()]), (vec![Found::DoneByThem], 1));
}

#[test]
fn an_attempt_that_is_being_undone_at_vsp_is_known_by_the_number_of_its_cancel() {
    let (begun, undone) = (("2026-11-19 19:59:30", started(VSP)), ("2026-11-19 20:01:00", reversing()));
    let found = |steps: &[_]| compared(&told(steps), VSP, "2026-11-19", vsps_file(), Vec::new());
    let steps = [begun, undone];
    assert_eq!(found(&steps), (vec![Found::Waiting, Found::Undone, Found::Undone], 0));
}

/// The cancel had done its work after all, and the refund that followed was told so: one return, under the cancel's number.
#[test]
fn a_refund_that_vsp_did_by_the_cancel_before_is_found_in_its_line() {
    let steps = [
        ("2026-11-19 19:59:30", started(VSP)),
        ("2026-11-19 20:00:30", reversing()),
        ("2026-11-19 20:01:00", paid()),
        ("2026-11-19 20:01:01", refund_started()),
        ("2026-11-19 20:01:02", refund_done()),
    ];
    let found = compared(&told(&steps), VSP, "2026-11-19", vsps_file(), Vec::new());
    assert_eq!(found, (vec![Found::Agreed, Found::Agreed], 0));
}

#[test]
fn a_refund_whose_end_was_learnt_on_another_day_is_neither_long_nor_short() {
    for channel in [ChannelId::Alipay, ChannelId::AllinpayVsp, ChannelId::AllinpayYst] {
        let orders = refund_learnt_late(channel);
        let day_of_line = compared(&orders, channel, "2026-11-19", vec![payment_line(), refund_line()], Vec::new());
        assert_eq!(day_of_line, (vec![Found::OtherDay(Edge::Entry, date("2026-11-22")), Found::Agreed], 0));
        let kept = vec![(date("2026-11-19"), file(channel, vec![payment_line(), refund_line()]))];
        let day_of_entry = compared(&orders, channel, "2026-11-22", vec![], kept);
        assert_eq!(day_of_entry, (vec![Found::OtherDay(Edge::Line, date("2026-11-19"))], 0));
    }
}

/// WeChat Pay lists a refund on the day on which it took it; it was owed, for want of funds, until then.
#[test]
fn a_refund_that_wechat_took_days_later_is_neither_long_nor_short() {
    let orders = refund_learnt_late(ChannelId::Wechat);
    let day_of_line = compared(&orders, ChannelId::Wechat, "2026-11-21", vec![refund_line()], Vec::new());
    assert_eq!(day_of_line, (vec![Found::OtherDay(Edge::Entry, date("2026-11-19"))], 0));
    let kept = vec![(date("2026-11-21"), file(ChannelId::Wechat, vec![refund_line()]))];
    let (rows, code) = compared(&orders, ChannelId::Wechat, "2026-11-19", vec![payment_line()], kept);
    assert_eq!((rows, code), (vec![Found::OtherDay(Edge::Line, date("2026-11-21")), Found::Agreed], 0));
    let nowhere = compared(&orders, ChannelId::Wechat, "2026-11-19", vec![payment_line()], Vec::new());
    assert_eq!(nowhere, (vec![Found::Short, Found::Agreed], 1));
}

#[test]
fn around_midnight_the_file_beside_is_read_and_otherwise_only_that_of_the_day() {
    let at_noon = refund_learnt_late(ChannelId::Wechat);
    let days = |orders: &[OrderRecord], day| ours::of_day(orders, date(day), &[]).days;
    let of_refund = ["2026-11-20", "2026-11-21", "2026-11-22"].map(|day| (ChannelId::Wechat, date(day)));
    assert_eq!(days(&at_noon, "2026-11-19"), of_refund.into());
    let late = told(&[("2026-11-19 23:55:00", started(ChannelId::Wechat))]);
    assert_eq!(days(&late, "2026-11-19"), [(ChannelId::Wechat, date("2026-11-20"))].into());
    let early = told(&[("2026-11-20 12:00:00", started(ChannelId::Wechat))]);
    assert!(days(&early, "2026-11-20").is_empty());
}

#[test]
fn with_channels_named_the_others_are_left_alone() {
    let orders = refund_learnt_late(ChannelId::Wechat);
    let others = ours::of_day(&orders, date("2026-11-19"), &[ChannelId::Alipay]);
    assert_eq!((others.books.entries.len(), others.days.len()), (0, 0));
    let named = ours::of_day(&orders, date("2026-11-19"), &[ChannelId::Wechat]);
    assert_eq!(named.books.entries.len(), 2);
    assert!(named.books.entries.iter().all(|entry| entry.state == State::Final));
}
