//! Pay codes that the machine reads.

use sandbox::allinpay::{App, Fault, TradeState, Weather};

use crate::vsp_till::Till;

#[tokio::test]
async fn every_wallet_pays_a_small_amount_at_once() {
    let till = Till::open().await;
    for (index, (app, trxcode)) in
        [(App::Wechat, "VSP501"), (App::Alipay, "VSP511"), (App::UnionPay, "VSP551"), (App::Ecny, "VSP611")]
            .into_iter()
            .enumerate()
    {
        let code = till.phone_with(app).pay_code();
        let paid = till.charge(&format!("N{index}"), "20000", &code).await;
        assert_eq!((paid.status(), paid.member("trxcode")), ("0000", trxcode), "{}", paid.node);
        assert_eq!((paid.member("trxamt"), paid.member("fee")), ("20000", "120"));
    }
    assert_eq!(till.control.ledger().charged_fen(), 80_000);
}

#[tokio::test]
async fn a_large_amount_waits_for_the_thumb() {
    let till = Till::open().await;
    assert_eq!(till.sell("N1", "20001").await.status(), "2000");
    assert_eq!(till.query("N1").await.status(), "2000");
    let request = till.phone.requests().remove(0);
    assert_eq!((request.out_trade_no.as_str(), request.amount_fen), ("N1", 20_001));
    till.phone.confirm(&request.id).unwrap();
    assert_eq!(till.query("N1").await.status(), "0000");
    till.control.set_weather(Weather::fair().with(Fault::BuyerConfirms));
    till.phone.set_auto_confirm(true);
    assert_eq!(till.sell("N2", "1").await.status(), "2000");
    assert_eq!(till.query("N2").await.status(), "0000");
}

#[tokio::test]
async fn who_does_not_confirm_has_not_paid() {
    let till = Till::open().await;
    till.control.set_weather(Weather::fair().with(Fault::BuyerConfirms));
    till.sell("N1", "100").await;
    till.pass(180_000);
    assert_eq!(till.query("N1").await.status(), "3088");
    assert_eq!(till.control.ledger().charged_fen(), 0);
}

#[tokio::test]
async fn in_progress_first_and_then_paid_or_failed() {
    for (fails, status, charged) in [(false, "0000", 350), (true, "3999", 0)] {
        let till = Till::open().await;
        till.control.set_weather(Weather::fair().with(Fault::Undecided { ms: 30_000, fails }));
        assert_eq!(till.sell("N1", "350").await.status(), "2000");
        till.pass(29_999);
        assert_eq!(till.query("N1").await.status(), "2000");
        till.pass(1);
        assert_eq!(till.query("N1").await.status(), status);
        assert_eq!(till.control.ledger().charged_fen(), charged);
    }
}

#[tokio::test]
async fn a_pay_code_works_once_and_for_a_minute() {
    let till = Till::open().await;
    let code = till.phone.pay_code();
    assert_eq!(till.charge("N1", "100", &code).await.status(), "0000");
    assert_eq!(till.charge("N2", "100", &code).await.status(), "3999", "used");
    assert_eq!(till.charge("N3", "100", "281111111111111111").await.status(), "3999", "nobody's");
    let (old, fresh) = (till.phone.pay_code(), till.phone.pay_code());
    till.pass(59_999);
    assert_eq!(till.charge("N4", "100", &fresh).await.status(), "0000");
    till.pass(1);
    assert_eq!(till.charge("N5", "100", &old).await.status(), "3999", "old");
    let dead = till.phone.pay_code();
    till.control.expire_pay_codes();
    assert_eq!(till.charge("N6", "100", &dead).await.status(), "3999");
    assert_eq!(till.control.ledger().charged_fen(), 200);
}

#[tokio::test]
async fn a_number_is_used_once_even_by_a_trade_that_failed() {
    let till = Till::open().await;
    till.phone.set_balance_fen(99);
    assert_eq!(till.sell("N1", "100").await.status(), "3999");
    assert_eq!(till.query("N1").await.status(), "3999");
    till.phone.set_balance_fen(1000);
    assert_eq!(till.sell("N1", "100").await.status(), "3888");
    assert_eq!(till.sell("N2", "100").await.status(), "0000");
    assert_eq!(till.sell("N2", "100").await.status(), "3888");
    assert_eq!(
        till.ask("/unitorder/pay", &[("reqsn", "N2"), ("trxamt", "1"), ("paytype", "A01")]).await.status(),
        "3888"
    );
    let ledger = till.control.ledger();
    assert_eq!((ledger.charged_fen(), ledger.trade("N1").unwrap().state), (100, TradeState::Failed));
}

#[tokio::test]
async fn an_order_is_not_found_in_its_first_seconds() {
    let till = Till::open().await;
    till.control.set_weather(Weather::fair().with(Fault::Unseen(5_000)));
    assert_eq!(till.sell("N1", "350").await.status(), "0000");
    assert_eq!(till.query("N1").await.status(), "1001");
    till.pass(5_000);
    assert_eq!(till.query("N1").await.status(), "0000");
    assert_eq!(till.query("N2").await.status(), "1001", "never sent");
}

#[tokio::test]
async fn an_order_is_found_by_the_channels_number_and_at_older_addresses() {
    let till = Till::open().await;
    let trxid = till.sell("N1", "350").await.member("trxid").to_owned();
    for path in ["/tranx/query", "/unitorder/query", "/tranx/queryconfirm"] {
        let found = till.ask(path, &[("trxid", &trxid)]).await;
        assert_eq!((found.status(), found.member("reqsn")), ("0000", "N1"), "{path}");
    }
    assert_eq!(till.ask("/tranx/query", &[]).await.retcode(), "FAIL");
}
