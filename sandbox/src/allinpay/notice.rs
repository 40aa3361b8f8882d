//! Results that the channel tells by itself: POST to the order's address until the body of the answer is `success`
//! (reference/allinpay.md 2.8 and 3.6). Only addresses on loopback are called.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::http::{Desk, Protocol, dress};
use super::order::{Order, Refund};

/// How long a receiver may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A result that is to be told.
#[derive(Debug, Clone)]
pub(crate) struct Notice {
    pub(crate) order: Order,
    /// When it is about a refund.
    pub(crate) refund: Option<Refund>,
    pub(crate) at: i64,
    url: String,
}

impl Notice {
    pub(crate) fn of_order(order: &Order, at: i64) -> Option<Self> {
        let url = order.terms.notify_url.clone()?;
        Some(Self { order: order.clone(), refund: None, at, url })
    }

    pub(crate) fn of_refund(order: &Order, refund: &Refund, at: i64) -> Option<Self> {
        let url = refund.notify_url.clone()?;
        Some(Self { order: order.clone(), refund: Some(refund.clone()), at, url })
    }
}

/// Tells everything that is to be told, as long as the gateway runs.
pub(crate) async fn tell<P: Protocol>(desk: Arc<Desk<P>>) {
    let mut changes = desk.shared.changes.subscribe();
    loop {
        while let Some(notice) = desk.shared.change_quietly(|world| world.notices.pop_front()) {
            tokio::spawn(tell_one(Arc::clone(&desk), notice));
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}

async fn tell_one<P: Protocol>(desk: Arc<Desk<P>>, notice: Notice) {
    let Some((host, path)) = loopback(&notice.url) else { return };
    let pauses = desk.shared.house.notice_pauses_ms.clone();
    for pause in pauses.into_iter().map(Some).chain([None]) {
        let dress = desk.shared.change_quietly(|world| dress(&desk.shared.house, world, &[]));
        let (content_type, body) = desk.protocol.notice(&notice, desk.shared.now(), dress);
        let told = tokio::time::timeout(PATIENCE, post(host, path, content_type, &body)).await;
        if matches!(told, Ok(Ok(answer)) if answer.trim() == "success") {
            return;
        }
        match pause {
            Some(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
            None => return,
        }
    }
}

/// Host and path of an address on this machine.
fn loopback(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("http://")?;
    let at = rest.find('/').unwrap_or(rest.len());
    let (host, path) = rest.split_at(at);
    let here = host.starts_with("127.0.0.1:") || host.starts_with("localhost:");
    here.then_some((host, if path.is_empty() { "/" } else { path }))
}

async fn post(host: &str, path: &str, content_type: &str, body: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(host).await?;
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    let mut reply = Vec::new();
    stream.take(64 * 1024).read_to_end(&mut reply).await?;
    let text = String::from_utf8_lossy(&reply).into_owned();
    Ok(text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
}
