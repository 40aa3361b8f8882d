//! Texts without what is worth stealing: keys, pay codes, cards, telephone numbers, buyers' accounts.
//!
//! It masks too much rather than too little: a number of a channel's trade is found by the order's own.

use std::borrow::Cow;

use payment::redact::without_codes;

use crate::config::looks_like_a_key;

/// A telephone number in China has eleven digits, the longest pay code twenty-four.
const NUMBER_LEAST: usize = 11;

/// The text as it may leave the machine.
pub(super) fn masked(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut in_a_key = false;
    for line in text.split_inclusive('\n') {
        if line.contains("-----BEGIN") {
            in_a_key = true;
            shown.push_str("<a key or a certificate>\n");
        }
        if !in_a_key {
            shown.push_str(&without_numbers(&without_codes(&without_keys(line))));
        }
        in_a_key &= !line.contains("-----END");
    }
    shown
}

/// Runs that look like a key. Till's own numbers do, too, and are none.
fn without_keys(line: &str) -> Cow<'_, str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    if !looks_like_a_key(line) {
        return Cow::Borrowed(line);
    }
    let mut shown = String::new();
    let mut rest = line;
    while let Some(start) = rest.find(is_part) {
        let (before, run) = rest.split_at(start);
        let (run, after) = run.split_at(run.find(|c| !is_part(c)).unwrap_or(run.len()));
        shown.push_str(before);
        match looks_like_a_key(run) && !is_own_number(run) {
            true => shown.push_str(&format!("<{} characters>", run.len())),
            false => shown.push_str(run),
        }
        rest = after;
    }
    Cow::Owned(shown + rest)
}

/// An order's, attempt's or refund's: a letter and 25 characters (payment/src/ids.rs).
fn is_own_number(run: &str) -> bool {
    run.len() == 26 && run.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Eleven digits and more, also where blanks or hyphens stand between them: `138 1234 5678`.
fn without_numbers(line: &str) -> String {
    let mut shown = String::new();
    let mut run = String::new();
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        let joins = matches!(character, ' ' | '-')
            && run.ends_with(|c: char| c.is_ascii_digit())
            && characters.peek().is_some_and(char::is_ascii_digit);
        if character.is_ascii_digit() || joins {
            run.push(character);
            continue;
        }
        flush(&mut shown, &mut run);
        shown.push(character);
    }
    flush(&mut shown, &mut run);
    shown
}

fn flush(shown: &mut String, run: &mut String) {
    let digits = run.chars().filter(char::is_ascii_digit).count();
    if digits >= NUMBER_LEAST {
        shown.push_str(&format!("<{digits} digits>"));
    } else {
        shown.push_str(run);
    }
    run.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_must_be_able_to_read_stays() {
        for line in [
            "2026-01-31T08:00:05+0800 vm-0001 till[412]: WARN the scanner's port /dev/serial/by-id/usb-1a86_USB_Serial-if00-port0 is gone\n",
            "2026-01-31 08:00:05 order S0123456789ABCDEFGHJKMNPQR is paid, 350 fen, after 1200 ms\n",
            "10.0.0.12:8443 192.168.100.200 v0.2.0 0x1234\n",
            "path = \"/dev/input/by-id/usb-Newland_Auto-ID_NLS-FM430-event-kbd\"\n",
            "line = { chip = \"pinctrl-bcm2711\", offset = 17 }\n",
        ] {
            assert_eq!(masked(line), line);
        }
    }

    #[test]
    fn what_is_worth_stealing_goes() {
        for (line, secret) in [
            ("scanned 281234567890123456 again", "281234567890123456"),
            ("call 13812345678 or 138 1234 5678, +86-138-1234-5678", "1234"),
            ("openssl says MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw", "MIIEvQ"),
            ("key=0123456789abcdef0123456789abcdef", "0123456789abcdef"),
            ("aes nl/4ZXn0cQ+SOeh3kPqyiA==", "ZXn0cQ"),
            ("card 6222021234567890123", "62220212"),
        ] {
            let shown = masked(line);
            assert!(!shown.contains(secret) && shown.contains(['<', '*']), "{shown}");
        }
        let pem = "before\n-----BEGIN PRIVATE KEY-----\nc2hvcnQ\nx\n-----END PRIVATE KEY-----\nafter\n";
        assert_eq!(masked(pem), "before\n<a key or a certificate>\nafter\n");
    }
}
