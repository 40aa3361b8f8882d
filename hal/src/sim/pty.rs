//! A simulated scanner behind a real pseudo-terminal, under a stable name.
//!
//! The daemon's serial driver opens the name as it would open `/dev/serial/by-id/…`. Unplugging closes the master, which
//! the driver sees as end of file; plugging in makes a new pty and swaps the link, as udev does.

use std::{
    fs,
    io::{self, Write},
    os::{
        fd::OwnedFd,
        unix::fs::{OpenOptionsExt, symlink},
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::OFlags,
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{OptionalActions, tcgetattr, tcsetattr},
};

/// A pseudo-terminal under a stable name, which is gone when it is dropped.
///
/// The slave is kept open so that bytes written before the daemon opens it wait there, as they do in a real tty.
pub(super) struct Pty {
    link: PathBuf,
    master: fs::File,
    _slave: fs::File,
}

impl Pty {
    /// A new pty; a stale link is replaced.
    pub(super) fn open(link: PathBuf) -> io::Result<Self> {
        let _ = fs::remove_file(&link);
        let (master, slave_name) = open_master()?;
        let slave = open_raw_slave(&slave_name)?;
        symlink(&slave_name, &link)?;
        Ok(Self { link, master: master.into(), _slave: slave })
    }

    /// The device's side of it.
    pub(super) fn master(&self) -> io::Result<fs::File> {
        self.master.try_clone()
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // Gone already is fine: so is the cable.
        let _ = fs::remove_file(&self.link);
    }
}

/// A scanner that is simulated down to its port.
pub struct ScannerPty {
    link: PathBuf,
    plugged: Option<Pty>,
}

impl ScannerPty {
    /// Makes the pty and its stable name `link`; a stale link is replaced.
    ///
    /// # Errors
    /// When there is no free pty or the link cannot be made.
    pub fn new(link: impl Into<PathBuf>) -> io::Result<Self> {
        let mut scanner = Self { link: link.into(), plugged: None };
        scanner.replug()?;
        Ok(scanner)
    }

    /// Reads a code: sends its text and CR.
    ///
    /// # Errors
    /// When unplugged.
    pub fn scan(&mut self, text: &str) -> io::Result<()> {
        let mut line = text.as_bytes().to_vec();
        line.push(b'\r');
        self.raw(&line)
    }

    /// Sends these bytes as they are.
    ///
    /// # Errors
    /// When unplugged.
    pub fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.plugged {
            Some(plugged) => plugged.master.write_all(bytes),
            None => Err(io::Error::new(io::ErrorKind::NotConnected, "the simulated scanner is unplugged")),
        }
    }

    /// Pulls the cable: the name disappears and the open port ends.
    pub fn unplug(&mut self) {
        self.plugged = None;
    }

    /// Plugs the cable in again, as a new device under the same name.
    ///
    /// # Errors
    /// When there is no free pty or the link cannot be made.
    pub fn replug(&mut self) -> io::Result<()> {
        self.unplug();
        self.plugged = Some(Pty::open(self.link.clone())?);
        Ok(())
    }

    /// Whether the cable is in.
    #[must_use]
    pub fn is_plugged(&self) -> bool {
        self.plugged.is_some()
    }

    /// The stable name.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.link
    }
}

fn open_master() -> io::Result<(OwnedFd, PathBuf)> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let name = ptsname(&master, Vec::new())?;
    let name = name.into_string().map_err(io::Error::other)?;
    Ok((master, PathBuf::from(name)))
}

/// Raw before the first byte, or the kernel would turn CR into LF and echo the code back.
fn open_raw_slave(name: &Path) -> io::Result<fs::File> {
    let slave =
        fs::OpenOptions::new().read(true).write(true).custom_flags(OFlags::NOCTTY.bits().cast_signed()).open(name)?;
    let mut settings = tcgetattr(&slave)?;
    settings.make_raw();
    tcsetattr(&slave, OptionalActions::Now, &settings)?;
    Ok(slave)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn bytes_arrive_unchanged_under_the_stable_name() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("scanner");
        let mut scanner = ScannerPty::new(&link).unwrap();
        let mut port = fs::File::open(&link).unwrap();
        scanner.scan("281234").unwrap();
        let mut bytes = [0; 7];
        port.read_exact(&mut bytes).unwrap();
        assert_eq!(&bytes, b"281234\r");
    }

    #[test]
    fn an_unplugged_scanner_has_no_name_and_a_replugged_one_another_port() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("scanner");
        let mut scanner = ScannerPty::new(&link).unwrap();
        let first = fs::read_link(&link).unwrap();
        let hold_the_number = fs::File::open(&first).unwrap();
        scanner.unplug();
        assert!(!link.exists());
        assert!(scanner.scan("1").is_err());
        scanner.replug().unwrap();
        assert_ne!(fs::read_link(&link).unwrap(), first);
        drop(hold_the_number);
    }
}
