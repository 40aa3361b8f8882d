//! Channels' statements: any bytes as any file, bare or packed.

use std::io::{Cursor, Write};

use books::statement::{CELLS_MAX, Kind, ROWS_MAX, Remark, Source, Statement, Unit, read};
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_decimal::Decimal;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const SOURCES: [Source; 8] = [
    Source::AlipayTrade,
    Source::AlipayLedger,
    Source::WechatTrade,
    Source::WechatFundFlow,
    Source::Vsp(Unit::ByPoint),
    Source::Yst(Unit::ByPoint),
    Source::Vsp(Unit::Fen),
    Source::Yst(Unit::Yuan),
];

/// No movement is larger, in fen: ten billion yuan.
const LARGEST: i64 = 1_000_000_000_000;

/// `statement::read`. Of the first two bytes one chooses the source, the other what the rest is packed in.
pub fn any(data: &[u8]) {
    let Some((&[source, pack], content)) = data.split_first_chunk::<2>() else { return };
    let source = SOURCES[usize::from(source) % SOURCES.len()];
    let bytes = match pack % 4 {
        0 | 1 => content.to_vec(),
        2 => gzipped(content),
        _ => zipped(content),
    };
    let found = read(source, &bytes);
    assert!(found == read(source, &bytes), "one file, two readings");
    if let Ok(statement) = found {
        must_hold(&statement, bytes.len());
    }
}

fn gzipped(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let written = encoder.write_all(content).and_then(|()| encoder.finish());
    written.unwrap_or_else(|error| panic!("{error}"))
}

/// Two files, as Alipay packs them: what stands behind a line of dashes is the second.
fn zipped(content: &[u8]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let cut = content.windows(5).position(|part| part == b"\n---\n");
    let (first, second) = cut.map_or((content, None), |at| (&content[..at + 1], Some(&content[at + 5..])));
    for (name, part) in [("a.csv", Some(first)), ("b(\u{6c47}\u{603b}).csv", second)] {
        let Some(part) = part else { continue };
        let began = writer.start_file(name, SimpleFileOptions::default());
        began.and_then(|()| Ok(writer.write_all(part)?)).unwrap_or_else(|error| panic!("{error}"));
    }
    writer.finish().unwrap_or_else(|error| panic!("{error}")).into_inner()
}

fn must_hold(statement: &Statement, size: usize) {
    assert!(statement.lines.len() <= ROWS_MAX, "{} rows", statement.lines.len());
    let mut rows = 0;
    for line in &statement.lines {
        assert!((0..=LARGEST).contains(&line.amount.get()), "{:?} in row {}", line.amount, line.row);
        assert!(line.cells.iter().count() <= CELLS_MAX, "{} cells", line.cells.iter().count());
        rows += usize::from(line.kind != Kind::Other);
    }
    // Packed bytes may hold more rows than bytes; bare ones not.
    assert!(rows <= ROWS_MAX.min(size.saturating_mul(1100)), "{rows} rows in {size} bytes");
    let _days = statement.days();
    totals(statement);
}

/// A sum that the file gives is the sum of its rows, or the difference is remarked.
fn totals(statement: &Statement) {
    for total in &statement.totals {
        let said = Decimal::from_str_exact(total.said.trim().trim_start_matches(['\u{a5}', '\u{ffe5}']));
        assert!(!total.agrees() || said.ok() == total.rows, "{total:?}");
        let remarked = |remark: &Remark| matches!(remark, Remark::Total { name, .. } if *name == total.name);
        assert!(total.agrees() || statement.remarks.iter().any(remarked), "{total:?} differs and nobody says so");
        if let Some(column) = column_of(statement.source, &total.name) {
            assert!(total.rows == sum(statement, column), "{total:?} is not the sum of {column}");
        }
    }
}

/// The column that a sum adds up, where this file says it once more than the code under test.
fn column_of(source: Source, total: &str) -> Option<&'static str> {
    match (source, total) {
        (Source::WechatTrade, "手续费总金额") => Some("手续费"),
        (Source::WechatTrade, "订单总金额") => Some("订单金额"),
        (Source::WechatTrade, "退款总金额") => Some("退款金额"),
        (Source::WechatTrade, "应结订单总金额") => Some("应结订单金额"),
        _ => None,
    }
}

fn sum(statement: &Statement, column: &str) -> Option<Decimal> {
    let first = statement.lines.first();
    if first.is_some_and(|line| line.cells.get(column).is_none()) {
        return Some(Decimal::ZERO);
    }
    let mut sum = Decimal::ZERO;
    for line in &statement.lines {
        let text = line.cells.get(column).unwrap_or_default();
        let text = text.trim().trim_start_matches(['\u{a5}', '\u{ffe5}']);
        if !text.is_empty() || line.cells.get(column).is_some_and(|cell| !cell.is_empty()) {
            sum = sum.checked_add(Decimal::from_str_exact(text).ok()?)?;
        }
    }
    Some(sum)
}
