//! Codes that the machine shows and the buyer scans.

use qrcode::{Color, QrCode};
use sandbox::{TimeoutStart, TradeState, WalletError};
use serde_json::json;

use crate::till::{Till, precreate_biz};

#[tokio::test]
async fn a_code_nobody_scanned_is_no_trade() {
    let till = Till::open().await;
    let text = till.code(precreate_biz("N1", "3.50")).await;
    assert!(text.starts_with("https://qr.alipay.com/bax"), "{text}");
    let query = till.query("N1").await;
    assert_eq!((query.code(), query.sub_code()), ("40004", "ACQ.TRADE_NOT_EXIST"));
    assert_eq!(query.member("receipt_amount"), "0.00");
    assert_eq!(query.member("out_trade_no"), "N1");
    let close = till.ask("alipay.trade.close", json!({ "out_trade_no": "N1" })).await;
    assert_eq!(close.sub_code(), "ACQ.TRADE_NOT_EXIST");
    let cancel = till.cancel("N1").await;
    assert_eq!((cancel.code(), cancel.member("retry_flag")), ("10000", "N"));
    assert!(cancel.node["action"].is_null() && cancel.node["trade_no"].is_null());
}

#[tokio::test]
async fn a_cancel_does_not_kill_a_code_nobody_scanned() {
    let till = Till::open().await;
    let text = till.code(precreate_biz("N1", "3.50")).await;
    till.cancel("N1").await;
    let scanned = till.phone.scan_text(&text).unwrap();
    till.phone.confirm(&scanned.id).unwrap();
    assert_eq!(till.query("N1").await.member("trade_status"), "TRADE_SUCCESS");
    assert_eq!(till.control.ledger().charged_fen(), 350);
}

#[tokio::test]
async fn the_scan_makes_the_trade_and_the_thumb_pays_it_once() {
    let till = Till::open().await;
    let before = till.phone.balance_fen();
    let text = till.code(precreate_biz("N1", "3.50")).await;
    let scanned = till.phone.scan_text(&text).unwrap();
    assert_eq!((scanned.amount_fen, &*scanned.subject), (350, "可乐 330ml"));
    let waiting = till.query("N1").await;
    assert_eq!(waiting.member("trade_status"), "WAIT_BUYER_PAY");
    assert_eq!(waiting.member("receipt_amount"), "0.00");
    assert_eq!(till.phone.requests()[0].id, scanned.id);
    assert_eq!(till.phone.scan_text(&text), Ok(scanned.clone()));
    till.phone.confirm(&scanned.id).unwrap();
    assert_eq!(till.phone.confirm(&scanned.id), Err(WalletError::AlreadyPaid));
    assert_eq!(till.phone.scan_text(&text), Err(WalletError::AlreadyPaid));
    let paid = till.query("N1").await;
    assert_eq!(paid.member("trade_status"), "TRADE_SUCCESS");
    assert_eq!(paid.member("trade_no"), scanned.id);
    assert_eq!(paid.member("send_pay_date"), "2025-06-01 12:00:00");
    assert_eq!(till.phone.balance_fen(), before - 350);
    assert!(till.phone.requests().is_empty());
}

#[tokio::test]
async fn the_first_scanner_owns_the_trade() {
    let till = Till::open().await;
    let text = till.code(precreate_biz("N1", "3.50")).await;
    let scanned = till.phone.scan_text(&text).unwrap();
    let other = till.control.wallet_of("Wang");
    assert_eq!(other.scan_text(&text), Err(WalletError::BelongsToAnother));
    assert_eq!(other.confirm(&scanned.id), Err(WalletError::BelongsToAnother));
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn a_code_dies_when_asked_and_after_two_hours_at_most() {
    const MINUTE: i64 = 60_000;
    for (field, value, minutes) in [
        ("qr_code_timeout_express", "3m", 3),
        ("qr_code_timeout_express", "3h", 120),
        ("timeout_express", "5m", 5),
        ("time_expire", "2025-06-01 12:07:00", 7),
        ("body", "nothing asked", 120),
    ] {
        let till = Till::open().await;
        let mut biz = precreate_biz("N1", "3.50");
        biz[field] = value.into();
        let text = till.code(biz).await;
        till.pass(minutes * MINUTE - 1);
        assert_eq!(till.control.ledger().open_codes.len(), 1, "{field}={value}");
        till.pass(1);
        assert_eq!(till.phone.scan_text(&text), Err(WalletError::CodeInvalid), "{field}={value}");
        assert!(till.control.ledger().open_codes.is_empty());
    }
}

#[tokio::test]
async fn a_scanned_trade_closes_at_its_own_time() {
    for (start, closed_at_five) in [(TimeoutStart::Request, true), (TimeoutStart::Scan, false)] {
        let till = Till::with(|options| options.timeout_start = start).await;
        let mut biz = precreate_biz("N1", "3.50");
        biz["timeout_express"] = "5m".into();
        let text = till.code(biz).await;
        till.pass(4 * 60_000);
        let scanned = till.phone.scan_text(&text).unwrap();
        till.pass(60_000);
        let closed = till.query("N1").await.member("trade_status") == "TRADE_CLOSED";
        assert_eq!(closed, closed_at_five, "{start:?}");
        till.pass(4 * 60_000);
        assert_eq!(till.phone.confirm(&scanned.id), Err(WalletError::Closed));
    }
}

#[tokio::test]
async fn the_same_number_again_needs_the_same_parameters() {
    let till = Till::open().await;
    let biz = precreate_biz("N1", "3.50");
    let text = till.code(biz.clone()).await;
    assert_eq!(till.code(biz.clone()).await, text);
    let other = till.ask("alipay.trade.precreate", precreate_biz("N1", "3.51")).await;
    assert_eq!(other.sub_code(), "ACQ.CONTEXT_INCONSISTENT");
    let scanned = till.phone.scan_text(&text).unwrap();
    assert_eq!(till.code(biz.clone()).await, text);
    till.phone.confirm(&scanned.id).unwrap();
    let paid = till.ask("alipay.trade.precreate", biz.clone()).await;
    assert_eq!(paid.sub_code(), "ACQ.TRADE_HAS_SUCCESS");
    till.cancel("N1").await;
    let closed = till.ask("alipay.trade.precreate", biz).await;
    assert_eq!(closed.sub_code(), "ACQ.TRADE_HAS_CLOSE");
}

#[tokio::test]
async fn a_dead_code_can_be_made_again_under_its_number() {
    let till = Till::open().await;
    let text = till.code(precreate_biz("N1", "3.50")).await;
    assert!(till.control.expire_code("N1"));
    assert!(!till.control.expire_code("N1"));
    let fresh = till.code(precreate_biz("N1", "3.50")).await;
    assert_ne!(fresh, text);
    assert_eq!(till.phone.scan_text(&text), Err(WalletError::CodeInvalid));
    assert!(till.phone.scan_text(&fresh).is_ok());
}

#[tokio::test]
async fn the_phone_reads_pictures_of_any_size() {
    let till = Till::open().await;
    let text = till.code(precreate_biz("N1", "3.50")).await;
    for (module, width, height) in [(1, 60, 40), (2, 128, 96), (4, 240, 320), (12, 800, 480)] {
        let picture = draw(&text, module, width, height);
        let scanned = till.phone.scan_picture(&picture);
        assert_eq!(scanned.map(|scanned| scanned.amount_fen), Ok(350), "{module} px modules");
    }
    let blank = draw("", 0, 100, 100);
    assert_eq!(till.phone.scan_picture(&blank), Err(WalletError::NoCode));
    assert_eq!(till.phone.scan_picture(b"no picture"), Err(WalletError::NoCode));
    let foreign = draw("weixin://wxpay/bizpayurl?pr=x", 4, 200, 200);
    assert_eq!(till.phone.scan_picture(&foreign), Err(WalletError::CodeInvalid));
    assert_eq!(till.control.ledger().trades[0].state, TradeState::WaitBuyerPay);
}

/// A screen with a QR in its middle; `module` 0 leaves it blank.
fn draw(text: &str, module: usize, width: usize, height: usize) -> Vec<u8> {
    let code = QrCode::new(text).unwrap();
    let (side, colors) = (code.width(), code.to_colors());
    let (left, top) = ((width - side * module) / 2, (height - side * module) / 2);
    let mut rgb = vec![255; width * height * 3];
    for (index, _) in colors.iter().enumerate().filter(|(_, color)| **color == Color::Dark) {
        for pixel in 0..module * module {
            let x = left + index % side * module + pixel % module;
            let y = top + index / side * module + pixel / module;
            rgb[(y * width + x) * 3..][..3].copy_from_slice(&[10, 10, 60]);
        }
    }
    let mut file = Vec::new();
    let (w, h) = (u32::try_from(width).unwrap(), u32::try_from(height).unwrap());
    let mut encoder = png::Encoder::new(&mut file, w, h);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header().unwrap().write_image_data(&rgb).unwrap();
    file
}
