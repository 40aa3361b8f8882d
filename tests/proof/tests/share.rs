//! The share of the report card that every test run takes: the tiers with the real program. The other tiers have theirs beside
//! their code.

use std::io::Write;
use std::path::PathBuf;

use proof::{kills, network, report};

/// The program of this build; cargo builds it for the whole-program tests of the workspace. Without it there is nothing to
/// test: that is said past the test harness, which keeps what `println!` says to itself, and fails where CI counts on it.
fn program() -> Option<PathBuf> {
    let tests = std::env::current_exe().ok()?;
    let program = tests.ancestors().nth(2)?.join("till");
    if program.is_file() {
        return Some(program);
    }
    let skipped = format!("SKIPPED: {} is not built; `cargo test --workspace` builds it", program.display());
    assert!(std::env::var_os("CI").is_none(), "{skipped}");
    let _told = writeln!(std::io::stderr(), "{skipped}");
    None
}

#[test]
fn killed_at_random_instants_money_and_goods_are_even() {
    let Some(program) = program() else { return };
    let options = kills::KillOptions { program, kills: 24, shops: 2, seed: 1 };
    let card = report::in_runtime(kills::run(&options)).unwrap();
    assert!(card.books.is_sound(), "{card:#?}");
    assert!(card.kills >= 24 && card.books.orders > 0, "nothing was tried: {card:#?}");
}

#[test]
fn over_a_bad_network_money_and_goods_are_even() {
    let Some(program) = program() else { return };
    let options = network::NetworkOptions { program, orders: 40, shops: 2, seed: 1 };
    let card = report::in_runtime(network::run(&options)).unwrap();
    assert!(card.books.is_sound(), "{card:#?}");
    assert!(card.connections_harmed > 0 && card.books.paid > 0, "nothing was tried: {card:#?}");
}
