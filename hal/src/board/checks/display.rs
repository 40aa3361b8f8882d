//! What a display needs.

use super::Findings;
use crate::board::{BoardSpec, Controller, DisplayKind, DisplaySpec, LightSpec, StatusKind};

pub(super) const CHECKS: &[super::Check] = &[
    display_has_what_its_kind_needs,
    panel_is_wired,
    glass_fits_its_controller,
    light_is_one_thing,
    status_display_is_reachable,
];

fn display_has_what_its_kind_needs(board: &BoardSpec, found: &mut Findings) {
    let display = &board.display;
    if display.kind == DisplayKind::None {
        return;
    }
    // No buyer pays at a smaller picture; the narrowest e-paper that shows a code has 122 columns.
    let least = if display.kind == DisplayKind::Epaper { 122 } else { 128 };
    found.in_range("display.width", display.width, least..=4096, "pixels");
    found.in_range("display.height", display.height, least..=4096, "pixels");
    if display.kind == DisplayKind::Framebuffer && display.path.is_none() {
        found.add("display.path", "a framebuffer display has no path", "name the device, usually path = \"/dev/fb0\"");
    }
}

fn is_on_spi(display: &DisplaySpec) -> bool {
    matches!(display.kind, DisplayKind::Spi | DisplayKind::Epaper)
}

fn panel_is_wired(board: &BoardSpec, found: &mut Findings) {
    let display = &board.display;
    if !is_on_spi(display) {
        return;
    }
    if display.spi.is_none() {
        found.add("display.spi", "the panel has no bus", "name it, usually spi = \"/dev/spidev0.0\"");
    }
    if display.dc.is_none() {
        found.add("display.dc", "the panel has no dc line", "add dc = { name = \"GPIO25\" }");
    }
    if display.kind == DisplayKind::Epaper {
        for (key, line) in [("reset", &display.reset), ("busy", &display.busy)] {
            if line.is_none() {
                found.add(
                    format!("display.{key}"),
                    format!("the e-paper has no {key} line"),
                    "wire it: without busy nobody knows when a picture is done, and only reset wakes it from its sleep",
                );
            }
        }
    }
    if display.reset.as_ref().is_some_and(|line| !line.active_low) {
        found.add(
            "display.reset",
            "the panel would be held in reset for ever: every panel resets at the low level",
            "add active_low = true to the line",
        );
    }
    if !matches!(display.spi_mode, 0 | 3) {
        found.add("display.spi_mode", "no panel uses this mode", "use 0, or 3 for a board without a CS pin");
    }
    if display.init.iter().any(Vec::is_empty) {
        found.add("display.init", "an empty command", "write each as [command, argument, …], such as [0xC0, 0x23]");
    }
}

fn glass_fits_its_controller(board: &BoardSpec, found: &mut Findings) {
    let display = &board.display;
    if !is_on_spi(display) {
        return;
    }
    let Some(controller) = display.controller else {
        found.add("display.controller", "the panel's chip is not named", advice(display.kind));
        return;
    };
    if controller == Controller::Ssd1680Red {
        found.add(
            "display.controller",
            "a three-colour e-paper takes 15 seconds for a picture: the buyer is gone before the code is there",
            "take a black-and-white panel with partial refresh",
        );
        return;
    }
    if controller.is_epaper() != (display.kind == DisplayKind::Epaper) {
        found.add("display.controller", "this chip is for the other kind of panel", advice(display.kind));
        return;
    }
    let (columns, rows) = controller.memory();
    let (right, bottom) =
        (display.width.saturating_add(display.offset_x), display.height.saturating_add(display.offset_y));
    if right > columns || bottom > rows {
        found.add(
            "display.width",
            format!("{right}×{bottom} pixels with their offset are more than the chip's {columns}×{rows}"),
            "give the size as the panel is made, upright, and turn the picture with rotation = 90",
        );
    }
    if let Some(speed) = display.speed_hz {
        found.in_range("display.speed_hz", speed, 100_000..=controller.clock().1, "Hz");
    }
}

fn advice(kind: DisplayKind) -> &'static str {
    match kind {
        DisplayKind::Epaper => "use \"ssd1680\" (2.13 and 2.9 inch) or \"ssd1683\" (4.2 inch)",
        DisplayKind::Spi
        | DisplayKind::None
        | DisplayKind::Memory
        | DisplayKind::Framebuffer
        | DisplayKind::Drm
        | DisplayKind::Sim => "use \"st7789\", \"ili9341\", \"ili9486\" or \"ili9488\"",
    }
}

fn light_is_one_thing(board: &BoardSpec, found: &mut Findings) {
    let display = &board.display;
    if let Some(percent) = display.brightness {
        found.in_range("display.brightness", percent, 1..=100, "percent");
    }
    if let Some(seconds) = display.blank_after_s {
        found.in_range("display.blank_after_s", seconds, 10..=86_400, "s");
        if display.kind == DisplayKind::Epaper {
            found.add("display.blank_after_s", "an e-paper takes no power for its picture", "remove blank_after_s");
        }
    }
    let Some(LightSpec { line, backlight, pwm, frequency_hz, .. }) = &display.light else { return };
    let ways = [line.is_some(), backlight.is_some(), pwm.is_some()];
    if ways.into_iter().filter(|way| *way).count() != 1 {
        found.add(
            "display.light",
            "the light is switched in none of the three ways, or in several",
            "write one of { line = { name = \"GPIO18\" } }, { backlight = \"/sys/class/backlight/…\" }, { pwm = { device = \"fe20c000.pwm\" } }",
        );
    }
    if line.is_some() && display.brightness.is_some_and(|percent| percent != 100) {
        found.add(
            "display.brightness",
            "a line only switches the light on and off",
            "remove brightness, or dim with pwm or backlight",
        );
    }
    if let Some(frequency) = frequency_hz {
        // Slower, and a phone's camera sees bands (reference/hardware.md 2.2).
        found.in_range("display.light.frequency_hz", *frequency, 200..=100_000, "Hz");
    }
}

fn status_display_is_reachable(board: &BoardSpec, found: &mut Findings) {
    let status = &board.status_display;
    if status.kind == StatusKind::None {
        return;
    }
    if status.path.is_none() {
        found.add("status_display.path", "the status display has no bus", "name it, usually path = \"/dev/i2c-1\"");
    }
    if !matches!(status.address, 0x3C | 0x3D) {
        found.add(
            "status_display.address",
            "no such display answers there",
            "use 0x3C or 0x3D; `i2cdetect -y 1` shows which",
        );
    }
    if !matches!(status.height, 32 | 64) {
        found.add("status_display.height", "such displays have 64 or 32 rows", "use height = 64 or 32");
    }
    found.in_range("status_display.dim_after_s", status.dim_after_s, 5..=3600, "s");
}
