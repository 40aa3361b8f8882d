use super::*;
use crate::{
    board::{DisplayKind, Rotation},
    sim::panels::tft::TftPanel,
};

fn spec(controller: Controller, width: u32, height: u32) -> DisplaySpec {
    DisplaySpec { kind: DisplayKind::Spi, controller: Some(controller), width, height, ..DisplaySpec::default() }
}

fn open(spec: &DisplaySpec) -> (Tft, TftPanel) {
    let panel = TftPanel::new(spec, 4096);
    let tft = Tft::open(Box::new(panel.clone()), spec).expect("it opens");
    (tft, panel)
}

const ALL: [Controller; 4] = [Controller::St7789, Controller::Ili9341, Controller::Ili9486, Controller::Ili9488];

/// Numbers that look random, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

/// A frame with every colour bit in use.
fn noisy(width: u32, height: u32, random: &mut Random) -> Frame {
    let mut frame = Frame::new(width, height);
    for pixel in frame.rows_mut().flatten() {
        *pixel = random.below(0x1_0000) as u16;
    }
    frame
}

#[test]
fn each_controller_is_woken_in_its_own_words_and_lit_after_the_first_picture() {
    let cases = [
        (Controller::St7789, 0x55, 0x00, 0x21),
        (Controller::Ili9341, 0x55, 0x48, 0x20),
        (Controller::Ili9486, 0x66, 0x48, 0x20),
        (Controller::Ili9488, 0x66, 0x48, 0x20),
    ];
    for (controller, format, access, inversion) in cases {
        let (mut tft, panel) = open(&spec(controller, 240, 320));
        assert!(panel.state().picture().is_none(), "noise must not be seen");
        tft.show(&Frame::new(240, 320)).unwrap();
        tft.blank(true).unwrap();
        let golden: [(u8, &[u8]); 9] = [
            (0x01, &[]),
            (0x11, &[]),
            (0x3A, &[format]),
            (0x36, &[access]),
            (inversion, &[]),
            (0x13, &[]),
            (0x2A, &[0, 0, 0, 239]),
            (0x2B, &[0, 0, 0x01, 0x3F]),
            (0x29, &[]),
        ];
        let told: Vec<(u8, Vec<u8>)> = panel.state().log.clone();
        let told: Vec<(u8, &[u8])> = told.iter().map(|(command, arguments)| (*command, &arguments[..])).collect();
        assert_eq!(told, golden, "{controller:?}");
        assert_eq!(panel.state().end.faults, [""; 0]);
    }
}

#[test]
fn the_panel_shows_the_frame_in_its_colours_whatever_the_controller() {
    let mut random = Random(0x5EED);
    for controller in ALL {
        let (width, height) = controller.memory();
        let (mut tft, panel) = open(&spec(controller, width, height));
        let frame = noisy(width, height, &mut random);
        tft.show(&frame).unwrap();
        assert!(panel.state().picture().as_ref() == Some(&frame), "{controller:?}");
        assert_eq!(panel.state().end.faults, [""; 0]);
    }
}

#[test]
fn a_wrong_order_inversion_or_mirror_is_seen() {
    let usual = spec(Controller::St7789, 240, 240);
    let wrong = [
        DisplaySpec { bgr: Some(true), ..usual.clone() },
        DisplaySpec { invert: Some(false), ..usual.clone() },
        DisplaySpec { mirror_x: true, ..usual.clone() },
        DisplaySpec { mirror_y: true, ..usual },
    ];
    for spec in wrong {
        let (mut tft, panel) = open(&spec);
        let frame = noisy(240, 240, &mut Random(3));
        tft.show(&frame).unwrap();
        assert!(panel.state().picture().is_some_and(|seen| seen != frame), "{spec:?} changes nothing");
    }
}

#[test]
fn glass_in_the_middle_of_the_memory_is_met() {
    let spec = DisplaySpec { offset_x: 35, offset_y: 0, ..spec(Controller::St7789, 170, 320) };
    let (mut tft, panel) = open(&spec);
    let frame = noisy(170, 320, &mut Random(9));
    tft.show(&frame).unwrap();
    assert!(panel.state().picture().as_ref() == Some(&frame));
    assert_eq!(panel.state().end.faults, [""; 0]);
}

#[test]
fn a_frame_equal_to_the_last_sends_nothing() {
    let (mut tft, panel) = open(&spec(Controller::Ili9341, 240, 320));
    let frame = noisy(240, 320, &mut Random(1));
    tft.show(&frame).unwrap();
    let before = panel.state().bytes;
    tft.show(&frame).unwrap();
    assert_eq!(panel.state().bytes, before);
}

/// Commands and arguments of a window, and the command that ends it.
const WINDOW: usize = 11;

#[test]
fn after_any_frames_the_panel_shows_the_last_and_a_change_costs_its_own_rectangle() {
    for seed in 1..=60 {
        let mut random = Random(seed * 0x9E37_79B9);
        let controller = ALL[random.below(4)];
        let rotation = [Rotation::None, Rotation::Quarter, Rotation::Half, Rotation::ThreeQuarters][random.below(4)];
        let spec = DisplaySpec { rotation, ..spec(controller, 64, 96) };
        let (width, height) = spec.size();
        let panel = TftPanel::new(&spec, [7, 64, 4096][random.below(3)]);
        let mut tft = Tft::open(Box::new(panel.clone()), &spec).unwrap();
        let mut frame = noisy(width, height, &mut random);
        tft.show(&frame).unwrap();
        for _ in 0..12 {
            let (across, down) = (1 + random.below(width as usize), 1 + random.below(height as usize));
            let left = random.below(width as usize - across + 1);
            let top = random.below(height as usize - down + 1);
            for row in frame.rows_mut().skip(top).take(down) {
                row[left..left + across].iter_mut().for_each(|pixel| *pixel = random.below(3) as u16);
            }
            let before = panel.state().bytes;
            tft.show(&frame).unwrap();
            let sent = panel.state().bytes - before;
            let depth = if controller.memory().0 == 240 { 2 } else { 3 };
            // Rows that happen to stay equal may part a change in several windows.
            let windows = across.max(down).div_ceil(4).max(1);
            assert!(sent <= across * down * depth + windows * WINDOW, "seed {seed}: {sent} for {across}×{down}");
            assert!(panel.state().picture() == Some(frame.rotated(rotation)), "seed {seed}");
        }
        assert_eq!(panel.state().end.faults, [""; 0], "seed {seed}");
    }
}

#[test]
fn a_cut_wire_is_told_and_a_new_panel_gets_the_whole_picture() {
    let spec = spec(Controller::St7789, 240, 240);
    let (mut tft, panel) = open(&spec);
    let frame = noisy(240, 240, &mut Random(5));
    panel.state().end.unplugged = true;
    tft.show(&frame).expect_err("the wire is cut");
    panel.state().end.unplugged = false;
    let mut tft = Tft::open(Box::new(panel.clone()), &spec).unwrap();
    tft.show(&frame).unwrap();
    assert!(panel.state().picture().as_ref() == Some(&frame));
}

#[test]
fn the_makers_own_commands_come_after_ours() {
    let spec = DisplaySpec { init: vec![vec![0x36, 0x08], vec![0x13]], ..spec(Controller::St7789, 240, 240) };
    let (_tft, panel) = open(&spec);
    let log = &panel.state().log;
    assert_eq!(log.last(), Some(&(0x36, vec![0x08])));
}
