//! What a simulated machine needs.

use super::Findings;
use crate::board::BoardSpec;

pub(super) const CHECKS: &[super::Check] = &[simulated_devices_have_a_machine, simulated_machine_can_deliver];

fn simulated_devices_have_a_machine(board: &BoardSpec, found: &mut Findings) {
    if board.is_simulated() && board.sim.socket.is_none() {
        found.add(
            "sim.socket",
            "a device of kind \"sim\" has no simulated machine",
            "add [sim] with socket = \"machine.sock\"",
        );
    }
}

fn simulated_machine_can_deliver(board: &BoardSpec, found: &mut Findings) {
    let sim = &board.sim;
    found.in_range("sim.motor_ms", sim.motor_ms, 1..=15_000, "ms");
    found.in_range("sim.fall_ms", sim.fall_ms, 0..=5000, "ms");
    found.in_range("sim.one_shot_ms", sim.one_shot_ms, 1..=30_000, "ms");
    if board.is_simulated() && sim.motor_ms >= sim.one_shot_ms.min(board.vend.max_on_ms) {
        found.add(
            "sim.motor_ms",
            "the simulated relay is switched off before an item can fall",
            "make motor_ms shorter than one_shot_ms and vend.max_on_ms",
        );
    }
}
