//! What a board says of itself must be usable.

use std::path::Path;

use super::Findings;
use crate::board::BoardSpec;

pub(super) const CHECKS: &[super::Check] = &[models_name_something, config_is_lines, tested_parts_are_there];

/// An empty beginning fits every computer.
fn models_name_something(board: &BoardSpec, found: &mut Findings) {
    for (index, _) in board.about.models.iter().enumerate().filter(|(_, begins)| begins.trim().is_empty()) {
        found.add(
            format!("about.models[{index}]"),
            "a model without a name fits every computer",
            "write how /proc/device-tree/model begins, or remove it",
        );
    }
}

fn config_is_lines(board: &BoardSpec, found: &mut Findings) {
    let about = &board.about;
    for (index, line) in about.config.iter().enumerate() {
        if line.trim() != line || line.is_empty() || line.contains(['\n', '#']) {
            found.add(
                format!("about.config[{index}]"),
                "this is not one line of the system's file",
                "write each line by itself, without comment",
            );
        }
    }
    if about.config_file.as_deref().is_some_and(Path::is_relative) {
        found.add("about.config_file", "the path does not begin with /", "write it whole, /boot/armbianEnv.txt");
    }
}

fn tested_parts_are_there(board: &BoardSpec, found: &mut Findings) {
    for part in board.about.tested.keys().filter(|part| !board.has(**part)) {
        let word = part.word();
        found.add(
            format!("about.tested.{word}"),
            format!("the board has no {word} that could be tested"),
            "remove the word, or name the device",
        );
    }
}
