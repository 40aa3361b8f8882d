//! Each of WeChat Pay's codes and states at each request, for the engine's table of what orders become of them.

use super::codes::documented;
use super::*;
use crate::channel::wechat::codes::Class;
use crate::channel::wechat::wire::Operation;

const UNDOCUMENTED: [&str; 4] = ["", "A_NEW_ONE", "auth_code_error", "*"];

/// `trade_state`, and whether it says that nothing was and will be paid: of a shown code, of a pay code.
const STATES: [(&str, bool, bool); 9] = [
    ("SUCCESS", false, false),
    ("REFUND", false, false),
    ("NOTPAY", false, false),
    ("USERPAYING", false, false),
    ("ACCEPT", false, false),
    ("CLOSED", true, true),
    ("REVOKED", false, true),
    ("PAYERROR", false, true),
    ("A_NEW_ONE", false, false),
];

/// Code, request, answer, and whether the list says that it ends the attempt unpaid. Both interfaces of pay codes.
pub(crate) fn told() -> Vec<(String, Request, Answer, bool)> {
    let about_money = |request: &Request| !matches!(request, Request::Duty(_) | Request::Probe);
    let both = [config(), v3_config()].map(wechat);
    let of = |channel: &Wechat| {
        let requests = every_request().into_iter().filter(about_money);
        requests.flat_map(|request| [codes(channel, &request), states(channel, &request)].concat()).collect::<Vec<_>>()
    };
    both.iter().flat_map(of).collect()
}

fn codes(channel: &Wechat, request: &Request) -> Vec<(String, Request, Answer, bool)> {
    let operation = Operation::of(channel.config(), request);
    let listed = documented();
    // Both spellings are in use.
    let bare = |code: &str| code.replace('_', "");
    let says = |code: &str| {
        let rows = listed.iter().filter(|(on, _, known)| on.contains(&operation) && bare(known) == bare(code));
        rows.map(|(_, class, _)| *class).any(|class| matches!(class, Class::Refused(_)))
    };
    let row = |code: &str| {
        let reply = if operation.is_v2() { v2_failure(code) } else { signed(400, &failure(code)) };
        (code.to_owned(), request.clone(), said(channel, request, &reply), says(code))
    };
    listed.iter().map(|(_, _, code)| *code).chain(UNDOCUMENTED).map(row).collect()
}

fn states(channel: &Wechat, request: &Request) -> Vec<(String, Request, Answer, bool)> {
    let (Request::Query(Trade { method, .. }), false) = (request, Operation::of(channel.config(), request).is_v2())
    else {
        return Vec::new();
    };
    let row = |(state, of_shown, of_taken): (&str, bool, bool)| {
        let answer = said(channel, request, &signed(200, &paid().replace("SUCCESS", state)));
        (state.to_owned(), request.clone(), answer, if *method == Method::ShowCode { of_shown } else { of_taken })
    };
    STATES.map(row).into()
}

fn said(channel: &Wechat, request: &Request, reply: &HttpReply) -> Answer {
    match channel.decode(request, NOW, reply) {
        Decoded::Answer(answer) => answer,
        other @ (Decoded::UnknownKey { .. } | Decoded::EncodeAgain) => panic!("{other:?} to {request:?}"),
    }
}
