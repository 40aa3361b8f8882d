//! Numbers of orders, attempts and refunds.
//!
//! A number is a letter that says what it is and 25 Crockford base-32 characters (125 bits of entropy), 26 characters
//! in all: it fits every channel (`out_trade_no` has room for 64 at Alipay and 32 at WeChat Pay), holds only what all of
//! them allow, and can be read out over the phone. Numbers come from given entropy, never from a clock.

use std::fmt;
use std::str::FromStr;

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use thiserror::Error;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH: usize = 26;

/// A text that is no number of the wanted kind.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("not {what} number: it is {letter} and 25 characters out of 0-9 and A-Z without I, L, O and U")]
pub struct NotANumber {
    what: &'static str,
    letter: char,
}

macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $letter:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; LENGTH]);

        impl $name {
            /// The letter that begins such a number.
            pub const LETTER: char = $letter as char;

            /// The number made of 16 bytes of entropy.
            #[must_use]
            pub fn from_entropy(entropy: [u8; 16]) -> Self {
                Self(number_of($letter, u128::from_be_bytes(entropy)))
            }

            /// The number as text: 26 ASCII characters.
            #[must_use]
            pub fn as_str(&self) -> &str {
                std::str::from_utf8(&self.0).unwrap_or_default()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = NotANumber;

            fn from_str(text: &str) -> Result<Self, NotANumber> {
                read_number($letter, text)
                    .map(Self)
                    .ok_or(NotANumber { what: $what, letter: Self::LETTER })
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotANumber;

            fn try_from(text: String) -> Result<Self, NotANumber> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(number: $name) -> Self {
                number.as_str().to_owned()
            }
        }
    };
}

number!(
    /// One purchase at this terminal.
    OrderId, b'S', "an order"
);
number!(
    /// One try to collect an order's money through one channel; the channel's `out_trade_no`.
    AttemptId, b'P', "an attempt"
);
number!(
    /// One return of money; the channel's `out_request_no`.
    RefundId, b'R', "a refund"
);

fn number_of(letter: u8, entropy: u128) -> [u8; LENGTH] {
    let mut text = [letter; LENGTH];
    let mut rest = entropy;
    for place in text.iter_mut().skip(1) {
        // The remainder is below 32.
        *place = ALPHABET[usize::try_from(rest % 32).unwrap_or(0)];
        rest /= 32;
    }
    text
}

fn read_number(letter: u8, text: &str) -> Option<[u8; LENGTH]> {
    let number: [u8; LENGTH] = text.as_bytes().try_into().ok()?;
    let known = number[1..].iter().all(|byte| ALPHABET.contains(byte));
    (number[0] == letter && known).then_some(number)
}

/// Mints numbers from one seed: the daemon draws the seed at start, a simulator chooses it.
#[derive(Clone)]
pub struct IdMint {
    seed: [u8; 32],
    minted: u64,
}

impl IdMint {
    /// A mint over 32 bytes of entropy that no other run of any terminal shares.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Self {
        Self { seed, minted: 0 }
    }

    /// A new order number.
    pub fn order(&mut self) -> OrderId {
        OrderId::from_entropy(self.entropy())
    }

    /// A new attempt number.
    pub fn attempt(&mut self) -> AttemptId {
        AttemptId::from_entropy(self.entropy())
    }

    /// A new refund number.
    pub fn refund(&mut self) -> RefundId {
        RefundId::from_entropy(self.entropy())
    }

    /// Entropy for a number of somebody else's making.
    pub fn word(&mut self) -> u64 {
        let [first @ .., _, _, _, _, _, _, _, _] = self.entropy();
        u64::from_be_bytes(first)
    }

    fn entropy(&mut self) -> [u8; 16] {
        let mut block = [0; 40];
        block[..32].copy_from_slice(&self.seed);
        block[32..].copy_from_slice(&self.minted.to_be_bytes());
        self.minted += 1;
        let hash = digest(&SHA256, &block);
        let mut entropy = [0; 16];
        entropy.copy_from_slice(&hash.as_ref()[..16]);
        entropy
    }
}

impl fmt::Debug for IdMint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdMint({} minted)", self.minted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_says_what_it_is_and_reads_back() {
        let mut mint = IdMint::new([7; 32]);
        let order = mint.order();
        assert_eq!(order.as_str().len(), 26);
        assert!(order.as_str().starts_with('S'));
        assert_eq!(order.as_str().parse(), Ok(order));
        assert!(order.as_str().parse::<AttemptId>().is_err());
    }

    #[test]
    fn one_seed_gives_one_row_of_different_numbers() {
        let row = |seed| {
            let mut mint = IdMint::new([seed; 32]);
            [mint.attempt(), mint.attempt(), mint.attempt()]
        };
        assert_eq!(row(1), row(1));
        assert_ne!(row(1), row(2));
        assert_ne!(row(1)[0], row(1)[1]);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in
            ["", "S", "S000000000000000000000000U", "S0000000000000000000000000000", "s0000000000000000000000000"]
        {
            assert!(text.parse::<OrderId>().is_err(), "{text:?} was taken");
        }
    }
}
