use embedded_graphics::pixelcolor::{Rgb565, RgbColor};

use super::*;
use crate::{
    board::{DisplayKind, Rotation},
    sim::panels::card::SimCard,
};

fn spec(width: u32, height: u32) -> DisplaySpec {
    DisplaySpec { kind: DisplayKind::Drm, width, height, ..DisplaySpec::default() }
}

fn open(card: &SimCard, spec: &DisplaySpec) -> Result<DrmPanel, DisplayError> {
    choose([Ok(card.open())], spec)
}

/// Every pixel another.
fn numbered(width: u32, height: u32) -> Frame {
    let mut frame = Frame::new(width, height);
    frame.rows_mut().flatten().zip(0_u32..).for_each(|(pixel, at)| *pixel = (at * 7919) as u16);
    frame
}

#[test]
fn the_picture_is_whole_on_padded_rows() {
    for needs_dirty in [false, true] {
        let card = SimCard::new(&[(800, 480)]);
        card.state().needs_dirty = needs_dirty;
        let mut panel = open(&card, &spec(800, 480)).unwrap();
        assert!(card.state().picture().is_none(), "nothing is shown before there is a picture");
        panel.show(&numbered(800, 480)).unwrap();
        assert!(card.state().picture() == Some(numbered(800, 480)));
        let mut frame = numbered(800, 480);
        frame.rows_mut().skip(100).take(20).for_each(|row| row[30..50].fill(0));
        panel.show(&frame).unwrap();
        assert!(card.state().picture() == Some(frame), "dirty: {needs_dirty}");
        panel.check().unwrap();
    }
}

#[test]
fn a_panel_with_its_own_memory_is_told_of_what_changed_only() {
    let card = SimCard::new(&[(800, 480)]);
    card.state().needs_dirty = true;
    let mut panel = open(&card, &spec(800, 480)).unwrap();
    let mut frame = numbered(800, 480);
    panel.show(&frame).unwrap();
    panel.show(&frame).unwrap();
    assert_eq!(card.state().told, [], "a frame equal to the last sends nothing");
    frame.rows_mut().skip(7).take(2).for_each(|row| row[3..9].iter_mut().for_each(|pixel| *pixel ^= 1));
    panel.show(&frame).unwrap();
    assert_eq!(card.state().told, [Area { left: 3, top: 7, width: 6, height: 2 }]);
}

#[test]
fn the_mode_of_the_boards_size_comes_before_the_monitors_own() {
    let card = SimCard::new(&[(1920, 1080), (800, 480)]);
    let mut panel = open(&card, &spec(800, 480)).unwrap();
    panel.show(&numbered(800, 480)).unwrap();
    assert!(card.state().picture() == Some(numbered(800, 480)));
}

#[test]
fn on_a_larger_monitor_the_picture_is_in_the_middle_of_black() {
    let card = SimCard::new(&[(1024, 600)]);
    card.state().needs_dirty = true;
    let mut panel = open(&card, &DisplaySpec { rotation: Rotation::Half, ..spec(800, 480) }).unwrap();
    for colour in [Rgb565::WHITE, Rgb565::RED] {
        panel.show(&Frame::filled(800, 480, colour)).unwrap();
        let seen = card.state().picture().unwrap();
        let at = |x, y| seen.pixel(x, y).unwrap();
        assert_eq!([at(112, 60), at(911, 539)], [colour; 2]);
        assert_eq!([at(111, 60), at(112, 59), at(912, 539), at(911, 540)], [Rgb565::BLACK; 4]);
    }
}

#[test]
fn a_monitor_that_is_too_small_is_refused_with_both_sizes() {
    let card = SimCard::new(&[(640, 480)]);
    let error = open(&card, &spec(800, 480)).unwrap().show(&numbered(800, 480)).unwrap_err();
    assert!(error.to_string().contains("640×480") && error.to_string().contains("800×480"), "{error}");
}

#[test]
fn a_monitor_that_goes_away_is_noticed_and_shows_the_picture_when_it_is_back() {
    let card = SimCard::new(&[(800, 480)]);
    let mut panel = open(&card, &spec(800, 480)).unwrap();
    panel.show(&numbered(800, 480)).unwrap();
    card.state().is_connected = false;
    let error = panel.check().unwrap_err();
    assert!(error.to_string().contains("HDMI-A-1 is off or unplugged"), "{error}");
    drop(panel);
    let error = open(&card, &spec(800, 480)).map(drop).unwrap_err();
    assert!(error.to_string().contains("video=HDMI-A-1"), "{error}");
    card.state().is_connected = true;
    let mut panel = open(&card, &spec(800, 480)).unwrap();
    panel.show(&numbered(800, 480)).unwrap();
    assert!(card.state().picture() == Some(numbered(800, 480)));
}

#[test]
fn a_lost_master_is_told_with_who_may_have_it_and_taken_back_when_it_is_free() {
    let card = SimCard::new(&[(800, 480)]);
    let mut panel = open(&card, &spec(800, 480)).unwrap();
    panel.show(&numbered(800, 480)).unwrap();
    card.state().take_over();
    assert!(panel.check().unwrap_err().to_string().contains("another program"));
    drop(panel);
    let mut panel = open(&card, &spec(800, 480)).unwrap();
    let error = panel.show(&numbered(800, 480)).unwrap_err();
    assert!(error.to_string().contains("plymouth"), "{error}");
    card.state().master_is_other = false;
    panel.show(&numbered(800, 480)).unwrap();
    assert!(card.state().picture() == Some(numbered(800, 480)));
}

#[test]
fn the_card_with_the_monitor_is_found_among_renderers_and_empty_ones() {
    let [renders, empty, right] = [SimCard::new(&[]), SimCard::new(&[]), SimCard::new(&[(800, 480)])];
    renders.state().only_renders = true;
    empty.state().is_connected = false;
    let cards = [&renders, &empty, &right].map(|card| Ok(card.open()));
    let mut panel = choose(cards, &spec(800, 480)).unwrap();
    panel.show(&numbered(800, 480)).unwrap();
    assert!(right.state().picture().is_some());
    let other = DisplaySpec { connector: Some("DSI-1".into()), ..spec(800, 480) };
    let error = choose([Ok(right.open())], &other).map(drop).unwrap_err();
    assert!(error.to_string().contains("no monitor at DSI-1 (seen: HDMI-A-1)"), "{error}");
}

#[test]
fn blanking_switches_the_monitor_off_and_its_check_does_not_mind() {
    let card = SimCard::new(&[(800, 480)]);
    let mut panel = open(&card, &spec(800, 480)).unwrap();
    panel.show(&numbered(800, 480)).unwrap();
    panel.blank(true).unwrap();
    assert!(card.state().picture().is_none());
    panel.check().unwrap();
    panel.blank(false).unwrap();
    assert!(card.state().picture() == Some(numbered(800, 480)));
}

#[test]
fn closing_gives_the_screen_back() {
    let card = SimCard::new(&[(800, 480)]);
    let mut panel = open(&card, &spec(800, 480)).unwrap();
    panel.show(&numbered(800, 480)).unwrap();
    drop(panel);
    assert!(card.state().picture().is_none());
}
