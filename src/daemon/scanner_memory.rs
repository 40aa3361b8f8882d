//! What `dialect = "auto"` found, over restarts: a line in a file beside the journal, written only when it changes.

use std::{fs, path::Path};

use hal::scanner::Memory;

use crate::durable;

/// The memory beside this journal. A file that cannot be read or written costs the time to ask anew, and nothing else.
pub fn beside(journal: &Path) -> Memory {
    let path = durable::folder(journal).join("scanner-dialect");
    let before = fs::read_to_string(&path).ok();
    let keep = move |found: String| {
        let path = path.clone();
        // A slow card holds up no order.
        tokio::task::spawn_blocking(move || write(&path, &found));
    };
    Memory { before, keep: Box::new(keep) }
}

fn write(path: &Path, found: &str) {
    let new = path.with_extension("new");
    let done = durable::private(&new).and_then(|file| durable::put(file, &new, found.as_bytes(), path));
    if let Err(error) = done {
        tracing::info!(%error, path = %path.display(), "which scanner was found cannot be noted: it is looked for anew at each start");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_found_is_there_at_the_next_start_and_a_folder_that_is_not_there_is_no_fault() {
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("till.db");
        assert_eq!(beside(&journal).before, None);
        (beside(&journal).keep)("ssi 9600\n".into());
        let mut before = None;
        while before.is_none() {
            tokio::task::yield_now().await;
            before = beside(&journal).before;
        }
        assert_eq!(before.as_deref(), Some("ssi 9600\n"));
        let nowhere = folder.path().join("nowhere/till.db");
        assert_eq!(beside(&nowhere).before, None);
        write(&folder.path().join("nowhere/scanner-dialect"), "ssi 9600\n");
        assert!(!folder.path().join("nowhere").exists());
    }
}
