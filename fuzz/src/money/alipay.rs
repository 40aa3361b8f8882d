//! Alipay: replies, the address of a bill, fetched certificates, notices.

use std::sync::LazyLock;

use payment::channel::alipay::notice::{Notice, Tells};
use payment::channel::alipay::{Alipay, Config, Verify};
use payment::channel::form::{form, string_to_sign};
use payment::channel::keys::{PrivateKey, PublicKey};
use payment::channel::{HttpReply, Request};
use payment::redact::Secret;

use super::forged::{Input, Maker, must_hold};
use super::orders::{ABOUT_MONEY, filled, request};
use super::vectors;

static THEIRS: LazyLock<PrivateKey> = LazyLock::new(|| key("/keys/alipay/pkcs8_pem"));
static OURS: LazyLock<PrivateKey> = LazyLock::new(|| key("/keys/app/pkcs8_pem"));
static KEY_MODE: LazyLock<Alipay> =
    LazyLock::new(|| alipay(Verify::PublicKey(vectors::alipay("/keys/alipay/public_spki_pem"))));
static CERTIFICATES: LazyLock<Alipay> = LazyLock::new(|| {
    alipay(Verify::Certificates {
        app: vectors::alipay("/cert_sn/certs/0/pem"),
        alipay: vectors::alipay("/cert_sn/certs/1/pem"),
        root: vectors::alipay("/cert_sn/root_bundle/pem"),
    })
});

fn key(path: &str) -> PrivateKey {
    PrivateKey::load(&vectors::alipay(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn alipay(verify: Verify) -> Alipay {
    let config = Config {
        gateway_url: "https://openapi.alipay.com/gateway.do".into(),
        app_id: "2021000000000001".into(),
        private_key: Secret::new(vectors::alipay("/keys/app/pkcs1_pem")),
        verify,
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
        aes_key: Some(Secret::new("AAECAwQFBgcICQoLDA0ODw==".into())),
        enable_pay_channels: None,
        disable_pay_channels: None,
    };
    Alipay::new(config).unwrap_or_else(|error| panic!("{error}"))
}

/// The member that the answer stands under.
fn node(request: &Request) -> &'static str {
    match request {
        Request::ShowCode(_) => "alipay_trade_precreate_response",
        Request::TakeCode(..) => "alipay_trade_pay_response",
        Request::Query(_) | Request::Duty(_) | Request::Probe => "alipay_trade_query_response",
        Request::Cancel(_) => "alipay_trade_cancel_response",
        Request::Close(_) => "alipay_trade_close_response",
        Request::Refund(_) => "alipay_trade_refund_response",
        Request::RefundQuery(_) => "alipay_trade_fastpay_refund_query_response",
    }
}

/// The content under its node, signed by whoever makes it.
fn body(input: &Input<'_>, maker: Maker, node: &str, content: &[u8]) -> Vec<u8> {
    let node = if input.choice & 0x10 == 0 { node } else { "error_response" };
    let sign = match maker {
        Maker::Channel | Maker::Changed => THEIRS.sign_sha256(content),
        Maker::Other => OURS.sign_sha256(content),
        Maker::Nobody => String::new(),
        Maker::Anything => return input.content.to_vec(),
    };
    [format!("{{\"{node}\":").as_bytes(), content, format!(",\"sign\":\"{sign}\"}}").as_bytes()].concat()
}

/// `$NO` and `$RF` are filled in texts; other bytes, such as GBK, stay as they are.
fn content(input: &Input<'_>) -> Vec<u8> {
    std::str::from_utf8(input.content).map_or_else(|_| input.content.to_vec(), |text| filled(text).into_bytes())
}

/// `Alipay::decode`.
pub fn replies(data: &[u8]) {
    let Some(input) = Input::read(data) else { return };
    let request = request(input.ask % ABOUT_MONEY);
    let channel = if input.choice & 0x20 == 0 { &KEY_MODE } else { &CERTIFICATES };
    let status = if input.choice & 0x0f == 0x0f { 502 } else { 200 };
    let sealed = reply(status, body(&input, input.maker, node(&request), &content(&input)));
    let came = reply(status, input.on_the_way(&sealed.body));
    let decode = |reply: &HttpReply| channel.decode(&request, reply.status, &reply.body);
    must_hold(&request, input.maker, decode, &sealed, &came);
}

fn reply(status: u16, body: Vec<u8>) -> HttpReply {
    HttpReply { status, headers: Vec::new(), body }
}

/// What comes beside the engine: a bill's address, a certificate, a notice.
pub fn beside(data: &[u8]) {
    let Some(input) = Input::read(data) else { return };
    match input.ask % 3 {
        0 => bill(&input),
        1 => certificate(&input),
        _ => notice(&input),
    }
}

fn bill(input: &Input<'_>) {
    const NODE: &str = "alipay_data_dataservice_bill_downloadurl_query_response";
    let sealed = reply(200, body(input, input.maker, NODE, &content(input)));
    let came = reply(200, input.on_the_way(&sealed.body));
    let found = KEY_MODE.bill_location(&came);
    assert!(found == KEY_MODE.bill_location(&came), "two places");
    if found.is_ok() {
        let good = input.maker == Maker::Channel
            || (input.maker == Maker::Changed && found == KEY_MODE.bill_location(&sealed));
        assert!(good, "an address that Alipay did not sign");
    }
}

/// No certificate that does not lead to the roots is ever taken: nobody but the vectors' authority can make one.
fn certificate(input: &Input<'_>) {
    const NODE: &str = "alipay_open_app_alipaycert_download_response";
    let sn = vectors::alipay("/cert_sn/root_bundle/alipay_cert_sn");
    let body = input.on_the_way(&body(input, input.maker, NODE, input.content));
    // The vectors' own certificate may come in by the corpus: what is taken must have the number that was asked for.
    let _taken = alipay_of_certificates().accept_certificate(&sn, 200, &body);
    let other = alipay_of_certificates().accept_certificate("00000000000000000000000000000000", 200, &body);
    assert!(other.is_err(), "a certificate under another number");
}

fn alipay_of_certificates() -> &'static Alipay {
    &CERTIFICATES
}

/// The content is lines of `name=value`.
fn notice(input: &Input<'_>) {
    let text = filled(&String::from_utf8_lossy(input.content));
    let pairs: Vec<(&str, &str)> = text.lines().filter_map(|line| line.split_once('=')).collect();
    let mut unique = pairs.clone();
    unique.retain(|(name, _)| !matches!(*name, "sign" | "sign_type"));
    unique.sort_unstable();
    unique.dedup_by_key(|(name, _)| *name);
    let string = string_to_sign(unique.iter().copied());
    let sign = match input.maker {
        Maker::Channel | Maker::Changed => THEIRS.sign_sha256(string.as_bytes()),
        Maker::Other => OURS.sign_sha256(string.as_bytes()),
        Maker::Nobody | Maker::Anything => String::new(),
    };
    let sealed = match input.maker {
        Maker::Anything => input.content.to_vec(),
        Maker::Channel | Maker::Changed | Maker::Other | Maker::Nobody => {
            form(unique.iter().copied().chain([("sign_type", "RSA2"), ("sign", sign.as_str())])).into_bytes()
        }
    };
    let came = input.on_the_way(&sealed);
    let key: PublicKey = THEIRS.public();
    let opened = Notice::open(&came, &key);
    assert!(opened == Notice::open(&came, &key), "one notice, two readings");
    let Ok(notice) = opened else { return };
    if let Tells::Paid { amount, .. } = notice.tells() {
        assert!(amount.is_positive(), "paid nothing");
    }
    match input.maker {
        Maker::Channel => {}
        Maker::Changed => {
            let whole = Notice::open(&sealed, &key);
            assert!(whole.is_ok_and(|whole| whole.tells() == notice.tells()), "a changed notice tells something else");
        }
        Maker::Nobody | Maker::Other | Maker::Anything => panic!("a notice that Alipay did not sign"),
    }
}
