//! The two doors.

use std::os::unix::fs::{MetadataExt, PermissionsExt};

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::Instant;

use super::http::{exchange, request};
use super::machine::{Machine, TOKEN};
use crate::api::listen;

#[tokio::test]
async fn tcp_wants_the_token_on_every_address() {
    let machine = Machine::start().await;
    let ask = async |headers: &str, path: &str| {
        exchange(TcpStream::connect(machine.tcp).await.unwrap(), &request("GET", path, headers, "")).await
    };
    for headers in ["", "Authorization: Bearer wrong\r\n", "Authorization: Bearer \r\n", "Authorization: Basic x\r\n"] {
        for path in ["/v1/terminal", "/metrics", "/healthz", "/nothing"] {
            let refused = ask(headers, path).await;
            refused.is_problem(401, "wrong_token");
            assert!(refused.header("www-authenticate").is_some());
        }
    }
    let answer = ask(&format!("Authorization: Bearer {TOKEN}\r\n"), "/v1/terminal").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"));
}

#[tokio::test]
async fn the_socket_is_for_owner_and_group() {
    let machine = Machine::start().await;
    let socket = std::fs::metadata(&machine.socket).unwrap();
    assert_eq!(socket.permissions().mode() & 0o777, 0o660);
    // Its folder decides about the group if it says so, else it is that of who runs the daemon.
    let folder = std::fs::metadata(machine.dir.path()).unwrap();
    let inherits = folder.permissions().mode() & 0o2000 != 0;
    let group = if inherits { folder.gid() } else { rustix::process::getegid().as_raw() };
    assert_eq!((socket.uid(), socket.gid()), (rustix::process::geteuid().as_raw(), group));
}

#[tokio::test]
async fn a_socket_that_answers_is_not_taken_away_and_a_dead_one_is() {
    let machine = Machine::start().await;
    let taken = listen::unix(&machine.socket).unwrap_err();
    assert!(taken.to_string().contains("another till"), "{taken}");

    let dead = machine.dir.path().join("dead.sock");
    drop(std::os::unix::net::UnixListener::bind(&dead).unwrap());
    assert!(dead.exists());
    listen::unix(&dead).unwrap();

    let file = machine.dir.path().join("file");
    std::fs::write(&file, "kept").unwrap();
    assert!(listen::unix(&file).is_err());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "kept");
}

#[tokio::test]
async fn tcp_is_loopback_only() {
    let refused = listen::tcp(([0, 0, 0, 0], 0).into()).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::InvalidInput);
    listen::tcp(([127, 0, 0, 1], 0).into()).await.unwrap();
}

#[tokio::test]
async fn the_picture_the_numbers_and_the_health_are_served() {
    let machine = Machine::start().await;
    machine.get("/v1/screen.png").await.is_problem(503, "no_picture");
    machine.screen.send_replace(Some(std::sync::Arc::new(hal::display::Frame::new(16, 8))));
    let picture = machine.get("/v1/screen.png").await;
    assert_eq!(picture.header("content-type").as_deref(), Some("image/png"));
    assert!(picture.body.starts_with(b"\x89PNG"));
    assert_eq!(machine.get("/healthz").await.text(), "ok\n");

    machine.order_of_slot_12().await;
    let page = machine.get("/metrics").await.text();
    for line in ["till_selling 1", "till_orders_open{state=\"waiting\"} 1", "till_requests_refused_total 0"] {
        assert!(page.lines().any(|known| known == line), "no {line:?} in\n{page}");
    }
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        let base = name.split('{').next().unwrap();
        assert!(page.contains(&format!("# TYPE {base} ")), "{line}");
        assert!(value.parse::<u64>().is_ok(), "{line}");
    }
}

/// Sends a byte every two seconds until the door is shut; how long that took.
async fn trickle(mut door: impl AsyncRead + AsyncWrite + Unpin) -> Duration {
    let since = Instant::now();
    for byte in b"GET /healthz HTTP/1.1\r\nHost: till\r\nX: ".iter().chain(std::iter::repeat(&b'x')) {
        if door.write_all(&[*byte]).await.is_err() {
            return since.elapsed();
        }
        let mut answer = [0];
        match tokio::time::timeout(Duration::from_secs(2), door.read(&mut answer)).await {
            Ok(Ok(0) | Err(_)) => return since.elapsed(),
            Ok(Ok(_)) => panic!("half a request was answered"),
            Err(_) => assert!(since.elapsed() < Duration::from_secs(30), "it may stay for ever"),
        }
    }
    unreachable!("bytes do not run out")
}

#[tokio::test]
async fn a_request_that_never_ends_is_shut_out_at_both_doors() {
    let machine = Machine::start().await;
    let (unix, tcp) = (UnixStream::connect(&machine.socket).await.unwrap(), TcpStream::connect(machine.tcp).await);
    let (by_unix, by_tcp) = tokio::join!(trickle(unix), trickle(tcp.unwrap()));
    for stayed in [by_unix, by_tcp] {
        assert!(stayed >= Duration::from_secs(9) && stayed < Duration::from_secs(20), "{stayed:?}");
    }
    assert_eq!(machine.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn a_head_that_is_too_long_is_shut_out() {
    let machine = Machine::start().await;
    let mut door = UnixStream::connect(&machine.socket).await.unwrap();
    let line = format!("X: {}\r\n", "x".repeat(8_000));
    let mut sent = door.write_all(b"GET /healthz HTTP/1.1\r\nHost: till\r\n").await;
    for _ in 0..1_000 {
        sent = sent.and(door.write_all(line.as_bytes()).await);
    }
    assert!(sent.is_err(), "8 MB of a head were taken in");
    assert_eq!(machine.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn one_connection_serves_many_requests_with_long_bodies() {
    let machine = Machine::start().await;
    let mut door = UnixStream::connect(&machine.socket).await.unwrap();
    let body = format!("{{\"text\": \"{}\"}}", "\n".repeat(60_000));
    let head = format!(
        "POST /v1/scans HTTP/1.1\r\nHost: till\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    for _ in 0..5 {
        door.write_all(head.as_bytes()).await.unwrap();
        door.write_all(body.as_bytes()).await.unwrap();
        let mut answer = vec![0; 16 << 10];
        let length = door.read(&mut answer).await.unwrap();
        assert!(answer[..length].starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&answer[..length]));
    }
}

#[tokio::test]
async fn a_caller_in_an_endless_loop_is_slowed_down_and_the_other_door_is_not() {
    let machine = Machine::start().await;
    let (mut answers, mut requests) = UnixStream::connect(&machine.socket).await.unwrap().into_split();
    let many = "GET /healthz HTTP/1.1\r\nHost: till\r\n\r\n".repeat(4_000) + "GET /healthz HTTP/1.0\r\n\r\n";
    let mut said = String::new();
    let (sent, _) = tokio::join!(requests.write_all(many.as_bytes()), answers.read_to_string(&mut said));
    sent.unwrap();
    let (served, refused) = (said.matches("HTTP/1.1 200").count(), said.matches("HTTP/1.1 503").count());
    assert!(served >= 400 && refused > 0, "{served} served, {refused} refused");
    assert!(said.contains("too_many_requests"));
    assert!(machine.terminal.metrics().requests_refused.get() >= 1);
    let headers = format!("Authorization: Bearer {TOKEN}\r\n");
    let other = TcpStream::connect(machine.tcp).await.unwrap();
    assert_eq!(exchange(other, &request("GET", "/healthz", &headers, "")).await.status, 200);
}

#[tokio::test]
async fn a_door_holds_so_many_connections_and_the_next_waits_for_a_place() {
    let machine = Machine::start().await;
    let mut held = Vec::new();
    for _ in 0..listen::CONNECTIONS_MAX {
        held.push(UnixStream::connect(&machine.socket).await.unwrap());
    }
    let mut next = Box::pin(machine.get("/healthz"));
    assert!(tokio::time::timeout(Duration::from_millis(300), &mut next).await.is_err(), "there is no limit");
    held.pop();
    let answer = tokio::time::timeout(Duration::from_secs(20), next).await.expect("a place");
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn too_many_requests_at_once_are_turned_away_and_counted() {
    let machine = Machine::start().await;
    let mut slow = Vec::new();
    for _ in 0..crate::api::REQUESTS_MAX {
        let mut connection = UnixStream::connect(&machine.socket).await.unwrap();
        let head =
            "POST /v1/orders HTTP/1.1\r\nHost: till\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n";
        connection.write_all(head.as_bytes()).await.unwrap();
        slow.push(connection);
    }
    let refused = async {
        loop {
            let answer = machine.get("/v1/terminal").await;
            if answer.status == 503 {
                return answer;
            }
        }
    };
    let refused = tokio::time::timeout(std::time::Duration::from_secs(20), refused).await.expect("a refusal");
    refused.is_problem(503, "too_many_requests");
    assert_eq!(refused.header("retry-after").as_deref(), Some("1"));
    assert!(machine.terminal.metrics().requests_refused.get() >= 1);
    drop(slow);
}
