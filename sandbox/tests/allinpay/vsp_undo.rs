//! Cancel and refund: a new number, the right sum, and money to give back.

use sandbox::allinpay::{Fault, TradeState, Weather};

use crate::vsp_till::Till;

const CANCEL: &str = "/tranx/cancel";
const REFUND: &str = "/tranx/refund";

async fn sold() -> Till {
    let till = Till::open().await;
    assert_eq!(till.sell("N1", "350").await.status(), "0000");
    till
}

#[tokio::test]
async fn a_cancel_returns_the_whole_sum_on_the_same_day() {
    let till = sold().await;
    assert_eq!(till.undo(CANCEL, "N1", "N1", "350").await.status(), "3888", "not a new number");
    assert_eq!(till.undo(CANCEL, "C1", "N1", "349").await.status(), "3999", "not the whole sum");
    assert_eq!(till.undo(CANCEL, "C1", "N9", "350").await.status(), "1001");
    let done = till.undo(CANCEL, "C1", "N1", "350").await;
    assert_eq!((done.status(), done.member("trxcode")), ("0000", "VSP502"));
    assert_eq!(till.undo(CANCEL, "C2", "N1", "350").await.status(), "3999", "twice");
    assert_eq!((till.query("N1").await.status(), till.query("C1").await.status()), ("3050", "0000"));
    let ledger = till.control.ledger();
    assert_eq!((ledger.net_fen(), ledger.trades[0].state), (0, TradeState::Cancelled));
    assert_eq!(till.phone.balance_fen(), 10_000_000);
}

#[tokio::test]
async fn the_next_day_only_a_refund_returns_money() {
    let till = sold().await;
    till.pass(12 * 3_600_000);
    assert_eq!(till.undo(CANCEL, "C1", "N1", "350").await.status(), "3999");
    assert_eq!(till.undo(REFUND, "R1", "N1", "350").await.status(), "0000");
    assert_eq!(till.control.ledger().net_fen(), 0);
}

#[tokio::test]
async fn a_cancel_closes_what_nobody_paid() {
    let till = Till::open().await;
    till.control.set_weather(Weather::fair().with(Fault::BuyerConfirms.times(1)));
    assert_eq!(till.sell("N1", "350").await.status(), "2000");
    let id = till.phone.requests()[0].id.clone();
    assert_eq!(till.undo(CANCEL, "C1", "N1", "350").await.status(), "0000");
    assert!(till.phone.confirm(&id).is_err());
    assert_eq!(till.query("N1").await.status(), "3050");
    assert_eq!(till.undo(CANCEL, "C2", "N1", "350").await.status(), "3089", "it is closed");
    let ledger = till.control.ledger();
    assert_eq!((ledger.charged_fen(), ledger.refunded_fen(), ledger.trades[0].refunds.len()), (0, 0, 0));
}

#[tokio::test]
async fn refunds_return_parts_and_never_more_than_was_paid() {
    let till = sold().await;
    assert_eq!(till.undo(REFUND, "R1", "N1", "100").await.status(), "0000");
    assert_eq!(till.undo(REFUND, "R1", "N1", "100").await.status(), "3888");
    assert_eq!(till.undo(REFUND, "R2", "N1", "251").await.status(), "3999");
    let rest = till.undo("/unitorder/refund", "R3", "N1", "250").await;
    assert_eq!((rest.status(), rest.member("trxcode"), rest.member("trxamt")), ("0000", "VSP503", "250"));
    assert_eq!(till.undo(CANCEL, "C1", "N1", "350").await.status(), "3999", "after a refund");
    assert_eq!(till.query("N1").await.status(), "0000", "a refunded order stays paid");
    assert_eq!(till.query("R1").await.member("trxamt"), "100");
    let ledger = till.control.ledger();
    assert_eq!((ledger.refunded_fen(), ledger.trades[0].refunds.len()), (350, 2));
}

#[tokio::test]
async fn what_is_not_paid_is_not_refunded() {
    let till = Till::open().await;
    till.native("N1", "350").await;
    assert_eq!(till.undo(REFUND, "R1", "N1", "350").await.status(), "3999");
    assert_eq!(till.ask(REFUND, &[("reqsn", "R2"), ("trxamt", "1")]).await.retcode(), "FAIL", "of which order?");
}

#[tokio::test]
async fn a_return_can_be_in_progress_first() {
    for (fails, status, net) in [(false, "0000", 0), (true, "3999", 350)] {
        for path in [CANCEL, REFUND] {
            let till = sold().await;
            till.control.set_weather(Weather::fair().with(Fault::Undecided { ms: 10_000, fails }));
            assert_eq!(till.undo(path, "R1", "N1", "350").await.status(), "2000");
            assert_eq!(till.undo(REFUND, "R2", "N1", "1").await.status(), "3999", "the money is set aside");
            till.pass(10_000);
            assert_eq!(till.query("R1").await.status(), status, "{path}");
            assert_eq!(till.control.ledger().net_fen(), net, "{path}");
        }
    }
}

#[tokio::test]
async fn an_empty_balance_returns_nothing() {
    for used in [true, false] {
        let till = Till::with(|options| options.failed_refunds_use_number = used).await;
        till.sell("N1", "350").await;
        till.control.set_merchant_balance_fen(Some(100));
        assert_eq!(till.undo(REFUND, "R1", "N1", "350").await.status(), "3008");
        assert_eq!(till.query("R1").await.status(), if used { "3008" } else { "1001" });
        till.sell("N2", "250").await;
        assert_eq!(till.undo(REFUND, "R1", "N1", "350").await.status(), if used { "3888" } else { "0000" });
        if used {
            assert_eq!(till.undo(REFUND, "R2", "N1", "350").await.status(), "0000");
        }
        assert_eq!((till.control.merchant_balance_fen(), till.control.ledger().net_fen()), (Some(0), 250));
    }
}
