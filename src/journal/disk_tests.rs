//! Disks that really fail: a file system that is full or read-only, a write that the system refuses.
//!
//! Each story runs in a process of its own, which the test starts from its own binary: under a limit of file size, or
//! in a private mount namespace with a small file system. Where the system allows no such namespace, the test says
//! so loudly and proves nothing.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::fixture::{going_on, new, numbers, opened};
use super::{AppendError, Journal, Location, NewEntry, OpenError, Trouble};
use payment::engine::entry::{Entry, OrderState};

/// Where the story takes place; set only in the process of its own.
const PLACE: &str = "TILL_TEST_DISK";

/// Runs the test `name` again behind `shell`, with a fresh directory as `$PLACE`.
fn play(name: &str, shell: &str) -> std::process::Output {
    let directory = tempfile::tempdir().unwrap();
    let script = format!("{shell} exec \"$0\" --exact journal::disk_tests::{name} --nocapture");
    Command::new("sh")
        .args(["-c", &script])
        .arg(std::env::current_exe().unwrap())
        .env(PLACE, directory.path())
        .output()
        .unwrap()
}

fn place() -> Option<PathBuf> {
    std::env::var_os(PLACE).map(PathBuf::from)
}

fn expect_success(output: &std::process::Output) {
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    assert!(said.contains("1 passed"), "the story was not found: {said}");
}

/// Plays in a private mount namespace, with a file system of 4 MiB at `$PLACE`.
fn play_on_a_small_disk(name: &str) {
    let inner = format!("mount -t tmpfs -o size=4m tmpfs \"${PLACE}\" &&");
    let script = "exec unshare --mount --map-root-user sh -c '";
    let probe = Command::new("unshare")
        .args(["--mount", "--map-root-user", "sh", "-c"])
        .arg("d=$(mktemp -d) && mount -t tmpfs -o size=4m tmpfs \"$d\" && umount \"$d\" && rmdir \"$d\"")
        .output();
    if !probe.is_ok_and(|output| output.status.success()) {
        // Not by a macro: what those print in a test that passes, nobody sees.
        let _said = writeln!(std::io::stderr(), "SKIPPED: {name}: this system allows no private mount namespace");
        return;
    }
    let shell = format!("{script}{inner} exec \"$0\" \"$@\"' \"$0\" --exact journal::disk_tests::{name} --nocapture;");
    expect_success(&play(name, &shell));
}

/// Entries of about 4 KiB.
fn large(seed: u8) -> NewEntry {
    let entry =
        Entry::AttemptNotPaid { order: numbers(seed).order, attempt: numbers(seed).attempt, code: "x".repeat(4_000) };
    new(1, OrderState::Waiting, entry)
}

/// Appends until it fails; returns how many entries are recorded, and the failure.
async fn append_until_it_fails(journal: &Journal) -> (u64, AppendError) {
    let mut last = 0;
    for _ in 0..5_000 {
        match journal.append(vec![large(1), large(1)]).await {
            Ok(places) => last = places[1],
            Err(error) => return (last, error),
        }
    }
    panic!("the disk never failed");
}

async fn is_sound(journal: &Journal, path: &Path, entries: u64) {
    assert_eq!(journal.reader().totals().await.unwrap().head.seq, entries);
    let report = super::verify::verify(path, None).unwrap();
    assert!(report.is_sound(), "{:?}", report.faults);
    assert_eq!(report.entries, entries);
}

#[tokio::test]
async fn a_full_disk_is_said_loses_nothing_and_heals() {
    let Some(place) = place() else {
        return play_on_a_small_disk("a_full_disk_is_said_loses_nothing_and_heals");
    };
    let path = place.join("journal.db");
    let journal = Journal::open(&path).unwrap().journal;
    journal.append(vec![opened(1)]).await.unwrap();
    journal.probe().await.unwrap();
    let ballast = place.join("ballast");
    std::fs::write(&ballast, vec![0; 2 << 20]).unwrap();

    let (last, failure) = append_until_it_fails(&journal).await;
    assert!(matches!(failure, AppendError::Storage(Trouble::StorageFull { .. })), "{failure:?}");
    assert!(failure.to_string().contains("Free some space"), "{failure}");
    is_sound(&journal, &path, last).await;
    let probed = journal.probe().await.unwrap_err();
    assert!(matches!(probed, AppendError::Storage(Trouble::StorageFull { .. })), "{probed:?}");
    assert!(journal.append(vec![large(1); 100]).await.is_err());

    std::fs::remove_file(&ballast).unwrap();
    journal.probe().await.unwrap();
    assert_eq!(journal.append(going_on(2)).await.unwrap()[0], last + 1);
    is_sound(&journal, &path, last + 12).await;
    drop(journal);
    assert_eq!(Journal::open(&path).unwrap().open_orders.len(), 2);
}

#[tokio::test]
async fn a_disk_with_little_room_takes_no_new_sale() {
    let Some(place) = place() else {
        return play_on_a_small_disk("a_disk_with_little_room_takes_no_new_sale");
    };
    let journal = Journal::open(&place.join("journal.db")).unwrap().journal;
    std::fs::write(place.join("ballast"), vec![0; 3 << 20]).unwrap();
    let probed = journal.probe().await.unwrap_err();
    assert!(matches!(probed, AppendError::Storage(Trouble::StorageFull { source: None })), "{probed:?}");
    journal.append(vec![opened(1)]).await.unwrap();
}

#[tokio::test]
async fn a_read_only_disk_is_said_at_the_start() {
    let Some(place) = place() else {
        return play_on_a_small_disk("a_read_only_disk_is_said_at_the_start");
    };
    let path = place.join("journal.db");
    drop(Journal::open(&path).unwrap());
    let remount = |how: &str| {
        let mut mount = Command::new("mount");
        let done = mount.args(["-o", how]).arg(&place).status();
        assert!(done.unwrap().success(), "mount -o {how}");
    };
    remount("remount,ro");
    let refusal = Journal::open(&path).unwrap_err();
    assert!(refusal.to_string().contains("ead-only file system"), "{refusal}");
    // Even when the lock can be had, the file itself is not written to.
    let refusal = super::store::create(&Location::of(&path)).unwrap_err();
    assert!(matches!(refusal, OpenError::Storage(Trouble::ReadOnly { .. })), "{refusal:?}");
    remount("remount,rw");
    Journal::open(&path).unwrap();
}

#[tokio::test]
async fn a_connection_that_may_not_write_is_said_and_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let journal = Journal::open(&path).unwrap().journal;
    journal.append(vec![opened(1)]).await.unwrap();
    journal.with_connection(|connection| connection.pragma_update(None, "query_only", true).unwrap()).await;
    let failure = journal.append(vec![large(1)]).await.unwrap_err();
    assert!(matches!(failure, AppendError::Storage(Trouble::ReadOnly { .. })), "{failure:?}");
    assert_eq!(journal.append(vec![large(1)]).await.unwrap(), [2]);
    is_sound(&journal, &path, 2).await;
}

#[tokio::test]
async fn a_write_that_the_system_refuses_is_said_loses_nothing_and_heals() {
    let Some(place) = place() else {
        // No file may grow beyond 1 MiB, and the signal that says so is ignored: writes fail with EFBIG.
        let name = "a_write_that_the_system_refuses_is_said_loses_nothing_and_heals";
        return expect_success(&play(name, "trap '' XFSZ; ulimit -S -f 2048;"));
    };
    let path = place.join("journal.db");
    let journal = Journal::open(&path).unwrap().journal;
    journal.append(vec![opened(1)]).await.unwrap();
    let (last, failure) = append_until_it_fails(&journal).await;
    assert!(matches!(failure, AppendError::Storage(Trouble::Io { .. })), "{failure:?}");
    assert!(journal.append(vec![large(1); 300]).await.is_err());
    is_sound(&journal, &path, last).await;

    let limit = getrlimit(Resource::Fsize);
    let lifted = Rlimit { current: limit.maximum, ..limit };
    setrlimit(Resource::Fsize, lifted).unwrap();
    assert_eq!(journal.append(going_on(2)).await.unwrap()[0], last + 1);
    is_sound(&journal, &path, last + 12).await;
}

#[tokio::test]
async fn a_program_that_holds_the_file_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let journal = Journal::open(&path).unwrap().journal;
    let browser = rusqlite::Connection::open(&path).unwrap();
    browser.execute_batch("BEGIN IMMEDIATE").unwrap();
    let failure = journal.append(vec![opened(1)]).await.unwrap_err();
    assert!(matches!(failure, AppendError::Storage(Trouble::Busy { .. })), "{failure:?}");
    browser.execute_batch("ROLLBACK").unwrap();
    assert_eq!(journal.append(vec![opened(1)]).await.unwrap(), [1]);
}

#[tokio::test]
async fn a_replaced_file_is_noticed_after_trouble() {
    for replacement in ["a new journal", "an empty file"] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal.db");
        let journal = Journal::open(&path).unwrap().journal;
        journal.append(vec![opened(1)]).await.unwrap();
        for name in ["", "-wal", "-shm"] {
            let file = format!("{}{name}", path.display());
            std::fs::rename(&file, format!("{file}.aside")).unwrap();
        }
        if replacement == "an empty file" {
            std::fs::write(&path, "").unwrap();
        } else {
            drop(super::store::create(&Location::of(&path)).unwrap());
        }
        journal
            .with_connection(|connection| {
                connection.pragma_update(None, "query_only", true).unwrap();
            })
            .await;
        journal.append(vec![large(1)]).await.unwrap_err();
        let failure = journal.append(vec![large(1)]).await.unwrap_err();
        assert!(matches!(failure, AppendError::Changed), "{replacement}: {failure:?}");
    }
}
