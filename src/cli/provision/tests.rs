//! A card as a technician makes it on a PC, and a machine's folders.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use clap::Parser;

use super::super::{Answer, Cli, Command, Exit, Failure};
use super::{ProvisionArgs, act};
use crate::daemon::binding;

const APP_KEY: &str = include_str!("../../../sandbox/keys/app_private_key.pem");
const ALIPAY_KEY: &str = include_str!("../../../sandbox/keys/alipay_public_key.pem");
const PI: &str = include_str!("../../../boards/raspberry-pi-4.toml");
const SERIAL: &str = "sys/firmware/devicetree/base/serial-number";

/// A folder with `card/till` and, below `root`, the machine.
struct Bench(tempfile::TempDir);

impl Bench {
    fn new() -> Self {
        let bench = Self(tempfile::tempdir().unwrap());
        bench.put("card/till/till.toml", &bench.settings("VM-0001"));
        bench.put("card/till/board.txt", "raspberry-pi-4\r\n");
        bench.put("card/till/keys/alipay-private-key.pem", APP_KEY);
        bench.put("card/till/keys/alipay_public_key.pem", ALIPAY_KEY);
        bench.put("root/usr/share/till/boards/raspberry-pi-4.toml", PI);
        bench.put(&format!("root/{SERIAL}"), "10000000a1b2c3d4\0");
        fs::create_dir_all(bench.path("root/var/lib/till")).unwrap();
        bench
    }

    /// As Notepad writes them.
    fn settings(&self, id: &str) -> String {
        let journal = self.path("root/var/lib/till/till.db");
        format!(
            "\u{feff}[terminal]\nid = \"{id}\"\nsupport = \"400-000-0000\"\n[journal]\npath = \"{}\"\n[[product]]\nslot = \"11\"\nname = \"可乐\"\n\
             price = \"3.50\"\n[channels.alipay]\ngateway_url = \"https://openapi.alipay.com/gateway.do\"\napp_id = \"2021000000000000\"\n\
             private_key_file = \"credential:alipay-private-key\"\npublic_key_file = \"keys/alipay_public_key.pem\"\n\
             # aes_key_file = \"credential:alipay-aes-key\"\n",
            journal.display()
        )
        .replace('\n', "\r\n")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn provision(&self, words: &[&str]) -> Result<Answer, Failure> {
        let Command::Provision(args) = Cli::parse_from([&["till", "provision"], words].concat()).command else {
            panic!("{words:?}");
        };
        let args = ProvisionArgs { root: self.path("root"), ..args };
        act(&args, &self.path("no.sock"))
    }

    fn take_card(&self, words: &[&str]) -> Result<Answer, Failure> {
        let card = self.path("card/till");
        self.provision(&[&[card.to_str().unwrap()], words].concat())
    }

    /// Every file of the machine with its bytes.
    fn machine(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let (mut waiting, mut files) = (vec![self.path("root")], Vec::new());
        while let Some(path) = waiting.pop() {
            match path.is_dir() {
                true => waiting.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path())),
                false => files.push((path.clone(), fs::read(path).unwrap())),
            }
        }
        files.sort();
        files
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_card_becomes_a_terminal_and_keeps_no_key() {
    let bench = Bench::new();
    let done = bench.take_card(&[]).unwrap();
    assert!(done.text.contains("terminal VM-0001") && done.text.contains("2 files of keys"), "{}", done.text);
    let etc = bench.path("root/etc/till");
    assert_eq!(fs::read_to_string(etc.join("board.toml")).unwrap(), PI);
    assert!(bench.read("root/etc/till/till.toml").starts_with("[terminal]\nid = \"VM-0001\"\n"), "plain text");
    assert_eq!(mode(&etc.join("keys/alipay-private-key.pem")), 0o600);
    assert_eq!(mode(&etc.join("keys/alipay_public_key.pem")), 0o640);
    assert_eq!(mode(&etc.join("keys")), 0o750);
    for unit in ["till", "till-reconcile"] {
        let drop_in = bench.read(&format!("root/etc/systemd/system/{unit}.service.d/keys.conf"));
        let lines: Vec<&str> = drop_in.lines().filter(|line| line.starts_with("LoadCredential")).collect();
        assert_eq!(lines, ["LoadCredential=alipay-private-key:/etc/till/keys/alipay-private-key.pem"]);
    }
    assert!(!etc.join(".provision").exists());
    assert!(!bench.path("card/till").exists(), "it would be taken again at the next start");
    assert!(!bench.path("card/till-done/keys").exists(), "a key stayed on the card");
    assert!(bench.read("card/till-report.txt").contains("provisioned as terminal VM-0001"));
}

#[test]
fn a_power_cut_while_the_card_is_cleared_leaves_a_terminal_and_the_next_start_clears_the_rest() {
    let bench = Bench::new();
    bench.take_card(&["--keep"]).unwrap();
    let machine = bench.machine();
    bench.put("card/till-report.txt", "Till: provisioned");
    fs::rename(bench.path("card/till/till.toml"), bench.path("card/till/taken.toml")).unwrap();
    fs::remove_file(bench.path("card/till/keys/alipay-private-key.pem")).unwrap();
    let next = bench.take_card(&[]).unwrap();
    assert!(next.text.contains("cleared now"), "{}", next.text);
    assert_eq!(bench.machine(), machine);
    assert!(!bench.path("card/till").exists() && !bench.path("card/till-done/keys").exists());
    assert!(bench.path("card/till-done/till.toml").exists());
    assert_eq!(bench.read("card/till-report.txt"), "Till: provisioned");
}

#[test]
fn what_cannot_be_used_changes_nothing_and_says_why_on_the_card() {
    let wrong: [(&str, &str, &str); 6] = [
        ("card/till/till.toml", "[terminal]\nid = ", "till.toml"),
        ("card/till/board.txt", "raspberry-pi-9", "no such board"),
        ("card/till/board.txt", "../../../etc/passwd", "no such board"),
        ("card/till/board.toml", "name = 3", "board.toml"),
        ("card/till/keys/alipay-private-key.pem", "hello", "private_key_file"),
        ("card/till/keys/schlüssel.pem", "hello", "letters, digits"),
    ];
    for (file, text, said) in wrong {
        let bench = Bench::new();
        bench.take_card(&["--keep"]).unwrap();
        bench.put(file, text);
        let before = bench.machine();
        let refused = bench.take_card(&[]).unwrap_err();
        assert_eq!(refused.exit(), Exit::Config, "{file}");
        assert_eq!(bench.machine(), before, "{file}");
        let report = bench.read("card/till-report.txt");
        assert!(report.contains("NOT provisioned") && report.contains(said), "{file}: {report}");
        assert!(!report.contains(".provision"), "it names the technician's own files: {report}");
        assert!(!report.contains("PRIVATE KEY"), "{report}");
        assert!(bench.path("card/till/keys").exists(), "to be mended and tried again");
    }
}

#[test]
fn a_credential_is_found_however_toml_writes_it() {
    let bench = Bench::new();
    let single =
        bench.settings("VM-0001").replace("\"credential:alipay-private-key\"", "'credential:alipay-private-key'");
    bench.put("card/till/till.toml", &single);
    bench.take_card(&[]).unwrap();
    let drop_in = bench.read("root/etc/systemd/system/till.service.d/keys.conf");
    assert!(drop_in.contains("LoadCredential=alipay-private-key:"), "{drop_in}");
}

#[test]
fn a_missing_key_is_named_where_the_settings_want_it() {
    let bench = Bench::new();
    fs::remove_file(bench.path("card/till/keys/alipay-private-key.pem")).unwrap();
    let refused = bench.take_card(&[]).unwrap_err().to_string();
    assert!(refused.contains("channels.alipay.private_key_file"), "{refused}");
    assert!(!bench.path("root/etc/till/till.toml").exists());
}

#[test]
fn a_stick_for_several_machines_is_left_as_it_is() {
    let bench = Bench::new();
    bench.take_card(&["--keep"]).unwrap();
    assert!(bench.path("card/till/keys/alipay-private-key.pem").exists());
    assert!(!bench.path("card/till-report.txt").exists());
    bench.take_card(&["--keep"]).unwrap();
    let folder = bench.path("nowhere");
    let none = bench.provision(&[folder.to_str().unwrap(), "--keep"]).unwrap_err();
    assert!(none.to_string().contains("till.toml cannot be read"), "{none}");
}

#[test]
fn a_moved_card_goes_on_as_the_same_terminal_only_when_a_person_says_so() {
    let bench = Bench::new();
    bench.take_card(&[]).unwrap();
    let (root, journal) = (bench.path("root"), bench.path("root/var/lib/till/till.db"));
    binding::check(&root, &journal, "VM-0001").unwrap();
    bench.put("root/var/lib/till/till.db", "the journal");
    bench.put(&format!("root/{SERIAL}"), "1000000055556666");
    assert!(binding::check(&root, &journal, "VM-0001").is_err());
    let moved = bench.provision(&["--moved"]).unwrap();
    assert!(moved.text.contains("1000000055556666"), "{}", moved.text);
    binding::check(&root, &journal, "VM-0001").unwrap();
    assert_eq!(bench.read("root/var/lib/till/till.db"), "the journal");
}

#[test]
fn a_copy_becomes_another_terminal_and_deletes_nothing() {
    let bench = Bench::new();
    bench.take_card(&[]).unwrap();
    let (root, journal) = (bench.path("root"), bench.path("root/var/lib/till/till.db"));
    binding::check(&root, &journal, "VM-0001").unwrap();
    for name in ["till.db", "till.db-wal", "hub.key", "hub.toml", "statements/2026-01-31.csv"] {
        bench.put(&format!("root/var/lib/till/{name}"), name);
    }
    bench.put(&format!("root/{SERIAL}"), "1000000055556666");
    let same = bench.provision(&["--new-identity"]).unwrap_err();
    assert!(same.to_string().contains("still says that this is terminal VM-0001"), "{same}");
    assert!(journal.exists());

    bench.put("root/etc/till/till.toml", bench.settings("VM-0002").trim_start_matches('\u{feff}'));
    let done = bench.provision(&["--new-identity"]).unwrap();
    assert!(done.text.contains("Terminal VM-0002") && done.text.contains("copied-from-VM-0001"), "{}", done.text);
    binding::check(&root, &journal, "VM-0002").unwrap();
    assert!(!journal.exists() && !bench.path("root/var/lib/till/hub.key").exists());
    for name in ["till.db", "till.db-wal", "hub.key", "hub.toml", "statements/2026-01-31.csv"] {
        assert_eq!(bench.read(&format!("root/var/lib/till/copied-from-VM-0001/{name}")), name);
    }
    let again = bench.provision(&["--new-identity"]).unwrap_err();
    assert!(again.to_string().contains("VM-0002"), "{again}");
}

#[test]
fn a_copy_that_a_power_cut_left_half_put_aside_is_put_aside_whole() {
    let bench = Bench::new();
    bench.take_card(&[]).unwrap();
    binding::check(&bench.path("root"), &bench.path("root/var/lib/till/till.db"), "VM-0001").unwrap();
    bench.put("root/var/lib/till/copied-from-VM-0001/till.db", "before");
    bench.put("root/var/lib/till/hub.key", "after");
    bench.put("root/etc/till/till.toml", bench.settings("VM-0002").trim_start_matches('\u{feff}'));
    bench.provision(&["--new-identity"]).unwrap();
    assert_eq!(bench.read("root/var/lib/till/copied-from-VM-0001/till.db"), "before");
    assert_eq!(bench.read("root/var/lib/till/copied-from-VM-0001-2/hub.key"), "after");
}

#[test]
fn beside_a_running_daemon_no_identity_is_changed() {
    let bench = Bench::new();
    let socket = bench.path("till.sock");
    let _daemon = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let Command::Provision(args) = Cli::parse_from(["till", "provision", "--moved"]).command else {
        panic!("no command");
    };
    assert!(act(&args, &socket).unwrap_err().to_string().contains("systemctl stop till"));
}

#[test]
fn one_thing_at_a_time() {
    for words in [
        &["till", "provision"][..],
        &["till", "provision", "till", "--moved"],
        &["till", "provision", "--moved", "--new-identity"],
        // Whose board it is stands in the system that runs, and in no other.
        &["till", "provision", "--moved", "--root", "/mnt"],
        &["till", "provision", "--new-identity", "--root", "/mnt"],
    ] {
        assert!(Cli::try_parse_from(words).is_err(), "{words:?}");
    }
}
