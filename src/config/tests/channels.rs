//! `[channels.wechat]`, `[channels.allinpay_vsp]` and `[channels.allinpay_yst]`.

use payment::channel::ChannelId;
use serde_json::Value;

use super::*;

pub(super) const WECHAT: &str = r#"
[channels.wechat]
mchid = "1900000001"
appid = "wx0000000000000001"
private_key_file = "apiclient_key.pem"
certificate_file = "apiclient_cert.pem"
apiv3_key_file = "apiv3.key"
public_key_id = "PUB_KEY_ID_0116000000012026052900000000000001"
public_key_file = "pub_key.pem"
v2_key_file = "v2.key"
notify_url = "https://example.com/wechat"
"#;

pub(super) const VSP: &str = r#"
[channels.allinpay_vsp]
cusid = "990000000000001"
appid = "00000003"
private_key_file = "vsp.key"
public_key_file = "vsp.pub"
terminal_number = "00000001"
"#;

pub(super) const YST: &str = r#"
[channels.allinpay_yst]
app_id = "20260000000000000001"
private_key_file = "yst.key"
public_key_file = "yst.pub"
receiver = "payee-1"
cusid = "990000000000001"
terminal_number = "00000001"
"#;

/// The keys of the published test vectors; worth nothing.
pub(super) fn with_keys() -> Bench {
    let wechat: Value = serde_json::from_str(include_str!("../../../payment/tests/vectors/wechat.json")).expect("JSON");
    let allinpay = include_str!("../../../payment/tests/vectors/allinpay.json");
    let allinpay: Value = serde_json::from_str(allinpay).expect("JSON");
    let (wechat, allinpay) = (|path: &str| text(&wechat, path), |path: &str| text(&allinpay, path));
    let bench = Bench::new();
    for (name, text, mode) in [
        ("apiclient_key.pem", wechat("/merchant/private_key_pem"), 0o600),
        ("apiclient_cert.pem", wechat("/merchant/certificate_pem"), 0o644),
        ("wechat_cert.pem", wechat("/platform_certificate/certificate_pem"), 0o644),
        ("pub_key.pem", wechat("/platform_public_key/public_key_pem"), 0o644),
        ("ours.pub", wechat("/merchant/public_key_pem"), 0o644),
        ("apiv3.key", wechat("/apiv3_key") + "\n", 0o600),
        ("v2.key", wechat("/apiv2_key") + "\n", 0o600),
        ("app.key", allinpay("/vsp_keys/md5_appkey") + "\n", 0o600),
        ("vsp.key", allinpay("/vsp_keys/merchant_rsa_private_pkcs8_base64"), 0o600),
        ("vsp.pub", allinpay("/vsp_keys/platform_rsa_public_spki_base64"), 0o644),
        ("sm2.key", allinpay("/sm2_keys/vsp_merchant_sm2/private_pkcs8_base64"), 0o600),
        ("sm2.pub", allinpay("/sm2_keys/vsp_platform_sm2/public_spki_base64"), 0o644),
        ("yst.key", allinpay("/sm2_keys/yst2_merchant_sm2/private_pkcs8_base64"), 0o600),
        ("yst.pub", allinpay("/sm2_keys/yst2_platform_sm2/public_spki_base64"), 0o644),
        ("yst-ours.pub", allinpay("/sm2_keys/yst2_merchant_sm2/public_spki_base64"), 0o644),
    ] {
        bench.put(name, &text, mode);
    }
    bench
}

fn text(vectors: &Value, path: &str) -> String {
    vectors.pointer(path).and_then(Value::as_str).unwrap_or_else(|| panic!("no {path}")).to_owned()
}

/// The file with this section in place of Alipay's.
fn alone(section: &str) -> String {
    SOUND.split("[channels.alipay]").next().expect("the rest").to_owned() + section
}

#[test]
fn who_only_asks_the_daemon_needs_no_keys_and_learns_the_same_of_selling() {
    let bench = with_keys();
    bench.put("secret", "0123456789abcdef0123456789abcdef", 0o600);
    let wechat = format!("{WECHAT}delivery_secret_file = \"secret\"\n");
    let config = format!("{SOUND}{wechat}{VSP}{YST}trade = \"guaranteed\"\n");
    let whole = bench.load(&config, BOARD).unwrap_or_else(|report| panic!("{report}"));
    let as_installed = config.replace("_file = \"", "_file = \"credential:");
    let refused = bench.load(&as_installed, BOARD).expect_err("the daemon is not started without its keys");
    assert!(keys_of(&refused, Severity::Error).iter().all(|key| key.ends_with("_file")), "{refused}");
    let (config_path, board_path) = (bench.folder.path().join("till.toml"), bench.folder.path().join("board.toml"));
    let keyless = keyless_in(&config_path, &board_path, &bench.env).unwrap_or_else(|report| panic!("{report}"));
    assert_eq!(format!("{:?}", keyless.settings), format!("{:?}", whole.settings));
    assert_eq!(keyless.settings.duties.len(), 2, "a duty is seen without its key");
    assert!(keyless.channels.is_empty(), "nothing can be collected with it");
    bench.put("till.toml", &as_installed.replace("price = \"2\"", "price = \"-2\""), 0o644);
    let wrong = keyless_in(&config_path, &board_path, &bench.env).expect_err("a wrong price is wrong for everybody");
    assert_eq!(keys_of(&wrong, Severity::Error), ["product[1].price"]);
}

/// The names of the keys in this section that have errors.
fn wrong(bench: &Bench, section: &str, config: &str) -> Vec<String> {
    let start = format!("channels.{section}.");
    let errors = bench.errors(&alone(config));
    errors.iter().map(|key| key.strip_prefix(&start).unwrap_or(key).to_owned()).collect()
}

#[test]
fn each_channel_can_be_the_only_one() {
    let bench = with_keys();
    for (section, channel) in
        [(WECHAT, ChannelId::Wechat), (VSP, ChannelId::AllinpayVsp), (YST, ChannelId::AllinpayYst)]
    {
        let checked = bench.load(&alone(section), BOARD).unwrap_or_else(|report| panic!("{report}"));
        let held: Vec<ChannelId> = checked.channels.iter().map(|channel| channel.adapter.id()).collect();
        assert_eq!((held, checked.settings.channels), (vec![channel], vec![channel]));
        assert!(checked.warnings.is_empty(), "{}", checked.warnings);
        let address = &checked.channels[0].address;
        assert!(address.starts_with("https://"), "{address}");
        assert_eq!(checked.channels[0].identity.is_some(), channel == ChannelId::Wechat);
    }
}

#[test]
fn an_empty_section_says_what_is_needed() {
    let bench = with_keys();
    let needed = [
        ("wechat", vec!["mchid", "appid", "notify_url", "private_key_file", "apiv3_key_file", "certificate_file"]),
        ("allinpay_vsp", vec!["cusid", "appid", "private_key_file", "public_key_file", "terminal_number"]),
        ("allinpay_yst", vec!["app_id", "receiver", "cusid", "private_key_file", "public_key_file", "terminal_number"]),
    ];
    for (section, mut keys) in needed {
        let mut found = wrong(&bench, section, &format!("[channels.{section}]\n"));
        if section == "wechat" {
            keys.push("v2_key_file");
        }
        found.sort();
        keys.sort_unstable();
        assert_eq!(found, keys, "{section}");
    }
}

#[test]
fn every_bad_text_of_a_channel_is_reported_at_once() {
    let bench = with_keys();
    let wechat = WECHAT.replace("1900000001", "19").replace("wx0000000000000001", "xw1").replace("example.com/", "x/");
    let more = "store_name = \"\"\nterminal_ip = \"home\"\nlimit_pay = \"no_cash\"\nstore_area_code = \"12\"\n";
    assert_eq!(
        wrong(&bench, "wechat", &format!("{wechat}{more}")),
        ["mchid", "appid", "notify_url", "store_name", "terminal_ip", "limit_pay", "store_area_code"]
    );
    let vsp = VSP.replace("990000000000001", "99").replace("00000003", "-").replace("00000001", "1");
    let more = "version = \"x\"\nlimit_pay = \"\"\npay_type_ecny = \"S\"\nlongest_valid_minutes = 121\n";
    assert_eq!(
        wrong(&bench, "allinpay_vsp", &format!("{vsp}{more}")),
        ["cusid", "appid", "terminal_number", "version", "limit_pay", "pay_type_ecny", "longest_valid_minutes"]
    );
    let yst = YST.replace("990000000000001", "99").replace("20260000000000000001", "x").replace("payee-1", "");
    let more = "summary = \"a|b\"\nusual_wallet = \"ecny\"\ndevice_type = \"x\"\n";
    assert_eq!(
        wrong(&bench, "allinpay_yst", &format!("{yst}{more}")),
        ["app_id", "receiver", "cusid", "summary", "usual_wallet", "device_type"]
    );
}

#[test]
fn a_bad_key_file_is_found_at_its_key() {
    let bench = with_keys();
    bench.put("bad", "not a key", 0o600);
    for (section, config, key) in [
        ("wechat", WECHAT.replace("apiclient_key.pem", "bad"), "private_key_file"),
        ("wechat", WECHAT.replace("apiv3.key", "bad"), "apiv3_key_file"),
        ("wechat", WECHAT.replace("v2.key", "bad"), "v2_key_file"),
        ("wechat", WECHAT.replace("pub_key.pem", "bad"), "public_key_file"),
        ("wechat", WECHAT.replace("pub_key.pem", "ours.pub"), "public_key_file"),
        ("wechat", WECHAT.replace("apiclient_cert.pem", "wechat_cert.pem"), "certificate_file"),
        ("wechat", format!("{WECHAT}platform_cert_files = [\"pub_key.pem\"]\n"), "platform_cert_files"),
        ("allinpay_vsp", VSP.replace("vsp.key", "bad"), "private_key_file"),
        ("allinpay_vsp", VSP.replace("vsp.pub", "bad"), "public_key_file"),
        ("allinpay_yst", YST.replace("yst.key", "bad"), "private_key_file"),
        ("allinpay_yst", YST.replace("yst.pub", "yst-ours.pub"), "public_key_file"),
        ("allinpay_yst", format!("{YST}secret_key_file = \"bad\"\n"), "secret_key_file"),
    ] {
        assert_eq!(wrong(&bench, section, &config), [key], "{config}");
    }
}

#[test]
fn a_secret_of_a_channel_is_its_owners_only() {
    for (name, section, config) in [
        ("apiclient_key.pem", "wechat", WECHAT),
        ("apiv3.key", "wechat", WECHAT),
        ("v2.key", "wechat", WECHAT),
        ("vsp.key", "allinpay_vsp", VSP),
        ("yst.key", "allinpay_yst", YST),
    ] {
        let bench = with_keys();
        let path = bench.folder.path().join(name);
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).expect("mode set");
        let report = bench.load(&alone(config), BOARD).expect_err("anybody could read it");
        assert!(report.problems()[0].advice.contains("chmod 600"), "{section} {name}: {report}");
    }
}

#[test]
fn a_channel_that_takes_real_money_and_a_mode_that_does_not_never_meet() {
    let mut bench = with_keys();
    bench.env.sandbox_built = true;
    let in_mode =
        |section: &str, mode: &str| alone(section).replace("[terminal]\n", &format!("[terminal]\nmode = \"{mode}\"\n"));
    for (section, keys) in [
        (WECHAT, vec!["channels.wechat.gateway_url", "channels.wechat.backup_url", "channels.wechat.weixin_url"]),
        (VSP, vec!["channels.allinpay_vsp.gateway_url", "channels.allinpay_vsp.statement_url"]),
        (YST, vec!["channels.allinpay_yst.gateway_url"]),
    ] {
        assert_eq!(bench.errors(&in_mode(section, "sandbox")), keys);
    }
    let local = |section: &str, keys: &[&str]| {
        keys.iter().fold(section.to_owned(), |all, key| format!("{all}{key} = \"http://127.0.0.1:8700\"\n"))
    };
    for (section, keys) in [
        (WECHAT, &["gateway_url", "weixin_url"][..]),
        (VSP, &["gateway_url", "statement_url"]),
        (YST, &["gateway_url"]),
    ] {
        let section = local(section, keys);
        let checked = bench.load(&in_mode(&section, "sandbox"), BOARD).unwrap_or_else(|report| panic!("{report}"));
        assert_eq!(checked.channels[0].address, "http://127.0.0.1:8700");
        assert_eq!(bench.errors(&in_mode(&section, "production")).len(), keys.len());
    }
    let test = format!("{VSP}gateway_url = \"https://syb-test.allinpay.com/apiweb\"\n");
    assert_eq!(bench.errors(&in_mode(&test, "production")), ["channels.allinpay_vsp.gateway_url"]);
}

#[test]
fn wechat_pay_codes_by_v2_need_the_certificate_that_undoes_them() {
    let bench = with_keys();
    let by_serial = WECHAT.replace(
        "certificate_file = \"apiclient_cert.pem\"",
        "certificate_serial = \"2B3C4D5E6F708192A3B4C5D6E7F8091A2B3C4D5E\"",
    );
    assert_eq!(wrong(&bench, "wechat", &by_serial), ["certificate_file"]);
    let by_v3 = format!("{by_serial}code_pay = \"v3\"\n");
    assert_eq!(wrong(&bench, "wechat", &by_v3), ["store_id"]);
    let checked = bench.load(&alone(&format!("{by_v3}store_id = \"1\"\n")), BOARD).expect("sound");
    assert!(checked.channels[0].identity.is_none());
    assert_eq!(wrong(&bench, "wechat", &WECHAT.replace("v2_key_file = \"v2.key\"\n", "")), ["v2_key_file"]);
}

#[test]
fn wechats_key_has_its_number_and_a_second_merchant_its_first() {
    let bench = with_keys();
    let id = "public_key_id = \"PUB_KEY_ID_0116000000012026052900000000000001\"\n";
    assert_eq!(wrong(&bench, "wechat", &WECHAT.replace(id, "")), ["public_key_id"]);
    let file = "public_key_file = \"pub_key.pem\"\n";
    assert_eq!(wrong(&bench, "wechat", &WECHAT.replace(file, "")), ["public_key_file"]);
    let neither = WECHAT.replace(id, "").replace(file, "platform_cert_files = [\"wechat_cert.pem\"]\n");
    assert!(bench.load(&alone(&neither), BOARD).is_ok());
    assert_eq!(wrong(&bench, "wechat", &format!("{WECHAT}sub_appid = \"wx0000000000000002\"\n")), ["sub_mchid"]);
}

#[test]
fn another_host_of_wechat_has_no_second_one_unless_it_is_named() {
    let bench = with_keys();
    let load = |more: &str| bench.load(&alone(&format!("{WECHAT}{more}")), BOARD).expect("sound").effective.to_string();
    let has = |printed: &str, start: &str| printed.lines().any(|line| line.starts_with(start));
    assert!(has(&load(""), "channels.wechat.backup_url = \"https://api2.mch.weixin.qq.com\""));
    let other = "gateway_url = \"https://pay.example.com\"\n";
    assert!(!has(&load(other), "channels.wechat.backup_url"), "money would go to two places");
    let second = load(&format!("{other}backup_url = \"https://pay2.example.com\"\n"));
    assert!(has(&second, "channels.wechat.backup_url = \"https://pay2.example.com\""));
}

#[test]
fn vsp_signs_as_it_is_told_and_with_the_keys_of_that_way() {
    let bench = with_keys();
    let files = "private_key_file = \"vsp.key\"\npublic_key_file = \"vsp.pub\"\n";
    let md5 = VSP.replace(files, "sign_type = \"md5\"\napp_key_file = \"app.key\"\n");
    let sm2 = VSP.replace("vsp.key", "sm2.key").replace("vsp.pub", "sm2.pub") + "sign_type = \"sm2\"\n";
    for config in [&md5, &sm2] {
        bench.load(&alone(config), BOARD).unwrap_or_else(|report| panic!("{report}"));
    }
    assert_eq!(wrong(&bench, "allinpay_vsp", &format!("{VSP}app_key_file = \"app.key\"\n")), ["app_key_file"]);
    assert_eq!(
        wrong(&bench, "allinpay_vsp", &format!("{VSP}sign_type = \"md5\"\n")),
        ["app_key_file", "private_key_file", "public_key_file"]
    );
    assert_eq!(wrong(&bench, "allinpay_vsp", &format!("{VSP}sign_type = \"sm2\"\n")), ["private_key_file"]);
    assert_eq!(wrong(&bench, "allinpay_vsp", &format!("{VSP}orgid = \"990000000000001\"\n")), ["orgid"]);
}

#[test]
fn yunst_splits_by_rate_or_amount_and_knows_the_contracts_codes() {
    let bench = with_keys();
    let block = |name: &str, lines: &str| format!("{YST}[[channels.allinpay_yst.{name}]]\n{lines}\n");
    for good in [
        block("split", "sign_num = \"partner\"\nrate = \"10%\"\nremark = \"rent\""),
        block("split", "sign_num = \"partner\"\namount = \"0.50\""),
        block("code", "code = \"40001\"\nmeaning = \"no_order\""),
    ] {
        bench.load(&alone(&good), BOARD).unwrap_or_else(|report| panic!("{report}"));
    }
    for (bad, key) in [
        (block("split", "sign_num = \"partner\"\nrate = \"10%\"\namount = \"0.50\""), "split[0].amount"),
        (block("split", "sign_num = \"partner\""), "split[0].rate"),
        (block("split", "sign_num = \"partner\"\nrate = \"0.1\""), "split[0].rate"),
        (block("split", "sign_num = \"payee-1\"\nrate = \"10%\""), "split"),
        (block("code", "code = \"00000\"\nmeaning = \"no_order\""), "code"),
        (block("code", "code = \"40001\"\nmeaning = \"not_paid\""), "code[0].meaning"),
    ] {
        assert_eq!(wrong(&bench, "allinpay_yst", &bad), [key], "{bad}");
    }
}

#[test]
fn check_prints_no_secret_of_any_channel() {
    let bench = with_keys();
    let checked = bench.load(&alone(&format!("{WECHAT}{VSP}{YST}")), BOARD).expect("sound");
    let printed = format!("{}{checked:?}", checked.effective);
    for name in ["apiclient_key.pem", "apiv3.key", "v2.key", "vsp.key", "yst.key"] {
        let text = fs::read_to_string(bench.folder.path().join(name)).expect("there");
        let text: String = text.lines().filter(|line| !line.starts_with('-')).collect();
        assert!(!printed.contains(&text[..24]), "{name} is printed");
    }
}
