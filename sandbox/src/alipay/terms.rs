//! What a precreate or a pay asks for: the fields that both share (reference/alipay.md 5.1, 5.12).

use serde_json::Value;

use super::common::Biz;
use super::instalment::Plan;
use super::method::Moment;
use super::refusal::Refusal;
use super::{amount, china_time, fields};

/// The names that precreate and pay share.
const SHARED: [&str; 27] = [
    "out_trade_no",
    "total_amount",
    "subject",
    "product_code",
    "seller_id",
    "body",
    "goods_detail",
    "extend_params",
    "business_params",
    "discountable_amount",
    "undiscountable_amount",
    "store_id",
    "alipay_store_id",
    "operator_id",
    "terminal_id",
    "merchant_order_no",
    "time_expire",
    "timeout_express",
    "enable_pay_channels",
    "disable_pay_channels",
    "passback_params",
    "settle_info",
    "sub_merchant",
    "royalty_info",
    "ext_user_info",
    "buyer_logon_id",
    "query_options",
];

/// Texts with a length and no other rule.
const LENGTHS: [(&str, usize); 7] = [
    ("body", 128),
    ("alipay_store_id", 32),
    ("operator_id", 28),
    ("terminal_id", 32),
    ("merchant_order_no", 32),
    ("passback_params", 512),
    ("buyer_logon_id", 100),
];

/// The contract products behind face to face (reference/alipay.md 1, 5.1).
const PRODUCTS: [&str; 3] = ["FACE_TO_FACE_PAYMENT", "QR_CODE_OFFLINE", "OFFLINE_PAYMENT"];

/// The checked wish of a merchant, with everything it said.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Terms {
    pub(crate) out_trade_no: String,
    pub(crate) amount_fen: i64,
    pub(crate) subject: String,
    pub(crate) plan: Option<Plan>,
    /// All members as sent: the same number may only come again with the same ones.
    pub(crate) biz: Biz,
}

impl Terms {
    /// Checks the shared fields; `own` are the names that only this method takes.
    pub(crate) fn read(biz: &Biz, own: &[&str], moment: Moment<'_>) -> Result<Self, Refusal> {
        let known: Vec<&str> = SHARED.iter().chain(own).copied().collect();
        fields::only_known(biz, &known)?;
        fields::lengths(biz, &LENGTHS)?;
        fields::channels(biz)?;
        fields::extend_params(biz)?;
        product(biz)?;
        account(biz, moment)?;
        sub_merchant(biz, moment.options.smid.as_deref())?;
        goods(biz, moment.options.most_goods_rows)?;
        Ok(Self {
            out_trade_no: fields::out_trade_no(biz)?.to_owned(),
            amount_fen: total(biz)?,
            subject: subject(biz, moment)?.to_owned(),
            plan: Plan::read(biz, &moment.options.instalment_rates)?,
            biz: biz.clone(),
        })
    }

    /// The text of a member, empty when it was not sent.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.biz.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

/// Whether `query_options` holds `option`.
pub(crate) fn asks_for(biz: &Biz, option: &str) -> bool {
    biz.get("query_options")
        .and_then(Value::as_array)
        .is_some_and(|options| options.iter().any(|asked| asked == option))
}

/// The absolute end of the trade, `time_expire`, which wins over `timeout_express`.
pub(crate) fn time_expire(biz: &Biz, now: i64) -> Result<Option<i64>, Refusal> {
    let Some(text) = fields::text(biz, "time_expire", 32)? else {
        return Ok(None);
    };
    let end = china_time::read(text)
        .filter(|end| *end <= now + 15 * china_time::DAY_MS)
        .ok_or_else(|| Refusal::field("time_expire", "yyyy-MM-dd HH:mm:ss, at most 15 days ahead"))?;
    if end <= now {
        return Err(Refusal::business("ACQ.NOW_TIME_AFTER_EXPIRE_TIME_ERROR", "订单支付时间已超过最晚付款时间"));
    }
    Ok(Some(end))
}

/// `total_amount`, or the sum of its two parts; all three must agree.
fn total(biz: &Biz) -> Result<i64, Refusal> {
    let part = |name: &str| match biz.get(name) {
        None => Ok(None),
        Some(value) => {
            amount::read(value).map(Some).ok_or_else(|| Refusal::field(name, "yuan with at most two decimals"))
        }
    };
    let parts = part("discountable_amount")?.zip(part("undiscountable_amount")?);
    let sum = parts.map(|(one, other)| one + other);
    let total = match biz.get("total_amount") {
        Some(value) => amount::read_payable(value),
        None => sum.filter(|sum| (1..=amount::LARGEST_FEN).contains(sum)),
    }
    .ok_or_else(|| Refusal::field("total_amount", "订单总金额格式错误：0.01 to 100000000"))?;
    if sum.is_some_and(|sum| sum != total) {
        return Err(Refusal::field("total_amount", "is not discountable_amount plus undiscountable_amount"));
    }
    Ok(total)
}

fn subject<'a>(biz: &'a Biz, moment: Moment<'_>) -> Result<&'a str, Refusal> {
    let subject = fields::required(biz, "subject", 256)?;
    let forbidden = &moment.options.forbidden_in_subject;
    if subject.starts_with('@') || subject.chars().any(|each| forbidden.contains(each)) {
        return Err(Refusal::field("subject", &format!("must not hold any of {forbidden} nor begin with @")));
    }
    let body = fields::text(biz, "body", 128)?.unwrap_or_default();
    let mut words = moment.options.forbidden_words.iter();
    if words.any(|word| subject.contains(word) || body.contains(word)) {
        return Err(Refusal::business("ACQ.EXIST_FORBIDDEN_WORD", "订单信息中包含违禁词"));
    }
    Ok(subject)
}

fn product(biz: &Biz) -> Result<(), Refusal> {
    match fields::text(biz, "product_code", 64)? {
        Some(code) if !PRODUCTS.contains(&code) => Err(Refusal::field("product_code", "not a face to face product")),
        Some(_) | None => Ok(()),
    }
}

fn account(biz: &Biz, moment: Moment<'_>) -> Result<(), Refusal> {
    let seller = fields::text(biz, "seller_id", 28)?;
    if seller.is_some_and(|seller| seller != moment.options.seller_id) {
        return Err(Refusal::business("ACQ.SELLER_NOT_EXIST", "卖家不存在"));
    }
    let store = fields::text(biz, "store_id", 32)?;
    let known = moment.options.known_stores.as_ref();
    match (store, known) {
        (Some(store), Some(known)) if !known.iter().any(|each| each == store) => {
            Err(Refusal::business("ACQ.INVALID_STORE_ID", "商户门店编号无效"))
        }
        (Some(_) | None, Some(_) | None) => Ok(()),
    }
}

/// An indirect merchant names its sub-merchant in every payment, and nobody else may (reference/alipay.md 5.16, 7.2).
fn sub_merchant(biz: &Biz, smid: Option<&str>) -> Result<(), Refusal> {
    let named = match biz.get("sub_merchant") {
        Some(value) => Some(value.as_object().ok_or_else(|| Refusal::field("sub_merchant", "must be an object"))?),
        None => None,
    };
    match (smid, named) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(Refusal::business("ACQ.SECONDARY_MERCHANT_NOT_MATCH", "二级商户不匹配")),
        (Some(_), None) => Err(Refusal::business("ACQ.SECONDARY_MERCHANT_ID_BLANK", "二级商户编号不能为空")),
        (Some(smid), Some(named)) => sub_merchant_named(biz, named, smid),
    }
}

fn sub_merchant_named(biz: &Biz, named: &Biz, smid: &str) -> Result<(), Refusal> {
    fields::only_known(named, &["merchant_id", "merchant_type"])?;
    if fields::text(named, "merchant_type", 32)?.is_some_and(|kind| kind != "alipay") {
        return Err(Refusal::business("ACQ.SUB_MERCHANT_TYPE_INVALID", "二级商户类型无效"));
    }
    match fields::text(named, "merchant_id", 32)? {
        None => return Err(Refusal::business("ACQ.SECONDARY_MERCHANT_ID_BLANK", "二级商户编号不能为空")),
        Some(id) if id != smid => {
            return Err(Refusal::business("ACQ.SECONDARY_MERCHANT_ID_INVALID", "二级商户编号无效"));
        }
        Some(_) => {}
    }
    if biz.contains_key("seller_id") {
        return Err(Refusal::field("seller_id", "leave it out: the money goes to the sub-merchant"));
    }
    Ok(())
}

fn goods(biz: &Biz, most: usize) -> Result<(), Refusal> {
    let Some(value) = biz.get("goods_detail") else {
        return Ok(());
    };
    let rows = value.as_array().ok_or_else(|| Refusal::field("goods_detail", "must be a list"))?;
    if rows.len() > most {
        return Err(Refusal::business("ACQ.SUB_GOODS_SIZE_MAX_COUNT", "子商品明细超长"));
    }
    rows.iter().try_for_each(goods_row)
}

fn goods_row(row: &Value) -> Result<(), Refusal> {
    const OWN: [&str; 12] = [
        "goods_id",
        "goods_name",
        "quantity",
        "price",
        "goods_category",
        "categories_tree",
        "show_url",
        "body",
        "alipay_goods_id",
        "goods_ean_id",
        "out_item_id",
        "out_sku_id",
    ];
    let row = row.as_object().ok_or_else(|| Refusal::field("goods_detail", "each row must be an object"))?;
    fields::only_known(row, &OWN)?;
    fields::required(row, "goods_id", 64)?;
    fields::required(row, "goods_name", 256)?;
    fields::lengths(row, &[("goods_category", 24), ("categories_tree", 128), ("show_url", 400), ("body", 1000)])?;
    let quantity = row.get("quantity").and_then(whole_number);
    if quantity.is_none_or(|quantity| quantity == 0) {
        return Err(Refusal::field("quantity", "must be a whole number from 1"));
    }
    let price = row.get("price").filter(|price| price_width(price) <= 9);
    match price.and_then(amount::read) {
        Some(_) => Ok(()),
        None => Err(Refusal::field("price", "yuan in at most 9 characters")),
    }
}

/// Numbers may be sent as texts (reference/alipay.md 2.4).
fn whole_number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok()))
}

fn price_width(price: &Value) -> usize {
    price.as_str().map_or_else(|| price.to_string().len(), str::len)
}
