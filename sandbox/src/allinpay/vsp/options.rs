//! How VSP behaves. The default is as strict as the reference allows; what it leaves open is a switch.

use super::super::options::House;

/// How requests and answers are signed. A merchant has one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignType {
    /// MD5 with the app key as one more parameter, at its sorted place.
    Md5,
    /// SHA1withRSA.
    Rsa,
    /// SM3withSM2, Base64 of DER.
    Sm2,
}

impl SignType {
    /// The word on the wire.
    #[must_use]
    pub const fn wire(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Rsa => "RSA",
            Self::Sm2 => "SM2",
        }
    }
}

/// Where an unpaid order is closed. Sources disagree (reference/allinpay.md 8 point 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClosePath {
    /// `/unitorder/close`
    Unitorder,
    /// `/tranx/close`
    Tranx,
    /// Both exist.
    Both,
}

/// The knobs of a [`VspGateway`](super::VspGateway).
#[derive(Debug, Clone)]
pub struct VspOptions {
    /// Clock, money, wallets.
    pub house: House,
    /// The only merchant, 15 characters.
    pub cusid: String,
    /// The only application, 8 characters.
    pub appid: String,
    /// The group that the merchant belongs to; then every request must name it.
    pub orgid: Option<String>,
    /// How this merchant signs.
    pub sign_type: SignType,
    /// The merchant's public RSA key, PEM; `None` is the published one. 1024 bit are as good as 2048 here.
    pub merchant_rsa_public_key_pem: Option<String>,
    /// Sign failures too. Those for an unknown merchant never are.
    pub sign_failures: bool,
    /// Where an unpaid order is closed.
    pub close_path: ClosePath,
    /// What a query says of a code that nobody paid: `2000`, `2008` or `1001`. Not documented.
    pub unpaid_status: String,
    /// What a query says of a paid order after its cancel. Not documented.
    pub cancelled_status: String,
    /// A cancel works only on the day of the order, in Beijing.
    pub cancel_same_day: bool,
    /// A refund that fails for want of money has used up its `reqsn`.
    pub failed_refunds_use_number: bool,
    /// From which hour on the statement of the day before is there, in Beijing. Not documented.
    pub statement_hour: i64,
    /// The statement's amounts are in yuan; otherwise in fen. Not proven.
    pub statement_in_yuan: bool,
    /// The statement's returns are negative. Not proven.
    pub statement_negative_returns: bool,
}

impl Default for VspOptions {
    fn default() -> Self {
        Self {
            house: House::default(),
            cusid: "990000000000001".to_owned(),
            appid: "00000001".to_owned(),
            orgid: None,
            sign_type: SignType::Rsa,
            merchant_rsa_public_key_pem: None,
            sign_failures: true,
            close_path: ClosePath::Both,
            unpaid_status: "2000".to_owned(),
            cancelled_status: "3050".to_owned(),
            cancel_same_day: true,
            failed_refunds_use_number: true,
            statement_hour: 9,
            statement_in_yuan: true,
            statement_negative_returns: true,
        }
    }
}
