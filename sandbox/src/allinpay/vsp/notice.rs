//! Notices: a form, signed like an answer; our number is called `cusorderid` here (reference/allinpay.md 2.8).

use super::super::china_time::{self, COMPACT};
use super::super::http::Dress;
use super::super::notice::Notice;
use super::Vsp;
use super::method::fee;
use super::sign::string_to_sign;

pub(super) fn write(vsp: &Vsp, notice: &Notice, dress: Dress) -> (&'static str, String) {
    let order = &notice.order;
    let receipt = order.payer.as_ref().map(|(_, app)| app.receipt(&order.trade_no)).unwrap_or_default();
    let [trxcode, accttype] = order.payer.as_ref().map_or(["", ""], |(_, app)| [app.trxcodes()[0], app.accttype()]);
    let paid_at = order.paid_at.unwrap_or(notice.at);
    let fen = order.charged_fen.to_string();
    let mut values = vec![
        ("accttype", accttype.to_owned()),
        ("appid", vsp.options.appid.clone()),
        ("chnltrxid", receipt.clone()),
        ("cusid", vsp.options.cusid.clone()),
        ("cusorderid", order.terms.number.clone()),
        ("outtrxid", order.terms.number.clone()),
        ("fee", fee(order.charged_fen).to_string()),
        ("initamt", fen.clone()),
        ("trxamt", fen),
        ("paytime", china_time::write(COMPACT, paid_at)),
        ("trxdate", china_time::day(paid_at)),
        ("trxcode", trxcode.to_owned()),
        ("trxid", order.trade_no.clone()),
        ("trxstatus", "0000".to_owned()),
        ("termrefnum", receipt),
        ("trxreserved", String::new()),
        ("signtype", vsp.options.sign_type.wire().to_owned()),
    ];
    if dress.extra {
        values.push(("newfield2027", "added later by the gateway".to_owned()));
    }
    let pairs = values.iter().map(|(name, value)| (*name, value.as_str()));
    values.push(("sign", vsp.keys.sign(&string_to_sign(pairs, vsp.keys.md5_key()))));
    let pairs: Vec<String> = values.iter().map(|(name, value)| format!("{name}={}", percent(value))).collect();
    ("application/x-www-form-urlencoded;charset=UTF-8", pairs.join("&"))
}

fn percent(value: &str) -> String {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let encode = |byte: u8| if unreserved(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    value.bytes().map(encode).collect()
}
