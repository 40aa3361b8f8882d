//! `till board check`: the file itself, then what it needs of this computer.

use std::path::Path;

use hal::board::{BoardErrors, BoardSpec};
use serde_json::{Value, json};

use super::{Answer, Exit};
use crate::cli::finding::text_of;
use crate::cli::machine::{Tree, needs};

pub(super) fn check(tree: &Tree, file: &Path) -> Answer {
    let board = match BoardSpec::read(file) {
        Ok(board) => board,
        Err(wrong) => return of_errors(&wrong),
    };
    let found = needs(tree, &board);
    let all_there = found.iter().all(|finding| finding.good);
    let notes: Vec<String> = board.about.notes.iter().map(|note| format!("note {note}")).collect();
    let text = format!(
        "{} describes {}: no problem in the file.\n{}\n{}",
        file.display(),
        board.name,
        text_of(&found),
        notes.join("\n")
    );
    let json = json!({ "valid": true, "problems": [], "needs": found, "notes": board.about.notes });
    Answer { text, json, exit: if all_there { Exit::Done } else { Exit::Refused } }
}

fn of_errors(wrong: &BoardErrors) -> Answer {
    let problems: Vec<Value> = wrong
        .0
        .iter()
        .map(|problem| json!({ "line": problem.line, "key": problem.key, "problem": problem.problem, "advice": problem.advice }))
        .collect();
    let json = json!({ "valid": false, "problems": problems, "needs": [], "notes": [] });
    Answer { text: wrong.to_string(), json, exit: Exit::Config }
}
