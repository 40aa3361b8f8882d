//! How the gateway behaves: its strictness, its clock and its limits.

use std::fmt;
use std::sync::Arc;

/// How requests and answers name their keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyMode {
    /// Bare public keys: no certificate serial may be sent.
    PublicKey,
    /// Certificates: both serials must be sent and answers carry `alipay_cert_sn`.
    Certificate,
}

/// From when `timeout_express` of a precreate counts. Sources disagree (reference/alipay.md 6), so tests try both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeoutStart {
    /// From the precreate request: it also ends the unscanned code.
    Request,
    /// From the scan: an unscanned code lives by `qr_code_timeout_express` or two hours.
    Scan,
}

/// The gateway's clock: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> i64 + Send + Sync>);

impl Clock {
    /// A clock of one's own, so that a test moves time.
    pub fn new(read: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::new(system_now)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn now(&self) -> i64 {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}

#[expect(clippy::disallowed_methods, reason = "the gateway stands for another computer, which has its own clock")]
fn system_now() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .ok()
        .and_then(|age| i64::try_from(age.as_millis()).ok())
        .unwrap_or_default()
}

/// The knobs of a [`Gateway`](crate::Gateway). The default is as strict as the reference allows.
#[derive(Debug, Clone)]
pub struct GatewayOptions {
    /// Port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Public keys or certificates.
    pub mode: KeyMode,
    /// The only application that the gateway knows.
    pub app_id: String,
    /// The only account that may be named as `seller_id`.
    pub seller_id: String,
    /// The gateway's time.
    pub clock: Clock,
    /// How far `timestamp` may be off, in milliseconds. Not documented by Alipay; 10 minutes here.
    pub clock_tolerance_ms: i64,
    /// Where quirks, numbers and codes come from; the same seed gives the same answers.
    pub seed: u64,
    /// Vary spacing, member order, escapes and unsigned gateway failures from call to call.
    pub quirks: bool,
    /// Characters that a `subject` may not hold. The docs name these three; many merchants use `/`.
    pub forbidden_in_subject: String,
    /// Words that a `subject` or `body` may not hold (`ACQ.EXIST_FORBIDDEN_WORD`).
    pub forbidden_words: Vec<String>,
    /// The registered `store_id`s; `None` knows them all.
    pub known_stores: Option<Vec<String>>,
    /// The most rows of `goods_detail`. Alipay's limit is not documented.
    pub most_goods_rows: usize,
    /// From when `timeout_express` counts.
    pub timeout_start: TimeoutStart,
    /// Refuse a refund within 3 seconds of the last one of the same trade.
    pub refund_pace: bool,
    /// How long after its creation a trade may be cancelled, in milliseconds.
    pub cancel_window_ms: i64,
    /// Up to this many fen a pay code pays at once; above, the buyer confirms on the phone.
    pub no_confirm_limit_fen: i64,
    /// How long a pay code lives, in milliseconds.
    pub pay_code_life_ms: i64,
    /// What a new buyer has, in fen.
    pub buyer_balance_fen: i64,
    /// What a new buyer may owe Huabei, in fen.
    pub huabei_limit_fen: i64,
    /// The contracted instalments. 24 periods stand in no public document; add them where a test wants them.
    pub instalment_rates: Vec<InstalmentRate>,
    /// Whether a refund gives back its share of the instalment fee. Sources disagree (reference/alipay.md 10.4).
    pub refund_returns_instalment_fee: bool,
    /// What the merchant pays for each payment, in ten thousandths.
    pub fee_rate: u32,
    /// Whether a refund gives back its share of the ordinary fee.
    pub refund_returns_fee: bool,
    /// The sub-merchant, where the contract is an indirect one (间连): every payment must name it.
    pub smid: Option<String>,
    /// What a day without rows gets: an empty file's code, or that there is no bill.
    pub empty_bill_file: bool,
    /// The bill of a day is there from its first minute on: for a test that cannot wait for tomorrow.
    pub bill_of_today: bool,
    /// Bills show columns that the documents do not have, as newer ones do.
    pub bill_extra_columns: bool,
}

/// The fee of one contracted number of instalments, in ten thousandths of the amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstalmentRate {
    /// How many months.
    pub periods: u8,
    /// When the buyer bears it.
    pub buyer_bears: u32,
    /// When the merchant bears it.
    pub seller_bears: u32,
}

/// Alipay's page of 2017 (reference/alipay.md 10.2).
const RATES: [InstalmentRate; 3] = [
    InstalmentRate { periods: 3, buyer_bears: 230, seller_bears: 180 },
    InstalmentRate { periods: 6, buyer_bears: 450, seller_bears: 450 },
    InstalmentRate { periods: 12, buyer_bears: 750, seller_bears: 750 },
];

impl Default for GatewayOptions {
    fn default() -> Self {
        Self {
            port: 0,
            mode: KeyMode::PublicKey,
            app_id: "2021000000000001".to_owned(),
            seller_id: "2088000000000001".to_owned(),
            clock: Clock::system(),
            clock_tolerance_ms: 10 * 60_000,
            seed: 1,
            quirks: true,
            forbidden_in_subject: "/=&".to_owned(),
            forbidden_words: Vec::new(),
            known_stores: None,
            most_goods_rows: 50,
            timeout_start: TimeoutStart::Request,
            refund_pace: false,
            cancel_window_ms: 24 * 3_600_000,
            no_confirm_limit_fen: 20_000,
            pay_code_life_ms: 60_000,
            buyer_balance_fen: 10_000_000,
            huabei_limit_fen: 2_000_000,
            instalment_rates: RATES.to_vec(),
            refund_returns_instalment_fee: true,
            fee_rate: 60,
            refund_returns_fee: true,
            smid: None,
            empty_bill_file: true,
            bill_of_today: false,
            bill_extra_columns: false,
        }
    }
}
