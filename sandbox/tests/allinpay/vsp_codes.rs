//! Codes on the screen: made is not paid, and the first payer has the order.

use sandbox::allinpay::{App, Fault, LateMoney, TradeState, WalletError, Weather};

use crate::vsp_till::Till;

#[tokio::test]
async fn a_code_that_was_made_is_not_paid() {
    let till = Till::open().await;
    till.native("N1", "350").await;
    assert_eq!(till.query("N1").await.status(), "2000");
    assert_eq!(till.control.ledger().charged_fen(), 0);
    for status in ["2008", "1001"] {
        let till = Till::with(|options| options.unpaid_status = status.to_owned()).await;
        till.native("N1", "350").await;
        assert_eq!(till.query("N1").await.status(), status);
    }
}

#[tokio::test]
async fn each_paytype_is_for_its_wallet() {
    let till = Till::open().await;
    for (index, (paytype, app, trxcode)) in [
        ("W01", App::Wechat, "VSP501"),
        ("A01", App::Alipay, "VSP511"),
        ("U01", App::UnionPay, "VSP551"),
        ("S01", App::Ecny, "VSP611"),
        ("S03", App::Ecny, "VSP611"),
    ]
    .into_iter()
    .enumerate()
    {
        let number = format!("N{index}");
        let text = till.code(&number, "100", paytype).await;
        for other in App::ALL.into_iter().filter(|other| *other != app) {
            assert_eq!(till.phone_with(other).scan_text(&text), Err(WalletError::WrongApp), "{paytype} {other:?}");
        }
        let phone = till.phone_with(app);
        let scanned = phone.scan_text(&text).unwrap();
        assert_eq!((scanned.amount_fen, scanned.subject.as_str()), (100, "可乐 330ml"));
        phone.confirm(&scanned.id).unwrap();
        let paid = till.query(&number).await;
        assert_eq!((paid.status(), paid.member("trxcode")), ("0000", trxcode));
        assert_eq!((paid.member("trxamt"), paid.member("fintime")), ("100", "20250601120000"));
        assert_eq!(paid.member("acct"), phone.user_id());
    }
}

#[tokio::test]
async fn all_wallets_open_an_aggregated_code_and_the_first_payer_has_it() {
    let till = Till::open().await;
    let text = till.native("N1", "350").await;
    let wei = till.control.wallet_of("Wei").using(App::Ecny);
    let (first, second) = (till.phone.scan_text(&text).unwrap(), wei.scan_text(&text).unwrap());
    wei.confirm(&second.id).unwrap();
    assert_eq!(till.phone.confirm(&first.id), Err(WalletError::AlreadyPaid));
    let ledger = till.control.ledger();
    assert_eq!((ledger.charged_fen(), ledger.trades[0].buyer.as_str(), ledger.trades[0].app), (350, "Wei", App::Ecny));
    assert_eq!(wei.balance_fen() + 350, till.phone.balance_fen());
}

#[tokio::test]
async fn a_code_works_by_its_exact_text_until_its_end() {
    let till = Till::open().await;
    let text = till.native("N1", "350").await;
    assert_eq!(till.phone.scan_text(&format!("{text} ")), Err(WalletError::CodeInvalid));
    till.pass(599_999);
    let scanned = till.phone.scan_text(&text).unwrap();
    till.pass(1);
    assert_eq!(till.phone.confirm(&scanned.id), Err(WalletError::CodeInvalid));
    assert_eq!(till.query("N1").await.status(), "3088");
    assert!(till.control.ledger().open_codes.is_empty());
}

#[tokio::test]
async fn an_unpaid_order_closes_by_the_call_of_its_kind() {
    let till = Till::open().await;
    let native = till.native("N1", "350").await;
    let code = till.code("N2", "350", "A01").await;
    for (path, number, status) in [
        ("/unitorder/close", "N1", "3999"),
        ("/unitorder/closenative", "N2", "3999"),
        ("/unitorder/closenative", "N1", "0000"),
        ("/tranx/close", "N2", "0000"),
        ("/unitorder/closenative", "N9", "1001"),
    ] {
        assert_eq!(till.ask(path, &[("oldreqsn", number)]).await.status(), status, "{path} {number}");
    }
    assert_eq!(till.phone.scan_text(&native), Err(WalletError::Closed));
    assert_eq!(till.phone_with(App::Alipay).scan_text(&code), Err(WalletError::Closed));
    assert_eq!((till.query("N1").await.status(), till.query("N2").await.status()), ("3045", "3050"));
}

#[tokio::test]
async fn a_paid_order_does_not_close() {
    let till = Till::open().await;
    till.phone.set_auto_confirm(true);
    let text = till.native("N1", "350").await;
    assert!(till.phone.scan_text(&text).unwrap().paid);
    assert_eq!(till.ask("/unitorder/closenative", &[("oldreqsn", "N1")]).await.status(), "3999");
    assert_eq!(till.query("N1").await.status(), "0000");
}

#[tokio::test]
async fn a_payment_confirmed_just_before_the_close_can_land_after_it() {
    for (despite_close, charged, status) in [(true, 350, "0000"), (false, 0, "3045")] {
        let till = Till::open().await;
        till.control.set_weather(Weather::fair().with(Fault::PaysLate { ms: 1000, despite_close }));
        let text = till.native("N1", "350").await;
        let scanned = till.phone.scan_text(&text).unwrap();
        till.phone.confirm(&scanned.id).unwrap();
        assert_eq!(till.ask("/unitorder/closenative", &[("oldreqsn", "N1")]).await.status(), "0000");
        till.pass(1000);
        assert_eq!(till.query("N1").await.status(), status);
        assert_eq!(till.control.ledger().charged_fen(), charged);
    }
}

#[tokio::test]
async fn late_money_can_be_sent_back_by_the_channel() {
    let day = 24 * 3_600_000;
    let till = Till::with(|options| options.house.late_money = LateMoney::SentBack { after_ms: day }).await;
    till.control.set_weather(Weather::fair().with(Fault::PaysLate { ms: 700_000, despite_close: true }));
    let scanned = till.phone.scan_text(&till.native("N1", "350").await).unwrap();
    till.phone.confirm(&scanned.id).unwrap();
    till.pass(700_000);
    assert_eq!(till.query("N1").await.status(), "3088");
    assert_eq!(till.control.ledger().net_fen(), 350);
    till.pass(day);
    let ledger = till.control.ledger();
    assert_eq!((ledger.net_fen(), ledger.trades[0].state), (0, TradeState::Expired));
    assert_eq!(ledger.trades[0].refunds[0].out_request_no, None);
}

#[tokio::test]
async fn a_buyer_without_money_pays_nothing_and_may_refuse() {
    let till = Till::open().await;
    let scanned = till.phone.scan_text(&till.native("N1", "350").await).unwrap();
    till.phone.set_balance_fen(349);
    assert_eq!(till.phone.confirm(&scanned.id), Err(WalletError::NotEnoughMoney));
    assert_eq!(till.phone.requests().len(), 1);
    till.phone.refuse(&scanned.id).unwrap();
    assert!(till.phone.requests().is_empty());
    assert_eq!(till.query("N1").await.status(), "2000");
    assert_eq!((till.phone.balance_fen(), till.control.ledger().charged_fen()), (349, 0));
}

#[tokio::test]
async fn a_phone_reads_the_code_from_a_picture() {
    let till = Till::open().await;
    let text = till.code("N1", "350", "W01").await;
    assert_eq!(till.phone.scan_picture(b"no picture"), Err(WalletError::NoCode));
    assert_eq!(till.phone.scan_picture(&picture(&text)).unwrap().amount_fen, 350);
}

fn picture(text: &str) -> Vec<u8> {
    let code = qrcode::QrCode::new(text).unwrap();
    let (width, size) = (code.width(), code.width() + 8);
    let dark = |x: usize, y: usize| {
        (4..width + 4).contains(&x) && (4..width + 4).contains(&y) && code[(x - 4, y - 4)] == qrcode::Color::Dark
    };
    let scale = 4;
    let pixels: Vec<u8> = (0..size * scale)
        .flat_map(|y| (0..size * scale).map(move |x| (x / scale, y / scale)))
        .map(|(x, y)| if dark(x, y) { 0 } else { 255 })
        .collect();
    let mut bytes = Vec::new();
    let side = u32::try_from(size * scale).unwrap();
    let mut encoder = png::Encoder::new(&mut bytes, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    bytes
}
