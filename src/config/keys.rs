//! Key files: by path, relative to the folder of `till.toml`, or `credential:NAME` from systemd.

use std::fs::{File, Metadata};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

use super::Needs;
use super::check::Checker;
use super::raw::Written;
use super::source::has_a_key;

const CREDENTIAL: &str = "credential:";

/// The largest file read; Alipay's bundle of roots has about 10 KiB.
const LARGEST_BYTES: u64 = 1 << 18;

/// Who may read the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readers {
    /// Its owner only: private keys and tokens.
    Owner,
    /// Anybody: public keys and certificates.
    Anybody,
}

/// Where a key file is.
struct Place {
    path: PathBuf,
    /// systemd guards its credentials itself, by means that are not in the permission bits.
    is_credential: bool,
}

/// Reads the file that a key of the config names, unless keys are not needed; every way this can fail is a finding at that key.
pub(super) fn read(checker: &mut Checker<'_, '_>, written: &Written<String>, readers: Readers) -> Option<String> {
    match checker.found.needs {
        Needs::Everything => {}
        Needs::AllButKeys => return None,
    }
    if looks_like_a_key(checker, &written.value) {
        checker.found.error(
            &written.at,
            "the key itself stands here, and the path of its file is wanted",
            "put the key in a file of its own with mode 600 and name that file; if others have seen this file, make a new key",
        );
        return None;
    }
    let place = locate(checker, written)?;
    let path = place.path.display().to_string();
    let (text, metadata) = match open_and_read(&place) {
        Ok(read) => read,
        Err(why) => {
            checker.found.error(&written.at, format!("{path} cannot be read: {}", why.problem), why.advice);
            return None;
        }
    };
    if readers == Readers::Owner && !place.is_credential {
        guard(checker, written, &path, &metadata);
    }
    Some(text)
}

/// A secret that others can read is none, and one that others can replace is theirs.
fn guard(checker: &mut Checker<'_, '_>, written: &Written<String>, path: &str, metadata: &Metadata) {
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let problem = format!("{path} can be opened by other users of this machine (mode {mode:o})");
        checker.found.error(&written.at, problem, format!("make it its owner's only: chmod 600 {path}"));
    }
    let us = rustix::process::geteuid().as_raw();
    if !may_own(metadata.uid(), us) {
        let problem = format!("{path} belongs to another user of this machine (user {})", metadata.uid());
        let advice = format!("give it to the user who runs this: chown {us} {path}");
        checker.found.error(&written.at, problem, advice);
    }
}

/// The user who runs this, or root, who can do anything anyway.
const fn may_own(owner: u32, us: u32) -> bool {
    owner == us || owner == 0
}

fn locate(checker: &mut Checker<'_, '_>, written: &Written<String>) -> Option<Place> {
    let Some(name) = written.value.strip_prefix(CREDENTIAL) else {
        return Some(Place { path: checker.resolve(&written.value), is_credential: false });
    };
    if name.is_empty() || name.contains('/') || name.starts_with('.') {
        let problem = format!("\"{name}\" is not the name of a credential");
        checker.found.error(
            &written.at,
            problem,
            "write credential:NAME with the name from LoadCredential= in the unit",
        );
        return None;
    }
    let Some(folder) = &checker.env.credentials_directory else {
        let advice = format!(
            "start Till by systemd with LoadCredential={name}:/path in the unit, or name a file here; to check the file by \
             hand, set CREDENTIALS_DIRECTORY to a folder with the credentials"
        );
        checker.found.error(&written.at, "there are no credentials: $CREDENTIALS_DIRECTORY is not set", advice);
        return None;
    };
    Some(Place { path: folder.join(name), is_credential: true })
}

/// Why a file was not read.
struct Unread {
    problem: String,
    advice: &'static str,
}

fn open_and_read(place: &Place) -> Result<(String, Metadata), Unread> {
    let because = |error: std::io::Error| Unread {
        advice: unread_advice(error.kind(), place.is_credential),
        problem: error.to_string(),
    };
    // Looked at before it is opened: opening a pipe would wait for its writer.
    let metadata = std::fs::metadata(&place.path).map_err(because)?;
    if !metadata.is_file() {
        return Err(Unread { problem: "it is not a file".into(), advice: "name the key file itself" });
    }
    if metadata.len() > LARGEST_BYTES {
        return Err(Unread { problem: "it is larger than 256 KiB".into(), advice: "name the key file itself" });
    }
    let file = File::open(&place.path).map_err(because)?;
    let metadata = file.metadata().map_err(because)?;
    let mut text = String::new();
    file.take(LARGEST_BYTES).read_to_string(&mut text).map_err(because)?;
    Ok((text, metadata))
}

fn unread_advice(kind: ErrorKind, is_credential: bool) -> &'static str {
    match (kind == ErrorKind::NotFound, is_credential) {
        (true, true) => "add LoadCredential= with this name to the unit",
        (true, false) => "check the path; a relative one starts from the folder of this file",
        (false, _) if kind == ErrorKind::PermissionDenied => {
            "make Till's user its owner: chown till FILE, chmod 600 FILE"
        }
        (false, _) if kind == ErrorKind::InvalidData => "give the key as PEM or Base64 text, not as a binary file",
        (false, _) => "check the path and the disk",
    }
}

/// People paste the key where its path belongs.
fn looks_like_a_key(checker: &Checker<'_, '_>, value: &str) -> bool {
    let is_no_path =
        value.contains("-----BEGIN") || value.contains('\n') || (value.len() > 200 && !value.contains('.'));
    let is_path = value.starts_with('/') && !value.ends_with('=');
    is_no_path || (!is_path && has_a_key(value) && !checker.resolve(value).exists())
}

#[cfg(test)]
mod tests {
    use super::may_own;

    #[test]
    fn a_secret_of_another_user_is_not_taken() {
        let (root, till, stranger) = (0, 991, 1_000);
        assert!(may_own(till, till) && may_own(root, till) && may_own(root, root));
        assert!(!may_own(stranger, till) && !may_own(stranger, root));
    }
}
