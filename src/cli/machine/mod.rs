//! What this computer has, read from `/proc`, `/sys`, `/dev` and `/etc`: nothing is opened, nothing is changed.
//!
//! Everything is read below a folder that is `/` on a machine, and a made-up tree in tests.

mod access;
mod devices;
#[cfg(test)]
pub(super) mod made_up;
mod needs;
#[cfg(test)]
mod tests;
mod thieves;

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use access::{User, may_open};
pub(super) use devices::{Device, devices};
pub(super) use needs::needs;
pub(super) use thieves::{runs, thieves};

/// Texts of the kernel are short; a file that never ends is none of them.
const TEXT_MAX: usize = 1 << 20;

/// The file system of the computer.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    root: PathBuf,
}

impl Default for Tree {
    fn default() -> Self {
        Self { root: PathBuf::from("/") }
    }
}

impl Tree {
    #[cfg(test)]
    pub(super) fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Where the path of the computer is for us.
    pub(super) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Whether this is the computer itself.
    pub(super) fn is_real(&self) -> bool {
        self.root == Path::new("/")
    }

    pub(super) fn exists(&self, path: impl AsRef<Path>) -> bool {
        self.path(path).exists()
    }

    /// A short text without its end; `None`: there is none that can be read.
    pub(super) fn text(&self, path: impl AsRef<Path>) -> Option<String> {
        let mut bytes = Vec::new();
        let read = File::open(self.path(path)).ok()?.take(TEXT_MAX as u64).read_to_end(&mut bytes).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        (read < TEXT_MAX).then(|| text.trim_end_matches(['\0', '\n', ' ']).to_owned())
    }

    /// The names in a folder, in order.
    pub(super) fn names(&self, path: impl AsRef<Path>) -> Vec<String> {
        let entries = fs::read_dir(self.path(path)).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// The last part of where a link leads.
    pub(super) fn leads_to(&self, path: impl AsRef<Path>) -> Option<String> {
        let target = fs::read_link(self.path(path)).ok()?;
        Some(target.file_name()?.to_string_lossy().into_owned())
    }

    /// The lines of Till's unit, and of what changes it.
    pub(super) fn unit_lines(&self) -> Vec<String> {
        let folders = ["/usr/lib/systemd/system", "/etc/systemd/system"];
        let units = folders.iter().flat_map(|folder| {
            let changes = format!("{folder}/till.service.d");
            let names = self.names(&changes).into_iter().map(move |name| format!("{changes}/{name}"));
            std::iter::once(format!("{folder}/till.service")).chain(names)
        });
        let texts: Vec<String> = units.filter_map(|unit| self.text(unit)).collect();
        texts.iter().flat_map(|text| text.lines()).map(|line| line.trim().to_owned()).collect()
    }

    /// What the computer calls itself: the device tree's model, or the firmware's product name.
    pub(super) fn model(&self) -> Option<String> {
        let known = self.text("/proc/device-tree/model").or_else(|| self.text("/sys/class/dmi/id/product_name"));
        known.filter(|model| !model.is_empty())
    }
}

/// Debian's name of what this program was built for.
pub(super) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "arm" => "armhf",
        other => other,
    }
}
