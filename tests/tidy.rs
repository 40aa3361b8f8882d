//! The house rules, as a test: what the compiler cannot see.

#![expect(clippy::unwrap_used, reason = "a test that cannot read the tree shall say so and stop")]

use std::fs;
use std::path::{Path, PathBuf};

/// A Rust file of more lines has more than one subject.
const LINES_MAX: usize = 600;

/// A function of more lines has more than one level.
const FUNCTION_LINES_MAX: usize = 70;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files under these folders whose names end so.
fn files(folders: &[&str], ending: &str) -> Vec<PathBuf> {
    let mut waiting: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    let mut found = Vec::new();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    assert!(!found.is_empty(), "no {ending} under {folders:?}: this test looks at nothing");
    found
}

fn rust_files() -> Vec<PathBuf> {
    files(&["src", "payment", "hal", "sandbox", "tests", "benches", "build.rs"], ".rs")
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

#[test]
fn a_file_has_one_subject() {
    let long: Vec<String> = rust_files()
        .iter()
        .map(|path| (path, fs::read_to_string(path).unwrap().lines().count()))
        .filter(|(_, lines)| *lines > LINES_MAX)
        .map(|(path, lines)| format!("{} has {lines} lines", shown(path)))
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}

/// Formatted code closes a function with a brace in the column where it began.
#[test]
fn a_function_has_one_level() {
    let mut long = Vec::new();
    for path in rust_files() {
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for (start, line) in lines.iter().enumerate().filter(|(_, line)| begins_function(line)) {
            let closing = format!("{}}}", &line[..line.len() - line.trim_start().len()]);
            let length = lines[start..].iter().position(|line| *line == closing).unwrap_or(0);
            if length > FUNCTION_LINES_MAX {
                long.push(format!("{}:{} has {length} lines", shown(&path), start + 1));
            }
        }
    }
    assert!(long.is_empty(), "{long:#?}");
}

fn begins_function(line: &str) -> bool {
    let code = line.trim_start();
    let code = code.strip_prefix("pub ").or_else(|| code.strip_prefix("pub(crate) ")).unwrap_or(code);
    let code = code.strip_prefix("const ").or_else(|| code.strip_prefix("async ")).unwrap_or(code);
    code.starts_with("fn ")
}

/// The payment core reaches for nothing: time, entropy and replies come in as arguments.
#[test]
fn the_payment_core_is_pure() {
    let manifest = fs::read_to_string(root().join("payment/Cargo.toml")).unwrap();
    for runtime in ["tokio", "rusqlite", "reqwest", "rustix", "axum", "hal", "tracing"] {
        let depends = manifest.lines().any(|line| line.starts_with(runtime));
        assert!(!depends, "payment/Cargo.toml depends on {runtime}");
    }
    let world = [
        "std::fs",
        "std::net",
        "std::env",
        "std::thread",
        "std::process",
        "SystemTime",
        "Instant::now",
        "HashMap",
        "println!",
    ];
    for path in files(&["payment/src"], ".rs").iter().filter(|path| !shown(path).contains("/tests")) {
        let text = fs::read_to_string(path).unwrap();
        for word in world {
            assert!(!text.contains(word), "{} reaches for {word}", shown(path));
        }
    }
}

/// Drawing and the wire types of a channel do nothing but compute.
#[test]
fn drawing_does_no_io() {
    for path in files(&["src/screen"], ".rs") {
        let text = fs::read_to_string(&path).unwrap();
        for word in ["std::fs", "std::net", "std::thread", "tokio", "std::env"] {
            assert!(!text.contains(word), "{} reaches for {word}", shown(&path));
        }
    }
}

/// The environment is the config's business, and that of whoever starts or kills the daemon on purpose.
#[test]
fn the_environment_is_read_in_few_places() {
    let allowed = ["src/config/", "src/cli/", "src/daemon/crash.rs", "src/demo/", "src/api/tests", "src/journal/"];
    for path in files(&["src"], ".rs") {
        let text = fs::read_to_string(&path).unwrap();
        let reads = text.contains("env::var");
        assert!(!reads || allowed.iter().any(|place| shown(&path).starts_with(place)), "{}", shown(&path));
    }
}

/// Nobody's machine, and no names that say nothing.
#[test]
fn names_mean_something_everywhere() {
    for path in rust_files() {
        let text = fs::read_to_string(&path).unwrap();
        for empty in ["Manager", "Helper", "Utils"] {
            for kind in ["struct", "trait", "enum", "mod"] {
                let name_ends = |line: &str| {
                    let mut words = line.split_whitespace().skip_while(|word| *word != kind).skip(1);
                    words.next().is_some_and(|name| name.trim_end_matches([';', '{', '(']).ends_with(empty))
                };
                let named =
                    text.lines().filter(|line| !line.trim_start().starts_with("//")).find(|line| name_ends(line));
                assert!(named.is_none(), "{}: {named:?}", shown(&path));
            }
        }
    }
}

/// Every address of a record that the list of decisions promises leads somewhere.
#[test]
fn the_decisions_are_all_there() {
    let list = fs::read_to_string(root().join("docs/decisions/README.md")).unwrap();
    let links = list.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let missing: Vec<&str> = links.filter(|link| !root().join("docs/decisions").join(link).exists()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Every test that the list of scenarios promises is there.
#[test]
fn every_scenario_has_its_tests() {
    let list = fs::read_to_string(root().join("docs/scenarios.md")).unwrap();
    let named: Vec<(&str, &str)> = list.split('`').filter_map(|word| word.split_once(".rs::")).collect();
    assert!(named.len() > 20, "this test looks at nothing");
    for (file, test) in named {
        let text = fs::read_to_string(root().join(format!("{file}.rs"))).unwrap_or_default();
        assert!(
            text.contains(&format!("fn {test}()")),
            "docs/scenarios.md names {file}.rs::{test}, which is not there"
        );
    }
}

/// systemd starts no unit of which a credential is missing, and no machine has the keys of every channel.
#[test]
fn the_unit_starts_on_a_machine_of_any_channel_and_every_secret_has_its_line() {
    let unit = fs::read_to_string(root().join("systemd/till.service")).unwrap();
    let set = |text: &str, setting: &str| text.lines().any(|line| line.starts_with(setting));
    assert!(!set(&unit, "LoadCredential"), "the unit wants a key that a machine may not have");
    assert!(set(&unit, "LimitCORE=0"), "a core file would hold the keys");
    let drop_in = fs::read_to_string(root().join("systemd/keys.conf")).unwrap();
    assert!(!set(&drop_in, "LoadCredential"), "the example is harmless as it is installed");
    let reference = fs::read_to_string(root().join("docs/configuration.md")).unwrap();
    let named = reference.split("\"credential:").skip(1).filter_map(|rest| rest.split('"').next());
    let missing: Vec<&str> =
        named.filter(|name| !set(&drop_in, &format!("#LoadCredential={name}:/etc/till/keys/"))).collect();
    assert!(missing.is_empty(), "{missing:?} of docs/configuration.md have no line in systemd/keys.conf");
    assert!(reference.matches("\"credential:").count() > 10, "this test looks at nothing");
}
