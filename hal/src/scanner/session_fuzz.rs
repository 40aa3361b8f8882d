//! Seeded faults and seeded bytes.

use super::*;

/// What is shown may be lost to a bad cable; what arrives was shown.
fn nothing_is_made_up<D: Scanner>(spec: &ScannerSpec, scanner: D, faults: Faults, seed: u64) -> usize {
    let mut bench = Bench::new(spec, Faulty::new(scanner, faults, seed));
    bench.cuts = Some(Dice::new(!seed));
    let mut dice = Dice::new(seed ^ 0x5EED);
    let mut shown = Vec::new();
    for number in 0..25 {
        let code = format!("28{:016}", seed * 100 + number);
        match dice.roll(8) {
            0 => bench.replug(),
            1 => bench.scanner.power_cycle(bench.now),
            _ => {}
        }
        bench.arm(dice.roll(4) > 0);
        bench.scanner.show(bench.now, Some(&code));
        bench.run(ms(dice.roll(3000)));
        bench.scanner.show(bench.now, None);
        shown.push(code);
    }
    bench.run(ms(10_000));
    for line in &bench.lines {
        // What a Honeywell says of itself is lines, too, once the reply's head is damaged.
        assert!(
            shown.contains(line) || line.starts_with("Product Name: ") || line.starts_with("Boot Rev"),
            "seed {seed} {:?}: {line:?} was never shown",
            spec.dialect
        );
    }
    bench.lines.len()
}

#[test]
fn over_a_bad_cable_no_line_is_made_up() {
    let faults = Faults { cut: 3, glue: 9, corrupt: 150, noise: 150, silence: 12 };
    let mut arrived = 0;
    for seed in 0..60 {
        for trigger in [TriggerKind::Scanner, TriggerKind::Host] {
            let named = |kind| spec(if seed % 3 == 0 { DialectKind::Auto } else { kind }, trigger);
            arrived += nothing_is_made_up(&named(DialectKind::Zone), ZoneScanner::default(), faults, seed);
            arrived += nothing_is_made_up(&named(DialectKind::Newland), NewlandScanner::default(), faults, seed);
            arrived += nothing_is_made_up(&named(DialectKind::Honeywell), HoneywellScanner::default(), faults, seed);
            arrived += nothing_is_made_up(&named(DialectKind::Ssi), SsiScanner::default(), faults, seed);
            arrived += nothing_is_made_up(&named(DialectKind::Caret), CaretScanner::default(), faults, seed);
        }
    }
    assert!(arrived > 7500, "half of all codes arrive all the same: {arrived}");
}

#[test]
fn a_good_cable_loses_no_code() {
    for_each_family!(TriggerKind::Scanner, |bench| {
        for number in 0..200 {
            let code = format!("28{number:016}");
            bench.show(&code);
            assert_eq!(bench.lines.last(), Some(&code), "{:?}", bench.ups);
        }
    });
}

#[test]
fn any_bytes_at_all_are_survived() {
    let kinds = [
        DialectKind::Plain,
        DialectKind::Auto,
        DialectKind::Zone,
        DialectKind::Newland,
        DialectKind::Honeywell,
        DialectKind::Ssi,
        DialectKind::Caret,
    ];
    const HEADS: [&[u8]; 8] =
        [b"\x02\x00\x00", b"\x02\x010000", b"TRGMOD", b"REVINF", b"\x17\xF3\x00", b"\x06", b"\x05\xD1\x00\x00", b"\r"];
    for seed in 0..400 {
        let mut dice = Dice::new(seed);
        let kind = kinds[usize::try_from(dice.roll(7)).unwrap()];
        let trigger = if dice.one_in(2) { TriggerKind::Host } else { TriggerKind::Scanner };
        let mut session = Session::new(&spec(kind, trigger), ms(0));
        let mut now = ms(1000);
        session.opened(now);
        for _ in 0..300 {
            now += ms(dice.roll(120));
            let mut bytes: Vec<u8> = (0..dice.roll(40)).map(|_| u8::try_from(dice.roll(256)).unwrap()).collect();
            if dice.one_in(2) {
                bytes.splice(0..0, HEADS[usize::try_from(dice.roll(8)).unwrap()].iter().copied());
            }
            match dice.roll(12) {
                0 => session.armed(now, dice.one_in(2)),
                1 => {
                    session.closed(dice.one_in(2));
                    session.opened(now);
                }
                2 => session.woken(now),
                _ => session.received(now, &bytes),
            }
            while let Some(output) = session.output() {
                if let Output::Line(line) = output {
                    assert!(line.text.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
                }
            }
            let due = session.due();
            if let Some(due) = due.filter(|due| *due <= now) {
                session.woken(now);
                assert_ne!(session.due(), Some(due), "seed {seed} {kind:?}: it spins");
            }
        }
    }
}
