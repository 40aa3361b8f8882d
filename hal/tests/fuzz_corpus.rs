//! Scanner frames and board files keep their promises over the corpus that fuzzing left (docs/fuzzing.md).

#[path = "../../fuzz/src/boards.rs"]
mod boards;
#[path = "../../fuzz/src/replay.rs"]
mod replay;
#[path = "../../fuzz/src/scanner.rs"]
mod scanner;

use std::path::Path;

fn replayed(name: &str, target: fn(&[u8])) {
    replay::replay(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus"), name, target);
}

#[test]
fn reads_may_be_split_anywhere_and_lines_are_text() {
    replayed("scanner", scanner::frames);
}

#[test]
fn a_board_is_read_or_every_problem_has_an_advice() {
    replayed("boards", boards::any);
}
