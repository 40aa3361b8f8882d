//! Signatures over requests as RFC 9421 describes them (HTTP message signatures), with the fixed list of components of
//! `docs/hub.md`, and `Content-Digest` of RFC 9530.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};

use super::key::TerminalKey;

/// The headers that a request carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// `Content-Digest`
    pub content_digest: String,
    /// `Signature-Input`
    pub signature_input: String,
    /// `Signature`
    pub signature: String,
}

/// Signs a POST of `body`, as it is sent, to `path` by the terminal `keyid` at `created_s`, in Unix seconds.
#[must_use]
pub fn sign(key: &TerminalKey, keyid: &str, path: &str, body: &[u8], created_s: i64) -> Signed {
    let content_digest = content_digest(body);
    let params = params(keyid, created_s);
    let signature = STANDARD.encode(key.sign(base(path, &content_digest, &params).as_bytes()));
    Signed { content_digest, signature_input: format!("till={params}"), signature: format!("till=:{signature}:") }
}

fn content_digest(body: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(digest(&SHA256, body)))
}

/// A terminal's number holds nothing that would have to be escaped.
fn params(keyid: &str, created_s: i64) -> String {
    format!("(\"@method\" \"@path\" \"content-digest\");created={created_s};keyid=\"{keyid}\";alg=\"ed25519\"")
}

/// The bytes that are signed.
fn base(path: &str, content_digest: &str, params: &str) -> String {
    format!(
        "\"@method\": POST\n\"@path\": {path}\n\"content-digest\": {content_digest}\n\"@signature-params\": {params}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key `test-key-ed25519` of RFC 9421, B.1.4: known to everybody, for tests only.
    const RFC_SEED: &str = "9f8362f87a484a954e6e740c5b4c0e84229139a20aa8ab56ff66586f6a7d29c5";

    fn key() -> TerminalKey {
        TerminalKey::from_seed(RFC_SEED)
    }

    #[test]
    fn the_rfcs_own_example_comes_out() {
        // RFC 9421, B.2.6.
        let base = "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\"@method\": POST\n\"@path\": /foo\n\"@authority\": example.com\n\
            \"content-type\": application/json\n\"content-length\": 18\n\"@signature-params\": (\"date\" \"@method\" \"@path\" \
            \"@authority\" \"content-type\" \"content-length\");created=1618884473;keyid=\"test-key-ed25519\"";
        let signature = "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==";
        assert_eq!(STANDARD.encode(key().sign(base.as_bytes())), signature);
        assert_eq!(key().public(), "JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=");
    }

    /// Frozen: the hub computes the same. Made with `openssl pkeyutl -sign -rawin` over the four lines of `docs/hub.md`.
    #[test]
    fn a_request_is_signed_over_the_four_lines_of_the_page() {
        let signed = sign(&key(), "VM-0001", "/v1/terminals/VM-0001/poll", b"{\"handled\":0}", 1_790_000_000);
        assert_eq!(signed.content_digest, "sha-256=:i/O7MuL3dDpSWh/kSCBn+tCPdPpjjgGhwYP3mPfJUB0=:");
        assert_eq!(
            signed.signature_input,
            "till=(\"@method\" \"@path\" \"content-digest\");created=1790000000;keyid=\"VM-0001\";alg=\"ed25519\""
        );
        assert_eq!(
            signed.signature,
            "till=:e+rnPKHugWx0BJCMNZAz/d54r5AKqTVbPvjrrwo9TcH/a8vK0QPRVI/L+V5aMnurwYrRz0h2LwDBtUXZpqgMDg==:"
        );
    }

    #[test]
    fn the_digest_is_that_of_rfc_9530() {
        // RFC 9530, appendix D: the digest of {"hello": "world"} and a line feed.
        let body = b"{\"hello\": \"world\"}\n";
        assert_eq!(content_digest(body), "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:");
        assert_eq!(content_digest(b""), "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:");
    }
}
