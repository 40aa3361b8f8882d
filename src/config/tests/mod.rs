//! Both files, from disk to [`Checked`] or to the report.

mod board;
mod channel;
mod channels;
mod hub;
mod laid_over;
mod sell;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use payment::engine::entry::{SlotId, WhoScans};
use payment::engine::settings::Pace;
use payment::money::Fen;
use tempfile::TempDir;

use super::*;

// The sandbox's published test vectors; worth nothing.
const OUR_KEY: &str = include_str!("../../../sandbox/keys/app_private_key.pem");
const OUR_PUBLIC_KEY: &str = include_str!("../../../sandbox/keys/app_public_key.pem");
const ALIPAY_KEY: &str = include_str!("../../../sandbox/keys/alipay_public_key.pem");
const OUR_CERT: &str = include_str!("../../../sandbox/keys/app_cert.pem");
const ALIPAY_CERT: &str = include_str!("../../../sandbox/keys/alipay_cert.pem");
const ROOT_CERTS: &str = include_str!("../../../sandbox/keys/root_certs.pem");

const SOUND: &str = r#"
[terminal]
id = "VM-0001"
support = "400-000-0000"
[[product]]
slot = "11"
name = "可乐"
price = "3.50"
[[product]]
slot = "12"
code = "WATER"
name = "水"
price = "2"
[channels.alipay]
gateway_url = "https://openapi.alipay.com/gateway.do"
app_id = "2021000000000000"
private_key_file = "app.pem"
public_key_file = "alipay.pem"
"#;

const BOARD: &str = r#"
name = "bench"
[display]
kind = "memory"
width = 320
height = 240
[scanner]
kind = "serial"
path = "scanner"
[gpio]
kind = "chardev"
[vend]
kind = "relay"
drop_sensor = { name = "GPIO24" }
[[vend.slots]]
name = "11"
line = { name = "GPIO17" }
[[vend.slots]]
name = "12"
line = { name = "GPIO18" }
[keypad]
kind = "buttons"
[[keypad.keys]]
key = "1"
line = { name = "GPIO10" }
"#;

/// A folder with both files and the keys.
struct Bench {
    folder: TempDir,
    env: Env,
}

impl Bench {
    fn new() -> Self {
        let bench = Self { folder: tempfile::tempdir().expect("a folder"), env: Env::default() };
        bench.put("app.pem", OUR_KEY, 0o600);
        bench.put("ours.pem", OUR_PUBLIC_KEY, 0o644);
        bench.put("alipay.pem", ALIPAY_KEY, 0o644);
        bench.put("app.crt", OUR_CERT, 0o644);
        bench.put("alipay.crt", ALIPAY_CERT, 0o644);
        bench.put("root.crt", ROOT_CERTS, 0o644);
        bench.put("token", &"7f".repeat(32), 0o600);
        bench
    }

    fn put(&self, name: &str, text: &str, mode: u32) {
        let path = self.folder.path().join(name);
        fs::write(&path, text).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("mode set");
    }

    fn load(&self, config: &str, board: &str) -> Result<Checked, Report> {
        self.put("till.toml", config, 0o644);
        self.put("board.toml", board, 0o644);
        load_in(&self.folder.path().join("till.toml"), &self.folder.path().join("board.toml"), &self.env)
    }

    fn report(&self, config: &str) -> Report {
        self.load(config, BOARD).expect_err("the config is wrong")
    }

    /// The keys of the errors.
    fn errors(&self, config: &str) -> Vec<String> {
        keys_of(&self.report(config), Severity::Error)
    }

    fn warnings(&self, config: &str, board: &str) -> Vec<String> {
        keys_of(&self.load(config, board).expect("sound").warnings, Severity::Warning)
    }
}

fn keys_of(report: &Report, severity: Severity) -> Vec<String> {
    let problems = report.problems().iter().filter(|problem| problem.severity == severity);
    problems.map(|problem| problem.key.clone()).collect()
}

fn in_section(section: &str, line: &str) -> String {
    let header = format!("[{section}]\n");
    match SOUND.contains(&header) {
        true => SOUND.replace(&header, &format!("{header}{line}\n")),
        false => format!("{SOUND}{header}{line}\n"),
    }
}

fn slot(name: &str) -> SlotId {
    SlotId::new(name).expect("a slot")
}

fn with_gateway(url: &str, mode: &str) -> String {
    in_section("terminal", &format!("mode = \"{mode}\"")).replace("https://openapi.alipay.com/gateway.do", url)
}

#[test]
fn a_sound_config_is_read_with_its_defaults() {
    let bench = Bench::new();
    let checked = bench.load(SOUND, BOARD).expect("sound");
    assert_eq!(checked.settings.pace, Pace::default());
    assert_eq!(checked.settings.who_scans, WhoScans::Either);
    assert!(checked.settings.has_scanner);
    assert_eq!(checked.channels.len(), 1);
    assert_eq!(checked.settings.products[&slot("11")].price, Fen::new(350));
    assert_eq!(checked.settings.products[&slot("11")].code, "11");
    assert_eq!(checked.settings.products[&slot("12")].price, Fen::new(200));
    assert_eq!(checked.terminal.name, "VM-0001");
    assert_eq!(checked.terminal.mode, Mode::Production);
    assert_eq!(checked.journal, Path::new("/var/lib/till/till.db"));
    assert_eq!(checked.api.socket, Path::new("/run/till/till.sock"));
    assert!(checked.api.tcp.is_none());
    assert_eq!(checked.board.scanner.path.as_deref(), Some(Path::new("/run/till/scanner")));
    assert!(checked.warnings.is_empty(), "{}", checked.warnings);
}

#[test]
fn the_example_is_sound_and_shows_every_key_with_its_default() {
    let bench = Bench::new();
    let example = include_str!("../../../till.example.toml");
    fs::create_dir(bench.folder.path().join("keys")).expect("a folder");
    bench.put("keys/alipay_public_key.pem", ALIPAY_KEY, 0o644);
    bench.put("alipay-private-key", OUR_KEY, 0o440);
    let bench =
        Bench { env: Env { credentials_directory: Some(bench.folder.path().to_owned()), ..Env::default() }, ..bench };
    let written = bench.load(example, BOARD).unwrap_or_else(|report| panic!("{report}"));
    assert!(written.warnings.is_empty(), "{}", written.warnings);
    for setting in written.effective.settings() {
        let name = setting.key.rsplit('.').next().expect("a name");
        let default = format!("# {name} = {}", setting.value);
        let is_shown = match setting.origin {
            Origin::Line(_) | Origin::HubLine(_) => true,
            Origin::Default | Origin::Derived | Origin::Environment(_) => {
                example.lines().any(|line| line.starts_with(&default))
            }
        };
        assert!(is_shown, "the example does not say {default}");
    }
}

#[test]
fn every_key_is_in_the_example_and_in_the_reference() {
    let example = include_str!("../../../till.example.toml");
    let reference = include_str!("../../../docs/configuration.md");
    let sections = [
        raw::Terminal::KEYS,
        raw::Journal::KEYS,
        raw::Api::KEYS,
        raw::Sell::KEYS,
        raw::Product::KEYS,
        raw::Route::KEYS,
        raw::Refunds::KEYS,
        raw::Instalments::KEYS,
        raw::Plan::KEYS,
        raw::Pace::KEYS,
        raw::Alipay::KEYS,
        raw::Wechat::KEYS,
        raw::AllinpayVsp::KEYS,
        raw::AllinpayYst::KEYS,
        raw::SplitRow::KEYS,
        raw::CodeMeaning::KEYS,
        raw::Http::KEYS,
        raw::Hub::KEYS,
        raw::Operator::KEYS,
        raw::Vouchers::KEYS,
        raw::Log::KEYS,
    ];
    for key in sections.into_iter().flatten() {
        let is_example = |line: &str| line.trim_start_matches("# ").starts_with(&format!("{key} = "));
        assert!(example.lines().any(is_example), "till.example.toml does not show {key}");
        assert!(reference.contains(&format!("\n| `{key}` | ")), "docs/configuration.md does not explain {key}");
    }
}

#[test]
fn every_problem_of_both_files_is_reported_at_once_with_its_place() {
    let bench = Bench::new();
    let config = SOUND
        .replace("support =", "suport =")
        .replace("\"3.50\"", "3.50")
        .replace("id = \"VM-0001\"", "id = 7")
        .replace("2021000000000000", "2088000000000000")
        .replace("\"app.pem\"", "\"nothing.pem\"");
    let board = BOARD.replace("width = 320", "width = 3");
    let report = bench.load(&config, &board).expect_err("wrong");
    let places: Vec<(Option<usize>, Option<usize>, &str)> = report
        .problems()
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .map(|problem| (problem.line, problem.column, problem.key.as_str()))
        .collect();
    assert_eq!(
        places,
        [
            (Some(5), None, "display.width"),
            (Some(3), Some(6), "terminal.id"),
            (Some(4), Some(1), "terminal.suport"),
            (Some(8), Some(9), "product[0].price"),
            (Some(16), Some(10), "channels.alipay.app_id"),
            (Some(17), Some(20), "channels.alipay.private_key_file"),
        ],
        "{report}"
    );
}

#[test]
fn a_problem_is_shown_with_its_line_and_advice() {
    let bench = Bench::new();
    let text = bench.report(&SOUND.replace("\"3.50\"", "3.50")).to_string();
    let shown = "till.toml:8:9  product[0].price\n  |\n8 | price = 3.50\n  |         ^^^^\n  = help: write yuan as a text, exact to the fen: \"3.50\"\n";
    assert!(text.contains(shown), "{text}");
    assert!(text.ends_with("1 error, 0 warnings"), "{text}");
}

#[test]
fn the_report_is_readable_by_machines() {
    let bench = Bench::new();
    let json = serde_json::to_value(bench.report(&SOUND.replace("slot = \"12\"", "slot = \"13\""))).expect("JSON");
    assert_eq!(json[0]["severity"], "error");
    assert_eq!(json[0]["line"], 10);
    assert_eq!(json[0]["key"], "product[1].slot");
    assert!(json[0]["advice"].as_str().expect("text").contains("11, 12"), "{json}");
}

#[test]
fn a_misspelt_key_is_answered_with_the_right_one() {
    let bench = Bench::new();
    let report = bench.report(&in_section("pace", "confirm_pol_ms = 4000"));
    assert_eq!(report.problems()[0].advice, "did you mean confirm_poll_ms?");
    let report = bench.report(&format!("{SOUND}[jornal]\n"));
    assert_eq!(report.problems()[0].advice, "did you mean journal?");
    let report = bench.report(&in_section("sell", "who_scans = \"buyer_scan\""));
    assert!(report.problems()[0].advice.starts_with("did you mean \"buyer_scans\"?"), "{report}");
}

#[test]
fn broken_toml_is_one_problem_and_no_noise() {
    let bench = Bench::new();
    let report = bench.report("[terminal\nid = \"x\"\n");
    assert!(report.problems().iter().all(|problem| problem.problem.starts_with("this is not TOML")), "{report}");
    assert_eq!(report.problems()[0].line, Some(1));
}

#[test]
fn missing_files_are_named_together() {
    let report = load_in(Path::new("/nonexistent/till.toml"), Path::new("/nonexistent/board.toml"), &Env::default());
    let text = report.expect_err("nothing there").to_string();
    assert!(text.contains("--config") && text.contains("--board"), "{text}");
}

#[test]
fn an_empty_config_says_what_is_needed() {
    let bench = Bench::new();
    assert_eq!(bench.errors(""), ["terminal.id", "channels"]);
    assert_eq!(
        bench.errors("[terminal]\nid = \"x\"\n[[product]]\n[channels.alipay]\n"),
        [
            "product[0].slot",
            "product[0].name",
            "product[0].price",
            "channels.alipay.gateway_url",
            "channels.alipay.app_id",
            "channels.alipay.private_key_file",
            "channels.alipay.public_key_file",
        ]
    );
}

#[test]
fn paces_keep_to_what_alipay_asks_unless_nothing_is_real() {
    let mut bench = Bench::new();
    for line in ["confirm_poll_ms = 2999", "confirm_poll_ms = 6001", "refund_query_ms = 9999", "refund_gap_ms = 100"] {
        let key = format!("pace.{}", line.split(' ').next().expect("a key"));
        assert_eq!(bench.errors(&in_section("pace", line)), [key]);
    }
    bench.env.sandbox_built = true;
    let quick = with_gateway("http://127.0.0.1:8700/gateway.do", "sandbox") + "[pace]\nconfirm_poll_ms = 50\n";
    assert_eq!(bench.load(&quick, BOARD).expect("sound").settings.pace.confirm_poll_ms, 50);
}

#[test]
fn a_code_outlives_the_time_to_pay() {
    let bench = Bench::new();
    let checked = bench.load(&in_section("sell", "pay_within_s = 300"), BOARD).expect("sound");
    assert_eq!(checked.settings.pace.pay_within_ms, 300_000);
    assert_eq!(checked.settings.pace.code_valid_ms, 420_000);
    assert_eq!(bench.errors(&in_section("pace", "code_valid_ms = 100000")), ["pace.code_valid_ms"]);
}

#[test]
fn a_call_ends_before_it_counts_as_lost() {
    let bench = Bench::new();
    assert_eq!(bench.errors(&in_section("http", "timeout_s = 31")), ["http.timeout_s"]);
    assert_eq!(bench.errors(&in_section("http", "connect_timeout_s = 11")), ["http.timeout_s"]);
}

#[test]
fn the_api_listens_on_loopback_and_with_a_token_only() {
    let bench = Bench::new();
    let api = |lines: &str| format!("{SOUND}[api]\n{lines}\n");
    let tcp = bench.load(&api("tcp = \"127.0.0.1:8480\"\ntoken_file = \"token\""), BOARD).expect("sound").api.tcp;
    let tcp = tcp.expect("it listens");
    assert_eq!((tcp.address.port(), tcp.token.expose().len()), (8480, 64));
    assert_eq!(bench.errors(&api("tcp = \"0.0.0.0:8480\"\ntoken_file = \"token\"")), ["api.tcp"]);
    assert_eq!(bench.errors(&api("tcp = \"localhost\"\ntoken_file = \"token\"")), ["api.tcp"]);
    assert_eq!(bench.errors(&api("tcp = \"127.0.0.1:8480\"")), ["api.token_file"]);
    bench.put("token", "short", 0o600);
    assert_eq!(bench.errors(&api("tcp = \"127.0.0.1:8480\"\ntoken_file = \"token\"")), ["api.token_file"]);
    assert_eq!(bench.warnings(&api("token_file = \"token\""), BOARD), ["api.token_file"]);
}

#[test]
fn check_prints_every_setting_with_its_source_and_no_secret() {
    let mut bench = Bench::new();
    bench.env.state_directory = Some("/srv/state".into());
    let config = format!("{SOUND}[api]\ntcp = \"127.0.0.1:8480\"\ntoken_file = \"token\"\n");
    let checked = bench.load(&config, BOARD).expect("sound");
    let printed = format!("{}{}", checked.effective, serde_json::to_string(&checked.effective).expect("JSON"));
    let has = |start: &str, end: &str| printed.lines().any(|line| line.starts_with(start) && line.ends_with(end));
    assert!(has("terminal.id = \"VM-0001\"", "# line 3"), "{printed}");
    assert!(has("product[0].price = \"3.50\"", "# line 8"), "{printed}");
    assert!(has("pace.watch_ms = 15000", "# default"), "{printed}");
    assert!(has("journal.path = \"/srv/state/till.db\"", "# default under $STATE_DIRECTORY"), "{printed}");
    assert!(!printed.contains(&"7f".repeat(8)) && !printed.contains("MII"), "{printed}");
    assert!(!format!("{checked:?}").contains(&"7f".repeat(8)));
}
