//! What a machine that delivers needs.

use std::collections::BTreeMap;

use super::Findings;
use crate::board::{BoardSpec, CounterKind, GpioKind, VendKind};

pub(super) const CHECKS: &[super::Check] = &[
    vend_has_slots,
    slot_names_are_printable,
    slots_have_relays,
    vend_timings_are_sane,
    missing_drop_sensor_is_explained,
    drop_counter_has_a_backend,
];

fn vend_has_slots(board: &BoardSpec, found: &mut Findings) {
    if board.vend.kind != VendKind::None && board.vend.slots.is_empty() {
        found.add(
            "vend.slots",
            "a vending machine without slots",
            "add a [[vend.slots]] block per slot, or set kind = \"none\"",
        );
    }
    if board.vend.kind == VendKind::None && !board.vend.slots.is_empty() {
        found.add(
            "vend.kind",
            "slots are listed but the vending driver is \"none\"",
            "say in kind what drives them, such as \"relay\", or remove the slots",
        );
    }
}

fn slot_names_are_printable(board: &BoardSpec, found: &mut Findings) {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, slot) in board.vend.slots.iter().enumerate() {
        let key = format!("vend.slots[{index}].name");
        let length_ok = (1..=8).contains(&slot.name.len());
        if !length_ok || !slot.name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            found.add(
                key,
                format!("\"{}\" is not a slot name", slot.name),
                "use 1 to 8 letters or digits, as printed beside the slot",
            );
        } else if let Some(first) = seen.insert(&slot.name, index) {
            found.add(
                key,
                format!("slot {} is already vend.slots[{first}]", slot.name),
                "every slot needs its own name",
            );
        }
    }
}

fn slots_have_relays(board: &BoardSpec, found: &mut Findings) {
    if board.vend.kind != VendKind::Relay {
        return;
    }
    for (index, slot) in board.vend.slots.iter().enumerate() {
        if slot.line.is_none() {
            found.add(
                format!("vend.slots[{index}].line"),
                format!("slot {} has no relay line", slot.name),
                "add line = { name = \"…\" }",
            );
        }
    }
}

fn vend_timings_are_sane(board: &BoardSpec, found: &mut Findings) {
    let vend = &board.vend;
    found.in_range("vend.max_on_ms", vend.max_on_ms, 50..=15_000, "ms");
    found.in_range("vend.drop_window_ms", vend.drop_window_ms, 0..=10_000, "ms");
    found.in_range("vend.settle_ms", vend.settle_ms, 0..=10_000, "ms");
}

fn missing_drop_sensor_is_explained(board: &BoardSpec, found: &mut Findings) {
    let vend = &board.vend;
    if vend.kind == VendKind::Relay && vend.drop_sensor.is_none() && vend.without_sensor.is_none() {
        found.add(
            "vend.drop_sensor",
            "there is no drop sensor, so nobody sees whether the item fell",
            "wire drop_sensor, or choose without_sensor = \"dropped\" (a jam is then paid by the buyer) or \"unknown\"",
        );
    }
}

fn drop_counter_has_a_backend(board: &BoardSpec, found: &mut Findings) {
    if board.vend.drop_counter == CounterKind::Sim && board.gpio.kind != GpioKind::Sim {
        found.add(
            "vend.drop_counter",
            "the simulated drop counter counts simulated items only",
            "remove it, or set kind = \"sim\" in [gpio]",
        );
    }
}
