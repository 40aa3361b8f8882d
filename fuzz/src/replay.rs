//! Runs a target over its corpus.

use std::fs;
use std::path::{Path, PathBuf};

/// Every file of `fuzz/corpus/NAME/`, in the order of their names, through the target. A broken promise panics; the file
/// that broke it was named before.
///
/// # Panics
/// When the corpus is empty or cannot be read, too: a replay of nothing proves nothing.
pub fn replay(corpus: &Path, name: &str, target: fn(&[u8])) {
    let folder = corpus.join(name);
    let listed = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = listed.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    for file in files {
        let bytes = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        if std::panic::catch_unwind(|| target(&bytes)).is_err() {
            panic!("{name} breaks a promise over {}", file.display());
        }
    }
}
