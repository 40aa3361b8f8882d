//! The signature of APIv2: MD5 or HMAC-SHA256 over the sorted members (reference/wechatpay.md 5.6).

use md5::{Digest as _, Md5};
use ring::hmac;

use super::Members;

/// How a request is signed, and its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignType {
    Md5,
    HmacSha256,
}

impl SignType {
    /// The type that `sign_type` names; MD5 when it names none.
    pub(super) fn named(name: Option<&str>) -> Option<Self> {
        match name {
            None | Some("" | "MD5") => Some(Self::Md5),
            Some("HMAC-SHA256") => Some(Self::HmacSha256),
            Some(_) => None,
        }
    }
}

/// Upper-case hex over everything but `sign` and what is empty.
pub(super) fn sign(members: &Members, sign_type: SignType, key: &str) -> String {
    let pairs = members.iter().filter(|(name, value)| *name != "sign" && !value.is_empty());
    let mut text: String = pairs.map(|(name, value)| format!("{name}={value}&")).collect();
    text.push_str("key=");
    text.push_str(key);
    let digest = match sign_type {
        SignType::Md5 => Md5::digest(text.as_bytes()).to_vec(),
        SignType::HmacSha256 => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
            hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
        }
    };
    digest.iter().map(|byte| format!("{byte:02X}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_documentation_holds() {
        let members = [
            ("appid", "wxd930ea5d5a258f4f"),
            ("mch_id", "10000100"),
            ("device_info", "1000"),
            ("body", "test"),
            ("nonce_str", "ibuaiVcKdpRxkhJA"),
            ("goods_tag", ""),
            ("sign", "whatever"),
        ];
        let members: Members = members.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let key = "192006250b4c09247ec02edce69f6a2d";
        assert_eq!(sign(&members, SignType::Md5, key), "9A0A8659F005D6984697E2CA0A9CF3B7");
        let hmac = "6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6";
        assert_eq!(sign(&members, SignType::HmacSha256, key), hmac);
    }
}
