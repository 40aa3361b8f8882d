//! Whether an answer or a notice is WeChat Pay's.
//!
//! Source: WeChat Pay APIv3, "verify answers and callbacks" (reference 1.5). A probe signature is a bad signature like any
//! other; a merchant that takes one is found out.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use super::setup::PUBLIC_KEY_PREFIX;
use super::sign::{SCHEME, reply_to_verify};
use crate::channel::keys::PublicKey;
use crate::channel::outcome::{Doubt, DoubtKind};
use crate::time::Wall;

/// Farther off than this a message is refused, and so are our own.
const WINDOW_SECONDS: u64 = 300;
const LONGEST_SERIAL: usize = 40;

/// Headers by name in lower case.
pub(super) type Headers = [(String, String)];

/// Whether a signature holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seal {
    Holds,
    /// No such header at all.
    Absent,
    Broken(&'static str),
    /// It names a certificate that is not here.
    Unknown(String),
}

impl Seal {
    /// The doubt in it, where a signature must hold.
    pub(super) fn broken(self) -> Result<(), Doubt> {
        let why = match self {
            Self::Holds => return Ok(()),
            Self::Absent => "the answer is not signed",
            Self::Broken(why) => why,
            Self::Unknown(_) => "it is signed with a key that is not here",
        };
        Err(Doubt::new(DoubtKind::BadSignature, why))
    }
}

/// WeChat Pay's keys by their number: the ones from the settings, and the ones that were fetched.
#[derive(Debug)]
pub(super) struct Keys {
    set: BTreeMap<String, PublicKey>,
    fetched: RwLock<BTreeMap<String, PublicKey>>,
}

impl Keys {
    pub(super) fn new(set: BTreeMap<String, PublicKey>) -> Self {
        Self { set, fetched: RwLock::default() }
    }

    pub(super) fn add(&self, keys: impl IntoIterator<Item = (String, PublicKey)>) {
        self.fetched.write().unwrap_or_else(PoisonError::into_inner).extend(keys);
    }

    pub(super) fn get(&self, serial: &str) -> Option<PublicKey> {
        let fetched = || self.fetched.read().unwrap_or_else(PoisonError::into_inner).get(serial).cloned();
        self.set.get(serial).cloned().or_else(fetched)
    }

    /// Checks the headers and the bytes against the clock and the key that they name.
    pub(super) fn check(&self, wall: Wall, headers: &Headers, body: &[u8]) -> Seal {
        check(wall, headers, body, |serial| self.get(serial))
    }
}

/// As [`Keys::check`], with keys from elsewhere.
pub(super) fn check(wall: Wall, headers: &Headers, body: &[u8], key: impl Fn(&str) -> Option<PublicKey>) -> Seal {
    let get = |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let Some(signature) = get("wechatpay-signature") else {
        return Seal::Absent;
    };
    let (Some(timestamp), Some(nonce), Some(serial)) =
        (get("wechatpay-timestamp"), get("wechatpay-nonce"), get("wechatpay-serial"))
    else {
        return Seal::Broken("one of the Wechatpay headers is missing: does a proxy drop them?");
    };
    if get("wechatpay-signature-type").is_some_and(|scheme| scheme != SCHEME) {
        return Seal::Broken("it is signed by another scheme than WECHATPAY2-SHA256-RSA2048");
    }
    if !is_in_window(wall, timestamp) {
        return Seal::Broken("its time is 5 minutes or more from our clock");
    }
    match key(serial) {
        Some(key) if key.verify(&reply_to_verify(timestamp, nonce, body), signature) => Seal::Holds,
        Some(_) => Seal::Broken("the signature is not WeChat Pay's over these bytes"),
        None if is_certificate(serial) => Seal::Unknown(serial.to_owned()),
        None if serial.starts_with(PUBLIC_KEY_PREFIX) => {
            Seal::Broken("it is signed with a WeChat Pay public key that is not in the settings")
        }
        None => Seal::Broken("it names no key"),
    }
}

fn is_in_window(wall: Wall, timestamp: &str) -> bool {
    let digits = timestamp.bytes().all(|byte| byte.is_ascii_digit());
    let signed: Option<i64> = digits.then(|| timestamp.parse().ok()).flatten();
    signed.is_some_and(|signed| wall.ms.div_euclid(1000).abs_diff(signed) < WINDOW_SECONDS)
}

/// Whether this is the number of a certificate, so that asking for it makes sense.
fn is_certificate(serial: &str) -> bool {
    (1..=LONGEST_SERIAL).contains(&serial.len()) && serial.bytes().all(|byte| byte.is_ascii_hexdigit())
}
