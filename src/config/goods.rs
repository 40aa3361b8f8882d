//! What is sold, where it lies in the machine, and who can scan there.

use std::collections::BTreeMap;

use hal::board::{BoardSpec, DisplayKind, KeypadKind, ScannerKind, VendKind};
use payment::engine::entry::{SlotId, WhoScans};
use payment::engine::settings::Product;
use payment::money::{Fen, LARGEST_ORDER};

use super::check::{Checker, Text};
use super::raw::{self, Written, Yuan};
use super::source::{At, closest};

/// Alipay's longest `goods_id` (reference/alipay.md 5.12).
const LONGEST_CODE: usize = 64;
/// Alipay's longest `goods_name`.
const LONGEST_NAME: usize = 256;

/// So often in a row a slot fails before it is locked, if nothing is said. Once may be chance: an item that hangs falls with
/// the next turn, and a sensor may miss one. A lock outlives restarts, so it costs every sale of the slot until somebody
/// comes. Twice is a jam or an empty slot, and has cost one more buyer the wait for money that comes back by itself.
const LOCK_AFTER: u64 = 2;
/// Beyond this a slot fails for whole days before it is locked.
const LOCK_AFTER_MAX: u64 = 10;
/// More fits into no slot.
const CAPACITY_MAX: u64 = 9_999;

/// Checks `[sell] lock_slot_after`.
pub(super) fn lock_after(checker: &mut Checker<'_, '_>, written: Option<Written<u64>>, key: At) -> u32 {
    let after = checker.number(written, key, LOCK_AFTER, 1..=LOCK_AFTER_MAX, "failures in a row");
    u32::try_from(after).unwrap_or(1)
}

/// What is sold, and how many of it fit into a slot.
pub(super) type Goods = (BTreeMap<SlotId, Product>, BTreeMap<SlotId, u32>);

/// Checks `[[product]]` against the board; a board that could not be read is not held against the products.
pub(super) fn products(checker: &mut Checker<'_, '_>, rows: Vec<raw::Product>, board: Option<&BoardSpec>) -> Goods {
    let (mut products, mut capacities) = (BTreeMap::new(), BTreeMap::new());
    let mut places: BTreeMap<SlotId, At> = BTreeMap::new();
    for row in rows {
        let Some((slot, product, capacity)) = product(checker, row) else {
            continue;
        };
        if let Some(first) = places.get(&slot.value) {
            let problem = format!("slot {} already has a product, {}", slot.value, first.key);
            checker.found.error(&slot.at, problem, "a slot has one product: give this one its own slot, or remove it");
            continue;
        }
        places.insert(slot.value.clone(), slot.at);
        capacities.extend(capacity.map(|capacity| (slot.value.clone(), capacity)));
        products.insert(slot.value, product);
    }
    if let Some(board) = board {
        slots_exist(checker, &places, board);
        slots_can_be_typed(checker, &places, board);
        if !checker.found.report.has_error_under("product[") {
            slots_are_filled(checker, &products, board);
        }
    }
    (products, capacities)
}

fn product(checker: &mut Checker<'_, '_>, row: raw::Product) -> Option<(Written<SlotId>, Product, Option<u32>)> {
    let slot =
        checker.required(row.slot, row.at.missing("slot"), "write the slot as printed on the machine: slot = \"11\"");
    let slot = slot.and_then(|slot| slot_id(checker, slot));
    let name = checker.required(row.name, row.at.missing("name"), "write what the buyer reads: name = \"可乐 330 ml\"");
    let name = name.and_then(|name| checker.text(name, Text::words(LONGEST_NAME)));
    let price = checker.required(row.price, row.at.missing("price"), "write yuan in quotes: price = \"3.50\"");
    let price = price.and_then(|price| sound_price(checker, price));
    let code = checker.optional(row.code).and_then(|code| checker.text(code, Text::token(LONGEST_CODE)));
    let capacity = checker.optional(row.capacity).and_then(|capacity| sound_capacity(checker, &capacity));
    let (slot, name, price) = (slot?, name?, price?);
    let code = match code {
        Some(code) => code.value,
        None => checker.derived(row.at.unwritten("code"), slot.value.as_str().to_owned()),
    };
    Some((slot, Product { code, name: name.value, price }, capacity))
}

fn sound_capacity(checker: &mut Checker<'_, '_>, capacity: &Written<u64>) -> Option<u32> {
    let is_sound = (1..=CAPACITY_MAX).contains(&capacity.value);
    if !is_sound {
        let problem = format!("{} items do not fit into a slot", capacity.value);
        let advice = format!("use 1 to {CAPACITY_MAX}, or leave it out: then `till stock set` says how many are in it");
        checker.found.error(&capacity.at, problem, advice);
    }
    u32::try_from(capacity.value).ok().filter(|_| is_sound)
}

fn slot_id(checker: &mut Checker<'_, '_>, slot: Written<String>) -> Option<Written<SlotId>> {
    let id = SlotId::new(&slot.value);
    if id.is_none() {
        let problem = format!("\"{}\" cannot be a slot", slot.value);
        checker.found.error(&slot.at, problem, "use 1 to 8 letters or digits, as printed beside the slot");
    }
    id.map(|value| Written { value, at: slot.at })
}

fn sound_price(checker: &mut Checker<'_, '_>, Written { value: Yuan(price), at }: Written<Yuan>) -> Option<Fen> {
    let is_sound = price.is_positive() && price <= LARGEST_ORDER;
    if !is_sound {
        let problem = format!("{price} yuan is not a price");
        checker.found.error(&at, problem, format!("a price is at least 0.01 and at most {LARGEST_ORDER} yuan"));
    }
    is_sound.then_some(price)
}

fn slots_exist(checker: &mut Checker<'_, '_>, places: &BTreeMap<SlotId, At>, board: &BoardSpec) {
    let slots = || board.vend.slots.iter().map(|slot| slot.name.as_str());
    for (slot, at) in places {
        if board.vend.kind == VendKind::None {
            let problem = format!("slot {slot} has a product, and the board has nothing that vends");
            checker.found.error(
                at,
                problem,
                "choose the machine's own board file, or remove the products of this counter",
            );
        } else if !slots().any(|name| name == slot.as_str()) {
            let advice = match closest(slot.as_str(), slots()) {
                Some(near) => {
                    format!("did you mean \"{near}\"? The board has {}", slots().collect::<Vec<_>>().join(", "))
                }
                None => format!("the board has {}", slots().collect::<Vec<_>>().join(", ")),
            };
            checker.found.error(at, format!("the board \"{}\" has no slot {slot}", board.name), advice);
        }
    }
}

fn slots_are_filled(checker: &mut Checker<'_, '_>, products: &BTreeMap<SlotId, Product>, board: &BoardSpec) {
    let is_filled = |name: &str| SlotId::new(name).is_some_and(|slot| products.contains_key(&slot));
    let empty: Vec<&str> =
        board.vend.slots.iter().map(|slot| slot.name.as_str()).filter(|name| !is_filled(name)).collect();
    if !empty.is_empty() {
        let problem = format!("slots of the board without a product: {}", empty.join(", "));
        checker.found.warning(
            &At::key("product"),
            problem,
            "they are not sold; add a [[product]] block for each that is filled",
        );
    }
}

fn slots_can_be_typed(checker: &mut Checker<'_, '_>, places: &BTreeMap<SlotId, At>, board: &BoardSpec) {
    if board.keypad.kind == KeypadKind::None {
        return;
    }
    for (slot, at) in places {
        if !slot.as_str().bytes().all(|byte| byte.is_ascii_digit()) {
            let problem = format!("slot {slot} cannot be typed on the keypad, which has digits only");
            checker.found.warning(
                at,
                problem,
                "it can be sold through the API only; number the slot to sell it at the keypad",
            );
        }
    }
}

/// Checks `[sell] who_scans` against the board's scanner and display.
pub(super) fn who_scans(
    checker: &mut Checker<'_, '_>,
    written: Option<Written<WhoScans>>,
    key: At,
    board: Option<&BoardSpec>,
) -> WhoScans {
    let at = written.as_ref().map_or_else(|| key.clone(), |written| written.at.clone());
    let Some(board) = board else {
        return checker.choice(written, key, WhoScans::Either);
    };
    let usual = match has_scanner(board) {
        true => WhoScans::Either,
        false => WhoScans::BuyerScans,
    };
    let who_scans = match written {
        Some(_) => checker.choice(written, key, usual),
        None => checker.derived(key, usual),
    };
    scanner_is_there(checker, who_scans, board, &at);
    display_is_there(checker, who_scans, board, &at);
    who_scans
}

/// Whether the board has a scanner.
pub(super) fn has_scanner(board: &BoardSpec) -> bool {
    board.scanner.kind != ScannerKind::None
}

fn scanner_is_there(checker: &mut Checker<'_, '_>, who_scans: WhoScans, board: &BoardSpec, at: &At) {
    if has_scanner(board) {
        return;
    }
    match who_scans {
        WhoScans::MerchantScans => checker.found.error(
            at,
            format!("the machine shall read pay codes, and the board \"{}\" has no scanner", board.name),
            "add a [scanner] to the board file, or set who_scans = \"buyer_scans\"",
        ),
        WhoScans::Either => checker.found.warning(
            at,
            format!("the board \"{}\" has no scanner, so only the buyer can scan", board.name),
            "set who_scans = \"buyer_scans\", or add a [scanner] to the board file",
        ),
        WhoScans::BuyerScans => {}
    }
}

/// Matters only where orders are made at the machine: a caller of the API may have a screen of its own.
fn display_is_there(checker: &mut Checker<'_, '_>, who_scans: WhoScans, board: &BoardSpec, at: &At) {
    if board.display.kind != DisplayKind::None || board.keypad.kind == KeypadKind::None {
        return;
    }
    match who_scans {
        WhoScans::BuyerScans => checker.found.error(
            at,
            format!("the buyer shall scan the screen, and the board \"{}\" has no display", board.name),
            "add a [display] to the board file, or set who_scans = \"merchant_scans\"",
        ),
        WhoScans::Either => checker.found.warning(
            at,
            format!("the board \"{}\" has no display, so buyers see neither code nor price", board.name),
            "add a [display] to the board file, or set who_scans = \"merchant_scans\"",
        ),
        WhoScans::MerchantScans => {}
    }
}
