//! Statements: where the bill of a day lies, and the request for it.
//!
//! Source: Alipay gateway 1.0, `alipay.data.dataservice.bill.downloadurl.query` (查询对账单下载地址). The answer is
//! signed and names an address that lives 30 seconds; the file behind it is not signed. How a file is read is not this
//! module's subject.

use std::fmt;

use jiff::civil::Date;
use thiserror::Error;

use super::envelope::Envelope;
use super::reply::Node;
use super::wire::{self, Method};
use super::{Alipay, OK, Seal};
use crate::channel::outcome::Doubt;
use crate::channel::{HttpMethod, HttpReply, HttpRequest};
use crate::time::Wall;

/// Alipay's own domains. An address without TLS is taken only there.
const ALIPAY: [&str; 2] = ["alipay.com", "alipaydev.com"];
/// Longer than any address that was seen; what is longer is not sent.
const LONGEST_URL: usize = 4096;

/// The two kinds of statements that a merchant has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BillKind {
    /// Every payment and refund that finished that day (业务账单, `trade`).
    Trades,
    /// Every movement of the account (账务账单, `signcustomer`).
    Funds,
}

impl BillKind {
    const fn wire(self) -> &'static str {
        match self {
            Self::Trades => "trade",
            Self::Funds => "signcustomer",
        }
    }
}

/// Where a bill lies, for 30 seconds. Whoever has it can read the bill: it is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct BillUrl {
    url: String,
    /// The address as it came, where it was without TLS.
    plain: Option<String>,
}

impl fmt::Debug for BillUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<bill address>")
    }
}

/// Why there is no bill, or none that can be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BillError {
    /// The bill is made and has no rows (`EMPTY_DATA_WITH_BILL_FILE`, `NO_BILL_DATA`). Final, and no mistake.
    #[error("no money moved that day: the bill is made and empty")]
    Empty,
    /// There is no bill (`BILL_NOT_EXIST`): nothing was sold that day, or it is not made yet. Bills are made until about
    /// 09:00 of the next day; later than that it is the first.
    #[error("there is no bill of that day: nothing was sold, or it is not made yet (about 09:00 of the next day)")]
    NotExist,
    /// Refused.
    #[error("Alipay gives no bill: {0}")]
    Refused(String),
    /// Another HTTP status than 200.
    #[error("HTTP status {0} from the gateway")]
    Http(u16),
    /// The answer is signed with a certificate that is not here: fetch it, and read the same answer again.
    #[error("the answer is signed with certificate {serial}, which is not here")]
    UnknownKey {
        /// The certificate's number.
        serial: String,
    },
    /// The answer is not signed, or not by Alipay.
    #[error("the answer about the bill is not signed by Alipay")]
    Unverified,
    /// Not an answer of the protocol.
    #[error("the answer about the bill is malformed: {0}")]
    Malformed(String),
    /// The address is none that is asked: no http(s), without TLS outside Alipay's domains, or on this machine.
    #[error("the bill lies at an address that is not asked: {0:?}")]
    Address(String),
}

impl From<Doubt> for BillError {
    fn from(doubt: Doubt) -> Self {
        Self::Malformed(doubt.detail)
    }
}

impl Alipay {
    /// Asks where the bill of `date` (a day in China, before today) lies.
    #[must_use]
    pub fn bill_request(&self, kind: BillKind, date: Date, wall: Wall) -> HttpRequest {
        wire::bill_request(&self.setup, kind.wire(), date, wall)
    }

    /// Where it lies.
    ///
    /// # Errors
    /// [`BillError`].
    pub fn bill_location(&self, reply: &HttpReply) -> Result<BillUrl, BillError> {
        let node = self.bill_node(reply)?;
        if node.code.get() != Some("10000") {
            return Err(refused(&node));
        }
        match node.bill_file_code.get() {
            Some("EMPTY_DATA_WITH_BILL_FILE") => return Err(BillError::Empty),
            Some(other) => return Err(BillError::Malformed(format!("bill_file_code {other}"))),
            None => {}
        }
        let url = node.bill_download_url.get();
        let url = url.ok_or_else(|| BillError::Malformed("no bill_download_url".to_owned()))?;
        let at_home = Address::of(self.gateway_url()).is_some_and(|gateway| gateway.is_loopback());
        place(url, at_home).ok_or_else(|| BillError::Address(Address::of(url).map_or("", |url| url.host).to_owned()))
    }

    fn bill_node(&self, reply: &HttpReply) -> Result<Node, BillError> {
        if reply.status != OK {
            return Err(BillError::Http(reply.status));
        }
        let envelope = Envelope::open(&Method::BillUrl.node(), &reply.body).map_err(Doubt::from)?;
        let content = match self.seal(&envelope) {
            Seal::Holds(content) => content,
            Seal::Absent | Seal::Broken => return Err(BillError::Unverified),
            Seal::Unknown(serial) => return Err(BillError::UnknownKey { serial }),
        };
        let node = Node::parse(&self.plain_text(&content)?)?;
        if envelope.is_error && node.code.get() == Some("10000") {
            return Err(BillError::Malformed("a good answer under the error node".to_owned()));
        }
        Ok(node)
    }

    /// The request for the file, a ZIP. An address without TLS is tried with TLS first; the plain one is the second host.
    #[must_use]
    pub fn bill_download(&self, bill: &BillUrl) -> HttpRequest {
        HttpRequest {
            method: HttpMethod::Get,
            url: bill.url.clone(),
            backup_url: bill.plain.clone(),
            headers: Vec::new(),
            body: Vec::new(),
            shows_certificate: false,
        }
    }
}

/// The documents write the codes with and without a prefix, in capitals and not.
fn refused(node: &Node) -> BillError {
    let code = node.sub_code.get().unwrap_or_default();
    let word = code.rsplit('.').next().unwrap_or_default().to_ascii_uppercase();
    match word.as_str() {
        "NO_BILL_DATA" => BillError::Empty,
        "BILL_NOT_EXIST" => BillError::NotExist,
        _ => BillError::Refused(node.reason()),
    }
}

/// The parts of an address that decide whether it is asked.
struct Address<'a> {
    tls: bool,
    host: &'a str,
    port: Option<&'a str>,
    /// From the path on.
    rest: &'a str,
}

impl<'a> Address<'a> {
    fn of(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let tls = match scheme {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            Some(_) | None => (authority, None),
        };
        let is_port = |port: &str| (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
        let is_host = |host: &str| {
            !host.is_empty()
                && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']'))
        };
        (is_host(host) && port.is_none_or(is_port)).then_some(Self { tls, host, port, rest })
    }

    fn is_loopback(&self) -> bool {
        let host = self.host.to_ascii_lowercase();
        let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<core::net::IpAddr>();
        ip.is_ok_and(|ip| ip.is_loopback()) || matches!(host.trim_end_matches('.'), "localhost")
    }

    fn is_alipays(&self) -> bool {
        let host = self.host.to_ascii_lowercase();
        ALIPAY.iter().any(|domain| host == *domain || host.strip_suffix(domain).is_some_and(|sub| sub.ends_with('.')))
    }
}

/// The address that is asked first, and the plain one behind it. The signed answer vouches for an address with TLS; this
/// machine itself is asked only where the gateway is on it.
fn place(url: &str, at_home: bool) -> Option<BillUrl> {
    let address = Address::of(url)?;
    if url.len() > LONGEST_URL || !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let as_it_came = || BillUrl { url: url.to_owned(), plain: None };
    if address.is_loopback() {
        return at_home.then(as_it_came);
    }
    if address.tls {
        return Some(as_it_came());
    }
    let plain_port = matches!(address.port, None | Some("80"));
    (address.is_alipays() && plain_port)
        .then(|| BillUrl { url: format!("https://{}{}", address.host, address.rest), plain: Some(url.to_owned()) })
}
