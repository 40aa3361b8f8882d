//! Key and certificate texts: PEM, or the bare Base64 that Alipay's console and key tool hand out.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// One `BEGIN`/`END` block.
#[derive(Clone, PartialEq, Eq)]
pub struct Block {
    /// What stands behind `BEGIN`, such as `CERTIFICATE`.
    pub label: String,
    /// The DER bytes.
    pub der: Vec<u8>,
}

/// A private key is such a block too, so only the label and the length are printed.
impl std::fmt::Debug for Block {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} bytes", self.label, self.der.len())
    }
}

/// Why a text holds no key and no certificate.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PemError {
    /// Nothing but blanks.
    #[error("it is empty")]
    Empty,
    /// A `BEGIN` line without its `END` line.
    #[error("the BEGIN {0} block has no END line: the file was cut off")]
    Unfinished(String),
    /// Protected by a password.
    #[error("it is protected by a password: store it without one, readable by the service alone")]
    Encrypted,
    /// Not Base64.
    #[error("it is neither PEM nor Base64")]
    NotBase64,
}

/// Every PEM block of `text` in file order. CRLF, blanks, text between the blocks and a missing blank line do no harm.
///
/// # Errors
/// A block that is cut off, protected by a password, or no Base64.
pub fn blocks(text: &str) -> Result<Vec<Block>, PemError> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(BEGIN) {
        let (label, body) = after.split_once(DASHES).ok_or(PemError::NotBase64)?;
        let unfinished = || PemError::Unfinished(label.to_owned());
        let (body, tail) = body.split_once(END).ok_or_else(unfinished)?;
        if label.contains("ENCRYPTED") || body.contains("ENCRYPTED") {
            return Err(PemError::Encrypted);
        }
        found.push(Block { label: label.to_owned(), der: base64(body)? });
        rest = tail;
    }
    Ok(found)
}

/// The first PEM block of `text`, or its bare Base64 with an empty label.
///
/// # Errors
/// As [`blocks`]; also when there is nothing at all.
pub fn one(text: &str) -> Result<Block, PemError> {
    if text.trim().is_empty() {
        return Err(PemError::Empty);
    }
    if let Some(block) = blocks(text)?.into_iter().next() {
        return Ok(block);
    }
    Ok(Block { label: String::new(), der: base64(text)? })
}

/// Standard Base64, blanks and line ends left out.
fn base64(text: &str) -> Result<Vec<u8>, PemError> {
    let dense: String = text.split_whitespace().collect();
    STANDARD.decode(dense).map_err(|_| PemError::NotBase64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_whatever_stands_between_them() {
        let text = "note\r\n-----BEGIN A-----\r\nAQI=\r\n-----END A-----\r\n-----BEGIN B-----\n AwQ=\n-----END B-----";
        let found = blocks(text).unwrap();
        assert_eq!(found.iter().map(|b| b.label.as_str()).collect::<Vec<_>>(), ["A", "B"]);
        assert_eq!(found[1].der, [3, 4]);
    }

    #[test]
    fn bare_base64_is_taken_with_blanks_and_line_ends() {
        assert_eq!(one(" AQ\r\nI= \n").unwrap().der, [1, 2]);
    }

    #[test]
    fn damaged_texts_are_named() {
        assert_eq!(one(" \n"), Err(PemError::Empty));
        assert_eq!(one("!!"), Err(PemError::NotBase64));
        assert_eq!(one("-----BEGIN A-----\nAQI="), Err(PemError::Unfinished("A".into())));
        let locked = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAQI=\n-----END ENCRYPTED PRIVATE KEY-----";
        assert_eq!(one(locked), Err(PemError::Encrypted));
    }
}
