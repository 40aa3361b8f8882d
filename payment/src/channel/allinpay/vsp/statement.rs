//! Where a day's statement is: `trxfile/get`, a ZIP behind an address that comes in the answer.
//!
//! Source: reference/allinpay.md 2.3 and 2.9. Reading the file is not done here.

use std::fmt;

use jiff::civil::Date;
use thiserror::Error;

use super::answer::{Members, Seal};
use super::broken;
use super::codes::SUCCESS;
use super::setup::Setup;
use super::wire;
use crate::channel::outcome::{Doubt, DoubtKind};
use crate::channel::{HttpMethod, HttpReply, HttpRequest};
use crate::redact::without_codes;

/// Allinpay's own hosts end so.
const ALLINPAY: [&str; 2] = [".allinpay.com", ".allinpaygd.com"];

/// The address of a statement. It lets whoever has it read the statement: it is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct StatementUrl(String);

impl StatementUrl {
    pub(super) fn request(&self) -> HttpRequest {
        HttpRequest {
            method: HttpMethod::Get,
            url: self.0.clone(),
            backup_url: None,
            headers: Vec::new(),
            body: Vec::new(),
            shows_certificate: false,
        }
    }
}

impl fmt::Debug for StatementUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<statement address>")
    }
}

/// Why there is no statement.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StatementError {
    /// Allinpay does not give it: not made yet, or the merchant may not have it.
    #[error("Allinpay gives no statement: {0}; it is made the day after, at an hour that is not documented")]
    Refused(String),
    /// It is not known what Allinpay said.
    #[error("the answer about the statement cannot be used: {0:?}")]
    Unknown(Doubt),
}

impl From<Doubt> for StatementError {
    fn from(doubt: Doubt) -> Self {
        Self::Unknown(doubt)
    }
}

pub(super) fn request(setup: &Setup, date: Date, entropy: [u8; 32]) -> HttpRequest {
    let fields = vec![("date", date.strftime("%Y%m%d").to_string())];
    wire::signed(setup, &setup.config.statement_base_url, "/trxfile/get", fields, entropy)
}

/// No source says that this answer is signed. A wrong signature is refused; without one the address must be Allinpay's own.
pub(super) fn location(setup: &Setup, reply: &HttpReply) -> Result<StatementUrl, StatementError> {
    let members = Members::open(reply)?;
    if members.seal(&setup.keys) == Seal::Broken {
        return Err(broken().into());
    }
    if members.get("retcode") != Some(SUCCESS) {
        return Err(StatementError::Refused(without_codes(&members.reason()).into_owned()));
    }
    let url = members.get("url").ok_or_else(|| Doubt::new(DoubtKind::Malformed, "no url in the answer"))?;
    if !is_allinpays(url, &setup.config.statement_base_url) {
        return Err(Doubt::new(DoubtKind::WrongOrder, "the statement's address is not one of Allinpay's").into());
    }
    Ok(StatementUrl(url.to_owned()))
}

/// On one of Allinpay's hosts, encrypted; or where the set-up sends its own questions.
fn is_allinpays(url: &str, base: &str) -> bool {
    let clean = url.bytes().all(|byte| byte.is_ascii_graphic());
    let host =
        |url: &str| url.split_once("://").and_then(|(_, rest)| rest.split(['/', '?', '#']).next().map(str::to_owned));
    let scheme = |url: &str| url.split_once("://").map(|(scheme, _)| scheme.to_owned());
    let Some(named) = host(url).filter(|named| clean && !named.contains(['@', '\\'])) else {
        return false;
    };
    let ours = ALLINPAY.iter().any(|end| named.ends_with(end)) && scheme(url).as_deref() == Some("https");
    ours || (scheme(url) == scheme(base) && Some(named) == host(base))
}
