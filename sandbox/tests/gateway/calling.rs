//! Requests and answers as bytes: nothing here is shared with the gateway or with the payment crate.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub type Params = Vec<(String, String)>;

/// The connection ended without an answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Cut;

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
    pub node_name: String,
    pub node: Value,
    /// Whether a signature was there and held for the gateway's first key.
    pub signed: bool,
    /// Whether it holds for the key after the rotation.
    pub signed_by_next: bool,
    pub cert_sn: Option<String>,
    pub has_sign: bool,
}

impl Answer {
    pub fn member(&self, name: &str) -> &str {
        self.node[name].as_str().unwrap_or_default()
    }

    pub fn code(&self) -> &str {
        self.member("code")
    }

    pub fn sub_code(&self) -> &str {
        self.member("sub_code")
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

pub fn params(method: &str, biz: &str, now_ms: i64) -> Params {
    let seconds = now_ms / 1000 + 8 * 3600;
    let time = jiff::Timestamp::from_second(seconds).unwrap();
    let timestamp = time.strftime("%Y-%m-%d %H:%M:%S").to_string();
    [
        ("app_id", "2021000000000001"),
        ("method", method),
        ("format", "JSON"),
        ("charset", "utf-8"),
        ("sign_type", "RSA2"),
        ("timestamp", &timestamp),
        ("version", "1.0"),
        ("biz_content", biz),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

pub fn set(params: &mut Params, name: &str, value: &str) {
    params.retain(|(each, _)| each != name);
    params.push((name.to_owned(), value.to_owned()));
}

pub fn without(params: &mut Params, name: &str) {
    params.retain(|(each, _)| each != name);
}

/// Adds `sign` over everything that has a value.
pub fn signed(mut params: Params) -> Params {
    let sorted: BTreeMap<&String, &String> =
        params.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name, value)).collect();
    let text: Vec<String> = sorted.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let key = key_pair(include_str!("../../keys/app_private_key.pem"));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.join("&").as_bytes(), &mut signature).unwrap();
    params.push(("sign".to_owned(), STANDARD.encode(signature)));
    params
}

/// Sends as the SDKs do: common parameters in the query, `biz_content` in the body.
pub async fn send(url: &str, params: &Params) -> Result<Answer, Cut> {
    let part = |in_body: bool| {
        let pairs = params.iter().filter(|(name, _)| (name == "biz_content") == in_body);
        let pairs: Vec<String> = pairs.map(|(name, value)| format!("{name}={}", percent(value))).collect();
        pairs.join("&")
    };
    post(url, &part(false), &part(true), "application/x-www-form-urlencoded;charset=utf-8").await
}

pub async fn post(url: &str, query: &str, body: &str, content_type: &str) -> Result<Answer, Cut> {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let request = format!(
        "POST /{path}?{query} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {content_type}\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(host).await.map_err(|_| Cut)?;
    stream.write_all(request.as_bytes()).await.map_err(|_| Cut)?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await.map_err(|_| Cut)?;
    read(&reply)
}

/// Fetches a file: status and content.
pub async fn get(url: &str) -> (u16, Vec<u8>) {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let mut stream = TcpStream::connect(host).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await.unwrap();
    let end = reply.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let status = std::str::from_utf8(&reply[9..12]).unwrap().parse().unwrap();
    (status, reply[end + 4..].to_vec())
}

fn read(reply: &[u8]) -> Result<Answer, Cut> {
    let end = reply.windows(4).position(|four| four == b"\r\n\r\n").ok_or(Cut)?;
    let (head, body) = (String::from_utf8_lossy(&reply[..end]).into_owned(), &reply[end + 4..]);
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut answer = Answer {
        status,
        body: body.to_vec(),
        node_name: String::new(),
        node: Value::Null,
        signed: false,
        signed_by_next: false,
        cert_sn: None,
        has_sign: false,
        head: head.clone(),
    };
    if status == 200 {
        open(&mut answer, head.contains("charset=GBK"));
    }
    Ok(answer)
}

/// Reads the envelope. The signature covers the node's bytes exactly as they came.
fn open(answer: &mut Answer, gbk: bool) {
    let charset = if gbk { encoding_rs::GBK } else { encoding_rs::UTF_8 };
    let text = charset
        .decode_without_bom_handling_and_without_replacement(&answer.body)
        .expect("the body is not in its charset");
    let members: BTreeMap<String, Box<RawValue>> = serde_json::from_str(&text).unwrap();
    let word = |name: &str| {
        let value = members.get(name)?;
        serde_json::from_str::<String>(value.get()).ok()
    };
    let (name, node) = members.iter().find(|(name, _)| name.ends_with("_response")).expect("no node");
    answer.node_name = name.clone();
    answer.node = serde_json::from_str(node.get()).unwrap();
    answer.cert_sn = word("alipay_cert_sn");
    let signature = word("sign").unwrap_or_default();
    answer.has_sign = !signature.is_empty();
    let (content, _, _) = charset.encode(node.get());
    let holds = |pem: &str| {
        let key = key_pair(pem);
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public().as_ref());
        let signature = STANDARD.decode(&signature).unwrap_or_default();
        public.verify(&content, &signature).is_ok()
    };
    answer.signed = holds(include_str!("../../keys/alipay_private_key.pem"));
    answer.signed_by_next = holds(include_str!("../../keys/alipay_next_private_key.pem"));
}

pub fn percent(value: &str) -> String {
    let mut encoded = String::new();
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                encoded.push(char::from(byte));
            }
            b' ' => encoded.push('+'),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn key_pair(pem: &str) -> RsaKeyPair {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    RsaKeyPair::from_pkcs8(&STANDARD.decode(body).unwrap()).unwrap()
}
