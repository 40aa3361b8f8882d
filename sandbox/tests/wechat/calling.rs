//! Requests and answers as bytes: nothing here is shared with the gateway or with the payment crate.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey};
use sandbox::wechat::MerchantKeys;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The connection ended without an answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Cut;

/// A request that a test may spoil before it is sent.
#[derive(Debug, Clone)]
pub struct Ask {
    pub method: String,
    pub target: String,
    pub body: String,
    pub headers: Vec<(String, String)>,
}

impl Ask {
    pub fn new(method: &str, target: &str, body: &str) -> Self {
        let mut ask =
            Self { method: method.to_owned(), target: target.to_owned(), body: body.to_owned(), headers: Vec::new() };
        ask.set("Accept", "application/json");
        ask.set("User-Agent", "a-till/1");
        if !body.is_empty() {
            ask.set("Content-Type", "application/json");
        }
        ask
    }

    /// Replaces a header; an empty value removes it.
    pub fn set(&mut self, name: &str, value: &str) {
        self.headers.retain(|(each, _)| each != name);
        if !value.is_empty() {
            self.headers.push((name.to_owned(), value.to_owned()));
        }
    }

    /// Signs as the document says, at this second.
    pub fn sign(&mut self, keys: &MerchantKeys, seconds: i64) {
        let nonce = "593BEC0C930BF1AFEB40B4A08C8FB242";
        let content = format!("{}\n{}\n{seconds}\n{nonce}\n{}\n", self.method, self.target, self.body);
        let pair = key_pair(&keys.private_key_pem);
        let mut signature = vec![0; pair.public().modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), content.as_bytes(), &mut signature).unwrap();
        let value = format!(
            "WECHATPAY2-SHA256-RSA2048 mchid=\"{}\",nonce_str=\"{nonce}\",signature=\"{}\",timestamp=\"{seconds}\",serial_no=\"{}\"",
            keys.mchid,
            STANDARD.encode(signature),
            keys.serial_no
        );
        self.set("Authorization", &value);
    }

    pub fn header(&self, name: &str) -> String {
        self.headers.iter().find(|(each, _)| each == name).map(|(_, value)| value.clone()).unwrap_or_default()
    }

    pub fn bytes(&self, host: &str) -> Vec<u8> {
        let headers: String = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!(
            "{} {} HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{}",
            self.method,
            self.target,
            self.body.len(),
            self.body
        )
        .into_bytes()
    }

    /// Sends to `http://host:port`.
    pub async fn send(&self, url: &str) -> Result<Answer, Cut> {
        let host = url.strip_prefix("http://").unwrap();
        let stream = TcpStream::connect(host).await.map_err(|_| Cut)?;
        exchange(stream, &self.bytes(host)).await
    }
}

/// Writes a request and reads to the end of the connection.
pub async fn exchange(mut stream: impl AsyncReadExt + AsyncWriteExt + Unpin, request: &[u8]) -> Result<Answer, Cut> {
    stream.write_all(request).await.map_err(|_| Cut)?;
    let mut reply = Vec::new();
    let _ = stream.read_to_end(&mut reply).await;
    Answer::read(&reply)
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Answer {
    fn read(reply: &[u8]) -> Result<Self, Cut> {
        let end = reply.windows(4).position(|four| four == b"\r\n\r\n").ok_or(Cut)?;
        let head = String::from_utf8_lossy(&reply[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        Ok(Self { status, headers, body: reply[end + 4..].to_vec() })
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(String::as_str).unwrap_or_default()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The member at a JSON pointer, as text.
    pub fn member(&self, pointer: &str) -> String {
        match self.json().pointer(pointer) {
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => String::new(),
        }
    }

    pub fn code(&self) -> String {
        self.member("/code")
    }

    /// Whether a signature is there and holds for the key of this name.
    pub fn is_signed_by(&self, id: &str, public_key_pem: &str) -> bool {
        self.header("wechatpay-serial") == id && self.holds(public_key_pem)
    }

    pub fn holds(&self, public_key_pem: &str) -> bool {
        let (timestamp, nonce) = (self.header("wechatpay-timestamp"), self.header("wechatpay-nonce"));
        let mut content = format!("{timestamp}\n{nonce}\n").into_bytes();
        content.extend_from_slice(&self.body);
        content.push(b'\n');
        verify(public_key_pem, &content, self.header("wechatpay-signature"))
    }

    pub fn has_signature_headers(&self) -> bool {
        self.headers.keys().any(|name| name.starts_with("wechatpay-"))
    }

    /// The members of an XML answer of APIv2.
    pub fn xml(&self) -> BTreeMap<String, String> {
        let text = self.text();
        let rows = text.split("]]></").filter_map(|row| row.rsplit_once("<![CDATA["));
        rows.map(|(name, value)| (name.rsplit('<').next().unwrap().trim_end_matches('>').to_owned(), value.to_owned()))
            .collect()
    }
}

pub fn verify(public_key_pem: &str, content: &[u8], signature: &str) -> bool {
    let key = der(public_key_pem)[24..].to_vec();
    let signature = STANDARD.decode(signature).unwrap_or_default();
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key).verify(content, &signature).is_ok()
}

pub fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(body).unwrap()
}

fn key_pair(pem: &str) -> RsaKeyPair {
    RsaKeyPair::from_pkcs8(&der(pem)).unwrap()
}

/// Opens what the APIv3 key closed.
pub fn open(key: &str, sealed: &Value) -> Option<String> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.as_bytes()).unwrap());
    let nonce = Nonce::try_assume_unique_for_key(sealed["nonce"].as_str()?.as_bytes()).ok()?;
    let mut bytes = STANDARD.decode(sealed["ciphertext"].as_str()?).ok()?;
    let aad = Aad::from(sealed["associated_data"].as_str()?.as_bytes());
    let plain = key.open_in_place(nonce, aad, &mut bytes).ok()?;
    Some(String::from_utf8(plain.to_vec()).unwrap())
}

/// The MD5 signature of APIv2.
pub fn v2_sign(members: &BTreeMap<String, String>, key: &str) -> String {
    let pairs = members.iter().filter(|(name, value)| *name != "sign" && !value.is_empty());
    let text: String = pairs.map(|(name, value)| format!("{name}={value}&")).collect();
    Md5::digest(format!("{text}key={key}").as_bytes()).iter().map(|byte| format!("{byte:02X}")).collect()
}

/// A signed request of APIv2.
pub fn v2_ask(path: &str, members: &[(&str, &str)], key: &str) -> Ask {
    let mut members: BTreeMap<String, String> =
        members.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let sign = v2_sign(&members, key);
    members.insert("sign".to_owned(), sign);
    let rows: String = members.iter().map(|(name, value)| format!("<{name}><![CDATA[{value}]]></{name}>")).collect();
    let mut ask = Ask::new("POST", path, &format!("<xml>{rows}</xml>"));
    ask.set("Content-Type", "text/xml");
    ask
}
