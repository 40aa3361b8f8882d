//! The session against the simulated printer, in virtual time.

use super::*;
use crate::{
    printer::{Align, Item, Style, layout},
    sim::{
        port::Device,
        printer::{Printer, Sheet},
    },
};

const LONG_ROLL: usize = 100_000;
const CODE: &str = "https://example.com/r/4200001234202611150123456789";

/// A session and a printer at the two ends of a cable.
struct Bench {
    session: Session,
    printer: Printer,
    now: Duration,
    plugged: bool,
    told: Vec<PrinterState>,
    dropped: Arc<AtomicU64>,
}

impl Bench {
    fn new(spec: &PrinterSpec, printer: Printer) -> Self {
        let dropped = Arc::default();
        let session = Session::new(spec, Arc::clone(&dropped));
        let now = Duration::from_secs(1000);
        let mut bench = Self { session, printer, now, plugged: false, told: Vec::new(), dropped };
        bench.plug();
        bench
    }

    fn plug(&mut self) {
        self.plugged = true;
        self.session.opened(self.now);
        self.exchange();
    }

    fn unplug(&mut self) {
        self.plugged = false;
        self.session.closed(self.now, "the cable is out");
        self.exchange();
    }

    /// Carries bytes until nothing is left to carry.
    fn exchange(&mut self) {
        while self.carry_one() {}
        while let Some(state) = self.session.happened() {
            self.told.push(state);
        }
    }

    /// Carries one message to the printer, and back what it says to that.
    fn carry_one(&mut self) -> bool {
        let Some(bytes) = self.session.next_to_send() else { return false };
        assert!(self.plugged, "nothing is sent into the air");
        self.printer.received(self.now, &bytes);
        self.hear();
        true
    }

    fn hear(&mut self) {
        while let Some(bytes) = self.printer.to_send() {
            if self.plugged {
                self.session.received(self.now, &bytes);
            }
        }
    }

    fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self.session.due().filter(|due| *due <= end) {
            self.now = due.max(self.now);
            self.session.woken(self.now);
            self.exchange();
        }
        self.now = end;
    }

    fn wait_seconds(&mut self, seconds: u64) {
        self.wait(Duration::from_secs(seconds));
    }

    fn print(&mut self, receipt: &Receipt) {
        self.session.wanted(self.now, receipt);
        self.exchange();
    }

    fn at_the_printer(&mut self, act: impl FnOnce(&mut Printer)) {
        act(&mut self.printer);
        self.hear();
        self.exchange();
    }

    fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn last(&self) -> &PrinterState {
        self.told.last().unwrap()
    }

    fn is_down_because(&self, word: &str) -> bool {
        matches!(self.last(), PrinterState::Down { reason } if reason.contains(word))
    }
}

fn receipt(number: u32) -> Receipt {
    let double = Style { align: Align::Centre, double: true, bold: true };
    let mut items = vec![
        Item::Text("自助售货机收银小票".into(), double),
        Item::Text(format!("No. {number}"), Style::default()),
        Item::Rule,
        Item::Pair("农夫山泉饮用天然水550ml（常温）".into(), "¥2.00".into()),
        Item::Pair("可口可乐 Coca-Cola 330ml".into(), "¥3.50".into()),
        Item::Rule,
        Item::Text("合计：￥5.50，支付宝".into(), Style { align: Align::Right, bold: true, ..Style::default() }),
        Item::Qr(CODE.into()),
    ];
    items.extend((0..10).map(|line| Item::Text(format!("line {line}"), Style::default())));
    Receipt { items, copy: false }
}

fn spec() -> PrinterSpec {
    PrinterSpec { patience_ms: 30_000, ..PrinterSpec::default() }
}

fn decode(sheet: &Sheet) -> Option<String> {
    // A scanner's picture has the white desk around the paper.
    let (width, height) = (sheet.width() + 80, sheet.length() + 80);
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| {
        let inside = x.checked_sub(40).zip(y.checked_sub(40));
        if inside.is_some_and(|(x, y)| sheet.is_black(x, y)) { 0 } else { 255 }
    });
    picture.detect_grids().first()?.decode().ok().map(|(_, content)| content)
}

#[test]
fn a_receipt_comes_out_whole_and_its_code_can_be_read_from_the_picture() {
    for columns in [32, 42, 48] {
        for qr in [crate::board::QrBy::Command, crate::board::QrBy::Raster] {
            let mut bench = Bench::new(&PrinterSpec { columns, qr, ..spec() }, Printer::new(columns.into(), LONG_ROLL));
            bench.print(&receipt(7));
            let [sheet] = bench.printer.receipts() else { panic!("one receipt on {columns} with {qr:?}") };
            assert_eq!(bench.printer.overflows(), 0, "no line is broken by the printer on {columns}");
            assert_eq!(bench.printer.strange(), b"", "{columns} with {qr:?}");
            assert_eq!(decode(sheet).as_deref(), Some(CODE), "{columns} with {qr:?}");
            let width = sheet.lines.iter().filter(|line| !line.starts_with('[')).map(|line| layout::width(line)).max();
            assert_eq!(width, Some(columns.into()), "{:#?}", sheet.lines);
            assert!(sheet.lines.iter().any(|line| line.ends_with("￥2.00")), "{:#?}", sheet.lines);
            assert_eq!(sheet.lines.last().map(String::as_str), Some("line 9"));
            assert_eq!((bench.dropped(), bench.last()), (0, &PrinterState::Up));
        }
    }
}

#[test]
fn the_picture_is_a_png_of_the_papers_size() {
    let mut bench = Bench::new(&spec(), Printer::new(32, LONG_ROLL));
    bench.print(&receipt(1));
    let sheet = &bench.printer.receipts()[0];
    let png = sheet.to_png().unwrap();
    if let Some(path) = std::env::var_os("TILL_RECEIPT_PNG") {
        std::fs::write(path, &png).unwrap();
    }
    let reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
    assert_eq!(reader.info().size(), (384, u32::try_from(sheet.length()).unwrap()));
}

#[test]
fn a_copy_says_so_at_its_head() {
    let mut bench = Bench::new(&spec(), Printer::new(32, LONG_ROLL));
    bench.print(&Receipt { copy: true, ..receipt(1) });
    assert!(bench.printer.receipts()[0].lines[0].contains("副本 COPY"));
}

#[test]
fn paper_put_in_soon_enough_lets_the_receipt_come_out_whole() {
    let mut bench = Bench::new(&spec(), Printer::new(32, 400));
    assert_eq!(bench.last(), &PrinterState::PaperLow);
    bench.print(&receipt(1));
    assert!(bench.is_down_because("out of paper"), "{:?}", bench.told);
    bench.wait_seconds(10);
    bench.at_the_printer(|printer| printer.put_in(LONG_ROLL));
    bench.wait_seconds(5);
    assert_eq!(bench.last(), &PrinterState::Up);
    assert_eq!(bench.dropped(), 0);
    let [sheet] = bench.printer.receipts() else { panic!("one receipt") };
    assert_eq!(sheet.lines.iter().filter(|line| line.starts_with("line ")).count(), 10, "each line once");
}

#[test]
fn paper_put_in_hours_later_brings_nothing_of_the_old_receipt() {
    let mut bench = Bench::new(&spec(), Printer::new(32, 400));
    bench.print(&receipt(1));
    bench.print(&receipt(2));
    let seen = bench.printer.hanging().lines.clone();
    bench.wait_seconds(3 * 3600);
    assert_eq!(bench.dropped(), 2);
    bench.at_the_printer(|printer| printer.put_in(LONG_ROLL));
    bench.wait_seconds(5);
    assert_eq!(bench.last(), &PrinterState::Up);
    let [torn] = bench.printer.receipts() else { panic!("the torn one is cut off, and nothing follows") };
    assert_eq!(torn.lines, seen);
    bench.print(&receipt(3));
    assert_eq!(bench.printer.receipts().len(), 2);
    assert!(bench.printer.receipts()[1].lines.iter().any(|line| line == "No. 3"));
    assert_eq!(bench.dropped(), 2);
}

#[test]
fn an_open_cover_is_told_at_once_and_a_closed_one_too() {
    let mut bench = Bench::new(&spec(), Printer::new(32, LONG_ROLL));
    bench.at_the_printer(|printer| printer.open_cover(true));
    assert!(bench.is_down_because("cover"), "{:?}", bench.told);
    bench.at_the_printer(|printer| printer.open_cover(false));
    assert_eq!(bench.last(), &PrinterState::Up);
}

#[test]
fn a_printer_that_was_set_back_by_a_receipt_goes_on_telling() {
    let mut bench = Bench::new(&spec(), Printer::new(32, LONG_ROLL));
    bench.print(&receipt(1));
    bench.at_the_printer(|printer| printer.open_cover(true));
    assert!(bench.is_down_because("cover"), "{:?}", bench.told);
}

#[test]
fn a_printer_that_does_not_answer_is_down_and_gets_nothing() {
    let mut bench = Bench::new(&spec(), Printer::new(32, LONG_ROLL).mute());
    bench.print(&receipt(1));
    bench.wait_seconds(2);
    assert!(bench.is_down_because("does not answer"), "{:?}", bench.told);
    bench.wait_seconds(60);
    assert_eq!(bench.dropped(), 1);
    assert!(bench.printer.receipts().is_empty() && bench.printer.hanging().lines.is_empty());
}

#[test]
fn a_printer_that_cannot_answer_is_printed_on_where_the_board_says_so() {
    let mut bench = Bench::new(&PrinterSpec { status: false, ..spec() }, Printer::new(32, LONG_ROLL).mute());
    bench.print(&receipt(1));
    bench.print(&receipt(2));
    assert_eq!(bench.printer.receipts().len(), 2);
    assert_eq!(bench.told, [PrinterState::Up]);
    assert_eq!(bench.session.due(), None, "nobody is asked anything");
}

#[test]
fn a_receipt_waits_for_a_cable_within_its_time_and_is_never_printed_after_it() {
    let mut bench = Bench::new(&spec(), Printer::new(32, LONG_ROLL));
    bench.unplug();
    bench.print(&receipt(1));
    bench.wait_seconds(20);
    bench.print(&receipt(2));
    bench.wait_seconds(20);
    bench.plug();
    assert_eq!(bench.dropped(), 1);
    assert_eq!(bench.printer.receipts().len(), 1);
    assert!(bench.printer.receipts()[0].lines.iter().any(|line| line == "No. 2"));
}

#[test]
fn a_cable_pulled_within_a_command_spoils_no_later_receipt() {
    let silent = PrinterSpec { status: false, ..spec() };
    for (spec, printer) in [(spec(), Printer::new(32, LONG_ROLL)), (silent, Printer::new(32, LONG_ROLL).mute())] {
        let mut bench = Bench::new(&spec, printer);
        bench.session.wanted(bench.now, &receipt(1));
        let code = loop {
            let bytes = bench.session.next_to_send().unwrap();
            if bytes.windows(CODE.len()).any(|window| window == CODE.as_bytes()) {
                break bytes;
            }
            bench.printer.received(bench.now, &bytes);
            bench.hear();
        };
        bench.printer.received(bench.now, &code[..code.len() / 2]);
        bench.unplug();
        assert_eq!(bench.dropped(), 1);
        bench.plug();
        bench.print(&receipt(2));
        let [torn, whole] = bench.printer.receipts() else { panic!("the torn one is cut off before the next") };
        assert!(torn.lines.iter().any(|line| line == "No. 1"));
        assert!(whole.lines.iter().all(|line| line != "No. 1") && decode(whole).as_deref() == Some(CODE));
        assert_eq!(bench.printer.strange(), b"");
        assert_eq!(bench.dropped(), 1);
    }
}

/// Cables, covers and rolls come and go at any moment: every receipt is printed once and whole, or counted as dropped.
#[test]
fn whatever_happens_to_the_printer_no_receipt_comes_out_twice_or_late() {
    for seed in 1..=40u64 {
        let mut dice = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut roll = |sides: u64| {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            dice % sides
        };
        let mut bench = Bench::new(&spec(), Printer::new(32, 2000));
        let mut wanted = Vec::new();
        for number in 1..=12u32 {
            bench.session.wanted(bench.now, &receipt(number));
            wanted.push((number, bench.now + Duration::from_secs(30)));
            for _ in 0..roll(30) {
                bench.carry_one();
            }
            match roll(6) {
                0 if bench.plugged => {
                    // What was under way is cut anywhere.
                    if let Some(bytes) = bench.session.next_to_send() {
                        let length = usize::try_from(roll(200)).unwrap().min(bytes.len());
                        bench.printer.received(bench.now, &bytes[..length]);
                        bench.hear();
                    }
                    bench.unplug();
                }
                1 if !bench.plugged => bench.plug(),
                2 => bench.at_the_printer(|printer| printer.open_cover(true)),
                3 => bench.at_the_printer(|printer| printer.open_cover(false)),
                4 => bench.at_the_printer(|printer| printer.put_in(1500)),
                _ => bench.exchange(),
            }
            let before = printed(&bench.printer);
            bench.wait_seconds(roll(25));
            for number in printed(&bench.printer).iter().filter(|number| !before.contains(number)) {
                let (_, until) = wanted.iter().find(|(known, _)| known == number).unwrap();
                assert!(*until + Duration::from_secs(25) > bench.now, "seed {seed}: {number} came out late");
            }
        }
        bench.at_the_printer(|printer| printer.open_cover(false));
        bench.at_the_printer(|printer| printer.put_in(LONG_ROLL));
        if !bench.plugged {
            bench.plug();
        }
        bench.wait_seconds(120);
        let out = printed(&bench.printer);
        let mut once = out.clone();
        once.dedup();
        assert_eq!(out, once, "seed {seed}: none twice, all in order");
        let told = u64::try_from(wanted.len()).unwrap() - bench.dropped();
        let whole = u64::try_from(out.len()).unwrap();
        // The answer to the last piece may get lost on the way: then it is out, and counted as dropped.
        assert!(whole >= told, "seed {seed}: {told} claimed, {whole} came out");
        assert_eq!(bench.last(), &PrinterState::Up, "seed {seed}");
        assert_eq!(bench.printer.strange(), b"", "seed {seed}");
    }
}

/// The numbers of the receipts that came out whole.
fn printed(printer: &Printer) -> Vec<u32> {
    let whole = printer.receipts().iter().filter(|sheet| sheet.lines.last().is_some_and(|line| line == "line 9"));
    whole
        .filter_map(|sheet| sheet.lines.iter().find_map(|line| line.strip_prefix("No. ")))
        .map(|number| number.parse().unwrap())
        .collect()
}
