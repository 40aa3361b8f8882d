//! Statements are read within their bounds, and sums are sums, over the corpus that fuzzing left (docs/fuzzing.md).

#[path = "../../fuzz/src/replay.rs"]
mod replay;
#[path = "../../fuzz/src/statements.rs"]
mod statements;

use std::path::Path;

#[test]
fn a_statement_is_bounded_and_its_sums_are_sums() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    replay::replay(&corpus, "statements", statements::any);
}
