//! Statements and the filing of the terminal: beside the payments.

use jiff::civil::date;
use serde_json::{Value, json};

use super::super::{Config, StatementError, Terminal, TerminalError, TerminalFiled, TerminalOperation, Vsp};
use super::{ENTROPY, config, field, plain, sealed, vsp};
use crate::channel::outcome::DoubtKind;
use crate::channel::{HttpMethod, HttpReply};

const URL: &str = "https://cus.allinpay.com/files/990000000000001_20260528.zip?token=t1";

fn located(members: &Value) -> Value {
    json!({ "retcode": "SUCCESS", "url": members })
}

#[test]
fn a_statement_is_asked_for_by_its_day() {
    let sent = vsp().statement_request(date(2026, 5, 28), ENTROPY);
    assert_eq!(sent.url, "https://cus.allinpay.com/cusapi/trxfile/get");
    assert_eq!(field(&sent, "date").as_deref(), Some("20260528"));
    assert!(field(&sent, "sign").is_some());
}

#[test]
fn it_is_fetched_from_the_address_in_the_answer() {
    for reply in [sealed(&located(&json!(URL))), plain(&located(&json!(URL)))] {
        let url = vsp().statement_location(&reply).unwrap();
        assert_eq!(format!("{url:?}"), "<statement address>");
        let sent = Vsp::statement_download(&url);
        assert_eq!((sent.method, sent.url.as_str()), (HttpMethod::Get, URL));
    }
}

#[test]
fn an_address_of_others_is_not_followed() {
    for url in [
        "http://cus.allinpay.com.example.com/x.zip",
        "https://example.com/allinpay.com/x.zip",
        "https://evil@cus.allinpay.com/x.zip",
        "https://example.com\\.allinpay.com/x.zip",
        "http://files.allinpay.com/x.zip",
        "https://xallinpay.com/x.zip",
        "file:///etc/passwd",
        "ftp://cus.allinpay.com/x",
        "cus.allinpay.com/x",
        "https://cus.allinpay.com/x y",
    ] {
        let found = vsp().statement_location(&plain(&located(&json!(url))));
        assert!(matches!(found, Err(StatementError::Unknown(_))), "{url}");
    }
    // A simulator on the loopback gives its own.
    let local = Config { statement_base_url: "http://127.0.0.1:8080/cusapi".into(), ..config() };
    let local = Vsp::new(local).unwrap();
    assert!(local.statement_location(&plain(&located(&json!("http://127.0.0.1:8080/x.zip")))).is_ok());
    assert!(local.statement_location(&plain(&located(&json!("http://127.0.0.1:8081/x.zip")))).is_err());
}

#[test]
fn a_statement_that_is_not_there_is_said_so() {
    let found = vsp().statement_location(&sealed(&json!({ "retcode": "FAIL", "retmsg": "对账文件未生成" })));
    assert_eq!(found, Err(StatementError::Refused("FAIL (对账文件未生成)".into())));
    let doubt = |reply: &HttpReply| match vsp().statement_location(reply) {
        Err(StatementError::Unknown(doubt)) => doubt.kind,
        other => panic!("{other:?}"),
    };
    let mut tampered: Value = serde_json::from_slice(&sealed(&located(&json!(URL))).body).unwrap();
    tampered["url"] = "https://cus.allinpay.com/other.zip".into();
    assert_eq!(doubt(&plain(&tampered)), DoubtKind::BadSignature);
    assert_eq!(doubt(&sealed(&json!({ "retcode": "SUCCESS" }))), DoubtKind::Malformed);
    assert_eq!(doubt(&HttpReply { status: 502, ..HttpReply::default() }), DoubtKind::ChannelTrouble);
}

#[test]
fn the_machine_is_filed_with_its_number_and_place() {
    let terminal = Terminal { address: Some("上海市-上海市-浦东新区-一号".into()), ..config().terminal };
    let vsp = Vsp::new(Config { terminal, ..config() }).unwrap();
    for (operation, code) in [
        (TerminalOperation::Add, "00"),
        (TerminalOperation::Change, "01"),
        (TerminalOperation::Cancel, "02"),
        (TerminalOperation::Query, "03"),
    ] {
        let sent = vsp.terminal_request(operation, ENTROPY);
        assert_eq!(sent.url, "https://cus.allinpay.com/cusapi/merchantapi/addterm");
        for (name, value) in [
            ("operation", code),
            ("termno", "00000001"),
            ("devicetype", "10"),
            ("termaddress", "上海市-上海市-浦东新区-一号"),
        ] {
            assert_eq!(field(&sent, name).as_deref(), Some(value));
        }
        assert_eq!(field(&sent, "termstate"), None);
    }
}

#[test]
fn only_a_signed_answer_says_that_it_is_filed() {
    let filed = json!({ "retcode": "SUCCESS", "retmsg": "处理成功" });
    let taken = TerminalFiled { message: Some("处理成功".into()) };
    assert_eq!(vsp().terminal_answer(&sealed(&filed)), Ok(taken));
    assert!(matches!(vsp().terminal_answer(&plain(&filed)), Err(TerminalError::Unknown(_))));
    let refused = json!({ "retcode": "FAIL", "retmsg": "终端号已存在" });
    for reply in [sealed(&refused), plain(&refused)] {
        let wanted = TerminalError::Refused("FAIL (终端号已存在)".into());
        assert_eq!(vsp().terminal_answer(&reply), Err(wanted));
    }
    for odd in [json!({ "retcode": "SYSTEMERR" }), json!({})] {
        assert!(matches!(vsp().terminal_answer(&sealed(&odd)), Err(TerminalError::Unknown(_))));
    }
}
