use std::collections::BTreeMap;

use super::*;
use crate::statement::{At, Cells, Remark, Source};

const DAY: &str = "2026-05-28";

fn day() -> Date {
    DAY.parse().unwrap()
}

fn moment(text: &str) -> i64 {
    day::read(&format!("2026-05-{text}")).unwrap()
}

fn other(day: &str) -> Date {
    day.parse().unwrap()
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn entry(kind: EntryKind, amount: i64, ours: &str, refund: &str) -> Entry {
    Entry {
        kind,
        channel: ChannelId::Wechat,
        amount: Fen::new(amount),
        at: moment("28 12:00:00"),
        numbers: Numbers { ours: some(ours), refund_ours: some(refund), ..Numbers::default() },
        state: State::Final,
    }
}

fn paid(amount: i64, ours: &str) -> Entry {
    entry(EntryKind::Payment, amount, ours, "")
}

fn refunded(amount: i64, ours: &str, refund: &str) -> Entry {
    entry(EntryKind::Refund, amount, ours, refund)
}

fn line(kind: Kind, amount: i64, ours: &str, refund: &str) -> Line {
    Line {
        row: 2,
        kind,
        amount: Fen::new(amount),
        fee: Some(Fen::new(1)),
        at: At { text: "2026-05-28 12:00:01".to_owned(), ms: Some(moment("28 12:00:01")) },
        numbers: Numbers { ours: some(ours), refund_ours: some(refund), ..Numbers::default() },
        standing: Standing::Done,
        words: String::new(),
        cells: Cells::default(),
    }
}

fn file(lines: Vec<Line>) -> Statement {
    Statement { source: Source::WechatTrade, lines, totals: Vec::new(), remarks: Vec::new() }
}

fn books(entries: Vec<Entry>) -> Books {
    Books { entries, ..Books::default() }
}

/// What was found, and what the whole comes to.
fn found(books: &Books, day_files: &[Statement], other_days: &[(Date, Statement)]) -> (Vec<Found>, u8) {
    let result = reconcile(day(), books, Files { day: day_files, other_days }).unwrap();
    let code = result.verdict().exit_code();
    (result.rows.into_iter().map(|row| row.found).collect(), code)
}

#[test]
fn a_day_without_difference_agrees() {
    let books = books(vec![paid(350, "P1"), refunded(350, "P1", "R1")]);
    let file = file(vec![line(Kind::Payment, 350, "P1", ""), line(Kind::Refund, 350, "P1", "R1")]);
    assert_eq!(found(&books, &[file], &[]), (vec![Found::Agreed, Found::Agreed], 0));
}

#[test]
fn long_and_short_are_told_apart() {
    let books = books(vec![paid(350, "P1")]);
    let file = file(vec![line(Kind::Payment, 350, "P2", "")]);
    assert_eq!(found(&books, &[file], &[]), (vec![Found::Short, Found::Long { twice: false }], 1));
}

#[test]
fn equal_amounts_and_times_alone_pair_nothing() {
    let mut nameless = line(Kind::Payment, 350, "", "");
    nameless.numbers = Numbers::default();
    let (rows, code) = found(&books(vec![paid(350, "P1")]), &[file(vec![nameless])], &[]);
    assert_eq!((rows.len(), code), (2, 1));
}

#[test]
fn every_number_can_make_the_pair() {
    type Put = fn(&mut Numbers);
    let put: [(By, Put); 6] = [
        (By::Attempt, |numbers| numbers.ours = some("X")),
        (By::Channel, |numbers| numbers.channel = some("X")),
        (By::Acquirer, |numbers| numbers.acquirer = some("X")),
        (By::Wallet, |numbers| numbers.wallet = some("X")),
        (By::Request, |numbers| numbers.request = some("X")),
        (By::Any, |numbers| numbers.others = vec!["X".to_owned()]),
    ];
    for (by, set) in put {
        let (mut entry, mut line) = (paid(350, ""), line(Kind::Payment, 350, "", ""));
        set(&mut entry.numbers);
        set(&mut line.numbers);
        let (books, files) = (books(vec![entry]), [file(vec![line])]);
        let result = reconcile(day(), &books, Files { day: &files, other_days: &[] }).unwrap();
        assert_eq!((&result.rows[0].found, result.rows[0].by), (&Found::Agreed, Some(by)));
    }
}

#[test]
fn what_differs_is_said() {
    let file_of = |line| [file(vec![line])];
    let amount = Difference::Amount { ours: Fen::new(350), theirs: Fen::new(340) };
    let (rows, code) = found(&books(vec![paid(350, "P1")]), &file_of(line(Kind::Payment, 340, "P1", "")), &[]);
    assert_eq!((rows, code), (vec![Found::Differing(vec![amount])], 1));

    let (rows, _) = found(&books(vec![paid(350, "P1")]), &file_of(line(Kind::Other, 350, "P1", "")), &[]);
    assert_eq!(rows, [Found::Differing(vec![Difference::Kind])]);

    let failed = Line { standing: Standing::Failed, ..line(Kind::Refund, 350, "P1", "R1") };
    let (rows, _) = found(&books(vec![refunded(350, "P1", "R1")]), &file_of(failed), &[]);
    assert_eq!(rows, [Found::Differing(vec![Difference::State])]);

    let (mut ours, mut theirs) = (paid(350, "P1"), line(Kind::Payment, 350, "P2", ""));
    ours.numbers.channel = some("4200");
    theirs.numbers.channel = some("4200");
    let (rows, _) = found(&books(vec![ours]), &file_of(theirs), &[]);
    assert_eq!(rows, [Found::Differing(vec![Difference::Number(By::Attempt)])]);
}

#[test]
fn partial_refunds_of_one_payment_are_not_mixed_up() {
    let books = books(vec![refunded(100, "P1", "R2"), refunded(100, "P1", ""), refunded(100, "P1", "R1")]);
    let lines = ["R1", "R2", "R3"].map(|refund| line(Kind::Refund, 100, "P1", refund));
    let files = [file(lines.to_vec())];
    let result = reconcile(day(), &books, Files { day: &files, other_days: &[] }).unwrap();
    for row in &result.rows {
        assert_eq!(row.found, Found::Agreed);
        let (ours, theirs) = (&row.entry.unwrap().numbers.refund_ours, &row.line().unwrap().numbers.refund_ours);
        assert!(ours == theirs || ours.is_none(), "{ours:?} {theirs:?}");
    }
}

#[test]
fn the_same_number_at_another_channel_is_another_movement() {
    let elsewhere = Entry { channel: ChannelId::Alipay, ..paid(350, "P1") };
    let (rows, code) = found(&books(vec![elsewhere]), &[file(vec![line(Kind::Payment, 350, "P1", "")])], &[]);
    assert_eq!((rows, code), (vec![Found::Long { twice: false }, Found::NotCompared], 1));
}

#[test]
fn a_surer_number_wins_whatever_the_order_of_the_entries() {
    let by_channel = |ours: &str| {
        let mut entry = paid(350, ours);
        entry.numbers.channel = some("4200");
        entry
    };
    let mut theirs = line(Kind::Payment, 350, "P2", "");
    theirs.numbers.channel = some("4200");
    let books = books(vec![by_channel(""), by_channel("P2")]);
    let files = [file(vec![theirs])];
    let result = reconcile(day(), &books, Files { day: &files, other_days: &[] }).unwrap();
    let agreed = result.rows.iter().find(|row| row.found == Found::Agreed).unwrap();
    assert_eq!((agreed.by, agreed.entry), (Some(By::Attempt), Some(&books.entries[1])));
    assert_eq!(result.rows[0].found, Found::Short);
}

#[test]
fn a_payment_never_answers_for_its_refund() {
    let (rows, code) = found(&books(vec![paid(350, "P1")]), &[file(vec![line(Kind::Refund, 350, "P1", "R1")])], &[]);
    assert_eq!((rows, code), (vec![Found::Short, Found::Long { twice: false }], 1));
}

#[test]
fn what_is_open_waits_until_they_say_done() {
    let open = Entry { state: State::Open, ..paid(350, "P1") };
    assert_eq!(found(&books(vec![open.clone()]), &[file(vec![])], &[]), (vec![Found::Waiting], 0));
    let done = file(vec![line(Kind::Payment, 350, "P1", "")]);
    assert_eq!(found(&books(vec![open]), &[done], &[]), (vec![Found::DoneByThem], 1));
    let open = Entry { state: State::Open, ..refunded(350, "P1", "R1") };
    let pending = Line { standing: Standing::Pending, ..line(Kind::Refund, 350, "P1", "R1") };
    assert_eq!(found(&books(vec![open]), &[file(vec![pending])], &[]), (vec![Found::Waiting], 0));
}

#[test]
fn a_line_listed_twice_is_long() {
    let twice = vec![line(Kind::Payment, 350, "P1", ""), line(Kind::Payment, 350, "P1", "")];
    let (rows, code) = found(&books(vec![paid(350, "P1")]), &[file(twice)], &[]);
    assert_eq!((rows, code), (vec![Found::Long { twice: true }, Found::Agreed], 1));
}

#[test]
fn a_line_of_what_did_not_happen_is_nobodys_and_no_difference() {
    let failed = Line { standing: Standing::Failed, ..line(Kind::Refund, 350, "P1", "R1") };
    let again = books(vec![paid(350, "P1"), refunded(350, "P1", "R2")]);
    let day = [file(vec![line(Kind::Payment, 350, "P1", ""), failed, line(Kind::Refund, 350, "P1", "R2")])];
    let (mut rows, code) = found(&again, &day, &[]);
    rows.sort_by_key(|row| *row == Found::Agreed);
    assert_eq!((rows, code), (vec![Found::Other, Found::Agreed, Found::Agreed], 0));
}

fn undone(attempt: &str) -> Books {
    Books { undone: vec![attempt.to_owned()], ..Books::default() }
}

#[test]
fn an_undone_attempt_agrees_only_with_both_of_its_lines() {
    let undone = undone("P1");
    let both = vec![line(Kind::Payment, 350, "P1", ""), line(Kind::Reversal, 350, "P1", "")];
    assert_eq!(found(&undone, &[file(both.clone())], &[]), (vec![Found::Undone, Found::Undone], 0));
    assert_eq!(found(&undone, &[file(vec![])], &[]), (vec![], 0));
    let kept = vec![line(Kind::Payment, 350, "P1", ""), line(Kind::Refund, 100, "P1", "")];
    let (rows, code) = found(&undone, &[file(kept)], &[]);
    assert_eq!((rows, code), (vec![Found::Long { twice: false }, Found::Long { twice: false }], 1));
    let (_, code) = found(&Books::default(), &[file(both)], &[]);
    assert_eq!(code, 1, "an attempt that we never undid is not explained");
}

/// The channel lists both before our journal knows that the undoing is done: nobody is asked to refund anything.
#[test]
fn an_attempt_that_is_being_undone_waits_while_its_two_lines_sum_to_nothing() {
    let open = Entry { state: State::Open, ..paid(350, "P1") };
    let ours = Books { entries: vec![open], ..undone("P1") };
    let both = vec![line(Kind::Payment, 350, "P1", ""), line(Kind::Refund, 350, "P1", "")];
    let (mut rows, code) = found(&ours, &[file(both)], &[]);
    rows.sort_by_key(|row| *row == Found::Undone);
    assert_eq!((rows, code), (vec![Found::Waiting, Found::Undone, Found::Undone], 0));
    let taken = file(vec![line(Kind::Payment, 350, "P1", "")]);
    assert_eq!(found(&ours, &[taken], &[]), (vec![Found::DoneByThem], 1));
}

#[test]
fn what_stands_in_another_days_file_is_not_short_and_the_day_is_said() {
    let next_day = |amount| [(other("2026-06-02"), file(vec![line(Kind::Payment, amount, "P1", "")]))];
    let on_time = books(vec![paid(350, "P1")]);
    let (rows, code) = found(&on_time, &[file(vec![])], &next_day(350));
    assert_eq!((rows, code), (vec![Found::OtherDay(Edge::Line, other("2026-06-02"))], 0));
    assert_eq!(found(&on_time, &[file(vec![])], &next_day(360)), (vec![Found::Short], 1), "it is not the same");
    let here = file(vec![line(Kind::Payment, 350, "P1", "")]);
    assert_eq!(found(&on_time, &[here], &next_day(350)).0, [Found::Agreed], "the day's own line comes first");
}

/// A refund that was sent on the 27th and whose end was learnt, or noted, on another day.
#[test]
fn what_our_journal_has_on_another_day_is_not_long_and_the_day_is_said() {
    let yesterday = Entry { at: moment("27 20:00:00"), ..refunded(350, "P0", "R0") };
    let ours = Books { other_days: vec![yesterday.clone(), paid(1, "P9")], ..Books::default() };
    let files = [file(vec![line(Kind::Refund, 350, "P0", "R0")])];
    assert_eq!(found(&ours, &files, &[]), (vec![Found::OtherDay(Edge::Entry, other("2026-05-27"))], 0));
    let result = reconcile(day(), &ours, Files { day: &files, other_days: &[] }).unwrap();
    assert_eq!((result.ours(None).returned, result.theirs(None).returned), (Fen::ZERO, Fen::new(350)));

    let open = Books { other_days: vec![Entry { state: State::Open, ..yesterday }], ..Books::default() };
    assert_eq!(found(&open, &files, &[]), (vec![Found::DoneByThem], 1), "ours still waits for the answer");
}

#[test]
fn a_refund_that_they_list_on_two_days_is_long_on_one_of_them() {
    let yesterday = Entry { at: moment("27 20:00:00"), ..refunded(350, "P0", "R0") };
    let ours = Books { other_days: vec![yesterday], ..Books::default() };
    let twice = || file(vec![line(Kind::Refund, 350, "P0", "R0")]);
    let (rows, code) = found(&ours, &[twice()], &[(other("2026-05-27"), twice())]);
    assert_eq!((rows, code), (vec![Found::Long { twice: false }], 1));
}

/// Two refunds of one payment share its numbers: over days only a refund's own number tells which it is.
#[test]
fn another_days_refund_of_the_same_payment_explains_nothing() {
    let other_refund = Entry { at: moment("27 20:00:00"), ..refunded(100, "P0", "R0") };
    let ours = Books { other_days: vec![other_refund], ..Books::default() };
    let (rows, code) = found(&ours, &[file(vec![line(Kind::Refund, 100, "P0", "")])], &[]);
    assert_eq!((rows, code), (vec![Found::Long { twice: false }], 1));
}

#[test]
fn nothing_to_compare_with_is_its_own_verdict() {
    assert_eq!(found(&books(vec![paid(350, "P1")]), &[], &[]), (vec![Found::NotCompared], 5));
    let alipay = Statement { source: Source::AlipayTrade, ..file(vec![]) };
    assert_eq!(found(&books(vec![paid(350, "P1")]), &[alipay], &[]), (vec![Found::NotCompared], 5));
    let known = [file(vec![line(Kind::Payment, 350, "P2", "")])];
    let both = Books { entries: vec![Entry { channel: ChannelId::Alipay, ..paid(350, "P1") }], ..Books::default() };
    assert_eq!(found(&both, &known, &[]).1, 1, "a difference that is known outweighs what is not");
    assert_eq!(found(&Books::default(), &[file(vec![])], &[]), (vec![], 0), "an empty day agrees");
}

#[test]
fn a_doubtful_statement_never_agrees() {
    let total = Remark::Total { name: "x".to_owned(), said: "2".to_owned(), rows: "1".to_owned() };
    let doubtful = Statement { remarks: vec![total], ..file(vec![line(Kind::Payment, 350, "P1", "")]) };
    assert_eq!(found(&books(vec![paid(350, "P1")]), &[doubtful], &[]), (vec![Found::Agreed], 1));
}

#[test]
fn trades_and_ledger_of_one_channel_are_not_added_up() {
    let ledger = Statement { source: Source::WechatFundFlow, ..file(vec![]) };
    let ours = Books::default();
    let files = [file(vec![]), ledger];
    let result = reconcile(day(), &ours, Files { day: &files, other_days: &[] });
    assert_eq!(result.err(), Some(Refused::TradesAndLedger(ChannelId::Wechat)));
}

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn number(&mut self) -> Option<String> {
        let number = self.below(9);
        (number < 6).then(|| format!("N{number}"))
    }

    fn numbers(&mut self) -> Numbers {
        Numbers {
            ours: self.number(),
            refund_ours: self.number(),
            channel: self.number(),
            wallet: self.number(),
            others: self.number().into_iter().collect(),
            ..Numbers::default()
        }
    }

    fn amount(&mut self) -> Fen {
        Fen::new(i64::try_from(100 * (1 + self.below(3))).unwrap())
    }

    /// Noon, or near either midnight.
    fn at(&mut self) -> i64 {
        moment(["28 00:00:02", "28 12:00:00", "28 23:59:59"][usize::try_from(self.below(3)).unwrap()])
    }

    fn entry(&mut self) -> Entry {
        let kind = if self.below(2) == 0 { EntryKind::Payment } else { EntryKind::Refund };
        let channel = if self.below(4) == 0 { ChannelId::Alipay } else { ChannelId::Wechat };
        let state = if self.below(5) == 0 { State::Open } else { State::Final };
        Entry { kind, channel, amount: self.amount(), at: self.at(), numbers: self.numbers(), state }
    }

    fn line(&mut self) -> Line {
        let kind = [Kind::Payment, Kind::Refund, Kind::Reversal, Kind::Other][usize::try_from(self.below(4)).unwrap()];
        let standing = [Standing::Done, Standing::Pending, Standing::Failed][usize::try_from(self.below(3)).unwrap()];
        let at = At { text: String::new(), ms: Some(self.at()) };
        Line { amount: self.amount(), numbers: self.numbers(), standing, at, ..line(kind, 0, "", "") }
    }

    fn many<T>(&mut self, one: fn(&mut Self) -> T) -> Vec<T> {
        (0..self.below(12)).map(|_| one(self)).collect()
    }
}

fn count<T>(items: impl Iterator<Item = *const T>) -> BTreeMap<*const T, usize> {
    let mut counts = BTreeMap::new();
    items.for_each(|item| *counts.entry(item).or_default() += 1);
    counts
}

/// The promise of the whole module, over thousands of days in which numbers collide as no real ones do.
#[test]
fn nothing_is_lost_and_nothing_counts_twice() {
    for seed in 0..4_000 {
        let mut random = Random(seed);
        let ours = Books {
            entries: random.many(Random::entry),
            other_days: random.many(Random::entry),
            undone: random.number().into_iter().collect(),
        };
        let files = [file(random.many(Random::line)), file(random.many(Random::line))];
        let other_days = [(other("2026-05-29"), file(random.many(Random::line)))];
        let result = reconcile(day(), &ours, Files { day: &files, other_days: &other_days }).unwrap();

        let entries = count(result.rows.iter().filter_map(|row| row.entry.map(std::ptr::from_ref)));
        let lines = count(result.rows.iter().filter_map(|row| row.line().map(std::ptr::from_ref)));
        assert!(entries.values().chain(lines.values()).all(|times| *times == 1), "seed {seed}: one counts twice");
        assert!(ours.entries.iter().all(|entry| entries.contains_key(&std::ptr::from_ref(entry))), "seed {seed}");
        let all_lines = || files.iter().flat_map(|file| &file.lines);
        assert!(all_lines().all(|line| lines.contains_key(&std::ptr::from_ref(line))), "seed {seed}");

        let sum = |amounts: Vec<Fen>| amounts.into_iter().sum::<Fen>();
        let final_of = |kind| {
            let of = move |entry: &&Entry| entry.kind == kind && entry.state == State::Final;
            sum(ours.entries.iter().filter(of).map(|entry| entry.amount).collect())
        };
        let totals = result.ours(None);
        assert_eq!(
            (totals.paid, totals.returned),
            (final_of(EntryKind::Payment), final_of(EntryKind::Refund)),
            "{seed}"
        );
        let moved = |returns: bool| {
            let of = move |line: &&Line| {
                line.kind != Kind::Other && line.kind.returns() == returns && line.standing != Standing::Failed
            };
            sum(all_lines().filter(of).map(|line| line.amount).collect())
        };
        let theirs = result.theirs(None);
        assert_eq!((theirs.paid, theirs.returned), (moved(false), moved(true)), "seed {seed}");
        assert_eq!(theirs.payments + theirs.refunds + theirs.apart, all_lines().count(), "seed {seed}");
    }
}
