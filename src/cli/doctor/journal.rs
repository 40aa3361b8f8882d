//! The journal's file.

use std::path::Path;

use super::Finding;
use crate::journal::verify;

/// A larger journal is not walked by the doctor: the daemon proves its end at each start, `till journal verify` all of it.
const WALKED_BYTES_MAX: u64 = 64 << 20;

pub(super) fn of_journal(path: &Path) -> Finding {
    let about = format!("journal {}", path.display());
    let size = match std::fs::metadata(path) {
        Ok(found) => found.len(),
        Err(error) => {
            let remedy = "name it with --journal; before the first start there is none";
            return Finding::bad(about, format!("cannot be seen ({error})"), remedy);
        }
    };
    if let Err(errno) = rustix::fs::access(path, rustix::fs::Access::WRITE_OK) {
        let remedy =
            "run this as root or as the user of till; if it fails there too, the disk is read-only: see `dmesg`";
        return Finding::bad(about, format!("cannot be written ({errno})"), remedy);
    }
    if size > WALKED_BYTES_MAX {
        return Finding::good(about, "writable; too large to be walked here, use `till journal verify`");
    }
    match verify::verify(path, None) {
        Ok(report) if report.is_sound() => {
            let removed = (report.removed > 0).then(|| format!("; {} old ones removed by retention", report.removed));
            let found = format!("writable, all {} entries as they were written", report.entries);
            Finding::good(about, found + &removed.unwrap_or_default())
        }
        Ok(report) => {
            let first = report.faults.first().map(ToString::to_string).unwrap_or_default();
            Finding::bad(
                about,
                format!("{} faults, the first: {first}", report.fault_count),
                "`till journal verify` names all; keep the file as evidence",
            )
        }
        Err(error) => Finding::bad(about, error.to_string(), "keep the file and its -wal, and see `dmesg`"),
    }
}
