//! Who signed a request: RFC 9421 over a fixed list of components, RFC 9530 for the body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use ring::signature::{ED25519, UnparsedPublicKey};

use super::wire::{Refusal, Request};

/// How far `created` may be from the hub's clock, in seconds.
const AGE_S_MAX: u64 = 300;

/// What a request says about its signature, before anybody's key was tried on it.
#[derive(Debug)]
pub(crate) struct Signed {
    /// What was signed.
    base: String,
    signature: Vec<u8>,
}

impl Signed {
    /// Reads the three fields and checks everything that needs no key.
    pub(crate) fn read(request: &Request, terminal: &str, now_ms: i64) -> Result<Self, Refusal> {
        let content_digest = field(request, "Content-Digest")?;
        check_digest(content_digest, &request.body)?;
        let input = field(request, "Signature-Input")?;
        let parameters =
            input.strip_prefix("till=").ok_or_else(|| bad_input("the signature must be named till", input))?;
        check_parameters(parameters, terminal, now_ms)?;
        let base = format!(
            "\"@method\": {}\n\"@path\": {}\n\"content-digest\": {content_digest}\n\"@signature-params\": {parameters}",
            request.method, request.path
        );
        Ok(Self { base, signature: signature(field(request, "Signature")?)? })
    }

    /// Whether this key signed.
    pub(crate) fn verify(&self, public_key: &[u8]) -> Result<(), Refusal> {
        UnparsedPublicKey::new(&ED25519, public_key).verify(self.base.as_bytes(), &self.signature).map_err(|_| {
            let detail = format!("the signature does not hold for the terminal's key over these bytes:\n{}", self.base);
            Refusal::new(401, "bad_signature", detail)
        })
    }
}

fn field<'a>(request: &'a Request, name: &str) -> Result<&'a str, Refusal> {
    request.only_header(name).map_err(|times| {
        Refusal::new(401, "unsigned", format!("the field {name} must be there once; it is there {times} times"))
    })
}

fn check_digest(field: &str, body: &[u8]) -> Result<(), Refusal> {
    let wanted = format!("sha-256=:{}:", STANDARD.encode(digest(&SHA256, body)));
    if field != wanted {
        return Err(Refusal::new(401, "bad_digest", format!("Content-Digest of this body is {wanted}, not {field}")));
    }
    Ok(())
}

/// Reads `("@method" "@path" "content-digest");created=…;keyid="…";alg="ed25519"`, in this order and spelling.
fn check_parameters(parameters: &str, terminal: &str, now_ms: i64) -> Result<(), Refusal> {
    let rest = parameters
        .strip_prefix("(\"@method\" \"@path\" \"content-digest\");created=")
        .ok_or_else(|| bad_input("the components must be \"@method\" \"@path\" \"content-digest\"", parameters))?;
    let (created, rest) =
        rest.split_once(";keyid=\"").ok_or_else(|| bad_input("keyid must follow created", parameters))?;
    let (keyid, rest) = rest.split_once('"').ok_or_else(|| bad_input("keyid must be in quotes", parameters))?;
    if rest != ";alg=\"ed25519\"" {
        return Err(bad_input("alg=\"ed25519\" must follow keyid and end it", parameters));
    }
    if keyid != terminal {
        let detail = format!("keyid is {keyid}, the path is that of {terminal}");
        return Err(Refusal::new(401, "wrong_keyid", detail));
    }
    check_created(created, now_ms)
}

fn check_created(created: &str, now_ms: i64) -> Result<(), Refusal> {
    let plain = !created.is_empty() && created.bytes().all(|byte| byte.is_ascii_digit());
    let seconds: Option<i64> = created.parse().ok().filter(|_| plain);
    let seconds = seconds.ok_or_else(|| bad_input("created must be Unix seconds", created))?;
    let now = now_ms.div_euclid(1000);
    if seconds.abs_diff(now) > AGE_S_MAX {
        let detail = format!("signed at {seconds}, it is {now} here: more than {AGE_S_MAX} s apart. Check the clock");
        return Err(Refusal::new(401, "stale_signature", detail));
    }
    Ok(())
}

fn signature(field: &str) -> Result<Vec<u8>, Refusal> {
    let text = field.strip_prefix("till=:").and_then(|rest| rest.strip_suffix(':'));
    let bytes = text.and_then(|text| STANDARD.decode(text).ok()).filter(|bytes| bytes.len() == 64);
    bytes.ok_or_else(|| {
        let detail = format!("Signature must be till=:…base64 of 64 bytes…:, not {field}");
        Refusal::new(401, "bad_signature_field", detail)
    })
}

fn bad_input(what: &str, text: &str) -> Refusal {
    Refusal::new(401, "bad_signature_input", format!("{what}: {text}"))
}
