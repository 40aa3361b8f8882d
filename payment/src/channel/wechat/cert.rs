//! Certificates as WeChat Pay counts them: by their serial number in upper-case hex.

use der::{Decode, Encode};
use thiserror::Error;

use super::sign::hex;
use crate::channel::keys::{KeyError, PublicKey};
use crate::channel::pem::{self, PemError};

/// Why a text is no certificate that can be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CertError {
    /// Not PEM.
    #[error(transparent)]
    Text(#[from] PemError),
    /// Another thing than a certificate, or a damaged one.
    #[error("it is no X.509 certificate: copy the file again, whole")]
    NotOne,
    /// The key inside.
    #[error("the key inside: {0}")]
    Key(#[from] KeyError),
}

/// One certificate: its number and its key. Dates are not looked at: a stale clock must not stop answers about money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// 40 hex digits as a rule.
    pub serial: String,
    /// The key inside.
    pub key: PublicKey,
}

impl Certificate {
    /// Reads the first certificate of a PEM text.
    ///
    /// # Errors
    /// [`CertError`].
    pub fn read(text: &str) -> Result<Self, CertError> {
        let block = pem::one(text)?;
        let parsed = x509_cert::Certificate::from_der(&block.der).map_err(|_| CertError::NotOne)?;
        let signed = parsed.tbs_certificate();
        let spki = signed.subject_public_key_info().to_der().map_err(|_| CertError::NotOne)?;
        let key = PublicKey::from_spki(&spki)?;
        Ok(Self { serial: hex(unsigned(signed.serial_number().as_bytes())), key })
    }
}

/// DER puts a zero before a number whose first bit is set; the number that is written has none.
fn unsigned(serial: &[u8]) -> &[u8] {
    match serial {
        [0, rest @ ..] if !rest.is_empty() => rest,
        whole => whole,
    }
}
