//! The string that VSP's signatures cover (reference/allinpay.md 2.2).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use md5::{Digest as _, Md5};

/// All non-empty values but `sign`, sorted by name, joined raw; the MD5 key stands at its sorted place.
pub(super) fn string_to_sign<'a>(values: impl Iterator<Item = (&'a str, &'a str)>, md5_key: Option<&'a str>) -> String {
    let mut sorted: BTreeMap<&str, &str> =
        values.filter(|(name, value)| *name != "sign" && !value.is_empty()).collect();
    if let Some(key) = md5_key {
        sorted.insert("key", key);
    }
    let pairs: Vec<String> = sorted.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// Upper-case hexadecimal.
pub(super) fn md5_hex(text: &str) -> String {
    let mut hex = String::with_capacity(32);
    for byte in Md5::digest(text.as_bytes()) {
        let _ = write!(hex, "{byte:02X}");
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ThrowawayVspAppKey0123456789abcd";

    #[test]
    fn the_md5_key_stands_at_its_sorted_place() {
        let query = [
            ("cusid", "990000000000001"),
            ("appid", "00000001"),
            ("version", "11"),
            ("randomstr", "a1b2c3d4e5f60718"),
            ("reqsn", "VM0001-20260529-000123"),
            ("remark", ""),
            ("signtype", "MD5"),
            ("sign", "anything"),
        ];
        let text = string_to_sign(query.into_iter(), Some(KEY));
        assert!(text.contains(&format!("&key={KEY}&randomstr=")) && !text.contains("remark"), "{text}");
        // reference/vectors/allinpay.json, query_md5
        assert_eq!(md5_hex(&text), "764821A0E4ED94201A824B80CAACF35B");
        let appended = format!("{}&key={KEY}", string_to_sign(query.into_iter(), None));
        assert_ne!(md5_hex(&appended), md5_hex(&text));
    }
}
