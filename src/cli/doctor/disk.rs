//! The disk that the journal lies on: room, whether it can be written, and how worn it is.

use std::path::Path;

use rustix::fs::{StatVfsMountFlags, statvfs};

use super::Finding;
use crate::cli::machine::Tree;

/// Less than this, and the journal and the system's own logs fill the disk within days.
const ROOM_LEAST: u64 = 200 << 20;

pub(super) fn of_disk(tree: &Tree, journal: &Path) -> Vec<Finding> {
    of_room(journal).into_iter().chain(of_wear(tree)).collect()
}

/// The disk of the nearest folder that is there.
fn of_room(journal: &Path) -> Option<Finding> {
    let folder = journal.ancestors().skip(1).find(|folder| folder.is_dir())?;
    let about = format!("disk of {}", folder.display());
    let disk = statvfs(folder).ok()?;
    if disk.f_flag.contains(StatVfsMountFlags::RDONLY) {
        let remedy = "see `dmesg`: a card at its end is made read-only by the kernel. Replace the card, or leave the read-only mode";
        return Some(Finding::bad(about, "cannot be written", remedy));
    }
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    Some(of_bytes(about, free))
}

fn of_bytes(about: String, free: u64) -> Finding {
    let found = format!("{} MiB are free", free >> 20);
    match free < ROOM_LEAST {
        true => {
            Finding::bad(about, found, "`du -xh / | sort -h | tail` names what is large; journalctl --vacuum-size=50M")
        }
        false => Finding::good(about, found),
    }
}

/// Only eMMC tells how worn it is (JEDEC's life time estimation A and B, and pre-EOL). SD cards tell nothing.
fn of_wear(tree: &Tree) -> Vec<Finding> {
    let disks =
        tree.names("/sys/block").into_iter().filter(|name| name.starts_with("mmcblk") && !name.contains("boot"));
    let found = disks.map(|disk| {
        let told = |what: &str| tree.text(format!("/sys/block/{disk}/device/{what}"));
        let number = |text: &str| u8::from_str_radix(text.trim_start_matches("0x"), 16).ok();
        let life = told("life_time").unwrap_or_default();
        let worst = life.split_whitespace().filter_map(number).max().unwrap_or_default();
        let end = told("pre_eol_info").as_deref().and_then(number).unwrap_or_default();
        of_life(&disk, worst, end)
    });
    found.collect()
}

/// `worst`: tenths of the life that are used up, counted from 1; 0 is not told. `end`: 1 normal, 2 warns, 3 urgent.
fn of_life(disk: &str, worst: u8, end: u8) -> Finding {
    let about = format!("wear of {disk}");
    let found = match worst {
        0 => "it does not tell how worn it is, as no SD card does: slow or failing writes come first".to_owned(),
        1..=10 => format!("{} to {} % of its life are used up", (worst - 1) * 10, worst * 10),
        _ => "its life is over by its own estimate".to_owned(),
    };
    match worst >= 9 || end >= 2 {
        true => Finding::bad(
            about,
            found,
            "replace the module or the card soon; the hub, or `till journal export`, has the records",
        ),
        false => Finding::good(about, found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worn_or_full_disk_is_bad() {
        for (worst, end, good) in
            [(0, 0, true), (1, 1, true), (8, 1, true), (9, 1, false), (11, 1, false), (2, 2, false)]
        {
            assert_eq!(of_life("mmcblk0", worst, end).good, good, "{worst} {end}");
        }
        assert!(of_bytes("disk".to_owned(), 1 << 30).good && !of_bytes("disk".to_owned(), 1 << 20).good);
        assert_eq!(of_life("mmcblk0", 3, 1).found, "20 to 30 % of its life are used up");
    }
}
