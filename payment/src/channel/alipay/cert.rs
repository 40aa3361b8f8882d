//! Certificate mode: serial numbers as Alipay counts them, and the chain to the root bundle.
//!
//! Source: Alipay gateway 1.0, "public-key certificate mode" (公钥证书): an SN is the MD5 of the issuer's name and the
//! decimal serial number; the root SN joins those of the RSA-signed certificates of `alipayRootCert.crt`.

use der::{Decode, Encode, Reader, SliceReader};
use md5::{Digest, Md5};
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RsaParameters, UnparsedPublicKey,
};
use thiserror::Error;
use x509_cert::ext::pkix::BasicConstraints;

use crate::channel::keys::{KeyError, PublicKey};
use crate::channel::pem::{self, PemError};

const RSA_FAMILY: &str = "1.2.840.113549.1.1.";
const LONGEST_CHAIN: usize = 5;

/// Why a text is not the certificate that is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CertError {
    /// Not PEM.
    #[error(transparent)]
    Text(#[from] PemError),
    /// No certificate block in it.
    #[error("there is no CERTIFICATE block in it")]
    NoCertificate,
    /// A block that is no X.509 certificate.
    #[error("certificate {0} in it is damaged: copy the file again, whole")]
    Damaged(usize),
    /// A root bundle without RSA roots.
    #[error("none of its certificates is signed with RSA: this is not alipayRootCert.crt")]
    NoRsaRoot,
    /// The key inside cannot be used.
    #[error("the key inside: {0}")]
    Key(#[from] KeyError),
}

/// One certificate.
#[derive(Clone)]
pub struct Certificate {
    der: Vec<u8>,
    parsed: x509_cert::Certificate,
}

impl Certificate {
    /// Every certificate of a PEM text, in file order. Dates are not looked at.
    ///
    /// # Errors
    /// No certificate, or one that cannot be read.
    pub fn read_all(text: &str) -> Result<Vec<Self>, CertError> {
        let blocks = pem::blocks(text)?;
        let certificates = blocks.into_iter().filter(|b| b.label == "CERTIFICATE");
        let read = certificates.enumerate().map(|(index, block)| {
            x509_cert::Certificate::from_der(&block.der)
                .map(|parsed| Self { der: block.der, parsed })
                .map_err(|_| CertError::Damaged(index + 1))
        });
        let found = read.collect::<Result<Vec<_>, _>>()?;
        if found.is_empty() {
            return Err(CertError::NoCertificate);
        }
        Ok(found)
    }

    /// The SN: 32 lower-case hex digits.
    #[must_use]
    pub fn serial_number(&self) -> String {
        let tbs = self.parsed.tbs_certificate();
        sn_of(&tbs.issuer().to_string(), &decimal(tbs.serial_number().as_bytes()))
    }

    /// The RSA key inside.
    ///
    /// # Errors
    /// Not RSA, or too small.
    pub fn public_key(&self) -> Result<PublicKey, CertError> {
        let spki = self.parsed.tbs_certificate().subject_public_key_info();
        let der = spki.to_der().map_err(|_| CertError::Damaged(1))?;
        Ok(PublicKey::from_spki(&der)?)
    }

    fn signature_algorithm(&self) -> String {
        self.parsed.signature_algorithm().oid.to_string()
    }

    fn is_authority(&self) -> bool {
        let found = self.parsed.tbs_certificate().get_extension::<BasicConstraints>();
        matches!(found, Ok(Some((_, constraints))) if constraints.ca)
    }

    fn names_as_issuer(&self, other: &Self) -> bool {
        self.parsed.tbs_certificate().issuer() == other.parsed.tbs_certificate().subject()
    }

    fn is_signed_by(&self, issuer: &Self) -> bool {
        let Some(parameters) = verification(&self.signature_algorithm()) else {
            return false;
        };
        let (Ok(key), Some(signed)) = (issuer.public_key(), signed_part(&self.der)) else {
            return false;
        };
        UnparsedPublicKey::new(parameters, key.as_pkcs1()).verify(signed, self.parsed.signature().raw_bytes()).is_ok()
    }
}

/// The exact bytes that a certificate's signature covers.
fn signed_part(certificate: &[u8]) -> Option<&[u8]> {
    let mut reader = SliceReader::new(certificate).ok()?;
    let signed = reader.sequence(|inner| {
        let signed = inner.tlv_bytes()?;
        inner.drain(inner.remaining_len())?;
        Ok::<_, der::Error>(signed)
    });
    signed.ok()
}

/// How a certificate signed with this algorithm is checked; `None` for what Alipay's RSA chain does not use.
fn verification(algorithm: &str) -> Option<&'static RsaParameters> {
    match algorithm.strip_prefix(RSA_FAMILY)? {
        "5" => Some(&RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY),
        "11" => Some(&RSA_PKCS1_2048_8192_SHA256),
        "12" => Some(&RSA_PKCS1_2048_8192_SHA384),
        "13" => Some(&RSA_PKCS1_2048_8192_SHA512),
        _ => None,
    }
}

/// The SN of the first certificate in a PEM text: `app_cert_sn` for ours, `alipay_cert_sn` for Alipay's.
///
/// # Errors
/// No readable certificate.
pub fn serial_number(text: &str) -> Result<String, CertError> {
    let found = Certificate::read_all(text)?;
    found.first().map(Certificate::serial_number).ok_or(CertError::NoCertificate)
}

/// `alipay_root_cert_sn`: the SNs of the certificates signed with any RSA algorithm, in file order, joined by `_`.
///
/// # Errors
/// No readable certificate, or none signed with RSA.
pub fn root_serial_number(text: &str) -> Result<String, CertError> {
    let numbers: Vec<String> = Certificate::read_all(text)?
        .iter()
        .filter(|root| root.signature_algorithm().starts_with(RSA_FAMILY))
        .map(Certificate::serial_number)
        .collect();
    if numbers.is_empty() {
        return Err(CertError::NoRsaRoot);
    }
    Ok(numbers.join("_"))
}

/// Whether `leaf` leads, signature by signature, over authorities in `between` to one of `roots`.
#[must_use]
pub fn chains_to_root(leaf: &Certificate, between: &[Certificate], roots: &[Certificate]) -> bool {
    let issued_by = |one: &Certificate, other: &Certificate| one.names_as_issuer(other) && one.is_signed_by(other);
    let mut current = leaf;
    for _ in 0..LONGEST_CHAIN {
        if roots.iter().any(|root| issued_by(current, root)) {
            return true;
        }
        let next = between.iter().find(|one| one.is_authority() && issued_by(current, one));
        match next {
            Some(authority) => current = authority,
            None => return false,
        }
    }
    false
}

fn sn_of(issuer: &str, serial: &str) -> String {
    let hash = Md5::digest(format!("{issuer}{serial}").as_bytes());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An unsigned big-endian number in decimal.
fn decimal(bytes: &[u8]) -> String {
    let mut digits = vec![0_u8];
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            let sum = u32::from(*digit) * 256 + carry;
            *digit = u8::try_from(sum % 10).unwrap_or_default();
            carry = sum / 10;
        }
        while carry > 0 {
            digits.push(u8::try_from(carry % 10).unwrap_or_default());
            carry /= 10;
        }
    }
    digits.iter().rev().map(|digit| char::from(b'0' + digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Issuer and serial of public authorities, with the SNs that Alipay's own tools give.
    #[test]
    fn public_authorities_have_their_known_numbers() {
        for (issuer, serial, sn) in [
            (
                "CN=Ant Financial Certification Authority R1,OU=Certification Authority,O=Ant Financial,C=CN",
                "2292228364100439313",
                "687b59193f3f462dd5336e5abf83c5d8",
            ),
            (
                "CN=iTrusChina Class 2 Root CA - G3,OU=China Trust Network,O=iTrusChina,C=CN",
                "95790491425698859646659490580052089075020051350",
                "02941eef3187dddf3d3b83462e1dfcf6",
            ),
        ] {
            assert_eq!(sn_of(issuer, serial), sn);
        }
    }

    #[test]
    fn serials_are_unsigned_and_of_any_length() {
        for (bytes, text) in
            [(&[0][..], "0"), (&[1], "1"), (&[0, 255], "255"), (&[1, 0, 0, 0, 0, 0, 0, 0, 0], "18446744073709551616")]
        {
            assert_eq!(decimal(bytes), text);
        }
    }
}
