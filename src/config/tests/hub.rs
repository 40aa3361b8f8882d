//! `[hub]`, `[operator]`, `[vouchers]` and how much of the journal is kept.

use super::*;

const HUB: &str = "[hub]\nurl = \"https://hub.example.com\"\n";
const OPERATOR: &str = "[operator]\npublic_key = \"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\"\n";

fn with(sections: &str) -> String {
    format!("{SOUND}{sections}")
}

fn hub_at(url: &str, mode: &str) -> String {
    let config = with_gateway("https://openapi-sandbox.dl.alipaydev.com/gateway.do", "sandbox");
    let config = match mode {
        "sandbox" => config,
        _ => SOUND.to_owned(),
    };
    format!("{config}[hub]\nurl = \"{url}\"\n")
}

#[test]
fn without_its_sections_a_terminal_tells_nobody_and_obeys_nobody() {
    let checked = Bench::new().load(SOUND, BOARD).expect("sound");
    assert_eq!((checked.hub, checked.operator_key, checked.settings.vouchers), (None, None, None));
    assert_eq!(checked.retention, RetentionConfig { keep_days: 90, limit_bytes: 1 << 30 });
}

#[test]
fn a_hub_is_read_and_its_key_stands_beside_the_journal() {
    let mut bench = Bench::new();
    bench.env.state_directory = Some("/srv/state".into());
    let hub = bench.load(&with(HUB), BOARD).expect("sound").hub.expect("there");
    assert_eq!(hub.url, "https://hub.example.com");
    assert_eq!(hub.key_file, Path::new("/srv/state/hub.key"));
    assert_eq!(hub.roots, None);
    let elsewhere = with(&format!("{HUB}[journal]\npath = \"data/till.db\"\n"));
    let hub = bench.load(&elsewhere, BOARD).expect("sound").hub.expect("there");
    assert_eq!(hub.key_file, bench.folder.path().join("data/hub.key"));
}

#[test]
fn the_hubs_address_is_a_host_that_nobody_on_the_way_can_read() {
    let bench = Bench::new();
    for url in ["https://hub.example.com", "https://hub.example.com/", "https://10.0.0.7:8443"] {
        let hub = bench.load(&hub_at(url, "production"), BOARD).expect("sound").hub.expect("there");
        assert_eq!(hub.url, url.trim_end_matches('/'));
    }
    for url in [
        "hub.example.com",
        "http://hub.example.com",
        "http://127.0.0.1:8600",
        "ftp://hub.example.com",
        "https://till:secret@hub.example.com",
        "https://hub.example.com/tills",
        "https://hub.example.com/?a=b",
    ] {
        assert_eq!(bench.errors(&hub_at(url, "production")), ["hub.url"], "{url}");
    }
    assert_eq!(bench.errors(&with("[hub]\n")), ["hub.url"]);
}

#[test]
fn a_hub_without_encryption_stays_on_this_machine_and_takes_no_real_sales() {
    let bench = Bench::new();
    for url in ["http://127.0.0.1:8600", "http://localhost:8600", "http://[::1]:8600"] {
        assert!(bench.load(&hub_at(url, "sandbox"), BOARD).is_ok(), "{url}");
    }
    for url in ["http://192.168.0.4:8600", "http://hub.example.com"] {
        assert_eq!(bench.errors(&hub_at(url, "sandbox")), ["hub.url"], "{url}");
    }
}

#[test]
fn a_terminal_key_that_others_can_open_is_refused_and_a_missing_one_is_made_later() {
    let bench = Bench::new();
    let config = with(&format!("{HUB}key_file = \"mine.key\"\n"));
    assert!(bench.load(&config, BOARD).is_ok());
    bench.put("mine.key", "any", 0o600);
    assert!(bench.load(&config, BOARD).is_ok());
    bench.put("mine.key", "any", 0o640);
    assert_eq!(bench.errors(&config), ["hub.key_file"]);
    assert_eq!(bench.errors(&with(&format!("{HUB}key_file = \"credential:hub\"\n"))), ["hub.key_file"]);
}

#[test]
fn the_operators_key_is_32_bytes_and_not_nothing() {
    let bench = Bench::new();
    let checked = bench.load(&with(OPERATOR), BOARD).expect("sound");
    assert_eq!(checked.operator_key.as_ref().map(|key| &key[..]), Some(&b"0123456789abcdef0123456789abcdef"[..]));
    let zeros = format!("{}=", "A".repeat(43));
    for key in ["", "MDEy", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY", "not base64!", &zeros] {
        let config = with(&format!("[operator]\npublic_key = \"{key}\"\n"));
        assert_eq!(bench.errors(&config), ["operator.public_key"], "{key}");
    }
    assert_eq!(bench.errors(&with("[operator]\n")), ["operator.public_key"]);
}

#[test]
fn member_codes_are_on_with_their_section_and_within_its_limits() {
    let bench = Bench::new();
    let checked = bench.load(&with(&format!("{HUB}{OPERATOR}[vouchers]\n")), BOARD).expect("sound");
    assert!(checked.warnings.is_empty(), "{}", checked.warnings);
    let vouchers = checked.settings.vouchers.expect("on");
    assert_eq!((vouchers.terminal.as_str(), Some(vouchers.operator_key)), ("VM-0001", checked.operator_key));
    assert_eq!((vouchers.per_sale_max, vouchers.unsettled_max), (Fen::new(5_000), Fen::new(50_000)));
    let limits = "[vouchers]\nper_sale_max = \"9.90\"\nunsettled_max = \"99\"\n";
    let vouchers = bench.load(&with(&format!("{HUB}{OPERATOR}{limits}")), BOARD).expect("sound").settings.vouchers;
    let limits = vouchers.map(|vouchers| (vouchers.per_sale_max, vouchers.unsettled_max));
    assert_eq!(limits, Some((Fen::new(990), Fen::new(9_900))));
}

#[test]
fn member_codes_that_nobody_could_check_or_settle_are_pointed_out() {
    let bench = Bench::new();
    assert_eq!(bench.errors(&with(&format!("{HUB}[vouchers]\n"))), ["vouchers"]);
    let bad_key = format!("{HUB}[operator]\npublic_key = \"x\"\n[vouchers]\n");
    assert_eq!(bench.errors(&with(&bad_key)), ["operator.public_key"]);
    assert_eq!(bench.warnings(&with(&format!("{OPERATOR}[vouchers]\n")), BOARD), ["vouchers"]);
    let upside_down = "[vouchers]\nper_sale_max = \"60.00\"\nunsettled_max = \"50.00\"\n";
    assert_eq!(bench.errors(&with(&format!("{HUB}{OPERATOR}{upside_down}"))), ["vouchers.unsettled_max"]);
    let nothing = "[vouchers]\nper_sale_max = \"0.00\"\n";
    assert_eq!(bench.errors(&with(&format!("{HUB}{OPERATOR}{nothing}"))), ["vouchers.per_sale_max"]);
}

#[test]
fn the_journal_keeps_at_least_a_week_and_has_room_to_work() {
    let bench = Bench::new();
    let checked = bench.load(&in_section("journal", "keep_days = 7\nlimit_mb = 16"), BOARD).expect("sound");
    assert_eq!(checked.retention, RetentionConfig { keep_days: 7, limit_bytes: 16 << 20 });
    assert_eq!(bench.errors(&in_section("journal", "keep_days = 6")), ["journal.keep_days"]);
    assert_eq!(bench.errors(&in_section("journal", "limit_mb = 15")), ["journal.limit_mb"]);
}

#[test]
fn a_terminals_number_never_climbs_in_the_hubs_addresses() {
    let bench = Bench::new();
    for id in [".", "..", "-_"] {
        assert_eq!(bench.errors(&SOUND.replace("VM-0001", id)), ["terminal.id"], "{id}");
    }
}

#[test]
fn joining_needs_the_hubs_sections_and_not_the_channels_keys() {
    let bench = Bench::new();
    let path = bench.folder.path().join("till.toml");
    let without_keys = with(HUB).replace("app.pem", "not-there.pem").replace("price = \"3.50\"", "price = 3.5");
    assert!(bench.load(&without_keys, BOARD).is_err());
    let checked = load_for_hub(&path).unwrap_or_else(|report| panic!("{report}"));
    assert_eq!((checked.terminal.id.as_str(), checked.hub.is_some()), ("VM-0001", true));
    for (config, key) in [
        (with(HUB).replace("https", "http"), "hub.url"),
        (with(HUB).replace("VM-0001", "VM 1"), "terminal.id"),
        (format!("{HUB}[terminal"), ""),
    ] {
        bench.put("till.toml", &config, 0o644);
        let report = load_for_hub(&path).expect_err("wrong");
        assert_eq!(keys_of(&report, Severity::Error), [key]);
    }
    assert!(load_for_hub(Path::new("/nonexistent/till.toml")).is_err());
}
