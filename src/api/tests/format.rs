//! The bytes of the wire. Other programs read them: do not change these tests; add new ones.

use payment::engine::entry::Stored;
use payment::engine::input::Refused;
use payment::engine::record::OrderRecord;
use payment::time::Wall;

use crate::api::problem::{Code, Problem};
use crate::api::wire::{Event, Order};
use crate::daemon::terminal::ActError;
use crate::journal::view::Recorded;

const ENTRIES: [&str; 9] = [
    r#"{"kind":"order_opened","order":"S0000000000000000000000001","amount":350,"currency":"CNY","items":[{"slot":"12","code":"cola-330","name":"可口可乐","price":350}],"who_scans":"either","origin":"api","subject":"可口可乐","pay_within_ms":90000,"reference":"shop-7"}"#,
    r#"{"kind":"attempt_started","order":"S0000000000000000000000001","attempt":"P0000000000000000000000001","channel":"alipay","method":"show_code","amount":350}"#,
    r#"{"kind":"attempt_started","order":"S0000000000000000000000001","attempt":"P0000000000000000000000002","channel":"alipay","method":"take_code","amount":350}"#,
    r#"{"kind":"attempt_paid","order":"S0000000000000000000000001","attempt":"P0000000000000000000000002","trade_no":"2026013122001","paid_at":"2026-01-31 08:00:05","buyer":"159****5620"}"#,
    r#"{"kind":"reverse_started","order":"S0000000000000000000000001","attempt":"P0000000000000000000000001","reason":"other_paid"}"#,
    r#"{"kind":"attempt_not_paid","order":"S0000000000000000000000001","attempt":"P0000000000000000000000001","code":"closed"}"#,
    r#"{"kind":"vend_started","order":"S0000000000000000000000001","item":0,"slot":"12"}"#,
    r#"{"kind":"vend_ended","order":"S0000000000000000000000001","item":0,"result":"not_dropped"}"#,
    r#"{"kind":"refund_started","order":"S0000000000000000000000001","attempt":"P0000000000000000000000002","refund":"R0000000000000000000000001","amount":350,"reason":"undelivered"}"#,
];

fn entries() -> Vec<Stored> {
    let at = Wall { ms: 1_769_817_600_000, trusted: true };
    let read = |(seq, text): (u64, &&str)| Stored { seq, at, entry: serde_json::from_str(text).unwrap() };
    (1..).zip(&ENTRIES).map(read).collect()
}

#[test]
fn an_order_is_written_like_this() {
    let order = Order::from(&OrderRecord::from_entries(&entries()).unwrap());
    let expected = concat!(
        r#"{"id":"S0000000000000000000000001","state":"refunding","open":true,"amount":350,"currency":"CNY","paid":350,"#,
        r#""refunded":0,"subject":"可口可乐","who_scans":"either","origin":"api","reference":"shop-7","pay_within_s":90,"#,
        r#""opened_at":"2026-01-31T00:00:00.000Z","clock_trusted":true,"#,
        r#""items":[{"slot":"12","code":"cola-330","name":"可口可乐","price":350,"delivery":"not_delivered"}],"#,
        r#""attempts":[{"number":"P0000000000000000000000001","channel":"alipay","method":"show_code","amount":350,"#,
        r#""state":"not_paid","reversed_because":"other_paid","code":"closed"},"#,
        r#"{"number":"P0000000000000000000000002","channel":"alipay","method":"take_code","amount":350,"state":"paid","#,
        r#""trade_no":"2026013122001","paid_at":"2026-01-31 08:00:05","buyer":"159****5620"}],"#,
        r#""refunds":[{"number":"R0000000000000000000000001","attempt":"P0000000000000000000000002","amount":350,"#,
        r#""reason":"undelivered","state":"pending","started_at":"2026-01-31T00:00:00.000Z"}]}"#,
    );
    assert_eq!(serde_json::to_string(&order).unwrap(), expected);
}

#[test]
fn a_problem_is_written_like_this() {
    let order = "S0000000000000000000000001".parse().unwrap();
    let problem = Problem::from(ActError::Refused(Refused::AlreadyPaid(order)));
    let expected = concat!(
        r#"{"type":"urn:till:problem:already_paid","title":"The order is paid","status":409,"#,
        r#""detail":"order S0000000000000000000000001 is paid; return its money with a refund instead","#,
        r#""code":"already_paid","money":"The buyer's money was taken and is kept until it is refunded.","#,
        r#""order":"S0000000000000000000000001","instance":"/v1/orders/S0000000000000000000000001"}"#,
    );
    assert_eq!(serde_json::to_string(&problem.body()).unwrap(), expected);
    let field = Problem::field("currency", "this terminal collects CNY only");
    let expected = concat!(
        r#"{"type":"urn:till:problem:invalid_field","title":"A field is not acceptable","status":422,"#,
        r#""detail":"this terminal collects CNY only","code":"invalid_field","money":"Nothing was changed and no money moved.","#,
        r#""field":"currency"}"#,
    );
    assert_eq!(serde_json::to_string(&field.body()).unwrap(), expected);
}

#[test]
fn an_event_is_written_like_this() {
    let stored = entries().remove(7);
    let event = Event::from(Recorded { stored, state: payment::engine::entry::OrderState::Delivering });
    let expected = concat!(
        r#"{"seq":8,"at":"2026-01-31T00:00:00.000Z","clock_trusted":true,"order":"S0000000000000000000000001","#,
        r#""state":"delivering","entry":{"kind":"vend_ended","order":"S0000000000000000000000001","item":0,"result":"not_dropped"}}"#,
    );
    assert_eq!(serde_json::to_string(&event).unwrap(), expected);
}

#[test]
fn the_words_of_problems_are_these() {
    let word = |code: Code| code.word();
    assert_eq!(word(Code::MachineBusy), "machine_busy");
    assert_eq!(word(Code::OutOfService), "out_of_service");
    assert_eq!(word(Code::KeyReused), "key_reused");
    assert_eq!(word(Code::NoSuchOrder), "no_such_order");
}

#[test]
fn every_trouble_of_the_loop_has_its_status() {
    let cases = [
        (ActError::Full, 503),
        (ActError::NotStored, 503),
        (ActError::Late, 504),
        (ActError::Stopping, 503),
        (ActError::KeyReused, 422),
        (ActError::Read(crate::journal::ReadError::Stopped), 503),
    ];
    for (error, status) in cases {
        let body = Problem::from(error).body();
        assert_eq!(body.status, status, "{body:?}");
    }
}
