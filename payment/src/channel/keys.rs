//! RSA keys in every form that Alipay and WeChat Pay hand out, and the signature that both make: PKCS#1 v1.5 with SHA-256
//! (Alipay's "RSA2"). Allinpay's weaker ones are its own.
//!
//! Source: Alipay open platform, "signature tool" and "RSA2 key formats": PKCS#1 goes to users of other languages,
//! PKCS#8 to users of Java; it is the same key.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use der::asn1::{ObjectIdentifier, UintRef};
use der::{Decode, Header, Reader, SliceReader, Tag};
use ring::rand::SystemRandom;
use ring::rsa::KeyPair;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey};
use thiserror::Error;
use x509_cert::spki::SubjectPublicKeyInfoRef;

use crate::channel::pem::{self, PemError};

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const SMALLEST_BITS: usize = 2048;

/// Why a text is not the key that is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    /// Not a key text at all.
    #[error(transparent)]
    Text(#[from] PemError),
    /// Another thing than the wanted kind of key.
    #[error("it is {found}, and {wanted} is wanted here")]
    WrongKind {
        /// What was found.
        found: &'static str,
        /// What is wanted.
        wanted: &'static str,
    },
    /// A key of another algorithm.
    #[error("it is not an RSA key; one of 2048 bits or more is needed")]
    NotRsa,
    /// Below 2048 bits.
    #[error("it has {0} bits; 2048 or more are needed")]
    TooSmall(usize),
    /// Looks like a key, and its parts do not fit together.
    #[error("the key is damaged ({0}): copy it again, whole")]
    Damaged(String),
}

/// Our application's private key.
pub struct PrivateKey(KeyPair);

impl PrivateKey {
    /// Reads PEM (PKCS#1 or PKCS#8) or the bare Base64 of either; CRLF and blanks do no harm.
    ///
    /// # Errors
    /// [`KeyError`] names what was found instead.
    pub fn load(text: &str) -> Result<Self, KeyError> {
        const WANTED: &str = "a private key";
        let block = pem::one(text)?;
        let pair = match form_of(&block.der)? {
            Form::Pkcs1Private => KeyPair::from_der(&block.der),
            Form::Pkcs8 => KeyPair::from_pkcs8(&block.der),
            Form::Pkcs1Public | Form::Spki => return wrong_kind("a public key", WANTED),
            Form::Certificate => return wrong_kind("a certificate", WANTED),
        };
        pair.map(Self).map_err(|refused| match refused.to_string() {
            reason if reason == "TooSmall" => KeyError::TooSmall(modulus_bits(&block.der)),
            reason if reason == "WrongAlgorithm" => KeyError::NotRsa,
            reason => KeyError::Damaged(reason),
        })
    }

    /// The RSA2 signature of `message` in standard Base64, one line, 344 characters for 2048 bits.
    ///
    /// This signature is deterministic: the random source is asked for by the library's interface and changes nothing.
    /// Signing cannot fail with a key that was loaded; if it did, the empty text would be refused by every verifier.
    #[must_use]
    pub fn sign_sha256(&self, message: &[u8]) -> String {
        let mut signature = vec![0; self.0.public().modulus_len()];
        let made = self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature);
        made.map_or_else(|_| String::new(), |()| STANDARD.encode(signature))
    }

    /// Signs and verifies once: a key that only looks right would otherwise show itself as a refused signature at the first sale.
    #[must_use]
    pub fn works(&self) -> bool {
        const MESSAGE: &[u8] = b"till";
        self.public().verify(MESSAGE, &self.sign_sha256(MESSAGE))
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.public().as_ref().to_vec())
    }
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<private key>")
    }
}

/// A public key to verify with, kept as `RSAPublicKey` (PKCS#1), the form that the library verifies with.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(Vec<u8>);

impl PublicKey {
    /// Reads PEM (`SubjectPublicKeyInfo` or PKCS#1) or the bare Base64 of either.
    ///
    /// # Errors
    /// [`KeyError`] names what was found instead.
    pub fn load(text: &str) -> Result<Self, KeyError> {
        const WANTED: &str = "a public key";
        let block = pem::one(text)?;
        match form_of(&block.der)? {
            Form::Spki => Self::from_spki(&block.der),
            Form::Pkcs1Public => Self::from_pkcs1(&block.der),
            Form::Pkcs1Private | Form::Pkcs8 => wrong_kind("a private key", WANTED),
            Form::Certificate => wrong_kind("a certificate", WANTED),
        }
    }

    /// Reads a DER `SubjectPublicKeyInfo`, as certificates hold it.
    ///
    /// # Errors
    /// Damaged, not RSA, or below 2048 bits.
    pub fn from_spki(der: &[u8]) -> Result<Self, KeyError> {
        let spki = SubjectPublicKeyInfoRef::from_der(der).map_err(damaged)?;
        if spki.algorithm.oid != RSA {
            return Err(KeyError::NotRsa);
        }
        Self::from_pkcs1(spki.subject_public_key.raw_bytes())
    }

    fn from_pkcs1(der: &[u8]) -> Result<Self, KeyError> {
        let bits = modulus_bits(der);
        if bits < SMALLEST_BITS {
            return Err(KeyError::TooSmall(bits));
        }
        Ok(Self(der.to_vec()))
    }

    /// Whether `signature` (strict standard Base64) is the RSA2 signature of `message` by this key's owner.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &str) -> bool {
        let Ok(signature) = STANDARD.decode(signature) else {
            return false;
        };
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.0).verify(message, &signature).is_ok()
    }

    /// The key as PKCS#1 `RSAPublicKey`.
    pub(super) fn as_pkcs1(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<public key of {} bits>", modulus_bits(&self.0))
    }
}

/// What a DER structure is, told by the kinds of its first members.
enum Form {
    Pkcs1Private,
    Pkcs1Public,
    Pkcs8,
    Spki,
    Certificate,
}

fn form_of(der: &[u8]) -> Result<Form, KeyError> {
    let members = members(der).map_err(damaged)?;
    let tags: Vec<Tag> = members.iter().map(|(tag, _)| *tag).collect();
    match tags.as_slice() {
        [Tag::Integer, Tag::Integer] => Ok(Form::Pkcs1Public),
        [Tag::Integer, Tag::Integer, ..] => Ok(Form::Pkcs1Private),
        [Tag::Integer, Tag::Sequence, ..] => Ok(Form::Pkcs8),
        [Tag::Sequence, Tag::BitString] => Ok(Form::Spki),
        [Tag::Sequence, Tag::Sequence, Tag::BitString] => Ok(Form::Certificate),
        _ => Err(KeyError::NotRsa),
    }
}

/// The kind and the content of each member of a DER sequence.
fn members(der: &[u8]) -> der::Result<Vec<(Tag, &[u8])>> {
    let mut reader = SliceReader::new(der)?;
    let found = reader.sequence(|inner| {
        let mut found = Vec::new();
        while !inner.is_finished() {
            let header = Header::decode(inner)?;
            found.push((header.tag(), inner.read_slice(header.length())?));
        }
        Ok::<_, der::Error>(found)
    })?;
    reader.finish()?;
    Ok(found)
}

/// Size of the first integer above one byte: the modulus, in public keys and in private ones behind their version.
fn modulus_bits(der: &[u8]) -> usize {
    let found = members(der).unwrap_or_default();
    let modulus = found.iter().find(|(_, content)| content.len() > 1);
    modulus.map_or(0, |(_, content)| match UintRef::new(content) {
        Ok(number) => number.as_bytes().len() * 8,
        Err(_) => 0,
    })
}

fn wrong_kind<T>(found: &'static str, wanted: &'static str) -> Result<T, KeyError> {
    Err(KeyError::WrongKind { found, wanted })
}

fn damaged(error: der::Error) -> KeyError {
    KeyError::Damaged(error.to_string())
}
