//! Hosts that answer, break off, hang or are not there, on loopback; and the simulated gateways.

pub mod wechat;

use std::time::Duration;

use payment::channel::alipay::{Alipay, Config, Verify};
use payment::channel::outcome::{DoubtKind, Outcome};
use payment::channel::{HttpMethod, Method, Offer};
use payment::ids::AttemptId;
use payment::money::Fen;
use payment::redact::{PayCode, Secret};
use sandbox::{Clock, Fault, Gateway, GatewayOptions, KeyMode, Weather, merchant_keys};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::*;

const NOON: Wall = Wall { ms: 1_800_000_000_000, trusted: true };
const SOON: Wall = Wall { ms: NOON.ms + 60_000, trusted: true };
const LATER: Wall = Wall { ms: NOON.ms + 300_000, trusted: true };
const OK: &str = "HTTP/1.1 200 OK\r\nX-Serial: 7F\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
const PLENTY: Limits = Limits { body: 1_024, total: Duration::from_secs(10) };

/// What a host does with a request.
#[derive(Clone, Copy)]
enum Mood {
    Answers(&'static str),
    Breaks,
    Hangs,
}

/// A host and what it was asked.
struct Host {
    url: String,
    asked: mpsc::UnboundedReceiver<String>,
}

impl Host {
    async fn start(mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v3/pay?a=1", listener.local_addr().unwrap());
        let (told, asked) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut hung = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let request = read_request(&mut stream).await;
                told.send(request).unwrap();
                match mood {
                    Mood::Answers(answer) => stream.write_all(answer.as_bytes()).await.unwrap(),
                    Mood::Breaks => {}
                    Mood::Hangs => hung.push(stream),
                }
            }
        });
        Self { url, asked }
    }

    /// An address where nobody listens.
    async fn absent() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}/v3/pay?a=1", listener.local_addr().unwrap())
    }

    /// How often it was asked since last time.
    fn count(&mut self) -> usize {
        std::iter::from_fn(|| self.asked.try_recv().ok()).count()
    }
}

/// Up to the end of the body that its length announces.
async fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let body = text.to_ascii_lowercase().find("content-length: ").map(|at| text[at + 16..].split("\r\n").next());
        let length = body.flatten().map_or(0, |length| length.parse().unwrap());
        if text.split_once("\r\n\r\n").is_some_and(|(_, body)| body.len() >= length) {
            return text;
        }
        assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0, "{text}");
    }
}

fn post(url: &str, second: Option<&str>) -> HttpRequest {
    let body = b"out_trade_no=1".to_vec();
    HttpRequest { backup_url: second.map(str::to_owned), ..HttpRequest::post(url.to_owned(), "text/plain", body) }
}

fn options(total: Duration) -> ClientOptions {
    ClientOptions { connect: Duration::from_secs(3), total, extra_roots: None }
}

/// Alipay at this address, in certificate mode.
fn channels(gateway_url: &str, total: Duration) -> Channels {
    let keys = merchant_keys();
    let config = Config {
        gateway_url: gateway_url.to_owned(),
        app_id: keys.app_id,
        private_key: Secret::new(keys.app_private_key_pem),
        verify: Verify::Certificates {
            app: keys.certificates.app_cert_pem,
            alipay: keys.certificates.alipay_cert_pem,
            root: keys.certificates.root_cert_pem,
        },
        app_auth_token: None,
        seller_id: None,
        store_id: None,
        alipay_store_id: None,
        smid: None,
        terminal_id: None,
        operator_id: None,
        product_code: None,
        sys_service_provider_id: None,
        notify_url: None,
        aes_key: None,
        enable_pay_channels: None,
        disable_pay_channels: None,
    };
    let adapter = Adapter::Alipay(Alipay::new(config).unwrap());
    let channel = Channel { adapter, address: gateway_url.to_owned(), identity: None };
    Channels::new(vec![channel], &options(total)).unwrap()
}

/// A way to nowhere in particular: the addresses are the requests'.
fn ways() -> Channels {
    channels("http://127.0.0.1:1/gateway.do", PLENTY.total)
}

async fn exchange(ways: &Channels, http: &HttpRequest, wall: Wall) -> Result<HttpReply, Doubt> {
    ways.exchange(ChannelId::Alipay, http, wall, PLENTY).await
}

fn kind(reply: Result<HttpReply, Doubt>) -> DoubtKind {
    reply.unwrap_err().kind
}

#[tokio::test]
async fn a_request_goes_out_and_a_reply_comes_in_as_they_are() {
    let mut host = Host::start(Mood::Answers(OK)).await;
    let mut http = post(&host.url, None);
    http.headers.push(("Authorization", "SCHEME a=\"b\"".to_owned()));
    let reply = exchange(&ways(), &http, NOON).await.unwrap();
    assert_eq!((reply.status, reply.header("x-serial"), reply.body.as_slice()), (200, Some("7F"), &b"ok"[..]));
    let asked = host.asked.recv().await.unwrap();
    assert!(asked.starts_with("POST /v3/pay?a=1 HTTP/1.1\r\n") && asked.ends_with("\r\n\r\nout_trade_no=1"), "{asked}");
    assert!(asked.contains("text/plain") && asked.contains("SCHEME a=\"b\""), "{asked}");

    let get = HttpRequest { method: HttpMethod::Get, body: Vec::new(), ..http };
    exchange(&ways(), &get, NOON).await.unwrap();
    let asked = host.asked.recv().await.unwrap();
    assert!(asked.starts_with("GET /v3/pay?a=1 HTTP/1.1\r\n") && asked.ends_with("\r\n\r\n"), "{asked}");
}

#[tokio::test]
async fn a_reply_is_read_up_to_its_limit() {
    let host = Host::start(Mood::Answers(OK)).await;
    let http = post(&host.url, None);
    let (all, less) = (Limits { body: 2, ..PLENTY }, Limits { body: 1, ..PLENTY });
    assert!(ways().exchange(ChannelId::Alipay, &http, NOON, all).await.is_ok());
    assert_eq!(kind(ways().exchange(ChannelId::Alipay, &http, NOON, less).await), DoubtKind::Malformed);
}

#[tokio::test]
async fn the_second_host_is_asked_when_the_first_is_not_there_and_goes_first_for_a_while() {
    let mut second = Host::start(Mood::Answers(OK)).await;
    let (absent, ways) = (Host::absent().await, ways());
    exchange(&ways, &post(&absent, Some(&second.url)), NOON).await.unwrap();
    assert_eq!(second.count(), 1);

    let mut first = Host::start(Mood::Answers(OK)).await;
    let both_there = post(&first.url, Some(&second.url));
    for (wall, asked) in [(SOON, (0, 1)), (LATER, (1, 0)), (NOON, (0, 1)), (Wall { ms: 0, trusted: true }, (1, 0))] {
        exchange(&ways, &both_there, wall).await.unwrap();
        assert_eq!((first.count(), second.count()), asked, "at {}", wall.ms);
    }
}

#[tokio::test]
async fn the_first_host_goes_first_again_once_the_second_fails() {
    let mut first = Host::start(Mood::Answers(OK)).await;
    let mut second = Host::start(Mood::Answers(OK)).await;
    let (absent, ways) = (Host::absent().await, ways());
    exchange(&ways, &post(&absent, Some(&second.url)), NOON).await.unwrap();
    exchange(&ways, &post(&first.url, Some(&absent)), SOON).await.unwrap();
    exchange(&ways, &post(&first.url, Some(&second.url)), SOON).await.unwrap();
    assert_eq!((first.count(), second.count()), (2, 1));
}

#[tokio::test]
async fn a_connection_that_breaks_before_any_answer_sends_the_same_bytes_to_the_second_host_once() {
    let mut first = Host::start(Mood::Breaks).await;
    let mut second = Host::start(Mood::Answers(OK)).await;
    exchange(&ways(), &post(&first.url, Some(&second.url)), NOON).await.unwrap();
    let [one, other] = [first.asked.recv().await.unwrap(), second.asked.recv().await.unwrap()];
    let without_host = |asked: &str| asked.lines().filter(|line| !line.starts_with("host:")).collect::<String>();
    assert_eq!(without_host(&one), without_host(&other));

    let mut third = Host::start(Mood::Breaks).await;
    let broken = exchange(&ways(), &post(&first.url, Some(&third.url)), NOON).await;
    assert_eq!((kind(broken), first.count(), third.count()), (DoubtKind::NoReply, 1, 1));
}

#[tokio::test]
async fn what_left_once_is_never_said_not_to_have_left() {
    let (first, absent) = (Host::start(Mood::Breaks).await, Host::absent().await);
    assert_eq!(kind(exchange(&ways(), &post(&first.url, Some(&absent)), NOON).await), DoubtKind::NoReply);
    assert_eq!(kind(exchange(&ways(), &post(&absent, Some(&absent)), NOON).await), DoubtKind::NoConnection);
    assert_eq!(kind(exchange(&ways(), &post(&absent, None), NOON).await), DoubtKind::NoConnection);
}

#[tokio::test]
async fn a_host_that_hangs_or_answers_an_error_is_not_asked_again_elsewhere() {
    let mut second = Host::start(Mood::Answers(OK)).await;
    let unavailable = Host::start(Mood::Answers(UNAVAILABLE)).await;
    let reply = exchange(&ways(), &post(&unavailable.url, Some(&second.url)), NOON).await.unwrap();
    assert_eq!((reply.status, second.count()), (503, 0));

    let hanging = Host::start(Mood::Hangs).await;
    let short = Limits { total: Duration::from_millis(200), ..PLENTY };
    let http = post(&hanging.url, Some(&second.url));
    let late = ways().exchange(ChannelId::Alipay, &http, NOON, short).await;
    assert_eq!((kind(late), second.count()), (DoubtKind::NoReply, 0));
}

const UNAVAILABLE: &str = "HTTP/1.1 503 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

#[tokio::test]
async fn a_host_that_hangs_or_is_in_trouble_has_not_the_first_word_next_time() {
    for mood in [Mood::Hangs, Mood::Answers(UNAVAILABLE)] {
        let mut first = Host::start(mood).await;
        let mut second = Host::start(Mood::Answers(OK)).await;
        let (http, ways) = (post(&first.url, Some(&second.url)), ways());
        let short = Limits { total: Duration::from_millis(200), ..PLENTY };
        for (wall, asked) in [(NOON, (1, 0)), (SOON, (0, 1)), (LATER, (1, 0))] {
            let _not_served = ways.exchange(ChannelId::Alipay, &http, wall, short).await;
            assert_eq!((first.count(), second.count()), asked, "at {}", wall.ms);
        }
    }
}

/// The line to a channel, as for its calls about money.
async fn ask(line: &Line, http: &HttpRequest, request: &Request) -> Result<u16, DoubtKind> {
    let sent = line.send(http, NOON, Elsewhere::of(request)).await;
    sent.map(|response| response.status().as_u16()).map_err(|doubt| doubt.kind)
}

#[tokio::test]
async fn a_pay_code_goes_to_the_second_host_only_if_it_never_left() {
    let take = Request::TakeCode(offer(), PayCode::new("134567890123456789".to_owned()));
    let line = || Line::new(ChannelId::Wechat, None, &options(PLENTY.total)).unwrap();
    let broken = Host::start(Mood::Breaks).await;
    let mut second = Host::start(Mood::Answers(OK)).await;
    let left = line();
    assert_eq!(ask(&left, &post(&broken.url, Some(&second.url)), &take).await, Err(DoubtKind::NoReply));
    assert_eq!(second.count(), 0, "its refusal of the used code would speak of a payment that may stand");
    assert_eq!(ask(&left, &post(&broken.url, Some(&second.url)), &Request::Probe).await, Ok(200));
    assert_eq!(second.count(), 1, "the next call begins there");

    assert_eq!(ask(&line(), &post(&Host::absent().await, Some(&second.url)), &take).await, Ok(200));
    assert_eq!(second.count(), 1, "nothing had left");
}

#[tokio::test]
async fn a_call_that_must_show_a_certificate_never_leaves_without_one() {
    let mut host = Host::start(Mood::Answers(OK)).await;
    let http = HttpRequest { shows_certificate: true, ..post(&host.url, None) };
    assert_eq!(kind(exchange(&ways(), &http, NOON).await), DoubtKind::NoConnection);
    assert_eq!(host.count(), 0);
}

#[test]
fn a_certificate_is_shown_only_with_its_own_key() {
    let keys = merchant_keys();
    let (certificate, key) = (&keys.certificates.app_cert_pem, Secret::new(keys.app_private_key_pem));
    assert!(matches!(Identity::new("", &key), Err(IdentityError::Certificate(_))));
    assert!(matches!(Identity::new(certificate, &Secret::new(String::new())), Err(IdentityError::Key(_))));
    let identity = Identity::new(certificate, &key).unwrap();
    assert!(Line::new(ChannelId::Wechat, Some(&identity), &options(PLENTY.total)).is_ok());
    let other = &keys.certificates.alipay_cert_pem;
    assert!(matches!(Identity::new(other, &key), Err(IdentityError::Pair(_))));
}

fn wall() -> Wall {
    Wall { ms: Clock::system().now(), trusted: true }
}

fn offer() -> Offer {
    Offer {
        attempt: AttemptId::from_entropy([1; 16]),
        amount: Fen::new(350),
        subject: "可乐".to_owned(),
        goods: Vec::new(),
        valid_ms: 90_000,
        begun: wall(),
        wallet: None,
        instalment: None,
    }
}

async fn call(channels: &Channels, request: Request) -> Answer {
    channels.send(channels.prepare(ChannelId::Alipay, request, wall())).await
}

#[tokio::test]
async fn a_key_that_the_channel_changed_to_is_fetched_and_the_same_reply_is_read_again() {
    let options = GatewayOptions { mode: KeyMode::Certificate, ..GatewayOptions::default() };
    let gateway = Gateway::start(options).await.unwrap();
    let control = gateway.control();
    control.set_weather(Weather::fair().with(Fault::RotatedCertificate));
    let channels = channels(&gateway.url(), PLENTY.total);
    let code = PayCode::new(control.wallet().pay_code());
    let answer = call(&channels, Request::TakeCode(offer(), code)).await;
    assert!(matches!(answer, Answer::Payment(Outcome::Paid(_))), "{answer:?}");
    assert_eq!(control.ledger().charged_fen(), 350, "it was sent again");
    assert_eq!(channels.trouble(), None);
}

#[tokio::test]
async fn a_call_takes_no_longer_than_its_limit_and_its_trouble_is_kept() {
    let hanging = Host::start(Mood::Hangs).await;
    let channels = channels(hanging.url.split('?').next().unwrap(), Duration::from_millis(200));
    let trade = offer().trade(Method::ShowCode);
    let answer = call(&channels, Request::Query(trade)).await;
    assert_eq!(answer.doubt().unwrap().kind, DoubtKind::NoReply);
    assert_eq!(channels.trouble().as_deref(), Some("timed out"));
}

#[tokio::test]
async fn a_channel_that_is_not_set_up_is_a_doubt() {
    let answer = ways().send(ways().prepare(ChannelId::Wechat, Request::Probe, NOON)).await;
    assert_eq!(answer, Answer::Reachable(false));
    assert!(ways().adapter(ChannelId::Wechat).is_none() && ways().adapter(ChannelId::Alipay).is_some());
}
