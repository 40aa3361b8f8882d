//! Values that must never be seen: they print as their outline only, whoever prints them.

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

use ring::digest::{SHA256, digest};

use crate::voucher::PREFIX;

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

/// A run of so many digits may be a pay code, a bank card or a buyer's account. Alipay's number of a trade has 28.
const CODE_DIGITS: RangeInclusive<usize> = 16..=24;

/// A text of somebody else, such as a channel's reason or what a caller sent, with everything that looks like a code or an
/// account shown as its outline. What Till itself handles is redacted by its type; this is for words that come from outside.
#[must_use]
pub fn without_codes(text: &str) -> Cow<'_, str> {
    let mut shown = String::new();
    let (mut signed, mut digits) = (signed_code(text, 0), digits_code(text, 0));
    let mut from = 0;
    // Each search goes on where the last one ended: whatever the text, the whole is read about twice.
    while let Some((start, end)) = signed.into_iter().chain(digits).min() {
        shown += &text[from..start];
        shown += &PayCode::new(&text[start..end]).to_string();
        from = end;
        signed = signed.filter(|(start, _)| *start >= from).or_else(|| signed.and_then(|_| signed_code(text, from)));
        digits = digits.filter(|(start, _)| *start >= from).or_else(|| digits.and_then(|_| digits_code(text, from)));
    }
    if from == 0 { Cow::Borrowed(text) } else { Cow::Owned(shown + &text[from..]) }
}

/// Where the first signed code behind `from` begins and ends.
fn signed_code(text: &str, from: usize) -> Option<(usize, usize)> {
    let start = text[from..].find(PREFIX).map(|at| from + at)?;
    let ends = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
    Some((start, text[start..].find(ends).map_or(text.len(), |length| start + length)))
}

/// The first run of digits behind `from` that is as long as a code.
fn digits_code(text: &str, mut from: usize) -> Option<(usize, usize)> {
    while let Some(start) = text[from..].find(|c: char| c.is_ascii_digit()).map(|at| from + at) {
        let end = text[start..].find(|c: char| !c.is_ascii_digit()).map_or(text.len(), |length| start + length);
        if CODE_DIGITS.contains(&(end - start)) {
            return Some((start, end));
        }
        from = end;
    }
    None
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
    fn words_from_outside_lose_their_codes_and_nothing_else() {
        let outlined = [
            ("ACQ.ECHO 285000000000000017 is dead", "ACQ.ECHO 28************0017 is dead"),
            ("285000000000000017", "28************0017"),
            ("可乐285000000000000017可乐", "可乐28************0017可乐"),
            ("buyer 2088000000000101, card 6200000000000000001", "buyer 20**********0101, card 62*************0001"),
            ("TILL1.eyJpZCI6.c2ln-_ and TILL1.", "TI***************ln-_ and <6 characters>"),
        ];
        for (text, shown) in outlined {
            assert_eq!(without_codes(text), shown);
        }
        let trade = "2026112222001400001000000017";
        for text in ["", "no order has the number 4711", "可乐", "S0123456789ABCDEFGHJKMNPQR", trade, "1790000000000"]
        {
            assert!(matches!(without_codes(text), Cow::Borrowed(same) if same == text), "{text}");
        }
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
