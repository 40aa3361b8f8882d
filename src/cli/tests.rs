//! The command line's own parts; the whole program is driven in `tests/`.

use std::sync::atomic::Ordering;

use clap::{CommandFactory, Parser};

use super::client::{Client, escaped};
use super::{Answer, Cli, Command, Exit, Failure, ask, status, text};
use crate::api::tests::machine::Machine;

/// What the command says, asked of the machine.
async fn on(machine: &Machine, words: &[&str]) -> Result<Answer, Failure> {
    let client = Client::new(machine.socket.clone())?;
    let Command::Ask(question) = Cli::parse_from([&["till"], words].concat()).command else {
        panic!("{words:?} does not ask the daemon");
    };
    ask(&client, question).await
}

#[tokio::test]
async fn what_is_sold_is_paid_listed_and_refunded() {
    let machine = Machine::start().await;
    machine.weather.pays.store(true, Ordering::SeqCst);
    let sold = on(&machine, &["pay", "--slot", "12", "--slot", "11", "--wait"]).await.unwrap();
    assert_eq!((sold.exit, &sold.json["amount"]), (Exit::Done, &550.into()), "{}", sold.text);
    assert!(sold.text.contains("可口可乐  ¥3.50  delivered"), "{}", sold.text);
    let id = sold.json["id"].as_str().unwrap().to_owned();
    machine.until(&id, "completed").await;

    let part = on(&machine, &["refund", &id, "--amount", "1.00"]).await.unwrap();
    assert!(part.text.starts_with("¥1.00 of order"), "{}", part.text);
    machine.until(&id, "refunded").await;
    let listed = on(&machine, &["orders", "--state", "refunded"]).await.unwrap();
    assert!(listed.text.contains(&id) && listed.text.contains("¥1.00"), "{}", listed.text);
    let paid = on(&machine, &["cancel", &id]).await.unwrap_err();
    assert_eq!((paid.exit(), &paid.json()["code"]), (Exit::Refused, &"already_paid".into()));
}

#[tokio::test]
async fn a_jam_ends_the_wait_with_exit_code_1() {
    let machine = Machine::start().await;
    machine.weather.pays.store(true, Ordering::SeqCst);
    machine.weather.jams.store(true, Ordering::SeqCst);
    let sold = on(&machine, &["pay", "--slot", "12", "--wait"]).await.unwrap();
    assert_eq!(sold.exit, Exit::Refused, "{}", sold.text);
    assert!(sold.text.contains("not delivered"), "{}", sold.text);
}

#[tokio::test]
async fn a_machine_that_is_switched_off_says_so_until_it_is_on() {
    let machine = Machine::start().await;
    assert_eq!(on(&machine, &["status"]).await.unwrap().exit, Exit::Done);
    assert_eq!(on(&machine, &["sell", "off"]).await.unwrap().exit, Exit::Done);
    let off = on(&machine, &["status"]).await.unwrap();
    assert_eq!(off.exit, Exit::Refused);
    assert!(off.text.contains("switched-off"), "{}", off.text);
    on(&machine, &["faults", "clear", "switched-off"]).await.unwrap();
    assert_eq!(on(&machine, &["status"]).await.unwrap().exit, Exit::Done);
}

#[tokio::test]
async fn a_daemon_that_is_not_there_is_exit_code_3_with_advice() {
    let client = Client::new("/nowhere/till.sock".into()).unwrap();
    let failure = status::show(&client).await.unwrap_err();
    assert_eq!(failure.exit(), Exit::Unreachable);
    assert!(failure.to_string().contains("--socket"), "{failure}");
}

#[tokio::test]
async fn the_doctor_names_what_is_wrong_with_its_remedy() {
    let machine = Machine::start().await;
    on(&machine, &["sell", "off"]).await.unwrap();
    let journal = machine.dir.path().join("till.db");
    let journal = journal.to_str().unwrap();
    let found = on(&machine, &["doctor", "--journal", journal, "--board", "/nowhere/board.toml"]).await.unwrap();
    assert_eq!(found.exit, Exit::Refused);
    for line in ["ok   daemon", "BAD  fault switched-off", "do: `till sell on`", "all 0 entries", "BAD  board"] {
        assert!(found.text.contains(line), "no {line:?} in\n{}", found.text);
    }
}

#[test]
fn the_arguments_are_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn amounts_are_yuan_and_wrong_ones_are_wrong_usage() {
    let parse = |words: &[&str]| Cli::try_parse_from([&["till"], words].concat()).is_ok();
    assert!(parse(&["pay", "3.50"]));
    assert!(parse(&["pay", "--slot", "12", "--slot", "11", "--wait"]));
    assert!(parse(&["refund", "S1", "--amount", "1"]));
    for wrong in [&["pay"][..], &["pay", "3.505"], &["pay", "free"], &["pay", "3", "--slot", "12"], &["sell", "maybe"]]
    {
        assert!(!parse(wrong), "{wrong:?} was taken");
    }
}

#[test]
fn the_exit_codes_are_these() {
    let codes = [Exit::Done, Exit::Refused, Exit::Unreachable, Exit::Journal, Exit::Config].map(Exit::number);
    assert_eq!(codes, [0, 1, 3, 4, 78]);
}

#[test]
fn columns_line_up_under_chinese_names() {
    let rows = [["SLOT", "PRODUCT", "PRICE"], ["1", "农夫山泉550ml", "¥2.00"], ["12", "Cola", "¥3.50"]];
    let rows = rows.map(|row| text::heading(&row));
    let table = text::table(&rows);
    let before_last: Vec<usize> =
        table.lines().map(|line| text::width(line.rsplit_once(' ').map_or(line, |(before, _)| before))).collect();
    assert_eq!(before_last, [before_last[0]; 3], "\n{table}");
}

#[test]
fn what_others_wrote_cannot_steer_the_terminal() {
    assert_eq!(text::plain("a\u{1b}[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
}

#[test]
fn numbers_are_escaped_in_addresses() {
    assert_eq!(escaped("a/b?c 可"), "a%2Fb%3Fc%20%E5%8F%AF");
    assert_eq!(escaped("S0-_.~z"), "S0-_.~z");
}

#[test]
fn a_journal_that_is_not_there_is_exit_code_4_and_none_is_made() {
    for words in [["verify"], ["export"]] {
        let words = [&["till", "journal"], &words[..], &["/nowhere/till.db"]].concat();
        let failure = super::perform(Cli::parse_from(words)).unwrap_err();
        assert_eq!(failure.exit(), Exit::Journal);
        assert!(failure.to_string().contains("there is no journal"), "{failure}");
    }
}
