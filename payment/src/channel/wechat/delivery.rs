//! The report of a delivery to the mini-program's delivery management: an access token, then the report.
//!
//! Source: WeChat mini-program, "delivery information management" (reference 9.2). It concerns only orders of a mini-program
//! under management. Answers are not signed; nothing about money is read from them.

use std::sync::{PoisonError, RwLock};

use serde::Deserialize;
use serde_json::json;

use super::reply::{json, trouble};
use super::setup::{Setup, TokenCall};
use crate::channel::form::form;
use crate::channel::outcome::{Doubt, DoubtKind, DutyOutcome};
use crate::channel::text::{Fields, china, limited};
use crate::channel::{Answer, Decoded, Duty, HttpMethod, HttpReply, HttpRequest};
use crate::redact::Secret;
use crate::time::Wall;

const JSON: &str = "application/json";
const SELF_PICK_UP: u8 = 4;
const UNIFIED: u8 = 1;
/// The order is named by our own number.
const BY_OUT_TRADE_NO: u8 = 1;
const ITEM: usize = 120;
/// A token is given up so long before its end.
const EARLY_SECONDS: i64 = 300;
const SHORTEST_SECONDS: i64 = 60;

/// The access token, in memory only.
#[derive(Debug, Default)]
pub(super) struct TokenStore(RwLock<Option<Token>>);

#[derive(Debug)]
struct Token {
    text: Secret<String>,
    until_ms: i64,
}

impl TokenStore {
    /// The token, while it lives.
    pub(super) fn get(&self, wall: Wall) -> Option<String> {
        let held = self.0.read().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().filter(|token| wall.ms < token.until_ms).map(|token| token.text.expose().clone())
    }

    fn put(&self, text: String, lives_seconds: i64, wall: Wall) {
        let lives = lives_seconds.saturating_sub(EARLY_SECONDS).max(SHORTEST_SECONDS);
        let until_ms = wall.ms.saturating_add(lives.saturating_mul(1000));
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Token { text: Secret::new(text), until_ms });
    }

    /// Forgets the token; whether there was one.
    fn drop(&self) -> bool {
        self.0.write().unwrap_or_else(PoisonError::into_inner).take().is_some()
    }
}

/// The report, or the request for the token that it needs.
pub(super) fn request(setup: &Setup, duty: &Duty, token: Option<&str>) -> HttpRequest {
    let host = &setup.config.hosts.weixin;
    let Some(token) = token else {
        return token_request(setup);
    };
    let url = format!("{host}/wxa/sec/order/upload_shipping_info?access_token={token}");
    HttpRequest::post(url, JSON, report(setup, duty).into_bytes())
}

fn token_request(setup: &Setup) -> HttpRequest {
    let config = &setup.config;
    let host = &config.hosts.weixin;
    let appid = config.sub_merchant.as_ref().and_then(|sub| sub.appid.as_ref()).unwrap_or(&config.appid);
    let secret = config.delivery.as_ref().map_or("", |delivery| delivery.appsecret.expose());
    match config.delivery.as_ref().map(|delivery| delivery.token).unwrap_or_default() {
        TokenCall::Stable => {
            let body = json!({ "grant_type": "client_credential", "appid": appid, "secret": secret }).to_string();
            HttpRequest::post(format!("{host}/cgi-bin/stable_token"), JSON, body.into_bytes())
        }
        TokenCall::Plain => {
            let fields = [("grant_type", "client_credential"), ("appid", appid.as_str()), ("secret", secret)];
            HttpRequest {
                method: HttpMethod::Get,
                url: format!("{host}/cgi-bin/token?{}", form(fields)),
                backup_url: None,
                headers: Vec::new(),
                body: Vec::new(),
                shows_certificate: false,
            }
        }
    }
}

fn report(setup: &Setup, duty: &Duty) -> String {
    let config = &setup.config;
    let mchid = config.sub_merchant.as_ref().map_or(&config.mchid, |sub| &sub.mchid);
    let item = limited(&duty.goods, ITEM);
    let item = if item.is_empty() { duty.trade.attempt.to_string() } else { item };
    let mut fields = Fields::default();
    fields.put(
        "order_key",
        json!({
            "order_number_type": BY_OUT_TRADE_NO,
            "mchid": mchid,
            "out_trade_no": duty.trade.attempt.as_str(),
        }),
    );
    fields.put("logistics_type", SELF_PICK_UP);
    fields.put("delivery_mode", UNIFIED);
    fields.put("shipping_list", json!([{ "item_desc": item }]));
    fields.put("upload_time", china(duty.delivered).strftime("%Y-%m-%dT%H:%M:%S%.3f+08:00").to_string());
    if let Some(openid) = &duty.buyer {
        fields.put("payer", json!({ "openid": openid }));
    }
    fields.done().to_string()
}

#[derive(Debug, Deserialize)]
struct Said {
    errcode: Option<i64>,
    errmsg: Option<String>,
    access_token: Option<String>,
    expires_in: Option<i64>,
}

/// What the reply to either of the two means.
pub(super) fn decode(tokens: &TokenStore, wall: Wall, reply: &HttpReply) -> Result<Decoded, Doubt> {
    if reply.status != 200 {
        return Err(trouble(format!("HTTP status {}", reply.status)));
    }
    let said: Said = json(reply)?;
    if let Some(token) = said.access_token.filter(|token| is_token(token)) {
        tokens.put(token, said.expires_in.unwrap_or_default(), wall);
        return Ok(Decoded::EncodeAgain);
    }
    let code = said.errcode.ok_or_else(|| super::reply::malformed("neither a token nor an errcode"))?;
    let words = said.errmsg.unwrap_or_default();
    outcome(tokens, code, &words).map(|outcome| Decoded::Answer(Answer::Duty(outcome)))
}

/// It goes into an address as it is.
fn is_token(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn outcome(tokens: &TokenStore, code: i64, words: &str) -> Result<DutyOutcome, Doubt> {
    match code {
        0 => Ok(DutyOutcome::Done),
        // Delivered before; the one correction that is allowed was used up.
        10_060_002 | 10_060_003 => Ok(DutyOutcome::Done),
        // Not there yet within the first minute after the payment; WeChat in trouble.
        10_060_001 | 10_060_012 | -1 => Ok(DutyOutcome::Again),
        // A token that ended early is fetched anew. Without a token it is the appsecret that is refused.
        40_001 | 40_014 | 42_001 if tokens.drop() => Ok(DutyOutcome::Again),
        // The application's number, its secret, or the list of allowed addresses is wrong.
        40_001 | 40_013 | 40_125 | 40_164 => Ok(DutyOutcome::Refused { code: code.to_string() }),
        other => Err(Doubt::new(DoubtKind::Unlisted, format!("errcode {other} {words}"))),
    }
}
