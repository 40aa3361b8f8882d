//! Somebody who is told results: answers each notice with the next of his words.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

pub struct Receiver {
    pub url: String,
    told: mpsc::UnboundedReceiver<String>,
}

impl Receiver {
    /// Answers so, one after the other.
    pub async fn open(words: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/notice", listener.local_addr().unwrap());
        let (tell, told) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            for word in words {
                let (mut stream, _) = listener.accept().await.unwrap();
                tell.send(read(&mut stream).await).unwrap();
                let length = word.len();
                let reply = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{word}");
                stream.write_all(reply.as_bytes()).await.unwrap();
            }
        });
        Self { url, told }
    }

    /// The next body, or nothing when nobody will tell any more.
    pub async fn next(&mut self) -> Option<String> {
        tokio::time::timeout(std::time::Duration::from_secs(20), self.told.recv()).await.expect("nobody told")
    }
}

async fn read(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).await.unwrap();
        bytes.extend(&part[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap();
        if body.len() >= length.parse().unwrap() {
            return body.to_owned();
        }
    }
}
