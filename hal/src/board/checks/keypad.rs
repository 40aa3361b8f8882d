//! What a keypad needs.

use std::collections::BTreeMap;

use super::Findings;
use crate::{
    board::{BoardSpec, KeypadKind},
    event::Key,
};

pub(super) const CHECKS: &[super::Check] = &[keypad_keys_are_known, keypad_timings_are_sane];

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

fn keypad_timings_are_sane(board: &BoardSpec, found: &mut Findings) {
    let keypad = &board.keypad;
    found.in_range("keypad.debounce_ms", keypad.debounce_ms, 1..=100, "ms");
    found.in_range("keypad.repeat_ms", keypad.repeat_ms, 0..=2000, "ms");
}
