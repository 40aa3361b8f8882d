//! Receipts on paper: the shipped daemon, the shipped driver, and a simulated printer behind a pseudo-terminal.

use std::path::PathBuf;

use hal::sim::port::SimPort;
use hal::sim::printer::Printer;
use reqwest::Method;

use crate::shop::{Shop, WATER, within};

const ROLL: usize = 100_000;

struct Counter {
    shop: Shop,
    printer: SimPort<Printer>,
}

impl Counter {
    /// A shop with a printer, and a word in `[sell] print_receipts`.
    async fn open(word: &str, roll: usize) -> Self {
        let mut port = PathBuf::new();
        let mut printer = None;
        let shop = Shop::open_with(
            |options| {
                std::fs::create_dir_all(&options.dir).unwrap();
                port = options.dir.join("printer");
                printer = Some(SimPort::start(&port, Printer::new(32, roll)).unwrap());
                let (before, section) = options.board.split_once("[printer]").unwrap();
                let wired = format!("kind = \"serial\"\npath = \"{}\"", port.display());
                options.board = format!("{before}[printer]{}", section.replacen("kind = \"none\"", &wired, 1));
                options.extra_config.push_str(&format!("[sell]\nprint_receipts = \"{word}\"\n"));
            },
            None,
        );
        let shop = shop.await;
        Self { shop, printer: printer.unwrap() }
    }

    async fn sell(&self, ending: &str) -> String {
        let order = self.shop.order("11", WATER, "merchant_scans").await;
        self.shop.scene.scan(&self.shop.wallet().pay_code()).unwrap();
        self.shop.order_until(&order, &[ending]).await;
        self.shop.until_free().await;
        order
    }

    fn sheets(&self) -> Vec<String> {
        self.printer.with(|printer, _| printer.receipts().iter().map(|sheet| sheet.lines.join("\n")).collect())
    }

    async fn printed(&self, count: usize) -> Vec<String> {
        within("the receipts", self.printer.until(|printer| printer.receipts().len() >= count)).await;
        self.sheets()
    }
}

#[tokio::test]
async fn a_buyer_who_has_the_goods_gets_a_receipt_and_every_further_one_is_a_copy() {
    let counter = Counter::open("always", ROLL).await;
    let order = counter.sell("completed").await;
    let sheets = counter.printed(1).await;
    for part in ["收据", "Spring water", "￥2.00", "支付宝", &order] {
        assert!(sheets[0].replace('\n', "").contains(part), "no {part:?} on\n{}", sheets[0]);
    }
    assert!(!sheets[0].contains("COPY"));
    let told = counter.shop.till(&["receipt", &order, "--print"]).await;
    assert!(told.contains("marked as a copy"), "{told}");
    assert!(counter.printed(2).await[1].contains("COPY"));
    // Nothing fell, the money went back: no receipt comes out by itself.
    counter.shop.scene.machine.jam("11");
    counter.sell("refunded").await;
    assert_eq!(counter.sheets().len(), 2);
}

#[tokio::test]
async fn a_receipt_that_is_only_printed_when_asked_is_no_copy_the_first_time() {
    let counter = Counter::open("asked", ROLL).await;
    let order = counter.sell("completed").await;
    assert_eq!(counter.sheets().len(), 0);
    counter.shop.till(&["receipt", &order, "--print"]).await;
    counter.shop.till(&["receipt", &order, "--print"]).await;
    let sheets = counter.printed(2).await;
    assert_eq!([sheets[0].contains("COPY"), sheets[1].contains("COPY")], [false, true]);
}

#[tokio::test]
async fn an_empty_roll_stops_no_sale_and_says_so_to_who_asks() {
    let counter = Counter::open("always", 0).await;
    counter.shop.fault_until("printer", true).await;
    let order = counter.sell("completed").await;
    let (status, problem) = counter.shop.call(Method::POST, &format!("/v1/orders/{order}/print"), None).await;
    assert_eq!((status, &problem["code"]), (503, &"printer_not_ready".into()), "{problem}");
    let never = Counter::open("never", ROLL).await;
    let order = never.sell("completed").await;
    let (status, problem) = never.shop.call(Method::POST, &format!("/v1/orders/{order}/print"), None).await;
    assert_eq!((status, &problem["code"]), (409, &"no_printer".into()), "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("print_receipts"), "{problem}");
    assert_eq!(never.sheets().len(), 0);
}
