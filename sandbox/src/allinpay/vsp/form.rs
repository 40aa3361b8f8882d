//! Form decoding of a request: UTF-8, every name once.

use std::collections::BTreeMap;

use super::super::http::{Level, Refusal};

/// The parameters of a request, decoded once, in the order of their names.
#[derive(Debug, Default)]
pub(super) struct Form(BTreeMap<String, String>);

impl Form {
    pub(super) fn decode(body: &[u8]) -> Result<Self, Refusal> {
        let mut values = BTreeMap::new();
        for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = text(halves.next().unwrap_or_default())?;
            let value = text(halves.next().unwrap_or_default())?;
            if values.insert(name.clone(), value).is_some() {
                return Err(refusal(format!("{name} is sent twice")));
            }
        }
        Ok(Self(values))
    }

    /// A parameter that has a value.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Everything that was sent, known or not.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

fn refusal(text: String) -> Refusal {
    Refusal::new(Level::Parameters, "PARAMERR", text)
}

fn text(encoded: &[u8]) -> Result<String, Refusal> {
    String::from_utf8(percent_decode(encoded)).map_err(|_| refusal("the form is not UTF-8".to_owned()))
}

fn percent_decode(encoded: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, hex_pair(after)) {
            (b'+', _) => decoded.push(b' '),
            (b'%', Some(value)) => {
                decoded.push(value);
                rest = after.get(2..).unwrap_or_default();
            }
            (other, _) => decoded.push(other),
        }
    }
    decoded
}

fn hex_pair(bytes: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*bytes.get(at)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}
