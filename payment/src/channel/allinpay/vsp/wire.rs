//! A request as VSP wants it: the call, its fields, and the form that carries them.
//!
//! Source: VSP apiweb (reference/allinpay.md 2.1 and 2.3). Money is integer fen; times are China's.

use std::fmt::Write as _;

use ring::digest::{SHA256, digest};
use serde_json::{Map, Value};

use super::cancels::{Cancels, cancel_number};
use super::setup::{Config, Setup, Shown, Terminal};
use crate::channel::form::form;
use crate::channel::text::{china, limited};
use crate::channel::{HttpRequest, Instalment, Offer, RefundOrder, Request};
use crate::ids::AttemptId;
use crate::time::Wall;

/// The number that a probe asks for; no attempt has it.
pub(super) const PROBE: &str = "TILLPROBE";

const CONTENT_TYPE: &str = "application/x-www-form-urlencoded;charset=utf-8";
const SECOND_MS: i64 = 1000;
const MINUTE_MS: u64 = 60_000;
/// `body`: 50 Chinese characters.
const BODY_LIMIT: usize = 50;
/// `remark`: 160 bytes.
const REMARK_BYTES: usize = 160;

/// The fields of a call, without the common ones. Empty ones are left out on the way.
pub(super) type Fields = Vec<(&'static str, String)>;

/// The signed HTTP request for a channel request.
pub(super) fn request(
    setup: &Setup,
    cancels: &Cancels,
    request: &Request,
    wall: Wall,
    entropy: [u8; 32],
) -> HttpRequest {
    let config = &setup.config;
    let (path, fields) = match request {
        Request::ShowCode(offer) => show_code(config, offer, wall),
        Request::TakeCode(offer, code) => {
            let mut fields = offered(config, offer);
            fields.push(("authcode", code.expose().to_owned()));
            fields.push(("terminfo", terminfo(&config.terminal)));
            ("/unitorder/scanqrpay".to_owned(), fields)
        }
        Request::Query(trade) => query(config, trade.attempt.as_str()),
        // VSP wants to hear nothing after a delivery; a question is harmless.
        Request::Duty(duty) => query(config, duty.trade.attempt.as_str()),
        Request::Cancel(trade) if cancels.of(trade.attempt).is_some() => query(config, &cancel_number(trade.attempt)),
        Request::Cancel(trade) => {
            let path = format!("/{}/cancel", config.folders.cancel.name());
            let amount = ("trxamt", trade.amount.get().to_string());
            (path, vec![("reqsn", cancel_number(trade.attempt)), amount, original(trade.attempt)])
        }
        Request::Close(trade) => (close_path(config), vec![original(trade.attempt)]),
        Request::Refund(refund) => give_back(config, refund),
        Request::RefundQuery(refund) => query(config, refund.refund.as_str()),
        Request::Probe => query(config, PROBE),
    };
    signed(setup, &config.base_url, &path, fields, entropy)
}

/// A signed form with the common fields.
pub(super) fn signed(setup: &Setup, base: &str, path: &str, mut fields: Fields, entropy: [u8; 32]) -> HttpRequest {
    let config = &setup.config;
    fields.push(("orgid", config.orgid.clone().unwrap_or_default()));
    fields.push(("cusid", config.cusid.clone()));
    fields.push(("appid", config.appid.clone()));
    fields.push(("version", config.version.clone()));
    fields.push(("randomstr", random_text(entropy)));
    fields.push(("signtype", setup.keys.sign_type().to_owned()));
    let sign = setup.keys.sign(pairs(&fields), entropy);
    fields.push(("sign", sign));
    let body = form(pairs(&fields));
    HttpRequest::post(format!("{base}{path}"), CONTENT_TYPE, body.into_bytes())
}

fn pairs(fields: &Fields) -> impl Iterator<Item = (&str, &str)> {
    fields.iter().map(|(name, value)| (*name, value.as_str()))
}

/// One aggregated code, or the code of one wallet.
fn show_code(config: &Config, offer: &Offer, wall: Wall) -> (String, Fields) {
    let mut fields = offered(config, offer);
    let longest = u64::from(config.longest_valid_minutes) * MINUTE_MS;
    fields.push(("expiretime", compact_time(wall, offer.valid_ms.min(longest))));
    let Some(wallet) = offer.wallet else {
        return ("/unitorder/nativepay".to_owned(), fields);
    };
    fields.push(("paytype", config.pay_types.of(wallet).to_owned()));
    fields.push(("terminfo", terminfo(&config.terminal)));
    ("/unitorder/pay".to_owned(), fields)
}

/// What every way of paying has in common.
fn offered(config: &Config, offer: &Offer) -> Fields {
    let number = offer.attempt.as_str();
    let body = limited(&offer.subject, BODY_LIMIT);
    vec![
        ("trxamt", offer.amount.get().to_string()),
        ("reqsn", number.to_owned()),
        ("body", if body.is_empty() { number.to_owned() } else { body }),
        ("limit_pay", config.limit_pay.clone().unwrap_or_default()),
        ("notify_url", config.notify_url.clone().unwrap_or_default()),
        ("fqnum", offer.instalment.and_then(instalments).unwrap_or_default()),
    ]
}

/// VSP has no field for who bears the fee, and the buyer does without one: a plan at the merchant's cost is not asked for.
fn instalments(plan: Instalment) -> Option<String> {
    (plan.seller_percent == 0).then(|| plan.periods.to_string())
}

fn query(config: &Config, number: &str) -> (String, Fields) {
    (format!("/{}/query", config.folders.query.name()), vec![("reqsn", number.to_owned())])
}

fn give_back(config: &Config, refund: &RefundOrder) -> (String, Fields) {
    let fields = vec![
        ("reqsn", refund.refund.as_str().to_owned()),
        ("trxamt", refund.amount.get().to_string()),
        original(refund.trade.attempt),
        ("remark", limited_bytes(&refund.reason, REMARK_BYTES)),
    ];
    (format!("/{}/refund", config.folders.refund.name()), fields)
}

/// A trade does not say which sort of code it was, so the machine's setting does.
fn close_path(config: &Config) -> String {
    match config.shown {
        Shown::OneCode => "/unitorder/closenative".to_owned(),
        Shown::CodePerWallet => format!("/{}/close", config.folders.close.name()),
    }
}

fn original(attempt: AttemptId) -> (&'static str, String) {
    ("oldreqsn", attempt.as_str().to_owned())
}

/// The machine as JSON text.
fn terminfo(terminal: &Terminal) -> String {
    let mut members = Map::new();
    for (name, value) in [
        ("devicetype", Some(&terminal.device_type)),
        ("termno", Some(&terminal.number)),
        ("termsn", terminal.serial.as_ref()),
        ("longitude", terminal.longitude.as_ref()),
        ("latitude", terminal.latitude.as_ref()),
        ("deviceip", terminal.ip.as_ref()),
    ] {
        if let Some(value) = value {
            members.insert(name.to_owned(), Value::from(value.as_str()));
        }
    }
    Value::Object(members).to_string()
}

/// 32 characters that no other request has. Hashed: what signs is not shown.
fn random_text(entropy: [u8; 32]) -> String {
    let hash = digest(&SHA256, &entropy);
    hash.as_ref().iter().take(16).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// `yyyyMMddHHmmss` in China, `after_ms` from now, rounded up to a second.
fn compact_time(wall: Wall, after_ms: u64) -> String {
    let later = wall.ms.saturating_add(i64::try_from(after_ms).unwrap_or(i64::MAX));
    let seconds = later.div_euclid(SECOND_MS) + i64::from(later.rem_euclid(SECOND_MS) > 0);
    china(Wall { ms: seconds.saturating_mul(SECOND_MS), ..wall }).strftime("%Y%m%d%H%M%S").to_string()
}

/// At most `limit` bytes of UTF-8, whole characters only.
fn limited_bytes(text: &str, limit: usize) -> String {
    let mut kept = String::new();
    for character in limited(text, limit).chars() {
        if kept.len() + character.len_utf8() > limit {
            break;
        }
        kept.push(character);
    }
    kept.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_chinas_and_rounded_up() {
        let at = |ms, after| compact_time(Wall { ms, trusted: true }, after);
        assert_eq!(at(1_748_750_400_000, 0), "20250601120000");
        assert_eq!(at(1_748_750_400_000, 180_000), "20250601120300");
        assert_eq!(at(1_748_750_400_001, 0), "20250601120001");
        assert_eq!(at(i64::MAX, u64::MAX), "19700101080000");
    }

    #[test]
    fn texts_are_cut_by_characters_or_bytes() {
        assert_eq!(limited_bytes(&"乐".repeat(60), REMARK_BYTES), "乐".repeat(53));
        assert_eq!(limited_bytes(" a\tb\u{7} ", REMARK_BYTES), "ab");
    }
}
