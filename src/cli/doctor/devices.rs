//! The devices of the board, and what they need of this computer.

use std::path::Path;

use hal::board::BoardSpec;

use super::Finding;
use crate::cli::machine::{Tree, needs};

/// Everything that the board needs.
pub(super) fn of_board(tree: &Tree, board: &Path) -> Vec<Finding> {
    match BoardSpec::read(board) {
        Ok(spec) => needs(tree, &spec),
        Err(_) => of_devices(board),
    }
}

/// Whether the files of the devices are there, and no more: what an update cannot have changed is not asked here.
pub(in crate::cli) fn of_devices(board: &Path) -> Vec<Finding> {
    let spec = match BoardSpec::read(board) {
        Ok(spec) => spec,
        Err(wrong) => {
            let found = format!("{} wrong in {}", wrong.0.len(), board.display());
            return vec![Finding::bad("board", found, "`till check` shows them; name another board with --board")];
        }
    };
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
