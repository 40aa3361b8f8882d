//! A journal behind an SQLite VFS. SQLite brings a second one along, which stands here for a disk that a test made.

use super::chain::Head;
use super::fixture::{Place, whole};
use super::verify::verify_at;
use super::{Journal, Location, Reader};

const VFS: &str = "unix-excl";

async fn synchronous(journal: &Journal) -> i64 {
    let (tell, told) = tokio::sync::oneshot::channel();
    journal
        .with_connection(|connection| {
            let value = connection.pragma_query_value(None, "synchronous", |row| row.get(0));
            tell.send(value.unwrap()).unwrap();
        })
        .await;
    told.await.unwrap()
}

#[tokio::test]
async fn a_journal_behind_a_vfs_does_all_that_a_file_does_and_touches_nothing_beside_it() {
    let place = Place::new();
    let location = Location::on_vfs(VFS, &place.path);
    for round in 0..3 {
        let opened = Journal::open_on(&place.path, Some(VFS)).unwrap();
        assert_eq!(opened.last.map_or(0, |(seq, _)| seq), round * 13);
        let seed = u8::try_from(round).unwrap();
        opened.journal.append(whole(seed)).await.unwrap();
        opened.journal.probe().await.unwrap();
        // Trouble: the next write goes through a new connection.
        opened.journal.with_connection(|connection| connection.pragma_update(None, "query_only", true).unwrap()).await;
        opened.journal.probe().await.unwrap_err();
        opened.journal.acknowledge(round * 13 + 5, Vec::new()).await.unwrap();
        assert_eq!(synchronous(&opened.journal).await, 2);
        assert_eq!(opened.journal.reader().outbox(round * 13, 500, 1 << 20).await.unwrap().len(), 13);
        drop(opened);
        let report = verify_at(&location, None).unwrap();
        assert!(report.is_sound(), "{:?}", report.faults);
        assert_eq!(report.entries, (round + 1) * 13);
    }
    assert_eq!(Reader::open_at(&location).unwrap().totals().await.unwrap().head.seq, 39);
    let lock = format!("{}.lock", place.path.display());
    assert!(!std::path::Path::new(&lock).exists());
}

#[tokio::test]
async fn a_vfs_that_is_not_there_is_said() {
    let place = Place::new();
    let refusal = Journal::open_on(&place.path, Some("no-such-disk")).unwrap_err().to_string();
    assert!(refusal.contains("no-such-disk"), "{refusal}");
    assert!(!place.path.exists());
    assert!(verify_at(&Location::on_vfs("no-such-disk", &place.path), Some(Head::beginning())).is_err());
}

#[tokio::test]
async fn only_a_disk_of_a_test_can_be_weakened() {
    let place = Place::new();
    let weak = Journal::open_at(&Location::weakened_on_vfs(VFS, &place.path)).unwrap().journal;
    assert_eq!(synchronous(&weak).await, 1);
    weak.append(whole(1)).await.unwrap();
    weak.with_connection(|connection| connection.pragma_update(None, "query_only", true).unwrap()).await;
    weak.probe().await.unwrap_err();
    weak.probe().await.unwrap();
    assert_eq!(synchronous(&weak).await, 1, "after trouble too");
    drop(weak);
    for location in [Location::of(&place.path), Location::on_vfs(VFS, &place.path)] {
        assert_eq!(synchronous(&Journal::open_at(&location).unwrap().journal).await, 2);
    }
}
