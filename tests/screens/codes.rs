//! Every code on the pay screen, read back from the picture by an independent decoder.

use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;
use payment::engine::view::View;
use till::screen::colour::{INK, PAPER};
use till::screen::mark::Mark;
use till::screen::qr::QUIET_ZONE;
use till::screen::{self, Look};

use crate::panel::Panel;
use crate::samples::{SIZES, USUAL_CODE, looks, pay, pays};

/// From the shortest that a channel gives to the longest of an aggregator: 37 to 94 characters.
fn payloads() -> Vec<String> {
    let mut payloads = vec![
        "weixin://wxpay/bizpayurl?pr=pIxqM3fz1".to_owned(),
        "https://qr.alipay.com/fkx1234567890abcd".to_owned(),
        USUAL_CODE.to_owned(),
        "weixin://wxpay/bizpayurl/up?pr=NwY5Mz9hU&groupid=00".to_owned(),
        format!("https://qr.95516.com/{}", "48020000410110151".repeat(3)),
    ];
    let filler = "pay.example.com/cashier?order=20261121T093000Z-7K2M9Q&store=0042&terminal=machine-17&sign=f3a9c1d2";
    let longer = (52..=94).step_by(6).map(|length| format!("https://{filler}")[..length].to_owned());
    payloads.extend(longer);
    payloads
}

fn each(mut check: impl FnMut(&str, &View, &Look, Size)) {
    for size in SIZES {
        for look in looks() {
            for payload in payloads() {
                check(&payload, &pay(Some(&payload), 350, look.language), &look, size);
            }
            for (_, view) in pays(look.language) {
                if let View::Pay { codes, .. } = &view
                    && let [code] = &codes[..]
                {
                    check(&code.text, &view, &look, size);
                }
            }
        }
    }
}

/// What a phone reads from the picture.
fn read(panel: &Panel) -> Vec<String> {
    read_with_middles(panel).into_iter().map(|(text, _)| text).collect()
}

/// The same, each with the middle of its code, from the left to the right.
pub fn read_with_middles(panel: &Panel) -> Vec<(String, i32)> {
    let (width, height) = (panel.size.width as usize, panel.size.height as usize);
    let grey = |x: usize, y: usize| panel.grey(Point::new(x as i32, y as i32));
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(width, height, grey);
    let grids = picture.detect_grids();
    let middle = |corners: &[rqrr::Point; 4]| corners.iter().map(|corner| corner.x).sum::<i32>() / 4;
    let read = grids.iter().map(|grid| (grid.decode().expect("a code that reads").1, middle(&grid.bounds)));
    let mut read: Vec<(String, i32)> = read.collect();
    read.sort_by_key(|(_, middle)| *middle);
    read
}

fn the_code(view: &View, look: &Look, size: Size) -> (Rectangle, screen::qr::Symbol) {
    let codes = screen::compose(view, look, size).into_iter().filter_map(|mark| match mark {
        Mark::Code { area, symbol } => Some((area, symbol)),
        Mark::Panel { .. } | Mark::Frame { .. } | Mark::Line { .. } | Mark::Picture { .. } => None,
    });
    let codes: Vec<_> = codes.collect();
    assert_eq!(codes.len(), 1, "a pay screen has one code");
    codes[0].clone()
}

#[test]
fn payloads_have_the_lengths_that_channels_use() {
    let lengths: Vec<usize> = payloads().iter().map(String::len).collect();
    assert_eq!(lengths.iter().min(), Some(&37));
    assert_eq!(lengths.iter().max(), Some(&94));
}

#[test]
fn every_code_reads_back_from_the_picture() {
    each(|payload, view, look, size| {
        let panel = Panel::showing(view, look, size);
        assert_eq!(read(&panel), [payload], "at {size:?}");
    });
}

#[test]
fn modules_are_whole_pixels_and_the_quiet_zone_is_light() {
    each(|payload, view, look, size| {
        let panel = Panel::showing(view, look, size);
        let (area, symbol) = the_code(view, look, size);
        let place = symbol.place_in(area);
        let module = place.size.width / symbol.modules();
        assert_eq!(module * symbol.modules(), place.size.width);
        let quiet = place.offset((QUIET_ZONE * module) as i32);
        assert_eq!(quiet.intersection(&area), quiet, "{payload} at {size:?}: no room for the quiet zone");
        for point in area.points().filter(|point| !place.contains(*point)) {
            assert_eq!(panel.at(point), PAPER, "{payload} at {size:?}: {point:?} is not quiet");
        }
        for point in place.points() {
            let inside = point - place.top_left;
            let corner = place.top_left + (inside / module as i32) * module as i32;
            assert_eq!(panel.at(point), panel.at(corner), "{payload} at {size:?}: a broken module");
            assert!([PAPER, INK].contains(&panel.at(point)));
        }
    });
}

/// Alipay's usual code, when nothing but the code is offered: the modules of reference/hardware.md 2.2, by panel.
#[test]
fn the_code_is_as_large_as_the_panel_allows() {
    let expected = [
        ((240, 240), 5),
        ((320, 240), 5),
        ((240, 320), 5),
        ((480, 320), 7),
        ((320, 480), 7),
        ((800, 480), 11),
        ((480, 800), 11),
    ];
    for look in looks() {
        for ((width, height), pixels) in expected {
            let view = pay(Some(USUAL_CODE), 350, look.language);
            let (area, symbol) = the_code(&view, &look, Size::new(width, height));
            assert_eq!(symbol.module_in(area.size.width), pixels, "at {width}×{height}");
        }
    }
}

#[test]
fn a_code_can_be_drawn_alone() {
    let mut panel = Panel::unpainted(Size::new(123, 130));
    let area = panel.bounding_box();
    let symbol = screen::qr::Symbol::fitting(USUAL_CODE, 123).expect("it fits");
    let Ok(()) = symbol.draw(area, &mut panel);
    assert_eq!(read(&panel), [USUAL_CODE]);
}
