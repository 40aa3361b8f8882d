//! The devices of the board, and what they need of this computer.

use std::path::Path;

use hal::board::{BoardErrors, BoardSpec};

use super::Finding;
use crate::cli::machine::{Tree, needs};

/// Everything that the board needs.
pub(super) fn of_board(tree: &Tree, board: &Path) -> Vec<Finding> {
    BoardSpec::read(board).map_or_else(|wrong| unusable(board, &wrong), |spec| needs(tree, &spec))
}

/// Whether the files of the devices are there, and no more: what an update cannot have changed is not asked here.
pub(in crate::cli) fn of_devices(board: &Path) -> Vec<Finding> {
    BoardSpec::read(board).map_or_else(|wrong| unusable(board, &wrong), |spec| of_files(&spec))
}

fn unusable(board: &Path, wrong: &BoardErrors) -> Vec<Finding> {
    let found = format!("{} errors in {}", wrong.0.len(), board.display());
    vec![Finding::bad("board", found, "`till check` shows them; name another board with --board")]
}

fn of_files(spec: &BoardSpec) -> Vec<Finding> {
    let findings = spec.device_files().into_iter().map(|(_, file)| {
        let about = format!("device {}", file.display());
        if file.exists() {
            Finding::good(about, "is there")
        } else {
            Finding::bad(
                about,
                "is missing",
                "is it plugged in? `till board detect` shows what is; correct the board file if its name changed",
            )
        }
    });
    findings.collect()
}
