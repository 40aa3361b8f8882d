//! What only WeChat Pay does: reverses that have to wait, refunds that end closed, reports of deliveries, signatures that
//! are a trap, keys that change, and a second host.

use std::time::Duration;

use payment::channel::ChannelId;
use reqwest::Method;
use sandbox::wechat::{self, CallOutcome, CallRecord, Control, Fault, Host, KeyMode, Operation, RefundState, Weather};
use serde_json::json;
use till::demo::scene::SceneOptions;

use crate::evening::{Evening, QUICK, numbers};
use crate::gate::Money;
use crate::shop::WATER;
use crate::three_books;

async fn evening(change: impl FnOnce(&mut SceneOptions)) -> (Evening, Control) {
    let evening = Evening::with(ChannelId::Wechat, change).await;
    let control = evening.shop.scene.wechat.as_ref().unwrap().control();
    (evening, control)
}

fn reports_deliveries(options: &mut SceneOptions) {
    options.channels.wechat.delivery_lag_ms = 300;
    options.extra_config = format!(
        "{QUICK}[channels.wechat]\ndelivery_secret_file = \"keys/wechat_appsecret\"\ndelivery_token = \"plain\"\n"
    );
}

fn calls_of(control: &Control, operation: Operation) -> Vec<CallRecord> {
    control.calls().into_iter().filter(|call| call.operation == Some(operation)).collect()
}

#[tokio::test]
async fn a_reverse_that_comes_too_early_is_repeated_until_it_is_taken() {
    let reverse_after_ms = 1_200;
    let (evening, control) = evening(|options| {
        options.channels.wechat.reverse_after_ms = reverse_after_ms;
        options.extra_config = format!("{QUICK}confirm_total_ms = 400\n");
    })
    .await;
    // The buyer pays, and nobody hears of it: every answer about the payment is lost until the machine gives up.
    for lost in [Operation::MicroPay, Operation::OrderQuery] {
        control.add_weather(Fault::DropReply.on(lost));
    }
    let order = evening.orders("merchant_scans").await;
    evening.shows_pay_code("Lin");
    evening.waits_for(&order, "an attempt", |order| !numbers(order).is_empty()).await;
    evening.moved(&order, Money::returned(WATER)).await;
    let reverses = calls_of(&control, Operation::SecApiReverse);
    let (taken, early): (Vec<&CallRecord>, Vec<&CallRecord>) = reverses.iter().partition(|call| call.executed);
    assert!(!early.is_empty() && taken.len() == 1, "{reverses:#?}");
    let paid = calls_of(&control, Operation::MicroPay)[0].at_ms;
    assert!(taken[0].at_ms >= paid + reverse_after_ms, "{reverses:#?}");
    assert_eq!(evening.shop.fallen(), 0);
    control.set_weather(Weather::fair());
}

#[tokio::test]
async fn a_delivery_that_the_channel_never_takes_is_an_alarm_that_a_person_ends() {
    let (evening, control) = evening(reports_deliveries).await;
    // The machine's address is not on the application's list.
    let refusal = Fault::Code { status: 200, code: "40164".to_owned(), executed: false };
    control.add_weather(refusal.on(Operation::UploadShipping));
    let sold = evening.sells().await;
    let refused = |order: &serde_json::Value| order["duties"][0]["state"] == "refused";
    evening.waits_for(&sold, "the refusal", refused).await;
    let fault = format!("duty-{sold}");
    let alarms = || async { evening.shop.get("/v1/terminal").await["faults"].to_string() };
    assert!(alarms().await.contains(&fault), "{}", alarms().await);
    let path = format!("/v1/orders/{sold}/duties/done");
    let said = json!({ "by": "Wang", "why": "reported in the console" });
    let (status, told) = evening.shop.call(Method::POST, &path, Some(said.clone())).await;
    assert_eq!((status, &told["duties"][0]["state"]), (200, &json!("done")), "{told:#}");
    assert_eq!(told["duties"][0]["done_by"], "Wang");
    let (status, again) = evening.shop.call(Method::POST, &path, Some(said.clone())).await;
    assert_eq!((status, &again["code"]), (409, &json!("no_duty")), "{again:#}");
    assert!(!alarms().await.contains(&fault));
}

#[tokio::test]
async fn a_closed_refund_is_made_again_under_a_new_number_and_a_delivery_is_reported() {
    let (evening, control) = evening(reports_deliveries).await;
    let sold = evening.sells().await;
    let number = &numbers(&evening.shop.get(&format!("/v1/orders/{sold}")).await)[0];
    let reported = |ledger: &wechat::Ledger| ledger.trade(number).is_some_and(|trade| trade.deliveries == 1);
    crate::shop::within("the report of the delivery", control.until(reported)).await;

    control.add_weather(Fault::RefundEnds(RefundState::Closed).on(Operation::Refund).times(1));
    evening.asks_for_refund(&sold, json!({}), "closed").await;
    evening.moved(&sold, Money::returned(WATER)).await;
    let order = evening.waits_for(&sold, "the money back", |order| order["refunded"] == WATER).await;
    let states: Vec<&str> =
        order["refunds"].as_array().unwrap().iter().map(|refund| refund["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["replaced", "done"], "{order:#}");
    let ledger = control.ledger();
    let refunds = &ledger.trade(number).unwrap().refunds;
    assert_eq!(
        refunds.iter().map(|refund| refund.state).collect::<Vec<_>>(),
        [RefundState::Closed, RefundState::Success]
    );
    assert_ne!(refunds[0].out_refund_no, refunds[1].out_refund_no);
    three_books::ledger_journal_and_statement_agree(&evening).await;
}

#[tokio::test]
async fn a_probe_of_the_signature_check_is_not_believed_and_asked_again() {
    let (evening, control) = evening(|_| ()).await;
    let order = evening.orders("buyer_scans").await;
    let id = evening.scans("Lin", WATER).await;
    // Every answer to the question whether it was paid carries the trap, until the fourth.
    control.add_weather(Fault::Probe.on(Operation::Query).times(3));
    evening.gate.confirm("Lin", &id).unwrap();
    evening.is_sold(&order).await;
    let probes = control.probes();
    assert!(probes.len() == 3 && probes.iter().all(|probe| probe.asked_again), "{probes:#?}");
}

#[tokio::test]
async fn a_platform_certificate_that_is_not_known_yet_is_fetched_and_the_sale_goes_on() {
    let (evening, control) = evening(|options| options.channels.wechat.mode = KeyMode::Certificate).await;
    evening.sells().await;
    control.rotate_signing_key();
    let order = evening.orders("buyer_scans").await;
    evening.scans_and_pays("Lin").await;
    evening.is_sold(&order).await;
    assert!(!calls_of(&control, Operation::Certificates).is_empty(), "signed by a key that nobody fetched");
}

#[tokio::test]
async fn a_warning_that_the_operator_forwards_is_an_alarm_and_stops_no_sale() {
    let (evening, control) = evening(|_| ()).await;
    let plain = json!({ "out_trade_no": "P1", "mchid": "1900000001", "risk_type": 1, "risk_level": 3 });
    let notice = control.event_notice("RISKTRADE.IDENTIFICATION", "risktrade", plain).unwrap();
    let client = reqwest::Client::builder().unix_socket(evening.shop.scene.socket_path.clone()).build().unwrap();
    let forward = async |body: String| {
        let mut request = client.post("http://till/v1/notices/wechat").body(body);
        for (name, value) in &notice.headers {
            request = request.header(name, value);
        }
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(forward(notice.body.replace("P1", "P2").replace('1', "2")).await, 403, "not as it was signed");
    assert_eq!(evening.shop.get("/v1/alarms").await["alarms"], json!([]));
    assert_eq!(forward(notice.body.clone()).await, 200);
    let terminal = evening.shop.get("/v1/terminal").await;
    let text = terminal["alarms"][0]["text"].as_str().unwrap_or_else(|| panic!("{terminal:#}"));
    assert!(text.contains("payment P1 is at risk") && terminal["selling"] == true, "{terminal:#}");
    evening.sells().await;
}

#[tokio::test]
async fn while_the_first_host_is_down_the_second_one_sells() {
    let (evening, control) = evening(|_| ()).await;
    control.set_weather(Weather::primary_down());
    let before = control.calls().len();
    let order = evening.orders("buyer_scans").await;
    evening.scans_and_pays("Lin").await;
    evening.is_sold(&order).await;
    let order = evening.sells().await;
    evening.asks_for_refund(&order, json!({}), "down").await;
    evening.moved(&order, Money::returned(WATER)).await;
    let answered = |call: &CallRecord| matches!(call.outcome, CallOutcome::Answered { .. });
    let calls = control.calls();
    assert!(
        calls.iter().skip(before).filter(|call| answered(call)).all(|call| call.host == Host::Backup),
        "{calls:#?}"
    );
    tokio::time::timeout(Duration::from_secs(1), evening.shop.fault_until("network-wechat", false)).await.unwrap();
}
