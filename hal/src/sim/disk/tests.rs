use std::sync::Barrier;
use std::thread;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::*;

fn connect(card: &Card) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags_and_vfs(card.path(), flags, card.vfs()).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(20)).unwrap();
    connection
}

fn in_wal(card: &Card, synchronous: &str) -> Connection {
    let connection = connect(card);
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    connection.pragma_update(None, "synchronous", synchronous).unwrap();
    connection.execute_batch("CREATE TABLE IF NOT EXISTS sold (n INTEGER PRIMARY KEY, what TEXT)").unwrap();
    connection
}

fn sell(connection: &Connection, n: i64) -> rusqlite::Result<usize> {
    connection.execute("INSERT INTO sold VALUES (?1, ?2)", (n, "tea".repeat(400)))
}

fn sold(connection: &Connection) -> i64 {
    connection.query_row("SELECT count(*) FROM sold", [], |row| row.get(0)).unwrap()
}

fn is_sound(connection: &Connection) -> bool {
    connection.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0)).unwrap() == "ok"
}

/// What a card that was found after a power cut holds.
fn found(card: &Card) -> i64 {
    let connection = in_wal(card, "FULL");
    assert!(is_sound(&connection));
    sold(&connection)
}

#[test]
fn full_loses_nothing_at_any_instant_whatever_becomes_of_what_was_not_synced() {
    let card = Card::new(1);
    let connection = in_wal(&card, "FULL");
    let mut safe = Vec::new();
    for n in 0..8 {
        sell(&connection, n).unwrap();
        safe.push(card.instant());
        if n == 4 {
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        }
    }
    drop(connection);
    for instant in safe[0]..=card.instant() {
        let promised = safe.iter().filter(|at| **at <= instant).count() as i64;
        for fate in [Fate::Lost, Fate::Kept, Fate::Torn(100), Fate::Sectors(0x5a5a)] {
            let kept = found(&card.rebuild(instant, &mut |_| fate));
            assert!((promised..=promised + 1).contains(&kept), "{kept} of {promised} at {instant}, {fate:?}");
        }
    }
}

#[test]
fn a_file_that_a_power_cut_deleted_lends_no_bytes_to_the_next_one() {
    let card = Card::new(3);
    let connection = in_wal(&card, "FULL");
    sell(&connection, 1).unwrap();
    drop(connection);
    // The log was emptied and deleted at closing: its emptying is lost, its deletion is not.
    let first = card
        .power_cut(&mut |one| if matches!(one.op.what, What::Truncate { size: 0 }) { Fate::Lost } else { Fate::Kept });
    let connection = in_wal(&first, "FULL");
    sell(&connection, 2).unwrap();
    let log = first.log();
    let made = log.iter().position(|op| op.what == What::Create && op.name.ends_with("-wal")).unwrap();
    let second = first.rebuild(made + 1, &mut |_| Fate::Kept);
    let image = second.0.disk().image();
    let (_, _, content) = image.named().find(|(name, ..)| name.ends_with("-wal")).unwrap();
    assert!(content.is_empty(), "{} bytes of a file that is gone", content.len());
    assert_eq!(found(&second), 1);
}

#[test]
fn normal_loses_what_it_said_was_done() {
    let card = Card::new(2);
    let connection = in_wal(&card, "NORMAL");
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    sell(&connection, 1).unwrap();
    assert_eq!(found(&card.power_cut(&mut |_| Fate::Lost)), 0);
    assert_eq!(found(&card.power_cut(&mut |_| Fate::Kept)), 1);
}

#[test]
fn a_lying_card_loses_what_it_said_was_safe() {
    let card = Card::new(3);
    let connection = in_wal(&card, "FULL");
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    card.set_lying(true);
    sell(&connection, 1).unwrap();
    assert_eq!(found(&card.power_cut(&mut |_| Fate::Lost)), 0);
    assert_eq!(found(&card.copy()), 1);
}

#[test]
fn one_writes_while_others_read_on_their_own_threads() {
    let card = Card::new(4);
    let writer = in_wal(&card, "FULL");
    let start = Barrier::new(4);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let reader = connect(&card);
                start.wait();
                let mut before = 0;
                while before < 200 {
                    let now = sold(&reader);
                    assert!(now >= before, "{now} after {before}");
                    before = now;
                }
            });
        }
        start.wait();
        for n in 0..200 {
            sell(&writer, n).unwrap();
        }
    });
    assert!(is_sound(&writer));
}

#[test]
fn writers_take_turns() {
    let card = Card::new(5);
    drop(in_wal(&card, "FULL"));
    thread::scope(|scope| {
        for writer in 0..3 {
            let card = &card;
            scope.spawn(move || {
                let connection = connect(card);
                for n in 0..30 {
                    sell(&connection, writer * 100 + n).unwrap();
                }
            });
        }
    });
    assert_eq!(found(&card), 90);
}

#[test]
fn a_rollback_journal_survives_too() {
    let card = Card::new(6);
    let connection = connect(&card);
    // FULL does not sync the directory when the journal is deleted: a commit may come undone. EXTRA does.
    connection
        .execute_batch("PRAGMA synchronous = EXTRA; CREATE TABLE sold (n INTEGER PRIMARY KEY, what TEXT)")
        .unwrap();
    let begun = card.instant();
    sell(&connection, 1).unwrap();
    for instant in begun..=card.instant() {
        for fate in [Fate::Lost, Fate::Kept, Fate::Sectors(0b10)] {
            let after = connect(&card.rebuild(instant, &mut |_| fate));
            assert!(is_sound(&after), "at {instant}, {fate:?}");
            assert!(instant < card.instant() || sold(&after) == 1);
        }
    }
}

#[test]
fn a_failing_card_says_how_and_goes_on_when_it_is_healed() {
    let kinds = [
        (Failure::Full, ErrorCode::DiskFull),
        (Failure::Write, ErrorCode::SystemIoFailure),
        (Failure::Sync, ErrorCode::SystemIoFailure),
        (Failure::ReadOnly, ErrorCode::ReadOnly),
    ];
    for (failure, says) in kinds {
        let card = Card::new(7);
        let connection = in_wal(&card, "FULL");
        for after in 0..2 {
            card.fail_after(after, failure);
            let refusal = sell(&connection, 1).unwrap_err();
            assert_eq!(refusal.sqlite_error_code(), Some(says), "{failure:?} after {after}");
            card.heal();
        }
        sell(&connection, 1).unwrap();
        assert_eq!(sold(&connection), 1, "{failure:?}");
    }
}

#[test]
fn a_card_that_is_full_by_size_takes_nothing_more() {
    let card = Card::new(8);
    let connection = in_wal(&card, "FULL");
    card.set_capacity(Some(card.used() + 6_000));
    let refusal = (0..10).find_map(|n| sell(&connection, n).err()).unwrap();
    assert_eq!(refusal.sqlite_error_code(), Some(ErrorCode::DiskFull));
    card.set_capacity(None);
    sell(&connection, 99).unwrap();
}

#[test]
fn a_read_only_card_is_opened_for_reading_only() {
    let card = Card::new(9);
    drop(in_wal(&card, "FULL"));
    card.fail(Failure::ReadOnly);
    assert!(connect(&card).is_readonly("main").unwrap());
}

#[test]
fn the_same_seed_writes_the_same_bytes() {
    let log = || {
        let card = Card::new(10);
        // Other tests share SQLite's generator: only the salts of the log differ then, so they are left out.
        let connection = in_wal(&card, "FULL");
        (0..5).for_each(|n| assert_eq!(sell(&connection, n), Ok(1)));
        drop(connection);
        card.log().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(log(), log());
}

#[test]
fn a_trimmed_log_costs_no_instant_that_is_still_to_come() {
    let card = Card::new(11);
    let connection = in_wal(&card, "FULL");
    sell(&connection, 1).unwrap();
    let before = card.instant();
    card.trim();
    assert_eq!((card.log().len(), card.instant()), (0, before));
    sell(&connection, 2).unwrap();
    assert_eq!(found(&card.power_cut(&mut |_| Fate::Lost)), 2);
}

#[test]
fn a_card_is_gone_with_the_last_who_holds_it() {
    let card = Card::new(12);
    let (number, path, vfs) = (card.0.number, card.path(), card.vfs());
    let connection = in_wal(&card, "FULL");
    drop(card);
    assert_eq!(sold(&connection), 0);
    drop(connection);
    assert!(Card::found(number).is_none());
    assert!(Connection::open_with_flags_and_vfs(path, OpenFlags::default(), vfs).is_err());
}
