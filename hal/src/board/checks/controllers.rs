//! What the vending controllers on serial lines need: `[vend.xy]`, `[vend.modbus]`, `[vend.spring]`.

use std::{collections::BTreeMap, ops::RangeInclusive};

use super::{Findings, ports};
use crate::board::{BoardSpec, MdbMode, ModbusMap, RegisterSpec, VendKind};

pub(super) const CHECKS: &[super::Check] = &[
    slots_have_numbers,
    slots_have_no_lines,
    xy_is_reachable,
    modbus_is_reachable,
    modbus_results_are_ours,
    spring_is_reachable,
];

/// The slot numbers that the board's controller knows; `None`: it knows none.
fn numbers(board: &BoardSpec) -> Option<RangeInclusive<u16>> {
    match (board.vend.kind, board.vend.modbus.map) {
        (VendKind::None | VendKind::Relay | VendKind::Pulse, _) => None,
        // FFFF is "unknown". Amounts on offer are no places in the machine.
        (VendKind::Mdb, _) => (board.vend.mdb.mode == MdbMode::SelectFirst).then_some(0..=0xFFFE),
        // From 1000 on a number means a whole tray, 0 the whole machine.
        (VendKind::Xy, _) => Some(1..=999),
        (VendKind::Modbus, ModbusMap::Registers) => Some(0..=highest(&board.vend.modbus.registers)),
        (VendKind::Modbus, ModbusMap::Lane | ModbusMap::Lane814) => Some(0..=99),
        // From 100 on a "slot" is another command of the board.
        (VendKind::Spring, _) => Some(1..=99),
    }
}

/// Coils are counted from `run`, and 65535 is the last.
fn highest(registers: &RegisterSpec) -> u16 {
    if registers.coils { u16::MAX - registers.run } else { u16::MAX }
}

fn slots_have_numbers(board: &BoardSpec, found: &mut Findings) {
    let Some(range) = numbers(board) else { return };
    let mut seen: BTreeMap<u16, usize> = BTreeMap::new();
    for (index, slot) in board.vend.slots.iter().enumerate() {
        let key = format!("vend.slots[{index}].number");
        match slot.controller_number().filter(|number| range.contains(number)) {
            None => found.add(
                key,
                format!("slot {} has no number that the controller knows", slot.name),
                format!("add number = {} to {}", range.start(), range.end()),
            ),
            Some(number) => {
                if let Some(first) = seen.insert(number, index) {
                    found.add(key, format!("number {number} is already vend.slots[{first}]"), "every slot has its own");
                }
            }
        }
    }
}

fn slots_have_no_lines(board: &BoardSpec, found: &mut Findings) {
    if numbers(board).is_none() {
        return;
    }
    for (index, _) in board.vend.slots.iter().enumerate().filter(|(_, slot)| slot.line.is_some()) {
        found.add(
            format!("vend.slots[{index}].line"),
            "the controller drives this slot, no line does",
            "remove the line, or set kind = \"relay\"",
        );
    }
}

fn xy_is_reachable(board: &BoardSpec, found: &mut Findings) {
    let xy = &board.vend.xy;
    if board.vend.kind == VendKind::Xy {
        ports::check(found, "vend.xy", xy.path.as_ref(), xy.baud);
        found.in_range("vend.xy.vend_ms", xy.vend_ms, 5000..=300_000, "ms");
    }
}

fn modbus_is_reachable(board: &BoardSpec, found: &mut Findings) {
    let modbus = &board.vend.modbus;
    if board.vend.kind != VendKind::Modbus {
        return;
    }
    ports::check(found, "vend.modbus", modbus.path.as_ref(), modbus.baud);
    found.in_range("vend.modbus.address", modbus.address.into(), 1..=247, "");
    found.in_range("vend.modbus.reply_ms", modbus.reply_ms, 50..=5000, "ms");
    found.in_range("vend.modbus.late_ms", modbus.late_ms, 50..=10_000, "ms");
    found.in_range("vend.modbus.poll_ms", modbus.poll_ms, 50..=5000, "ms");
    found.in_range("vend.modbus.vend_ms", modbus.vend_ms, 2000..=300_000, "ms");
}

/// A result that could be of the vend before would be taken for this one's.
fn modbus_results_are_ours(board: &BoardSpec, found: &mut Findings) {
    let modbus = &board.vend.modbus;
    if board.vend.kind != VendKind::Modbus {
        return;
    }
    let registers = &modbus.registers;
    let by_registers = modbus.map == ModbusMap::Registers;
    if by_registers && registers.runs.is_none() && registers.clear.is_none() {
        found.add(
            "vend.modbus.registers",
            "nothing tells the result of this vend from that of the vend before",
            "name the register that counts starts as runs, or the one that clears the result as clear",
        );
    }
    let most = registers.reach().1;
    if by_registers && most > 120 {
        found.add(
            "vend.modbus.registers",
            format!("status, runs and fell are spread over {most} registers"),
            "one question reads at most 120: use registers that are closer together",
        );
    }
    if registers.fell.is_some_and(|fell| fell.bit > 15) {
        found.add("vend.modbus.registers.fell", "a register has bits 0 to 15", "correct the bit");
    }
    let sensor = if by_registers { registers.fell.is_some() } else { modbus.drop_sensor };
    if !sensor && board.vend.without_sensor.is_none() {
        found.add(
            "vend.without_sensor",
            "the board has no drop sensor, so nobody sees whether the item fell",
            "choose without_sensor = \"dropped\" (a jam is then paid by the buyer) or \"unknown\"",
        );
    }
}

fn spring_is_reachable(board: &BoardSpec, found: &mut Findings) {
    let spring = &board.vend.spring;
    if board.vend.kind == VendKind::Spring {
        ports::check(found, "vend.spring", spring.path.as_ref(), spring.baud);
        found.in_range("vend.spring.vend_ms", spring.vend_ms, 2000..=300_000, "ms");
    }
}
