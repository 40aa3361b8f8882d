//! Filing the machine's number with the clearing houses (终端报备): a number that was not filed cannot take pay codes.
//!
//! Source: reference/allinpay.md 2.3, `merchantapi/addterm`.

use thiserror::Error;

use super::answer::{Members, Seal};
use super::broken;
use super::codes::{REFUSALS, SUCCESS};
use super::setup::Setup;
use super::wire;
use crate::channel::outcome::{Doubt, DoubtKind};
use crate::channel::{HttpReply, HttpRequest};
use crate::redact::without_codes;

/// What is done with the filing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TerminalOperation {
    /// File the number.
    Add,
    /// Change what was filed.
    Change,
    /// Cancel the filing.
    Cancel,
    /// Ask how it stands.
    Query,
}

impl TerminalOperation {
    const fn code(self) -> &'static str {
        match self {
            Self::Add => "00",
            Self::Change => "01",
            Self::Cancel => "02",
            Self::Query => "03",
        }
    }
}

/// The filing was taken, or stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalFiled {
    /// What Allinpay says of it, for people.
    pub message: Option<String>,
}

/// Why it is not known to be filed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TerminalError {
    /// Allinpay does not take it.
    #[error("Allinpay refuses the terminal's filing: {0}")]
    Refused(String),
    /// It is not known what Allinpay did; filing again is safe.
    #[error("it is not known whether the terminal was filed: {0:?}")]
    Unknown(Doubt),
}

impl From<Doubt> for TerminalError {
    fn from(doubt: Doubt) -> Self {
        Self::Unknown(doubt)
    }
}

pub(super) fn request(setup: &Setup, operation: TerminalOperation, entropy: [u8; 32]) -> HttpRequest {
    let terminal = &setup.config.terminal;
    let fields = vec![
        ("termno", terminal.number.clone()),
        ("devicetype", terminal.device_type.clone()),
        ("operation", operation.code().to_owned()),
        ("termstate", terminal.state.clone().unwrap_or_default()),
        ("termaddress", terminal.address.clone().unwrap_or_default()),
    ];
    wire::signed(setup, &setup.config.statement_base_url, "/merchantapi/addterm", fields, entropy)
}

/// Only a signed answer says that it is filed; a refusal is told to a person either way.
pub(super) fn answer(setup: &Setup, reply: &HttpReply) -> Result<TerminalFiled, TerminalError> {
    let members = Members::open(reply)?;
    let seal = members.seal(&setup.keys);
    let told = || without_codes(&members.reason()).into_owned();
    match (seal, members.get("retcode")) {
        (Seal::Broken, _) => Err(broken().into()),
        (Seal::Holds | Seal::Absent, Some(code)) if REFUSALS.contains(&code) => Err(TerminalError::Refused(told())),
        (Seal::Holds, Some(SUCCESS)) => {
            let message = members.get("retmsg").map(|words| without_codes(words).into_owned());
            Ok(TerminalFiled { message })
        }
        (Seal::Absent, Some(SUCCESS)) => Err(Doubt::new(DoubtKind::BadSignature, "the answer is not signed").into()),
        (Seal::Holds | Seal::Absent, Some(_)) => Err(Doubt::new(DoubtKind::Unlisted, told()).into()),
        (Seal::Holds | Seal::Absent, None) => Err(Doubt::new(DoubtKind::Malformed, "no retcode").into()),
    }
}
