//! HTTP by hand, so that the tests also say what the other side would not.

use std::path::Path;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UnixStream;

use super::machine::Machine;

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> Option<String> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).next()
    }

    /// Checks that it is a problem document with this status and code.
    #[track_caller]
    pub fn is_problem(&self, status: u16, code: &str) -> Value {
        let json = self.json();
        assert_eq!((self.status, json["code"].as_str()), (status, Some(code)), "{json:#}");
        assert_eq!(self.header("content-type").as_deref(), Some("application/problem+json"));
        assert_eq!(json["status"], status);
        assert!(json["money"].as_str().is_some_and(|money| !money.is_empty()), "{json:#}");
        json
    }
}

/// Writes a request as it is and reads the answer to its end.
pub async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &[u8]) -> Answer {
    stream.write_all(request).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    answer(&bytes)
}

fn answer(bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Answer { status, head, body: bytes[end + 4..].to_vec() }
}

pub fn request(method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: till\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    )
    .into_bytes()
}

pub async fn ask(socket: &Path, method: &str, path: &str, headers: &str, body: &str) -> Answer {
    let stream = UnixStream::connect(socket).await.unwrap();
    exchange(stream, &request(method, path, headers, body)).await
}

const JSON: &str = "Content-Type: application/json\r\n";

impl Machine {
    pub async fn get(&self, path: &str) -> Answer {
        ask(&self.socket, "GET", path, "", "").await
    }

    pub async fn send(&self, method: &str, path: &str) -> Answer {
        ask(&self.socket, method, path, "", "").await
    }

    pub async fn post(&self, path: &str, body: &str) -> Answer {
        ask(&self.socket, "POST", path, JSON, body).await
    }

    pub async fn post_with_key(&self, path: &str, key: &str, body: &str) -> Answer {
        ask(&self.socket, "POST", path, &format!("{JSON}Idempotency-Key: {key}\r\n"), body).await
    }

    /// Opens an order for slot 12 and returns its number.
    pub async fn order_of_slot_12(&self) -> String {
        let made = self.post("/v1/orders", r#"{"amount":350,"currency":"CNY","items":[{"slot":"12"}]}"#).await;
        assert_eq!(made.status, 201, "{}", made.text());
        made.json()["id"].as_str().unwrap().to_owned()
    }

    /// Waits until the order is in `state`.
    pub async fn until(&self, order: &str, state: &str) -> Value {
        let mut newest = self.terminal.newest();
        let reached = async {
            loop {
                newest.borrow_and_update();
                let now = self.get(&format!("/v1/orders/{order}")).await.json();
                if now["state"] == state {
                    return now;
                }
                newest.changed().await.expect("a machine that runs");
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), reached).await.expect("the state in time")
    }
}
