//! Every kind of panel shows a code that a phone reads, through the driver that ships and the panel's own wire.

#![expect(
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot go on fails, and passes over the events it does not ask for"
)]

mod common;

use embedded_graphics::{pixelcolor::Rgb565, prelude::*, primitives::Rectangle};
use hal::{
    DeviceEvent, DisplayState,
    board::{Controller, DisplayKind, DisplaySpec, LineSpec, Rotation},
    display::{Display, Frame, drm, epaper::Epaper, tft::Tft},
    sim::{
        camera::photograph,
        panels::{card::SimCard, epaper::EpaperPanel, tft::TftPanel},
    },
};
use qrcode::{Color, EcLevel, QrCode};
use tempfile::tempdir;

const USUAL: &str = "https://qr.alipay.com/bax03431ljhokirwl38f00a7";
const SHORT: &str = "weixin://wxpay/bizpayurl?pr=pIxqM3fz1";
const LONG: &str = "https://pay.example.com/cashier?order=20261121T093000Z-7K2M9Q&store=0042&term";

/// A code as the screens draw it: whole pixels, four light modules around, as large as the panel allows; level L where M
/// would have modules of less than three pixels. Also the pixels of a module.
fn code(text: &str, (width, height): (u32, u32)) -> (Frame, u32) {
    let side = width.min(height);
    let fitting = |level| {
        let code = QrCode::with_error_correction_level(text, level).expect("it fits in a code");
        (side / (code.width() as u32 + 8), code)
    };
    let (module, code) = match fitting(EcLevel::M) {
        (module @ 3.., code) => (module, code),
        _ => fitting(EcLevel::L),
    };
    let mut frame = Frame::filled(width, height, Rgb565::WHITE);
    let modules = code.width() as u32;
    let corner = Point::new(((width - modules * module) / 2) as i32, ((height - modules * module) / 2) as i32);
    for (index, colour) in (0..).zip(code.to_colors()) {
        if colour == Color::Dark {
            let place = Point::new((index % modules * module) as i32, (index / modules * module) as i32);
            let Ok(()) = frame.fill_solid(&Rectangle::new(corner + place, Size::new_equal(module)), Rgb565::BLACK);
        }
    }
    (frame, module)
}

/// What a phone reads from a panel: the photograph's modules have 5 pixels. With fewer this decoder, unlike a phone, misses
/// some codes of any panel.
fn read(picture: &Frame, module: u32, seed: u64) -> Vec<String> {
    let photo = photograph(picture, (module as usize, 50), seed);
    let height = photo.grey.len() / photo.width;
    let grey = |x: usize, y: usize| photo.grey[y * photo.width + x];
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(photo.width, height, grey);
    let grids = image.detect_grids();
    grids.iter().filter_map(|grid| Some(grid.decode().ok()?.1)).collect()
}

/// A panel: its name, the board's words, and what shows a frame on it and gives back what is seen, as it is made.
struct Case {
    name: &'static str,
    spec: DisplaySpec,
    show: fn(&DisplaySpec, &[Frame]) -> Frame,
}

fn on_tft(spec: &DisplaySpec, frames: &[Frame]) -> Frame {
    let panel = TftPanel::new(spec, 4096);
    let mut tft = Tft::open(Box::new(panel.clone()), spec).expect("it opens");
    frames.iter().for_each(|frame| tft.show(frame).expect("it is shown"));
    assert_eq!(panel.state().end.faults, [""; 0]);
    panel.state().picture().expect("it is lit")
}

fn on_epaper(spec: &DisplaySpec, frames: &[Frame]) -> Frame {
    let panel = EpaperPanel::new(spec, 4096);
    let mut epaper = Epaper::open(Box::new(panel.clone()), spec).expect("it opens");
    frames.iter().for_each(|frame| epaper.show(frame).expect("it is shown"));
    assert_eq!(panel.state().end.faults, [""; 0]);
    assert!(!panel.state().has_ghost());
    panel.state().picture()
}

fn on_drm(spec: &DisplaySpec, frames: &[Frame]) -> Frame {
    let card = SimCard::new(&[(spec.width, spec.height)]);
    let mut monitor = drm::choose([Ok(card.open())], spec).expect("it opens");
    frames.iter().for_each(|frame| monitor.show(frame).expect("it is shown"));
    card.state().picture().expect("it is lit")
}

fn case(name: &'static str, kind: DisplayKind, controller: Option<Controller>, size: (u32, u32), turned: bool) -> Case {
    let rotation = if turned { Rotation::Quarter } else { Rotation::None };
    let spec = DisplaySpec { kind, controller, width: size.0, height: size.1, rotation, ..DisplaySpec::default() };
    let show = match kind {
        DisplayKind::Epaper => on_epaper,
        DisplayKind::Drm => on_drm,
        DisplayKind::Spi | DisplayKind::None | DisplayKind::Memory | DisplayKind::Framebuffer | DisplayKind::Sim => {
            on_tft
        }
    };
    Case { name, spec, show }
}

/// The panels of reference/hardware.md 2.2, and the 4.2 inch e-paper.
fn cases() -> Vec<Case> {
    use Controller::{Ili9341, Ili9486, Ili9488, Ssd1680, Ssd1683, St7789};
    use DisplayKind::{Drm, Epaper, Spi};
    vec![
        case("240×240 ST7789", Spi, Some(St7789), (240, 240), false),
        case("240×320 ST7789", Spi, Some(St7789), (240, 320), false),
        case("240×320 ILI9341", Spi, Some(Ili9341), (240, 320), false),
        case("320×480 ILI9486", Spi, Some(Ili9486), (320, 480), false),
        case("480×320 ILI9488", Spi, Some(Ili9488), (320, 480), true),
        case("800×480 DRM", Drm, None, (800, 480), false),
        case("250×122 e-paper", Epaper, Some(Ssd1680), (122, 250), true),
        case("296×128 e-paper", Epaper, Some(Ssd1680), (128, 296), true),
        case("400×300 e-paper", Epaper, Some(Ssd1683), (400, 300), false),
    ]
}

#[test]
fn a_phone_reads_the_code_on_every_panel_with_nothing_left_of_the_one_before() {
    for Case { name, spec, show } in cases() {
        for (text, seed) in [(SHORT, 11), (USUAL, 22), (LONG, 33)] {
            let (last, _) = code("https://qr.alipay.com/of-the-buyer-before", spec.size());
            let (frame, module) = code(text, spec.size());
            assert!(module >= 2, "{name}: {text} is too long for this panel");
            let seen = show(&spec, &[last, frame.clone()]);
            let back = if spec.rotation == Rotation::None { Rotation::None } else { Rotation::ThreeQuarters };
            let upright = seen.rotated(back);
            assert!(upright == frame, "{name} shows another picture");
            assert_eq!(read(&upright, module, seed), [text], "{name}, {module} pixels a module");
        }
    }
}

/// What the test above would see, if a driver sent too little.
#[test]
fn a_code_with_a_band_of_the_one_before_does_not_read() {
    let size = (240, 240);
    let (last, _) = code("https://qr.alipay.com/of-the-buyer-before-who-has-paid-already", size);
    let (mut frame, module) = code(USUAL, size);
    for (row, old) in frame.rows_mut().zip(last.rows()).skip(60).take(100) {
        row.copy_from_slice(old);
    }
    assert_eq!(read(&frame, module, 5), [""; 0]);
}

#[tokio::test]
async fn a_panel_whose_bus_is_missing_says_what_to_do_and_the_devices_still_close_at_once() {
    let directory = tempdir().expect("a directory");
    let mut board = common::board(&directory);
    let _machine = common::start(&board);
    let line = |name: &str| Some(LineSpec { name: Some(name.into()), ..LineSpec::default() });
    board.display = DisplaySpec {
        kind: DisplayKind::Spi,
        controller: Some(Controller::St7789),
        spi: Some("/nonexistent/spidev0.0".into()),
        dc: line("dc"),
        width: 240,
        height: 240,
        ..DisplaySpec::default()
    };
    assert_eq!(board.validate(), []);
    let (devices, mut events) = common::open(&board);
    let down = common::event(&mut events, |event| match event {
        DeviceEvent::Display(DisplayState::Down { reason }) => Some(reason.clone()),
        _ => None,
    });
    assert!(down.await.contains("dtparam=spi=on"));
    assert_eq!(devices.size(), Some((240, 240)));
    drop(devices);
}
