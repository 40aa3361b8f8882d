//! What a cashless reader on MDB needs.

use super::{Findings, ports};
use crate::{
    board::{BoardSpec, MdbAdapter, MdbMode, MdbSpec, VendKind},
    vend::mdb::money::Money,
};

pub(super) const CHECKS: &[super::Check] = &[
    mdb_has_a_port,
    mdb_is_a_device_of_the_bus,
    mdb_amounts_are_one_reading,
    mdb_times_are_sane,
    mdb_credit_can_be_said,
    mdb_amounts_are_no_places,
];

/// The section, where it is used.
fn used(board: &BoardSpec) -> Option<&MdbSpec> {
    (board.vend.kind == VendKind::Mdb).then_some(&board.vend.mdb)
}

fn mdb_has_a_port(board: &BoardSpec, found: &mut Findings) {
    if let Some(mdb) = used(board) {
        ports::check(found, "vend.mdb", mdb.path.as_ref(), mdb.baud.unwrap_or(mdb.adapter.baud()));
    }
}

fn mdb_is_a_device_of_the_bus(board: &BoardSpec, found: &mut Findings) {
    let Some(mdb) = used(board) else { return };
    found.in_range("vend.mdb.device", mdb.device.into(), 1..=2, "(cashless device)");
    found.in_range("vend.mdb.level", mdb.level.into(), 1..=3, "(level)");
    found.in_range("vend.mdb.decimals", mdb.decimals.into(), 0..=2, "decimals");
    found.in_range("vend.mdb.scale", mdb.scale.into(), 1..=255, "(scale)");
    if mdb.setconf.iter().any(|set| !set.contains('=') || set.contains(|c: char| c.is_ascii_control())) {
        found.add("vend.mdb.setconf", "a setting without =", "write \"name=value\", such as \"mdb-display-time=5\"");
    }
}

/// Without decimals an amount in yuan looks like a number of steps, and an adapter may take the one for the other.
fn mdb_amounts_are_one_reading(board: &BoardSpec, found: &mut Findings) {
    let Some(mdb) = used(board) else { return };
    if mdb.adapter == MdbAdapter::Text && mdb.decimals == 0 && mdb.scale != 1 {
        found.add(
            "vend.mdb.decimals",
            "an amount without decimals could be yuan or steps to a text adapter, which differ with this scale",
            "set decimals = 1 and ten times the scale, or scale = 1",
        );
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

fn mdb_amounts_are_no_places(board: &BoardSpec, found: &mut Findings) {
    let Some(mdb) = used(board) else { return };
    let slots = board.vend.slots.iter().enumerate();
    for (index, _) in slots.filter(|(_, slot)| slot.number.is_some() && mdb.mode == MdbMode::PayFirst) {
        found.add(
            format!("vend.slots[{index}].number"),
            "with mode = \"pay_first\" a slot is an amount on offer and no place in the machine",
            "remove number, or set mode = \"select_first\"",
        );
    }
}
