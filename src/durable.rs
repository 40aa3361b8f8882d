//! Files that are whole after a power cut, or not there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::Path;

/// Writes what `file`, made at `beside`, is to hold, and gives it the name `path` when it is on the disk. Both are in one
/// folder; what had the name before is replaced.
///
/// # Errors
///
/// When the disk does not take it; what had the name before stands.
pub fn put(mut file: File, beside: &Path, bytes: &[u8], path: &Path) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(beside, path)?;
    File::open(folder(path))?.sync_all()
}

/// A new, empty file that only its owner can open. A technician makes it as root, and the daemon must be able to read it: then
/// it belongs to whom the folder belongs to.
///
/// # Errors
///
/// When it cannot be made.
pub fn private(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    if rustix::process::geteuid().is_root() {
        let owner = folder(path).metadata()?;
        fchown(&file, Some(owner.uid()), Some(owner.gid()))?;
    }
    Ok(file)
}

/// Where a file is: a bare name is in the working folder.
pub fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
