//! Requests and answers as bytes.

use std::time::Duration;

use sandbox::hub::Request;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The connection was refused, or ended without an answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Cut;

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Value,
}

impl Answer {
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    pub fn detail(&self) -> &str {
        self.body["detail"].as_str().unwrap_or_default()
    }

    pub fn acknowledged(&self) -> u64 {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body["acknowledged"].as_u64().unwrap()
    }
}

pub async fn send(url: &str, request: &Request) -> Result<Answer, Cut> {
    tokio::time::timeout(Duration::from_secs(20), exchange(url, request)).await.expect("no end of the connection")
}

async fn exchange(url: &str, request: &Request) -> Result<Answer, Cut> {
    let host = url.strip_prefix("http://").unwrap();
    let mut head = format!("{} {} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n", request.method, request.path);
    for (name, value) in &request.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", request.body.len()));
    let mut stream = TcpStream::connect(host).await.map_err(|_| Cut)?;
    stream.write_all(&[head.as_bytes(), &request.body].concat()).await.map_err(|_| Cut)?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await.map_err(|_| Cut)?;
    read(&reply)
}

fn read(reply: &[u8]) -> Result<Answer, Cut> {
    let end = reply.windows(4).position(|four| four == b"\r\n\r\n").ok_or(Cut)?;
    let head = String::from_utf8_lossy(&reply[..end]).to_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let body = serde_json::from_slice(&reply[end + 4..]).unwrap_or(Value::Null);
    Ok(Answer { status, head, body })
}
