//! What a display needs.

use super::Findings;
use crate::board::{BoardSpec, DisplayKind};

pub(super) const CHECKS: &[super::Check] = &[display_has_what_its_kind_needs];

fn display_has_what_its_kind_needs(board: &BoardSpec, found: &mut Findings) {
    let display = &board.display;
    if display.kind == DisplayKind::None {
        return;
    }
    found.in_range("display.width", display.width, 128..=4096, "pixels");
    found.in_range("display.height", display.height, 128..=4096, "pixels");
    if display.kind == DisplayKind::Framebuffer && display.path.is_none() {
        found.add("display.path", "a framebuffer display has no path", "name the device, usually path = \"/dev/fb0\"");
    }
}
