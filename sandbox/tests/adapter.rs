//! The terminal's own Alipay adapter against the gateway: encode, real HTTP, decode, for every request and both key modes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::civil::date;
use payment::channel::alipay::bill::{BillError, BillKind};
use payment::channel::alipay::{Alipay, Config, Verify};
use payment::channel::outcome::{
    CodeAnswer, Details, Discount, DiscountBy, Outcome, Receipt, RefundOutcome, Reversal, Waiting,
};
use payment::channel::{
    Answer, Decoded, GoodsRow, HttpMethod, HttpReply, HttpRequest, Instalment, Method as Collect, Offer, RefundOrder,
    Request, Trade,
};
use payment::ids::{AttemptId, RefundId};
use payment::money::Fen;
use payment::redact::{PayCode, Secret};
use payment::time::Wall;
use sandbox::{
    Clock, Control, Coupon, CouponBy, Fault, Gateway, GatewayOptions, KeyMode, Method, Weather, merchant_keys,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

struct Terminal {
    _gateway: Gateway,
    control: Control,
    alipay: Alipay,
}

impl Terminal {
    async fn open(mode: KeyMode) -> Self {
        Self::with(GatewayOptions { mode, ..GatewayOptions::default() }, |_| ()).await
    }

    async fn with(options: GatewayOptions, change: impl FnOnce(&mut Config)) -> Self {
        let mode = options.mode;
        let gateway = Gateway::start(options).await.unwrap();
        let mut config = config(gateway.url(), mode);
        change(&mut config);
        Self { control: gateway.control(), alipay: Alipay::new(config).unwrap(), _gateway: gateway }
    }

    /// The receipt of a payment by the usual buyer's pay code, and the same as a query tells it.
    async fn paid(&self, offer: Offer) -> Receipt {
        let attempt = offer.attempt;
        let code = PayCode::new(self.control.wallet().pay_code());
        let answer = self.ask(&Request::TakeCode(offer, code)).await;
        let Answer::Payment(Outcome::Paid(at_once)) = answer else { panic!("{answer:?}") };
        let answer = self.ask(&Request::Query(trade_of(attempt))).await;
        let Answer::Payment(Outcome::Paid(asked)) = answer else { panic!("{answer:?}") };
        assert_eq!((&at_once.trade_no, at_once.amount), (&asked.trade_no, asked.amount));
        asked
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
        smid: None,
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
    let method = match request.method {
        HttpMethod::Get => "GET",
        HttpMethod::Post => "POST",
    };
    let head = format!(
        "{method} /{path} HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
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
            confirmed: None,
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

#[tokio::test]
async fn instalments_are_asked_for_and_told() {
    let terminal = Terminal::with(GatewayOptions::default(), |config| config.disable_pay_channels = None).await;
    let lent = terminal.control.wallet().huabei_fen();
    for (number, periods, seller_percent) in [(1, 3, 0), (2, 6, 100), (3, 12, 0)] {
        let instalment = Some(Instalment { periods, seller_percent });
        let receipt = terminal.paid(Offer { instalment, ..offer(number) }).await;
        assert_eq!(receipt.details, Details { instalments: Some(periods), ..Details::default() });
    }
    assert_eq!(terminal.control.wallet().huabei_fen(), lent - 3 * 350);
    let more = Offer { instalment: Some(Instalment { periods: 24, seller_percent: 0 }), ..offer(4) };
    let refused = terminal.ask(&Request::ShowCode(more)).await;
    assert!(matches!(refused, Answer::Code(CodeAnswer::Refused(_))), "{refused:?}");
    assert_eq!(terminal.paid(offer(5)).await.details, Details::default());
}

#[tokio::test]
async fn coupons_are_told_with_those_who_bear_them() {
    let terminal = Terminal::open(KeyMode::PublicKey).await;
    let phone = terminal.control.wallet();
    let goods_id = Some("irOn50e12".to_owned());
    phone.give_coupon(Coupon { name: "可乐券".to_owned(), fen: 100, by: CouponBy::Merchant, goods_id });
    phone.give_coupon(Coupon { name: "红包".to_owned(), fen: 50, by: CouponBy::Alipay, goods_id: None });
    assert_eq!(terminal.paid(offer(1)).await.details, Details::default(), "the store's switch is off");
    terminal.control.set_order_sync("storeId001", true);
    let receipt = terminal.paid(offer(2)).await;
    assert_eq!(receipt.amount, Fen::new(350));
    let discount = |name: &str, fen, by| Discount { name: name.to_owned(), amount: Fen::new(fen), by };
    let told = Details {
        buyer_paid: Some(Fen::new(200)),
        merchant_gets: Some(Fen::new(250)),
        discounts: vec![discount("可乐券", 100, DiscountBy::Merchant), discount("红包", 50, DiscountBy::Channel)],
        ..Details::default()
    };
    assert_eq!(receipt.details, told);
}

#[tokio::test]
async fn an_indirect_merchant_sells_with_its_number_and_not_without() {
    const SMID: &str = "2088000000000300";
    let indirect = || GatewayOptions { smid: Some(SMID.to_owned()), ..GatewayOptions::default() };
    let named = Terminal::with(indirect(), |config| config.smid = Some(SMID.to_owned())).await;
    assert_eq!(named.paid(offer(1)).await.amount, Fen::new(350));
    let shown = named.ask(&Request::ShowCode(offer(2))).await;
    assert!(matches!(shown, Answer::Code(CodeAnswer::Ready(_))), "{shown:?}");
    let unnamed = Terminal::with(indirect(), |_| ()).await;
    let refused = unnamed.ask(&Request::ShowCode(offer(1))).await;
    let Answer::Code(CodeAnswer::Refused(refusal)) = refused else { panic!("{refused:?}") };
    assert_eq!(refusal.code, "ACQ.SECONDARY_MERCHANT_ID_BLANK");
}

#[tokio::test]
async fn a_days_bill_is_asked_for_and_fetched() {
    for mode in [KeyMode::PublicKey, KeyMode::Certificate] {
        // 2025-06-01 12:00:00 in China.
        let now = Arc::new(AtomicI64::new(1_748_750_400_000));
        let read = Arc::clone(&now);
        let clock = Clock::new(move || read.load(Ordering::SeqCst));
        let tolerant = GatewayOptions { mode, clock, clock_tolerance_ms: i64::MAX, ..GatewayOptions::default() };
        let terminal = Terminal::with(tolerant, |_| ()).await;
        terminal.paid(offer(1)).await;
        let today = date(2025, 6, 1);
        let location = async |date| {
            let (status, body) = post(&terminal.alipay.bill_request(BillKind::Trades, date, wall())).await;
            terminal.alipay.bill_location(&HttpReply { status, headers: Vec::new(), body })
        };
        assert!(matches!(location(today).await, Err(BillError::Refused(_))));
        now.fetch_add(24 * 3_600_000, Ordering::SeqCst);
        let yesterday = today.yesterday().unwrap();
        assert_eq!(location(yesterday).await, Err(BillError::Empty));
        let bill = location(today).await.unwrap();
        let (status, file) = post(&terminal.alipay.bill_download(&bill)).await;
        assert_eq!((status, &file[..4]), (200, &b"PK\x03\x04"[..]));
    }
}
