//! The pay screen as it stands on each kind of panel, through the panel's own driver and wire, photographed and read.

use embedded_graphics::prelude::*;
use hal::board::{Controller, DisplayKind, DisplaySpec, Rotation};
use hal::display::{Display, Frame, drm, epaper::Epaper, tft::Tft};
use hal::sim::camera::photograph;
use hal::sim::panels::{card::SimCard, epaper::EpaperPanel, tft::TftPanel};
use payment::engine::view::View;
use till::screen::mark::Mark;
use till::screen::{self, Look};

use crate::panel::Panel;
use crate::samples::{USUAL_CODE, looks, pay, views};
use crate::shared::WECHAT_CODE;

/// Kind, controller and size as the panel is made; turned when its picture lies across.
type Made = (DisplayKind, Option<Controller>, (u32, u32), bool);

const PANELS: [Made; 8] = [
    (DisplayKind::Spi, Some(Controller::St7789), (240, 240), false),
    (DisplayKind::Spi, Some(Controller::Ili9341), (240, 320), false),
    (DisplayKind::Spi, Some(Controller::Ili9486), (320, 480), false),
    (DisplayKind::Spi, Some(Controller::Ili9488), (320, 480), true),
    (DisplayKind::Drm, None, (800, 480), false),
    (DisplayKind::Epaper, Some(Controller::Ssd1680), (122, 250), true),
    (DisplayKind::Epaper, Some(Controller::Ssd1680), (128, 296), true),
    (DisplayKind::Epaper, Some(Controller::Ssd1683), (400, 300), false),
];

fn spec((kind, controller, (width, height), turned): Made) -> DisplaySpec {
    let rotation = if turned { Rotation::Quarter } else { Rotation::None };
    DisplaySpec { kind, controller, width, height, rotation, ..DisplaySpec::default() }
}

/// What is seen in front of the panel after all these frames, upright.
fn shown(spec: &DisplaySpec, frames: &[Frame]) -> Frame {
    let show = |display: &mut dyn Display| frames.iter().for_each(|frame| display.show(frame).expect("it is shown"));
    let seen = if spec.kind == DisplayKind::Epaper {
        let panel = EpaperPanel::new(spec, 4096);
        show(&mut Epaper::open(Box::new(panel.clone()), spec).expect("it opens"));
        panel.state().picture()
    } else if spec.kind == DisplayKind::Drm {
        let card = SimCard::new(&[(spec.width, spec.height)]);
        let mut monitor = drm::choose([Ok(card.open())], spec).expect("it opens");
        show(&mut monitor);
        card.state().picture().expect("it is lit")
    } else {
        let panel = TftPanel::new(spec, 4096);
        show(&mut Tft::open(Box::new(panel.clone()), spec).expect("it opens"));
        panel.state().picture().expect("it is lit")
    };
    let back = if spec.rotation == Rotation::None { Rotation::None } else { Rotation::ThreeQuarters };
    seen.rotated(back)
}

fn drawn(view: &View, look: &Look, (width, height): (u32, u32)) -> Frame {
    let mut frame = Frame::new(width, height);
    let Ok(()) = screen::draw(view, look, &mut frame);
    frame
}

fn module(view: &View, look: &Look, (width, height): (u32, u32)) -> Option<u32> {
    screen::compose(view, look, Size::new(width, height)).into_iter().find_map(|mark| match mark {
        Mark::Code { area, symbol } => Some(symbol.module_in(area.size.width.min(area.size.height))),
        Mark::Panel { .. } | Mark::Frame { .. } | Mark::Line { .. } | Mark::Picture { .. } => None,
    })
}

/// The photograph's modules have five pixels.
fn read(picture: &Frame, module: u32) -> Vec<String> {
    let photo = photograph(picture, (module as usize, 50), 7);
    let grey = |x: usize, y: usize| photo.grey[y * photo.width + x];
    let height = photo.grey.len() / photo.width;
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(photo.width, height, grey);
    let grids = image.detect_grids();
    grids.iter().filter_map(|grid| Some(grid.decode().ok()?.1)).collect()
}

#[test]
fn a_phone_reads_the_pay_screen_on_every_panel_and_nothing_of_the_one_before() {
    let folder = std::env::var_os("TILL_PICTURES").map(std::path::PathBuf::from);
    for panel in PANELS {
        let spec = spec(panel);
        for (index, look) in looks().iter().enumerate() {
            let before = pay(Some(WECHAT_CODE), 128_050, look.language);
            let mut view = pay(Some(USUAL_CODE), 350, look.language);
            if let View::Pay { scanner, .. } = &mut view {
                *scanner = index == 0;
            }
            let frames = [&before, &view].map(|view| drawn(view, look, spec.size()));
            let seen = shown(&spec, &frames);
            if let Some(folder) = &folder {
                let (width, height) = spec.size();
                let file = folder.join(format!("panel-{width}x{height}-{:?}-{index}.png", spec.kind));
                std::fs::write(file, seen.to_png().expect("a picture")).expect("the folder can be written");
            }
            let module = module(&view, look, spec.size()).unwrap_or_else(|| panic!("no code at {:?}", spec.size()));
            assert_eq!(read(&seen, module), [USUAL_CODE], "{:?}, {module} pixels a module", spec.size());
            if spec.kind != DisplayKind::Epaper {
                assert!(seen == frames[1], "{:?} shows another picture", spec.size());
            }
        }
    }
}

/// What a terminal with one channel shows in the course of a sale fits on the smallest panels, too.
#[test]
fn a_small_epaper_shows_a_whole_sale() {
    let folder = std::env::var_os("TILL_PICTURES").map(std::path::PathBuf::from);
    let needed = |name: &str| {
        let names = ["idle", "choose", "pay", "pay-or-show", "pay-long-name", "pay-largest", "confirming", "thanks"];
        names.contains(&name) || ["sorry", "closed", "delivering"].iter().any(|start| name.starts_with(start))
    };
    for size in [Size::new(250, 122), Size::new(296, 128)] {
        for look in looks() {
            let views = views(look.language).into_iter().filter(|(name, _)| needed(name));
            for (count, (name, view)) in views.enumerate() {
                let panel = Panel::showing(&view, &look, size);
                assert_eq!(panel.outside, 0, "{name} draws past the edge at {size:?}");
                if let Some(folder) = &folder {
                    panel.write_png(&folder.join(format!("small-{}-{count}-{:?}.png", size.width, look.language)));
                }
                let View::Pay { amount, .. } = &view else { continue };
                let wanted = format!("¥{amount}");
                let marks = screen::compose(&view, &look, size);
                let shows = |mark: &Mark| matches!(mark, Mark::Line { text, .. } if *text == wanted);
                assert!(marks.iter().any(shows), "{name} does not show {wanted} at {size:?}");
                let module = module(&view, &look, (size.width, size.height));
                assert!(module.is_some_and(|module| module >= 2), "{name}: {module:?} pixels a module at {size:?}");
            }
        }
    }
}
