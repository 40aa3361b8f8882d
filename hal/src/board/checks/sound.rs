//! What sounds from files need.

use super::Findings;
use crate::board::BoardSpec;

pub(super) const CHECKS: &[super::Check] = &[sounds_have_a_folder, sound_limit_is_sane];

fn sounds_have_a_folder(board: &BoardSpec, found: &mut Findings) {
    let Some(folder) = &board.sound.folder else { return };
    if !folder.is_absolute() {
        found.add(
            "sound.folder",
            format!("{} starts nowhere", folder.display()),
            "give the whole path, such as /usr/share/till/sounds",
        );
    }
}

fn sound_limit_is_sane(board: &BoardSpec, found: &mut Findings) {
    found.in_range("sound.limit_ms", board.sound.limit_ms, 100..=30_000, "ms");
}
