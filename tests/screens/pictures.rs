//! What holds for every picture.

use std::collections::BTreeSet;

use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;
use payment::engine::view::View;
use till::screen::colour::PAPER;
use till::screen::mark::Mark;
use till::screen::{self, Language, Look};

use crate::panel::{Fence, Panel, UNPAINTED};
use crate::samples::{SIZES, looks, views};

/// Two codes need a panel as wide as this, in pixels.
const NARROWEST_FOR_TWO: u32 = 320;

/// Every size, language and view.
fn each(mut check: impl FnMut(&str, &View, &Look, Size)) {
    for size in SIZES {
        for look in looks() {
            for (name, view) in views(look.language) {
                let language = match look.language {
                    Language::Chinese => "zh",
                    Language::English => "en",
                };
                let name = format!("{}x{}-{language}-{name}", size.width, size.height);
                check(&name, &view, &look, size);
            }
        }
    }
}

#[test]
fn every_view_is_drawn_whole_and_never_past_the_edge() {
    let folder = std::env::var_os("TILL_PICTURES").map(std::path::PathBuf::from);
    each(|name, view, look, size| {
        let panel = Panel::showing(view, look, size);
        assert_eq!(panel.outside, 0, "{name} draws past the edge");
        assert!(!panel.pixels.contains(&UNPAINTED), "{name} leaves a hole");
        let drawn = panel.pixels.iter().filter(|pixel| **pixel != PAPER).count();
        let share = drawn * 1000 / panel.pixels.len();
        assert!(share >= 10, "{name} is nearly empty: {share} in 1000");
        if let Some(folder) = &folder {
            panel.write_png(&folder.join(format!("{name}.png")));
        }
    });
}

/// A panel without room for two codes shows the first one: the other makes no difference there.
fn hides_a_code(view: &View, size: Size) -> bool {
    let places = |codes: &[_], coming: bool| codes.len() + usize::from(coming);
    matches!(view, View::Pay { codes, code_coming, .. } if places(codes, *code_coming) > 1)
        && size.width < NARROWEST_FOR_TWO
}

#[test]
fn different_views_look_different() {
    for size in SIZES {
        for look in looks() {
            let mut seen = BTreeSet::new();
            for (name, view) in views(look.language).into_iter().filter(|(_, view)| !hides_a_code(view, size)) {
                let marks = format!("{:?}", screen::compose(&view, &look, size));
                assert!(seen.insert(marks), "{name} looks like another view at {size:?}");
            }
        }
    }
}

#[test]
fn drawing_twice_gives_the_same_picture() {
    each(|name, view, look, size| {
        if name.ends_with("-pay") {
            let pictures = [(); 2].map(|()| Panel::showing(view, look, size).pixels);
            assert!(pictures[0] == pictures[1], "{name} changes by itself");
        }
    });
}

#[test]
fn all_marks_are_on_the_panel_and_none_overlaps_another() {
    each(|name, view, look, size| {
        let marks = screen::compose(view, look, size);
        assert!(!marks.is_empty(), "{name} shows nothing");
        let whole = Rectangle::new(Point::zero(), size);
        for mark in &marks {
            assert_eq!(mark.area().intersection(&whole), mark.area(), "{name}: {mark:?}");
        }
        let contents: Vec<&Mark> = marks.iter().filter(|mark| !mark.is_ground()).collect();
        for (index, one) in contents.iter().enumerate() {
            for other in &contents[index + 1..] {
                let shared = one.area().intersection(&other.area());
                assert!(shared.is_zero_sized(), "{name}: {one:?} overlaps {other:?}");
            }
        }
    });
}

#[test]
fn nothing_stands_on_a_code_not_even_a_panel() {
    each(|name, view, look, size| {
        let marks = screen::compose(view, look, size);
        let (codes, others): (Vec<&Mark>, Vec<&Mark>) =
            marks.iter().partition(|mark| matches!(mark, Mark::Code { .. }));
        for code in codes {
            for other in &others {
                let shared = code.area().intersection(&other.area());
                assert!(shared.is_zero_sized(), "{name}: {other:?} is on the code");
            }
        }
    });
}

#[test]
fn every_mark_draws_inside_its_area() {
    each(|name, view, look, size| {
        for mark in screen::compose(view, look, size) {
            let mut fence = Fence { size, inside: mark.area(), strays: Vec::new() };
            let Ok(()) = mark.draw(&mut fence);
            assert!(fence.strays.is_empty(), "{name}: {mark:?} draws at {:?}", fence.strays);
        }
    });
}

#[test]
fn an_amount_is_never_cut() {
    each(|name, view, look, size| {
        let payment::engine::view::View::Pay { amount, .. } = view else {
            return;
        };
        let wanted = format!("¥{amount}");
        let marks = screen::compose(view, look, size);
        let shown = |mark: &Mark| matches!(mark, Mark::Line { text, .. } if *text == wanted);
        assert!(marks.iter().any(shown), "{name} does not show {wanted}");
    });
}

#[test]
fn sizes_between_the_named_ones_work_too() {
    for size in [Size::new(241, 299), Size::new(400, 300), Size::new(1024, 600)] {
        let [look, _] = looks();
        for (name, view) in views(look.language) {
            let panel = Panel::showing(&view, &look, size);
            assert_eq!(panel.outside, 0, "{name} at {size:?}");
        }
    }
}
