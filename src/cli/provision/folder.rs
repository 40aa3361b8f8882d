//! What a technician put on the card: read whole, and cleared when it was taken.
//!
//! ```text
//! till/till.toml         the settings
//! till/board.toml        the board; or board.txt with the name of one that the package brings
//! till/keys/…            every key file; one that till.toml names as credential:NAME is called NAME, with any ending
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::durable;

const SETTINGS: &str = "till.toml";
/// The settings' name while the folder is cleared.
const TAKEN: &str = "taken.toml";
/// No key file and no board is larger.
const LARGEST_BYTES: u64 = 1 << 20;

/// The folder's files.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) config: String,
    pub(super) board: String,
    /// Names and bytes, sorted by name.
    pub(super) keys: Vec<(String, Vec<u8>)>,
    /// A credential's name and the file that is it.
    pub(super) credentials: Vec<(String, String)>,
}

/// Reads the folder. Boards that are only named are looked for in `boards`.
///
/// # Errors
///
/// In words, what is missing or cannot be read.
pub(super) fn read(folder: &Path, boards: &Path) -> Result<Taken, String> {
    let config = text(&folder.join(SETTINGS))?;
    let board = board(folder, boards)?;
    let keys = keys(&folder.join("keys"))?;
    let credentials = credentials(&config, &keys)?;
    Ok(Taken { config, board, keys, credentials })
}

/// Whether everything in the folder was installed and only clearing it was broken off.
pub(super) fn is_taken(folder: &Path) -> bool {
    folder.join(TAKEN).exists() && !folder.join(SETTINGS).exists()
}

/// Removes the keys, then takes the folder out of the way, so that the next start does not find it. A folder that has lost a
/// key could not be taken again: the first thing is to note that it need not be.
///
/// # Errors
///
/// When the card cannot be written any more.
pub(super) fn clear(folder: &Path) -> io::Result<()> {
    let (keys, done) = (folder.join("keys"), folder.with_file_name("till-done"));
    if !is_taken(folder) {
        fs::rename(folder.join(SETTINGS), folder.join(TAKEN))?;
        fs::File::open(folder)?.sync_all()?;
    }
    if keys.exists() {
        fs::remove_dir_all(&keys)?;
    }
    if done.exists() {
        fs::remove_dir_all(&done)?;
    }
    fs::rename(folder, &done)?;
    fs::rename(done.join(TAKEN), done.join(SETTINGS))?;
    fs::File::open(durable::folder(&done))?.sync_all()
}

fn board(folder: &Path, boards: &Path) -> Result<String, String> {
    let own = folder.join("board.toml");
    if own.exists() {
        return text(&own);
    }
    let named = folder.join("board.txt");
    if !named.exists() {
        return Err(format!(
            "{} has neither board.toml nor board.txt: one of them must say which board this is",
            folder.display()
        ));
    }
    let name = text(&named)?.trim().trim_end_matches(".toml").to_owned();
    let path = boards.join(format!("{name}.toml"));
    if !is_plain(&name) || !path.exists() {
        return Err(format!("board.txt names {name:?}, and {} has no such board", boards.display()));
    }
    text(&path)
}

fn keys(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, String> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(|error| cannot_read(folder, &error))?
        .flatten()
        .map(|entry| entry.path())
        // What Windows and macOS leave behind
        .filter(|path| path.is_file() && !name_of(path).starts_with('.'))
        .collect();
    files.sort();
    files.iter().map(|path| Ok((plain_name(path)?, bytes(path)?))).collect()
}

/// Every `credential:NAME` of the settings, with the file of that name. One that is not there, and text that is no TOML, is the
/// check's business: it says where.
fn credentials(config: &str, keys: &[(String, Vec<u8>)]) -> Result<Vec<(String, String)>, String> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut texts = Vec::new();
    let settings = DeTable::parse(config);
    settings.iter().for_each(|settings| strings(&mut settings.get_ref().values(), &mut texts));
    for name in texts.iter().filter_map(|text| text.strip_prefix("credential:")) {
        if !is_plain(name) {
            return Err(format!("till.toml names the credential {name:?}: letters, digits, - _ and . are wanted"));
        }
        let is_it = |file: &str| file == name || file.rsplit_once('.').is_some_and(|(stem, _)| stem == name);
        let file = keys.iter().map(|(file, _)| file).find(|file| is_it(file));
        if let Some(file) = file.filter(|_| found.iter().all(|(known, _)| known != name)) {
            found.push((name.to_owned(), file.clone()));
        }
    }
    Ok(found)
}

/// Every text in a table or a list, however deep.
fn strings<'v>(values: &mut dyn Iterator<Item = &'v Spanned<DeValue<'v>>>, found: &mut Vec<&'v str>) {
    for value in values {
        if let DeValue::String(text) = value.get_ref() {
            found.push(text);
        } else if let DeValue::Table(table) = value.get_ref() {
            strings(&mut table.values(), found);
        } else if let DeValue::Array(array) = value.get_ref() {
            strings(&mut array.iter(), found);
        }
    }
}

/// As editors on Windows leave it: with a mark in front, and two characters at each line's end.
fn text(path: &Path) -> Result<String, String> {
    let text = String::from_utf8(bytes(path)?).map_err(|_| format!("{} is not UTF-8 text", path.display()))?;
    Ok(text.trim_start_matches('\u{feff}').replace("\r\n", "\n"))
}

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    match fs::metadata(path) {
        Ok(found) if found.len() > LARGEST_BYTES => Err(format!("{} is larger than 1 MiB", path.display())),
        Ok(_) => fs::read(path).map_err(|error| cannot_read(path, &error)),
        Err(error) => Err(cannot_read(path, &error)),
    }
}

fn cannot_read(path: &Path, error: &io::Error) -> String {
    format!("{} cannot be read ({error})", path.display())
}

fn name_of(path: &Path) -> std::borrow::Cow<'_, str> {
    path.file_name().unwrap_or_default().to_string_lossy()
}

fn plain_name(path: &Path) -> Result<String, String> {
    let name = name_of(path);
    match is_plain(&name) {
        true => Ok(name.into_owned()),
        false => Err(format!("{name:?} in keys: letters, digits, - _ and . are wanted in a name")),
    }
}

fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !name.is_empty() && !name.starts_with('.') && name.bytes().all(plain)
}
