//! The real program and a hub on real sockets: what is sold arrives once, in order, whatever happens on the way, and what
//! the operator orders is done once.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "program/shop.rs"]
#[expect(dead_code, reason = "other stories need more of the shop")]
mod shop;

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use payment::engine::entry::{Ending, Entry, OrderState, Origin, WhoScans};
use payment::ids::{IdMint, OrderId};
use payment::money::Fen;
use payment::time::Wall;
use sandbox::Ledger;
use sandbox::hub::{Books, Call, Fault, Hub, HubControl, HubOptions, OperatorKey, Rule, Weather};
use serde_json::json;
use shop::{Shop, TEA, WATER, within};
use till::demo::child::{Daemon, Launch};
use till::demo::scene::SceneOptions;
use till::journal::{Journal, NewEntry, Reader, SyncStatus};
use till::sync::key::TerminalKey;

const TERMINAL: &str = "SIM-0001";
/// What is no event for the test is looked at again after this.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A hub that knows the terminal of the shop.
struct Operator {
    hub: Option<Hub>,
    port: u16,
    control: HubControl,
}

impl Operator {
    async fn open() -> Self {
        let hub = Hub::start(HubOptions::default()).await.unwrap();
        Self { port: hub.port(), control: hub.control(), hub: Some(hub) }
    }

    /// The shop of this operator. The key is made on the machine, as at a first start, and the operator lets it in.
    async fn shop(&self) -> Shop {
        Shop::open_with(
            |options| {
                let key = TerminalKey::load_or_make(&options.dir.join("hub.key")).unwrap();
                self.let_in(&key);
                options.extra_config = self.config();
            },
            None,
        )
        .await
    }

    fn let_in(&self, key: &TerminalKey) {
        let public: [u8; 32] = STANDARD.decode(key.public()).unwrap().try_into().unwrap();
        self.control.let_in(TERMINAL, &public);
    }

    fn config(&self) -> String {
        let operator = STANDARD.encode(self.control.operator_public_key());
        format!("[hub]\nurl = \"http://127.0.0.1:{}\"\n[operator]\npublic_key = \"{operator}\"\n", self.port)
    }

    async fn goes_away(&mut self) {
        self.hub.take().unwrap().stop().await;
    }

    async fn comes_back(&mut self) {
        self.hub = Some(Hub::again(&self.control, self.port).await.unwrap());
    }

    async fn until(&self, what: &str, wished: impl FnMut(Books<'_>) -> bool) {
        within(what, self.control.until(wished)).await;
    }

    /// Waits for the terminal's word on a command.
    async fn result_of(&self, number: u64) -> (String, String) {
        self.until("the result of a command", |books| books.result(TERMINAL, number).is_some()).await;
        let result = self.control.books(|books| books.result(TERMINAL, number)).unwrap();
        (result.outcome, result.detail)
    }

    /// The hub has the journal: the same places, hashes and bytes.
    async fn has_the_journal_of(&self, shop: &Shop) {
        let reader = Reader::open(&shop.scene.journal_path).unwrap();
        let newest = reader.sync_status().await.unwrap().newest;
        self.until("the whole journal at the hub", |books| books.acknowledged(TERMINAL) == newest).await;
        let records = reader.outbox(0, 10_000, usize::MAX).await.unwrap();
        let mine: Vec<_> = records.into_iter().map(|one| (one.seq, one.hash.to_string(), Some(one.body))).collect();
        let theirs: Vec<_> =
            self.control.entries(TERMINAL).into_iter().map(|one| (one.seq, one.hash, one.body)).collect();
        assert!(newest > 0 && mine == theirs, "{mine:#?}\n{theirs:#?}");
    }
}

/// A buyer takes something and pays; the order's number.
async fn sell(shop: &Shop, slot: &str) -> String {
    shop.choose(slot);
    let asked = shop.wallet().scan_picture(&shop.code_on_screen().await).unwrap();
    shop.wallet().confirm(&asked.id).unwrap();
    shop.until_free().await;
    shop.newest_order().await
}

async fn queue(shop: &Shop) -> SyncStatus {
    Reader::open(&shop.scene.journal_path).unwrap().sync_status().await.unwrap()
}

/// Waits until the journal has the hub's word for all of it.
async fn until_acknowledged(shop: &Shop) {
    within("an empty queue", async {
        while queue(shop).await.waiting > 0 {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_sold_while_the_hub_is_away_waits_and_arrives_in_order_when_it_is_back() {
    let mut operator = Operator::open().await;
    operator.goes_away().await;
    let shop = operator.shop().await;
    sell(&shop, "11").await;
    sell(&shop, "12").await;
    let waiting = queue(&shop).await;
    assert_eq!((waiting.acknowledged, waiting.waiting), (0, waiting.newest));
    assert_eq!(waiting.amount.get(), WATER + TEA);
    assert_eq!(operator.control.acknowledged(TERMINAL), 0);
    operator.comes_back().await;
    operator.has_the_journal_of(&shop).await;
    until_acknowledged(&shop).await;
    // From now on a sale arrives by itself, in few requests.
    let before = operator.control.traffic().requests;
    sell(&shop, "11").await;
    operator.has_the_journal_of(&shop).await;
    let requests = operator.control.traffic().requests - before;
    assert!(requests <= 8, "{requests} requests for one sale");
    let paid = operator.control.books(|books| books.totals()[TERMINAL].paid);
    assert_eq!(paid, 2 * WATER + TEA);
}

#[tokio::test]
async fn killed_in_the_middle_of_a_batch_nothing_is_lost_and_nothing_arrives_twice() {
    let operator = Operator::open().await;
    let mut shop = operator.shop().await;
    let weather = Weather::fair().with(Fault::AnswerLost.on(Call::Entries));
    operator.control.set_weather(weather.with(Fault::Slow(300).on(Call::Entries)));
    sell(&shop, "11").await;
    operator.until("the first entries", |books| books.acknowledged(TERMINAL) > 0).await;
    shop.daemon.kill().await.unwrap();
    assert_eq!(queue(&shop).await.acknowledged, 0, "an answer that never came was taken for one");
    operator.control.set_weather(Weather::fair());
    shop.restart().await;
    sell(&shop, "12").await;
    operator.has_the_journal_of(&shop).await;
}

#[tokio::test]
async fn a_hub_that_hangs_holds_up_no_sale() {
    let operator = Operator::open().await;
    let shop = operator.shop().await;
    operator.control.set_weather(Weather::fair().with(Fault::Slow(600_000)));
    for _ in 0..2 {
        let order = sell(&shop, "11").await;
        shop.order_until(&order, &["completed"]).await;
    }
    assert_eq!(operator.control.acknowledged(TERMINAL), 0);
}

#[tokio::test]
async fn a_terminal_that_the_hub_does_not_know_sells_says_so_and_is_heard_once_it_joined() {
    let operator = Operator::open().await;
    let shop = Shop::open_with(|options| options.extra_config = operator.config(), None).await;
    sell(&shop, "11").await;
    shop.fault_until("hub", true).await;
    assert_eq!(shop.get("/v1/queue").await["link"], "refused");
    assert!(!join(&shop, "no such code").await);
    assert!(join(&shop, &operator.control.join_code()).await);
    operator.has_the_journal_of(&shop).await;
    shop.fault_until("hub", false).await;
}

/// `till hub join`; whether the hub let the terminal in.
async fn join(shop: &Shop, code: &str) -> bool {
    let mut command = tokio::process::Command::new(shop::PROGRAM);
    command.args(["hub", "join", "--code", code, "--config"]).arg(&shop.scene.config_path);
    command.env("STATE_DIRECTORY", &shop.scene.dir).env("RUNTIME_DIRECTORY", &shop.scene.dir);
    within("the join", command.output()).await.unwrap().status.success()
}

#[tokio::test]
async fn an_entry_that_the_hub_refuses_is_set_aside_and_the_rest_goes_on() {
    let operator = Operator::open().await;
    operator.control.refuse(Rule::kind("vend_ended", "odd_vend"));
    let mut shop = operator.shop().await;
    let order = sell(&shop, "11").await;
    sell(&shop, "12").await;
    until_acknowledged(&shop).await;
    shop.fault_until("hub", true).await;
    let aside = queue(&shop).await.set_aside;
    assert_eq!(aside.len(), 2, "{aside:?}");
    assert_eq!((aside[0].order.as_str(), aside[0].code.as_str()), (order.as_str(), "odd_vend"));
    assert_eq!(operator.control.books(|books| books.refused(TERMINAL).len()), 2);
    // It comes back with each start until a person has seen it, and then no more.
    shop.daemon.stop().await.unwrap();
    shop.restart().await;
    shop.fault_until("hub", true).await;
    assert_eq!(shop.call(reqwest::Method::DELETE, "/v1/faults/hub", None).await.0, 200);
    shop.fault_until("hub", false).await;
    within("the mark of it", async {
        let journal = rusqlite::Connection::open(&shop.scene.journal_path).unwrap();
        let seen = "SELECT count(*) FROM set_aside_seen";
        while journal.query_row(seen, [], |row| row.get::<_, i64>(0)).unwrap() < 2 {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    })
    .await;
    shop.daemon.stop().await.unwrap();
    shop.restart().await;
    operator.control.refuse_nothing();
    sell(&shop, "11").await;
    until_acknowledged(&shop).await;
    shop.fault_until("hub", false).await;
    assert_eq!(queue(&shop).await.set_aside.len(), 2);
}

/// Fills a journal with closed orders up to about `bytes`, on a thread that has a runtime of its own.
fn fill(path: &Path, bytes: u64) {
    let fill = async {
        let journal = Journal::open(path).unwrap().journal;
        let mut mint = IdMint::new([7; 32]);
        while journal.used_bytes().await.unwrap() < bytes {
            let batch = (0..50).flat_map(|_| expired_order(mint.order()));
            journal.append(batch.collect()).await.unwrap();
        }
    };
    let run = || tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(fill);
    std::thread::scope(|scope| scope.spawn(run).join().unwrap());
}

fn expired_order(order: OrderId) -> [NewEntry; 2] {
    // 2026-01-01: later than any Till was built, and before today.
    let at = Wall { ms: 1_767_225_600_000, trusted: true };
    let opened = Entry::OrderOpened {
        order,
        amount: Fen::new(WATER),
        currency: "CNY".to_owned(),
        items: Vec::new(),
        who_scans: WhoScans::Either,
        origin: Origin::Api,
        subject: "x".repeat(6_000),
        pay_within_ms: 60_000,
        down_payment: Fen::ZERO,
        instalment: None,
        reference: None,
        idempotency: None,
    };
    let closed = Entry::OrderClosed { order, ending: Ending::Expired };
    [
        NewEntry { at, entry: opened, state: OrderState::Waiting },
        NewEntry { at, entry: closed, state: OrderState::Expired },
    ]
}

#[tokio::test]
async fn at_its_limit_of_disk_the_machine_sells_nothing_until_the_hub_has_taken_what_is_in_the_journal() {
    const LIMIT: u64 = 16 << 20;
    let mut operator = Operator::open().await;
    operator.goes_away().await;
    let prepare = |options: &mut SceneOptions| {
        let key = TerminalKey::load_or_make(&options.dir.join("hub.key")).unwrap();
        operator.let_in(&key);
        options.extra_config = format!("{}[journal]\nlimit_mb = 16\n", operator.config());
        fill(&options.dir.join("till.db"), LIMIT);
    };
    let shop = Shop::open_with(prepare, None).await;
    shop.fault_until("journal-full", true).await;
    let wanted = json!({"amount": WATER, "currency": "CNY", "items": [{"slot": "11"}], "who_scans": "either"});
    let (status, refusal) = shop.call(reqwest::Method::POST, "/v1/orders", Some(wanted)).await;
    assert_eq!(status, 503, "{refusal}");
    let before = queue(&shop).await;
    assert_eq!((before.acknowledged, before.waiting), (0, before.newest), "something was dropped to make room");

    operator.comes_back().await;
    shop.fault_until("journal-full", false).await;
    operator.until("every entry at the hub", |books| books.acknowledged(TERMINAL) == before.newest).await;
    assert!(queue(&shop).await.used_bytes < LIMIT);
    let order = sell(&shop, "11").await;
    shop.order_until(&order, &["completed"]).await;
    until_acknowledged(&shop).await;
    let places: Vec<u64> = operator.control.entries(TERMINAL).iter().map(|entry| entry.seq).collect();
    assert!(places.iter().copied().eq(1..=queue(&shop).await.newest));
}

#[tokio::test]
async fn a_machine_that_was_switched_off_before_its_full_journal_was_emptied_empties_it_at_the_next_start() {
    const LIMIT: u64 = 16 << 20;
    let operator = Operator::open().await;
    let prepare = |options: &mut SceneOptions| {
        let key = TerminalKey::load_or_make(&options.dir.join("hub.key")).unwrap();
        operator.let_in(&key);
        options.extra_config = format!("{}[journal]\nlimit_mb = 16\n", operator.config());
        let path = options.dir.join("till.db");
        fill(&path, LIMIT);
        all_is_the_hubs(&path);
    };
    let shop = Shop::open_with(prepare, None).await;
    // Nothing waits for the hub, so nothing will be acknowledged either.
    let before = queue(&shop).await;
    assert_eq!(before.waiting, 0);
    shop.fault_until("journal-full", false).await;
    within("room", async {
        while queue(&shop).await.used_bytes >= LIMIT / 10 * 9 {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    })
    .await;
    // The first order is gone, and nothing can happen to it any more: the run goes on.
    let gone = IdMint::new([7; 32]).order();
    let (status, words) = shop.call(reqwest::Method::GET, &format!("/v1/orders/{gone}"), None).await;
    assert!(status == 404 && words["detail"].as_str().unwrap().contains("the hub has it"), "{words}");
    let refund = operator.control.order_refund(TERMINAL, gone.as_str(), None);
    let (outcome, why) = operator.result_of(refund).await;
    assert!(outcome == "refused" && why.contains("keep_days"), "{outcome} {why}");
    assert!(shop.daemon.pid().is_some());
}

/// As if the hub had taken the whole journal.
fn all_is_the_hubs(path: &Path) {
    let mark = async {
        let opened = Journal::open(path).unwrap();
        opened.journal.acknowledge(opened.last.unwrap().0, Vec::new()).await.unwrap();
    };
    let run = || tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(mark);
    std::thread::scope(|scope| scope.spawn(run).join().unwrap());
}

#[tokio::test]
async fn several_commands_of_one_answer_are_done_in_one_run_and_one_restart_serves_all() {
    let operator = Operator::open().await;
    let mut shop = operator.shop().await;
    let order = sell(&shop, "11").await;
    until_acknowledged(&shop).await;
    shop.daemon.stop().await.unwrap();
    let restart = operator.control.restart(TERMINAL);
    let config = operator.control.send_config(TERMINAL, "[terminal]\nmerchant = \"New name\"\n");
    let refund = operator.control.order_refund(TERMINAL, &order, None);
    let again = operator.control.restart(TERMINAL);
    shop.daemon = Daemon::start(&Launch::on(shop::PROGRAM, &shop.scene)).unwrap();
    let ended = within("the restart", shop.daemon.ended()).await.unwrap();
    assert_eq!((ended.code(), queue(&shop).await.handled), (Some(75), again), "not all was done in one run");
    shop.restart().await;
    for number in [restart, config, refund, again] {
        assert_eq!(operator.result_of(number).await.0, "done");
    }
    shop.order_until(&order, &["refunded"]).await;
    assert_eq!(shop.gateway().ledger().net_fen(), 0);
    assert!(shop.daemon.pid().is_some(), "a restart was done twice");
}

#[tokio::test]
async fn the_operator_orders_a_refund_and_the_money_goes_back_once() {
    let operator = Operator::open().await;
    let mut shop = operator.shop().await;
    let order = sell(&shop, "11").await;
    let sold = queue(&shop).await.newest;
    // Killed when the refund is in the journal and the command is not noted as done.
    shop.daemon.stop().await.unwrap();
    let point = format!("after:{}", sold + 1);
    shop.daemon = Daemon::start(&Launch::on(shop::PROGRAM, &shop.scene).with("TILL_CRASH", point)).unwrap();
    let number = operator.control.order_refund(TERMINAL, &order, None);
    within("the kill", shop.daemon.ended()).await.unwrap();
    assert_eq!((queue(&shop).await.handled, queue(&shop).await.newest), (0, sold + 1));
    shop.restart().await;
    assert_eq!(operator.result_of(number).await.0, "done");
    shop.order_until(&order, &["refunded"]).await;
    shop.ledger_until("one refund", |ledger: &Ledger| ledger.net_fen() == 0).await;
    assert_eq!(queue(&shop).await.handled, number);
    // The same again under another number: there is nothing left.
    let again = operator.control.order_refund(TERMINAL, &order, None);
    assert_eq!(operator.result_of(again).await.0, "refused");
    assert_eq!(shop.gateway().ledger().net_fen(), 0);
}

/// The journal's file and what stands beside it, as a backup takes it and brings it back.
fn copy_journal(from: &Path, to: &Path) {
    for end in ["", "-wal", "-shm"] {
        let (from, to) = (format!("{}{end}", from.display()), format!("{}{end}", to.display()));
        match Path::new(&from).exists() {
            true => drop(std::fs::copy(from, to).unwrap()),
            false => drop(std::fs::remove_file(to)),
        }
    }
}

#[tokio::test]
async fn a_journal_from_a_backup_does_no_command_again_and_says_so() {
    let operator = Operator::open().await;
    let mut shop = operator.shop().await;
    let order = sell(&shop, "11").await;
    until_acknowledged(&shop).await;
    let backup = shop.scene.dir.join("backup.db");
    shop.daemon.stop().await.unwrap();
    copy_journal(&shop.scene.journal_path, &backup);
    shop.restart().await;
    let number = operator.control.order_refund(TERMINAL, &order, Some(100));
    assert_eq!(operator.result_of(number).await.0, "done");
    shop.ledger_until("the refund", |ledger: &Ledger| ledger.net_fen() == WATER - 100).await;
    until_acknowledged(&shop).await;
    shop.daemon.stop().await.unwrap();
    copy_journal(&backup, &shop.scene.journal_path);
    shop.restart().await;
    // Nothing waits for the hub, and nobody buys: it shows all the same.
    shop.fault_until("hub", true).await;
    let newer = operator.control.order_refund(TERMINAL, &order, Some(50));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(operator.control.books(|books| books.result(TERMINAL, newer)), None);
    assert_eq!((queue(&shop).await.handled, shop.gateway().ledger().net_fen()), (0, WATER - 100));
}

#[tokio::test]
async fn a_command_that_the_operator_did_not_sign_is_refused_and_nothing_of_it_is_done() {
    let operator = Operator::open().await;
    let shop = operator.shop().await;
    let order = sell(&shop, "11").await;
    let refund = json!({ "kind": "refund", "order": order });
    let thief = OperatorKey::from_seed(&[66; 32]);
    let forged = operator.control.queue(TERMINAL, |_, number| thief.command(TERMINAL, number, 0, &refund));
    let misled = operator.control.queue(TERMINAL, |key, number| key.command("SIM-0002", number, 0, &refund));
    let replayed = operator.control.queue(TERMINAL, |key, number| key.command(TERMINAL, number - 1, 0, &refund));
    for number in [forged, misled, replayed] {
        let (outcome, detail) = operator.result_of(number).await;
        assert!(outcome == "refused" && !detail.is_empty(), "{number}: {outcome} {detail}");
    }
    assert_eq!(shop.gateway().ledger().net_fen(), WATER);
}

#[tokio::test]
async fn a_config_of_the_operator_is_checked_whole_and_in_force_after_a_restart_between_two_customers() {
    let operator = Operator::open().await;
    let mut shop = operator.shop().await;
    let bad = operator.control.send_config(TERMINAL, "[channels.alipay]\ngateway_url = \"https://thief.example\"\n");
    let (outcome, why) = operator.result_of(bad).await;
    assert!(outcome == "refused" && why.contains("not for the hub"), "{outcome} {why}");
    // Somebody is buying: the restart waits.
    shop.choose("11");
    let picture = shop.code_on_screen().await;
    let good = operator.control.send_config(TERMINAL, "[terminal]\nmerchant = \"New name\"\n");
    assert_eq!(operator.result_of(good).await.0, "done");
    let asked = shop.wallet().scan_picture(&picture).unwrap();
    shop.wallet().confirm(&asked.id).unwrap();
    let ended = within("the restart", shop.daemon.ended()).await.unwrap();
    assert_eq!(ended.code(), Some(75));
    assert_eq!(shop.fallen(), 1, "the customer was left alone");
    shop.restart().await;
    let stored = std::fs::read_to_string(shop.scene.dir.join("hub.toml")).unwrap();
    assert!(stored.contains("New name"));
    sell(&shop, "12").await;
    operator.has_the_journal_of(&shop).await;
    assert!(shop.daemon.pid().is_some(), "a command was done twice");
}

#[tokio::test]
async fn a_restart_and_a_send_now_are_done_once() {
    let operator = Operator::open().await;
    let mut shop = operator.shop().await;
    let number = operator.control.restart(TERMINAL);
    let ended = within("the restart", shop.daemon.ended()).await.unwrap();
    assert_eq!(ended.code(), Some(75));
    shop.restart().await;
    assert_eq!(operator.result_of(number).await.0, "done");
    // A hub that asks for an hour, and then wants it now.
    let busy = Weather::fair().with(Fault::busy(3_600).on(Call::Entries).times(1));
    operator.control.set_weather(busy);
    sell(&shop, "11").await;
    within("the wait that the hub asks for", async {
        while shop.get("/v1/queue").await["next_try_in_s"].as_u64().is_none_or(|wait| wait < 1_800) {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    })
    .await;
    let now = operator.control.send_now(TERMINAL);
    operator.has_the_journal_of(&shop).await;
    assert_eq!(operator.result_of(now).await.0, "done");
    assert!(shop.daemon.pid().is_some());
}
