//! The two doors.

use std::os::unix::fs::PermissionsExt;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UnixStream};

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
    let mode = std::fs::metadata(&machine.socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
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
