//! What the hub says: answers to entries and to polls, and commands, of which only the operator's may be done.
//!
//! The first byte says what the rest is; the second which status it comes with, or who signs it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{Ed25519KeyPair, KeyPair};
use till::sync::command::{Delivered, Judged, Wish, judge, sha256_of};
use till::sync::wire::{Answer, Said, commands, refusal};

const TERMINAL: &str = "VM-0001";
const STATUSES: [u16; 16] = [200, 201, 204, 302, 400, 401, 403, 404, 408, 409, 413, 422, 425, 429, 500, 503];
/// What is kept and shown of a hub's words, in characters: a sentence of ours and a cut of theirs.
const TOLD_MAX: usize = 400;

/// Nothing that the hub says is believed beyond its status and its shape, and no command without its signature.
pub fn words(data: &[u8]) {
    let Some((&[kind, choice], rest)) = data.split_first_chunk::<2>() else { return };
    match kind % 4 {
        0 => to_entries(choice, rest),
        1 => to_a_poll(choice, rest),
        2 => forged(rest),
        _ => signed(choice, rest),
    }
}

fn status(choice: u8) -> u16 {
    STATUSES[usize::from(choice) % STATUSES.len()]
}

fn retry_after(choice: u8) -> Option<&'static str> {
    [None, Some("30"), Some(" 18446744073709551615 "), Some("Wed, 21 Oct 2026 07:28:00 GMT")][usize::from(choice >> 6)]
}

fn to_entries(choice: u8, body: &[u8]) {
    let status = status(choice);
    let read = || Answer::read(status, retry_after(choice), body);
    assert!(read() == read(), "one answer, two readings");
    must_fit(status, &read());
    let is_believed = matches!(read(), Answer::Taken { .. } | Answer::Gap { .. } | Answer::Fork { .. });
    assert!(!is_believed || is_object(body), "what is no object is believed");
    must_be_short(&refusal(body).to_string());
}

/// A status says one kind of thing only, and what is shown of a stranger's words is short and printable.
fn must_fit(status: u16, answer: &Answer) {
    match answer {
        Answer::Taken { refused, .. } => {
            assert!(status == 200);
            refused.iter().for_each(|entry| must_be_said(&entry.code, &entry.detail));
        }
        Answer::Gap { .. } => assert!(status == 409),
        Answer::Fork { detail } => {
            assert!(status == 409);
            must_be_short(detail);
        }
        Answer::BadBatch(Said { code, detail }) => {
            assert!(matches!(status, 400 | 413 | 422));
            must_be_said(code, detail);
        }
        Answer::NotAccepted(Said { code, detail }) => {
            assert!(matches!(status, 401 | 403));
            must_be_said(code, detail);
        }
        Answer::NotNow { detail, .. } => {
            assert!(matches!(status, 408 | 425 | 429 | 500..=599));
            must_be_short(detail);
        }
        Answer::Nonsense(what) => must_be_short(what),
    }
}

/// What a reader skips may be any bytes.
fn is_object(body: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok() && body.trim_ascii_start().starts_with(b"{")
}

fn must_be_said(code: &str, detail: &str) {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    assert!((1..=64).contains(&code.len()) && code.bytes().all(plain), "{code:?}");
    must_be_short(detail);
}

fn must_be_short(text: &str) {
    let count = text.chars().count();
    assert!(count <= TOLD_MAX && !text.chars().any(char::is_control), "{count} characters: {text:.200?}");
}

fn to_a_poll(choice: u8, body: &[u8]) {
    let status = status(choice);
    let read = || commands(status, retry_after(choice), body);
    assert!(read() == read(), "one answer, two readings");
    match read() {
        Ok(delivered) => {
            assert!(status == 200 && is_object(body));
            delivered.iter().for_each(must_be_a_strangers);
        }
        Err(answer) => {
            must_fit(status, &answer);
            assert!(!matches!(answer, Answer::BadBatch(_)), "a poll is no batch");
        }
    }
}

/// A command as bytes: the operator never signed it.
fn forged(body: &[u8]) {
    if let Ok(delivered) = serde_json::from_slice::<Delivered>(body) {
        must_be_a_strangers(&delivered);
    }
}

fn must_be_a_strangers(delivered: &Delivered) {
    let judged = judge(delivered, TERMINAL, &public(&operator()));
    assert!(matches!(judged, Judged::NotGenuine(_)), "nobody signed it: {judged:?}");
}

fn operator() -> Ed25519KeyPair {
    pair(9)
}

fn pair(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap_or_else(|_| panic!("32 bytes are a seed"))
}

fn public(pair: &Ed25519KeyPair) -> [u8; 32] {
    pair.public_key().as_ref().try_into().unwrap_or_else(|_| panic!("an Ed25519 key has 32 bytes"))
}

/// The rest is a command's text. The low bits say who signs it, the high ones which number it is delivered under.
fn signed(choice: u8, text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    let (by, domain) = match choice & 7 {
        0..=3 => (operator(), "till command 1\n"),
        4 => (pair(8), "till command 1\n"),
        5 => (operator(), ""),
        6 => (operator(), "till voucher 1\n"),
        _ => (operator(), "till command 1\r\n"),
    };
    let signature = STANDARD.encode(by.sign(format!("{domain}{text}").as_bytes()));
    let delivered = Delivered { number: u64::from(choice >> 4), command: text.to_owned(), signature };
    let judged = judge(&delivered, TERMINAL, &public(&operator()));
    assert!(judged == judge(&delivered, TERMINAL, &public(&operator())), "one command, two readings");
    let is_operators = choice & 7 <= 3;
    assert!(is_operators || matches!(judged, Judged::NotGenuine(_)), "{judged:?}");
    if let Judged::Genuine(wish) = judged {
        must_be_for_us(&delivered, &wish);
        must_be_the_operators_bytes(&delivered);
    }
}

/// It is for this terminal under this number, and says what its text says.
fn must_be_for_us(delivered: &Delivered, wish: &Wish) {
    let inside: serde_json::Value = serde_json::from_str(&delivered.command).unwrap_or_default();
    assert!(inside["terminal"] == TERMINAL && inside["number"] == delivered.number, "{inside}");
    let told = &inside["do"];
    match wish {
        Wish::Refund { order, amount } => {
            assert!(
                told["order"] == order.to_string().as_str() && told["amount"].as_i64() == amount.map(|fen| fen.get())
            );
            assert!(amount.is_none_or(|fen| fen.is_positive()), "{amount:?}");
        }
        Wish::Config { toml } => assert!(told["sha256"] == sha256_of(toml.as_bytes()).as_str(), "{told}"),
        Wish::Restart => assert!(told["kind"] == "restart"),
        Wish::SendNow => assert!(told["kind"] == "send_now"),
    }
}

/// The same with one byte more, or under another number, or for another terminal, is nobody's.
fn must_be_the_operators_bytes(delivered: &Delivered) {
    let key = public(&operator());
    let longer = Delivered { command: format!("{} ", delivered.command), ..delivered.clone() };
    let renumbered = Delivered { number: delivered.number + 1, ..delivered.clone() };
    for (forged, terminal) in [(&longer, TERMINAL), (&renumbered, TERMINAL), (delivered, "VM-0002")] {
        let judged = judge(forged, terminal, &key);
        assert!(matches!(judged, Judged::NotGenuine(_)), "{judged:?}");
    }
}
