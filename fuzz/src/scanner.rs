//! Scanner frames.

use std::time::Duration;

use hal::board::Terminator;
use hal::scanner::frame::{Assembler, Framing, LINE_MAX, Line};

const TERMINATORS: [Terminator; 6] =
    [Terminator::Any, Terminator::Cr, Terminator::Lf, Terminator::Crlf, Terminator::Tab, Terminator::None];

fn framing(choice: u8) -> Framing {
    let has = |bit: u8| choice & bit != 0;
    Framing {
        terminator: TERMINATORS[usize::from(choice & 7) % TERMINATORS.len()],
        prefix: if has(0x08) { "\u{1}P".into() } else { String::new() },
        suffix: if has(0x10) { "#S".into() } else { String::new() },
        strip_aim: has(0x20),
        idle: Duration::from_millis(50),
        double_read: Duration::from_millis(if has(0x40) { 1500 } else { 0 }),
        stale: Duration::from_millis(if has(0x80) { 100 } else { 0 }),
    }
}

/// One read of the port: when, and what it returned. Steps of 8 ms: 255 of them are longer than a line may pause.
struct Read<'a> {
    after: Duration,
    bytes: &'a [u8],
}

fn reads(mut data: &[u8]) -> Vec<Read<'_>> {
    let mut reads = Vec::new();
    while let Some((&[delay, length], rest)) = data.split_first_chunk::<2>() {
        let (bytes, tail) = rest.split_at(usize::from(length).min(rest.len()));
        reads.push(Read { after: Duration::from_millis(u64::from(delay) * 8), bytes });
        data = tail;
    }
    reads
}

/// The lines, with reads taken whole or byte by byte.
fn lines(choice: u8, reads: &[Read<'_>], glued: bool) -> Vec<Line> {
    let mut assembler = Assembler::new(framing(choice), Duration::ZERO);
    let mut now = Duration::ZERO;
    let mut found = Vec::new();
    for read in reads {
        now += read.after;
        let step = if glued { read.bytes.len().max(1) } else { 1 };
        read.bytes.chunks(step).for_each(|part| found.extend(assembler.push(now, part)));
    }
    found.extend(assembler.flush(now + Duration::from_secs(3)));
    let _noise = assembler.noise();
    found
}

/// The line assembler: reads may be split anywhere, and what comes out is a line of text.
pub fn frames(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else { return };
    let reads = reads(rest);
    let found = lines(*choice, &reads, true);
    for line in &found {
        assert!((1..=LINE_MAX).contains(&line.text.len()), "{} characters", line.text.len());
        assert!(line.text.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "not text");
        assert_eq!(line.text.trim(), line.text);
        let outline = format!("Line(<{} characters> at {:?})", line.text.len(), line.began);
        assert_eq!(format!("{line:?}"), outline, "it prints the code");
    }
    assert!(found == lines(*choice, &reads, false), "split reads make other lines");
}
