//! The machine is audited: what was sold is in one file, what is sold afterwards in the next, and nothing in both.

use std::collections::BTreeMap;
use std::path::PathBuf;

use reqwest::Method;
use serde_json::{Value, json};

use crate::shop::{Shop, TEA, WATER};

/// A file as a program of an operator reads it: by the standard, without a word of Till's writer.
struct Read(Vec<Vec<String>>);

impl Read {
    fn new(file: &str) -> Self {
        let lines: Vec<&str> = file.strip_suffix("\r\n").unwrap().split("\r\n").collect();
        let body = file.find("ST*").unwrap()..file.find("G85*").unwrap();
        let [.., sum, count, end] = &lines[..] else { panic!("{file}") };
        assert_eq!(*sum, format!("G85*{:04X}", crc(&file.as_bytes()[body])), "{file}");
        assert_eq!((*count, *end), (format!("SE*{}*0001", lines.len() - 2).as_str(), "DXE*1*1"), "{file}");
        Self(lines.iter().map(|line| line.split('*').map(str::to_owned).collect()).collect())
    }

    /// The numbers behind the segment that begins so.
    fn after(&self, begin: &[&str]) -> Vec<u64> {
        let found: Vec<_> = self
            .0
            .iter()
            .filter(|segment| segment.starts_with(&begin.iter().map(ToString::to_string).collect::<Vec<_>>()))
            .collect();
        let [segment] = &found[..] else { panic!("{begin:?}: {found:?}") };
        segment[begin.len()..].iter().map(|field| field.parse().unwrap()).collect()
    }

    /// Count and value of each slot, ever and since the reset, where something was sold.
    fn slots(&self) -> BTreeMap<&str, Vec<u64>> {
        let pairs = self.0.iter().zip(&self.0[1..]).filter(|(price, _)| price[0] == "PA1");
        let sold = pairs.map(|(price, sold)| {
            assert_eq!(sold[0], "PA2");
            (price[1].as_str(), sold[1..].iter().map(|field| field.parse().unwrap()).collect::<Vec<u64>>())
        });
        sold.filter(|(_, sold)| sold[0] > 0).collect()
    }
}

/// CRC-16 by long division of the mirrored message.
fn crc(bytes: &[u8]) -> u16 {
    let bits = bytes.iter().flat_map(|byte| (0..8).map(move |bit| u32::from(byte >> bit & 1)));
    let rest = bits.chain([0; 16]).fold(0_u32, |rest, bit| {
        let next = rest << 1 | bit;
        if next > 0xFFFF { next ^ 0x1_8005 } else { next }
    });
    u16::try_from(rest).unwrap().reverse_bits()
}

async fn buy(shop: &Shop, slot: &str, price: i64, ending: &str) {
    let order = shop.order(slot, price, "merchant_scans").await;
    shop.scene.scan(&shop.wallet().pay_code()).unwrap();
    shop.order_until(&order, &[ending]).await;
    shop.until_free().await;
}

/// `till audit` with these words and the shop's settings.
async fn audit(shop: &Shop, words: &[&str]) -> String {
    let (config, board) = (shop.scene.config_path.to_str().unwrap(), shop.scene.board_path.to_str().unwrap());
    shop.till(&[&["audit"], words, &["--config", config, "--board", board]].concat()).await
}

async fn file(shop: &Shop, path: &PathBuf, more: &[&str]) -> Read {
    audit(shop, &[&["--dts", path.to_str().unwrap()], more].concat()).await;
    Read::new(&std::fs::read_to_string(path).unwrap())
}

#[tokio::test]
async fn what_was_sold_is_in_one_interval_and_what_is_sold_later_in_the_next() {
    let mut shop = Shop::open().await;
    let place = tempfile::tempdir().unwrap();
    let (water, tea) = (u64::try_from(WATER).unwrap(), u64::try_from(TEA).unwrap());
    buy(&shop, "11", WATER, "completed").await;
    let cash = json!({"amount": TEA, "currency": "CNY", "items": [{"slot": "12"}]});
    let (status, sold) = shop.call_with_key(Method::POST, "/v1/cash-sales", Some(cash), Some("k")).await;
    assert_eq!(status, 201, "{sold}");
    shop.scene.machine.jam("11");
    buy(&shop, "11", WATER, "refunded").await;
    shop.scene.machine.unjam("11");

    let first = file(&shop, &place.path().join("1.dts"), &["--reset"]).await;
    let all = water + tea;
    assert_eq!(first.after(&["VA1"]), [all, 2, all, 2]);
    assert_eq!(first.after(&["CA2"]), [tea, 1, tea, 1]);
    assert_eq!(first.after(&["DA2"]), [water, 1, water, 1]);
    assert_eq!(first.after(&["EA2", "EO_1"]), [1, 1, 0]);
    assert_eq!(first.slots(), BTreeMap::from([("11", vec![1, water, 1, water]), ("12", vec![1, tea, 1, tea])]));

    buy(&shop, "11", WATER, "completed").await;
    let shown: Value = serde_json::from_str(&audit(&shop, &["--json"]).await).unwrap();
    assert_eq!((&shown["resets"], &shown["cashless"]["since_reset"]["amount"]), (&json!(1), &json!(WATER)), "{shown}");
    shop.daemon.kill().await.unwrap();
    let second = file(&shop, &place.path().join("2.dts"), &[]).await;
    assert_eq!(second.after(&["VA1"]), [all + water, 3, water, 1], "also while no daemon runs");
    assert_eq!(second.after(&["EA2", "EO_1"]), [0, 1, 0]);
    assert_eq!(second.slots()["12"], [1, tea, 0, 0]);
    let printed = audit(&shop, &["--dts", "-"]).await;
    assert_eq!(printed, std::fs::read_to_string(place.path().join("2.dts")).unwrap(), "to the byte");

    shop.restart().await;
    shop.till(&["audit", "reset"]).await;
    assert_eq!(file(&shop, &place.path().join("3.dts"), &[]).await.after(&["VA1"]), [all + water, 3, 0, 0]);
}
