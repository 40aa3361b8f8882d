//! Where a day's statement lies, and which addresses are asked for it.

use super::super::aes::Key;
use super::super::bill::{BillError, BillKind};
use super::super::{Alipay, Config};
use super::{NOON, alipay, certificate_config, config, failure, reply, unsigned};
use crate::channel::{HttpMethod, HttpReply};
use crate::redact::Secret;
use jiff::civil::date;

const NODE: &str = "alipay_data_dataservice_bill_downloadurl_query_response";

fn answered(body: Vec<u8>) -> HttpReply {
    HttpReply { status: 200, headers: Vec::new(), body }
}

fn at(gateway: &str) -> Alipay {
    Alipay::new(Config { gateway_url: gateway.into(), ..config() }).unwrap()
}

/// The addresses that are tried for a bill at `url`, in turn.
fn asked(alipay: &Alipay, url: &str) -> Result<Vec<String>, BillError> {
    let content = format!(r#"{{"code":"10000","msg":"Success","bill_download_url":"{url}"}}"#);
    let bill = alipay.bill_location(&answered(reply(NODE, content.as_bytes())))?;
    let request = alipay.bill_download(&bill);
    assert_eq!((request.method, request.body.len(), request.headers.len()), (HttpMethod::Get, 0, 0));
    Ok([Some(request.url), request.backup_url].into_iter().flatten().collect())
}

fn error(content: &str) -> BillError {
    alipay().bill_location(&answered(reply(NODE, content.as_bytes()))).unwrap_err()
}

#[test]
fn a_bill_is_asked_for_by_its_kind_and_day() {
    for (kind, word) in [(BillKind::Trades, "trade"), (BillKind::Funds, "signcustomer")] {
        let http = alipay().bill_request(kind, date(2025, 5, 31), NOON);
        assert!(http.url.contains("method=alipay.data.dataservice.bill.downloadurl.query&"), "{}", http.url);
        let body = String::from_utf8(http.body).unwrap();
        for member in [format!("%22bill_type%22%3A%22{word}%22"), "%22bill_date%22%3A%222025-05-31%22".to_owned()] {
            assert!(body.contains(&member), "{body}");
        }
    }
    let key = "AAECAwQFBgcICQoLDA0ODw==";
    let sealed = Alipay::new(Config { aes_key: Some(Secret::new(key.into())), ..config() }).unwrap();
    let http = sealed.bill_request(BillKind::Trades, date(2025, 5, 31), NOON);
    assert!(http.url.contains("encrypt_type=AES") && !String::from_utf8(http.body).unwrap().contains("2025"));
    let content = r#"{"code":"10000","bill_download_url":"https://x.alipay.com/b"}"#;
    let node = format!("\"{}\"", Key::load(key).unwrap().encrypt(content.as_bytes()));
    assert!(sealed.bill_location(&answered(reply(NODE, node.as_bytes()))).is_ok());
}

#[test]
fn an_address_without_tls_is_tried_with_tls_first_and_only_at_alipay() {
    let plain = "http://dwbillcenter.alipay.com/downloadBillFile.resource?bizType=trade&token=a%2Bb";
    let sealed = plain.replace("http://", "https://");
    assert_eq!(asked(&alipay(), plain), Ok(vec![sealed.clone(), plain.to_owned()]));
    assert_eq!(asked(&alipay(), &sealed), Ok(vec![sealed]));
    let port = "http://dwbillcenter.alipay.com:80/x";
    assert_eq!(asked(&alipay(), port), Ok(vec!["https://dwbillcenter.alipay.com/x".to_owned(), port.to_owned()]));
    assert_eq!(asked(&alipay(), "https://oss.example.com/x"), Ok(vec!["https://oss.example.com/x".to_owned()]));
    for url in [
        "http://example.com/x",
        "http://alipay.com.example.com/x",
        "http://xalipay.com/x",
        "http://dwbillcenter.alipay.com@example.com/x",
        "https://user:word@example.com/x",
        "http://dwbillcenter.alipay.com:8080/x",
        "ftp://dwbillcenter.alipay.com/x",
        "file:///etc/passwd",
        "dwbillcenter.alipay.com/x",
        "https://",
        "https://x y/",
        "https://dwbillcenter.alipay.com/a b",
        "https://dwbillcenter.alipay.com:x/",
    ] {
        assert!(matches!(asked(&alipay(), url), Err(BillError::Address(_))), "{url} was taken");
    }
}

#[test]
fn this_machine_is_asked_only_where_the_gateway_is_on_it() {
    let local = ["http://127.0.0.1:4711/x", "http://localhost/x", "https://127.8.8.8/x", "http://[::1]:80/x"];
    for url in local {
        assert!(matches!(asked(&alipay(), url), Err(BillError::Address(_))), "{url} was taken");
        for gateway in ["http://127.0.0.1:4711/gateway.do", "http://localhost:1/gateway.do", "http://[::1]/gateway.do"]
        {
            assert_eq!(asked(&at(gateway), url), Ok(vec![url.to_owned()]), "{gateway}");
        }
        assert!(asked(&at("https://127.0.0.1.example.com/gateway.do"), url).is_err());
    }
}

#[test]
fn a_day_without_a_bill_is_no_mistake() {
    let empty =
        r#"{"code":"10000","msg":"Success","bill_download_url":"","bill_file_code":"EMPTY_DATA_WITH_BILL_FILE"}"#;
    assert_eq!(error(empty), BillError::Empty);
    assert_eq!(
        error(&empty.replace(r#""bill_download_url":"""#, r#""bill_download_url":"https://x/y""#)),
        BillError::Empty
    );
    assert_eq!(error(&failure("NO_BILL_DATA")), BillError::Empty);
    for code in ["BILL_NOT_EXIST", "isp.bill_not_exist", "ISP.BILL_NOT_EXIST"] {
        assert_eq!(error(&failure(code)), BillError::NotExist, "{code}");
    }
}

#[test]
fn everything_else_is_an_error_of_its_kind() {
    for code in ["INVAILID_ARGUMENTS", "UNKNOWN_ERROR", "BILL_DATE_BEFORE_REGISTRATION", "TYPE_NOT_SUPPORTED", ""] {
        assert!(matches!(error(&failure(code)), BillError::Refused(_)), "{code}");
    }
    assert!(matches!(error(r#"{"code":"20000","sub_code":"aop.unknow-error"}"#), BillError::Refused(_)));
    assert!(matches!(error(r#"{"code":"10000"}"#), BillError::Malformed(_)));
    assert!(matches!(error(r#"{"code":"10000","bill_file_code":"NEW"}"#), BillError::Malformed(_)));
    let good = r#"{"code":"10000","bill_download_url":"https://x.alipay.com/b"}"#;
    let location = |status, body| alipay().bill_location(&HttpReply { status, headers: Vec::new(), body });
    assert_eq!(location(200, unsigned(NODE, good)), Err(BillError::Unverified));
    let signed = String::from_utf8(reply(NODE, good.as_bytes())).unwrap();
    assert_eq!(location(200, signed.replace("/b", "/c").into_bytes()), Err(BillError::Unverified));
    assert_eq!(location(502, signed.into_bytes()), Err(BillError::Http(502)));
    assert!(matches!(location(200, reply("error_response", good.as_bytes())), Err(BillError::Malformed(_))));
    assert!(matches!(location(200, b"<html>".to_vec()), Err(BillError::Malformed(_))));
    let serial = "0".repeat(32);
    let rotated = String::from_utf8(reply(NODE, good.as_bytes())).unwrap();
    let rotated = rotated.replacen('{', &format!("{{\"alipay_cert_sn\":\"{serial}\","), 1);
    let certified = Alipay::new(certificate_config()).unwrap();
    assert_eq!(certified.bill_location(&answered(rotated.into_bytes())), Err(BillError::UnknownKey { serial }));
}

#[test]
fn an_address_is_not_printed() {
    let content = r#"{"code":"10000","bill_download_url":"https://x.alipay.com/b?token=hidden"}"#;
    let bill = alipay().bill_location(&answered(reply(NODE, content.as_bytes()))).unwrap();
    let printed = format!("{bill:?} {:?}", alipay().bill_download(&bill));
    assert!(!printed.contains("hidden"), "{printed}");
}
