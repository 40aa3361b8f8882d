//! What is shown, what the file has, and that it is whole or not there. The running program is in `tests/program/audit.rs`.

use clap::Parser;
use payment::channel::{ChannelId, Wallet};

use super::super::{Cli, Command as Word};
use super::*;
use crate::journal::audit::PaidTally;

fn tally(number: u64, fen: i64) -> Tally {
    Tally { number, amount: Fen::new(fen) }
}

fn moved(ever: Tally, since_reset: Tally) -> Counted {
    Counted { ever, since_reset }
}

fn slot(name: &str) -> SlotId {
    SlotId::new(name).unwrap()
}

/// Slot 11 sells; 77 did once.
fn machine() -> Machine {
    let water = Product { code: "w".into(), name: "农夫山泉".into(), price: Fen::new(200) };
    let none = Counted::default();
    let eleven = SlotTally {
        slot: slot("11"),
        cashless: moved(tally(5, 1_000), tally(2, 400)),
        cash: moved(tally(1, 200), tally(0, 0)),
        failed: moved(tally(3, 600), tally(1, 200)),
    };
    let gone = SlotTally { slot: slot("77"), cashless: moved(tally(1, 900), tally(0, 0)), cash: none, failed: none };
    let paid = PaidTally {
        channel: ChannelId::AllinpayVsp,
        wallet: Some(Wallet::Wechat),
        paid: moved(tally(9, 2_500), tally(3, 600)),
        refunded: moved(tally(3, 600), tally(1, 200)),
    };
    let audit = Audit {
        slots: vec![eleven, gone],
        paid: vec![paid],
        cash: moved(tally(2, 500), tally(1, 300)),
        cash_elsewhere: moved(tally(1, 300), tally(1, 300)),
        resets: 4,
        reset_ms: Some(0),
    };
    Machine {
        id: "VM-0042".into(), name: "大厅 Lobby".into(), products: BTreeMap::from([(slot("11"), water)]), audit
    }
}

#[test]
fn the_table_shows_the_interval_and_ever_with_sums_and_slots_that_are_gone() {
    let text = machine().text();
    let (new, ever) = text.split_once("\n\nEver\n\n").unwrap();
    let row = |part: &str, name: &str| -> Vec<String> {
        let line = part.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("no {name} in\n{text}"));
        line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect()
    };
    assert!(new.starts_with("Since reset 4 at 1970-01-01"), "{text}");
    assert_eq!(row(new, "农夫山泉"), ["11", "农夫山泉", "2 ¥4.00", "-", "1 ¥2.00"]);
    assert_eq!(row(new, "not sold now"), ["77", "not sold now", "-", "-", "-"]);
    assert_eq!(row(new, "no slot"), ["no slot is known", "-", "1 ¥3.00", "-"]);
    assert_eq!(row(new, "all"), ["all", "2 ¥4.00", "1 ¥3.00", "1 ¥2.00"]);
    assert_eq!(row(ever, "not sold now"), ["77", "not sold now", "1 ¥9.00", "-", "-"]);
    assert_eq!(row(ever, "all"), ["all", "6 ¥19.00", "2 ¥5.00", "3 ¥6.00"]);
    assert_eq!(row(ever, "wechat"), ["allinpay_vsp", "wechat", "9 ¥25.00", "3 ¥6.00"]);
    let json = machine().json();
    assert_eq!(
        json["cashless"],
        json!({"ever": {"number": 6, "amount": 1900}, "since_reset": {"number": 2, "amount": 400}})
    );
    assert_eq!((&json["slots"][1]["slot"], &json["slots"][1]["price"]), (&json!("77"), &Value::Null));
}

#[test]
fn the_file_has_every_slot_the_failures_and_the_machine() {
    let file = machine().dts().write();
    for segment in [
        "DXS*TIL0000042*VA*V0/6*1",
        "ID1*VM-0042*TILL** Lobby**VM-0042",
        "VA1*2400*8*700*3",
        "CA2*500*2*300*1",
        "DA2*1900*6*400*2",
        "PA1*11*200",
        "PA1*77*0",
        "PA7*77*DA*0*0*1*900*0*0",
        "EA2*EO_1*1*3*0",
    ] {
        assert!(file.contains(&format!("{segment}\r\n")), "no {segment} in\n{file}");
    }
    assert_eq!([sender("kiosk"), sender("9912345678")], ["TIL0000000", "TIL2345678"]);
}

#[test]
fn a_file_is_whole_or_not_there_and_never_takes_the_place_of_another() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("a.dts");
    // What a power cut left of a try before.
    fs::write(place.path().join("a.dts.part"), "DXS and much more than the file has").unwrap();
    write_new(&path, b"DXS").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"DXS");
    assert_eq!(write_new(&path, b"new").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read(&path).unwrap(), b"DXS");
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1, "nothing is left beside it");
    assert!(write_new(&place.path().join("no/folder"), b"DXS").is_err());
}

async fn tried(words: &[&str]) -> Failure {
    let words = [&["till", "audit"], words, &["--config", "/nowhere/till.toml"]].concat();
    let Word::Audit(args) = Cli::parse_from(words).command else { panic!("another command") };
    act(*args, "/nowhere/till.sock".into(), false).await.unwrap_err()
}

#[tokio::test]
async fn a_reset_wants_a_file_that_is_safe() {
    let usage = |words: &[&str]| Cli::try_parse_from([&["till", "audit"], words].concat()).is_err();
    assert!(usage(&["--reset"]) && usage(&["reset", "--dts", "a.dts"]));
    assert_eq!(tried(&["--dts", "-", "--reset"]).await.exit(), Exit::Usage);
    assert_eq!(tried(&["--dts", "a.dts", "--reset"]).await.exit(), Exit::Config);
}
