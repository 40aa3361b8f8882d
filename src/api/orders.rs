//! Orders: opened, looked up, cancelled, paid with a code.

use axum::Json;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use payment::engine::entry::{IdempotencyKey, OrderState};
use payment::engine::input::Refused;
use payment::engine::record::OrderRecord;
use payment::ids::OrderId;
use serde::Deserialize;
use serde::de::value::{Error as NameError, StrDeserializer};

use super::Api;
use super::body::{Named, Wanted, parameters};
use super::problem::{Code, Problem};
use super::wanted::{Nothing, ScannedLine, WantedCashSale, WantedOrder, WantedScan, no_such_order};
use super::wire::{Order, OrderPage, OrderRow, refund};
use crate::daemon::terminal::ActError;
use crate::journal::view::ListFilter;

/// Orders on a page unless the caller asks for another number.
pub(super) const PAGE_ROWS: u32 = 50;
/// The most orders on a page.
const PAGE_ROWS_MAX: u32 = 500;

/// `POST /v1/orders`
pub(super) async fn open(State(api): State<Api>, wanted: Wanted<WantedOrder>) -> Result<Response, Problem> {
    let order = wanted.body.into_order(&api.products, wanted.key)?;
    let (record, is_new) = api.terminal.open(order).await?;
    Ok(made(is_new, record.order, Json(Order::from(&record))))
}

/// `POST /v1/cash-sales`
pub(super) async fn cash_sale(State(api): State<Api>, wanted: Wanted<WantedCashSale>) -> Result<Response, Problem> {
    let key = needed(wanted.key, "a cash sale needs an Idempotency-Key, so that a repeated request counts it once")?;
    let sold = wanted.body.into_order(&api.products, key)?;
    let (record, is_new) = api.terminal.cash_sale(sold).await?;
    Ok(made(is_new, record.order, Json(Order::from(&record))))
}

/// `GET /v1/orders/{number}`
pub(super) async fn show(State(api): State<Api>, Named(number): Named) -> Result<Json<Order>, Problem> {
    Ok(Json(shown(&api, &find(&api, &number).await?).await?))
}

/// `POST /v1/orders/{number}/cancel`
pub(super) async fn cancel(
    State(api): State<Api>,
    Named(number): Named,
    _: Wanted<Nothing>,
) -> Result<Response, Problem> {
    let before = find(&api, &number).await?;
    let after = if before.ending.is_some() || before.winner().is_some() {
        before
    } else {
        match api.terminal.cancel(before.order).await {
            // It was closed between the question and the wish.
            Err(ActError::Refused(Refused::NoSuchOrder(_))) => find(&api, &number).await?,
            other => other?,
        }
    };
    if after.winner().is_some() {
        return Err(ActError::Refused(Refused::AlreadyPaid(after.order)).into());
    }
    let status = if after.ending.is_some() { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(Order::from(&after))).into_response())
}

/// `POST /v1/scans`
pub(super) async fn scan(State(api): State<Api>, wanted: Wanted<WantedScan>) -> Result<Response, Problem> {
    let WantedScan { order: number, code: ScannedLine(code) } = wanted.body;
    let order = find(&api, &number).await?.order;
    match api.terminal.give_code(order, code).await {
        Ok((record, _)) => Ok((StatusCode::ACCEPTED, Json(Order::from(&record))).into_response()),
        // It exists, so it is over.
        Err(ActError::Refused(Refused::NoSuchOrder(order))) => {
            Err(Problem::from(ActError::Refused(Refused::NotWaiting)).about(order))
        }
        Err(error) => Err(Problem::from(error).about(order)),
    }
}

/// The parameters of `GET /v1/orders`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    number: Option<String>,
    state: Option<String>,
    from: Option<String>,
    to: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

/// `GET /v1/orders`
pub(super) async fn list(State(api): State<Api>, parts: Parts) -> Result<Json<OrderPage>, Problem> {
    let query: ListQuery = parameters(&parts)?;
    let rows = match query.limit.as_deref() {
        None => PAGE_ROWS,
        Some(text) => limit(text)?,
    };
    let filter = ListFilter {
        number: query.number,
        state: query.state.as_deref().map(state).transpose()?,
        from_ms: query.from.as_deref().map(|text| instant("from", text)).transpose()?,
        to_ms: query.to.as_deref().map(|text| instant("to", text)).transpose()?,
        before: query.cursor.as_deref().map(cursor).transpose()?,
        // One more tells whether there is another page.
        limit: rows + 1,
    };
    let mut orders = api.terminal.orders(filter).await?;
    let rows = usize::try_from(rows).unwrap_or(usize::MAX);
    let has_more = orders.len() > rows;
    orders.truncate(rows);
    let last = orders.last().map(|order| order.opened_seq.to_string());
    Ok(Json(OrderPage {
        orders: orders.into_iter().map(OrderRow::from).collect(),
        next_cursor: last.filter(|_| has_more),
    }))
}

pub(super) fn needed(key: Option<IdempotencyKey>, detail: &str) -> Result<IdempotencyKey, Problem> {
    key.ok_or_else(|| Problem::new(Code::InvalidHeader, detail).at("Idempotency-Key"))
}

pub(super) async fn find(api: &Api, number: &str) -> Result<OrderRecord, Problem> {
    api.terminal.order(number).await?.ok_or_else(|| no_such_order(number))
}

/// The order with what only its entries tell of its refunds.
pub(super) async fn shown(api: &Api, record: &OrderRecord) -> Result<Order, Problem> {
    let mut order = Order::from(record);
    if record.refunds.iter().any(refund::has_history) {
        refund::tell_history(&mut order.refunds, &api.terminal.entries_of(record.order).await?);
    }
    Ok(order)
}

/// 201 for something new, 200 for what the same key made before; both say where the order is.
pub(super) fn made(is_new: bool, order: OrderId, body: impl IntoResponse) -> Response {
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    let mut response = (status, body).into_response();
    if let Ok(location) = HeaderValue::from_str(&format!("/v1/orders/{order}")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

pub(super) fn invalid(name: &str, detail: String) -> Problem {
    Problem::new(Code::InvalidQuery, detail).at(name)
}

pub(super) fn limit(text: &str) -> Result<u32, Problem> {
    let fits = text.parse().ok().filter(|rows| (1..=PAGE_ROWS_MAX).contains(rows));
    fits.ok_or_else(|| invalid("limit", format!("{text:?} is not a limit: send 1 to {PAGE_ROWS_MAX}")))
}

pub(super) fn cursor(text: &str) -> Result<u64, Problem> {
    let detail = || format!("{text:?} is not a cursor: send the next_cursor of the page before");
    text.parse().map_err(|_| invalid("cursor", detail()))
}

fn state(name: &str) -> Result<OrderState, Problem> {
    OrderState::deserialize(StrDeserializer::<NameError>::new(name))
        .map_err(|error| invalid("state", error.to_string()))
}

/// RFC 3339 or milliseconds since 1970.
fn instant(name: &str, text: &str) -> Result<i64, Problem> {
    if let Ok(ms) = text.parse() {
        return Ok(ms);
    }
    // In an address `+` stands for a blank, and `+08:00` is easily sent as it is.
    let time: Result<jiff::Timestamp, _> = text.trim().replace(' ', "+").parse();
    time.map(jiff::Timestamp::as_millisecond).map_err(|_| {
        invalid(
            name,
            format!("{text:?} is no time: send RFC 3339 such as 2026-01-31T08:00:00+08:00, or milliseconds since 1970"),
        )
    })
}
