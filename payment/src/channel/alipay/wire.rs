//! A request as Alipay's gateway wants it: the method, its business fields, and the form that carries them.
//!
//! Source: Alipay gateway 1.0, "common request parameters" (公共请求参数) and the page of each method. The common
//! parameters go into the URL, `charset` above all: the gateway decodes the body before it looks for it elsewhere.

use jiff::civil::Date;
use serde_json::{Value, json};

use super::setup::{Config, Mode, Setup};
use crate::channel::form::{form, string_to_sign};
use crate::channel::text::{Fields, china, limited};
use crate::channel::{GoodsRow, HttpRequest, Offer, RefundOrder, Request};
use crate::time::Wall;

/// The number that a probe asks for; no attempt has it.
pub(super) const PROBE: &str = "TILL_PROBE";

const CONTENT_TYPE: &str = "application/x-www-form-urlencoded;charset=utf-8";
const ORDER_CODE: &str = "QR_CODE_OFFLINE";
const MINUTE_MS: u64 = 60_000;
/// A code lives two hours at most, whatever is asked.
const LONGEST_CODE_MINUTES: u64 = 120;
/// A trade may stay unpaid for 15 days at most.
const LONGEST_TRADE_MINUTES: u64 = 15 * 24 * 60;
const TEXT_LIMIT: usize = 256;
/// What an answer about a payment tells only when asked: who paid with what, and the coupons. Instalments come unasked.
const DETAILS: [&str; 2] = ["fund_bill_list", "voucher_detail_list"];

/// A method of the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Make a code for our screen.
    Precreate,
    /// Collect with the buyer's code.
    Pay,
    /// How a trade stands.
    Query,
    /// Undo a trade.
    Cancel,
    /// Close an unpaid trade.
    Close,
    /// Return money.
    Refund,
    /// How a refund stands.
    RefundQuery,
    /// Fetch a certificate by its number.
    CertificateDownload,
    /// Where a day's statement lies.
    BillUrl,
}

impl Method {
    /// The method that carries `request`.
    #[must_use]
    pub const fn of(request: &Request) -> Self {
        match request {
            Request::ShowCode(_) => Self::Precreate,
            Request::TakeCode(..) => Self::Pay,
            // Alipay wants to hear nothing after a delivery; a question is harmless.
            Request::Query(_) | Request::Probe | Request::Duty(_) => Self::Query,
            Request::Cancel(_) => Self::Cancel,
            Request::Close(_) => Self::Close,
            Request::Refund(_) => Self::Refund,
            Request::RefundQuery(_) => Self::RefundQuery,
        }
    }

    /// Its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Precreate => "alipay.trade.precreate",
            Self::Pay => "alipay.trade.pay",
            Self::Query => "alipay.trade.query",
            Self::Cancel => "alipay.trade.cancel",
            Self::Close => "alipay.trade.close",
            Self::Refund => "alipay.trade.refund",
            Self::RefundQuery => "alipay.trade.fastpay.refund.query",
            Self::CertificateDownload => "alipay.open.app.alipaycert.download",
            Self::BillUrl => "alipay.data.dataservice.bill.downloadurl.query",
        }
    }

    /// The member of a reply that answers it.
    #[must_use]
    pub fn node(self) -> String {
        format!("{}_response", self.name().replace('.', "_"))
    }
}

/// The signed HTTP request for a channel request.
pub(super) fn request(setup: &Setup, request: &Request, wall: Wall) -> HttpRequest {
    let mut common = common(setup, Method::of(request), wall);
    if matches!(request, Request::ShowCode(_) | Request::TakeCode(..)) {
        let notify_url = setup.config.notify_url.clone();
        common.push(("notify_url", notify_url.unwrap_or_default()));
    }
    sealed(setup, common, &business_fields(&setup.config, request))
}

/// The signed request for the address of a day's statement.
pub(super) fn bill_request(setup: &Setup, kind: &str, date: Date, wall: Wall) -> HttpRequest {
    let fields = json!({ "bill_type": kind, "bill_date": date.to_string() });
    sealed(setup, common(setup, Method::BillUrl, wall), &fields)
}

/// The signed request for Alipay's certificate with this number. It is never encrypted: its answer is public.
pub(super) fn certificate_request(setup: &Setup, sn: &str, wall: Wall) -> HttpRequest {
    let fields = json!({ "alipay_cert_sn": sn }).to_string();
    let common = common(setup, Method::CertificateDownload, wall);
    signed(setup, common, &fields)
}

type Common = Vec<(&'static str, String)>;

/// Signs, after encrypting where the settings want it.
fn sealed(setup: &Setup, mut common: Common, fields: &Value) -> HttpRequest {
    let plain = fields.to_string();
    let Some(key) = &setup.aes else { return signed(setup, common, &plain) };
    common.push(("encrypt_type", "AES".to_owned()));
    signed(setup, common, &key.encrypt(plain.as_bytes()))
}

fn common(setup: &Setup, method: Method, wall: Wall) -> Common {
    let mut common = vec![
        ("app_id", setup.config.app_id.clone()),
        ("method", method.name().to_owned()),
        ("format", "JSON".to_owned()),
        ("charset", "utf-8".to_owned()),
        ("sign_type", "RSA2".to_owned()),
        ("timestamp", china(wall).strftime("%Y-%m-%d %H:%M:%S").to_string()),
        ("version", "1.0".to_owned()),
    ];
    if let Some(token) = &setup.config.app_auth_token {
        common.push(("app_auth_token", token.expose().clone()));
    }
    if let Mode::Certificates(known) = &setup.mode {
        common.push(("app_cert_sn", known.app_sn.clone()));
        common.push(("alipay_root_cert_sn", known.root_sn.clone()));
    }
    common
}

fn signed(setup: &Setup, mut common: Common, biz_content: &str) -> HttpRequest {
    let body = [("biz_content", biz_content)];
    let query = common.iter().map(|(name, value)| (*name, value.as_str()));
    let text = string_to_sign(query.chain(body));
    common.push(("sign", setup.key.sign_sha256(text.as_bytes())));
    let query = form(common.iter().map(|(name, value)| (*name, value.as_str())));
    HttpRequest::post(format!("{}?{query}", setup.config.gateway_url), CONTENT_TYPE, form(body).into_bytes())
}

fn business_fields(config: &Config, request: &Request) -> Value {
    let mut fields = Fields::default();
    match request {
        Request::ShowCode(offer) => show_code(&mut fields, config, offer),
        Request::TakeCode(offer, code) => {
            fields.put("scene", scene(code.expose()));
            fields.put("auth_code", code.expose());
            take_code(&mut fields, config, offer);
        }
        Request::Query(trade) => {
            fields.put("out_trade_no", trade.attempt.as_str());
            fields.put("query_options", json!(DETAILS));
        }
        Request::Cancel(trade) => fields.put("out_trade_no", trade.attempt.as_str()),
        Request::Duty(duty) => fields.put("out_trade_no", duty.trade.attempt.as_str()),
        Request::Close(trade) => {
            fields.put("out_trade_no", trade.attempt.as_str());
            fields.maybe("operator_id", config.operator_id.as_deref());
        }
        Request::Refund(refund) => {
            refund_number(&mut fields, refund);
            fields.put("refund_amount", refund.amount.to_yuan());
            let reason = limited(&refund.reason, TEXT_LIMIT);
            fields.maybe("refund_reason", (!reason.is_empty()).then_some(&reason));
        }
        Request::RefundQuery(refund) => refund_number(&mut fields, refund),
        Request::Probe => fields.put("out_trade_no", PROBE),
    }
    fields.done()
}

fn show_code(fields: &mut Fields, config: &Config, offer: &Offer) {
    offered(fields, config, offer);
    fields.maybe("product_code", config.product_code.as_deref());
    let code_lives = minutes(offer.valid_ms).min(LONGEST_CODE_MINUTES);
    fields.put("qr_code_timeout_express", format!("{code_lives}m"));
}

/// The order-code product exists for precreate only; a pay then goes by Alipay's default for face-to-face payment.
fn take_code(fields: &mut Fields, config: &Config, offer: &Offer) {
    offered(fields, config, offer);
    fields.put("query_options", json!(DETAILS));
    let product = config.product_code.as_deref();
    fields.maybe("product_code", product.filter(|code| *code != ORDER_CODE));
}

/// What both ways of paying have in common.
fn offered(fields: &mut Fields, config: &Config, offer: &Offer) {
    let number = offer.attempt.as_str();
    fields.put("out_trade_no", number);
    fields.put("total_amount", offer.amount.to_yuan());
    fields.put("subject", subject(&offer.subject, number));
    fields.maybe("seller_id", config.seller_id.as_deref());
    fields.maybe("store_id", config.store_id.as_deref());
    fields.maybe("alipay_store_id", config.alipay_store_id.as_deref());
    fields.maybe("terminal_id", config.terminal_id.as_deref());
    fields.maybe("operator_id", config.operator_id.as_deref());
    fields.maybe("enable_pay_channels", config.enable_pay_channels.as_deref());
    fields.maybe("disable_pay_channels", config.disable_pay_channels.as_deref());
    let trade_lives = minutes(offer.valid_ms).min(LONGEST_TRADE_MINUTES);
    fields.put("timeout_express", format!("{trade_lives}m"));
    if !offer.goods.is_empty() {
        fields.put("goods_detail", offer.goods.iter().map(goods).collect::<Value>());
    }
    let extended = extend_params(config, offer);
    if !extended.is_empty() {
        fields.put("extend_params", extended.done());
    }
    if let Some(smid) = &config.smid {
        fields.put("sub_merchant", json!({ "merchant_id": smid, "merchant_type": "alipay" }));
    }
}

/// All of its members are texts. The two about instalments come together or not at all (花呗分期).
fn extend_params(config: &Config, offer: &Offer) -> Fields {
    let mut extended = Fields::default();
    extended.maybe("sys_service_provider_id", config.sys_service_provider_id.as_deref());
    if let Some(plan) = offer.instalment {
        extended.put("hb_fq_num", plan.periods.to_string());
        extended.put("hb_fq_seller_percent", plan.seller_percent.to_string());
    }
    extended
}

fn refund_number(fields: &mut Fields, refund: &RefundOrder) {
    fields.put("out_trade_no", refund.trade.attempt.as_str());
    fields.put("out_request_no", refund.refund.as_str());
}

fn goods(row: &GoodsRow) -> Value {
    json!({
        "goods_id": limited(&row.code, 64),
        "goods_name": limited(&row.name, TEXT_LIMIT),
        "quantity": row.quantity,
        "price": row.price.to_yuan(),
    })
}

/// Face codes are `fp` and 33 more characters; everything else is a bar code.
fn scene(code: &str) -> &'static str {
    if code.starts_with("fp") { "security_code" } else { "bar_code" }
}

/// The line for the buyer's bill without what Alipay's documents forbid: `/`, `=`, `&`, and an `@` in front, which one of
/// its SDKs takes for a file. A subject of nothing else becomes the order number, since an empty one is refused.
fn subject(text: &str, number: &str) -> String {
    let allowed: String = text.chars().filter(|c| !matches!(c, '/' | '=' | '&')).collect();
    let subject = limited(allowed.trim_start_matches(|c: char| c == '@' || c.is_whitespace()), TEXT_LIMIT);
    if subject.is_empty() { number.to_owned() } else { subject }
}

/// Whole minutes, rounded up, one at least.
fn minutes(ms: u64) -> u64 {
    ms.div_ceil(MINUTE_MS).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_cleaned_and_cut_by_characters() {
        for (text, clean) in [
            ("可乐 330ml", "可乐 330ml"),
            ("@a/b=c&d", "abcd"),
            (" @ /@x\n", "x"),
            ("a\tb\u{7}", "ab"),
            ("/@=", "P1"),
            ("", "P1"),
        ] {
            assert_eq!(subject(text, "P1"), clean);
        }
        assert_eq!(subject(&"乐".repeat(300), "P1"), "乐".repeat(256));
    }

    #[test]
    fn limits_are_whole_minutes_rounded_up() {
        for (ms, whole) in [(0, 1), (1, 1), (60_000, 1), (60_001, 2), (180_000, 3)] {
            assert_eq!(minutes(ms), whole);
        }
    }
}
