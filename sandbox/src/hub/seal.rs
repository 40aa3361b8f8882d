//! The hash of an entry, as docs/journal.md gives it.

use ring::digest::{Context, SHA256, digest};

/// A SHA-256 hash.
pub(crate) type Hash = [u8; 32];

/// What the first entry of a terminal is tied to.
pub(crate) fn beginning() -> Hash {
    bytes(digest(&SHA256, b"till journal, format 1").as_ref())
}

/// The seven fields, each behind its length.
pub(crate) fn seal(seq: u64, at_ms: i64, trusted: bool, state: &str, prev: &Hash, body: &str) -> Hash {
    let mut context = Context::new(&SHA256);
    let mut field = |bytes: &[u8]| {
        context.update(&(bytes.len() as u64).to_be_bytes());
        context.update(bytes);
    };
    field(b"till journal entry, format 1");
    field(&seq.to_be_bytes());
    field(&at_ms.to_be_bytes());
    field(&[u8::from(trusted)]);
    field(state.as_bytes());
    field(prev);
    field(body.as_bytes());
    bytes(context.finish().as_ref())
}

/// The hash that 64 lower-case hexadecimal digits write.
pub(crate) fn from_hex(text: &str) -> Option<Hash> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let digits: Option<Vec<u8>> = text.bytes().map(digit).collect();
    let (pairs, rest) = digits.as_deref()?.as_chunks::<2>();
    let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
    rest.is_empty().then(|| bytes.try_into().ok())?
}

/// The hash as hexadecimal digits.
pub(crate) fn to_hex(hash: &[u8]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(digest: &[u8]) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest);
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with the program in docs/journal.md.
    #[test]
    fn the_hash_is_the_one_that_the_page_gives() {
        let prev = beginning();
        let hash = seal(1, 1_790_000_000_000, true, "waiting", &prev, r#"{"kind":"order_opened"}"#);
        assert_eq!(to_hex(&prev), "ec5933b6d5ffd32c80e87435eb2948f7d412ccdb258cd7c9c84b002c43113159");
        assert_eq!(to_hex(&hash), "13599da4609b7ca11465aeae4a7048f0d569b09972f0a8d9e07eb448887650ac");
    }

    #[test]
    fn hexadecimal_digits_are_read_back() {
        assert_eq!(from_hex(&to_hex(&beginning())), Some(beginning()));
        for wrong in ["", "00", &"g".repeat(64), &"A0".repeat(32), &"0".repeat(65)] {
            assert_eq!(from_hex(wrong), None, "{wrong}");
        }
    }
}
