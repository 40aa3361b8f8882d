//! Codes that buyers and machines show: pay codes and precreated QR texts (reference/alipay.md 6).

use super::terms::Terms;

/// A code on a buyer's phone: 18 digits, single use, short-lived.
#[derive(Debug, Clone)]
pub(crate) struct PayCode {
    pub(crate) buyer: String,
    pub(crate) expires_at: i64,
    /// The number that used it.
    pub(crate) used_by: Option<String>,
}

/// A precreated code. It is not a trade until somebody scans it.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    pub(crate) terms: Terms,
    /// What is drawn on the machine's screen.
    pub(crate) text: String,
    pub(crate) created_at: i64,
    /// From when on it cannot be scanned any more.
    pub(crate) expires_at: i64,
}

/// Scatters a counter into a number that looks random and is the same for the same seed (SplitMix64).
pub(crate) fn scatter(seed: u64, counter: u64) -> u64 {
    let mut z = seed.wrapping_add(counter.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// `28` and 16 digits.
pub(crate) fn pay_code(number: u64) -> String {
    format!("28{:016}", number % 10_000_000_000_000_000)
}

/// The text of a QR: `https://qr.alipay.com/bax` and 15 characters.
pub(crate) fn qr_text(mut number: u64) -> String {
    let mut text = String::from("https://qr.alipay.com/bax");
    for _ in 0..15 {
        let digit = u32::try_from(number % 36).unwrap_or_default();
        text.push(char::from_digit(digit, 36).unwrap_or('0'));
        number = number / 36 + scatter(number, 1) / 97;
    }
    text
}
