use super::*;
use crate::sim::panels::oled::OledPanel;

fn spec(kind: StatusKind) -> StatusSpec {
    StatusSpec { kind, ..StatusSpec::default() }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn send(panel: &mut OledPanel, messages: Vec<Vec<u8>>) -> usize {
    let bytes = messages.iter().map(Vec::len).sum();
    messages.iter().for_each(|message| panel.send(message).unwrap());
    bytes
}

fn started(kind: StatusKind) -> (Oled, OledPanel) {
    let (mut oled, mut panel) = (Oled::new(&spec(kind)), OledPanel::new(kind));
    send(&mut panel, oled.wake(Duration::ZERO));
    (oled, panel)
}

fn lit(panel: &OledPanel) -> usize {
    panel.state().picture(64).iter().flatten().filter(|lit| **lit).count()
}

/// The words as they are drawn, to compare what the glass shows.
fn drawn(lines: &[String], place: (i32, i32)) -> Vec<Vec<bool>> {
    let pages = text::pages(lines, 64, place);
    (0..64).map(|y| (0..WIDTH).map(|x| pages[y / 8][x] >> (y % 8) & 1 == 1).collect()).collect()
}

#[test]
fn each_chip_is_woken_in_its_own_words_and_lit_after_its_pages() {
    const SSD1306: &[u8] =
        b"\x00\xAE\xD5\x80\xA8\x3F\xD3\x00\x40\x8D\x14\x20\x02\xA1\xC8\xDA\x12\x81\xCF\xD9\xF1\xDB\x40\xA4\xA6";
    const SH1106: &[u8] =
        b"\x00\xAE\xD5\x80\xA8\x3F\xD3\x00\x40\xAD\x8B\xA1\xC8\xDA\x12\x81\xCF\xD9\xF1\xDB\x40\xA4\xA6";
    const FLAT: &[u8] =
        b"\x00\xAE\xD5\x80\xA8\x1F\xD3\x00\x40\x8D\x14\x20\x02\xA0\xC0\xDA\x02\x81\xCF\xD9\xF1\xDB\x40\xA4\xA6";
    let flat = StatusSpec { height: 32, upside_down: true, ..spec(StatusKind::Ssd1306) };
    let cases =
        [(spec(StatusKind::Ssd1306), SSD1306, 8, 0), (spec(StatusKind::Sh1106), SH1106, 8, 2), (flat, FLAT, 4, 0)];
    for (spec, first, pages, column) in cases {
        let messages = Oled::new(&spec).wake(Duration::ZERO);
        let black = [&[0x40][..], &[0; WIDTH]].concat();
        let mut golden = vec![first.to_vec()];
        golden.extend((0xB0..0xB0 + pages).flat_map(|page| [vec![0x00, page, column, 0x10], black.clone()]));
        golden.push(vec![0x00, 0xAF]);
        assert_eq!(messages, golden, "{spec:?}");
    }
}

#[test]
fn both_chips_show_the_same_words_at_the_same_place() {
    for kind in [StatusKind::Ssd1306, StatusKind::Sh1106] {
        let (mut oled, mut panel) = started(kind);
        assert_eq!(lit(&panel), 0, "the noise of power-on is not seen");
        let lines = words(&["READY", "queue 3", "net ok"]);
        send(&mut panel, oled.show(Duration::ZERO, lines.clone()));
        assert_eq!(panel.state().picture(64), drawn(&lines, (0, 0)), "{kind:?}");
        assert!(lit(&panel) > 100);
        assert_eq!(panel.state().faults, [""; 0]);
    }
}

#[test]
fn the_same_words_send_nothing_and_others_only_their_pages() {
    let (mut oled, mut panel) = started(StatusKind::Ssd1306);
    send(&mut panel, oled.show(Duration::ZERO, words(&["READY", "queue 3"])));
    assert_eq!(oled.show(Duration::ZERO, words(&["READY", "queue 3"])), Vec::<Vec<u8>>::new());
    let sent = send(&mut panel, oled.show(Duration::ZERO, words(&["READY", "queue 4"])));
    assert!(sent <= 2 * (4 + 129), "{sent} bytes");
}

#[test]
fn the_words_wander_and_get_dim_until_something_changes() {
    let (mut oled, mut panel) = started(StatusKind::Ssd1306);
    let lines = words(&["OUT OF ORDER", "see till doctor"]);
    send(&mut panel, oled.show(Duration::ZERO, lines.clone()));
    let mut places = std::collections::BTreeSet::new();
    let mut now = Duration::ZERO;
    for _ in 0..9 {
        now = oled.due().max(now);
        send(&mut panel, oled.woken(now));
        let seen = panel.state().picture(64);
        let place = PLACES.iter().position(|place| drawn(&lines, *place) == seen);
        places.insert(place.expect("whole words somewhere"));
        assert!(oled.due() > now, "it would spin");
    }
    assert_eq!(places.len(), PLACES.len(), "no pixel is lit for ever");
    assert_eq!(panel.state().contrast, DIM);
    send(&mut panel, oled.show(now, words(&["READY"])));
    assert_eq!(panel.state().contrast, BRIGHT);
}

#[test]
fn a_panel_that_was_away_is_drawn_whole_again() {
    let (mut oled, mut panel) = started(StatusKind::Ssd1306);
    let lines = words(&["READY"]);
    panel.state().is_away = true;
    let lost = oled.show(Duration::ZERO, lines.clone());
    assert!(panel.send(&lost[0]).is_err());
    let mut panel = OledPanel::new(StatusKind::Ssd1306);
    send(&mut panel, oled.wake(Duration::ZERO));
    assert_eq!(panel.state().picture(64), drawn(&lines, (0, 0)));
}

#[test]
fn long_lines_and_many_lines_do_no_harm() {
    let (mut oled, mut panel) = started(StatusKind::Ssd1306);
    let lines: Vec<String> = (0..20).map(|number| format!("line {number} that is far too long for it")).collect();
    send(&mut panel, oled.show(Duration::ZERO, lines));
    assert_eq!(panel.state().faults, [""; 0]);
    assert!(lit(&panel) > 100);
}
