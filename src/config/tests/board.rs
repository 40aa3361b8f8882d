//! What is sold against what the machine has.

use super::*;

#[test]
fn a_price_is_exact_yuan_in_quotes_and_some_money() {
    let bench = Bench::new();
    for price in ["3.5", "3", "\"0\"", "\"-1\"", "\"0.001\"", "\"three\"", "\"100000000.01\"", "true"] {
        assert_eq!(bench.errors(&SOUND.replace("\"3.50\"", price)), ["product[0].price"], "{price}");
    }
}

#[test]
fn a_slot_is_sold_once_and_exists_on_the_board() {
    let bench = Bench::new();
    assert_eq!(bench.errors(&SOUND.replace("\"12\"", "\"11\"")), ["product[1].slot"]);
    assert_eq!(bench.errors(&SOUND.replace("\"12\"", "\"A 1\"")), ["product[1].slot"]);
    assert_eq!(bench.errors(&SOUND.replace("\"12\"", "\"21\"")), ["product[1].slot"]);
    let counter = "name = \"counter\"\n[display]\nkind = \"memory\"\nwidth = 320\nheight = 240\n";
    let report = bench.load(SOUND, counter).expect_err("nothing vends");
    assert_eq!(keys_of(&report, Severity::Error), ["product[0].slot", "product[1].slot"]);
}

#[test]
fn an_empty_slot_of_the_board_is_a_warning() {
    let bench = Bench::new();
    let one = SOUND.replace("[[product]]\nslot = \"12\"\ncode = \"WATER\"\nname = \"水\"\nprice = \"2\"\n", "");
    assert_eq!(bench.warnings(&one, BOARD), ["product"]);
}

#[test]
fn a_slot_that_cannot_be_typed_is_a_warning() {
    let bench = Bench::new();
    let letters = |text: &str| text.replace("\"12\"", "\"A2\"");
    assert_eq!(bench.warnings(&letters(SOUND), &letters(BOARD)), ["product[1].slot"]);
}

#[test]
fn nobody_scans_with_a_scanner_that_is_not_there() {
    let bench = Bench::new();
    let board = BOARD.replace("kind = \"serial\"", "kind = \"none\"");
    let merchant_scans = in_section("sell", "who_scans = \"merchant_scans\"");
    let report = bench.load(&merchant_scans, &board).expect_err("no scanner");
    assert_eq!(keys_of(&report, Severity::Error), ["sell.who_scans"]);
    let either = in_section("sell", "who_scans = \"either\"");
    assert_eq!(bench.warnings(&either, &board), ["sell.who_scans"]);
    let checked = bench.load(SOUND, &board).expect("sound");
    assert_eq!(checked.settings.who_scans, WhoScans::BuyerScans);
}

#[test]
fn nobody_scans_a_display_that_is_not_there() {
    let bench = Bench::new();
    let board = BOARD.replace("kind = \"memory\"", "kind = \"none\"");
    let report = bench.load(&in_section("sell", "who_scans = \"buyer_scans\""), &board).expect_err("no display");
    assert_eq!(keys_of(&report, Severity::Error), ["sell.who_scans"]);
    assert_eq!(bench.warnings(SOUND, &board), ["sell.who_scans"]);
}

#[test]
fn a_simulated_machine_takes_no_real_money() {
    let mut bench = Bench::new();
    bench.env.sandbox_built = true;
    let board = BOARD.replace("kind = \"chardev\"", "kind = \"sim\"") + "[sim]\nsocket = \"machine.sock\"\n";
    let report = bench.load(SOUND, &board).expect_err("simulated");
    assert_eq!(keys_of(&report, Severity::Error), ["terminal.mode"]);
    assert!(bench.load(&with_gateway("http://127.0.0.1:8700/gateway.do", "sandbox"), &board).is_ok());
}
