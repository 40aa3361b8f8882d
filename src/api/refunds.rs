//! Refunds: asked for, decided about by another person, and those that wait for that.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::response::Response;
use payment::engine::entry::Said;
use payment::engine::input::Refused;
use payment::engine::record::OrderRecord;
use payment::ids::RefundId;
use serde::Deserialize;

use super::Api;
use super::body::{Named, Wanted, parameters};
use super::orders::{PAGE_ROWS, cursor, find, invalid, limit, made, needed, shown};
use super::problem::{Code, Problem};
use super::wanted::{WantedDecision, WantedRefund};
use super::wire::{RefundMade, RefundPage};
use crate::daemon::terminal::ActError;

/// `POST /v1/orders/{number}/refunds`
pub(super) async fn ask(
    State(api): State<Api>,
    Named(number): Named,
    wanted: Wanted<WantedRefund>,
) -> Result<Response, Problem> {
    let key =
        needed(wanted.key, "a refund needs an Idempotency-Key, so that a repeated request returns the money once")?;
    let said = wanted.body.said()?;
    let order = find(&api, &number).await?.order;
    let (record, refund, is_new) = api.terminal.refund(order, wanted.body.amount(), Some(key), said).await?;
    Ok(made(is_new, order, Json(one_of(&api, &record, refund).await?)))
}

/// `POST /v1/orders/{number}/refunds/{refund}/decision`: the same word of the same person again is harmless.
pub(super) async fn decide(
    State(api): State<Api>,
    path: Result<Path<(String, String)>, axum::extract::rejection::PathRejection>,
    wanted: Wanted<WantedDecision>,
) -> Result<Json<RefundMade>, Problem> {
    let Path((number, refund)) =
        path.map_err(|_| Problem::new(Code::NoSuchPath, "the address holds characters that are not UTF-8 text"))?;
    let before = find(&api, &number).await?;
    let refund = refund_of(&before, &refund)?;
    let (approved, said) = (wanted.body.approved, wanted.body.said()?);
    let after = match api.terminal.decide_refund(before.order, refund, approved, said.clone()).await {
        Err(ActError::Refused(Refused::NotAsked(_))) if was_decided(&before, refund, approved, &said) => before,
        decided => decided.map_err(|error| Problem::from(error).about(before.order))?,
    };
    Ok(Json(one_of(&api, &after, refund).await?))
}

/// The refund of this order that the address names.
fn refund_of(order: &OrderRecord, number: &str) -> Result<RefundId, Problem> {
    let known = order.refunds.iter().find(|known| known.refund.as_str() == number);
    known.map(|known| known.refund).ok_or_else(|| {
        let number: String = number.chars().take(64).collect();
        let detail = format!("order {} has no refund {number:?}; the order lists its refunds", order.order);
        Problem::new(Code::NotAsked, detail).about(order.order)
    })
}

fn was_decided(order: &OrderRecord, refund: RefundId, approved: bool, said: &Said) -> bool {
    let decision = order.refunds.iter().find(|known| known.refund == refund).and_then(|known| known.decision.as_ref());
    decision.is_some_and(|decision| decision.approved == approved && decision.said == *said)
}

async fn one_of(api: &Api, record: &OrderRecord, refund: RefundId) -> Result<RefundMade, Problem> {
    let found = shown(api, record).await?.refunds.into_iter().find(|known| known.number == refund);
    let refund = found.ok_or(ActError::Late)?;
    Ok(RefundMade { order: record.order, refund })
}

/// The parameters of `GET /v1/refunds`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    state: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

/// `GET /v1/refunds?state=asked`
pub(super) async fn list(State(api): State<Api>, parts: Parts) -> Result<Json<RefundPage>, Problem> {
    let query: ListQuery = parameters(&parts)?;
    if query.state.as_deref() != Some("asked") {
        let detail = "only state=asked lists refunds by themselves; for others look at their orders, such as /v1/orders?state=owed";
        return Err(invalid("state", detail.to_owned()));
    }
    let rows = query.limit.as_deref().map_or(Ok(PAGE_ROWS), limit)?;
    let after = query.cursor.as_deref().map_or(Ok(0), cursor)?;
    // One more tells whether there is another page.
    let mut asked = api.terminal.refunds_asked(after, rows + 1).await?;
    let rows = usize::try_from(rows).unwrap_or(usize::MAX);
    let has_more = asked.len() > rows;
    asked.truncate(rows);
    let last = asked.last().map(|stored| stored.seq.to_string());
    let refunds = asked.iter().filter_map(RefundMade::asked).collect();
    Ok(Json(RefundPage { refunds, next_cursor: last.filter(|_| has_more) }))
}
