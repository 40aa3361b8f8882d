//! What the imitated coin acceptor needs.

use super::Findings;
use crate::board::{BoardSpec, VendKind};

pub(super) const CHECKS: &[super::Check] = &[pulse_has_a_line, pulses_look_like_coins];

fn pulse_has_a_line(board: &BoardSpec, found: &mut Findings) {
    if board.vend.kind != VendKind::Pulse {
        if board.vend.pulse.line.is_some() || board.vend.pulse.inhibit.is_some() {
            found.add(
                "vend.pulse",
                "pulse lines are wired but not used",
                "set kind = \"pulse\", or remove [vend.pulse]",
            );
        }
        return;
    }
    if board.vend.pulse.line.is_some() {
        return;
    }
    for (index, slot) in board.vend.slots.iter().enumerate().filter(|(_, slot)| slot.line.is_none()) {
        found.add(
            format!("vend.slots[{index}].line"),
            format!("slot {} has no line for its pulses", slot.name),
            "add line = { name = \"…\" } here, or in [vend.pulse] for all slots",
        );
    }
}

/// reference/hardware.md 3.5: machines take no pulse below 20 and above 200 ms.
fn pulses_look_like_coins(board: &BoardSpec, found: &mut Findings) {
    let pulse = &board.vend.pulse;
    if board.vend.kind != VendKind::Pulse {
        return;
    }
    found.in_range("vend.pulse.on_ms", pulse.on_ms, 20..=200, "ms");
    found.in_range("vend.pulse.off_ms", pulse.off_ms, 20..=1000, "ms");
    found.in_range("vend.pulse.gap_ms", pulse.gap_ms, 1000..=10_000, "ms");
    found.in_range("vend.pulse.fen_per_pulse", pulse.fen_per_pulse, 1..=10_000, "fen");
    found.in_range("vend.pulse.pulses_max", pulse.pulses_max, 1..=200, "pulses");
}
