//! From the card into the system: beside its place first, checked there as the daemon would, then put in place with till.toml
//! last. A power cut in between leaves the folder on the card, and the next start does it again.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, fchown, symlink};
use std::path::{Path, PathBuf};

use super::folder::{self, Taken};
use crate::config::{self, Checked, Env};
use crate::sync::key::TerminalKey;

/// What is now installed.
#[derive(Debug)]
pub(super) struct Applied {
    pub(super) terminal: String,
    pub(super) board: String,
    pub(super) keys: usize,
    /// The public half and the fingerprint of the key for the hub, or why there is none yet.
    pub(super) hub: Option<String>,
}

/// The units that get the credentials.
const UNITS: [&str; 2] = ["till", "till-reconcile"];

/// Where things are below a root.
struct Places {
    etc: PathBuf,
    units: PathBuf,
    /// Beside the files' own place, so that a file goes there whole.
    stage: PathBuf,
}

/// Checks what is in `folder` and installs it below `root`.
///
/// # Errors
///
/// In words; then nothing was changed.
pub(super) fn apply(folder: &Path, root: &Path) -> Result<Applied, String> {
    let etc = root.join("etc/till");
    let places = Places { units: root.join("etc/systemd/system"), stage: etc.join(".provision"), etc };
    let taken = folder::read(folder, &root.join("usr/share/till/boards"))?;
    let checked = stage(&taken, &places).map_err(|error| cannot_write(&places.stage, &error)).and_then(|()| {
        let shown = |report: config::Report| {
            let stage = format!("{}/", places.stage.display());
            report.to_string().replace(&stage, &format!("{}/", folder.display()))
        };
        check(&places.stage).map_err(shown)
    });
    let installed = checked.and_then(|checked| {
        install(&taken, &places).map_err(|error| cannot_write(&places.etc, &error))?;
        Ok(checked)
    });
    // Keys that were refused do not stay.
    let _none = fs::remove_dir_all(&places.stage);
    let checked = installed?;
    Ok(Applied {
        hub: (root == Path::new("/")).then(|| hub_key(&checked)).flatten(),
        terminal: checked.terminal.id,
        board: checked.board.name,
        keys: taken.keys.len(),
    })
}

fn cannot_write(path: &Path, error: &io::Error) -> String {
    format!("{} cannot be written ({error}); do this as root", path.display())
}

/// As it will be, in a folder that only root sees.
fn stage(taken: &Taken, Places { etc, stage, .. }: &Places) -> io::Result<()> {
    if stage.exists() {
        fs::remove_dir_all(stage)?;
    }
    let keys = stage.join("keys");
    DirBuilder::new().recursive(true).mode(0o755).create(etc)?;
    for folder in [stage, &keys, &stage.join("credentials")] {
        DirBuilder::new().mode(0o700).create(folder)?;
    }
    put(&stage.join("till.toml"), taken.config.as_bytes(), 0o644, None)?;
    put(&stage.join("board.toml"), taken.board.as_bytes(), 0o644, None)?;
    // The group of the service may read what is no secret.
    let group = fs::metadata(etc.join("keys")).ok().map(|found| found.gid());
    for (name, bytes) in &taken.keys {
        let is_credential = taken.credentials.iter().any(|(_, file)| file == name);
        let (mode, group) = if is_credential { (0o600, None) } else { (0o640, group) };
        put(&keys.join(name), bytes, mode, group)?;
    }
    taken
        .credentials
        .iter()
        .try_for_each(|(name, file)| symlink(Path::new("../keys").join(file), stage.join("credentials").join(name)))
}

/// As `till run` will read it under systemd.
fn check(stage: &Path) -> Result<Checked, config::Report> {
    let credentials_directory = Some(stage.join("credentials"));
    let env = Env { credentials_directory, ..Env::of_process() };
    config::load_in(&stage.join("till.toml"), &stage.join("board.toml"), &env)
}

fn install(taken: &Taken, Places { etc, units, stage }: &Places) -> io::Result<()> {
    let keys = etc.join("keys");
    if !keys.exists() {
        DirBuilder::new().mode(0o750).create(&keys)?;
    }
    for (name, _) in &taken.keys {
        fs::rename(stage.join("keys").join(name), keys.join(name))?;
    }
    for unit in UNITS {
        let folder = units.join(format!("{unit}.service.d"));
        DirBuilder::new().recursive(true).mode(0o755).create(&folder)?;
        put(&folder.join("keys.new"), credentials(taken).as_bytes(), 0o644, None)?;
        fs::rename(folder.join("keys.new"), folder.join("keys.conf"))?;
    }
    for name in ["board.toml", "till.toml"] {
        fs::rename(stage.join(name), etc.join(name))?;
    }
    // The card is cleared after this: all of it must be on the disk.
    rustix::fs::sync();
    Ok(())
}

/// The drop-in of both units.
fn credentials(taken: &Taken) -> String {
    let lines = taken.credentials.iter().map(|(name, file)| format!("LoadCredential={name}:/etc/till/keys/{file}\n"));
    format!("# Made by till provision; see docs/operations.md, keys.\n[Service]\n{}", lines.collect::<String>())
}

fn put(path: &Path, bytes: &[u8], mode: u32, group: Option<u32>) -> io::Result<()> {
    let mut file: File = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path)?;
    if rustix::process::geteuid().is_root() {
        fchown(&file, Some(0), group)?;
    }
    // Whatever the mask of who runs this says
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A terminal that reports to a hub has a key of its own, made here and nowhere else.
fn hub_key(checked: &Checked) -> Option<String> {
    let hub = checked.hub.as_ref()?;
    Some(match TerminalKey::load_or_make(&hub.key_file) {
        Ok(key) => format!("{}\nFingerprint: {}", key.public(), key.fingerprint()),
        Err(error) => format!("not made yet: {error}"),
    })
}
