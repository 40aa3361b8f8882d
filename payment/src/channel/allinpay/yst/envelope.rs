//! The envelope around every call, answer and notice: flat JSON members, one of which, `bizData`, is itself a JSON text.
//!
//! Source: 云商通 generation 2 (reference/allinpay.md 3.1, 3.2). The signed string is made of what arrived, unknown members
//! included, because members are added without warning.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::channel::allinpay::sm2::PublicKey;
use crate::channel::outcome::{Doubt, DoubtKind};

const SIGN: &str = "sign";
const SIGN_TYPE: &str = "signType";

/// The members of one JSON object as texts: a text without its quotes, anything else exactly as it was written. `null` is
/// the empty text. A member that stands twice is refused: nobody could say which of them was meant.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Members(BTreeMap<String, String>);

impl Members {
    /// Reads one whole JSON object.
    ///
    /// # Errors
    /// The text is something else.
    pub fn parse(text: &str) -> Result<Self, Doubt> {
        serde_json::from_str(text).map_err(|error| Doubt::new(DoubtKind::Malformed, format!("no JSON object: {error}")))
    }

    /// A member's text; an absent or empty one is `None`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// The string that a signature over these members is made over: no `sign`, no empty ones, sorted by name, joined raw.
    /// Our own requests leave `signType` out too; which of both Allinpay does in its answers is not settled.
    #[must_use]
    pub fn string_to_sign(&self, with_sign_type: bool) -> String {
        let taken = |name: &str| name != SIGN && (with_sign_type || name != SIGN_TYPE);
        let kept = self.0.iter().filter(|(name, text)| taken(name) && !text.is_empty());
        kept.map(|(name, text)| format!("{name}={text}")).collect::<Vec<_>>().join("&")
    }

    /// Whether the owner of `key` signed these members.
    ///
    /// # Errors
    /// [`DoubtKind::BadSignature`] when there is no signature, or another one.
    pub fn signed_by(&self, key: &PublicKey) -> Result<(), Doubt> {
        let bad = |detail: &str| Doubt::new(DoubtKind::BadSignature, detail);
        let sign = self.get(SIGN).ok_or_else(|| bad("the answer is not signed"))?;
        let holds = |with_sign_type| key.verify_sm3(self.string_to_sign(with_sign_type).as_bytes(), sign);
        let has_sign_type = self.get(SIGN_TYPE).is_some();
        let signed = holds(false) || (has_sign_type && holds(true));
        signed.then_some(()).ok_or_else(|| bad("the signature is not Allinpay's over this answer"))
    }
}

impl FromIterator<(String, String)> for Members {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(members: I) -> Self {
        Self(members.into_iter().collect())
    }
}

/// Only the names: an answer can hold account numbers.
impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Collect)
    }
}

struct Collect;

impl<'de> Visitor<'de> for Collect {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = BTreeMap::new();
        while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
            let text = text_of(value.get()).map_err(A::Error::custom)?;
            if members.insert(name, text).is_some() {
                return Err(A::Error::custom("a member stands twice"));
            }
        }
        Ok(Members(members))
    }
}

/// A bare number stays as it is written: parsing it would lose its zeros.
fn text_of(raw: &str) -> Result<String, serde_json::Error> {
    match raw.as_bytes().first() {
        Some(b'"') => serde_json::from_str(raw),
        _ if raw == "null" => Ok(String::new()),
        _ => Ok(raw.to_owned()),
    }
}
