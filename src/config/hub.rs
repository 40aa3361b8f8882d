//! `[hub]`, `[operator]` and `[vouchers]`: whom the terminal tells, whom it obeys, and what it sells without a network.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use payment::engine::settings::VoucherSettings;
use payment::money::{Fen, LARGEST_ORDER};
use reqwest::Url;

use super::check::{Checker, certificates};
use super::checked::{HubConfig, Mode, TerminalConfig};
use super::raw::{self, Written, Yuan};
use super::source::At;

/// The terminal's key beside the journal.
const KEY_FILE: &str = "hub.key";

const PER_SALE_MAX: Fen = Fen::new(5_000);
const UNSETTLED_MAX: Fen = Fen::new(50_000);

/// Checks `[hub]`; `state` is the folder of the journal.
pub(super) fn hub(
    c: &mut Checker<'_, '_>,
    raw: raw::Hub,
    terminal: &TerminalConfig,
    state: &Path,
) -> Option<HubConfig> {
    let advice = "name the hub: url = \"https://hub.example.com\"; without a hub leave [hub] out";
    let url = c.required(raw.url, raw.at.missing("url"), advice);
    let url = url.and_then(|url| address(c, &url, terminal.mode));
    let key_at = raw.key_file.as_ref().map_or_else(|| raw.at.unwritten("key_file"), |key| key.at.clone());
    let is_credential = raw.key_file.as_ref().is_some_and(|key| key.value.starts_with("credential:"));
    let key_file = c.path(raw.key_file, raw.at.unwritten("key_file"), state.join(KEY_FILE), None);
    if is_credential {
        let problem = "the terminal's key is made on this machine, and a credential cannot be written";
        c.found.error(&key_at, problem, "leave key_file out, or name a file in a folder that Till may write");
    } else {
        owner_only(c, &key_file, &key_at);
    }
    let roots = c.optional(raw.ca_file).and_then(|written| certificates(c, &written));
    Some(HubConfig { url: url?, key_file, roots })
}

/// Scheme, host and port: the terminal's addresses at the hub are fixed, and its signatures are over them.
fn address(c: &mut Checker<'_, '_>, written: &Written<String>, mode: Mode) -> Option<String> {
    const ADVICE: &str = "write scheme and host, with a port if it has its own: \"https://hub.example.com\"";
    let parsed = Url::parse(&written.value).ok().filter(|url| url.has_host());
    let problem = match &parsed {
        None => format!("\"{}\" is not an address", written.value),
        Some(url) if !url.username().is_empty() || url.password().is_some() => {
            "a user name stands in front of the hub's host".to_owned()
        }
        Some(url) if url.path() != "/" || url.query().is_some() || url.fragment().is_some() => {
            "something stands behind the hub's host".to_owned()
        }
        Some(url) => return is_safe(c, written, url, mode).then(|| url.as_str().trim_end_matches('/').to_owned()),
    };
    c.found.error(&written.at, problem, ADVICE);
    None
}

/// What is sent shows every sale, so it is encrypted, unless it stays on this machine and no money is real.
fn is_safe(c: &mut Checker<'_, '_>, written: &Written<String>, url: &Url, mode: Mode) -> bool {
    let problem = match (url.scheme(), is_loopback(url), mode) {
        ("https", _, _) | ("http", true, Mode::Sandbox) => return true,
        ("http", true, Mode::Production) => "a hub without encryption, on this machine, and mode = \"production\"",
        ("http", false, _) => "the hub is not called over https, and everybody on the way could read every sale",
        _ => "the hub is called over https, and over nothing else",
    };
    let advice = "use the hub's https address; plain http goes to loopback only, in mode = \"sandbox\"";
    c.found.error(&written.at, problem, advice);
    false
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A key that is there already is its owner's only. One that is not there yet is made with the right mode.
fn owner_only(c: &mut Checker<'_, '_>, path: &Path, at: &At) {
    let Ok(found) = std::fs::metadata(path) else {
        return;
    };
    let (path, mode) = (path.display(), found.permissions().mode() & 0o777);
    if mode & 0o077 != 0 {
        let problem = format!("{path} can be opened by other users of this machine (mode {mode:o})");
        let advice = format!("make it its owner's only: chmod 600 {path}; if others had access, join with a new key");
        c.found.error(at, problem, advice);
    }
}

/// Checks `[operator]`.
pub(super) fn operator(c: &mut Checker<'_, '_>, raw: raw::Operator) -> Option<[u8; 32]> {
    if raw.public_key.is_none() && raw.at.span.is_some() {
        c.found.missing(&raw.at.missing("public_key"), "add the operator's public key, or leave [operator] out");
    }
    let Written { value, at } = c.optional(raw.public_key)?;
    let key = STANDARD.decode(value.trim()).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let key = key.filter(|key| key.iter().any(|byte| *byte != 0));
    if key.is_none() {
        let problem = "this is not an Ed25519 public key: 32 bytes in Base64, 44 characters, are wanted";
        let advice = "the operator makes it from the private key with: \
                      openssl pkey -in operator.pem -pubout -outform DER | tail -c 32 | base64";
        c.found.error(&at, problem, advice);
    }
    key
}

/// What `[vouchers]` rests on.
#[derive(Debug)]
pub(super) struct Asks<'t> {
    pub(super) terminal: &'t str,
    pub(super) operator_key: Option<[u8; 32]>,
    pub(super) has_hub: bool,
    pub(super) has_scanner: bool,
}

/// Checks `[vouchers]`, whose presence turns member and voucher codes on.
pub(super) fn vouchers(c: &mut Checker<'_, '_>, raw: raw::Vouchers, asks: &Asks<'_>) -> Option<VoucherSettings> {
    let sum_at = raw.unsettled_max.as_ref().map_or_else(|| raw.at.missing("unsettled_max"), |sum| sum.at.clone());
    let per_sale_max = amount(c, raw.per_sale_max, raw.at.unwritten("per_sale_max"), PER_SALE_MAX);
    let unsettled_max = amount(c, raw.unsettled_max, raw.at.unwritten("unsettled_max"), UNSETTLED_MAX);
    if per_sale_max > unsettled_max {
        let problem = format!("one sale may take {per_sale_max} yuan, and all that is unsettled only {unsettled_max}");
        c.found.error(&sum_at, problem, "make vouchers.unsettled_max at least vouchers.per_sale_max");
    }
    leads_somewhere(c, &raw.at, asks);
    if asks.operator_key.is_none() && !c.found.report.has_error_at("operator.public_key") {
        let advice = "add [operator] with public_key: the codes are checked with it; or leave [vouchers] out";
        c.found.error(&raw.at, "member and voucher codes are on, and nobody could check their signature", advice);
    }
    let terminal = asks.terminal.to_owned();
    Some(VoucherSettings { terminal, operator_key: asks.operator_key?, per_sale_max, unsettled_max })
}

fn leads_somewhere(c: &mut Checker<'_, '_>, at: &At, asks: &Asks<'_>) {
    if !asks.has_hub {
        let problem = "member and voucher codes are on without a hub: nothing is ever settled";
        c.found.warning(at, problem, "add [hub]; without it codes are refused once vouchers.unsettled_max is reached");
    }
    if !asks.has_scanner {
        let problem = "member and voucher codes are on, and the board has no scanner to read them";
        c.found.warning(
            at,
            problem,
            "add a [scanner] to the board file; callers of the API can send codes in any case",
        );
    }
}

fn amount(c: &mut Checker<'_, '_>, written: Option<Written<Yuan>>, at: At, default: Fen) -> Fen {
    let place = written.as_ref().map_or_else(|| at.clone(), |written| written.at.clone());
    let Yuan(amount) = c.choice(written, at, Yuan(default));
    if !amount.is_positive() || amount > LARGEST_ORDER {
        let advice = format!("use 0.01 to {LARGEST_ORDER} yuan; the default is {default}");
        c.found.error(&place, format!("{amount} yuan is out of range"), advice);
        return default;
    }
    amount
}
