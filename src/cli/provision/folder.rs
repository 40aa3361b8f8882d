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
    let config = text(&folder.join("till.toml"))?;
    let board = board(folder, boards)?;
    let keys = keys(&folder.join("keys"))?;
    let credentials = credentials(&config, &keys)?;
    Ok(Taken { config, board, keys, credentials })
}

/// Removes the keys, then takes the folder out of the way, so that the next start does not find it.
///
/// # Errors
///
/// When the card cannot be written any more.
pub(super) fn clear(folder: &Path) -> io::Result<()> {
    let (keys, done) = (folder.join("keys"), folder.with_file_name("till-done"));
    if keys.exists() {
        fs::remove_dir_all(&keys)?;
    }
    if done.exists() {
        fs::remove_dir_all(&done)?;
    }
    fs::rename(folder, &done)?;
    fs::File::open(done.parent().unwrap_or(Path::new("/")))?.sync_all()
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

/// Every `credential:NAME` of the settings, with the file of that name. One that is not there is the check's business: it says
/// at which key it is missing.
fn credentials(config: &str, keys: &[(String, Vec<u8>)]) -> Result<Vec<(String, String)>, String> {
    let mut found: Vec<(String, String)> = Vec::new();
    let lines = config.lines().filter(|line| !line.trim_start().starts_with('#'));
    for part in lines.flat_map(|line| line.split("\"credential:").skip(1)) {
        let name = part.split('"').next().unwrap_or_default();
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
