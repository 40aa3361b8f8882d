//! Form decoding of a request and the string that its signature covers (reference/alipay.md 2.2 and 3.2).

use std::collections::BTreeMap;

use encoding_rs::{Encoding, GBK, UTF_8};

use super::refusal::Refusal;

/// The parameters of a request, decoded once, in the order of their names.
#[derive(Debug)]
pub(crate) struct Params {
    values: BTreeMap<String, String>,
    pub(crate) charset: &'static Encoding,
}

impl Params {
    /// Decodes query and body. `charset` is looked for in the query alone, because the body cannot be read without it.
    pub(crate) fn decode(query: &str, body: &[u8]) -> Result<Self, Refusal> {
        let charset = charset_of(query)?;
        let mut values = BTreeMap::new();
        let pairs = split(query.as_bytes()).chain(split(body));
        for (name, value) in pairs {
            let (name, value) = (decode(name, charset)?, decode(value, charset)?);
            if values.insert(name.clone(), value).is_some() {
                let twice = format!("{name} is sent twice");
                return Err(Refusal::invalid("isv.suspected-attack", twice));
            }
        }
        Ok(Self { values, charset })
    }

    /// A parameter that has a value.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Everything sent but `sign`, without empty values, sorted by name, joined with `&`, not percent-encoded.
    pub(crate) fn string_to_sign(&self) -> String {
        self.values
            .iter()
            .filter(|(name, value)| *name != "sign" && !value.is_empty())
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join("&")
    }
}

fn charset_of(query: &str) -> Result<&'static Encoding, Refusal> {
    let named = split(query.as_bytes())
        .find(|(name, _)| *name == b"charset")
        .map(|(_, value)| percent_decode(value).to_ascii_lowercase())
        .filter(|value| !value.is_empty())
        .ok_or_else(|| Refusal::missing("isv.missing-charset"))?;
    match named.as_slice() {
        b"utf-8" => Ok(UTF_8),
        b"gbk" | b"gb2312" => Ok(GBK),
        _ => Err(Refusal::invalid(
            "isv.invalid-charset",
            "charset is utf-8, GBK or gb2312, and stands in the query of the address",
        )),
    }
}

fn split(form: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    form.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let name = halves.next().unwrap_or_default();
        (name, halves.next().unwrap_or_default())
    })
}

fn decode(encoded: &[u8], charset: &'static Encoding) -> Result<String, Refusal> {
    charset
        .decode_without_bom_handling_and_without_replacement(&percent_decode(encoded))
        .map(std::borrow::Cow::into_owned)
        .ok_or_else(|| Refusal::invalid("isv.invalid-encoding", "the bytes are not in the charset"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_string_to_sign_is_sorted_raw_and_without_empty_values() {
        let params = Params::decode("b=%2B+x&charset=utf-8&sign=zz", b"a=%E5%8F%AF&empty=&c=1%3D2").unwrap();
        assert_eq!(params.string_to_sign(), "a=可&b=+ x&c=1=2&charset=utf-8");
        assert_eq!(params.get("empty"), None);
    }

    #[test]
    fn gbk_is_decoded_by_its_own_rules() {
        let params = Params::decode("charset=GBK", b"a=%BF%F3").unwrap();
        assert_eq!(params.get("a"), Some("矿"));
    }

    #[test]
    fn the_charset_must_stand_in_the_query() {
        let refused = Params::decode("a=1", b"charset=utf-8").unwrap_err();
        assert_eq!(refused.sub_code, "isv.missing-charset");
        let refused = Params::decode("charset=latin1", b"").unwrap_err();
        assert_eq!(refused.sub_code, "isv.invalid-charset");
    }

    #[test]
    fn a_name_sent_twice_is_an_attack() {
        let refused = Params::decode("charset=utf-8&a=1", b"a=1").unwrap_err();
        assert_eq!(refused.sub_code, "isv.suspected-attack");
    }

    #[test]
    fn bytes_outside_the_charset_are_refused() {
        let refused = Params::decode("charset=utf-8", b"a=%FF").unwrap_err();
        assert_eq!(refused.sub_code, "isv.invalid-encoding");
    }
}
