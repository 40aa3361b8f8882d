//! WeChat Pay beside the engine: notices, complaints, bills, fetched certificates.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use payment::channel::HttpReply;
use payment::channel::wechat::BillLocation;
use payment::channel::wechat::notice::Content;
use payment::time::Wall;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use serde_json::{Value, json};

use super::forged::{Input, Maker};
use super::orders::{NOW, filled};
use super::wechat::{arrived, channel, v3};
use super::{vectors, wechat};

const NONCE: &str = "0123456789ab";
const EVENTS: [&str; 6] = [
    "TRANSACTION.SUCCESS",
    "REFUND.SUCCESS",
    "COMPLAINT.CREATE",
    "VIOLATION.PUNISH",
    "RISKTRADE.IDENTIFICATION",
    "ANYTHING.ELSE",
];
const KINDS: [Option<&str>; 4] = [None, Some("transaction"), Some("refund"), Some("other")];

static APIV3: LazyLock<LessSafeKey> = LazyLock::new(|| {
    let key = UnboundKey::new(&AES_256_GCM, vectors::wechat("/apiv3_key").as_bytes());
    LessSafeKey::new(key.unwrap_or_else(|_| panic!("the vectors' key")))
});

/// Base64 of `plain` under the APIv3 key.
fn encrypted(plain: &[u8]) -> String {
    let mut bytes = plain.to_vec();
    let nonce = Nonce::try_assume_unique_for_key(NONCE.as_bytes()).unwrap_or_else(|_| panic!("12 characters"));
    let sealed = APIV3.seal_in_place_append_tag(nonce, Aad::from(b"fuzz"), &mut bytes);
    sealed.unwrap_or_else(|_| panic!("a short text"));
    STANDARD.encode(bytes)
}

fn resource(plain: &[u8], kind: Option<&str>) -> Value {
    json!({
        "algorithm": "AEAD_AES_256_GCM", "nonce": NONCE, "associated_data": "fuzz",
        "ciphertext": encrypted(plain), "original_type": kind,
    })
}

/// One of the four.
pub fn beside(data: &[u8]) {
    let Some(input) = Input::read(data) else { return };
    match input.ask % 5 {
        0 => notice(&input),
        1 => complaints(&input),
        2 => bill(&input),
        3 => content(&input),
        _ => certificates(&input),
    }
}

/// Whether a reply may be believed: the channel's own, and nothing changed on the way.
fn genuine(input: &Input<'_>, sealed: &HttpReply, came: &HttpReply) -> bool {
    match input.maker {
        Maker::Channel => true,
        Maker::Changed => sealed == came,
        Maker::Nobody | Maker::Other | Maker::Anything => false,
    }
}

fn notice(input: &Input<'_>) {
    let plain = filled(&String::from_utf8_lossy(input.content));
    let (event, kind) = (usize::from(input.choice & 7) % EVENTS.len(), usize::from(input.choice >> 3) % KINDS.len());
    let body = match input.maker {
        Maker::Anything => input.content.to_vec(),
        Maker::Channel | Maker::Nobody | Maker::Other | Maker::Changed => {
            let resource = resource(plain.as_bytes(), KINDS[kind]);
            json!({ "id": "n1", "event_type": EVENTS[event], "resource": resource }).to_string().into_bytes()
        }
    };
    let sealed = v3(input.maker, 200, &body);
    let came = arrived(input, &sealed);
    let read = |reply: &HttpReply| channel().notice(NOW, &reply.headers, &reply.body);
    let Ok(notice) = read(&came) else { return };
    assert!(genuine(input, &sealed, &came), "a notice that WeChat Pay did not sign");
    assert!(read(&came).is_ok_and(|again| again == notice), "one notice, two readings");
    if let Content::Payment { receipt, .. } = &notice.content {
        assert!(receipt.amount.is_positive() && !receipt.trade_no.is_empty(), "paid nothing: {receipt:?}");
    }
    let late = Wall { ms: NOW.ms + 301_000, trusted: true };
    assert!(channel().notice(late, &came.headers, &came.body).is_err(), "a notice of long ago");
}

fn complaints(input: &Input<'_>) {
    let sealed = v3(input.maker, 200, input.content);
    let came = arrived(input, &sealed);
    if let Ok(found) = channel().complaints(NOW, &came) {
        assert!(genuine(input, &sealed, &came), "{} complaints that WeChat Pay did not sign", found.len());
    }
}

fn bill(input: &Input<'_>) {
    let sealed = v3(input.maker, 200, input.content);
    let came = arrived(input, &sealed);
    if let Ok(location) = channel().bill_location(NOW, &came) {
        assert!(genuine(input, &sealed, &came), "an address that WeChat Pay did not sign");
        let request = channel().bill_download(&location, NOW, [1; 32]);
        assert!(request.url.starts_with("https://api"), "our signature goes to {:?}", request.url);
        assert!(request.url.bytes().all(|byte| byte.is_ascii_graphic()), "blanks in an address");
    }
}

/// The file of a bill whose hash is another's.
fn content(input: &Input<'_>) {
    static PLACE: LazyLock<Option<BillLocation>> = LazyLock::new(|| {
        let hash = "2FD4E1C67A2D28FCED849EE1BB76E7391B93EB12"; // SHA-1 of a line about a fox
        let said =
            json!({ "hash_type": "SHA1", "hash_value": hash, "download_url": "https://api.mch.weixin.qq.com/v3/b" });
        let body = said.to_string();
        channel().bill_location(NOW, &wechat::v3(Maker::Channel, 200, body.as_bytes())).ok()
    });
    let Some(place) = PLACE.as_ref() else { panic!("the bill's address is not taken") };
    let reply = HttpReply { status: 200, headers: Vec::new(), body: input.content.to_vec() };
    if let Ok(bytes) = channel().bill_content(place, &reply) {
        assert!(bytes == b"The quick brown fox jumps over the lazy dog" || input.content.starts_with(&[0x1f, 0x8b]));
        assert!(bytes.len() <= 64 << 20, "{} bytes", bytes.len());
    }
}

/// Certificates that are sealed with the right key; none of the fuzzer's own is signed by anybody known.
fn certificates(input: &Input<'_>) {
    let serial = "5157F09EFDC096DE15EBE81A47057A72A0B1C2D3";
    let list = json!({ "data": [{ "serial_no": serial, "encrypt_certificate": resource(input.content, None) }] });
    let sealed = v3(input.maker, 200, list.to_string().as_bytes());
    let came = arrived(input, &sealed);
    if channel().accept_key(serial, NOW, &came).is_ok() {
        assert!(genuine(input, &sealed, &came), "a certificate that WeChat Pay did not sign");
    }
}
