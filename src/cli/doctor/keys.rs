//! The operator's key and the files of the channels' keys: whether they are there and whose they are, never what is in them.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::Finding;
use crate::cli::machine::Tree;
use crate::config;

/// Whether commands and codes of the operator could be checked.
pub(super) fn of_operator(config: &Path) -> Finding {
    let about = "operator's key";
    let checked = match config::load_for_hub(config) {
        Ok(checked) => checked,
        Err(report) => {
            let found = format!("{} errors in {}", report.problems().len(), config.display());
            return Finding::bad(about, found, "`till check` shows them; name another file with --config");
        }
    };
    match (checked.operator_key, checked.hub) {
        (Some(_), _) => Finding::good(about, "is there"),
        (None, None) => Finding::good(about, "none, and no hub that would send commands"),
        (None, Some(_)) => Finding::good(about, "none: refunds, prices and restarts from the hub are refused"),
    }
}

/// The files that systemd hands to the service as credentials: it starts no unit of which one is missing.
pub(super) fn of_credentials(tree: &Tree) -> Vec<Finding> {
    credentials(tree).into_iter().map(|(name, path)| of_credential(tree, &name, &path)).collect()
}

/// `LoadCredential=NAME:PATH` of the unit and of what changes it.
fn credentials(tree: &Tree) -> Vec<(String, String)> {
    let lines = tree.unit_lines();
    let loaded = lines.iter().filter_map(|line| {
        let line = line.strip_prefix("LoadCredential").map(|rest| rest.strip_prefix("Encrypted").unwrap_or(rest))?;
        let (name, path) = line.strip_prefix('=')?.split_once(':')?;
        Some((name.trim().to_owned(), path.trim().to_owned()))
    });
    loaded.collect()
}

fn of_credential(tree: &Tree, name: &str, path: &str) -> Finding {
    let about = format!("key {name}");
    let file = match fs::metadata(tree.path(path)) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            return Finding::good(
                about,
                format!("{path} is not for your eyes; run this as root to see whether it is there"),
            );
        }
        Err(error) => {
            let remedy = "put the file there, or put a # before its line in till.service.d/keys.conf";
            return Finding::bad(about, format!("{path}: {error}; the service does not start"), remedy);
        }
    };
    let mode = file.mode() & 0o777;
    if mode & 0o077 != 0 || file.len() == 0 {
        let found = format!("{path} has mode {mode:o} and {} bytes", file.len());
        return Finding::bad(about, found, format!("chmod 600 {path}; if others have seen it, make a new key"));
    }
    Finding::good(about, format!("{path} is there, and its owner's only"))
}
