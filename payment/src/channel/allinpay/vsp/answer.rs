//! An answer's members, taken as they came: the signature covers all of them, known or not.

use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::codes::SUCCESS;
use super::sign::Keys;
use crate::channel::HttpReply;
use crate::channel::outcome::{Doubt, DoubtKind};
use crate::money::Fen;

const OK: u16 = 200;
/// More than any answer has; what comes is read into memory.
const MOST_MEMBERS: usize = 256;

/// The members of an answer. A number is kept as it is written; null counts as empty.
pub(super) struct Members(Vec<(String, String)>);

/// Whether the signature holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seal {
    Holds,
    Broken,
    Absent,
}

impl Members {
    pub(super) fn open(reply: &HttpReply) -> Result<Self, Doubt> {
        if reply.status != OK {
            return Err(Doubt::new(DoubtKind::ChannelTrouble, format!("HTTP status {}", reply.status)));
        }
        serde_json::from_slice(&reply.body).map_err(|error| malformed(format!("the answer: {error}")))
    }

    /// A member that is there and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    pub(super) fn seal(&self, keys: &Keys) -> Seal {
        let Some(sign) = self.get("sign") else {
            return Seal::Absent;
        };
        let fields = self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        if keys.verify(fields, sign) { Seal::Holds } else { Seal::Broken }
    }

    /// An amount in fen, written as a number or as text, if it is there.
    pub(super) fn fen(&self, name: &str) -> Result<Option<Fen>, Doubt> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let whole = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        whole.map(|fen| Some(Fen::new(fen))).ok_or_else(|| malformed(format!("{name} {text:?} is no amount in fen")))
    }

    /// What the answer says, for people: the call's refusal, or else the state of the trade.
    pub(super) fn reason(&self) -> String {
        let refusal = self.get("retcode").filter(|code| *code != SUCCESS);
        let code = refusal.or(self.get("trxstatus")).unwrap_or("no code");
        match self.get("errmsg").or(self.get("retmsg")) {
            Some(words) => format!("{code} ({})", words.trim()),
            None => code.to_owned(),
        }
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("one JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members: Vec<(String, String)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                    if members.len() == MOST_MEMBERS || members.iter().any(|(known, _)| *known == name) {
                        return Err(A::Error::custom("a member stands twice, or there are too many"));
                    }
                    members.push((name, text_of(value).map_err(A::Error::custom)?));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// What a member counts as in the string to sign.
fn text_of(value: &RawValue) -> serde_json::Result<String> {
    match value.get() {
        "null" => Ok(String::new()),
        text if text.starts_with('"') => serde_json::from_str(text),
        bare => Ok(bare.to_owned()),
    }
}

pub(super) fn malformed(detail: impl Into<String>) -> Doubt {
    Doubt::new(DoubtKind::Malformed, detail)
}

pub(super) fn trouble(detail: impl Into<String>) -> Doubt {
    Doubt::new(DoubtKind::ChannelTrouble, detail)
}
