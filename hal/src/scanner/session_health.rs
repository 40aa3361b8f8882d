//! Scanners that fall silent, and come back.

use super::*;

#[test]
fn a_scanner_that_stops_answering_heartbeats_is_opened_again_and_up_when_it_answers() {
    let spec = spec(DialectKind::Zone, TriggerKind::Scanner);
    let mut bench = Bench::new(&spec, ZoneScanner::default()).ready();
    bench.run(ms(60_000));
    assert!(bench.reopened.is_empty());
    bench.scanner.mute = true;
    bench.run(ms(45_000));
    assert!(!bench.reopened.is_empty());
    assert_eq!(bench.ups.len(), 1, "it is not up before it answers");
    bench.scanner.mute = false;
    bench.run(ms(10_000));
    assert_eq!(bench.ups.len(), 2);
}

#[test]
fn a_scanner_without_heartbeats_is_not_asked_for_them() {
    let spec = spec(DialectKind::Zone, TriggerKind::Scanner);
    let mut bench = Bench::new(&spec, ZoneScanner::without_heartbeats()).ready();
    let sent = bench.sent.len();
    bench.run(ms(120_000));
    assert_eq!(bench.sent.len(), sent);
    assert!(bench.reopened.is_empty());
}

#[test]
fn a_scanner_silent_after_triggers_is_reported_once_it_had_answered_them() {
    let spec = spec(DialectKind::Newland, TriggerKind::Host);
    let scanner = Faulty::new(NewlandScanner::default(), Faults::default(), 1);
    let mut bench = Bench::new(&spec, scanner).ready();
    bench.arm(true);
    bench.arm(false);
    bench.scanner.faults.silence = 1;
    bench.arm(true);
    bench.run(ms(20_000));
    assert_eq!(bench.reopened.first(), Some(&"does not answer the trigger any more"));
    assert_eq!(bench.ups.len(), 1);
    bench.scanner.faults.silence = 0;
    bench.run(ms(10_000));
    assert_eq!(bench.ups.len(), 2);
    bench.show(CODE);
    assert_eq!(bench.lines, [CODE], "it is triggered for the order that still waits");
}

#[test]
fn another_scanner_in_the_place_of_the_one_that_was_found_is_found_as_well() {
    let spec = spec(DialectKind::Auto, TriggerKind::Scanner);
    let mut bench = Bench::new(&spec, ZoneScanner::default()).ready();
    bench.scanner.mute = true;
    bench.replug();
    bench.run(ms(15_000));
    assert_eq!(bench.ups.last(), Some(&None), "a plain one");
    bench.scanner.mute = false;
    bench.scanner.wire.speed = 115_200;
    bench.replug();
    bench.run(ms(15_000));
    assert_eq!(bench.ups.last(), Some(&Some("7e, version 64".into())));
    bench.show(CODE);
    assert_eq!(bench.lines, [CODE]);
}
