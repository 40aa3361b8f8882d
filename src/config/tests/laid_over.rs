//! `hub.toml` over `till.toml`.

use super::*;

const NEW_PRICE: &str = "[[product]]\nslot = \"11\"\nname = \"可乐\"\nprice = \"4.00\"\n";

impl Bench {
    /// A bench whose journal, and so its overlay, lives in the folder.
    fn with_state() -> Self {
        let mut bench = Self::new();
        bench.env.state_directory = Some(bench.folder.path().to_owned());
        bench
    }

    /// What `till.toml` and the board say without an overlay.
    fn base(&self) -> Base {
        self.load(SOUND, BOARD).expect("sound").base
    }

    /// The keys of the errors that this overlay has.
    fn overlay_errors(&self, text: &str) -> Vec<String> {
        keys_of(&overlay::check(&self.base(), text).expect_err("the overlay is wrong"), Severity::Error)
    }
}

#[test]
fn the_hub_sets_goods_texts_and_limits() {
    let bench = Bench::with_state();
    let text = format!(
        "{NEW_PRICE}[terminal]\nname = \"三号楼\"\nlanguage = \"en\"\n[sell]\npay_within_s = 120\n[journal]\nkeep_days = 30\n"
    );
    overlay::check(&bench.base(), &text).unwrap_or_else(|report| panic!("{report}"));
    bench.put(overlay::FILE_NAME, &text, 0o600);
    let checked = bench.load(SOUND, BOARD).expect("sound");
    assert_eq!(checked.settings.products[&slot("11")].price, Fen::new(400));
    assert!(!checked.settings.products.contains_key(&slot("12")), "the list is taken as a whole");
    assert_eq!((checked.terminal.id.as_str(), checked.terminal.name.as_str()), ("VM-0001", "三号楼"));
    assert_eq!(checked.terminal.language, Language::English);
    assert_eq!(checked.terminal.support.as_deref(), Some("400-000-0000"), "what it does not name stays");
    assert_eq!((checked.settings.pace.pay_within_ms, checked.retention.keep_days), (120_000, 30));
}

#[test]
fn an_overlay_without_goods_keeps_ours() {
    let bench = Bench::with_state();
    bench.put(overlay::FILE_NAME, "[terminal]\nname = \"x\"\n", 0o600);
    assert_eq!(bench.load(SOUND, BOARD).expect("sound").settings.products.len(), 2);
}

#[test]
fn the_hub_sets_no_key_no_address_no_path_and_no_mode() {
    let bench = Bench::with_state();
    for (text, key) in [
        ("[terminal]\nid = \"VM-0002\"\n", "terminal.id"),
        ("[terminal]\nmode = \"sandbox\"\n", "terminal.mode"),
        ("terminal = { id = \"VM-0002\" }\n", "terminal.id"),
        ("[journal]\npath = \"/tmp/x\"\n", "journal.path"),
        ("[journal]\nlimit_mb = 16\n", "journal.limit_mb"),
        ("[sell]\nchannels = [\"alipay\"]\n", "sell.channels"),
        ("[sell]\nshow = [\"alipay\"]\n", "sell.show"),
        ("[refunds]\nwindow_days = 1\n", "refunds"),
        ("[[route]]\nwallet = \"alipay\"\n", "route"),
        ("[hub]\nurl = \"https://elsewhere.example.com\"\n", "hub"),
        ("[operator]\npublic_key = \"x\"\n", "operator"),
        ("[api]\ntcp = \"127.0.0.1:1\"\n", "api"),
        ("[http]\nca_file = \"x\"\n", "http"),
        ("[log]\nlevel = \"trace\"\n", "log"),
        ("[channels.alipay]\napp_id = \"2021000000000001\"\n", "channels"),
        ("[terminal]\nnaem = \"x\"\n", "terminal.naem"),
        ("[[product]]\nslot = \"11\"\nname = \"a\"\nprice = \"1.00\"\nfile = \"x\"\n", "product[0].file"),
    ] {
        assert_eq!(bench.overlay_errors(text), [key], "{text}");
    }
}

#[test]
fn an_overlay_is_checked_as_part_of_the_whole() {
    let bench = Bench::with_state();
    assert_eq!(
        bench.overlay_errors("[[product]]\nslot = \"99\"\nname = \"a\"\nprice = \"1.00\"\n"),
        ["product[0].slot"]
    );
    assert_eq!(bench.overlay_errors("[pace]\ncode_valid_ms = 100000\n"), ["pace.code_valid_ms"]);
    assert_eq!(bench.overlay_errors("[vouchers]\n"), ["vouchers"], "codes that nobody can check");
    assert_eq!(bench.overlay_errors("[terminal\n"), [""; 1]);
    assert_eq!(bench.overlay_errors(&format!("# {}", "x".repeat(1 << 20))), [""; 1]);
    let report = overlay::check(&bench.base(), "[pace]\nwatch_ms = 1\n").expect_err("out of range");
    assert_eq!(
        (report.problems()[0].file.clone(), report.problems()[0].line),
        (bench.folder.path().join("hub.toml"), Some(2))
    );
    assert!(!bench.folder.path().join(overlay::FILE_NAME).exists(), "checking stores nothing");
}

#[test]
fn an_overlay_that_went_bad_is_set_aside_and_the_machine_starts() {
    let bench = Bench::with_state();
    for text in ["[terminal", "[hub]\nurl = \"https://x.example.com\"\n", &NEW_PRICE.replace("\"11\"", "\"99\"")] {
        bench.put(overlay::FILE_NAME, text, 0o600);
        let checked = bench.load(SOUND, BOARD).expect("it starts with till.toml alone");
        assert_eq!(checked.settings.products[&slot("11")].price, Fen::new(350));
        let warnings = checked.warnings.problems();
        assert!(warnings[0].problem.contains("set aside"), "{}", checked.warnings);
        assert!(warnings.len() > 1 && warnings.iter().all(|warning| warning.severity == Severity::Warning));
        assert!(warnings.iter().all(|warning| warning.file.ends_with(overlay::FILE_NAME)), "{}", checked.warnings);
    }
}

#[test]
fn a_bad_till_toml_is_not_mended_by_the_hub() {
    let bench = Bench::with_state();
    bench.put(overlay::FILE_NAME, NEW_PRICE, 0o600);
    assert_eq!(bench.errors(&SOUND.replace("\"3.50\"", "3.50")), ["product[0].price"]);
}

#[test]
fn what_is_stored_is_read_back_and_shown_with_its_source() {
    let bench = Bench::with_state();
    let path = overlay::path(&bench.load(SOUND, BOARD).expect("sound"));
    assert_eq!(path, bench.folder.path().join("hub.toml"));
    overlay::store(&path, "[terminal]\nname = \"old\"\n").expect("stored");
    overlay::store(&path, NEW_PRICE).expect("stored over the old one");
    assert_eq!(fs::read_to_string(&path).expect("there"), NEW_PRICE);
    let printed = bench.load(SOUND, BOARD).expect("sound").effective.to_string();
    let line = printed.lines().find(|line| line.starts_with("product[0].price")).expect("shown");
    assert!(line.starts_with("product[0].price = \"4.00\"") && line.ends_with("# hub.toml line 4"), "{printed}");
    assert!(printed.contains("terminal.id = \"VM-0001\""), "{printed}");
}

#[test]
fn storing_into_a_folder_that_is_gone_fails_and_says_so() {
    let error = overlay::store(Path::new("/nonexistent/hub.toml"), NEW_PRICE).expect_err("no folder");
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
}
