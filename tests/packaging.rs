//! What surrounds the program: units, package, the scripts of updates and of cards. `packaging/check-deb` tries the package itself.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// What `cargo test` captures nobody sees.
fn skipped(why: &str) {
    std::io::stderr().write_all(format!("SKIPPED: {why}\n").as_bytes()).unwrap();
}

fn has(program: &str) -> bool {
    Command::new("sh")
        .args(["-c", &format!("PATH=$PATH:/usr/sbin:/sbin command -v {program}")])
        .output()
        .unwrap()
        .status
        .success()
}

fn units() -> Vec<String> {
    let files = fs::read_dir(root().join("systemd")).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = files.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

/// The values of a setting in a unit file, in order.
fn settings(unit: &str, name: &str) -> Vec<String> {
    let text = read(&format!("systemd/{unit}"));
    text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('=')).map(ToOwned::to_owned).collect()
}

#[test]
fn the_package_brings_every_unit_rule_and_board() {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let assets = manifest["package"]["metadata"]["deb"]["assets"].as_array().unwrap();
    let sources: Vec<&str> = assets.iter().map(|asset| asset[0].as_str().unwrap()).collect();
    for name in units() {
        let packed = sources.iter().any(|source| match source.split_once('*') {
            Some((front, back)) => format!("systemd/{name}").starts_with(front) && name.ends_with(back),
            None => *source == format!("systemd/{name}"),
        });
        assert!(packed, "systemd/{name} is in no package");
    }
    for source in sources.iter().filter(|source| !source.starts_with("target/")) {
        let folder = root().join(source.split('*').next().unwrap());
        assert!(folder.exists(), "{source} is in the package and not in the tree");
    }
}

#[test]
fn every_group_of_the_service_is_made_where_it_is_missing() {
    let made = read("systemd/till.sysusers");
    let groups = settings("till.service", "SupplementaryGroups").join(" ");
    assert!(groups.split(' ').count() > 5, "this test looks at nothing");
    for group in groups.split(' ') {
        assert!(made.contains(&format!("\ng {group} -")), "systemd starts no unit whose group {group} is missing");
    }
}

#[test]
fn what_is_for_a_person_is_not_tried_again_and_everything_else_is() {
    assert_eq!(settings("till.service", "Restart"), ["always"]);
    let stays: Vec<String> = settings("till.service", "RestartPreventExitStatus");
    assert_eq!(stays, ["2 78"], "1, 4 and 75 come back");
    assert_eq!(settings("till.service", "SuccessExitStatus"), ["75"]);
    assert_eq!(settings("till.service", "StartLimitIntervalSec"), ["0"]);
}

#[test]
fn no_unit_is_weaker_than_it_was() {
    if !has("systemd-analyze") {
        return skipped("systemd-analyze is not here: the units were not looked at");
    }
    let can = Command::new("systemd-analyze").arg("--help").output().unwrap();
    if !String::from_utf8_lossy(&can.stdout).contains("--offline") {
        return skipped("systemd-analyze is older than systemd 250: the units were not looked at");
    }
    // In tenths, as `systemd-analyze security` rates them.
    for (unit, worst) in [("till.service", 20), ("till-reconcile.service", 13), ("till-provision.service", 18)] {
        let path = root().join("systemd").join(unit);
        let looked = Command::new("systemd-analyze")
            .args(["security", "--offline=true", &format!("--threshold={worst}")])
            .arg(path)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&looked.stdout).lines().last().unwrap_or_default().to_owned();
        assert!(looked.status.success(), "{unit}: {said}");
    }
}

/// The scripts below a folder, known by their first line: most have no ending.
fn scripts(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
        let path = entry.path();
        let is_folder = entry.file_type().unwrap().is_dir();
        if is_folder {
            scripts(&path, found);
        } else if !is_folder && fs::read(&path).is_ok_and(|bytes| is_script(&bytes)) {
            found.push(path);
        }
    }
}

fn is_script(bytes: &[u8]) -> bool {
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    first.starts_with(b"#!") && first.ends_with(b"sh")
}

#[test]
fn every_script_passes_shellcheck() {
    if !has("shellcheck") {
        return skipped("shellcheck is not here: no script was looked at");
    }
    let mut found = Vec::new();
    for folder in [".ci", "packaging", "tests", "benches"] {
        scripts(&root().join(folder), &mut found);
    }
    assert!(found.len() > 12, "this test looks at nothing: {found:?}");
    let looked = Command::new("shellcheck").args(["--severity=warning", "--"]).args(&found).output().unwrap();
    assert!(looked.status.success(), "{}", String::from_utf8_lossy(&looked.stdout));
}

/// A folder of programs that note how they were called, and end as they are told.
struct Fakes {
    dir: tempfile::TempDir,
}

impl Fakes {
    fn new(programs: &[(&str, &str)]) -> Self {
        let fakes = Self { dir: tempfile::tempdir().unwrap() };
        fs::create_dir(fakes.path("bin")).unwrap();
        for (name, does) in programs {
            fakes.put(name, does);
        }
        fakes
    }

    fn put(&self, name: &str, does: &str) {
        let path = self.path("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\necho \"{name} $*\" >>\"{}\"\n{does}\n", self.path("calls").display()))
            .unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn run(&self, script: &str, words: &[&str]) -> Output {
        let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", self.path("bin").display());
        let mut command = Command::new(root().join(script));
        command.args(words).env("PATH", path).env("TILL_NOTE", self.path("note.json"));
        command.env("TILL_AUTOBOOT", self.path("autoboot.txt")).env("TILL_BOOTLOADER", self.path("bootloader"));
        command.env("TILL_CMDLINE", self.path("cmdline"));
        command.env("TILL_BOOT", self.path("boot")).env("TILL_ROOT", self.path("root"));
        command.output().unwrap()
    }

    /// How the fakes were called since the last question.
    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.path("calls")).unwrap_or_default();
        let _none = fs::remove_file(self.path("calls"));
        calls.lines().map(ToOwned::to_owned).collect()
    }
}

const UPDATE: &str = "packaging/update/update";

fn updating() -> Fakes {
    Fakes::new(&[("till", "echo '{\"findings\":[]}'"), ("rauc", ""), ("systemctl", "")])
}

#[test]
fn nothing_is_installed_while_something_is_open() {
    let fakes = updating();
    assert!(fakes.run(UPDATE, &["before"]).status.success());
    assert_eq!(fakes.calls(), ["till ready-for-update --wait 3600", "till health --up 0 --json"]);
    assert!(fakes.path("note.json").exists());
    fakes.put("till", "exit 1");
    let refused = fakes.run(UPDATE, &["before"]);
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(fakes.calls(), ["till ready-for-update --wait 3600"], "nothing was noted");
    assert_eq!(fakes.run(UPDATE, &["reboot"]).status.code(), Some(1));
    assert!(!fakes.calls().iter().any(|call| call.starts_with("systemctl")), "somebody stands there");
    fakes.put("till", "exit 3");
    assert!(fakes.run(UPDATE, &["before"]).status.success(), "an update may mend a daemon that is away");
    assert!(fakes.run(UPDATE, &["reboot", "--reboot-argument=0 tryboot"]).status.success());
    assert_eq!(fakes.calls().last().unwrap(), "systemctl reboot --reboot-argument=0 tryboot");
}

#[test]
fn rauc_keeps_a_slot_that_does_its_work_and_leaves_one_that_does_not() {
    let fakes = updating();
    assert!(fakes.run(UPDATE, &["judge", "rauc"]).status.success());
    assert_eq!(fakes.calls(), ["rauc status mark-good"], "an ordinary start needs no examination");

    fs::write(fakes.path("note.json"), "{}").unwrap();
    assert!(fakes.run(UPDATE, &["judge", "rauc"]).status.success());
    let note = fakes.path("note.json");
    let health = format!("till health --within 900 --before {}", note.display());
    assert_eq!(fakes.calls(), [&*health, "rauc status mark-good"]);
    assert!(!note.exists(), "the next start is an ordinary one");

    fs::write(&note, "{}").unwrap();
    fakes.put("till", "exit 1");
    fakes.run(UPDATE, &["judge", "rauc"]);
    assert_eq!(fakes.calls(), [&*health, "rauc status mark-bad", "systemctl reboot"]);
    assert!(!note.exists(), "the old system is not judged for it");
}

#[test]
fn rauc_never_condemns_the_system_that_was_there_before_the_update() {
    let fakes = updating();
    fs::write(fakes.path("cmdline"), "quiet root=/dev/mmcblk0p2 rauc.slot=A rootwait\n").unwrap();
    assert!(fakes.run(UPDATE, &["before"]).status.success());
    fakes.calls();
    fakes.put("till", "exit 1");
    let back = fakes.run(UPDATE, &["judge", "rauc"]);
    assert!(String::from_utf8_lossy(&back.stderr).contains("the one of before"));
    assert_eq!(fakes.calls(), ["rauc status mark-good"], "there may be no other system that starts");
    assert!(!fakes.path("note.json").exists());

    fakes.put("till", "echo '{\"findings\":[]}'");
    assert!(fakes.run(UPDATE, &["before"]).status.success());
    fs::write(fakes.path("cmdline"), "quiet root=/dev/mmcblk0p3 rauc.slot=B rootwait\n").unwrap();
    fakes.put("till", "exit 1");
    fakes.calls();
    fakes.run(UPDATE, &["judge", "rauc"]);
    assert_eq!(fakes.calls()[1..], ["rauc status mark-bad", "systemctl reboot"], "the new one is");
}

const AUTOBOOT: &str = "[all]\ntryboot_a_b=1\nboot_partition=2\n[tryboot]\nboot_partition=3\n";

/// A Pi that was started with or without `tryboot`, as its firmware tells in the device tree.
fn pi(tried: bool) -> Fakes {
    let fakes = updating();
    fs::create_dir(fakes.path("bootloader")).unwrap();
    fs::write(fakes.path("bootloader/tryboot"), [0, 0, 0, u8::from(tried)]).unwrap();
    fs::write(fakes.path("autoboot.txt"), AUTOBOOT).unwrap();
    fs::write(fakes.path("note.json"), "{}").unwrap();
    fakes
}

#[test]
fn a_pi_keeps_the_side_that_it_tried_only_when_it_does_its_work() {
    let fakes = pi(true);
    assert!(fakes.run(UPDATE, &["judge", "tryboot"]).status.success());
    let kept = fs::read_to_string(fakes.path("autoboot.txt")).unwrap();
    assert_eq!(kept, "[all]\ntryboot_a_b=1\nboot_partition=3\n[tryboot]\nboot_partition=2\n");
    assert!(fakes.run(UPDATE, &["judge", "tryboot"]).status.success());
    assert_eq!(fs::read_to_string(fakes.path("autoboot.txt")).unwrap(), kept, "once");

    let fakes = pi(true);
    fakes.put("till", "exit 1");
    fakes.run(UPDATE, &["judge", "tryboot"]);
    assert_eq!(fakes.calls().last().unwrap(), "systemctl reboot", "which starts the old side");
    assert_eq!(fs::read_to_string(fakes.path("autoboot.txt")).unwrap(), AUTOBOOT);

    let fakes = pi(false);
    let back = fakes.run(UPDATE, &["judge", "tryboot"]);
    assert!(String::from_utf8_lossy(&back.stderr).contains("did not start"));
    assert_eq!(fs::read_to_string(fakes.path("autoboot.txt")).unwrap(), AUTOBOOT);
    assert!(fakes.calls().is_empty() && !fakes.path("note.json").exists());

    let fakes = pi(true);
    fs::write(fakes.path("autoboot.txt"), "[all]\nboot_partition=2\n").unwrap();
    fakes.run(UPDATE, &["judge", "tryboot"]);
    assert_eq!(fakes.calls().last().unwrap(), "systemctl reboot", "what cannot be kept is not kept");
}

#[test]
fn the_first_start_runs_once_whatever_becomes_of_it() {
    for (dpkg, said) in [("", "Till: installed"), ("exit 1", "Till: NOT installed")] {
        let fakes = Fakes::new(&[("dpkg", dpkg), ("systemctl", "")]);
        let boot = fakes.path("boot");
        fs::create_dir_all(fakes.path("root/usr/share/till")).unwrap();
        fs::copy(root().join("systemd/watchdog.conf"), fakes.path("root/usr/share/till/watchdog.conf")).unwrap();
        fs::create_dir(&boot).unwrap();
        let line = "console=tty1 rootwait";
        let hook = " systemd.run=/boot/firmware/till-first-start.sh systemd.run_success_action=reboot systemd.run_failure_action=reboot \
                    systemd.unit=kernel-command-line.target\n";
        fs::write(boot.join("cmdline.txt"), format!("{line}{hook}")).unwrap();
        fs::write(boot.join("till.deb"), "").unwrap();
        fs::copy(root().join("packaging/first-start"), boot.join("till-first-start.sh")).unwrap();
        assert!(fakes.run("packaging/first-start", &[]).status.success(), "the machine must start");
        assert_eq!(fs::read_to_string(boot.join("cmdline.txt")).unwrap(), format!("{line}\n"));
        assert!(!boot.join("till-first-start.sh").exists());
        let report = fs::read_to_string(boot.join("till-first-start.txt")).unwrap();
        assert!(report.contains(said), "{report}");
        assert_eq!(boot.join("till.deb").exists(), !dpkg.is_empty(), "what failed may be tried by hand");
        let watchdog = fakes.path("root/etc/systemd/system.conf.d/50-till-watchdog.conf");
        assert_eq!(watchdog.exists(), dpkg.is_empty());
    }
}

/// A card as Raspberry Pi OS comes: a FAT partition with cmdline.txt and config.txt, then ext4.
fn stock_image(dir: &Path) {
    let make = "set -eu; export PATH=$PATH:/usr/sbin:/sbin MTOOLS_SKIP_CHECK=1; cd \"$1\"
        truncate -s 64M base.img
        printf 'label: dos\\nstart=8192, size=65536, type=c\\nstart=73728, type=83\\n' | sfdisk -q base.img
        mformat -i base.img@@4194304 -F -v bootfs ::
        echo 'console=serial0,115200 console=tty1 root=PARTUUID=57c84f67-02 rootwait' >cmdline.txt
        echo 'arm_64bit=1' >config.txt
        mcopy -i base.img@@4194304 cmdline.txt config.txt ::/";
    assert!(Command::new("sh").args(["-c", make, "sh"]).arg(dir).status().unwrap().success());
}

#[test]
fn an_image_has_the_package_the_folder_and_one_line_that_starts_it() {
    if !has("mcopy") || !has("sfdisk") {
        return skipped("mtools or fdisk is not here: packaging/image was not tried");
    }
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).into_os_string().into_string().unwrap();
    stock_image(dir.path());
    fs::create_dir_all(path("prov/keys")).unwrap();
    for (name, text) in [
        ("prov/till.toml", "t"),
        ("prov/board.txt", "b"),
        ("prov/keys/a.pem", "k"),
        ("till_arm64.deb", "deb"),
        ("more", "dtparam=spi=on\n"),
    ] {
        fs::write(path(name), text).unwrap();
    }
    let image = |base: &str, out: &str| {
        let (base, deb, prov, more, out) = (path(base), path("till_arm64.deb"), path("prov"), path("more"), path(out));
        let words =
            ["--base", &base, "--deb", &deb, "--provision", &prov, "--config", &more, "--free-uart", "--out", &out];
        Command::new(root().join("packaging/image")).args(words).output().unwrap()
    };
    let made = image("base.img", "card.img");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let on_card = |name: &str| {
        let from = format!("{}@@4194304", path("card.img"));
        let read = Command::new("mcopy")
            .args(["-n", "-i", &from, &format!("::/{name}"), "-"])
            .env("MTOOLS_SKIP_CHECK", "1")
            .output();
        String::from_utf8(read.unwrap().stdout).unwrap()
    };
    let line = on_card("cmdline.txt");
    assert!(
        line.starts_with(
            "console=tty1 root=PARTUUID=57c84f67-02 rootwait systemd.run=/boot/firmware/till-first-start.sh"
        ),
        "{line}"
    );
    assert_eq!(line.matches('\n').count(), 1);
    assert_eq!(on_card("config.txt"), "arm_64bit=1\n\n# Till\n[all]\ndtparam=spi=on\n");
    assert_eq!((&*on_card("till.deb"), &*on_card("till/keys/a.pem"), &*on_card("till/board.txt")), ("deb", "k", "b"));
    assert_eq!(on_card("till-first-start.sh"), read("packaging/first-start"));
    assert_eq!(fs::metadata(path("card.img")).unwrap().permissions().mode() & 0o077, 0, "keys are in it");

    assert!(!image("card.img", "twice.img").status.success(), "a card that starts something else already");
    assert!(!Path::new(&path("twice.img")).exists(), "half an image is none");
    assert!(!image("till_arm64.deb", "no.img").status.success());
}
