//! Query strings: percent-decoded, every name once, nothing that no document knows.

use super::refusal::Refusal;

/// The parameters of a call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a raw query string.
    pub(crate) fn read(raw: &str) -> Result<Self, Refusal> {
        let pairs = raw.split('&').filter(|pair| !pair.is_empty());
        let read: Option<Vec<(String, String)>> = pairs
            .map(|pair| {
                let (name, value) = pair.split_once('=')?;
                Some((decode(name)?, decode(value)?))
            })
            .collect();
        let read = read.ok_or_else(|| Refusal::parameter("query", "", "查询串格式错误", "query"))?;
        for (at, (name, _)) in read.iter().enumerate() {
            if read.iter().skip(at + 1).any(|(other, _)| other == name) {
                return Err(Refusal::parameter(name, "", "重复的参数", "query"));
            }
        }
        Ok(Self(read))
    }

    /// The value, if there is one.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(each, _)| each == name).map(|(_, value)| value.as_str())
    }

    /// The value, which must be there.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Refusal> {
        let value = self.get(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| Refusal::parameter(name, "", "缺少必填参数", "query"))
    }

    /// Refuses parameters that are not `known`.
    pub(crate) fn only_known(&self, known: &[&str]) -> Result<(), Refusal> {
        match self.0.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((name, value)) => Err(Refusal::parameter(name, value, "未知的参数", "query")),
            None => Ok(()),
        }
    }
}

/// Percent-decodes to UTF-8; `None` for broken escapes.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let [high, low, after @ ..] = rest else {
            return None;
        };
        let digits = [*high, *low];
        let digits = std::str::from_utf8(&digits).ok().filter(|digits| !digits.starts_with('+'))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read_once_and_broken_ones_refused() {
        assert_eq!(decode("a%7Cb").as_deref(), Some("a|b"));
        assert_eq!(decode("%E5%85%83").as_deref(), Some("元"));
        for broken in ["%", "%7", "%zz", "%+1", "%ff"] {
            assert_eq!(decode(broken), None, "{broken}");
        }
    }

    #[test]
    fn a_name_comes_once_and_is_known() {
        assert!(Query::read("mchid=1&mchid=1").is_err());
        let query = Query::read("mchid=1&x=").unwrap_or_default();
        assert_eq!(query.get("mchid"), Some("1"));
        assert!(query.required("x").is_err() && query.only_known(&["mchid"]).is_err());
    }
}
