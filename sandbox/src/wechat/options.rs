//! How the gateway behaves: its strictness, its clock and its limits.

use crate::alipay::options::Clock;

/// Which key signs what the gateway says (reference/wechatpay.md 1.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyMode {
    /// WeChat Pay's public key; `/v3/certificates` answers 404, as for every new merchant.
    PublicKey,
    /// A platform certificate, which `/v3/certificates` hands out.
    Certificate,
}

/// How a v3 pay code order tells that the buyer is still typing. Sources disagree (reference/wechatpay.md 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayingForm {
    /// 200 with `trade_state` `USERPAYING`.
    TradeState,
    /// 202 with the code `USERPAYING`.
    Accepted,
    /// 400 with the code `USERPAYING`.
    Refused,
}

/// The knobs of a [`Gateway`](super::Gateway). The default is as strict as the reference allows.
#[derive(Debug, Clone)]
pub struct GatewayOptions {
    /// Port of the primary host on 127.0.0.1, without TLS; 0 takes a free one. All other ports are free ones.
    pub port: u16,
    /// Public key or platform certificate.
    pub mode: KeyMode,
    /// The application that is bound to the merchant.
    pub appid: String,
    /// The merchant, who is also the service provider of [`Self::sub_mchids`].
    pub mchid: String,
    /// A second merchant with keys of its own, to see that nobody reads another's books.
    pub other_mchid: String,
    /// The shops of the service provider.
    pub sub_mchids: Vec<String>,
    /// The gateway's time.
    pub clock: Clock,
    /// How far a timestamp may be off, in milliseconds.
    pub clock_tolerance_ms: i64,
    /// Where numbers and codes come from; the same seed gives the same ones.
    pub seed: u64,
    /// Write the codes of the older spelling: `ORDERNOTEXIST` for `ORDER_NOT_EXIST`.
    pub joined_codes: bool,
    /// Refuse members that no document knows. The numeric tail 270924358 suggests that the channel does.
    pub refuse_unknown_fields: bool,
    /// An idle connection ends after this many milliseconds of real time.
    pub idle_ms: u64,
    /// How a v3 pay code order tells that the buyer is typing.
    pub paying_form: PayingForm,
    /// Refuse a reverse earlier than this after the payment, in milliseconds.
    pub reverse_after_ms: i64,
    /// The most that `time_expire` may be ahead, and how long an order can be paid, in milliseconds.
    pub order_life_ms: i64,
    /// How long a `code_url` lives, in milliseconds.
    pub code_life_ms: i64,
    /// How long a pay code lives, in milliseconds.
    pub pay_code_life_ms: i64,
    /// How long a pay code order waits for the buyer's password before it fails, in milliseconds.
    pub password_ms: i64,
    /// Above this many fen the buyer types the password.
    pub no_confirm_limit_fen: i64,
    /// The same amount of the same buyer to the same merchant within a minute asks for the password.
    pub repeat_amount_confirms: bool,
    /// What a new buyer has, in fen.
    pub buyer_balance_fen: i64,
    /// How long a refund is `PROCESSING`, in milliseconds.
    pub refund_takes_ms: i64,
    /// The pause between two refunds of one order, in milliseconds.
    pub refund_pace_ms: i64,
    /// The fee, in hundredths of a percent.
    pub fee_per_myriad: i64,
    /// Bills begin with a byte order mark.
    pub bill_mark: bool,
    /// Bills without the columns 应结订单金额 and 代金券金额, as a few merchants still get them.
    pub older_bill: bool,
    /// The bill of a day is there from its first minute on: for a test that cannot wait for tomorrow.
    pub bill_of_today: bool,
    /// How long a `download_url` lives, in milliseconds.
    pub bill_token_life_ms: i64,
    /// How long after the payment the delivery calls do not know an order, in milliseconds.
    pub delivery_lag_ms: i64,
}

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

impl Default for GatewayOptions {
    fn default() -> Self {
        Self {
            port: 0,
            mode: KeyMode::PublicKey,
            appid: "wx0000000000000001".to_owned(),
            mchid: "1900000001".to_owned(),
            other_mchid: "1900000002".to_owned(),
            sub_mchids: vec!["1900000011".to_owned(), "1900000012".to_owned()],
            clock: Clock::system(),
            clock_tolerance_ms: 5 * MINUTE_MS,
            seed: 1,
            joined_codes: false,
            refuse_unknown_fields: true,
            idle_ms: 8_000,
            paying_form: PayingForm::TradeState,
            reverse_after_ms: 15_000,
            order_life_ms: 7 * 24 * HOUR_MS,
            code_life_ms: 2 * HOUR_MS,
            pay_code_life_ms: MINUTE_MS,
            password_ms: 3 * MINUTE_MS,
            no_confirm_limit_fen: 100_000,
            repeat_amount_confirms: false,
            buyer_balance_fen: 10_000_000,
            refund_takes_ms: 3_000,
            refund_pace_ms: MINUTE_MS,
            fee_per_myriad: 60,
            bill_mark: true,
            older_bill: false,
            bill_of_today: false,
            bill_token_life_ms: 5 * MINUTE_MS,
            delivery_lag_ms: 10_000,
        }
    }
}
