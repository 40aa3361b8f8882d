//! The merchant scans, over APIv3: codes that work once, the flows of reference 5.7, reverses.

use sandbox::wechat::{Fault, Operation, PayingForm, TradeState, Weather};
use serde_json::json;

use crate::calling::Answer;
use crate::till::{CODEPAY, NATIVE, Till, codepay, native};

async fn pay(till: &Till, number: &str, fen: i64) -> Answer {
    till.post(CODEPAY, codepay(number, fen, &till.phone.pay_code())).await
}

async fn pay_under(till: &Till, fault: Fault) -> Answer {
    till.control.set_weather(Weather::fair().with(fault.on(Operation::CodePay).times(1)));
    pay(till, "C00001", 350).await
}

#[tokio::test]
async fn a_code_has_18_digits_of_wechat_and_pays_at_once() {
    let till = Till::open().await;
    for _ in 0..50 {
        let code = till.phone.pay_code();
        assert!(code.len() == 18 && ("10"..="15").contains(&&code[..2]), "{code}");
    }
    let answer = pay(&till, "C00001", 350).await;
    assert_eq!((&*answer.member("/trade_state"), &*answer.member("/trade_type")), ("SUCCESS", "MICROPAY"));
    assert_eq!(answer.member("/scene_info/device_id"), "CT0007");
    assert_eq!(till.trade("C00001").charged_fen, 350);
}

#[tokio::test]
async fn a_code_works_once_for_a_minute_and_only_in_its_form() {
    let till = Till::open().await;
    let used = till.phone.pay_code();
    till.post(CODEPAY, codepay("C00001", 350, &used)).await;
    let old = till.phone.pay_code();
    till.pass(60_000);
    let cases = [
        (&*used, "AUTH_CODE_ERROR"),
        (&*old, "AUTHCODEEXPIRE"),
        ("130061098828009406", "AUTH_CODE_INVALID"),
        ("280061098828009406", "AUTH_CODE_INVALID"),
    ];
    for (index, (code, refusal)) in cases.into_iter().enumerate() {
        let answer = till.post(CODEPAY, codepay(&format!("C1000{index}"), 350, code)).await;
        assert_eq!((answer.status, &*answer.code()), (400, refusal));
    }
    assert_eq!(till.control.ledger().charged_fen(), 350);
}

#[tokio::test]
async fn the_same_number_pays_once() {
    let till = Till::open().await;
    let body = codepay("C00001", 350, &till.phone.pay_code());
    till.post(CODEPAY, body.clone()).await;
    assert_eq!(till.post(CODEPAY, body).await.code(), "ORDERPAID");
    let other = pay(&till, "C00001", 350).await;
    assert_eq!((other.status, &*other.code()), (403, "OUT_TRADE_NO_USED"));
    assert_eq!(till.post(NATIVE, native("C00001", 350)).await.code(), "OUT_TRADE_NO_USED");
    assert_eq!(till.control.ledger().charged_fen(), 350);
}

#[tokio::test]
async fn who_has_too_little_pays_nothing() {
    let till = Till::open().await;
    till.phone.set_balance_fen(349);
    assert_eq!(pay(&till, "C00001", 350).await.code(), "NOTENOUGH");
    assert_eq!(till.query("C00001").await.member("/trade_state"), "PAYERROR");
    assert_eq!(till.phone.balance_fen(), 349);
}

#[tokio::test]
async fn the_buyer_types_and_pays_or_walks_off() {
    for (refuses, state) in [(false, "SUCCESS"), (true, "PAYERROR")] {
        let till = Till::open().await;
        assert_eq!(pay_under(&till, Fault::BuyerConfirms).await.member("/trade_state"), "USERPAYING");
        let request = till.phone.requests().remove(0);
        assert_eq!((&*request.out_trade_no, request.amount_fen), ("C00001", 350));
        match refuses {
            true => till.phone.refuse(&request.id).unwrap(),
            false => till.phone.confirm(&request.id).unwrap(),
        }
        assert_eq!(till.query("C00001").await.member("/trade_state"), state);
    }
}

#[tokio::test]
async fn nobody_types_for_ever() {
    let till = Till::open().await;
    pay_under(&till, Fault::BuyerConfirms).await;
    till.pass(3 * 60_000);
    assert_eq!(till.query("C00001").await.member("/trade_state"), "PAYERROR");
}

#[tokio::test]
async fn the_weather_says_at_which_query_the_buyer_has_paid_or_failed() {
    for (fault, state) in [(Fault::PaysAtQuery(3), "SUCCESS"), (Fault::FailsAtQuery(3), "PAYERROR")] {
        let till = Till::open().await;
        pay_under(&till, fault).await;
        for expected in ["USERPAYING", "USERPAYING", state, state] {
            assert_eq!(till.query("C00001").await.member("/trade_state"), expected);
        }
    }
}

#[tokio::test]
async fn typing_is_told_in_every_form_that_sources_name() {
    for (form, status) in [(PayingForm::TradeState, 200), (PayingForm::Accepted, 202), (PayingForm::Refused, 400)] {
        let till = Till::with(|options| options.paying_form = form).await;
        let answer = pay_under(&till, Fault::BuyerConfirms).await;
        assert_eq!(answer.status, status);
        assert!(answer.text().contains("USERPAYING"));
        assert_eq!(till.trade("C00001").state, TradeState::UserPaying);
    }
}

#[tokio::test]
async fn large_amounts_and_by_wish_repeated_ones_ask_for_the_password() {
    let till = Till::with(|options| options.repeat_amount_confirms = true).await;
    assert_eq!(pay(&till, "C00001", 100_000).await.member("/trade_state"), "SUCCESS");
    assert_eq!(pay(&till, "C00002", 100_001).await.member("/trade_state"), "USERPAYING");
    assert_eq!(pay(&till, "C00003", 100_000).await.member("/trade_state"), "USERPAYING");
    assert_eq!(pay(&till, "C00004", 350).await.member("/trade_state"), "SUCCESS");
    till.pass(60_000);
    assert_eq!(pay(&till, "C00005", 350).await.member("/trade_state"), "SUCCESS");
}

#[tokio::test]
async fn queries_may_not_know_an_order_for_a_while() {
    let till = Till::open().await;
    pay_under(&till, Fault::HiddenFor(3000)).await;
    assert_eq!(till.query("C00001").await.code(), "ORDER_NOT_EXIST");
    till.pass(3000);
    assert_eq!(till.query("C00001").await.member("/trade_state"), "SUCCESS");
}

#[tokio::test]
async fn a_code_pay_order_cannot_be_closed_and_a_native_one_not_reversed() {
    let till = Till::open().await;
    pay_under(&till, Fault::BuyerConfirms).await;
    assert_eq!(till.close("C00001").await.code(), "INVALID_REQUEST");
    till.code("N00001", 350).await;
    till.pass(15_000);
    assert_eq!(till.reverse("N00001").await.code(), "INVALID_REQUEST");
}

#[tokio::test]
async fn a_reverse_waits_15_seconds_then_closes_or_returns_again_and_again() {
    for (confirms, back) in [(false, 0), (true, 350)] {
        let till = Till::open().await;
        pay_under(&till, Fault::BuyerConfirms).await;
        if confirms {
            till.phone.confirm(&till.phone.requests()[0].id).unwrap();
        }
        till.pass(14_999);
        assert_eq!(till.reverse("C00001").await.status, 400);
        till.pass(1);
        for _ in 0..2 {
            let answer = till.reverse("C00001").await;
            assert_eq!((answer.status, &*answer.member("/out_trade_no")), (200, "C00001"));
        }
        let trade = till.trade("C00001");
        assert_eq!((trade.state, trade.refunded_fen, trade.net_fen()), (TradeState::Revoked, back, 0));
        assert_eq!(till.query("C00001").await.member("/trade_state"), "REVOKED");
    }
}

#[tokio::test]
async fn money_that_arrives_after_the_terminal_gave_up_is_returned_by_the_reverse() {
    let till = Till::open().await;
    till.control.set_weather(Weather::fair().with(Fault::PaysLate { ms: 20_000, despite_close: false }.times(1)));
    assert_eq!(pay(&till, "C00001", 350).await.member("/trade_state"), "USERPAYING");
    till.pass(20_000);
    assert_eq!(till.trade("C00001").charged_fen, 350);
    assert_eq!(till.reverse("C00001").await.status, 200);
    assert_eq!((till.trade("C00001").net_fen(), till.phone.balance_fen()), (0, 10_000_000));
}

#[tokio::test]
async fn a_reverse_that_does_nothing_says_so() {
    let till = Till::open().await;
    pay(&till, "C00001", 350).await;
    till.pass(15_000);
    for (fault, status, code) in
        [(Fault::RecallReverse, 500, "SYSTEM_ERROR"), (Fault::ReverseWhilePaying, 400, "USERPAYING")]
    {
        till.control.set_weather(Weather::fair().with(fault.times(1)));
        let answer = till.reverse("C00001").await;
        assert_eq!((answer.status, &*answer.code()), (status, code));
        assert_eq!(till.trade("C00001").state, TradeState::Success);
    }
    assert_eq!(till.reverse("C00009").await.code(), "ORDER_NOT_EXIST");
    till.pass(7 * 24 * 3_600_000);
    assert_eq!(till.reverse("C00001").await.code(), "REVERSE_EXPIRE");
}

#[tokio::test]
async fn the_scene_needs_a_store_and_the_number_no_bar() {
    let till = Till::open().await;
    let mut body = codepay("C00001", 350, "130061098828009406");
    body["scene_info"] = json!({ "device_id": "CT0007" });
    assert_eq!(till.post(CODEPAY, body).await.member("/detail/field"), "/scene_info/store_info");
    let body = codepay("C0000|1", 350, "130061098828009406");
    assert_eq!(till.post(CODEPAY, body).await.member("/detail/field"), "/out_trade_no");
}
