//! The string that a request's signature is made over, and the form encoding that carries it: Alipay's, and after it
//! Allinpay's.
//!
//! Source: Alipay gateway 1.0, "custom signing" (自行实现签名): every parameter that is sent, query and body together,
//! `sign_type` among them and `sign` not; no empty ones; sorted by name; joined raw, not percent-encoded.

/// The string to sign for these parameters, in whatever order they come.
#[must_use]
pub fn string_to_sign<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut kept: Vec<(&str, &str)> =
        parameters.into_iter().filter(|(name, value)| *name != "sign" && !value.is_empty()).collect();
    kept.sort_unstable();
    let pairs: Vec<String> = kept.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// `name=value` pairs for a query or a form body, percent-encoded as UTF-8, empty values left out.
#[must_use]
pub fn form<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let pairs: Vec<String> = parameters
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{}={}", percent(name), percent(value)))
        .collect();
    pairs.join("&")
}

fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 3 / 2);
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_string_is_sorted_raw_and_without_sign_or_empty_values() {
        let parameters = [
            ("sign_type", "RSA2"),
            ("sign", "x"),
            ("app_id", "1"),
            ("notify_url", ""),
            ("biz_content", "{\"a\":\"b c\"}"),
        ];
        assert_eq!(string_to_sign(parameters), "app_id=1&biz_content={\"a\":\"b c\"}&sign_type=RSA2");
    }

    #[test]
    fn transport_is_percent_encoded_utf8() {
        assert_eq!(form([("a", "1 +/=&%"), ("empty", ""), ("b", "可")]), "a=1%20%2B%2F%3D%26%25&b=%E5%8F%AF");
    }
}
