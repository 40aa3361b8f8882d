//! `till.toml`, with the board and with what the hub lays over it, through the whole loader: read, checked, made typed.
//!
//! The first byte says in what surroundings. The rest is `till.toml`; behind a line `#### hub.toml` or `#### board.toml`
//! comes the text of that file. The keys that a config may name are throw-away ones, in a folder of their own.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::Value;
use till::config::{Base, Checked, Env, Mode, Problem, Report, load_for_hub, load_in, overlay};

const BOARD: &str = r#"
name = "bench"
display = { kind = "memory", width = 320, height = 240 }
scanner = { kind = "serial", path = "scanner" }
gpio = { kind = "chardev" }
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

const ALIPAY: [(&str, &str, u32); 5] = [
    ("app.pem", include_str!("../../../sandbox/keys/app_private_key.pem"), 0o600),
    ("alipay.pem", include_str!("../../../sandbox/keys/alipay_public_key.pem"), 0o644),
    ("app.crt", include_str!("../../../sandbox/keys/app_cert.pem"), 0o644),
    ("alipay.crt", include_str!("../../../sandbox/keys/alipay_cert.pem"), 0o644),
    ("root.crt", include_str!("../../../sandbox/keys/root_certs.pem"), 0o644),
];

/// File, place in the vectors, mode.
const WECHAT: [(&str, &str, u32); 5] = [
    ("apiclient_key.pem", "/merchant/private_key_pem", 0o600),
    ("apiclient_cert.pem", "/merchant/certificate_pem", 0o644),
    ("pub_key.pem", "/platform_public_key/public_key_pem", 0o644),
    ("apiv3.key", "/apiv3_key", 0o600),
    ("v2.key", "/apiv2_key", 0o600),
];

const ALLINPAY: [(&str, &str, u32); 7] = [
    ("app.key", "/vsp_keys/md5_appkey", 0o600),
    ("vsp.key", "/vsp_keys/merchant_rsa_private_pkcs8_base64", 0o600),
    ("vsp.pub", "/vsp_keys/platform_rsa_public_spki_base64", 0o644),
    ("sm2.key", "/sm2_keys/vsp_merchant_sm2/private_pkcs8_base64", 0o600),
    ("sm2.pub", "/sm2_keys/vsp_platform_sm2/public_spki_base64", 0o644),
    ("yst.key", "/sm2_keys/yst2_merchant_sm2/private_pkcs8_base64", 0o600),
    ("yst.pub", "/sm2_keys/yst2_platform_sm2/public_spki_base64", 0o644),
];

/// The folder with the keys; and the secrets of it, which nothing may print.
static BENCH: LazyLock<(PathBuf, Vec<String>)> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("till-fuzz-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let token = ("token", "7f".repeat(32), 0o600);
    let files: Vec<(&str, String, u32)> = ALIPAY
        .map(|(name, text, mode)| (name, text.to_owned(), mode))
        .into_iter()
        .chain(of_vectors(include_str!("../../../payment/tests/vectors/wechat.json"), &WECHAT))
        .chain(of_vectors(include_str!("../../../payment/tests/vectors/allinpay.json"), &ALLINPAY))
        .chain([token])
        .collect();
    files.iter().for_each(|(name, text, mode)| put(&folder, name, text, *mode));
    let secrets = files.iter().filter(|(_, _, mode)| *mode == 0o600).flat_map(|(_, text, _)| longest_line(text));
    (folder, secrets.collect())
});

fn of_vectors(vectors: &str, wanted: &[(&'static str, &str, u32)]) -> Vec<(&'static str, String, u32)> {
    let vectors: Value = serde_json::from_str(vectors).unwrap_or_else(|error| panic!("{error}"));
    let text = |path| vectors.pointer(path).and_then(Value::as_str).unwrap_or_else(|| panic!("no {path}")).to_owned();
    wanted.iter().map(|(name, path, mode)| (*name, text(path), *mode)).collect()
}

fn longest_line(text: &str) -> Option<String> {
    text.lines().filter(|line| !line.starts_with("--")).max_by_key(|line| line.len()).map(str::to_owned)
}

fn put(folder: &Path, name: &str, text: &str, mode: u32) {
    let path = folder.join(name);
    let written = fs::write(&path, text).and_then(|()| fs::set_permissions(&path, Permissions::from_mode(mode)));
    written.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// The part of the input behind this line.
fn part<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.split("#### ").skip(1).find_map(|part| part.strip_prefix(name)?.strip_prefix('\n'))
}

/// What is loaded is sound and keeps its secrets; what is not says why, where, and what to do. The hub's text moves
/// nothing but what is the hub's, and never stops a machine.
pub fn files(data: &[u8]) {
    let Some((choice, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let (folder, secrets) = &*BENCH;
    let base = Base { config: folder.join("till.toml"), board: folder.join("board.toml"), env: env(*choice, folder) };
    put(folder, "till.toml", text.split("#### ").next().unwrap_or_default(), 0o644);
    put(folder, "board.toml", part(text, "board.toml").unwrap_or(BOARD), 0o644);
    let _absent = fs::remove_file(folder.join(overlay::FILE_NAME));
    if let Ok(alone) = loaded(&base, secrets) {
        must_be_sound(&alone);
        if let Some(over) = part(text, "hub.toml").filter(|_| overlay::path(&alone) == folder.join(overlay::FILE_NAME))
        {
            laid_over(&base, &alone, over, secrets);
        }
    }
    if let Err(report) = load_for_hub(&base.config) {
        must_help(&report, secrets);
    }
}

fn env(choice: u8, folder: &Path) -> Env {
    let folder = |bit: u8| (choice & bit != 0).then(|| folder.to_owned());
    Env {
        state_directory: folder(1),
        runtime_directory: folder(2),
        credentials_directory: folder(4),
        sandbox_built: choice & 8 != 0,
    }
}

fn loaded(base: &Base, secrets: &[String]) -> Result<Checked, Report> {
    let load = || load_in(&base.config, &base.board, &base.env);
    match (load(), load()) {
        (Ok(checked), Ok(again)) => {
            assert!(told(&checked) == told(&again), "one config, two readings");
            must_keep_secrets(&told(&checked), secrets);
            Ok(checked)
        }
        (Err(report), Err(again)) => {
            assert!(report == again && report.has_errors(), "one config, two reports");
            must_help(&report, secrets);
            Err(report)
        }
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => panic!("one config, two readings"),
    }
}

fn told(checked: &Checked) -> String {
    format!("{checked:?}{}{}", checked.effective, checked.warnings)
}

fn must_keep_secrets(told: &str, secrets: &[String]) {
    let leaked = secrets.iter().position(|secret| told.contains(secret));
    assert!(leaked.is_none(), "secret {leaked:?} of the bench is printed");
}

fn must_help(report: &Report, secrets: &[String]) {
    must_keep_secrets(&format!("{report}{report:?}"), secrets);
    for Problem { file, line, problem, advice, .. } in report.problems() {
        assert!(!problem.is_empty() && !advice.is_empty(), "{report}");
        let lines = || fs::read_to_string(file).map_or(0, |text| text.lines().count());
        assert!(line.is_none_or(|line| (1..=lines() + 1).contains(&line)), "{report}");
    }
}

/// What no config may talk the daemon into.
fn must_be_sound(checked: &Checked) {
    let Checked { settings, channels, api, hub, terminal, retention, .. } = checked;
    let is_production = terminal.mode == Mode::Production;
    assert!(!terminal.id.is_empty() && terminal.id.len() <= 32 && terminal.id.is_ascii(), "{:?}", terminal.id);
    assert!(settings.products.values().all(|product| product.price.is_positive()), "goods for nothing");
    assert!(settings.channels.iter().all(|wanted| channels.iter().any(|channel| channel.adapter.id() == *wanted)));
    assert!(!is_production || channels.iter().all(|channel| channel.address.starts_with("https://")), "plain http");
    assert!(hub.as_ref().is_none_or(|hub| !is_production || hub.url.starts_with("https://")), "plain http");
    assert!(api.tcp.as_ref().is_none_or(|tcp| tcp.address.ip().is_loopback() && tcp.token.expose().len() >= 32));
    assert!(retention.limit_bytes > 0 && settings.pace.pay_within_ms > 0, "{retention:?}");
}

/// The hub's text: taken or refused whole, before it is stored and again at the next start.
fn laid_over(base: &Base, alone: &Checked, over: &str, secrets: &[String]) {
    let verdict = overlay::check(base, over);
    put(&base.env.state_directory.clone().unwrap_or_default(), overlay::FILE_NAME, over, 0o600);
    let Ok(whole) = loaded(base, secrets) else { panic!("what the hub sent stops the machine: {verdict:?}") };
    match verdict {
        Ok(()) => {
            must_be_sound(&whole);
            assert!(ours(&whole) == ours(alone), "the hub sets what is not the hub's");
        }
        Err(report) => {
            must_help(&report, secrets);
            assert!(report.has_errors() && whole.warnings.problems().len() > alone.warnings.problems().len());
            assert!(whole.settings == alone.settings && ours(&whole) == ours(alone), "a refused text is in force");
        }
    }
}

/// Who takes the money, who may ask and who may order: the person's at the machine.
fn ours(checked: &Checked) -> String {
    let Checked { channels, api, journal, board, runtime, http, hub, operator_key, terminal, settings, .. } = checked;
    let who = (&terminal.id, terminal.mode, operator_key, &settings.channels, &settings.refunds);
    format!("{channels:?}{api:?}{journal:?}{board:?}{runtime:?}{http:?}{hub:?}{who:?}{}", checked.retention.limit_bytes)
}
