//! A Raspberry Pi's own pin through rppal, for a person with a Pi, or an emulated one:
//!
//! `TILL_RPPAL_PIN=GPIO17 cargo test -p hal --features rppal --test rppal_pi -- --ignored --nocapture --test-threads=1`
//!
//! Nothing may hang on the pin that must not be driven.

#![cfg(feature = "rppal")]
#![expect(clippy::expect_used, clippy::print_stdout, reason = "a test that a person watches")]

use hal::{
    board::LineSpec,
    gpio::{Lines, OutputLine, rppal::Rppal},
};

fn pin() -> LineSpec {
    let name = std::env::var("TILL_RPPAL_PIN").expect("TILL_RPPAL_PIN names the pin, such as GPIO17");
    LineSpec { name: Some(name), ..LineSpec::default() }
}

fn set_and_read(output: &dyn OutputLine, wanted: bool) {
    output.set(wanted).expect("switched");
    let level = output.is_active().expect("the level of the pin");
    println!("set to {wanted}, reads {level:?}");
    assert_eq!(level, Some(wanted));
}

#[test]
#[ignore = "needs a Raspberry Pi and TILL_RPPAL_PIN"]
fn a_pin_is_set_cleared_and_read_back() {
    let lines = Rppal::open().expect("this is a Raspberry Pi");
    let output = lines.output(&pin()).expect("the pin as an output");
    assert_eq!(output.is_active().expect("the level"), Some(false), "off from the moment of the request");
    for wanted in [true, false, true, false] {
        set_and_read(output.as_ref(), wanted);
    }
}

#[test]
#[ignore = "needs a Raspberry Pi and TILL_RPPAL_PIN"]
fn an_inverted_pin_is_high_when_it_is_off() {
    let lines = Rppal::open().expect("this is a Raspberry Pi");
    let inverted = LineSpec { active_low: true, ..pin() };
    let output = lines.output(&inverted).expect("the pin as an output");
    for wanted in [true, false] {
        set_and_read(output.as_ref(), wanted);
    }
    drop(output);
    // The same pin, not inverted: it was left high, which is off, and the request itself makes it low.
    let output = lines.output(&pin()).expect("free again");
    assert_eq!(output.is_active().expect("the level"), Some(false));
}

#[test]
#[ignore = "needs a Raspberry Pi and TILL_RPPAL_PIN"]
fn another_boards_label_is_refused() {
    let lines = Rppal::open().expect("this is a Raspberry Pi");
    let foreign = LineSpec { chip: Some("300b000.pinctrl".into()), offset: Some(17), ..LineSpec::default() };
    let refused = lines.output(&foreign).err().expect("refused").to_string();
    println!("{refused}");
    assert!(refused.contains("pinctrl-"), "{refused}");
}
