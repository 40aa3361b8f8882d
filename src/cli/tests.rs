//! The command line's own parts; the whole program is driven in `tests/`.

use std::sync::atomic::Ordering;

use clap::{CommandFactory, Parser};
use payment::channel::outcome::{Details, Discount, DiscountBy};
use payment::money::Fen;

use super::client::{Client, escaped};
use super::{Answer, Cli, Command, Exit, Failure, ask, guide, status, text};
use crate::api::tests::machine::Machine;
use crate::api::tests::notices::{Told, complaint};
use crate::api::wire::Order;
use crate::daemon::complaints::Complaints;
use crate::daemon::terminal::SyncWish;
use crate::journal::SetAside;
use crate::sync::status::{LinkNews, LinkState};
use payment::channel::ChannelId;

/// What the command says, asked of the machine.
pub(super) async fn on(machine: &Machine, words: &[&str]) -> Result<Answer, Failure> {
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
    let shown = on(&machine, &["order", &id]).await.unwrap();
    assert_eq!(shown.text.matches("2026-01-31T00:0").count(), 3, "opened, sent and back: {}", shown.text);
    let paid = on(&machine, &["cancel", &id]).await.unwrap_err();
    assert_eq!((paid.exit(), &paid.json()["code"]), (Exit::Refused, &"already_paid".into()));
}

/// An order of slot 12 that is paid and delivered.
async fn sold(machine: &Machine) -> String {
    machine.weather.pays.store(true, Ordering::SeqCst);
    let id = machine.order_of_slot_12().await;
    machine.until(&id, "completed").await;
    id
}

#[tokio::test]
async fn a_second_person_finds_what_waits_and_approves_or_declines_it() {
    let machine = Machine::start_with_approval(Fen::ZERO).await;
    let id = sold(&machine).await;
    assert_eq!(on(&machine, &["refunds"]).await.unwrap().text, "no refund waits for a decision");
    let nobody = on(&machine, &["refund", &id]).await.unwrap_err();
    assert_eq!((nobody.exit(), &nobody.json()["code"]), (Exit::Refused, &"name_wanted".into()));

    let words = ["refund", &id, "--amount", "1.00", "--by", "Li", "--why", "spoilt\u{1b}"];
    assert!(on(&machine, &words).await.is_err(), "what steers a terminal is no reason");
    let asked = on(&machine, &["refund", &id, "--amount", "1.00", "--by", "Li", "--why", "spoilt"]).await.unwrap();
    let refund = asked.json["number"].as_str().unwrap().to_owned();
    assert!(
        asked.text.contains("Nothing was sent") && asked.text.contains(&format!("till approve {refund}")),
        "{}",
        asked.text
    );
    let listed = on(&machine, &["refunds"]).await.unwrap();
    for part in [&refund, &id, "¥1.00", "Li", "spoilt", "till decline REFUND"] {
        assert!(listed.text.contains(part), "no {part:?} in\n{}", listed.text);
    }
    let found =
        on(&machine, &["doctor", "--journal", "/nowhere/till.db", "--board", "/nowhere/board.toml"]).await.unwrap();
    assert!(found.text.contains("ok   refunds: 1 wait for a second person"), "{}", found.text);
    let same = on(&machine, &["approve", &refund, "--by", "Li"]).await.unwrap_err();
    assert!(same.to_string().contains("another person must decide"), "{same}");
    let declined = on(&machine, &["decline", &refund, "--by", "Wang", "--why", "eaten"]).await.unwrap();
    assert!(declined.text.contains("was declined. Nothing was sent"), "{}", declined.text);
    let shown = on(&machine, &["order", &refund]).await.unwrap();
    assert!(shown.text.contains("declined  Li: spoilt  Wang: eaten  -     -"), "it never left: {}", shown.text);

    on(&machine, &["refund", &id, "--by", "Li"]).await.unwrap();
    let approved = on(&machine, &["approve", &id, "--by", "Wang"]).await.unwrap();
    assert!(approved.text.starts_with("¥3.50 of order"), "{}", approved.text);
    machine.until(&id, "refunded").await;
    let late = on(&machine, &["approve", &id, "--by", "Wang"]).await.unwrap_err();
    assert!(late.to_string().contains("no refund of order") && late.to_string().contains("till refunds"), "{late}");
}

#[tokio::test]
async fn the_number_of_a_refund_that_is_decided_never_means_another_that_waits() {
    let machine = Machine::start_with_approval(Fen::ZERO).await;
    let id = sold(&machine).await;
    let first = on(&machine, &["refund", &id, "--amount", "1.00", "--by", "Li"]).await.unwrap();
    let first = first.json["number"].as_str().unwrap().to_owned();
    on(&machine, &["decline", &first, "--by", "Wang", "--why", "no"]).await.unwrap();
    on(&machine, &["refund", &id, "--by", "Li"]).await.unwrap();
    let refused = on(&machine, &["approve", &first, "--by", "Wang"]).await.unwrap_err();
    assert_eq!(refused.json()["code"], "not_asked");
    assert!(on(&machine, &["refunds"]).await.unwrap().text.contains("¥3.50"));
}

#[tokio::test]
async fn who_knows_the_promotion_guide_reads_its_word_beside_ours() {
    let machine = Machine::start_with_instalments().await;
    machine.weather.pays.store(true, Ordering::SeqCst);
    let sold = on(&machine, &["pay", "200.00", "--instalments", "3", "--wait"]).await.unwrap();
    let mut order: Order = serde_json::from_value(sold.json).unwrap();
    let on_time = |order: &Order, time: &str| guide::word(order, time.parse().unwrap());
    // Paid on the 31st of January in Beijing: the 15th day after it is the last.
    assert_eq!(on_time(&order, "2026-02-15T15:59:59Z"), Some("已支付"));
    assert_eq!(on_time(&order, "2026-02-15T16:00:00Z"), Some("交易成功"));
    on(&machine, &["refund", order.id.as_str(), "--amount", "1.00"]).await.unwrap();
    let order_in_part = machine.until(order.id.as_str(), "refunded").await;
    assert_eq!(on_time(&serde_json::from_value(order_in_part).unwrap(), "2026-02-01T00:00:00Z"), Some("已支付"));
    order.instalments = None;
    assert_eq!(on_time(&order, "2026-02-01T00:00:00Z"), None, "the guide knows orders in instalments only");
}

#[tokio::test]
async fn instalments_are_listed_and_asked_for() {
    let machine = Machine::start_with_instalments().await;
    let plans = on(&machine, &["instalments", "1000"]).await.unwrap();
    assert!(plans.text.contains("3       ¥341.02      ¥340.99       ¥1023.00  ¥23.00  buyer"), "{}", plans.text);
    assert!(plans.text.contains("till pay 1000.00 --instalments MONTHS"), "{}", plans.text);
    let small = on(&machine, &["instalments", "99.99"]).await.unwrap();
    assert_eq!(small.text, "no instalments for ¥99.99; they begin at ¥100.00");
    let words = ["pay", "200.00", "--instalments", "3", "--down-payment", "100.00"];
    let order = on(&machine, &words).await.unwrap();
    assert_eq!((&order.json["instalments"], &order.json["down_payment"]), (&3.into(), &10_000.into()));
    assert!(order.text.contains("3 months") && order.text.contains("¥100.00"), "{}", order.text);
    assert!(order.text.contains("In the guide:  待支付"), "{}", order.text);
    let refused = on(&Machine::start().await, &["instalments", "1000"]).await.unwrap_err();
    assert_eq!(refused.json()["code"], "no_instalments");
}

#[tokio::test]
async fn a_receipt_is_in_the_buyers_words() {
    let machine = Machine::start().await;
    let discount = Discount { name: "满减\u{1b}[2J".into(), amount: Fen::new(50), by: DiscountBy::Merchant };
    let (wallet_no, buyer_paid) = (Some("w-1".to_owned()), Some(Fen::new(300)));
    *machine.weather.tells.lock().unwrap() =
        Details { wallet_no, buyer_paid, discounts: vec![discount], ..Details::default() };
    let id = sold(&machine).await;
    let refund = on(&machine, &["refund", &id, "--amount", "1.00"]).await.unwrap();
    machine.until(&id, "refunded").await;
    let receipt = on(&machine, &["receipt", "w-1"]).await.unwrap();
    let refund = refund.json["number"].as_str().unwrap();
    for part in [
        "可口可乐  1     ¥3.50  ¥3.50",
        "支付宝交易号:    2026013122001",
        "后端渠道流水号:  w-1",
        "-¥0.50（商家承担）",
        "买家实付:        ¥3.00",
        "支付方式:        支付宝",
        "2026-01-31 08:00:05",
        "¥1.00 已退回",
        refund,
    ] {
        assert!(receipt.text.contains(part), "no {part:?} in\n{}", receipt.text);
    }
    assert!(!receipt.text.contains('\u{1b}'), "the channel steers the terminal");
    let shown = on(&machine, &["order", &id]).await.unwrap();
    assert!(shown.text.contains("wallet no w-1") && shown.text.contains("buyer paid ¥3.00"), "{}", shown.text);
    assert!(!shown.text.contains('\u{1b}'));
}

#[tokio::test]
async fn a_receipt_is_printed_or_it_is_said_why_not() {
    let machine = Machine::start().await;
    let unpaid = machine.order_of_slot_12().await;
    let refused = on(&machine, &["receipt", &unpaid, "--print"]).await.unwrap_err();
    assert_eq!(refused.json()["code"], "not_paid");
    machine.weather.pays.store(true, Ordering::SeqCst);
    machine.until(&unpaid, "completed").await;
    let id = unpaid;
    for (printer, code) in [(0, "no_printer"), (1, "printer_not_ready")] {
        machine.weather.printer.store(printer, Ordering::SeqCst);
        let refused = on(&machine, &["receipt", &id, "--print"]).await.unwrap_err();
        assert_eq!((refused.exit(), &refused.json()["code"]), (Exit::Refused, &code.into()));
    }
    machine.weather.printer.store(2, Ordering::SeqCst);
    let printed = on(&machine, &["receipt", &id, "--print"]).await.unwrap();
    assert!(printed.text.contains(&id) && printed.text.ends_with("marked as a copy"), "{}", printed.text);
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

fn link(state: LinkState, trouble: Option<&str>) -> LinkNews {
    LinkNews { state, trouble: trouble.map(str::to_owned), ..LinkNews::default() }
}

#[tokio::test]
async fn the_queue_shows_count_sum_oldest_and_what_to_do() {
    let machine = Machine::start().await;
    let none = on(&machine, &["queue"]).await.unwrap();
    assert_eq!(none.exit, Exit::Done, "{}", none.text);
    assert!(none.text.contains("none in the settings; the journal keeps everything"), "{}", none.text);

    machine.link.send_replace(link(LinkState::Waiting, Some("no answer in time")));
    let cash = r#"{"amount":350,"currency":"CNY"}"#;
    let sold = machine.post_with_key("/v1/cash-sales", "k", cash).await.json();
    let waits = on(&machine, &["queue"]).await.unwrap();
    assert_eq!((waits.exit, &waits.json["paid"]), (Exit::Refused, &350.into()));
    for part in
        ["not reached; it is tried again by itself: no answer in time", "entries, ¥3.50 paid", " ago)", "To do:"]
    {
        assert!(waits.text.contains(part), "no {part:?} in\n{}", waits.text);
    }
    let (order, code) = (sold["id"].as_str().unwrap().to_owned(), "bad\u{1b}[2Jhash".to_owned());
    let refused = SetAside { seq: 1, order: order.clone(), code, detail: "no".into(), at_ms: 1_769_817_600_000 };
    machine.terminal.sync(SyncWish::Acknowledge { up_to: 1, set_aside: vec![refused] }).await.unwrap();
    machine.link.send_replace(link(LinkState::Idle, None));
    let refused = on(&machine, &["queue"]).await.unwrap();
    assert_eq!(refused.exit, Exit::Refused, "{}", refused.text);
    assert!(refused.text.contains("1 entry, refused by the hub") && refused.text.contains(&order), "{}", refused.text);
    assert!(!refused.text.contains('\u{1b}'), "the hub steers the terminal");
}

#[tokio::test]
async fn flush_says_what_became_of_it() {
    let machine = Machine::start().await;
    let failure = on(&machine, &["queue", "flush"]).await.unwrap_err();
    assert_eq!((failure.exit(), &failure.json()["code"]), (Exit::Refused, &"no_hub".into()));
    machine.link.send_replace(link(LinkState::Waiting, None));
    machine.post_with_key("/v1/cash-sales", "k", r#"{"amount":350,"currency":"CNY"}"#).await;
    let newest = machine.get("/v1/queue").await.json()["newest_seq"].as_u64().unwrap();
    let mut nudges = machine.nudges.clone();
    let hub = async {
        nudges.changed().await.unwrap();
        let taken = SyncWish::Acknowledge { up_to: newest, set_aside: Vec::new() };
        machine.terminal.sync(taken).await.unwrap();
        machine.link.send_replace(link(LinkState::Idle, None));
    };
    let (flushed, ()) = tokio::join!(on(&machine, &["queue", "flush"]), hub);
    let flushed = flushed.unwrap();
    assert_eq!(flushed.exit, Exit::Done, "{}", flushed.text);
    assert!(flushed.text.starts_with(&format!("Sent: the hub has taken {newest} entries.")), "{}", flushed.text);

    machine.post_with_key("/v1/cash-sales", "k-2", r#"{"amount":350,"currency":"CNY"}"#).await;
    machine.link.send_replace(link(LinkState::Waiting, Some("no answer in time")));
    let held = on(&machine, &["queue", "flush"]).await.unwrap();
    assert_eq!(held.exit, Exit::Refused);
    assert!(held.text.starts_with("Nothing was sent; everything that waited still waits"), "{}", held.text);
}

#[tokio::test]
async fn a_sale_for_cash_is_shown_as_such() {
    let machine = Machine::start().await;
    let sold = machine.post_with_key("/v1/cash-sales", "k", r#"{"amount":350,"currency":"CNY"}"#).await.json();
    let shown = on(&machine, &["order", sold["id"].as_str().unwrap()]).await.unwrap();
    assert!(shown.text.contains("In cash:") && shown.text.contains("paid and delivered"), "{}", shown.text);
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

#[tokio::test]
async fn the_doctor_looks_at_hub_journal_size_and_operator() {
    let machine = Machine::start().await;
    machine.link.send_replace(link(LinkState::Refused, Some("the hub does not know this terminal's key")));
    let dir = machine.dir.path();
    std::fs::write(dir.join("till.toml"), HUB).unwrap();
    let paths = ["till.db", "till.toml"].map(|name| dir.join(name).to_str().unwrap().to_owned());
    let words = ["doctor", "--journal", &paths[0], "--config", &paths[1], "--board", "/nowhere/board.toml"];
    let found = on(&machine, &words).await.unwrap();
    for line in [
        "BAD  hub: needs a person: the hub does not know this terminal's key",
        "ok   journal size: 0.",
        "of 16 MiB, at which the machine stops selling",
        "ok   operator's key: none: refunds, prices and restarts from the hub are refused",
    ] {
        assert!(found.text.contains(line), "no {line:?} in\n{}", found.text);
    }
}

/// Enough to reach the hub: no channel, no keys.
const HUB: &str =
    "[terminal]\nid = \"VM-0001\"\n[journal]\npath = \"till.db\"\n[hub]\nurl = \"https://hub.example.com\"\n";

#[test]
fn the_key_is_made_once_before_anything_else_is_in_place() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("till.toml");
    std::fs::write(&config, HUB).unwrap();
    let key = || super::perform(Cli::parse_from(["till", "hub", "key", "--config", config.to_str().unwrap()]));
    let made = key().unwrap();
    assert!(dir.path().join("hub.key").exists(), "it lies beside the journal");
    assert_eq!(made.json["public_key"].as_str().unwrap().len(), 44);
    for word in ["terminal", "public_key", "fingerprint"] {
        assert!(made.text.contains(made.json[word].as_str().unwrap()), "{}", made.text);
    }
    assert_eq!(key().unwrap().json, made.json);
}

#[test]
fn without_a_hub_in_the_settings_there_is_nothing_to_join() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("till.toml");
    let config_path = config.to_str().unwrap();
    let join = || super::perform(Cli::parse_from(["till", "hub", "join", "--code", "c", "--config", config_path]));
    std::fs::write(&config, "[terminal]\nid = \"VM-0001\"\n").unwrap();
    let failure = join().unwrap_err();
    assert_eq!(failure.exit(), Exit::Config);
    assert!(failure.to_string().contains("add [hub]"), "{failure}");
    std::fs::write(&config, HUB.replace("https", "http")).unwrap();
    let failure = join().unwrap_err();
    assert_eq!(failure.exit(), Exit::Config);
    assert!(failure.to_string().contains("hub.url"), "{failure}");
    assert!(!dir.path().join("hub.key").exists(), "a key was made for nobody");
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
    assert!(parse(&["refund", "S1", "--by", "Li", "--why", "x"]) && !parse(&["refund", "S1", "--why", "x"]));
    assert!(parse(&["approve", "R1", "--by", "Wang"]) && !parse(&["approve", "R1"]));
    assert!(parse(&["decline", "R1", "--by", "Wang", "--why", "x"]) && !parse(&["decline", "R1", "--by", "Wang"]));
    assert!(!parse(&["pay", "--slot", "12", "--down-payment", "1.00"]), "a machine takes no down payment");
    assert!(parse(&["queue"]) && parse(&["queue", "flush"]) && !parse(&["queue", "drop"]));
    assert!(!parse(&["hub", "join"]), "a join without a code");
    for wrong in [&["pay"][..], &["pay", "3.505"], &["pay", "free"], &["pay", "3", "--slot", "12"], &["sell", "maybe"]]
    {
        assert!(!parse(wrong), "{wrong:?} was taken");
    }
}

#[test]
fn the_exit_codes_are_these() {
    let codes = [Exit::Done, Exit::Refused, Exit::Unreachable, Exit::Journal, Exit::Restart, Exit::Config];
    assert_eq!(codes.map(Exit::number), [0, 1, 3, 4, 75, 78]);
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

#[tokio::test]
async fn that_no_complaint_is_open_is_said_only_when_it_is_known() {
    let told = Told::start().await;
    let asked = async || on(&told.machine, &["complaints"]).await.unwrap();
    let set = |change: fn(&mut Complaints)| told.complaints.send_modify(change);
    let exits = |answer: Answer, exit, words: &str| {
        assert!(answer.exit == exit && answer.text.contains(words), "{}", answer.text);
    };
    exits(asked().await, Exit::Refused, "not known whether a buyer complains: no channel that lists complaints");
    set(|known| known.asked = vec![ChannelId::Wechat]);
    exits(asked().await, Exit::Refused, "not fetched yet");
    set(|known| known.trouble = Some("timed out".to_owned()));
    exits(asked().await, Exit::Refused, "never fetched: timed out");
    set(|known| (known.fetched_ms, known.trouble) = (Some(1_000), None));
    exits(asked().await, Exit::Done, "no complaint of a buyer of this merchant is open, as fetched at 1970");
    set(|known| known.trouble = Some("timed out".to_owned()));
    exits(asked().await, Exit::Refused, "not since: timed out");
    set(|known| (known.open, known.trouble) = (vec![complaint("P1")], None));
    let listed = asked().await;
    assert!(listed.text.contains("没有出货") && listed.text.contains("whichever machine sold"), "{}", listed.text);
    exits(listed, Exit::Refused, "HERE");
}

#[tokio::test]
async fn alarms_are_listed_found_by_the_doctor_and_ended() {
    let told = Told::start().await;
    let none = on(&told.machine, &["alarms"]).await.unwrap();
    assert_eq!((none.exit, none.text.as_str()), (Exit::Done, "no alarm stands"));
    let id = told.warn().await;
    let listed = on(&told.machine, &["alarms"]).await.unwrap();
    assert!(listed.exit == Exit::Refused && listed.text.contains("VIOLATION.PUNISH"), "{}", listed.text);
    let status = on(&told.machine, &["status"]).await.unwrap();
    assert!(status.exit == Exit::Done && status.text.contains(&id), "{}", status.text);
    let doctor = ["doctor", "--journal", "/nowhere/till.db", "--board", "/nowhere/board.toml"];
    let found = on(&told.machine, &doctor).await.unwrap();
    assert!(found.text.contains(&format!("BAD  alarm {id}")), "{}", found.text);
    let ended = on(&told.machine, &["alarms", "clear", &id]).await.unwrap();
    assert_eq!((ended.exit, ended.text.as_str()), (Exit::Done, "no alarm stands"));
}

#[tokio::test]
async fn a_technician_counts_fills_and_forgets_what_is_in_a_slot() {
    let machine = Machine::start().await;
    let listed = on(&machine, &["stock"]).await.unwrap();
    assert_eq!((listed.exit, listed.text.matches("not counted").count()), (Exit::Done, 2), "{}", listed.text);
    let set = on(&machine, &["stock", "set", "11", "3"]).await.unwrap();
    assert!(set.text.contains("¥2.00  3") && set.json["slots"][0]["stock"] == 3, "{}", set.text);
    let filled = on(&machine, &["stock", "fill"]).await.unwrap();
    assert!(filled.text.contains("8 of 8") && filled.json["slots"][0]["stock"] == 3, "{}", filled.text);
    let unknown = on(&machine, &["stock", "fill", "12", "11"]).await.unwrap_err();
    assert!(unknown.to_string().contains("slot 11") && unknown.exit() == Exit::Refused, "{unknown}");
    let none = on(&machine, &["stock", "set", "12", "0"]).await.unwrap();
    assert!(none.text.contains("sold out"), "{}", none.text);
    let status = on(&machine, &["status"]).await.unwrap();
    assert!(status.text.contains("sold out") && status.exit == Exit::Done, "{}", status.text);
    let forgotten = on(&machine, &["stock", "forget", "12"]).await.unwrap();
    assert!(!forgotten.text.contains("sold out"), "{}", forgotten.text);
    let too_many = on(&machine, &["stock", "set", "12", "9"]).await.unwrap_err();
    assert_eq!(too_many.json()["code"], "invalid_field");
}
