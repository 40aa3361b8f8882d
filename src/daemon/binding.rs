//! The board that a terminal is bound to.
//!
//! A card is easily copied. Two boards with one journal would sell under one number, give the hub two histories, and both
//! return the money that was open when the copy was made. So the first start notes beside the journal which board it was
//! (`board.id`), and a start on another board is refused until a person says what happened: the card was moved, or it is a copy.
//!
//! What is noted is a serial number of the hardware. A machine that has none is not bound: what stands on the card itself,
//! such as `/etc/machine-id`, is copied with it.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::durable;

/// Where a board tells its serial number, the best first: the device tree (Raspberry Pi, Orange Pi; reference/hardware.md
/// 5.1), a PC's firmware. The second is root's; `systemd/till.tmpfiles` opens it to the service's group.
const SOURCES: [&str; 2] = ["/sys/firmware/devicetree/base/serial-number", "/sys/class/dmi/id/product_uuid"];

/// What firmware says that was never given a number: it is the same on all boards of its maker.
const OF_NOBODY: &str = "03000200-0400-0500-0006-000700080009";

/// What is noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The terminal's number.
    pub terminal: String,
    /// Where the serial number was read.
    pub source: String,
    /// The serial number.
    pub serial: String,
}

/// The journal belongs to another board.
#[derive(Debug, Error)]
#[error(
    "{} belongs to terminal {} on the board with serial number {}, and this board {}. Two boards with one journal would sell under one number and \
     return the same money twice: nothing was started.\n\
     If the card was moved here and the other board is out of service: till provision --moved\n\
     If this is a copy: give it a number of its own in till.toml, [terminal] id, then: till provision --new-identity",
    journal.display(), noted.terminal, noted.serial, is.as_ref().map_or_else(|| "has none".to_owned(), |serial| format!("has {serial}"))
)]
pub struct OtherBoard {
    /// The journal.
    pub journal: PathBuf,
    /// Whose it is.
    pub noted: Binding,
    /// This board's serial number, read at the same place.
    pub is: Option<String>,
}

/// Where it is noted: beside the journal.
#[must_use]
pub fn file(journal: &Path) -> PathBuf {
    journal.with_file_name("board.id")
}

/// Notes the board at the first start; refuses another one.
///
/// # Errors
///
/// [`OtherBoard`]. A note that cannot be read or written stops nothing: it is said in the log.
pub fn check(root: &Path, journal: &Path, terminal: &str) -> Result<(), OtherBoard> {
    let Some(noted) = noted(journal) else {
        note(root, journal, terminal);
        return Ok(());
    };
    match read_serial(root, &noted.source) {
        Ok(serial) if serial == noted.serial => {
            if noted.terminal != terminal {
                note(root, journal, terminal);
            }
            Ok(())
        }
        Ok(serial) => Err(OtherBoard { journal: journal.to_owned(), noted, is: Some(serial) }),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(OtherBoard { journal: journal.to_owned(), noted, is: None })
        }
        Err(error) => {
            tracing::warn!(%error, source = noted.source, "this board's serial number cannot be read: a copied card would not be noticed");
            Ok(())
        }
    }
}

/// What is noted beside the journal, when anything that can be understood.
#[must_use]
pub fn noted(journal: &Path) -> Option<Binding> {
    let text = std::fs::read_to_string(file(journal)).ok()?;
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.filter(|value| !value.is_empty()).map(ToOwned::to_owned)
    };
    Some(Binding { terminal: value("terminal")?, source: value("source")?, serial: value("serial")? })
}

/// This board, with a terminal's number.
#[must_use]
pub fn of_this_board(root: &Path, terminal: &str) -> Option<Binding> {
    SOURCES.iter().find_map(|source| {
        let serial = read_serial(root, source).ok()?;
        Some(Binding { terminal: terminal.to_owned(), source: (*source).to_owned(), serial })
    })
}

/// Binds the journal to this board, or to none where a board has no serial number.
///
/// # Errors
///
/// When it cannot be written.
pub fn bind(root: &Path, journal: &Path, terminal: &str) -> io::Result<Option<Binding>> {
    let bound = of_this_board(root, terminal);
    match &bound {
        Some(binding) => write(&file(journal), binding)?,
        None => match std::fs::remove_file(file(journal)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        },
    }
    Ok(bound)
}

fn note(root: &Path, journal: &Path, terminal: &str) {
    match bind(root, journal, terminal) {
        Ok(Some(binding)) => tracing::info!(serial = binding.serial, "bound to this board"),
        Ok(None) => tracing::info!("this board has no serial number: a copy of its card would not be noticed"),
        Err(error) => tracing::warn!(%error, "which board this is cannot be noted beside the journal"),
    }
}

fn read_serial(root: &Path, source: &str) -> io::Result<String> {
    let read = std::fs::read_to_string(root.join(source.trim_start_matches('/')))?;
    let serial = read.trim_matches(|character: char| character == '\0' || character.is_whitespace());
    let tells = serial.chars().any(|character| !"0fF-".contains(character)) && serial != OF_NOBODY;
    if tells { Ok(serial.to_owned()) } else { Err(ErrorKind::NotFound.into()) }
}

fn write(path: &Path, Binding { terminal, source, serial }: &Binding) -> io::Result<()> {
    let beside = path.with_extension("new");
    let text = format!("terminal: {terminal}\nsource: {source}\nserial: {serial}\n");
    durable::put(durable::private(&beside)?, &beside, text.as_bytes(), path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A card with its journal's folder, in a board.
    struct Card(tempfile::TempDir);

    impl Card {
        fn in_board(source: &str, serial: &str) -> Self {
            let card = Self(tempfile::tempdir().unwrap());
            card.put(source, serial);
            std::fs::create_dir_all(card.0.path().join("state")).unwrap();
            card
        }

        fn put(&self, source: &str, serial: &str) {
            let path = self.0.path().join(source.trim_start_matches('/'));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, serial).unwrap();
        }

        fn journal(&self) -> PathBuf {
            self.0.path().join("state/till.db")
        }

        fn starts_as(&self, terminal: &str) -> Result<(), OtherBoard> {
            check(self.0.path(), &self.journal(), terminal)
        }
    }

    #[test]
    fn the_first_start_notes_the_board_and_another_board_is_refused() {
        let card = Card::in_board(SOURCES[0], "10000000a1b2c3d4\0");
        card.starts_as("VM-0001").unwrap();
        card.starts_as("VM-0001").unwrap();
        let noted = noted(&card.journal()).unwrap();
        assert_eq!((&*noted.terminal, &*noted.serial), ("VM-0001", "10000000a1b2c3d4"));
        card.put(SOURCES[0], "1000000055556666\0");
        let refused = card.starts_as("VM-0001").unwrap_err().to_string();
        for part in ["VM-0001", "10000000a1b2c3d4", "1000000055556666", "--moved", "--new-identity"] {
            assert!(refused.contains(part), "no {part} in {refused}");
        }
        assert!(card.starts_as("VM-0002").is_err(), "another number alone does not make it another terminal");
        bind(card.0.path(), &card.journal(), "VM-0001").unwrap();
        card.starts_as("VM-0001").unwrap();
    }

    #[test]
    fn a_board_of_another_kind_is_another_board() {
        let card = Card::in_board(SOURCES[0], "10000000a1b2c3d4");
        card.starts_as("VM-0001").unwrap();
        std::fs::remove_file(card.0.path().join(&SOURCES[0][1..])).unwrap();
        card.put(SOURCES[1], "4c4c4544-0042-3510-8052-b9c04f4d4e32");
        assert!(card.starts_as("VM-0001").unwrap_err().to_string().contains("this board has none"));
    }

    #[test]
    fn a_board_without_a_number_of_its_own_is_not_bound() {
        for nobody in ["0000000000000000\0", "ffffffff-ffff-ffff-ffff-ffffffffffff", "\n", OF_NOBODY] {
            let card = Card::in_board(SOURCES[1], nobody);
            card.starts_as("VM-0001").unwrap();
            assert!(!file(&card.journal()).exists(), "{nobody:?}");
        }
    }

    #[test]
    fn the_number_of_the_terminal_follows_the_settings_on_the_same_board() {
        let card = Card::in_board(SOURCES[0], "0123456789");
        card.starts_as("VM-0001").unwrap();
        card.starts_as("VM-0007").unwrap();
        assert_eq!(noted(&card.journal()).unwrap().terminal, "VM-0007");
    }

    #[test]
    fn a_note_that_makes_no_sense_is_made_anew() {
        let card = Card::in_board(SOURCES[0], "10000000a1b2c3d4");
        std::fs::write(file(&card.journal()), "terminal: VM-0001\nserial").unwrap();
        card.starts_as("VM-0001").unwrap();
        assert_eq!(noted(&card.journal()).unwrap().serial, "10000000a1b2c3d4");
    }
}
