//! What callers ask for: the bodies of requests, and what the machine's products add to them.

use std::collections::BTreeMap;
use std::fmt;

use payment::engine::entry::{IdempotencyKey, Item, Origin, Said, SlotId, WhoScans};
use payment::engine::input::{MOST_ITEMS, NewOrder, Refused};
use payment::engine::settings::Product;
use payment::ids::OrderId;
use payment::money::{Fen, LARGEST_ORDER};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use super::problem::{Code, Problem};
use crate::daemon::terminal::ActError;
use crate::journal::AuditTotal;
use crate::json::objects;

/// Longest texts, in characters. Alipay's bill takes 256 bytes of subject and 64 characters of a goods code
/// (reference/alipay.md 5.1); a caller's number is a key, not prose.
const NAME_MAX: usize = 64;
const CODE_MAX: usize = 64;
const SUBJECT_MAX: usize = 80;
const REFERENCE_MAX: usize = 64;
const PERSON_MAX: usize = 64;
const WHY_MAX: usize = 256;
/// More fits into no slot.
const STOCK_MAX: u32 = 9_999;

/// An amount on the wire: a JSON integer of minor units, more than nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount(Fen);

impl Amount {
    /// The amount.
    #[must_use]
    pub const fn fen(self) -> Fen {
        self.0
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AmountVisitor)
    }
}

struct AmountVisitor;

impl AmountVisitor {
    fn in_range<E: Error>(fen: i128) -> Result<Amount, E> {
        let fits = i64::try_from(fen).ok().map(Fen::new).filter(|fen| fen.is_positive() && *fen <= LARGEST_ORDER);
        fits.map(Amount).ok_or_else(|| {
            let largest = LARGEST_ORDER.get();
            E::custom(format!("{fen} is not an amount that can be paid: send 1 to {largest} fen, as an integer"))
        })
    }
}

impl Visitor<'_> for AmountVisitor {
    type Value = Amount;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer of fen without point, exponent or quotes: 350 for 3.50 yuan")
    }

    fn visit_i64<E: Error>(self, fen: i64) -> Result<Amount, E> {
        Self::in_range(fen.into())
    }

    fn visit_u64<E: Error>(self, fen: u64) -> Result<Amount, E> {
        Self::in_range(fen.into())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Amount, E> {
        Err(E::invalid_type(Unexpected::Float(number), &self))
    }
}

/// The body of `POST /v1/orders`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedOrder {
    amount: Amount,
    currency: String,
    #[serde(default, deserialize_with = "objects")]
    items: Vec<WantedItem>,
    #[serde(default = "either")]
    who_scans: WhoScans,
    subject: Option<String>,
    reference: Option<String>,
    pay_within_s: Option<u64>,
    /// Months of Huabei instalments.
    instalments: Option<u8>,
    /// What a person took in cash beforehand.
    down_payment: Option<Amount>,
}

const fn either() -> WhoScans {
    WhoScans::Either
}

/// One row of goods of a wanted order.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedItem {
    slot: Option<String>,
    code: Option<String>,
    name: Option<String>,
    price: Option<Amount>,
    quantity: Option<u64>,
}

/// The body of `POST /v1/cash-sales`: what the machine sold by itself, and took coins or notes for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedCashSale {
    amount: Amount,
    currency: String,
    #[serde(default, deserialize_with = "objects")]
    items: Vec<WantedItem>,
    subject: Option<String>,
    reference: Option<String>,
}

/// Whose price counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Price {
    /// The machine's: another one is refused.
    Ours,
    /// The one that was taken; the machine's where none is given.
    AsSold,
}

/// The body of `POST /v1/orders/{id}/refunds`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedRefund {
    amount: Option<Amount>,
    by: Option<String>,
    why: Option<String>,
}

/// The body of `POST /v1/orders/{id}/refunds/{number}/decision`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedDecision {
    /// Whether it may be sent.
    pub approved: bool,
    by: String,
    why: Option<String>,
}

impl WantedDecision {
    /// Who decides, and why.
    ///
    /// # Errors
    ///
    /// The field that is not acceptable.
    pub fn said(&self) -> Result<Said, Problem> {
        said(&self.by, self.why.clone())
    }
}

/// The body of `POST /v1/orders/{id}/duties/done`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedWord {
    by: String,
    why: Option<String>,
}

impl WantedWord {
    /// Who did it, and why by hand.
    ///
    /// # Errors
    ///
    /// The field that is not acceptable.
    pub fn said(&self) -> Result<Said, Problem> {
        said(&self.by, self.why.clone())
    }
}

/// The body of `POST /v1/orders/{id}/instalments`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedPlan {
    /// Months; null or absent is at once.
    pub instalments: Option<u8>,
}

/// The body of `POST /v1/slots/{slot}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedStock {
    /// So many items are in it; null: nobody counts them any more. Never left out by accident.
    #[serde(deserialize_with = "Option::deserialize")]
    stock: Option<u64>,
}

impl WantedStock {
    /// What was counted in a slot of this capacity.
    ///
    /// # Errors
    ///
    /// More than fits.
    pub fn stock(self, capacity: Option<u32>) -> Result<Option<u32>, Problem> {
        let Some(stock) = self.stock else {
            return Ok(None);
        };
        let most = capacity.unwrap_or(STOCK_MAX);
        let fits = u32::try_from(stock).ok().filter(|stock| *stock <= most);
        fits.map(Some).ok_or_else(|| {
            let whose = capacity.map_or("a slot holds", |_| "till.toml says that this slot holds");
            Problem::field("stock", format!("{stock} items do not fit: {whose} {most} at most"))
        })
    }
}

/// The body of `POST /v1/audit/reset`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedReset {
    /// Where the totals stood that were taken; absent: from now on.
    #[serde(default, deserialize_with = "some_objects")]
    pub totals: Option<Vec<AuditTotal>>,
}

fn some_objects<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<Vec<T>>, D::Error> {
    objects(from).map(Some)
}

fn said(by: &str, why: Option<String>) -> Result<Said, Problem> {
    let by = optional_text("by", Some(by.to_owned()), PERSON_MAX)?.unwrap_or_default();
    let why = optional_text("why", why, WHY_MAX)?.unwrap_or_default();
    Ok(Said { by: by.trim().to_owned(), why })
}

impl WantedRefund {
    /// How much shall go back; `None` for all that is left.
    #[must_use]
    pub fn amount(&self) -> Option<Fen> {
        self.amount.map(Amount::fen)
    }

    /// Who asks, and why, if a name is given.
    ///
    /// # Errors
    ///
    /// The field that is not acceptable.
    pub fn said(&self) -> Result<Option<Said>, Problem> {
        match &self.by {
            Some(by) => said(by, self.why.clone()).map(Some),
            None if self.why.is_some() => Err(Problem::field("by", "say who gives this reason")),
            None => Ok(None),
        }
    }
}

/// The body of `POST /v1/scans`. Its code is single use and is not kept: it has no `Debug`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedScan {
    /// The order to be paid, by any of its numbers.
    pub order: String,
    /// The line that the caller's scanner read.
    pub code: ScannedLine,
}

/// A line that may be a pay code. What is no text is refused without repeating it: a refusal lands in the caller's log.
pub struct ScannedLine(pub String);

impl<'de> Deserialize<'de> for ScannedLine {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let line = String::deserialize(deserializer);
        line.map(Self).map_err(|_| D::Error::custom("code is the scanned line as a JSON string, in quotes"))
    }
}

/// The body of a request that needs none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// What the machine sells, by slot.
pub type Products = BTreeMap<SlotId, Product>;

impl WantedOrder {
    /// The order as the engine takes it.
    ///
    /// # Errors
    ///
    /// The field that is not acceptable.
    pub fn into_order(self, products: &Products, idempotency: Option<IdempotencyKey>) -> Result<NewOrder, Problem> {
        in_yuan(&self.currency)?;
        Ok(NewOrder {
            origin: Origin::Api,
            amount: self.amount.fen(),
            items: items(&self.items, products, Price::Ours)?,
            subject: optional_text("subject", self.subject, SUBJECT_MAX)?,
            who_scans: self.who_scans,
            pay_within_ms: self.pay_within_s.map(|seconds| seconds.saturating_mul(1000)),
            down_payment: self.down_payment.map_or(Fen::ZERO, Amount::fen),
            periods: self.instalments,
            reference: optional_text("reference", self.reference, REFERENCE_MAX)?,
            idempotency,
        })
    }
}

impl WantedCashSale {
    /// The sale as the engine takes it.
    ///
    /// # Errors
    ///
    /// The field that is not acceptable.
    pub fn into_order(self, products: &Products, idempotency: IdempotencyKey) -> Result<NewOrder, Problem> {
        in_yuan(&self.currency)?;
        Ok(NewOrder {
            origin: Origin::Api,
            amount: self.amount.fen(),
            items: items(&self.items, products, Price::AsSold)?,
            subject: optional_text("subject", self.subject, SUBJECT_MAX)?,
            // Nobody scans: it is paid.
            who_scans: WhoScans::Either,
            pay_within_ms: None,
            down_payment: Fen::ZERO,
            periods: None,
            reference: optional_text("reference", self.reference, REFERENCE_MAX)?,
            idempotency: Some(idempotency),
        })
    }
}

fn in_yuan(currency: &str) -> Result<(), Problem> {
    match currency {
        "CNY" => Ok(()),
        _ => Err(Problem::field("currency", format!("this terminal collects CNY only, not {currency:?}"))),
    }
}

fn items(wanted: &[WantedItem], products: &Products, whose: Price) -> Result<Vec<Item>, Problem> {
    let mut items = Vec::new();
    for (place, wanted) in wanted.iter().enumerate() {
        let (item, quantity) = wanted.item(place, products, whose)?;
        let room = MOST_ITEMS.saturating_sub(items.len());
        if quantity > room {
            return Err(ActError::Refused(Refused::TooManyItems(items.len() + quantity)).into());
        }
        items.extend(std::iter::repeat_n(item, quantity));
    }
    Ok(items)
}

impl WantedItem {
    /// The item and how many of it.
    fn item(&self, place: usize, products: &Products, whose: Price) -> Result<(Item, usize), Problem> {
        let field = |name: &str| format!("items[{place}].{name}");
        let product = match &self.slot {
            None => None,
            Some(slot) => Some(product_in(slot, products).map_err(|problem| problem.at(field("slot")))?),
        };
        let price = self.price.map(Amount::fen);
        let price = match (&product, price) {
            (Some((slot, product)), Some(price)) if price != product.price && whose == Price::Ours => {
                return Err(price_differs(slot, product.price, price).at(field("price")));
            }
            (Some(_) | None, Some(price)) => price,
            (Some((_, product)), None) => product.price,
            (None, None) => return Err(missing(field("price"))),
        };
        let name = optional_text(&field("name"), self.name.clone(), NAME_MAX)?;
        let name = name.or_else(|| product.as_ref().map(|(_, product)| product.name.clone()));
        let code = optional_text(&field("code"), self.code.clone(), CODE_MAX)?;
        let code = code.or_else(|| product.as_ref().map(|(_, product)| product.code.clone()));
        let item = Item {
            slot: product.map(|(slot, _)| slot),
            code: code.unwrap_or_else(|| format!("item-{}", place + 1)),
            name: name.ok_or_else(|| missing(field("name")))?,
            price,
        };
        let quantity = usize::try_from(self.quantity.unwrap_or(1)).unwrap_or(usize::MAX);
        match quantity {
            1..=MOST_ITEMS => Ok((item, quantity)),
            _ => Err(Problem::field(
                field("quantity"),
                format!("{quantity} is not a quantity: send 1 to {MOST_ITEMS}, or leave it out for 1"),
            )),
        }
    }
}

fn product_in<'a>(name: &str, products: &'a Products) -> Result<(SlotId, &'a Product), Problem> {
    let slot = SlotId::new(name).ok_or_else(|| {
        Problem::field("slot", format!("{name:?} is no slot: 1 to 8 letters or digits, as printed beside it"))
    })?;
    match products.get(&slot) {
        Some(product) => Ok((slot, product)),
        None => Err(ActError::Refused(Refused::NoSuchSlot(slot)).into()),
    }
}

fn price_differs(slot: &SlotId, ours: Fen, asked: Fen) -> Problem {
    let (ours, asked) = (ours.get(), asked.get());
    let detail = format!(
        "slot {slot} costs {ours} fen at this machine, not {asked}: send {ours}, or leave the price out and it is taken from the machine"
    );
    Problem::new(Code::PriceDiffers, detail)
}

fn missing(field: String) -> Problem {
    let detail = format!("{field} is needed for an item without a slot");
    Problem::field(field, detail)
}

fn optional_text(field: &str, text: Option<String>, characters_max: usize) -> Result<Option<String>, Problem> {
    let Some(text) = text else {
        return Ok(None);
    };
    let fits = (1..=characters_max).contains(&text.chars().count());
    if fits && !text.trim().is_empty() && !text.chars().any(char::is_control) {
        return Ok(Some(text));
    }
    let detail = format!(
        "{field} has 1 to {characters_max} characters and no control characters; leave it out if there is none"
    );
    Err(Problem::field(field, detail))
}

/// The problem of a number that no order has.
#[must_use]
pub fn no_such_order(number: &str) -> Problem {
    let known = number.parse::<OrderId>().ok();
    let shown: String = number.chars().take(64).collect();
    let detail = format!(
        "no order has the number {shown:?}. An order is found by its own number, an attempt's, a refund's, the channel's or your reference. One that is older than journal.keep_days may have been removed here: the hub has it"
    );
    let problem = Problem::new(Code::NoSuchOrder, detail);
    match known {
        Some(order) => problem.about(order),
        None => problem,
    }
}
