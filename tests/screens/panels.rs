//! The pay screen as it stands on each kind of panel, through the panel's own driver and wire, photographed and read.

use embedded_graphics::prelude::*;
use hal::board::{Controller, DisplayKind, DisplaySpec, Rotation};
use hal::display::{Display, Frame, drm, epaper::Epaper, tft::Tft};
use hal::sim::camera::photograph;
use hal::sim::panels::{card::SimCard, epaper::EpaperPanel, tft::TftPanel};
use payment::engine::view::View;
use till::screen::mark::Mark;
use till::screen::{self, Look};

use crate::samples::{USUAL_CODE, looks, pay};
use crate::shared::WECHAT_CODE;

/// Kind, controller and size as the panel is made; turned when its picture lies across.
type Panel = (DisplayKind, Option<Controller>, (u32, u32), bool);

const PANELS: [Panel; 8] = [
    (DisplayKind::Spi, Some(Controller::St7789), (240, 240), false),
    (DisplayKind::Spi, Some(Controller::Ili9341), (240, 320), false),
    (DisplayKind::Spi, Some(Controller::Ili9486), (320, 480), false),
    (DisplayKind::Spi, Some(Controller::Ili9488), (320, 480), true),
    (DisplayKind::Drm, None, (800, 480), false),
    (DisplayKind::Epaper, Some(Controller::Ssd1680), (122, 250), true),
    (DisplayKind::Epaper, Some(Controller::Ssd1680), (128, 296), true),
    (DisplayKind::Epaper, Some(Controller::Ssd1683), (400, 300), false),
];

fn spec((kind, controller, (width, height), turned): Panel) -> DisplaySpec {
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
            let view = pay(Some(USUAL_CODE), 350, look.language);
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
