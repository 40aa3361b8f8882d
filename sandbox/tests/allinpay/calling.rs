//! Requests, answers and signatures as bytes: nothing here is shared with the gateways or with the payment crate.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use rsa::pkcs1v15::Pkcs1v15Sign;
use rsa::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _};
use sha1::Sha1;
use sm2::dsa::signature::{Signer as _, Verifier as _};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub type Params = Vec<(String, String)>;

/// The connection ended without an answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Cut;

#[derive(Debug)]
pub struct Raw {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Raw {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

pub fn params(pairs: &[(&str, &str)]) -> Params {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub fn set(params: &mut Params, name: &str, value: &str) {
    params.retain(|(each, _)| each != name);
    params.push((name.to_owned(), value.to_owned()));
}

pub fn without(params: &mut Params, name: &str) {
    params.retain(|(each, _)| each != name);
}

/// Everything with a value but these names, sorted, joined raw.
pub fn joined<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>, but: &[&str]) -> String {
    let sorted: BTreeMap<&str, &str> = pairs.filter(|(name, value)| !but.contains(name) && !value.is_empty()).collect();
    sorted.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

pub fn md5_hex(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn der(pem: &str) -> Vec<u8> {
    STANDARD.decode(pem.lines().filter(|line| !line.starts_with('-')).collect::<String>()).unwrap()
}

fn sha1_with_rsa() -> Pkcs1v15Sign {
    let info = [0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2B, 0x0E, 0x03, 0x02, 0x1A, 0x05, 0x00, 0x04, 0x14];
    Pkcs1v15Sign { hash_len: Some(20), prefix: info.into() }
}

pub fn rsa_sign(pem: &str, text: &str) -> String {
    let key = rsa::RsaPrivateKey::from_pkcs8_der(&der(pem)).unwrap();
    STANDARD.encode(key.sign(sha1_with_rsa(), &Sha1::digest(text.as_bytes())).unwrap())
}

pub fn rsa_holds(pem: &str, text: &str, signature: &str) -> bool {
    let key = rsa::RsaPublicKey::from_public_key_der(&der(pem)).unwrap();
    let signature = STANDARD.decode(signature).unwrap_or_default();
    key.verify(sha1_with_rsa(), &Sha1::digest(text.as_bytes()), &signature).is_ok()
}

const USER_ID: &str = "1234567812345678";

/// Base64 of DER, written here by hand.
pub fn sm2_sign(pem: &str, text: &str) -> String {
    let secret = sm2::SecretKey::from_pkcs8_der(&der(pem)).unwrap();
    let key = sm2::dsa::SigningKey::new(USER_ID, &secret).unwrap();
    let signature: sm2::dsa::Signature = key.sign(text.as_bytes());
    let bytes = signature.to_bytes();
    let integer = |part: &[u8]| {
        let short: Vec<u8> = part.iter().copied().skip_while(|byte| *byte == 0).collect();
        let padded = if short[0] >= 0x80 { [vec![0], short].concat() } else { short };
        [vec![2, u8::try_from(padded.len()).unwrap()], padded].concat()
    };
    let body = [integer(&bytes[..32]), integer(&bytes[32..])].concat();
    STANDARD.encode([vec![0x30, u8::try_from(body.len()).unwrap()], body].concat())
}

pub fn sm2_holds(pem: &str, text: &str, signature: &str) -> bool {
    let public = sm2::PublicKey::from_public_key_der(&der(pem)).unwrap();
    let key = sm2::dsa::VerifyingKey::new(USER_ID, public).unwrap();
    let Ok(bytes) = STANDARD.decode(signature) else { return false };
    let integer = |at: usize| {
        let length = usize::from(*bytes.get(at + 1)?);
        let value = bytes.get(at + 2..at + 2 + length)?;
        let value = value.strip_prefix(&[0]).unwrap_or(value);
        let mut full = [0; 32];
        full[32 - value.len()..].copy_from_slice(value);
        Some((full, at + 2 + length))
    };
    let Some((r, next)) = integer(2) else { return false };
    let Some((s, _)) = integer(next) else { return false };
    let signature = sm2::dsa::Signature::from_slice(&[r, s].concat());
    signature.is_ok_and(|signature| key.verify(text.as_bytes(), &signature).is_ok())
}

pub fn form(params: &Params) -> String {
    params.iter().map(|(name, value)| format!("{name}={}", percent(value))).collect::<Vec<_>>().join("&")
}

pub async fn post(url: &str, content_type: &str, body: &str) -> Result<Raw, Cut> {
    call("POST", url, content_type, body).await
}

pub async fn get(url: &str) -> Result<Raw, Cut> {
    call("GET", url, "text/plain", "").await
}

async fn call(method: &str, url: &str, content_type: &str, body: &str) -> Result<Raw, Cut> {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let request = format!(
        "{method} /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(host).await.map_err(|_| Cut)?;
    stream.write_all(request.as_bytes()).await.map_err(|_| Cut)?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await.map_err(|_| Cut)?;
    let end = reply.windows(4).position(|four| four == b"\r\n\r\n").ok_or(Cut)?;
    let head = String::from_utf8_lossy(&reply[..end]);
    Ok(Raw { status: head.split(' ').nth(1).unwrap().parse().unwrap(), body: reply[end + 4..].to_vec() })
}

pub fn percent(value: &str) -> String {
    let mut encoded = String::new();
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => encoded.push(char::from(byte)),
            b' ' => encoded.push('+'),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
