//! The real program on a disk of its own that fills up or turns read-only: no sale starts, the screen says why, nothing
//! leaves without its entry, and all goes on by itself once the disk is back.
//!
//! Each story runs in a process of its own, which the test starts from its own binary, in a private mount namespace with
//! a small file system. Where the system allows no such namespace, the test says so loudly and proves nothing.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "program/shop.rs"]
#[expect(dead_code, reason = "other stories need more of the shop")]
mod shop;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use hal::Key;
use hal::display::Frame;
use payment::engine::view::{ServiceFault, View};
use reqwest::Method;
use serde_json::{Value, json};
use shop::{PROGRAM, Shop, WATER, decode, within};
use till::demo::child::{Daemon, Launch};
use till::screen::{self, Language, Look};

/// Where the small file system is; set only in the process of its own.
const PLACE: &str = "TILL_TEST_DISK";

/// The small file system's size: a journal, and the free space without which no sale starts.
const SIZE: &str = "6m";

/// The whole story of a test: this process looks on, or plays it.
fn on_a_small_disk(name: &str, story: impl AsyncFnOnce(Disk)) {
    match std::env::var_os(PLACE) {
        Some(place) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(story(Disk(place.into())));
        }
        None => play(name),
    }
}

/// Plays the test `name` again in a private mount namespace.
fn play(name: &str) {
    let place = tempfile::tempdir().unwrap();
    let unshared = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--map-root-user", "sh", "-c", script]);
        command.arg(std::env::current_exe().unwrap()).env(PLACE, place.path());
        command
    };
    let mount = format!("mount -t tmpfs -o size={SIZE} tmpfs \"${PLACE}\"");
    if !unshared(&mount).output().is_ok_and(|tried| tried.status.success()) {
        // Not by a macro: what those print in a test that passes, nobody sees.
        let _said = writeln!(std::io::stderr(), "SKIPPED: {name}: this system allows no private mount namespace");
        return;
    }
    let output = unshared(&format!("{mount} && exec \"$0\" --exact {name} --nocapture")).output().unwrap();
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{complained}");
    assert!(said.contains("1 passed"), "the story was not found: {said}");
}

/// The small file system. Only the journal is on it.
struct Disk(PathBuf);

impl Disk {
    fn journal(&self) -> PathBuf {
        self.0.join("till.db")
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }

    /// Fills it to the last page.
    fn fill(&self) {
        let mut ballast = std::fs::File::create(self.ballast()).unwrap();
        while ballast.write_all(&[0; 4096]).is_ok() {}
    }

    fn free(&self) {
        std::fs::remove_file(self.ballast()).unwrap();
    }

    fn remount(&self, how: &str) {
        let done = Command::new("mount").args(["-o", &format!("remount,{how}")]).arg(&self.0).status();
        assert!(done.unwrap().success(), "mount -o remount,{how}");
    }

    async fn shop(&self) -> Shop {
        let config = format!("[journal]\npath = {:?}\n", self.journal().to_str().unwrap());
        Shop::open_with(|options| options.extra_config = config, None).await
    }
}

/// What the screen shows while the journal cannot be written.
fn out_of_service(width: u32, height: u32) -> Frame {
    let look = Look {
        language: Language::English,
        merchant: till::demo::scene::MERCHANT.to_owned(),
        support: Some("400-000-0000".to_owned()),
    };
    let mut frame = Frame::new(width, height);
    let Ok(()) = screen::draw(&View::OutOfService { reason: ServiceFault::Storage }, &look, &mut frame);
    frame
}

async fn screen_says_out_of_service(shop: &Shop) {
    let mut frames = shop.scene.machine.frames();
    let says = |frame: &Frame| *frame == out_of_service(frame.width(), frame.height());
    within("the screen to say why", frames.wait_for(|frame| frame.as_deref().is_some_and(says))).await.unwrap();
}

async fn open(shop: &Shop) -> (u16, Value) {
    let body = json!({"amount": WATER, "currency": "CNY", "items": [{"slot": "11"}]});
    shop.call(Method::POST, "/v1/orders", Some(body)).await
}

/// The buyer has what was paid for, once, and the journal is as it was written.
async fn one_sale(shop: &Shop, order: &str, journal: &Path) {
    shop.order_until(order, &["completed"]).await;
    assert_eq!(shop.gateway().ledger().net_fen(), WATER);
    assert_eq!((shop.fallen(), shop.scene.machine.state().motor_starts()), (1, 1));
    let verified = Command::new(PROGRAM).args(["journal", "verify"]).arg(journal).output().unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

async fn pay(shop: &Shop) {
    let asked = shop.wallet().scan_picture(&shop.code_on_screen().await).unwrap();
    shop.wallet().confirm(&asked.id).unwrap();
}

#[test]
fn on_a_full_disk_no_sale_starts_the_screen_says_so_and_it_heals_by_itself() {
    on_a_small_disk("on_a_full_disk_no_sale_starts_the_screen_says_so_and_it_heals_by_itself", async |disk| {
        let shop = disk.shop().await;
        disk.fill();
        let asked_before = shop.gateway().calls().len();
        let (status, refused) = open(&shop).await;
        assert_eq!((status, &refused["code"]), (503, &json!("journal_not_writable")), "{refused}");
        screen_says_out_of_service(&shop).await;
        let (status, refused) = open(&shop).await;
        assert_eq!((status, &refused["code"]), (503, &json!("out_of_service")), "{refused}");
        shop.choose("11");
        let terminal = shop.get("/v1/terminal").await;
        assert_eq!((&terminal["selling"], &terminal["blocking"]["name"]), (&json!(false), &json!("storage")));
        let (status, refused) = shop.call(Method::POST, "/v1/audit/reset", None).await;
        assert_eq!((status, &refused["code"]), (503, &json!("journal_not_writable")), "{refused}");
        // A fault is no entry: a technician can switch selling off and on meanwhile.
        for method in [Method::PUT, Method::DELETE] {
            assert_eq!(shop.call(method, "/v1/faults/switched-off", None).await.0, 200);
        }
        shop.until_no_code_is_shown().await;
        assert_eq!(shop.gateway().calls().len(), asked_before, "the gateway was asked for an order without an entry");
        assert_eq!(shop.get("/v1/orders").await["orders"], json!([]));

        disk.free();
        shop.fault_until("storage", false).await;
        // What was typed at the dead machine.
        shop.press(Key::Cancel);
        shop.choose("11");
        pay(&shop).await;
        one_sale(&shop, &shop.newest_order().await, &disk.journal()).await;
    });
}

#[test]
fn a_payment_that_cannot_be_recorded_delivers_nothing_and_is_told_to_nobody_until_it_can() {
    let name = "a_payment_that_cannot_be_recorded_delivers_nothing_and_is_told_to_nobody_until_it_can";
    on_a_small_disk(name, async |disk| {
        let shop = disk.shop().await;
        let order = shop.order("11", WATER, "buyer_scans").await;
        let picture = shop.code_on_screen().await;
        disk.fill();
        let asked = shop.wallet().scan_picture(&picture).unwrap();
        shop.wallet().confirm(&asked.id).unwrap();
        shop.fault_until("storage", true).await;
        let told = shop.get(&format!("/v1/orders/{order}")).await;
        assert_eq!((&told["state"], &told["paid"]), (&json!("waiting"), &json!(0)), "{told}");
        assert_eq!(shop.scene.machine.state().motor_starts(), 0);
        let mut frames = shop.scene.machine.frames();
        let no_code = |frame: &Frame| decode(frame).is_none();
        within("the code to go", frames.wait_for(|frame| frame.as_deref().is_some_and(no_code))).await.unwrap();

        disk.free();
        one_sale(&shop, &order, &disk.journal()).await;
    });
}

#[test]
fn a_daemon_that_starts_on_a_read_only_disk_says_so_on_the_screen_and_waits_for_it() {
    let name = "a_daemon_that_starts_on_a_read_only_disk_says_so_on_the_screen_and_waits_for_it";
    on_a_small_disk(name, async |disk| {
        let mut shop = disk.shop().await;
        assert!(shop.daemon.stop().await.unwrap().success());
        disk.remount("ro");
        shop.daemon = Daemon::start(&Launch::on(PROGRAM, &shop.scene)).unwrap();
        screen_says_out_of_service(&shop).await;
        assert!(!shop.daemon.told().borrow().ready);

        disk.remount("rw");
        within("the daemon", shop.daemon.ready()).await.unwrap();
        shop.fault_until("machine", false).await;
        let order = shop.order("11", WATER, "buyer_scans").await;
        pay(&shop).await;
        one_sale(&shop, &order, &disk.journal()).await;
    });
}
