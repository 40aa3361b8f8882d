//! The rules of single fields (reference/allinpay.md 2.3).

use serde_json::Value;

use super::super::china_time::{self, COMPACT, MINUTE_MS};
use super::super::http::Refusal;
use super::super::world::World;
use super::form::Form;
use super::open::parameter;

/// The largest amount: 100,000,000 yuan.
const LARGEST_FEN: i64 = 10_000_000_000;

/// Characters and limits of texts: the longest in characters.
const LENGTHS: [(&str, usize); 8] = [
    ("body", 50),
    ("acct", 64),
    ("notify_url", 256),
    ("goods_tag", 32),
    ("chnlstoreid", 32),
    ("subbranch", 4),
    ("sub_appid", 32),
    ("cusip", 16),
];

/// A field that must be there.
pub(super) fn required<'a>(form: &'a Form, name: &str, most: usize) -> Result<&'a str, Refusal> {
    let value = form.get(name).ok_or_else(|| parameter(format!("{name} is missing")))?;
    if value.chars().count() > most {
        return Err(parameter(format!("{name}: at most {most} characters")));
    }
    Ok(value)
}

/// A new number of the merchant's.
pub(super) fn new_reqsn<'a>(form: &'a Form, world: &World) -> Result<&'a str, Refusal> {
    let reqsn = required(form, "reqsn", 32)?;
    if !reqsn.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(parameter("reqsn: letters, digits and signs"));
    }
    if world.numbers.contains_key(reqsn) {
        return Err(Refusal::business("3888", "流水号重复"));
    }
    Ok(reqsn)
}

/// Integer fen: digits only, nothing before them, more than nothing.
pub(super) fn trxamt(form: &Form) -> Result<i64, Refusal> {
    let text = required(form, "trxamt", 11)?;
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    let fen = text.parse().ok().filter(|fen| digits && (1..=LARGEST_FEN).contains(fen));
    fen.ok_or_else(|| parameter("trxamt: integer fen, without sign, point or leading zero"))
}

/// What all orders share.
pub(super) fn check_order(form: &Form, fen: i64) -> Result<(), Refusal> {
    for (name, most) in LENGTHS {
        if form.get(name).is_some_and(|value| value.chars().count() > most) {
            return Err(parameter(format!("{name}: at most {most} characters")));
        }
    }
    if form.get("remark").is_some_and(|remark| remark.len() > 160) {
        return Err(parameter("remark: at most 160 bytes"));
    }
    if form.get("limit_pay").is_some_and(|limit| limit != "no_credit") {
        return Err(parameter("limit_pay: no_credit or nothing"));
    }
    check_extend(form)?;
    check_notify(form)?;
    form.get("asinfo").map_or(Ok(()), |asinfo| check_asinfo(asinfo, fen))
}

fn check_extend(form: &Form) -> Result<(), Refusal> {
    for name in ["extendparams", "benefitdetail"] {
        let object = |text: &str| serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_object());
        if !form.get(name).is_none_or(object) {
            return Err(parameter(format!("{name}: a JSON object as text")));
        }
    }
    Ok(())
}

fn check_notify(form: &Form) -> Result<(), Refusal> {
    let address = |url: &str| url.starts_with("http") && !url.contains(['?', '#']);
    if form.get("notify_url").is_none_or(address) {
        return Ok(());
    }
    Err(parameter("notify_url: an address without parameters"))
}

/// `cusid:type:amount;…`: type 01 in yuan, 02 a ratio (reference/allinpay.md 2.11).
fn check_asinfo(asinfo: &str, fen: i64) -> Result<(), Refusal> {
    let mut sum = 0;
    for part in asinfo.split(';').filter(|part| !part.is_empty()) {
        let members: Vec<&str> = part.split(':').collect();
        let share = match members.as_slice() {
            [cusid, "01", yuan] if cusid.len() == 15 => hundredths(yuan),
            [cusid, "02", ratio] if cusid.len() == 15 => hundredths(ratio).filter(|part| *part <= 100).map(|_| 0),
            _ => None,
        };
        sum += share.ok_or_else(|| parameter("asinfo: cusid:01:yuan or cusid:02:ratio"))?;
    }
    if sum > fen {
        return Err(parameter("asinfo: more than trxamt"));
    }
    Ok(())
}

/// A decimal with at most two places, in hundredths.
fn hundredths(text: &str) -> Option<i64> {
    let (whole, places) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.len() <= 9 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(places) || places.len() > 2 {
        return None;
    }
    Some(whole.parse::<i64>().ok()? * 100 + format!("{places:0<2}").parse::<i64>().ok()?)
}

/// When an order ends: `expiretime`, or `validtime` in minutes, or five minutes.
pub(super) fn deadline(form: &Form, longest_minutes: i64, now: i64) -> Result<i64, Refusal> {
    let relative = match form.get("validtime") {
        None => 5,
        Some(text) => text
            .parse()
            .ok()
            .filter(|minutes| (1..=longest_minutes).contains(minutes))
            .ok_or_else(|| parameter(format!("validtime: 1 to {longest_minutes} minutes")))?,
    };
    let Some(text) = form.get("expiretime") else {
        return Ok(now + relative * MINUTE_MS);
    };
    let end = china_time::read(COMPACT, text).ok_or_else(|| parameter("expiretime: yyyyMMddHHmmss"))?;
    if end <= now || end > now + longest_minutes * MINUTE_MS {
        return Err(parameter("expiretime: it lies in the past or too far ahead"));
    }
    Ok(end)
}

/// `terminfo`: JSON with a terminal that was filed before. Gives `termno`.
pub(super) fn filed_terminal(form: &Form, world: &World) -> Result<String, Refusal> {
    let text = required(form, "terminfo", 1024)?;
    let parsed: Value = serde_json::from_str(text).map_err(|_| parameter("terminfo: a JSON object as text"))?;
    let member = |name: &str| parsed.get(name).and_then(Value::as_str).unwrap_or_default();
    let (termno, devicetype) = (member("termno"), member("devicetype"));
    if termno.len() != 8 || devicetype.len() != 2 {
        return Err(parameter("terminfo: termno has 8 characters, devicetype 2"));
    }
    match world.terminals.get(termno) {
        Some(terminal) if terminal.devicetype == devicetype => Ok(termno.to_owned()),
        Some(_) => Err(parameter("terminfo: the terminal was filed with another devicetype")),
        None => Err(parameter("终端未报备: file termno by addterm first")),
    }
}
