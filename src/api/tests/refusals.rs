//! Bad input gets a clear answer and changes nothing.

use super::http::ask;
use super::machine::Machine;

#[tokio::test]
async fn an_amount_that_is_no_whole_positive_number_of_fen_is_refused_by_name() {
    let machine = Machine::start().await;
    for amount in [
        "0",
        "-1",
        "3.5",
        "350.0",
        "1e2",
        "\"350\"",
        "null",
        "true",
        "[350]",
        "10000000001",
        "99999999999999999999",
        "-0",
    ] {
        let answer = machine.post("/v1/orders", &format!(r#"{{"amount":{amount},"currency":"CNY"}}"#)).await;
        let problem = answer.is_problem(422, "invalid_field");
        assert_eq!(problem["field"], "amount", "{amount}");
        assert!(problem["detail"].as_str().unwrap().contains("integer"), "{amount}: {problem}");
    }
    assert_eq!(machine.get("/v1/terminal").await.json()["newest_seq"], 0);
}

/// Serde would fill the fields from a list in their order.
#[tokio::test]
async fn a_list_is_no_body_and_no_item() {
    let machine = Machine::start().await;
    for (path, body) in [
        ("/v1/orders", r#"[350,"CNY"]"#),
        ("/v1/orders", r#"{"amount":350,"currency":"CNY","items":[["11"]]}"#),
        ("/v1/orders/S0123456789ABCDEFGHJKMNPQR/refunds", "[100,null,null]"),
        ("/v1/orders/S0123456789ABCDEFGHJKMNPQR/instalments", "[3]"),
    ] {
        let answer = machine.post(path, body).await;
        let problem = answer.is_problem(422, "invalid_field");
        assert!(problem["detail"].as_str().unwrap().contains("a JSON object"), "{body}: {problem}");
    }
    assert_eq!(machine.get("/v1/terminal").await.json()["newest_seq"], 0);
}

#[tokio::test]
async fn every_other_bad_order_names_its_field() {
    let machine = Machine::start().await;
    let long = "x".repeat(65);
    let cases = [
        (r#"{"currency":"CNY"}"#.to_owned(), "invalid_field", "amount"),
        (r#"{"amount":1}"#.to_owned(), "invalid_field", "currency"),
        (r#"{"amount":1,"currency":"USD"}"#.to_owned(), "invalid_field", "currency"),
        (r#"{"amount":1,"currency":"CNY","colour":1}"#.to_owned(), "invalid_field", "colour"),
        (r#"{"amount":1,"amount":2,"currency":"CNY"}"#.to_owned(), "invalid_field", "amount"),
        (r#"{"amount":1,"currency":"CNY","who_scans":"active"}"#.to_owned(), "invalid_field", "who_scans"),
        (format!(r#"{{"amount":1,"currency":"CNY","reference":"{long}"}}"#), "invalid_field", "reference"),
        (r#"{"amount":1,"currency":"CNY","subject":"a\u0007b"}"#.to_owned(), "invalid_field", "subject"),
        (r#"{"amount":1,"currency":"CNY","pay_within_s":0}"#.to_owned(), "pay_within_out_of_range", "pay_within_s"),
        (
            r#"{"amount":1,"currency":"CNY","pay_within_s":18446744073709551615}"#.to_owned(),
            "pay_within_out_of_range",
            "pay_within_s",
        ),
        (r#"{"amount":350,"currency":"CNY","items":[{"slot":"99"}]}"#.to_owned(), "no_such_slot", "items[0].slot"),
        (
            r#"{"amount":350,"currency":"CNY","items":[{"slot":"no slot!"}]}"#.to_owned(),
            "invalid_field",
            "items[0].slot",
        ),
        (
            r#"{"amount":300,"currency":"CNY","items":[{"slot":"12","price":300}]}"#.to_owned(),
            "price_differs",
            "items[0].price",
        ),
        (r#"{"amount":300,"currency":"CNY","items":[{"slot":"12"}]}"#.to_owned(), "sum_differs", "amount"),
        (
            r#"{"amount":350,"currency":"CNY","items":[{"slot":"12","quantity":0}]}"#.to_owned(),
            "invalid_field",
            "items[0].quantity",
        ),
        (
            r#"{"amount":350,"currency":"CNY","items":[{"slot":"12","quantity":15},{"slot":"12","quantity":6}]}"#
                .to_owned(),
            "too_many_items",
            "items",
        ),
        (r#"{"amount":350,"currency":"CNY","items":[{"name":"tea"}]}"#.to_owned(), "invalid_field", "items[0].price"),
        (r#"{"amount":350,"currency":"CNY","items":[{"price":350}]}"#.to_owned(), "invalid_field", "items[0].name"),
        (
            r#"{"amount":350,"currency":"CNY","items":[{"name":"tea","price":3.5}]}"#.to_owned(),
            "invalid_field",
            "items[0].price",
        ),
        ("[]".to_owned(), "invalid_field", ""),
    ];
    for (body, code, field) in cases {
        let problem = machine.post("/v1/orders", &body).await.is_problem(422, code);
        assert_eq!(problem["field"].as_str().unwrap_or_default(), field, "{body}: {problem}");
    }
    assert_eq!(machine.get("/v1/terminal").await.json()["newest_seq"], 0);
}

#[tokio::test]
async fn what_is_not_json_is_refused_with_line_and_column() {
    let machine = Machine::start().await;
    let problem =
        machine.post("/v1/orders", "{\n  \"amount\": 350,\n  oops\n}").await.is_problem(400, "malformed_json");
    assert!(problem["detail"].as_str().unwrap().contains("line 3, column 3"), "{problem}");
    for body in ["{", "{} {}", "\u{feff}{}", "nul", "{\"amount\":01}"] {
        machine.post("/v1/orders", body).await.is_problem(400, "malformed_json");
    }
    let deep = "[".repeat(20_000);
    machine.post("/v1/orders", &deep).await.is_problem(400, "malformed_json");
    let closed = deep + &"]".repeat(20_000);
    for body in [closed.clone(), format!(r#"{{"amount":1,"currency":"CNY","items":{closed}}}"#)] {
        let answer = machine.post("/v1/orders", &body).await;
        assert!(matches!(answer.status, 400 | 422), "{}", answer.text());
    }
    assert_eq!(machine.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn fields_of_a_head_have_a_limit_in_number() {
    let machine = Machine::start().await;
    let fields = |count: usize| (0..count).map(|at| format!("X-{at}: x\r\n")).collect::<String>();
    assert_eq!(ask(&machine.socket, "GET", "/healthz", &fields(50), "").await.status, 200);
    assert_eq!(ask(&machine.socket, "GET", "/healthz", &fields(500), "").await.status, 431);
}

#[tokio::test]
async fn what_looks_like_a_pay_code_is_never_repeated_to_the_caller() {
    let machine = Machine::start().await;
    let id = machine.order_of_slot_12().await;
    let code = "285000000000000017";
    for body in [
        format!(r#"{{"order":"{id}","code":{code}}}"#),
        format!(r#"{{"order":"{id}","code":"{code}","{code}":1}}"#),
        format!(r#"{{"order":"{code}","code":"{code}"}}"#),
        format!(r#"{{"order":{code},"code":"{code}"}}"#),
    ] {
        let answer = machine.post("/v1/scans", &body).await;
        assert!((400..500).contains(&answer.status) && !answer.text().contains(code), "{body}: {}", answer.text());
    }
    let answer = machine.get(&format!("/v1/orders/{code}")).await;
    assert!(answer.text().contains("28************0017"), "{}", answer.text());
}

#[tokio::test]
async fn bodies_have_a_limit_and_a_type() {
    let machine = Machine::start().await;
    let large = format!(r#"{{"amount":1,"currency":"CNY","subject":"{}"}}"#, "x".repeat(64 << 10));
    machine.post("/v1/orders", &large).await.is_problem(413, "body_too_large");
    let chunk = format!("11000\r\n{}\r\n0\r\n\r\n", "x".repeat(0x11000));
    let head = "POST /v1/orders HTTP/1.1\r\nHost: till\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n";
    let stream = tokio::net::UnixStream::connect(&machine.socket).await.unwrap();
    super::http::exchange(stream, format!("{head}{chunk}").as_bytes()).await.is_problem(413, "body_too_large");
    for kind in ["", "Content-Type: text/plain\r\n", "Content-Type: application/json; charset=gbk\r\n"] {
        let answer = ask(&machine.socket, "POST", "/v1/orders", kind, r#"{"amount":1,"currency":"CNY"}"#).await;
        answer.is_problem(415, "wrong_content_type");
    }
}

#[tokio::test]
async fn keys_are_visible_ascii_none_is_the_hubs_and_a_refund_needs_one() {
    let machine = Machine::start().await;
    for key in ["", "with blank", "hub:4", "schl\u{fc}ssel", &"k".repeat(256)] {
        let answer = machine.post_with_key("/v1/orders", key, r#"{"amount":1,"currency":"CNY"}"#).await;
        assert_eq!(answer.is_problem(400, "invalid_header")["field"], "Idempotency-Key");
    }
    let id = machine.order_of_slot_12().await;
    machine.post(&format!("/v1/orders/{id}/refunds"), "{}").await.is_problem(400, "invalid_header");
    machine.post_with_key(&format!("/v1/orders/{id}/refunds"), "r", "{}").await.is_problem(409, "not_paid");
}

#[tokio::test]
async fn a_busy_machine_and_one_that_is_switched_off_open_no_order() {
    let machine = Machine::start().await;
    let id = machine.order_of_slot_12().await;
    let busy = machine.post("/v1/orders", r#"{"amount":1,"currency":"CNY"}"#).await.is_problem(409, "machine_busy");
    assert_eq!(busy["order"], id.as_str());

    let machine = Machine::start().await;
    let off = machine.send("PUT", "/v1/faults/switched-off").await;
    assert_eq!((off.status, &off.json()["selling"]), (200, &false.into()));
    let refused = machine.post("/v1/orders", r#"{"amount":1,"currency":"CNY"}"#).await;
    refused.is_problem(503, "out_of_service");
    assert!(refused.header("retry-after").is_some());
    let on = machine.send("DELETE", "/v1/faults/switched-off").await;
    assert_eq!((on.status, &on.json()["selling"]), (200, &true.into()));
}

#[tokio::test]
async fn only_faults_of_a_persons_making_are_set_and_cleared_by_hand() {
    let machine = Machine::start().await;
    for name in ["storage", "clock", "network-alipay", "scanner"] {
        machine.send("DELETE", &format!("/v1/faults/{name}")).await.is_problem(409, "fault_not_by_hand");
        machine.send("PUT", &format!("/v1/faults/{name}")).await.is_problem(409, "fault_not_by_hand");
    }
    for name in ["slot-99", "weather", "slot-", "%ff"] {
        assert_eq!(machine.send("DELETE", &format!("/v1/faults/{name}")).await.status, 404, "{name}");
    }
    machine
        .terminal
        .act(payment::engine::input::Input::Raise(payment::engine::faults::Fault::Slot(super::machine::slot("12"))))
        .await
        .unwrap();
    assert_eq!(machine.get("/v1/terminal").await.json()["faults"][0]["name"], "slot-12");
    let refused = machine.post("/v1/orders", r#"{"amount":350,"currency":"CNY","items":[{"slot":"12"}]}"#).await;
    refused.is_problem(409, "slot_blocked");
    let cleared = machine.send("DELETE", "/v1/faults/slot-12").await.json();
    assert_eq!(cleared["faults"], serde_json::json!([]));
}

#[tokio::test]
async fn unknown_paths_methods_and_parameters_are_problems_too() {
    let machine = Machine::start().await;
    machine.get("/v2/orders").await.is_problem(404, "no_such_path");
    machine.get("/v1/orders/nobody").await.is_problem(404, "no_such_order");
    let wrong = machine.send("DELETE", "/v1/orders").await;
    wrong.is_problem(405, "wrong_method");
    assert_eq!(wrong.header("allow").as_deref(), Some("POST,GET,HEAD"));
    for (query, field) in [
        ("colour=red", "colour"),
        ("state=activ", "state"),
        ("from=yesterday", "from"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=-1", "limit"),
        ("cursor=x", "cursor"),
        ("number=1&number=2", "number"),
    ] {
        let problem = machine.get(&format!("/v1/orders?{query}")).await.is_problem(422, "invalid_query");
        assert_eq!(problem["field"], field, "{query}: {problem}");
    }
}

#[tokio::test]
async fn a_code_that_is_none_is_refused_and_charges_nobody() {
    let machine = Machine::start().await;
    let id = machine.order_of_slot_12().await;
    for (code, word) in
        [("690123456789", "not_a_pay_code"), ("", "not_a_pay_code"), ("130000000000000000", "wallet_not_taken")]
    {
        let body = format!(r#"{{"order":"{id}","code":"{code}"}}"#);
        machine.post("/v1/scans", &body).await.is_problem(422, word);
    }
    assert_eq!(machine.get(&format!("/v1/orders/{id}")).await.json()["paid"], 0);
}
