//! A test card that shows what is cropped, turned, mirrored or in the wrong colours, then a code for a phone.

use embedded_graphics::pixelcolor::{Rgb565, RgbColor};
use embedded_graphics::prelude::{Point, Size};
use embedded_graphics::primitives::Rectangle;
use hal::board::{DisplayKind, StatusKind};
use hal::display::Frame;
use hal::display::test_card::test_card;
use hal::{DeviceEvent, DisplayState};

use super::person::Person;
use super::{Trial, Verdict};
use crate::screen::qr::Symbol;

/// What the code says.
const TEXT: &str = "TILL CAN BE READ";

const CARD: &str = "Do you see a thin line at all four edges, and A B C D clockwise from the upper left?";
const COLOURS: &str = "Do you see a thin red line at all four edges, A B C D clockwise from the upper left, and bars in white, \
                       yellow, cyan, green, magenta, red, blue, black?";

pub(super) async fn show<P: Person>(trial: &mut Trial<'_, P>) -> Verdict {
    if trial.board.status_display.kind != StatusKind::None {
        trial.devices.status(vec!["TILL".to_owned(), "bring-up".to_owned()]);
        let seen = trial.confirmed(
            "Does the status display say TILL?",
            "it says TILL",
            "compare path and address with `i2cdetect`",
        );
        let verdict = seen.await;
        if verdict.is_err() || trial.board.display.kind == DisplayKind::None {
            return verdict;
        }
    }
    let Some((width, height)) = trial.devices.size() else { return Err("the board has no display".to_owned()) };
    let size = format!("{width}x{height}");
    trial.devices.show(test_card(width, height, &["TILL", &size]));
    up(trial).await?;
    let question = if trial.board.display.kind == DisplayKind::Epaper { CARD } else { COLOURS };
    trial.confirmed(question, "the card is right", remedy(trial.board.display.kind)).await?;
    trial.devices.show(code(width, height)?);
    let question = format!("Does your phone's camera read the code as {TEXT}?");
    let remedy =
        "hold the phone at ten times the code's width; raise brightness, shade the panel, or take a larger one";
    trial.confirmed(&question, "a phone reads its code", remedy).await
}

/// Waits until frames reach the panel.
async fn up<P: Person>(trial: &mut Trial<'_, P>) -> Result<(), String> {
    while let Some(event) = trial.next().await {
        if event == DeviceEvent::Display(DisplayState::Up) {
            trial.say("pictures reach the panel: this is the test card");
            trial.go_on();
            return Ok(());
        } else if let DeviceEvent::Display(DisplayState::Down { reason }) = event {
            trial.say(format!("not there: {reason}"));
        }
    }
    Err("no picture reaches the panel; `till board check` says whether its device is there and may be opened"
        .to_owned())
}

/// The code as large as it fits.
fn code(width: u32, height: u32) -> Result<Frame, String> {
    let mut frame = Frame::filled(width, height, Rgb565::WHITE);
    let symbol = Symbol::fitting(TEXT, width.min(height)).ok_or("the panel is too small for a code")?;
    let area = Rectangle::new(Point::zero(), Size::new(width, height));
    let Ok(()) = symbol.draw(area, &mut frame);
    Ok(frame)
}

pub(super) const fn remedy(kind: DisplayKind) -> &'static str {
    match kind {
        DisplayKind::Spi | DisplayKind::Epaper => {
            "nothing at all: wiring, spi_mode, reset. A shifted picture: offset_x, offset_y. Wrong colours: bgr, invert. Turned or \
             mirrored: rotation, mirror_x, mirror_y. Stripes: a lower speed_hz"
        }
        DisplayKind::Framebuffer | DisplayKind::Drm => {
            "cropped or shifted: width and height as the panel is made, overscan off. Turned: rotation. Text over it: console"
        }
        DisplayKind::None | DisplayKind::Memory | DisplayKind::Sim => "compare [display] with docs/hardware.md",
    }
}
