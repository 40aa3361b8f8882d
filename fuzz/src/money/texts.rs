//! Amounts, pay codes, vouchers, entries of the journal.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use payment::channel::ChannelId;
use payment::channel::route::{LENGTHS, Route, RouteSettings, Routes};
use payment::engine::entry::{Entry, Stored};
use payment::engine::record::OrderRecord;
use payment::ids::{AttemptId, OrderId, RefundId};
use payment::money::Fen;
use payment::redact::{PayCode, without_codes};
use payment::voucher::{OperatorKey, Voucher, VoucherRefused};
use ring::signature::Ed25519KeyPair;

use super::orders::NOW;

/// `Fen`'s parser, and numbers of orders.
pub fn amounts(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(fen) = text.parse::<Fen>() {
        let plain = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+');
        assert!(text.trim().bytes().all(plain), "{text:?} was taken for {fen}");
        assert_eq!(fen.to_yuan().parse(), Ok(fen), "{text:?}");
        assert_eq!(text.trim().matches('.').count() + usize::from(!text.contains('.')), 1, "{text:?}");
    }
    same_number(text.parse::<OrderId>().ok(), text);
    same_number(text.parse::<AttemptId>().ok(), text);
    same_number(text.parse::<RefundId>().ok(), text);
}

fn same_number(number: Option<impl std::fmt::Display>, text: &str) {
    assert!(number.is_none_or(|number| number.to_string() == text), "{text:?} is another number");
}

/// `Routes::route`: whatever is read, what is sent to a wallet looks like a pay code, and nothing prints one.
pub fn pay_codes(data: &[u8]) {
    let line = String::from_utf8_lossy(data);
    let all = [ChannelId::AllinpayVsp, ChannelId::Alipay, ChannelId::Wechat, ChannelId::AllinpayYst];
    let strict = Routes::new(&all, RouteSettings { rows: Vec::new(), refuse_card_shaped: true });
    let tables = [Some(Routes::default_for(&all)), Some(Routes::default_for(&[])), strict.ok()];
    for routes in tables.iter().flatten() {
        for route in [routes.route(&line), routes.route_keyed(&line)] {
            must_be_a_pay_code(&line, &route);
        }
        assert!(routes.route(&line) == routes.route(&line), "one line, two ways");
    }
    let shown = without_codes(&line);
    assert!(without_codes(&shown) == shown || shown != line, "an outline that is a code again: {shown:?}");
}

fn must_be_a_pay_code(line: &str, route: &Route) {
    let code = line.trim_matches(['\r', '\n', '\t', ' ']);
    match route {
        Route::Wallet { channels, code: taken, .. } => {
            assert!(!channels.is_empty() && taken.expose() == code, "{route:?}");
            assert!(
                LENGTHS.contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric()),
                "{route:?}"
            );
            assert!(!format!("{route:?}").contains(code), "it prints the code");
            let card = code.starts_with("62") && code.len() < 19;
            assert!(!card, "a bank card is sent to a wallet");
        }
        Route::Voucher(taken) => assert!(taken.expose() == code && code.starts_with("TILL1."), "{route:?}"),
        Route::KnownElsewhere(_) | Route::CardNumber | Route::NotAPayCode => {}
    }
}

/// Member and voucher codes: the first byte says whether the operator, somebody else or nobody signs the payload.
pub fn vouchers(data: &[u8]) {
    let Some((who, payload)) = data.split_first() else { return };
    let operator = OperatorKey::from_seed(&[1; 32]).public();
    let seed = match who % 4 {
        0 | 1 => Some([1; 32]),
        2 => Some([2; 32]),
        _ => None,
    };
    let text = seed.map_or_else(|| String::from_utf8_lossy(payload).into_owned(), |seed| signed(&seed, payload));
    let read = Voucher::read(&PayCode::new(text.clone()), &operator);
    assert!(read == Voucher::read(&PayCode::new(text), &operator), "one code, two readings");
    let Ok(voucher) = read else {
        assert!(seed != Some([1; 32]) || read != Err(VoucherRefused::Forged), "the operator's own is called forged");
        return;
    };
    assert!(seed == Some([1; 32]), "a code that the operator did not sign");
    assert!(voucher.amount.is_positive() && (1..=64).contains(&voucher.id.len()), "{voucher:?}");
    let _valid = voucher.check("VM-0001", NOW);
    assert!(voucher.into_use().allowance.is_positive());
}

fn signed(seed: &[u8; 32], payload: &[u8]) -> String {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).unwrap_or_else(|_| panic!("32 bytes are a seed"));
    let signature = pair.sign(&[b"till voucher 1\n", payload].concat());
    let [payload, signature] = [payload, signature.as_ref()].map(|part| URL_SAFE_NO_PAD.encode(part));
    format!("TILL1.{payload}.{signature}")
}

/// The journal's entries, one in a line: each reads the same again after it was written, and the orders add up.
pub fn entries(data: &[u8]) {
    let mut orders: BTreeMap<String, Vec<Stored>> = BTreeMap::new();
    for (seq, line) in data.split(|byte| *byte == b'\n').enumerate() {
        let Ok(entry) = serde_json::from_slice::<Entry>(line) else { continue };
        let written = serde_json::to_string(&entry).unwrap_or_else(|error| panic!("{error}"));
        let again: Entry = serde_json::from_str(&written).unwrap_or_else(|error| panic!("{error}: {written}"));
        assert!(again == entry, "{written}");
        // The record is for the entries of one order; the journal sorts them so.
        let stored = Stored { seq: seq as u64 + 1, at: NOW, entry };
        orders.entry("one".to_owned()).or_default().push(stored);
    }
    for entries in orders.values() {
        let record = OrderRecord::from_entries(entries);
        assert!(record == OrderRecord::from_entries(entries), "one order, two records");
        let Some(record) = record else { continue };
        let _sums = (record.paid(), record.refunded(), record.delivered_worth());
        let _states = (record.is_paid(), record.is_given_back(), record.is_delivered(), record.winner().is_some());
    }
}
