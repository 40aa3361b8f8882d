//! The stream of events: nothing is missed, nothing comes twice, and it ends with the daemon.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use super::http::request;
use super::machine::Machine;

struct Stream {
    connection: UnixStream,
    text: String,
}

impl Stream {
    async fn open(machine: &Machine, path: &str, headers: &str) -> Self {
        let mut connection = UnixStream::connect(&machine.socket).await.unwrap();
        connection.write_all(&request("GET", path, headers, "")).await.unwrap();
        let mut stream = Self { connection, text: String::new() };
        stream.until(|text| text.contains("\r\n\r\n")).await;
        stream
    }

    /// Reads until `enough`; `false` when the stream ended before.
    async fn until(&mut self, enough: impl Fn(&str) -> bool) -> bool {
        let read = async {
            while !enough(&self.text) {
                let mut bytes = [0; 4096];
                let count = self.connection.read(&mut bytes).await.unwrap();
                if count == 0 {
                    return false;
                }
                self.text.push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
            true
        };
        tokio::time::timeout(Duration::from_secs(20), read).await.expect("events in time")
    }

    fn ids(&self) -> Vec<u64> {
        self.text.lines().filter_map(|line| line.strip_prefix("id: ")?.parse().ok()).collect()
    }
}

#[tokio::test]
async fn a_reader_that_comes_back_misses_nothing_and_sees_nothing_twice() {
    let machine = Machine::start().await;
    let mut live = Stream::open(&machine, "/v1/events", "").await;
    assert!(live.text.contains("text/event-stream"));
    let id = machine.order_of_slot_12().await;
    machine.weather.pays.store(true, Ordering::SeqCst);
    machine.until(&id, "completed").await;
    assert!(live.until(|text| text.contains("event: order_closed")).await);
    let newest = machine.get("/v1/terminal").await.json()["newest_seq"].as_u64().unwrap();
    assert_eq!(live.ids(), (1..=newest).collect::<Vec<_>>());

    let mut again = Stream::open(&machine, "/v1/events?after=0", "Last-Event-ID: 2\r\n").await;
    assert!(again.until(|text| text.contains("event: order_closed")).await);
    assert_eq!(again.ids(), (3..=newest).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_long_past_comes_in_pages_and_the_present_follows() {
    let machine = Machine::start().await;
    machine.weather.pays.store(true, Ordering::SeqCst);
    for _ in 0..30 {
        let order = machine.post("/v1/orders", r#"{"amount":1,"currency":"CNY"}"#).await.json();
        machine.until(order["id"].as_str().expect("an order"), "completed").await;
    }
    let newest = machine.get("/v1/terminal").await.json()["newest_seq"].as_u64().unwrap();
    assert!(newest > 100, "{newest} entries are no long past");
    let mut stream = Stream::open(&machine, "/v1/events?after=0", "").await;
    let last = format!("id: {newest}\n");
    assert!(stream.until(|text| text.contains(&last)).await);
    machine.post("/v1/orders", r#"{"amount":1,"currency":"CNY"}"#).await;
    let next = format!("id: {}\n", newest + 1);
    assert!(stream.until(|text| text.contains(&next)).await);
}

#[tokio::test]
async fn a_stream_ends_cleanly_when_the_daemon_stops() {
    let machine = Machine::start().await;
    let mut stream = Stream::open(&machine, "/v1/events", "").await;
    machine.stop.send_replace(true);
    assert!(!stream.until(|_| false).await);
    assert!(stream.text.ends_with("0\r\n\r\n"), "the last chunk is missing: {:?}", stream.text);
    tokio::time::timeout(Duration::from_secs(5), machine.served).await.expect("stops in time").unwrap().unwrap();
    assert!(!machine.socket.exists());
}

#[tokio::test]
async fn a_slot_that_changes_is_an_event_without_a_place_in_the_journal() {
    let machine = Machine::start().await;
    let mut stream = Stream::open(&machine, "/v1/events", "").await;
    machine.post("/v1/slots/12", r#"{"stock":3}"#).await;
    assert!(stream.until(|text| text.contains("event: slot\n") && text.contains(r#""stock":3"#)).await);
    assert!(stream.ids().is_empty() && !stream.text.contains(r#""slot":"11""#), "{}", stream.text);
}

#[tokio::test]
async fn a_start_that_is_no_place_is_refused_and_streams_are_counted() {
    let machine = Machine::start().await;
    machine.get("/v1/events?after=now").await.is_problem(422, "invalid_query");
    let mut open = Vec::new();
    for _ in 0..super::super::STREAMS_MAX {
        open.push(Stream::open(&machine, "/v1/events", "").await);
    }
    machine.get("/v1/events").await.is_problem(503, "too_many_requests");
    open.pop();
    let freed = async {
        while machine.get("/v1/events?after=now").await.status == 503 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), freed).await.expect("a place for the next stream");
}
