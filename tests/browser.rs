//! The demo's page in headless Chromium: a person buys by clicking. Skipped, loudly, where there is no Chromium.
//!
//! On Debian: `apt-get install chromium chromium-driver`.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// Much longer than anything here takes.
const LIMIT: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A program that ends with its test.
struct Running {
    child: Child,
    /// What stands behind the words that it was started for.
    answer: String,
}

impl Running {
    /// Starts it and waits for the line that holds `before`; the answer is the word behind that. When it ends without saying
    /// so, its last words.
    async fn start(command: &mut Command, before: &str) -> Result<Self, String> {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn().expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut last = String::new();
        let reading = async {
            while let Some(line) = lines.next_line().await.expect("text") {
                if let Some((_, behind)) = line.split_once(before) {
                    let word = behind.split_whitespace().next().unwrap_or_default();
                    return Ok(word.trim_end_matches('.').to_owned());
                }
                last = line;
            }
            Err(last)
        };
        let answer = tokio::time::timeout(LIMIT, reading).await.expect("in time")?;
        // Whoever goes on writing must not meet a closed pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { child, answer })
    }

    /// A driver takes any port that is free for IPv6, and ends when somebody has that one for IPv4.
    async fn start_driver(driver: &Path) -> Self {
        loop {
            match Self::start(Command::new(driver).arg("--port=0"), "started successfully on port ").await {
                Ok(driver) => return driver,
                Err(last) => assert!(last.contains("port not available"), "the driver ended: {last}"),
            }
        }
    }

    fn pid(&self) -> Pid {
        let id = self.child.id().expect("it runs");
        Pid::from_raw(i32::try_from(id).expect("a process number")).expect("not zero")
    }

    /// SIGTERM; tells whether it ended well.
    async fn stop(mut self) -> bool {
        kill_process(self.pid(), Signal::TERM).expect("it runs");
        let ended = tokio::time::timeout(LIMIT, self.child.wait()).await;
        ended.expect("in time").expect("an end").success()
    }
}

/// The demo, and a browser in front of it.
struct Visit {
    page: Client,
    driver: Running,
    demo: Running,
    _profile: tempfile::TempDir,
}

fn installed(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

fn capabilities(chromium: &Path, profile: &Path) -> Capabilities {
    let switches = [
        "headless=new",
        "no-sandbox",
        "disable-gpu",
        "disable-quic",
        "no-first-run",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
        "disable-dev-shm-usage",
        "hide-scrollbars",
        "window-size=1280,943",
    ];
    let profile = format!("user-data-dir={}", profile.display());
    let switches: Vec<&str> = switches.into_iter().chain([profile.as_str()]).collect();
    let options = json!({ "binary": chromium, "args": switches });
    [("goog:chromeOptions".to_owned(), options)].into_iter().collect()
}

impl Visit {
    /// `None` when there is no browser to go with.
    async fn begin() -> Option<Self> {
        let (Some(chromium), Some(driver)) = (installed("chromium"), installed("chromedriver")) else {
            // Not by a macro: what those print in a test that passes, nobody sees.
            let why = "no Chromium. Install it with: apt-get install chromium chromium-driver";
            let _said = writeln!(std::io::stderr(), "SKIPPED: the demo in a browser: {why}");
            return None;
        };
        let mut command = Command::new(env!("CARGO_BIN_EXE_till"));
        command.args(["demo", "--port", "0"]);
        let demo = Running::start(&mut command, "http://").await.expect("the demo");
        let driver = Running::start_driver(&driver).await;
        let profile = tempfile::tempdir().expect("a folder");
        let page = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities(&chromium, profile.path()))
            .connect(&format!("http://127.0.0.1:{}", driver.answer))
            .await
            .expect("a browser");
        page.goto(&format!("http://{}", demo.answer)).await.expect("the page");
        let visit = Self { page, driver, demo, _profile: profile };
        visit.until("#daemon[data-phase=ready]").await;
        Some(visit)
    }

    /// Waits for an element that this CSS selects.
    async fn until(&self, css: &str) {
        let wait = self.page.wait().at_most(LIMIT).every(LOOK_EVERY);
        let found = wait.for_element(Locator::Css(css)).await;
        assert!(found.is_ok(), "the page never showed {css}");
    }

    async fn is_there(&self, css: &str) -> bool {
        let found = self.page.find_all(Locator::Css(css)).await;
        !found.expect("an answer").is_empty()
    }

    async fn text(&self, css: &str) -> String {
        let found = self.page.find(Locator::Css(css)).await;
        found.expect("it is there").text().await.expect("text")
    }

    async fn click(&self, id: &str) {
        let button = self.page.find(Locator::Id(id)).await.expect("the button");
        button.click().await.expect("a click");
        self.until("html:not([data-acting])").await;
    }

    async fn choose(&self, slot: &str) {
        for digit in slot.chars() {
            self.click(&format!("key-{digit}")).await;
        }
        self.click("key-ok").await;
    }

    /// Clicks what this CSS selects.
    async fn press(&self, css: &str) {
        let button = self.page.find(Locator::Css(css)).await.expect("the button");
        button.click().await.expect("a click");
        self.until("html:not([data-acting])").await;
    }

    /// Shows the open app's pay code to the scanner.
    async fn pay_by_code(&self) {
        self.until("#scanner.armed").await;
        self.click("show-code").await;
        self.until("#code:not([hidden])").await;
        self.click("hold-code").await;
    }

    /// Opens an app and scans the screen with it.
    async fn scan_with(&self, app: &str) {
        self.click(&format!("app-{app}")).await;
        self.until(&format!("#phone[data-app={app}]")).await;
        self.scan_the_screen().await;
    }

    /// Holds the camera to the screen until there is a code on it.
    async fn scan_the_screen(&self) {
        let scanning = async {
            while !self.is_there("#ask:not([hidden])").await {
                self.click("scan-screen").await;
            }
        };
        tokio::time::timeout(LIMIT, scanning).await.expect("a code on the screen");
    }

    async fn end(self) {
        assert!(!self.is_there("html[data-broken]").await, "the page's script failed");
        self.page.close().await.expect("the browser closes");
        self.driver.stop().await;
        assert!(self.demo.stop().await, "the demo ends in order");
    }
}

#[tokio::test]
async fn a_person_buys_by_scanning_the_screen() {
    let Some(visit) = Visit::begin().await else {
        return;
    };
    visit.choose("11").await;
    visit.scan_the_screen().await;
    assert_eq!(visit.text("#ask-amount").await, "¥2.00");
    visit.click("confirm").await;

    visit.until("#bay[data-count='1']").await;
    visit.until("#state-completed[data-count='1']").await;
    assert!(visit.is_there("#bay [data-testid=bay-item]").await);
    assert!(visit.is_there("#slot-11[data-stock='7']").await);
    for (id, amount) in [("charged", "¥2.00"), ("refunded", "¥0.00"), ("net", "¥2.00"), ("worth", "¥2.00")] {
        assert_eq!(visit.text(&format!("#{id}")).await, amount, "{id}");
    }
    assert!(visit.is_there("#verdict.good").await);
    visit.end().await;
}

#[tokio::test]
async fn a_person_pays_by_pay_code_and_a_jam_gives_the_money_back() {
    let Some(visit) = Visit::begin().await else {
        return;
    };
    visit.click("jam-12").await;
    visit.choose("12").await;
    visit.pay_by_code().await;

    visit.until("#payments .back").await;
    assert!(visit.is_there("#bay[data-count='0']").await);
    for (id, amount) in [("charged", "¥4.50"), ("refunded", "¥4.50"), ("net", "¥0.00"), ("worth", "¥0.00")] {
        assert_eq!(visit.text(&format!("#{id}")).await, amount, "{id}");
    }
    visit.end().await;
}

#[tokio::test]
async fn a_killed_daemon_comes_back_and_sells() {
    let Some(visit) = Visit::begin().await else {
        return;
    };
    visit.choose("13").await;
    visit.scan_the_screen().await;
    visit.click("kill").await;
    visit.until("#daemon[data-phase=dead]").await;
    visit.click("confirm").await;
    visit.until("#daemon[data-phase=ready][data-starts='2']").await;

    visit.until("#bay[data-count='1']").await;
    visit.until("#state-completed[data-count='1']").await;
    assert_eq!(visit.text("#net").await, "¥6.00");
    visit.end().await;
}

#[tokio::test]
async fn two_codes_stand_side_by_side_one_for_alipay_and_one_for_wechat() {
    let Some(visit) = Visit::begin().await else {
        return;
    };
    for (app, bought) in [("alipay", 1), ("wechat", 2)] {
        visit.choose("11").await;
        visit.scan_with(app).await;
        assert_eq!(visit.text("#ask-amount").await, "¥2.00");
        visit.click("confirm").await;
        visit.until(&format!("#bay[data-count='{bought}']")).await;
        visit.until(&format!("#state-completed[data-count='{bought}']")).await;
        visit.click("key-cancel").await;
    }
    visit.until("#verdict.good").await;
    assert_eq!(visit.text("#net-wechat").await, "¥2.00");
    assert_eq!(visit.text("#net-alipay").await, "¥2.00");
    assert_eq!(visit.text("#net-allinpay_vsp").await, "¥0.00");
    assert_eq!(visit.text("#balance").await, "¥198.00");
    visit.click("app-ecny").await;
    visit.until("#phone[data-app=ecny]").await;
    assert_eq!(visit.text("#balance").await, "¥200.00", "each app has its own money");
    visit.end().await;
}

#[tokio::test]
async fn a_person_pays_by_a_unionpay_code_and_gets_the_money_back_with_the_owners_word() {
    let Some(visit) = Visit::begin().await else {
        return;
    };
    visit.choose("21").await;
    visit.until("#scanner.armed").await;
    visit.click("app-union_pay").await;
    visit.until("#phone[data-app=union_pay]").await;
    visit.click("show-code").await;
    visit.until("#code:not([hidden])").await;
    assert!(visit.text("#digits").await.starts_with("62"));
    visit.click("hold-code").await;

    visit.until("#bay[data-count='1']").await;
    visit.until("#orders [data-does=refund]").await;
    assert_eq!(visit.text("#net-allinpay_vsp").await, "¥5.50");
    assert!(visit.is_there("#verdict.good").await);
    visit.press("#orders [data-does=refund]").await;
    visit.until("#orders [data-does=approve]").await;
    assert_eq!(visit.text("#refunded").await, "¥0.00", "nobody has approved");
    visit.press("#orders [data-does=approve]").await;
    visit.until("#payments .back").await;
    visit.until("#state-refunded").await;
    visit.until("#verdict.good").await;
    assert_eq!(visit.text("#net-allinpay_vsp").await, "¥0.00");
    assert_eq!(visit.text("#balance").await, "¥200.00");
    visit.end().await;
}

#[tokio::test]
async fn allinpay_stands_in_while_alipay_is_away() {
    let Some(visit) = Visit::begin().await else {
        return;
    };
    visit.click("alipay-away-true").await;
    visit.choose("13").await;
    visit.scan_with("alipay").await;
    visit.click("confirm").await;

    visit.until("#bay[data-count='1']").await;
    visit.until("#verdict.good").await;
    assert_eq!(visit.text("#net-allinpay_vsp").await, "¥6.00");
    assert_eq!(visit.text("#net-alipay").await, "¥0.00");
    visit.end().await;
}

#[tokio::test]
async fn the_digital_yuan_pays_the_one_code_for_all() {
    let Some(visit) = Visit::begin().await else {
        return;
    };
    visit.click("codes-one").await;
    visit.until("#daemon[data-phase=ready][data-starts='2']").await;
    // It takes its devices in a moment later, and keys that are pressed before that are lost.
    visit.until("#selling.good:not(:empty)").await;
    visit.choose("13").await;
    visit.scan_with("ecny").await;
    visit.click("confirm").await;
    visit.until("#bay[data-count='1']").await;
    visit.until("#verdict.good").await;
    assert_eq!(visit.text("#net-allinpay_vsp").await, "¥6.00");
    visit.end().await;
}

#[tokio::test]
async fn what_is_dear_is_paid_by_the_month() {
    let Some(visit) = Visit::begin().await else {
        return;
    };
    visit.choose("23").await;
    visit.until("#scanner.armed").await;
    visit.click("key-1").await;
    visit.pay_by_code().await;
    visit.until("#bay[data-count='1']").await;
    visit.until("#verdict.good").await;
    assert_eq!(visit.text("#net-alipay").await, "¥129.00");
    assert_eq!(visit.text("#balance").await, "¥200.00", "Huabei lent it");
    visit.end().await;
}

/// `cargo test --test browser -- --ignored picture` makes `docs/demo.png` anew.
#[tokio::test]
#[ignore = "writes docs/demo.png"]
async fn picture_of_the_demo() {
    let Some(visit) = Visit::begin().await else {
        return;
    };
    visit.choose("11").await;
    visit.scan_the_screen().await;
    visit.click("confirm").await;
    visit.until("#state-completed[data-count='1']").await;
    visit.click("key-cancel").await;
    visit.choose("21").await;
    visit.click("app-union_pay").await;
    visit.pay_by_code().await;
    visit.until("#state-completed[data-count='2']").await;
    visit.click("key-cancel").await;
    visit.choose("12").await;
    visit.scan_with("wechat").await;
    let picture = visit.page.screenshot().await.expect("a picture");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/demo.png");
    std::fs::write(file, picture).expect("docs/demo.png is written");
    visit.end().await;
}
