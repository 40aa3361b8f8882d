//! Values that must never be seen: they print as their outline only, whoever prints them.

use std::fmt;

use ring::digest::{SHA256, digest};

/// A buyer's pay code as the scanner read it. Debug and Display show the first two and the last four characters.
///
/// It is single use and lives about a minute (reference/alipay.md 6); it is never written to the journal.
#[derive(Clone, PartialEq, Eq)]
pub struct PayCode(String);

impl PayCode {
    /// Wraps the code as it was read, trimmed by the caller.
    #[must_use]
    pub fn new(code: impl Into<String>) -> Self {
        Self(code.into())
    }

    /// The code itself, for the one request that pays with it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// A fingerprint to tell whether two scans were the same code without keeping either.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut out = [0; 32];
        out.copy_from_slice(digest(&SHA256, self.0.as_bytes()).as_ref());
        out
    }
}

impl fmt::Display for PayCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let characters: Vec<char> = self.0.chars().collect();
        if characters.len() < 10 {
            return write!(f, "<{} characters>", characters.len());
        }
        let (first, rest) = characters.split_at(2);
        let (middle, last) = rest.split_at(rest.len() - 4);
        let show = |part: &[char]| part.iter().collect::<String>();
        write!(f, "{}{}{}", show(first), "*".repeat(middle.len()), show(last))
    }
}

impl fmt::Debug for PayCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A key or token. Debug and Display say only that it is there.
#[derive(Clone)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Hides `value`.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for the one place that needs it.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

impl<T> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pay_code_prints_as_its_outline() {
        let code = PayCode::new("285000000000000017");
        assert_eq!(format!("{code} {code:?}"), "28************0017 28************0017");
        assert_eq!(PayCode::new("28500").to_string(), "<5 characters>");
    }

    #[test]
    fn a_secret_prints_nothing() {
        assert_eq!(format!("{0} {0:?}", Secret::new("key")), "<secret> <secret>");
    }

    #[test]
    fn fingerprints_tell_codes_apart() {
        let code = |text| PayCode::new(text).fingerprint();
        assert_eq!(code("285000000000000017"), code("285000000000000017"));
        assert_ne!(code("285000000000000017"), code("285000000000000018"));
    }
}
