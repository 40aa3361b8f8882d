use embedded_graphics::pixelcolor::{Rgb565, RgbColor};

use super::*;
use crate::{board::DisplayKind, sim::panels::epaper::EpaperPanel};

fn spec() -> DisplaySpec {
    DisplaySpec {
        kind: DisplayKind::Epaper,
        controller: Some(Controller::Ssd1680),
        width: 122,
        height: 250,
        rotation: Rotation::Quarter,
        ..DisplaySpec::default()
    }
}

fn open() -> (Epaper, EpaperPanel) {
    let panel = EpaperPanel::new(&spec(), 4096);
    let epaper = Epaper::open(Box::new(panel.clone()), &spec()).expect("it opens");
    (epaper, panel)
}

fn white() -> Frame {
    Frame::filled(250, 122, Rgb565::WHITE)
}

/// A page: black from a column on.
fn page(column: usize) -> Frame {
    let mut frame = white();
    frame.rows_mut().for_each(|row| row[column..].fill(0));
    frame
}

/// The same page with a few pixels changed, as a countdown does.
fn ticked(frame: &Frame, tick: u16) -> Frame {
    let mut frame = frame.clone();
    for (bit, row) in frame.rows_mut().take(8).enumerate() {
        row[..8].fill(if tick >> bit & 1 == 0 { 0xFFFF } else { 0 });
    }
    frame
}

fn shows(panel: &EpaperPanel, upright: &Frame) -> bool {
    let panel = panel.state();
    assert_eq!(panel.end.faults, [""; 0]);
    panel.picture() == upright.rotated(Rotation::Quarter) && !panel.has_ghost()
}

fn pass(panel: &EpaperPanel, epaper: &mut Epaper, seconds: u64) {
    panel.state().pass(Duration::from_secs(seconds));
    epaper.check().unwrap();
}

/// A command and its arguments, of memory writes the first four.
type Word<'a> = (u8, &'a [u8]);

/// One of the memories, from its first byte on.
fn written(memory: u8) -> [Word<'static>; 3] {
    [(0x4E, &[0]), (0x4F, &[0, 0]), (memory, &[0xFF; 4])]
}

#[test]
fn it_is_woken_cleared_and_shown_in_the_chips_words() {
    let (mut epaper, panel) = open();
    epaper.show(&page(100)).unwrap();
    let set_up: [Word<'_>; 8] = [
        (0x12, &[]),
        (0x01, &[249, 0, 0]),
        (0x11, &[0x03]),
        (0x44, &[0, 15]),
        (0x45, &[0, 0, 249, 0]),
        (0x3C, &[0x05]),
        (0x18, &[0x80]),
        (0x21, &[0x00, 0x80]),
    ];
    let (new, old) = (written(0x24), written(0x26));
    let [full, partial]: [[Word<'_>; 2]; 2] = [[(0x22, &[0xF7]), (0x20, &[])], [(0x22, &[0xFF]), (0x20, &[])]];
    // What the glass shows is unknown until the full refresh.
    let cleared = [&old[..], &new, &old, &full, &old].concat();
    // The page, by a partial refresh, and then as the old picture of the next one.
    let page = [&new[..], &partial, &old].concat();
    let words = [&set_up[..], &cleared, &page, &[(0x10, &[0x01])]].concat();
    epaper.sleep().unwrap();
    let told = panel.state().log.clone();
    let told: Vec<Word<'_>> = told.iter().map(|(command, arguments)| (*command, &arguments[..])).collect();
    assert_eq!(told, words);
}

#[test]
fn what_it_showed_before_is_cleared_at_the_start_and_at_the_stop() {
    let (mut epaper, panel) = open();
    assert!(shows(&panel, &white()), "an old code could be paid");
    epaper.show(&page(60)).unwrap();
    assert!(shows(&panel, &page(60)));
    epaper.close();
    assert!(shows(&panel, &white()), "a code stays for whoever comes next");
    assert!(panel.state().is_asleep());
}

#[test]
fn a_picture_that_survived_a_power_cut_goes_before_anything_else_is_shown() {
    let (mut epaper, panel) = open();
    epaper.show(&page(60)).unwrap();
    panel.state().cut_power();
    assert!(panel.state().picture() == page(60).rotated(Rotation::Quarter), "e-paper keeps its picture");
    drop(epaper);
    let _epaper = Epaper::open(Box::new(panel.clone()), &spec()).unwrap();
    assert!(shows(&panel, &white()));
}

#[test]
fn a_countdown_waits_and_a_new_page_does_not() {
    let (mut epaper, panel) = open();
    epaper.show(&page(100)).unwrap();
    epaper.show(&ticked(&page(100), 1)).unwrap();
    epaper.show(&ticked(&page(100), 2)).unwrap();
    assert!(shows(&panel, &page(100)));
    assert_eq!(epaper.check_every(), Some(PATIENCE));
    epaper.show(&page(50)).unwrap();
    assert!(shows(&panel, &page(50)), "the code of an order that ended must go at once");
    epaper.show(&ticked(&page(50), 3)).unwrap();
    pass(&panel, &mut epaper, 9);
    assert!(shows(&panel, &page(50)));
    pass(&panel, &mut epaper, 1);
    assert!(shows(&panel, &ticked(&page(50), 3)));
}

#[test]
fn a_frame_equal_to_the_last_moves_no_pixel_and_takes_back_what_waited() {
    let (mut epaper, panel) = open();
    epaper.show(&page(100)).unwrap();
    epaper.show(&ticked(&page(100), 1)).unwrap();
    epaper.show(&page(100)).unwrap();
    let partials = panel.state().all_partials;
    pass(&panel, &mut epaper, 20);
    assert_eq!(panel.state().all_partials, partials);
}

#[test]
fn never_more_than_eight_partial_refreshes_in_a_row_and_none_before_a_long_rest() {
    let (mut epaper, panel) = open();
    for tick in 1..=20 {
        epaper.show(&ticked(&page(100), tick)).unwrap();
        pass(&panel, &mut epaper, 10);
        assert!(panel.state().partials <= PARTIALS_MAX);
    }
    assert!(panel.state().fulls >= 3, "the start and two on the way");
    pass(&panel, &mut epaper, 30);
    assert_eq!(panel.state().partials, 0);
    assert!(panel.state().is_asleep() && epaper.check_every().is_none());
    assert!(shows(&panel, &ticked(&page(100), 20)), "the picture stays while it sleeps");
    epaper.show(&page(70)).unwrap();
    assert!(shows(&panel, &page(70)), "woken by reset, with both memories told anew");
}

#[test]
fn a_chip_that_stays_busy_is_given_up_in_time() {
    let (mut epaper, panel) = open();
    panel.state().stuck = true;
    let before = epaper.bus.now();
    let error = epaper.show(&page(10)).expect_err("it never gets ready");
    assert!(error.to_string().contains("busy for 10 s"), "{error}");
    assert!(epaper.bus.now() - before < Duration::from_secs(11));
    epaper.close();
}

#[test]
fn a_busy_line_that_leads_nowhere_is_found_out() {
    let panel = EpaperPanel::new(&spec(), 4096);
    panel.state().busy_unwired = true;
    let error = Epaper::open(Box::new(panel), &spec()).map(drop).expect_err("nobody says when it is done");
    assert!(error.to_string().contains("display.busy"), "{error}");
}

#[test]
fn after_any_pages_ticks_cuts_and_rests_the_film_shows_the_last_frame_without_ghosts() {
    for seed in 1..=12_u64 {
        let mut state = seed * 0x9E37_79B9;
        let mut below = |limit: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % limit) as usize
        };
        let (mut epaper, panel) = open();
        let mut frame = white();
        for _ in 0..25 {
            frame = match below(3) {
                0 => page(below(250)),
                _ => ticked(&frame, below(256) as u16),
            };
            epaper.show(&frame).unwrap();
            if below(6) == 0 {
                panel.state().end.unplugged = true;
                let _ = epaper.show(&page(below(250)));
                panel.state().end.unplugged = false;
                panel.state().cut_power();
                epaper = Epaper::open(Box::new(panel.clone()), &spec()).unwrap();
                epaper.show(&frame).unwrap();
            }
            let rest = [0, 1, 10, 31][below(4)];
            pass(&panel, &mut epaper, rest);
            assert!(panel.state().partials <= PARTIALS_MAX);
        }
        pass(&panel, &mut epaper, 10);
        assert!(shows(&panel, &frame), "seed {seed}");
    }
}
