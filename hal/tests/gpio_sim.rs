//! The character device against a kernel with `gpio-sim` (reference/hardware.md 4.7), for an emulated machine:
//!
//! `TILL_GPIO_SIM_CHIP=<label> TILL_GPIO_SIM_SYSFS=/sys/devices/platform/gpio-sim.0/gpiochip1 \
//!  cargo test -p hal --test gpio_sim -- --ignored --nocapture --test-threads=1`
//!
//! The simulated bank has at least eight lines: line 4 is named `relay1`, line 5 `key1`; nobody else uses lines 0 to 7.
//! Relays are lines 2 and 4, keys lines 3 and 5, pulled down at the start of each test.

#![cfg(feature = "gpio")]
#![expect(clippy::expect_used, clippy::print_stdout, reason = "a test that a person watches")]

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use hal::{
    board::{Bias, LineSpec},
    gpio::{Bank, Edge, InputLines, LineError, Lines, chardev::Chardev},
};

/// Far longer than any edge takes.
const GENEROUS: Duration = Duration::from_secs(5);

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: see the top of this file"))
}

/// The far end of line `offset`.
fn far_end(offset: u32, file: &str) -> PathBuf {
    PathBuf::from(variable("TILL_GPIO_SIM_SYSFS")).join(format!("sim_gpio{offset}")).join(file)
}

fn level(offset: u32) -> bool {
    fs::read_to_string(far_end(offset, "value")).expect("the line's value").trim() == "1"
}

fn pull(offset: u32, up: bool) {
    fs::write(far_end(offset, "pull"), if up { "pull-up" } else { "pull-down" }).expect("the line's pull");
}

fn placed(offset: u32) -> LineSpec {
    LineSpec { chip: Some(variable("TILL_GPIO_SIM_CHIP")), offset: Some(offset), ..LineSpec::default() }
}

fn named(name: &str) -> LineSpec {
    LineSpec { name: Some(name.into()), ..LineSpec::default() }
}

fn keys(lines: &[LineSpec], debounce_ms: u64) -> Box<dyn InputLines> {
    Chardev.inputs(lines, Duration::from_millis(debounce_ms)).expect("the keys")
}

#[test]
#[ignore = "needs gpio-sim"]
fn a_relay_is_off_at_once_switches_and_is_off_when_it_is_let_go() {
    for (line, offset) in [(placed(2), 2), (named("relay1"), 4)] {
        let bank = Bank::new(Arc::new(Chardev));
        let relay = bank.output(&line).expect("the relay");
        assert!(!level(offset), "off from the moment of the request");
        for on in [true, false, true] {
            relay.set(on).expect("switched");
            println!("{} set to {on}, the far end sees {}", line.id(), level(offset));
            assert_eq!(level(offset), on);
            assert_eq!(relay.is_active().expect("read back"), Some(on));
        }
        drop(relay);
        assert!(!level(offset), "off after it was let go");
    }
}

#[test]
#[ignore = "needs gpio-sim"]
fn an_inverted_relay_is_high_when_it_is_off() {
    let relay = Chardev.output(&LineSpec { active_low: true, ..placed(2) }).expect("the relay");
    assert!(level(2));
    relay.set(true).expect("switched");
    assert!(!level(2));
    relay.set_inactive_now();
    assert!(level(2));
}

#[test]
#[ignore = "needs gpio-sim"]
fn presses_and_releases_arrive_in_order_and_the_level_at_the_start_does_not() {
    pull(3, false);
    pull(5, false);
    let mut keys = keys(&[placed(3), named("key1")], 0);
    assert_eq!(keys.wait_edge(Duration::ZERO).expect("quiet"), None);
    assert!(!keys.is_active(0).expect("a level"));
    let steps = [(3, 0, true), (5, 1, true), (3, 0, false), (5, 1, false)];
    for (offset, index, active) in steps {
        pull(offset, active);
        let edge = keys.wait_edge(GENEROUS).expect("alive");
        println!("line {offset} pulled {active}: {edge:?}");
        assert_eq!(edge, Some(Edge { index, active }));
    }
    assert_eq!(keys.wait_edge(Duration::from_millis(50)).expect("quiet"), None);
}

#[test]
#[ignore = "needs gpio-sim"]
fn a_button_to_ground_is_pressed_when_it_is_low() {
    pull(3, true);
    let mut keys = keys(&[LineSpec { active_low: true, ..placed(3) }], 0);
    assert!(!keys.is_active(0).expect("a level"));
    pull(3, false);
    assert_eq!(keys.wait_edge(GENEROUS).expect("alive"), Some(Edge { index: 0, active: true }));
}

#[test]
#[ignore = "needs gpio-sim"]
fn the_pull_of_the_board_file_reaches_the_line() {
    for (bias, high) in [(Bias::PullUp, true), (Bias::PullDown, false)] {
        let mut keys = keys(&[LineSpec { bias: Some(bias), ..placed(3) }], 0);
        println!("{bias:?}: the line reads {}", keys.is_active(0).expect("a level"));
        assert_eq!(keys.is_active(0).expect("a level"), high);
    }
}

#[test]
#[ignore = "needs gpio-sim"]
fn bounce_is_filtered_by_the_kernel() {
    pull(3, false);
    let mut keys = keys(&[placed(3)], 30);
    for up in [true, false, true, false, true] {
        pull(3, up);
    }
    assert_eq!(keys.wait_edge(GENEROUS).expect("alive"), Some(Edge { index: 0, active: true }));
    let more = keys.wait_edge(Duration::from_millis(200)).expect("alive");
    println!("after five contacts within a few ms: one press, then {more:?}");
    assert_eq!(more, None);
}

#[test]
#[ignore = "needs gpio-sim"]
fn a_line_in_use_and_a_line_of_another_board_are_refused_with_the_reason() {
    let _held = Chardev.output(&placed(2)).expect("the relay");
    let refused = |line: &LineSpec| Chardev.output(line).err().expect("refused").to_string();
    let text = refused(&placed(2));
    println!("{text}");
    assert!(text.contains("in use by till"), "{text}");
    let text = refused(&LineSpec { chip: Some("pinctrl-of-another-board".into()), ..placed(2) });
    println!("{text}");
    assert!(text.contains("pinctrl-of-another-board"), "{text}");
    assert!(refused(&named("no-such-line")).contains("no-such-line"));
}

/// Only with `TILL_GPIO_SIM_LIVE`, the bank's `live` file in configfs: taking the bank away is unplugging the expander. It
/// comes back under its label, perhaps with another number, so run this test last.
#[test]
#[ignore = "needs gpio-sim and TILL_GPIO_SIM_LIVE"]
fn zz_a_chip_that_goes_away_is_reported_and_found_again() {
    let Ok(live) = std::env::var("TILL_GPIO_SIM_LIVE") else {
        println!("skipped: TILL_GPIO_SIM_LIVE is not set");
        return;
    };
    let relay = Chardev.output(&placed(2)).expect("the relay");
    let mut keys = keys(&[placed(3)], 0);
    fs::write(&live, "0").expect("the bank goes away");
    let gone = keys.wait_edge(GENEROUS).expect_err("no edge, but the news");
    println!("{gone}");
    assert!(matches!(gone, LineError::Gone(_)), "{gone}");
    assert!(matches!(relay.is_active(), Err(LineError::Gone(_))));
    assert!(matches!(relay.set(true), Err(LineError::Gone(_))));
    drop((relay, keys));
    fs::write(&live, "1").expect("the bank comes back");
    Chardev.output(&placed(2)).expect("the relay again");
}
