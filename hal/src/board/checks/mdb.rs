//! What a cashless reader on MDB needs.

use std::collections::BTreeMap;

use super::Findings;
use crate::{
    board::{BoardSpec, MdbMode, MdbSpec, VendKind},
    vend::mdb::money::Money,
};

pub(super) const CHECKS: &[super::Check] =
    &[mdb_has_a_port, mdb_is_a_device_of_the_bus, mdb_times_are_sane, mdb_credit_can_be_said, mdb_items_are_known];

/// The section, where it is used.
fn used(board: &BoardSpec) -> Option<&MdbSpec> {
    (board.vend.kind == VendKind::Mdb).then_some(&board.vend.mdb)
}

fn mdb_has_a_port(board: &BoardSpec, found: &mut Findings) {
    let Some(mdb) = used(board) else { return };
    let key = "vend.mdb.path";
    match &mdb.path {
        None => found.add(key, "the MDB adapter has no port", "add path = \"/dev/serial/by-id/…\""),
        Some(path) => {
            let name = path.to_string_lossy();
            if name.starts_with("/dev/ttyUSB") || name.starts_with("/dev/ttyACM") {
                found.add(
                    key,
                    format!("{name} belongs to whatever was plugged in first"),
                    "use its name in /dev/serial/by-id",
                );
            }
        }
    }
}

fn mdb_is_a_device_of_the_bus(board: &BoardSpec, found: &mut Findings) {
    let Some(mdb) = used(board) else { return };
    found.in_range("vend.mdb.device", mdb.device.into(), 1..=2, "(cashless device)");
    found.in_range("vend.mdb.level", mdb.level.into(), 1..=3, "(level)");
    found.in_range("vend.mdb.decimals", mdb.decimals.into(), 0..=2, "decimals");
    found.in_range("vend.mdb.scale", mdb.scale.into(), 1..=255, "(scale)");
    if let Some(baud) = mdb.baud {
        found.in_range("vend.mdb.baud", baud, 1200..=921_600, "baud");
    }
    if mdb.setconf.iter().any(|set| !set.contains('=') || set.contains(|c: char| c.is_ascii_control())) {
        found.add("vend.mdb.setconf", "a setting without =", "write \"name=value\", such as \"mdb-display-time=5\"");
    }
}

fn mdb_times_are_sane(board: &BoardSpec, found: &mut Findings) {
    let Some(mdb) = used(board) else { return };
    found.in_range("vend.mdb.max_response_s", mdb.max_response_s.into(), 10..=255, "s");
    found.in_range("vend.mdb.select_within_s", mdb.select_within_s, 5..=600, "s");
    found.in_range("vend.mdb.result_within_s", mdb.result_within_s, 10..=600, "s");
}

fn mdb_credit_can_be_said(board: &BoardSpec, found: &mut Findings) {
    let Some(mdb) = used(board) else { return };
    let money = Money { scale: mdb.scale, decimals: mdb.decimals };
    if mdb.idle_credit_fen.is_some_and(|fen| money.steps(fen.into()).is_none()) {
        found.add(
            "vend.mdb.idle_credit_fen",
            "the machine cannot show this credit",
            "use a whole number of the steps of scale and decimals, at least the dearest price of the machine",
        );
    }
}

fn mdb_items_are_known(board: &BoardSpec, found: &mut Findings) {
    let Some(mdb) = used(board) else { return };
    let mut seen: BTreeMap<u16, usize> = BTreeMap::new();
    for (index, slot) in board.vend.slots.iter().enumerate() {
        let key = format!("vend.slots[{index}].item");
        match (mdb.mode, slot.item_number()) {
            (MdbMode::PayFirst, _) if slot.item.is_some() => found.add(
                key,
                "with mode = \"pay_first\" a slot is an amount on offer and no place in the machine",
                "remove item, or set mode = \"select_first\"",
            ),
            (MdbMode::PayFirst, _) => {}
            (MdbMode::SelectFirst, None | Some(0xFFFF)) => found.add(
                key,
                format!("nobody knows which item number of the machine slot {} is", slot.name),
                "add item = 5, the number that the machine sends for it; a name that is a number needs none",
            ),
            (MdbMode::SelectFirst, Some(item)) => {
                if let Some(first) = seen.insert(item, index) {
                    found.add(
                        key,
                        format!("item {item} is already vend.slots[{first}]"),
                        "every slot needs its own item number",
                    );
                }
            }
        }
    }
}
