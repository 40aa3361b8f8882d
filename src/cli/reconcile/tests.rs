//! What the command refuses, and what it says in the end. A whole evening is reconciled in `tests/wallets`.

use books::reconcile::{Entry, EntryKind, State};
use books::statement::{Numbers, Source};
use clap::Parser;
use payment::money::Fen;

use super::super::{Cli, Command};
use super::*;

const DAY: Date = Date::constant(2026, 11, 21);

fn args(words: &[&str]) -> ReconcileArgs {
    let Command::Reconcile(args) = Cli::parse_from([&["till", "reconcile"], words].concat()).command else {
        panic!("{words:?} is for another command");
    };
    *args
}

fn at(text: &str) -> Wall {
    Wall { ms: books::day::read(text).unwrap(), trusted: true }
}

#[test]
fn without_a_date_it_is_the_newest_day_whose_statements_are_made() {
    for now in ["2026-11-22 10:00:00", "2026-11-22 23:59:59", "2026-11-23 09:59:59"] {
        assert_eq!(day_of(&args(&[]), at(now)).unwrap(), DAY, "{now}");
    }
}

#[test]
fn a_day_that_is_not_over_is_wrong_usage_unless_it_is_wanted_so() {
    let today = ["--date", "2026-11-21"];
    let refused = day_of(&args(&today), at("2026-11-21 23:59:59")).unwrap_err();
    assert_eq!(refused.exit().number(), 2);
    assert!(refused.to_string().contains("--unfinished"), "{refused}");
    let wanted = args(&[&today[..], &["--unfinished"]].concat());
    assert_eq!(day_of(&wanted, at("2026-11-21 23:59:59")).unwrap(), DAY);
}

#[test]
fn a_file_is_never_left_out_without_a_word() {
    let held = || vec![ChannelId::Wechat];
    let file = ["--file", "alipay=bill.zip"];
    let also_not_set_up = wanted(&args(&file), held()).unwrap();
    assert_eq!(also_not_set_up, [ChannelId::Wechat, ChannelId::Alipay]);
    let contrary = wanted(&args(&[&file[..], &["--channel", "wechat"]].concat()), held()).unwrap_err();
    assert_eq!(contrary.exit().number(), 2);
    let named = args(&[&file[..], &["--channel", "alipay", "--channel", "alipay"]].concat());
    assert_eq!(wanted(&named, held()).unwrap(), [ChannelId::Alipay]);
}

/// One payment through Alipay.
fn one_payment() -> Books {
    let entry = Entry {
        kind: EntryKind::Payment,
        channel: ChannelId::Alipay,
        amount: Fen::new(350),
        at: at("2026-11-21 12:00:00").ms,
        numbers: Numbers { ours: Some("P1".to_owned()), ..Numbers::default() },
        state: State::Final,
    };
    Books { entries: vec![entry], ..Books::default() }
}

fn empty(source: Source) -> Statement {
    Statement { source, lines: Vec::new(), totals: Vec::new(), remarks: Vec::new() }
}

/// The last line, the exit code, and whether it is called agreed.
fn told_of(books: &Books, files: &[Statement], troubles: &[&str]) -> (String, u8, bool) {
    let result = reconcile(DAY, books, Files { day: files, other_days: &[] }).unwrap();
    let troubles: Vec<String> = troubles.iter().map(|&trouble| trouble.to_owned()).collect();
    let answer = told::answer(&result, &troubles, &[]);
    let last = answer.text.lines().last().unwrap().to_owned();
    (last, answer.exit.number(), answer.json["agreed"] == true)
}

#[test]
fn a_script_tells_agreed_differing_and_not_compared_apart() {
    let (nothing, wechat, alipay) = (Books::default(), [empty(Source::WechatTrade)], [empty(Source::AlipayTrade)]);
    let (last, code, agreed) = told_of(&nothing, &wechat, &[]);
    assert_eq!((code, agreed), (0, true), "{last}");
    let (last, code, agreed) = told_of(&one_payment(), &alipay, &["wechat: no file"]);
    assert_eq!((code, agreed), (1, false), "{last}");
    assert!(last.contains("1 need a person; not everything was compared"), "{last}");
    let (last, code, agreed) = told_of(&one_payment(), &[], &[]);
    assert_eq!((code, agreed), (5, false), "{last}");
    assert!(last.contains("1 of ours have no statement"), "{last}");
}

#[test]
fn all_agree_is_never_said_beside_a_file_that_could_not_be_had() {
    let (last, code, agreed) = told_of(&Books::default(), &[empty(Source::WechatTrade)], &["alipay: no file"]);
    assert_eq!((code, agreed), (5, false), "{last}");
    assert!(!last.contains("all") && last.contains("not everything was compared, see the warnings"), "{last}");
}

/// What is open is no difference, so nobody would look at that day again.
#[test]
fn what_is_still_open_is_named_in_the_last_line() {
    let mut books = one_payment();
    books.entries[0].state = State::Open;
    let (last, code, _) = told_of(&books, &[empty(Source::AlipayTrade)], &[]);
    assert_eq!(code, 0);
    assert!(last.contains("1 are still open here: run this day again"), "{last}");
}

#[test]
fn a_day_of_which_orders_may_have_been_removed_is_said_so() {
    let moved = |until| Moved { orders: Vec::new(), removed_until: until };
    let noon = at("2026-11-21 12:00:00").ms;
    let said = told::of_removed(&moved(Some(noon)), DAY).unwrap();
    assert!(said.contains("whole from 2026-11-22 on") && said.contains("before any refund"), "{said}");
    assert_eq!(told::of_removed(&moved(Some(noon)), Date::constant(2026, 11, 22)), None);
    assert_eq!(told::of_removed(&moved(None), DAY), None);
    assert!(told::of_removed(&moved(Some(i64::MAX)), DAY).is_some(), "no clock tells up to when");
}

const UNIT: &str = include_str!("../../../systemd/till-reconcile.service");

fn settings<'a>(unit: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    unit.lines().filter_map(move |line| line.strip_prefix(name)?.strip_prefix('='))
}

#[test]
fn the_unit_calls_the_command_as_it_is_and_tries_again_only_for_what_is_missing() {
    let words: Vec<&str> = settings(UNIT, "ExecStart").flat_map(str::split_whitespace).collect();
    let parsed = Cli::try_parse_from(&words);
    assert!(matches!(parsed.unwrap().command, Command::Reconcile(_)), "{words:?}");
    let finally: Vec<&str> = settings(UNIT, "RestartPreventExitStatus").flat_map(str::split_whitespace).collect();
    let told = [Exit::Refused, Exit::Usage, Exit::Journal, Exit::Config].map(|exit| exit.number().to_string());
    assert_eq!(finally, told);
}

#[test]
fn the_unit_may_do_no_more_than_the_daemon_and_never_takes_its_socket_away() {
    let daemon = include_str!("../../../systemd/till.service");
    let guards = ["User", "Group", "StateDirectory", "StateDirectoryMode", "NoNewPrivileges", "ProtectSystem"];
    let more = ["ProtectHome", "PrivateTmp", "ProtectKernelModules", "ProtectKernelTunables", "ProtectControlGroups"];
    let last = ["RestrictAddressFamilies", "RestrictRealtime", "LockPersonality"];
    for name in guards.into_iter().chain(more).chain(last) {
        let ours: Vec<&str> = settings(UNIT, name).collect();
        assert_eq!(ours, settings(daemon, name).collect::<Vec<_>>(), "{name}");
        assert_eq!(ours.len(), 1, "{name}");
    }
    assert_eq!(settings(UNIT, "RuntimeDirectory").count(), 0);
}
