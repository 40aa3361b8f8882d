//! What a keypad needs.

use std::collections::{BTreeMap, BTreeSet};

use super::Findings;
use crate::{
    board::{BoardSpec, KeypadKind},
    event::Key,
};

pub(super) const CHECKS: &[super::Check] = &[keypad_keys_are_known, matrix_is_whole, keypad_timings_are_sane];

fn keypad_keys_are_known(board: &BoardSpec, found: &mut Findings) {
    let keypad = &board.keypad;
    if keypad.kind == KeypadKind::Buttons && keypad.keys.is_empty() {
        found.add(
            "keypad.keys",
            "a keypad without keys",
            "add a [[keypad.keys]] block per key, or set kind = \"none\"",
        );
    }
    let mut seen: BTreeMap<Key, usize> = BTreeMap::new();
    for (index, key) in keypad.keys.iter().enumerate() {
        let place = format!("keypad.keys[{index}]");
        match Key::from_name(&key.key) {
            None => found.add(
                format!("{place}.key"),
                format!("\"{}\" is not a key", key.key),
                "keys are \"0\" to \"9\", \"ok\" and \"cancel\"",
            ),
            Some(known) => {
                if let Some(first) = seen.insert(known, index) {
                    found.add(
                        format!("{place}.key"),
                        format!("key {} is already keypad.keys[{first}]", key.key),
                        "every key appears once",
                    );
                }
            }
        }
        if key.line.is_none() {
            found.add(format!("{place}.line"), format!("key {} has no line", key.key), "add line = { name = \"…\" }");
        }
    }
}

fn matrix_is_whole(board: &BoardSpec, found: &mut Findings) {
    let keypad = &board.keypad;
    let crossings = keypad.rows.len() * keypad.columns.len();
    if keypad.kind != KeypadKind::Matrix {
        if crossings + keypad.layout.len() > 0 {
            found.add(
                "keypad.kind",
                "rows, columns or layout without a matrix",
                "set kind = \"matrix\", or remove them",
            );
        }
        return;
    }
    if crossings == 0 || keypad.layout.len() != crossings {
        found.add(
            "keypad.layout",
            format!(
                "{} rows and {} columns make {crossings} keys, and {} are named",
                keypad.rows.len(),
                keypad.columns.len(),
                keypad.layout.len()
            ),
            "name every crossing, row by row; \"\" where there is no key",
        );
    }
    let mut seen = BTreeSet::new();
    for (index, name) in keypad.layout.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
        if Key::from_name(name).is_none_or(|key| !seen.insert(key)) {
            found.add(
                format!("keypad.layout[{index}]"),
                format!("\"{name}\" is not a key, or is there twice"),
                "keys are \"0\" to \"9\", \"ok\" and \"cancel\", each once",
            );
        }
    }
}

fn keypad_timings_are_sane(board: &BoardSpec, found: &mut Findings) {
    let keypad = &board.keypad;
    found.in_range("keypad.debounce_ms", keypad.debounce_ms, 1..=100, "ms");
    found.in_range("keypad.repeat_ms", keypad.repeat_ms, 0..=2000, "ms");
}
