//! The terminal's own Alipay adapter against the gateway: encode, real HTTP, decode, for every request and both key modes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use payment::channel::alipay::{Alipay, Config, Verify};
use payment::channel::outcome::{CodeAnswer, Outcome, RefundOutcome, Reversal, Waiting};
use payment::channel::{Answer, Decoded, GoodsRow, HttpRequest, Method as Collect, Offer, RefundOrder, Request, Trade};
use payment::ids::{AttemptId, RefundId};
use payment::money::Fen;
use payment::redact::{PayCode, Secret};
use payment::time::Wall;
use sandbox::{Clock, Control, Fault, Gateway, GatewayOptions, KeyMode, Method, Weather, merchant_keys};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

struct Terminal {
    _gateway: Gateway,
    control: Control,
    alipay: Alipay,
}

impl Terminal {
    async fn open(mode: KeyMode) -> Self {
        let options = GatewayOptions { mode, ..GatewayOptions::default() };
        let gateway = Gateway::start(options).await.unwrap();
        Self {
            control: gateway.control(),
            alipay: Alipay::new(config(gateway.url(), mode)).unwrap(),
            _gateway: gateway,
        }
    }

    async fn ask(&self, request: &Request) -> Answer {
        let (status, body) = post(&self.alipay.encode(request, wall())).await;
        match self.alipay.decode(request, status, &body) {
            Decoded::Answer(answer) => answer,
            Decoded::UnknownKey { serial } => {
                let (fetched, certificate) = post(&self.alipay.certificate_request(&serial, wall())).await;
                self.alipay.accept_certificate(&serial, fetched, &certificate).unwrap();
                match self.alipay.decode(request, status, &body) {
                    Decoded::Answer(answer) => answer,
                    Decoded::UnknownKey { serial } => panic!("{serial} was fetched and is unknown"),
                    Decoded::EncodeAgain => panic!("nothing is done in steps"),
                }
            }
            Decoded::EncodeAgain => panic!("nothing is done in steps"),
        }
    }

    async fn is_paid(&self, attempt: &AttemptId) -> bool {
        let answer = self.ask(&Request::Query(trade_of(*attempt))).await;
        matches!(answer, Answer::Payment(Outcome::Paid(_)))
    }
}

fn config(gateway_url: String, mode: KeyMode) -> Config {
    let keys = merchant_keys();
    let verify = match mode {
        KeyMode::PublicKey => Verify::PublicKey(keys.alipay_public_key_pem),
        KeyMode::Certificate => Verify::Certificates {
            app: keys.certificates.app_cert_pem,
            alipay: keys.certificates.alipay_cert_pem,
            root: keys.certificates.root_cert_pem,
        },
    };
    Config {
        gateway_url,
        app_id: keys.app_id,
        private_key: Secret::new(keys.app_private_key_pem),
        verify,
        app_auth_token: None,
        seller_id: None,
        store_id: Some("storeId001".to_owned()),
        alipay_store_id: None,
        terminal_id: Some("VM0001".to_owned()),
        operator_id: Some("op01".to_owned()),
        product_code: Some("FACE_TO_FACE_PAYMENT".to_owned()),
        sys_service_provider_id: Some("2088000000000009".to_owned()),
        notify_url: None,
        aes_key: None,
        enable_pay_channels: None,
        disable_pay_channels: Some("pcredit".to_owned()),
    }
}

fn wall() -> Wall {
    Wall { ms: Clock::system().now(), trusted: true }
}

fn attempt(number: u8) -> AttemptId {
    AttemptId::from_entropy([number; 16])
}

fn trade(number: u8) -> Trade {
    trade_of(attempt(number))
}

fn trade_of(attempt: AttemptId) -> Trade {
    Trade { attempt, method: Collect::ShowCode, amount: Fen::new(350), begun: wall(), trade_no: None }
}

fn offer(number: u8) -> Offer {
    Offer {
        attempt: attempt(number),
        amount: Fen::new(350),
        subject: "可乐 330ml / 1 & 1".to_owned(),
        goods: vec![GoodsRow {
            code: "irOn50e12".to_owned(),
            name: "可乐".to_owned(),
            quantity: 1,
            price: Fen::new(350),
        }],
        valid_ms: 90_000,
        begun: wall(),
        wallet: None,
        instalment: None,
    }
}

async fn post(request: &HttpRequest) -> (u16, Vec<u8>) {
    let rest = request.url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let headers: String = request.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!(
        "POST /{path} HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
        request.body.len()
    );
    let mut stream = TcpStream::connect(host).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&request.body).await.unwrap();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await.unwrap();
    let end = reply.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let status = std::str::from_utf8(&reply[9..12]).unwrap().parse().unwrap();
    (status, reply[end + 4..].to_vec())
}

#[tokio::test]
async fn a_code_is_shown_scanned_paid_and_refunded() {
    for mode in [KeyMode::PublicKey, KeyMode::Certificate] {
        let terminal = Terminal::open(mode).await;
        let answer = terminal.ask(&Request::ShowCode(offer(1))).await;
        let Answer::Code(CodeAnswer::Ready(text)) = answer else { panic!("{answer:?}") };
        let unscanned = terminal.ask(&Request::Query(trade(1))).await;
        assert_eq!(unscanned, Answer::Payment(Outcome::Pending(Waiting::NoTrade)));
        let close = terminal.ask(&Request::Close(trade(1))).await;
        assert_eq!(close, Answer::Reversal(Reversal::NoTrade));
        let cancel = terminal.ask(&Request::Cancel(trade(1))).await;
        assert_eq!(cancel, Answer::Reversal(Reversal::NoTrade));

        let phone = terminal.control.wallet();
        let scanned = phone.scan_text(&text).unwrap();
        let waiting = terminal.ask(&Request::Query(trade(1))).await;
        assert_eq!(waiting, Answer::Payment(Outcome::Pending(Waiting::Confirming)));
        phone.confirm(&scanned.id).unwrap();
        let paid = terminal.ask(&Request::Query(trade(1))).await;
        let Answer::Payment(Outcome::Paid(receipt)) = paid else { panic!("{paid:?}") };
        assert_eq!((receipt.amount, receipt.trade_no), (Fen::new(350), scanned.id));

        let refund = RefundOrder {
            trade: trade(1),
            begun: wall(),
            refund: RefundId::from_entropy([9; 16]),
            amount: Fen::new(350),
            reason: "缺货".to_owned(),
        };
        let absent = terminal.ask(&Request::RefundQuery(refund.clone())).await;
        assert_eq!(absent, Answer::Refund(RefundOutcome::Absent));
        let done = terminal.ask(&Request::Refund(refund.clone())).await;
        assert_eq!(done, Answer::Refund(RefundOutcome::Done));
        let again = terminal.ask(&Request::Refund(refund.clone())).await;
        assert_eq!(again, Answer::Refund(RefundOutcome::NotMoved));
        let done = terminal.ask(&Request::RefundQuery(refund)).await;
        assert_eq!(done, Answer::Refund(RefundOutcome::Done));
        let ledger = terminal.control.ledger();
        assert_eq!((ledger.charged_fen(), ledger.net_fen()), (350, 0));
    }
}

#[tokio::test]
async fn a_pay_code_is_collected_and_cancelled() {
    for mode in [KeyMode::PublicKey, KeyMode::Certificate] {
        let terminal = Terminal::open(mode).await;
        let code = PayCode::new(terminal.control.wallet().pay_code());
        let pay = Request::TakeCode(offer(1), code.clone());
        for _ in 0..2 {
            let answer = terminal.ask(&pay).await;
            assert!(matches!(answer, Answer::Payment(Outcome::Paid(_))), "{answer:?}");
        }
        let used = terminal.ask(&Request::TakeCode(offer(2), code)).await;
        assert!(matches!(used, Answer::Payment(Outcome::NotPaid(_))), "{used:?}");
        let cancel = terminal.ask(&Request::Cancel(trade(1))).await;
        assert_eq!(cancel, Answer::Reversal(Reversal::Refunded));
        assert_eq!(terminal.ask(&Request::Probe).await, Answer::Reachable(true));
    }
}

#[tokio::test]
async fn a_buyer_who_confirms_is_waited_for() {
    let terminal = Terminal::open(KeyMode::PublicKey).await;
    let weather = Weather::fair().with(Fault::BuyerConfirms.on(Method::Pay));
    terminal.control.set_weather(weather);
    let phone = terminal.control.wallet();
    let pay = Request::TakeCode(offer(1), PayCode::new(phone.pay_code()));
    let waiting = terminal.ask(&pay).await;
    assert_eq!(waiting, Answer::Payment(Outcome::Pending(Waiting::Confirming)));
    phone.confirm(&phone.requests()[0].id).unwrap();
    assert!(terminal.is_paid(&attempt(1)).await);
}

#[tokio::test]
async fn a_rotated_certificate_is_fetched_and_believed() {
    let terminal = Terminal::open(KeyMode::Certificate).await;
    let weather = Weather::fair().with(Fault::RotatedCertificate);
    terminal.control.set_weather(weather);
    let code = PayCode::new(terminal.control.wallet().pay_code());
    let answer = terminal.ask(&Request::TakeCode(offer(1), code)).await;
    assert!(matches!(answer, Answer::Payment(Outcome::Paid(_))), "{answer:?}");
}

#[tokio::test]
async fn what_cannot_be_believed_is_a_doubt() {
    let sub_code = || "ACQ.SYSTEM_ERROR".to_owned();
    for (fault, charged) in [
        (Fault::BadSignature, true),
        (Fault::Unavailable { executed: true }, true),
        (Fault::Unavailable { executed: false }, false),
        (Fault::HttpStatus { status: 500, executed: true }, true),
        (Fault::SubCode { sub_code: sub_code(), executed: true }, true),
        (Fault::SubCode { sub_code: sub_code(), executed: false }, false),
    ] {
        let terminal = Terminal::open(KeyMode::PublicKey).await;
        terminal.control.set_weather(Weather::fair().with(fault.clone().times(1)));
        let code = PayCode::new(terminal.control.wallet().pay_code());
        let answer = terminal.ask(&Request::TakeCode(offer(1), code)).await;
        assert!(answer.doubt().is_some(), "{fault:?}: {answer:?}");
        assert_eq!(terminal.is_paid(&attempt(1)).await, charged, "{fault:?}");
    }
}
