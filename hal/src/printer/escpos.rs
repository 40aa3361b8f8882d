//! ESC/POS, the part of it that receipts need and that nearly every printer knows. Bytes as in the manuals of Epson,
//! Bixolon, HPRT and Partner; those agree in what is used here.

use encoding_rs::{EncoderResult, GB18030};
use qrcode::{EcLevel, QrCode};

use super::{Align, Item, Receipt, Style, layout};
use crate::board::{Cut, PrinterSpec, QrBy};

/// `ESC @`, `FS &`: as after power-on, with Chinese characters.
const INIT: &[u8] = b"\x1b@\x1c&";
/// `GS r 1`: answered when everything before it was worked off.
pub(super) const ARE_YOU_THROUGH: &[u8] = b"\x1dr\x01";
/// `DLE EOT 1` to `4`: answered at once, whatever the printer does.
pub(super) const HOW_ARE_YOU: &[u8] = b"\x10\x04\x01\x10\x04\x02\x10\x04\x03\x10\x04\x04";
/// `GS a`: tell changes of online state, errors and paper without being asked.
pub(super) const KEEP_TELLING: &[u8] = b"\x1da\x0e";
/// `DLE ENQ 2`: forget what was sent and is not printed, at once.
pub(super) const FORGET: &[u8] = b"\x10\x05\x02";

/// Modules of white around a QR code.
const QUIET: usize = 4;

/// What is printed on, and by what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Paper {
    /// Letters on a line.
    columns: usize,
    /// Dots on a line.
    dots: usize,
    cut: Cut,
    qr: QrBy,
    /// Characters that need four bytes are sent.
    four_bytes: bool,
}

impl Paper {
    pub(crate) fn of(spec: &PrinterSpec) -> Self {
        let columns = usize::from(spec.columns);
        Self { columns, dots: columns * 12, cut: spec.cut, qr: spec.qr, four_bytes: spec.gb18030 }
    }
}

/// A receipt in pieces: the printer takes one after the other, and each ends at the end of a line.
pub(crate) fn encode(receipt: &Receipt, paper: &Paper) -> Vec<Vec<u8>> {
    let mut pieces = vec![INIT.to_vec()];
    if receipt.copy {
        let style = Style { align: Align::Centre, double: true, bold: true };
        pieces.push(text("副本 COPY", style, paper));
    }
    pieces.extend(receipt.items.iter().map(|item| one(item, paper)));
    pieces.push(cut(paper).to_vec());
    pieces
}

/// Ends a receipt.
pub(super) fn cut(paper: &Paper) -> &'static [u8] {
    match paper.cut {
        Cut::None => b"\x1bd\x04",
        Cut::Partial => b"\x1dVB\x00",
        Cut::Full => b"\x1dVA\x00",
    }
}

fn one(item: &Item, paper: &Paper) -> Vec<u8> {
    match item {
        Item::Text(words, style) => text(words, *style, paper),
        Item::Pair(left, right) => {
            let lines = layout::pair(&clean(left), &clean(right), paper.columns);
            text(&lines.join("\n"), Style::default(), paper)
        }
        Item::Rule => text(&"-".repeat(paper.columns), Style::default(), paper),
        Item::Qr(content) => qr(content, paper),
        Item::Feed(lines) => vec![0x1b, b'd', *lines],
    }
}

fn clean(text: &str) -> String {
    text.replace('\n', " ")
}

fn text(words: &str, style: Style, paper: &Paper) -> Vec<u8> {
    let align = match style.align {
        Align::Left => 0,
        Align::Centre => 1,
        Align::Right => 2,
    };
    let size = if style.double { 0x11 } else { 0 };
    let columns = if style.double { paper.columns / 2 } else { paper.columns };
    let mut bytes = vec![0x1b, b'a', align, 0x1d, b'!', size, 0x1b, b'E', style.bold.into()];
    for line in layout::wrap(words, columns) {
        characters(&line, paper.four_bytes, &mut bytes);
        bytes.push(b'\n');
    }
    bytes
}

/// GB18030, never a control byte: a name from outside gives the printer no commands. `¥` is in no printer's font, `￥` is; what
/// would need four bytes is a box unless the printer knows them.
fn characters(line: &str, four_bytes: bool, bytes: &mut Vec<u8>) {
    let mut encoder = GB18030.new_encoder();
    for character in line.chars() {
        let character = if character == '¥' { '￥' } else { character };
        if character.is_control() {
            continue;
        }
        let (mut utf8, mut coded) = ([0; 4], [0; 8]);
        let (result, _, length) =
            encoder.encode_from_utf8_without_replacement(character.encode_utf8(&mut utf8), &mut coded, false);
        let fits = result == EncoderResult::InputEmpty && (length <= 2 || four_bytes);
        bytes.extend_from_slice(if fits { coded.get(..length).unwrap_or_default() } else { BOX });
    }
}

/// `□`
const BOX: &[u8] = b"\xa1\xf5";

fn qr(content: &str, paper: &Paper) -> Vec<u8> {
    let printable: String = content.chars().filter(|character| !character.is_control()).collect();
    let Ok(code) = QrCode::with_error_correction_level(&printable, EcLevel::M) else {
        return text(&printable, Style::default(), paper);
    };
    let mut bytes = b"\x1ba\x01".to_vec();
    match paper.qr {
        QrBy::Command => by_command(&printable, module(code.width() + 4, paper), &mut bytes),
        QrBy::Raster => raster(&code, module(code.width(), paper), &mut bytes),
    }
    bytes.push(b'\n');
    bytes
}

/// Dots of a module: as many as fit, for a phone reads three and is happy with six.
fn module(modules: usize, paper: &Paper) -> usize {
    (paper.dots / (modules + 2 * QUIET)).clamp(3, 6)
}

/// `GS ( k`, functions 165, 167, 169, 180, 181. The printer's own encoder may take a larger symbol than ours would.
fn by_command(content: &str, module: usize, bytes: &mut Vec<u8>) {
    let [low, high, ..] = (content.len() + 3).to_le_bytes();
    // The white border is the caller's business; the line behind the code is the one below it.
    bytes.extend_from_slice(b"\x1bd\x01");
    bytes.extend_from_slice(b"\x1d(k\x04\x001A2\x00");
    bytes.extend_from_slice(b"\x1d(k\x03\x001C");
    bytes.push(u8::try_from(module).unwrap_or(3));
    bytes.extend_from_slice(b"\x1d(k\x03\x001E1");
    bytes.extend_from_slice(&[0x1d, b'(', b'k', low, high, b'1', b'P', b'0']);
    bytes.extend_from_slice(content.as_bytes());
    bytes.extend_from_slice(b"\x1d(k\x03\x001Q0");
}

/// `GS v 0`. A module is at least three dots wide, so that no byte is `10`, which would start a real-time command.
fn raster(code: &QrCode, module: usize, bytes: &mut Vec<u8>) {
    let side = code.width() + 2 * QUIET;
    let across = (side * module).div_ceil(8);
    let [xl, xh, ..] = across.to_le_bytes();
    let [yl, yh, ..] = (side * module).to_le_bytes();
    bytes.extend_from_slice(&[0x1d, b'v', b'0', 0, xl, xh, yl, yh]);
    let colors = code.to_colors();
    let dark = |x: usize, y: usize| {
        let place = x.checked_sub(QUIET).zip(y.checked_sub(QUIET));
        place.is_some_and(|(x, y)| {
            x < code.width() && colors.get(y * code.width() + x).is_some_and(|color| *color == qrcode::Color::Dark)
        })
    };
    for y in 0..side {
        let mut row = vec![0u8; across];
        for x in (0..side * module).filter(|x| dark(x / module, y)) {
            if let Some(byte) = row.get_mut(x / 8) {
                *byte |= 0x80 >> (x % 8);
            }
        }
        for _ in 0..module {
            bytes.extend_from_slice(&row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paper() -> Paper {
        Paper::of(&PrinterSpec::default())
    }

    fn item(item: Item) -> Vec<u8> {
        one(&item, &paper())
    }

    #[test]
    fn golden_bytes() {
        let double = Style { align: Align::Centre, double: true, bold: true };
        let cases: [(Item, &[u8]); 6] = [
            (Item::Text("OK".into(), Style::default()), b"\x1ba\x00\x1d!\x00\x1bE\x00OK\n"),
            (Item::Text("支付".into(), double), b"\x1ba\x01\x1d!\x11\x1bE\x01\xd6\xa7\xb8\xb6\n"),
            (Item::Text("¥5".into(), Style::default()), b"\x1ba\x00\x1d!\x00\x1bE\x00\xa3\xa45\n"),
            (Item::Pair("a".into(), "1.00".into()), b"\x1ba\x00\x1d!\x00\x1bE\x00a                           1.00\n"),
            (Item::Feed(3), b"\x1bd\x03"),
            (
                Item::Qr("AB".into()),
                b"\x1ba\x01\x1bd\x01\x1d(k\x04\x001A2\x00\x1d(k\x03\x001C\x06\x1d(k\x03\x001E1\x1d(k\x05\x001P0AB\x1d(k\x03\x001Q0\n",
            ),
        ];
        for (given, bytes) in cases {
            assert_eq!(item(given.clone()), bytes, "{given:?}");
        }
    }

    #[test]
    fn a_receipt_starts_clean_says_that_it_is_a_copy_and_ends_with_the_cut() {
        let copy = Receipt { items: vec![Item::Rule], copy: true };
        let pieces = encode(&copy, &paper());
        assert_eq!(pieces[0], b"\x1b@\x1c&");
        assert_eq!(pieces[1], b"\x1ba\x01\x1d!\x11\x1bE\x01\xb8\xb1\xb1\xbe COPY\n");
        assert_eq!(pieces[3], b"\x1dVB\x00");
        assert_eq!(encode(&Receipt { copy: false, ..copy.clone() }, &paper()).len(), pieces.len() - 1);
        let cut = |cut| encode(&copy, &Paper { cut, ..paper() }).pop().unwrap();
        assert_eq!(cut(Cut::Full), b"\x1dVA\x00");
        assert_eq!(cut(Cut::None), b"\x1bd\x04");
    }

    #[test]
    fn a_name_from_outside_gives_the_printer_no_commands() {
        let evil = "茶\x1b@\x10\x14\x08\x1dV\x00\u{7f}\t";
        for bytes in [item(Item::Text(evil.into(), Style::default())), item(Item::Pair(evil.into(), evil.into()))] {
            let after_style = &bytes[9..];
            assert!(after_style.iter().all(|byte| *byte >= 0x20 || *byte == b'\n'), "{bytes:x?}");
        }
        let code = item(Item::Qr("a\x10\x14b".into()));
        assert!(code.windows(5).any(|window| window == b"1P0ab"));
    }

    #[test]
    fn gb18030_reads_back_and_what_the_printer_does_not_know_is_a_box() {
        let text = "农夫山泉（550毫升）￥2.00，喆镕堃";
        let mut bytes = Vec::new();
        characters(text, false, &mut bytes);
        assert_eq!(GB18030.decode(&bytes).0, text);
        for (four_bytes, read) in [(false, "a□b□"), (true, "a😀b𠮷")] {
            bytes.clear();
            characters("a😀b𠮷", four_bytes, &mut bytes);
            assert_eq!(GB18030.decode(&bytes).0, read);
        }
    }

    #[test]
    fn a_picture_holds_no_real_time_command() {
        for length in [10, 60, 200] {
            for columns in [32, 48] {
                let paper = Paper { qr: QrBy::Raster, ..Paper::of(&PrinterSpec { columns, ..PrinterSpec::default() }) };
                let bytes = one(&Item::Qr("x".repeat(length)), &paper);
                assert!(!bytes[11..].contains(&0x10), "{length} on {columns}");
                assert!(usize::from(bytes[7]) * 8 <= paper.dots + 7);
            }
        }
    }

    #[test]
    fn a_text_too_long_for_a_code_is_printed_as_text() {
        let bytes = item(Item::Qr("x".repeat(5000)));
        assert!(bytes.starts_with(b"\x1ba\x00\x1d!\x00\x1bE\x00xxx"));
    }
}
