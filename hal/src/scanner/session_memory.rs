//! What `dialect = "auto"` remembers over restarts.

use super::*;

/// A session of `auto` that was told this memory, and is up.
fn with_memory<D: Scanner>(memory: &str, scanner: D) -> Bench<D> {
    let mut bench = Bench::unopened(&spec(DialectKind::Auto, TriggerKind::Scanner), scanner);
    bench.session.recall(memory);
    bench.open();
    bench.ready()
}

#[test]
fn who_was_there_before_a_restart_is_asked_first_and_at_its_speed() {
    let mut memories = Vec::new();
    for_each_family!(TriggerKind::Scanner, |bench| {
        bench.show(CODE);
        memories.push(bench.session.memory().unwrap());
    });
    let five = ["7e 9600\n", "newland 9600\n", "honeywell 9600\n", "ssi 9600\n", "caret 115200\n"];
    assert_eq!(memories, [five, five].concat());
    let bench = with_memory(five[4], CaretScanner::default());
    assert!(bench.sent_words().iter().all(|words| words.starts_with("^_^")), "{:?}", bench.sent_words());
    assert_eq!(bench.session.memory().as_deref(), Some(five[4]));
}

#[test]
fn a_wrong_memory_costs_one_question_and_a_damaged_one_nothing() {
    let usual = with_memory("", ZoneScanner::default()).sent;
    let wrong = with_memory("newland 115200\n", ZoneScanner::default());
    let first_right = wrong.sent.iter().position(|(_, bytes)| *bytes == usual[0].1).unwrap();
    assert!(wrong.sent[..first_right].iter().all(|(_, bytes)| bytes.starts_with(b"~\x010000#QRYSYS")));
    assert!(wrong.sent[first_right].0 - wrong.sent[0].0 < ms(3000));
    assert_eq!(wrong.session.memory().as_deref(), Some("7e 9600\n"), "who is there now takes its place");
    for damaged in ["\n", "7e", "7e 1234567\n", "newland 1200\n", "plain 9600\n", "auto 9600\n", "\0\0\0\0"] {
        let bench = with_memory(damaged, ZoneScanner::default());
        assert_eq!(bench.sent, usual, "{damaged:?}");
    }
}

#[test]
fn where_nobody_answers_what_was_kept_is_left_alone() {
    assert_eq!(with_memory("7e 9600\n", ZoneScanner::mute()).session.memory(), None);
}
