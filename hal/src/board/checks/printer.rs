//! What a printer needs.

use super::Findings;
use crate::board::{BoardSpec, PrinterKind};

pub(super) const CHECKS: &[super::Check] = &[printer_has_a_port, printer_prints_something, required_printer_is_there];

fn printer_has_a_port(board: &BoardSpec, found: &mut Findings) {
    let printer = &board.printer;
    let advice = match printer.kind {
        PrinterKind::None => return,
        PrinterKind::Serial => "look in /dev/serial/by-id and name the port",
        PrinterKind::Usb => "name the device, usually path = \"/dev/usb/lp0\"",
    };
    if printer.path.is_none() {
        found.add("printer.path", "the printer has no path", advice);
    }
}

fn printer_prints_something(board: &BoardSpec, found: &mut Findings) {
    let printer = &board.printer;
    found.in_range("printer.columns", printer.columns.into(), 16..=64, "letters");
    found.in_range("printer.patience_ms", printer.patience_ms, 1000..=300_000, "ms");
    found.in_range("printer.baud", printer.baud, 1200..=921_600, "bits per second");
}

fn required_printer_is_there(board: &BoardSpec, found: &mut Findings) {
    let printer = &board.printer;
    if printer.required && printer.kind == PrinterKind::None {
        found.add("printer.required", "a printer is required and there is none", "set its kind, or remove required");
    }
    if printer.required && !printer.status {
        found.add(
            "printer.required",
            "the printer is required and gives no answers, so nobody knows whether it works",
            "set status = true, or remove required",
        );
    }
}
