//! `till board list` and `till board show`: the boards that came with Till.

use std::fs;
use std::path::{Path, PathBuf};

use hal::board::{BoardSpec, Part};
use serde_json::{Value, json};

use super::{Answer, Exit, Failure};
use crate::cli::text;

/// A board file of the folder.
pub(super) struct Known {
    pub(super) name: String,
    /// `None`: it cannot be used, and `till board check` says why.
    pub(super) board: Option<BoardSpec>,
}

pub(super) fn list(folder: &Path) -> Result<Answer, Failure> {
    let boards = boards(folder);
    if boards.is_empty() {
        let message = format!("there are no boards in {}; name another folder with --folder", folder.display());
        return Err(Failure::other(Exit::Refused, message));
    }
    let mut rows = vec![text::heading(&["NAME", "FOR", "HAS"])];
    rows.extend(boards.iter().map(|known| match &known.board {
        Some(board) => vec![known.name.clone(), board.about.models.join(", "), parts(board).join(", ")],
        None => vec![known.name.clone(), "-".to_owned(), "cannot be used: till board check says why".to_owned()],
    }));
    let json: Vec<Value> = boards.iter().map(json_of).collect();
    Ok(Answer::done(text::table(&rows), json!({ "boards": json })))
}

pub(super) fn show(folder: &Path, name: &str) -> Result<Answer, Failure> {
    let file = folder.join(format!("{name}.toml"));
    let known = boards(folder).into_iter().find(|known| known.name == name);
    let Some((known, written)) = known.zip(fs::read_to_string(&file).ok()) else {
        let message =
            format!("there is no board {name} in {}; `till board list` shows what there is", folder.display());
        return Err(Failure::other(Exit::Refused, message));
    };
    let mut json = json_of(&known);
    json["file"] = json!(written);
    Ok(Answer::done(written, json))
}

/// The boards of a folder, by name.
pub(super) fn boards(folder: &Path) -> Vec<Known> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    files.sort();
    let known = files.iter().map(|file| Known {
        name: file.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        board: BoardSpec::read(file).ok(),
    });
    known.collect()
}

/// Each part with how far it is proven.
fn parts(board: &BoardSpec) -> Vec<String> {
    let parts = Part::ALL.into_iter().filter(|part| board.has(*part));
    let told = parts.map(|part| match board.about.tested.get(&part) {
        Some(proof) => format!("{} ({})", part.word(), proof.word()),
        None => part.word().to_owned(),
    });
    told.collect()
}

pub(super) fn json_of(known: &Known) -> Value {
    let Some(board) = &known.board else { return json!({ "name": known.name, "usable": false }) };
    let about = &board.about;
    json!({
        "name": known.name,
        "usable": true,
        "title": board.name,
        "models": about.models,
        "architecture": about.architecture.map(hal::board::Architecture::word),
        "parts": Part::ALL.into_iter().filter(|part| board.has(*part)).map(Part::word).collect::<Vec<_>>(),
        "tested": about.tested.iter().map(|(part, proof)| (part.word().to_owned(), json!(proof.word()))).collect::<serde_json::Map<_, _>>(),
        "notes": about.notes,
    })
}
