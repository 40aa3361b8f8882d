//! Each of Alipay's codes and states at each request, for the engine's table of what orders become of them.

use std::sync::LazyLock;

use super::codes::documented;
use super::{alipay, every_request, failure, filled, text};
use crate::channel::alipay::Alipay;
use crate::channel::alipay::codes::Class;
use crate::channel::alipay::wire::Method;
use crate::channel::keys::PrivateKey;
use crate::channel::{Answer, Decoded, Request};

const UNDOCUMENTED: [&str; 5] = ["", "ACQ.", "ACQ.A_NEW_ONE", "acq.PAYMENT_FAIL", "isv.invalid-signature"];

/// `trade_status`, and whether it says that nothing was and will be paid.
const STATES: [(&str, bool); 6] = [
    ("WAIT_BUYER_PAY", false),
    ("TRADE_CLOSED", true),
    ("TRADE_SUCCESS", false),
    ("TRADE_FINISHED", false),
    ("TRADE_NEW", false),
    ("", false),
];

/// `code` of the gateway itself, and whether it says that nothing was carried out.
const GATEWAY: [(&str, bool); 9] = [
    ("20000", false),
    ("20001", true),
    ("40001", true),
    ("40002", true),
    ("40003", true),
    ("40005", false),
    ("40006", true),
    ("50000", false),
    ("", false),
];

/// Loaded once: there are a thousand answers.
static CHANNEL: LazyLock<(Alipay, PrivateKey)> =
    LazyLock::new(|| (alipay(), PrivateKey::load(&text("/keys/alipay/pkcs8_pem")).unwrap()));

/// Code, request, answer, and whether the list says that it ends the attempt unpaid.
pub(crate) fn told() -> Vec<(String, Request, Answer, bool)> {
    every_request()
        .into_iter()
        .flat_map(|request| [codes(&request), gateway(&request), states(&request)].concat())
        .collect()
}

fn codes(request: &Request) -> Vec<(String, Request, Answer, bool)> {
    let method = Method::of(request);
    let listed = documented();
    let says = |code: &str| {
        let rows = listed.iter().filter(|(methods, _, known)| methods.contains(&method) && *known == code);
        rows.map(|(_, class, _)| *class).any(|class| matches!(class, Class::Refused(_)))
    };
    let known = listed.iter().map(|(_, _, code)| *code);
    let all = known.chain(UNDOCUMENTED).map(|code| {
        let sent = code.replace("...", "SOMETHING_NEW");
        let answer = said(request, &failure(&sent));
        (sent, request.clone(), answer, says(code))
    });
    all.collect()
}

fn gateway(request: &Request) -> Vec<(String, Request, Answer, bool)> {
    let row = |(code, is_final): (&str, bool)| {
        let content = format!(r#"{{"code":"{code}","msg":"x","sub_code":"isv.invalid-app-id"}}"#);
        let is_pay = matches!(request, Request::ShowCode(_) | Request::TakeCode(..));
        (code.to_owned(), request.clone(), said(request, &content), is_final && is_pay)
    };
    GATEWAY.map(row).into()
}

fn states(request: &Request) -> Vec<(String, Request, Answer, bool)> {
    let Request::Query(_) = request else { return Vec::new() };
    let row = |(state, is_final): (&str, bool)| {
        let content = format!(
            r#"{{"code":"10000","msg":"Success","out_trade_no":"$NO","trade_no":"2025060122001400001000000001",
            "total_amount":"3.50","trade_status":"{state}"}}"#
        );
        (state.to_owned(), request.clone(), said(request, &content), is_final)
    };
    STATES.map(row).into()
}

/// The answer to a signed reply.
fn said(request: &Request, content: &str) -> Answer {
    let (channel, key) = &*CHANNEL;
    let (node, content) = (Method::of(request).node(), filled(content));
    let sign = key.sign_sha256(content.as_bytes());
    let body = format!(r#"{{"{node}":{content},"sign":"{sign}"}}"#);
    match channel.decode(request, 200, body.as_bytes()) {
        Decoded::Answer(answer) => answer,
        other @ (Decoded::UnknownKey { .. } | Decoded::EncodeAgain) => panic!("{other:?} to {request:?}"),
    }
}
