//! The settings' loader, the hub's words and the API's bodies keep their promises over the corpus that fuzzing left
//! (docs/fuzzing.md). The targets are the fuzzers' own, included by path.

#[path = "../fuzz/src/program/mod.rs"]
mod program;
#[path = "../fuzz/src/replay.rs"]
mod replay;

use std::path::Path;

fn replayed(name: &str, target: fn(&[u8])) {
    replay::replay(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus"), name, target);
}

#[test]
fn a_config_is_sound_or_every_problem_has_an_advice() {
    replayed("config", program::config::files);
}

#[test]
fn the_hub_is_believed_in_its_shape_only_and_nobody_orders_but_the_operator() {
    replayed("hub", program::hub::words);
}

#[test]
fn a_body_is_what_its_words_say() {
    replayed("requests", program::requests::bodies);
}
