//! Commands of the operator that come down from the hub: whether one is genuine, and what it says.
//!
//! The operator's key is not the hub's: what the hub cannot sign, somebody who takes it over cannot order.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use payment::ids::OrderId;
use payment::money::Fen;
use ring::digest::{SHA256, digest};
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::Deserialize;

/// Stands before a command under the signature, so that no signature of something else fits.
const DOMAIN: &str = "till command 1\n";

/// A command as it comes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Delivered {
    /// Its number, as the hub says.
    pub number: u64,
    /// The command: JSON in a string, exactly the bytes that are signed.
    pub command: String,
    /// The operator's Ed25519 signature in Base64.
    pub signature: String,
}

/// What the operator wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Return money of an order; without an amount all that is left.
    Refund {
        /// The order.
        order: OrderId,
        /// How much.
        amount: Option<Fen>,
    },
    /// Use this from the next start on, and start anew.
    Config {
        /// The overlay `hub.toml`.
        toml: String,
    },
    /// Start anew when nobody is at the machine.
    Restart,
    /// Send what waits.
    SendNow,
}

/// What became of looking at a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judged {
    /// The operator wants this.
    Genuine(Wish),
    /// The operator signed it for this terminal, and it cannot be done.
    Useless(String),
    /// Nobody knows who wrote it, or for whom.
    NotGenuine(&'static str),
}

#[derive(Debug, Deserialize)]
struct Inside {
    terminal: String,
    number: u64,
    #[serde(rename = "do")]
    what: serde_json::Value,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum What {
    Refund { order: String, amount: Option<i64> },
    Config { toml: String, sha256: String },
    Restart,
    SendNow,
}

/// Judges a command for `terminal` by the operator's public key.
#[must_use]
pub fn judge(delivered: &Delivered, terminal: &str, operator: &[u8; 32]) -> Judged {
    if !is_signed(delivered, operator) {
        return Judged::NotGenuine("its signature is not the operator's");
    }
    let Ok(inside) = serde_json::from_str::<Inside>(&delivered.command) else {
        return Judged::Useless("the operator signed it, and it is no command".to_owned());
    };
    if inside.terminal != terminal {
        return Judged::NotGenuine("it is for another terminal");
    }
    if inside.number != delivered.number {
        return Judged::NotGenuine("it comes under another number than it was signed with");
    }
    match serde_json::from_value::<What>(inside.what) {
        Ok(what) => wish(what).map_or_else(Judged::Useless, Judged::Genuine),
        Err(error) => Judged::Useless(format!("this till does not know such a command ({error})")),
    }
}

fn is_signed(delivered: &Delivered, operator: &[u8; 32]) -> bool {
    let Ok(signature) = STANDARD.decode(&delivered.signature) else {
        return false;
    };
    let message = format!("{DOMAIN}{}", delivered.command);
    UnparsedPublicKey::new(&ED25519, operator).verify(message.as_bytes(), &signature).is_ok()
}

fn wish(what: What) -> Result<Wish, String> {
    match what {
        What::Refund { order, amount } => {
            let order = order.parse().map_err(|error| format!("{error}"))?;
            if amount.is_some_and(|fen| fen <= 0) {
                return Err("the amount of a refund is more than nothing".to_owned());
            }
            Ok(Wish::Refund { order, amount: amount.map(Fen::new) })
        }
        What::Config { toml, sha256 } if sha256_of(toml.as_bytes()) == sha256 => Ok(Wish::Config { toml }),
        What::Config { .. } => Err("the configuration is not the one whose SHA-256 stands beside it".to_owned()),
        What::Restart => Ok(Wish::Restart),
        What::SendNow => Ok(Wish::SendNow),
    }
}

/// SHA-256 in lower-case hexadecimal digits.
#[must_use]
pub fn sha256_of(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use ring::signature::{Ed25519KeyPair, KeyPair};
    use serde_json::{Value, json};

    use super::*;

    const ORDER: &str = "S0123456789ABCDEFGHJKMNPQR";

    fn operator() -> (Ed25519KeyPair, [u8; 32]) {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap();
        let public = pair.public_key().as_ref().try_into().unwrap();
        (pair, public)
    }

    fn signed(command: &str) -> Delivered {
        let signature = operator().0.sign(format!("{DOMAIN}{command}").as_bytes());
        Delivered { number: 4, command: command.to_owned(), signature: STANDARD.encode(signature) }
    }

    fn command(what: &Value) -> Delivered {
        signed(&json!({"terminal": "VM-0001", "number": 4, "issued_ms": 1_790_000_000_000_i64, "do": what}).to_string())
    }

    fn judged(delivered: &Delivered) -> Judged {
        judge(delivered, "VM-0001", &operator().1)
    }

    #[test]
    fn each_kind_of_command_is_understood() {
        let order: OrderId = ORDER.parse().unwrap();
        let toml = "[terminal]\nname = \"x\"\n";
        for (what, wish) in [
            (json!({"kind": "refund", "order": ORDER}), Wish::Refund { order, amount: None }),
            (
                json!({"kind": "refund", "order": ORDER, "amount": 350}),
                Wish::Refund { order, amount: Some(Fen::new(350)) },
            ),
            (
                json!({"kind": "config", "toml": toml, "sha256": sha256_of(toml.as_bytes())}),
                Wish::Config { toml: toml.to_owned() },
            ),
            (json!({"kind": "restart"}), Wish::Restart),
            (json!({"kind": "send_now"}), Wish::SendNow),
        ] {
            assert_eq!(judged(&command(&what)), Judged::Genuine(wish), "{what}");
        }
    }

    #[test]
    fn what_the_operator_did_not_sign_for_this_terminal_and_number_is_not_genuine() {
        let good = command(&json!({"kind": "restart"}));
        assert_eq!(judged(&good), Judged::Genuine(Wish::Restart));
        let changed = good.command.replace("restart", "send_now");
        let by_another = Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap();
        let other = by_another.sign(format!("{DOMAIN}{}", good.command).as_bytes());
        let bare = operator().0.sign(good.command.as_bytes());
        for forged in [
            Delivered { command: changed, ..good.clone() },
            Delivered { number: 5, ..good.clone() },
            Delivered { signature: STANDARD.encode(other), ..good.clone() },
            Delivered { signature: STANDARD.encode(bare), ..good.clone() },
            Delivered { signature: String::new(), ..good.clone() },
            Delivered { signature: "no base64!".to_owned(), ..good.clone() },
        ] {
            assert!(matches!(judged(&forged), Judged::NotGenuine(_)), "{forged:?}");
        }
        assert!(matches!(judge(&good, "VM-0002", &operator().1), Judged::NotGenuine(_)));
    }

    #[test]
    fn a_signed_command_that_makes_no_sense_is_useless_and_says_why() {
        for what in [
            json!({"kind": "explode"}),
            json!({"kind": "refund", "order": "S1"}),
            json!({"kind": "refund", "order": ORDER, "amount": 0}),
            json!({"kind": "refund", "order": ORDER, "amount": -5}),
            json!({"kind": "refund", "order": ORDER, "amount": 1.5}),
            json!({"kind": "config", "toml": "a = 1", "sha256": sha256_of(b"a = 2")}),
            json!("restart"),
        ] {
            let judged = judged(&command(&what));
            assert!(matches!(&judged, Judged::Useless(why) if !why.is_empty()), "{what}: {judged:?}");
        }
        assert!(matches!(judged(&signed("[1, 2]")), Judged::Useless(_)));
    }
}
