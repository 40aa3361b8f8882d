//! Statements: where a day's bill lies, and its bytes.
//!
//! Source: WeChat Pay APIv3, "trade bill", "fund flow bill", "download" (reference 8). The first answer is signed and
//! vouches for the file by its SHA-1; the file itself is not signed. How a file is read is not this module's subject.

use std::io::Read;

use flate2::read::MultiGzDecoder;
use jiff::civil::Date;
use serde::Deserialize;
use sha1::{Digest, Sha1};
use thiserror::Error;

use super::codes::is_same;
use super::sign::hex;
use super::wire::{Stamp, get};
use super::{AskedError, Wechat, reply};
use crate::channel::{HttpReply, HttpRequest};
use crate::time::Wall;

/// The hosts that a file may lie on, besides those of the settings (reference 1.1).
const KNOWN_HOSTS: [&str; 4] = [
    "https://api.mch.weixin.qq.com",
    "https://api2.mch.weixin.qq.com",
    "https://api.wechatpay.cn",
    "https://api2.wechatpay.cn",
];
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// So many bytes a bill may have when it is unpacked; a machine has some kilobytes a day.
const LARGEST: u64 = 64 << 20;

/// The two kinds of statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BillKind {
    /// Every payment and refund of the day (交易账单, ALL).
    Trades,
    /// Every movement of the balance (资金账单, BASIC).
    Funds,
}

/// Where a bill lies. It must be fetched at once: the address lives minutes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillLocation {
    url: String,
    target: String,
    hash: String,
}

/// Why there is no bill, or none that can be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BillError {
    /// Nothing was sold that day. Final, and no mistake.
    #[error("there is no bill for that day: no money moved")]
    NoBill,
    /// It is being made; ask again in half an hour.
    #[error("the bill is not ready yet")]
    NotYet,
    /// Refused.
    #[error("WeChat Pay refused: HTTP status {status} {code} {words}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The channel's code, if there was one.
        code: String,
        /// The channel's words.
        words: String,
    },
    /// The answer is signed with a certificate that is not here: fetch it, and read the same answer again.
    #[error("the answer is signed with certificate {serial}, which is not here")]
    UnknownKey {
        /// The certificate's number.
        serial: String,
    },
    /// The answer's signature does not hold.
    #[error("the answer is not verified: {0}")]
    Unverified(String),
    /// Not an answer of the protocol.
    #[error("the answer is malformed: {0}")]
    Malformed(String),
    /// The file lies on a host that is not WeChat Pay's; our signature is not sent there.
    #[error("the bill lies on {0:?}, which is no host of WeChat Pay")]
    ForeignHost(String),
    /// Not the file that was promised.
    #[error("the file's SHA-1 is {found}, and {promised} was promised: it is not whole")]
    OtherHash {
        /// What the signed answer says.
        promised: String,
        /// What came.
        found: String,
    },
}

impl From<AskedError> for BillError {
    fn from(error: AskedError) -> Self {
        match error {
            AskedError::Failed { code, .. } if is_same(&code, "NO_STATEMENT_EXIST") => Self::NoBill,
            AskedError::Failed { code, .. } if is_same(&code, "STATEMENT_CREATING") => Self::NotYet,
            AskedError::Failed { status, code, words } => Self::Refused { status, code, words },
            AskedError::UnknownKey(serial) => Self::UnknownKey { serial },
            AskedError::Unverified(why) => Self::Unverified(why),
        }
    }
}

#[derive(Deserialize)]
struct Location {
    hash_type: String,
    hash_value: String,
    download_url: String,
}

impl Wechat {
    /// Asks where the bill of `date` lies. There is one from 10:00 of the next day on, for three months.
    #[must_use]
    pub fn bill_request(&self, kind: BillKind, date: Date, wall: Wall, entropy: [u8; 32]) -> HttpRequest {
        let target = match kind {
            // Without its number a service provider gets the trades of all its merchants.
            BillKind::Trades => {
                let whose = self.setup.sub_merchant("sub_mchid");
                format!("/v3/bill/tradebill?bill_date={date}&bill_type=ALL&tar_type=GZIP{whose}")
            }
            // The interface knows no sub-merchant: it is the balance of who asks.
            BillKind::Funds => format!("/v3/bill/fundflowbill?bill_date={date}&account_type=BASIC&tar_type=GZIP"),
        };
        get(&self.setup, &target, &Stamp::new(wall, entropy))
    }

    /// Where it lies.
    ///
    /// # Errors
    /// [`BillError`].
    pub fn bill_location(&self, wall: Wall, reply: &HttpReply) -> Result<BillLocation, BillError> {
        self.signed_answer(wall, reply)?;
        let said: Location = reply::json(reply).map_err(|doubt| BillError::Malformed(doubt.detail))?;
        if said.hash_type != "SHA1" {
            return Err(BillError::Malformed(format!("hash_type {}", said.hash_type)));
        }
        let target = self.target(&said.download_url);
        let target = target.ok_or_else(|| BillError::ForeignHost(host(&said.download_url).to_owned()))?;
        Ok(BillLocation { target, hash: said.hash_value.to_ascii_uppercase(), url: said.download_url })
    }

    /// Path and query of an address on one of WeChat Pay's hosts.
    fn target(&self, url: &str) -> Option<String> {
        let hosts = &self.setup.config.hosts;
        let known = KNOWN_HOSTS.into_iter().chain([hosts.pay.as_str()]).chain(hosts.backup.as_deref());
        let mut targets = known.filter_map(|host| url.strip_prefix(host)).filter(|rest| rest.starts_with('/'));
        let clean = |rest: &&str| rest.bytes().all(|byte| byte.is_ascii_graphic());
        targets.next().filter(clean).map(str::to_owned)
    }

    /// The signed request for the file, to the address exactly as it was given.
    #[must_use]
    pub fn bill_download(&self, location: &BillLocation, wall: Wall, entropy: [u8; 32]) -> HttpRequest {
        let request = get(&self.setup, &location.target, &Stamp::new(wall, entropy));
        HttpRequest { url: location.url.clone(), ..request }
    }

    /// The bill's text as bytes, unpacked and checked.
    ///
    /// # Errors
    /// [`BillError`].
    pub fn bill_content(&self, location: &BillLocation, reply: &HttpReply) -> Result<Vec<u8>, BillError> {
        if reply.status != 200 {
            let failure = reply::Failure::read(reply);
            return Err(BillError::Refused { status: reply.status, code: failure.code, words: failure.message });
        }
        let content = unpacked(&reply.body)?;
        // The official example hashes what it unpacked; no text says so, and only one of the two can fit.
        let found = sha1(&content);
        if location.hash == found || location.hash == sha1(&reply.body) {
            return Ok(content);
        }
        Err(BillError::OtherHash { promised: location.hash.clone(), found })
    }
}

/// Scheme and host of an address, for people.
fn host(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at);
    &url[..end]
}

fn unpacked(body: &[u8]) -> Result<Vec<u8>, BillError> {
    if !body.starts_with(&GZIP) {
        return Ok(body.to_vec());
    }
    let mut content = Vec::new();
    let read = MultiGzDecoder::new(body).take(LARGEST + 1).read_to_end(&mut content);
    read.map_err(|error| BillError::Malformed(format!("the file does not unpack: {error}")))?;
    if u64::try_from(content.len()).is_ok_and(|length| length > LARGEST) {
        return Err(BillError::Malformed("the file is larger than any bill".to_owned()));
    }
    Ok(content)
}

fn sha1(bytes: &[u8]) -> String {
    hex(&Sha1::digest(bytes))
}
