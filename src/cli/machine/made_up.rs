//! A computer of files: what a board needs, or less.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use hal::board::BoardSpec;
use tempfile::TempDir;

use super::Tree;

pub(crate) struct MadeUp {
    folder: TempDir,
}

impl MadeUp {
    /// A computer that calls itself so, has a user till, and nothing else.
    pub(crate) fn new(model: &str) -> Self {
        let made_up = Self { folder: tempfile::tempdir().unwrap() };
        made_up.file("/proc/device-tree/model", &format!("{model}\0"));
        made_up.file("/etc/passwd", "root:x:0:0::/root:/bin/sh\ntill:x:990:990::/:/usr/sbin/nologin\n");
        made_up.file("/etc/group", "dialout:x:20:\ngpio:x:997:till\n");
        made_up
    }

    /// A computer with everything that a board needs.
    pub(crate) fn of(board: &BoardSpec, model: &str) -> Self {
        let made_up = Self::new(model);
        for (number, label) in board.chips().into_iter().enumerate() {
            made_up.file(&format!("/sys/class/gpio/gpiochip{number}/label"), label);
        }
        for (number, (_, path)) in board.device_files().into_iter().enumerate() {
            made_up.device(&path.display().to_string(), number);
        }
        let lines = [board.about.config.clone(), board.firmware_lines()].concat();
        made_up.file(&board.about.config_file().display().to_string(), &lines.join("\n"));
        made_up
    }

    pub(crate) fn tree(&self) -> Tree {
        Tree::at(self.folder.path())
    }

    pub(crate) fn file(&self, path: &str, text: &str) {
        self.bytes(path, text.as_bytes());
    }

    pub(crate) fn bytes(&self, path: &str, bytes: &[u8]) {
        let path = self.tree().path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub(crate) fn link(&self, path: &str, to: &str) {
        let path = self.tree().path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(to, path).unwrap();
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.tree().path(path)).unwrap();
    }

    pub(crate) fn mode(&self, path: &str, mode: u32) {
        fs::set_permissions(self.tree().path(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// A device that everybody may open; one with a stable name is a link to one with a number.
    pub(crate) fn device(&self, path: &str, number: usize) {
        let folder = Path::new(path).parent().unwrap();
        let is_link = ["/dev/serial", "/dev/input", "/dev/pay"].iter().any(|place| folder.starts_with(place));
        let name = if path.contains("-event-kbd") {
            format!("input/event{number}")
        } else if path.contains("hid") {
            format!("hidraw{number}")
        } else {
            format!("ttyUSB{number}")
        };
        let device = if is_link { format!("/dev/{name}") } else { path.to_owned() };
        self.file(&device, "");
        self.mode(&device, 0o666);
        if is_link {
            let up = "../".repeat(folder.components().count() - 2);
            self.link(path, &format!("{up}{name}"));
            if name.starts_with("ttyUSB") {
                self.file(&format!("/sys/class/tty/{name}/device/uevent"), "");
            }
        }
    }
}
