//! The terminal's own Ed25519 key. It is made on the machine, kept in a file that only its owner can open, and never
//! leaves: the hub gets the public half.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair, Signature};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use thiserror::Error;

use crate::durable;

/// A key file is a few lines.
const FILE_BYTES_MAX: u64 = 4_096;
/// A line of a PEM file.
const PEM_LINE: usize = 64;
/// So many bytes of the public key's hash are its fingerprint: enough to compare over the phone.
const FINGERPRINT_BYTES: usize = 8;

/// Why there is no key to sign with.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The file or its folder.
    #[error(
        "the terminal's key {} cannot be used ({source}): its folder must exist and belong to the user that runs till",
        path.display()
    )]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Others may have read it.
    #[error(
        "the terminal's key {} can be opened by other users of this machine (mode {mode:o}). If nobody else had access, \
         `chmod 600` it; otherwise remove it and join again: a new one is made",
        path.display()
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Somebody else's file.
    #[error("the terminal's key {} belongs to another user (uid {owner}): give it to the one that runs till", path.display())]
    Owner {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// Not a key.
    #[error(
        "{} is no Ed25519 key in PKCS #8 PEM. If the key is lost, remove the file and join again: a new one is made",
        path.display()
    )]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
    /// The system gave no randomness.
    #[error("the system gives no random numbers, and a key needs them")]
    Entropy,
}

/// The key. It cannot be printed.
pub struct TerminalKey {
    pair: Ed25519KeyPair,
}

impl fmt::Debug for TerminalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TerminalKey({})", self.fingerprint())
    }
}

impl TerminalKey {
    /// The key in the file at `path`; one is made when there is no file.
    ///
    /// # Errors
    ///
    /// [`KeyError`]: a file that others can read, or that is no key, is never used and never replaced.
    pub fn load_or_make(path: &Path) -> Result<Self, KeyError> {
        match Self::load(path) {
            Err(KeyError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                make(path)?;
                Self::load(path)
            }
            other => other,
        }
    }

    /// The key in the file at `path`.
    ///
    /// # Errors
    ///
    /// [`KeyError`]; [`io::ErrorKind::NotFound`] in it when there is none yet.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let trouble = |source| KeyError::File { path: path.to_owned(), source };
        let file = File::open(path).map_err(trouble)?;
        check_owner(path, &file.metadata().map_err(trouble)?)?;
        let mut text = Vec::new();
        file.take(FILE_BYTES_MAX).read_to_end(&mut text).map_err(trouble)?;
        let not_a_key = || KeyError::NotAKey { path: path.to_owned() };
        let der = PrivatePkcs8KeyDer::from_pem_slice(&text).map_err(|_| not_a_key())?;
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der()).map_err(|_| not_a_key())?;
        Ok(Self { pair })
    }

    /// Signs `message`.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        self.pair.sign(message)
    }

    /// The public half: 32 bytes in Base64.
    #[must_use]
    pub fn public(&self) -> String {
        STANDARD.encode(self.pair.public_key())
    }

    /// A few digits of the public half's SHA-256, for people to compare: `1f2e 3d4c 5b6a 7988`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let hash = digest(&SHA256, self.pair.public_key().as_ref());
        let hex: Vec<String> = hash.as_ref()[..FINGERPRINT_BYTES]
            .chunks(2)
            .map(|pair| pair.iter().map(|byte| format!("{byte:02x}")).collect())
            .collect();
        hex.join(" ")
    }

    #[cfg(test)]
    pub(super) fn from_seed(hex: &str) -> Self {
        let seed: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect();
        Self { pair: Ed25519KeyPair::from_seed_unchecked(&seed).unwrap() }
    }
}

/// Root may use everybody's key; everybody else only his own.
fn check_owner(path: &Path, found: &Metadata) -> Result<(), KeyError> {
    let mode = found.permissions().mode() & 0o777;
    if mode & 0o177 != 0 {
        return Err(KeyError::Open { path: path.to_owned(), mode });
    }
    let (owner, user) = (found.uid(), rustix::process::geteuid());
    if owner != user.as_raw() && !user.is_root() {
        return Err(KeyError::Owner { path: path.to_owned(), owner });
    }
    Ok(())
}

/// Writes a new key beside `path`, durable and with its mode from the first byte on, then gives it its name. Of two
/// that do so at once one wins, and both use that one.
fn make(path: &Path) -> Result<(), KeyError> {
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| KeyError::Entropy)?;
    let trouble = |source| KeyError::File { path: path.to_owned(), source };
    let beside = path.with_extension(format!("new{}", std::process::id()));
    let written = write_new(&beside, &pem(pkcs8.as_ref())).and_then(|()| std::fs::hard_link(&beside, path));
    let cleared = std::fs::remove_file(&beside);
    match written {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(trouble(error)),
        Ok(()) | Err(_) => {}
    }
    cleared.and_then(|()| File::open(durable::folder(path))?.sync_all()).map_err(trouble)
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = durable::private(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn pem(der: &[u8]) -> String {
    let mut text = "-----BEGIN PRIVATE KEY-----\n".to_owned();
    let encoded = STANDARD.encode(der);
    for line in encoded.as_bytes().chunks(PEM_LINE) {
        text.extend(line.iter().copied().map(char::from));
        text.push('\n');
    }
    text.push_str("-----END PRIVATE KEY-----\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode_of(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_key_is_made_once_for_its_owner_only_and_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hub.key");
        let made = TerminalKey::load_or_make(&path).unwrap();
        assert_eq!(mode_of(&path), 0o600);
        let again = TerminalKey::load_or_make(&path).unwrap();
        assert_eq!(made.public(), again.public());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "something was left beside it");
        let other = TerminalKey::load_or_make(&dir.path().join("other.key")).unwrap();
        assert_ne!(made.public(), other.public());
        assert_eq!(made.public().len(), 44);
        assert_eq!(made.fingerprint().len(), 19);
    }

    #[test]
    fn a_key_that_others_can_open_is_refused_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hub.key");
        TerminalKey::load_or_make(&path).unwrap();
        let before = std::fs::read(&path).unwrap();
        for mode in [0o640, 0o604, 0o620, 0o700, 0o666] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let refused = TerminalKey::load_or_make(&path).unwrap_err();
            assert!(matches!(refused, KeyError::Open { mode: found, .. } if found == mode), "{refused}");
        }
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn a_file_that_is_no_key_is_refused_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hub.key");
        let other_kind = pem(b"not a key at all");
        for text in ["", "hello", "-----BEGIN PRIVATE KEY-----\n", other_kind.as_str()] {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            let refused = TerminalKey::load_or_make(&path).unwrap_err();
            assert!(matches!(refused, KeyError::NotAKey { .. }), "{text:?}: {refused}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let refused = TerminalKey::load_or_make(&dir.path().join("no/hub.key")).unwrap_err();
        assert!(refused.to_string().contains("no/hub.key"), "{refused}");
    }

    #[test]
    fn the_private_half_is_never_printed() {
        let key = TerminalKey::from_seed(&"07".repeat(32));
        assert_eq!(format!("{key:?}"), format!("TerminalKey({})", key.fingerprint()));
    }
}
