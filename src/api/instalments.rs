//! Huabei instalments: what a buyer may choose for an amount, and the choice for an order that waits.

use axum::Json;
use axum::extract::State;
use axum::http::request::Parts;
use payment::engine::input::Refused;
use payment::instalment::{NoPlan, PERIODS, Split, Terms};
use payment::money::Fen;
use serde::Deserialize;

use super::Api;
use super::body::{Named, Wanted, parameters};
use super::orders::{find, invalid, shown};
use super::problem::Problem;
use super::wanted::WantedPlan;
use super::wire::Order;
use super::wire::instalments::{PlanRow, Plans};
use crate::daemon::terminal::ActError;

/// The parameters of `GET /v1/instalments`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlansQuery {
    amount: Option<String>,
}

/// `GET /v1/instalments?amount=`
pub(super) async fn list(State(api): State<Api>, parts: Parts) -> Result<Json<Plans>, Problem> {
    let query: PlansQuery = parameters(&parts)?;
    let text = query.amount.unwrap_or_default();
    let terms = api.instalments.as_ref().as_ref().ok_or(ActError::Refused(Refused::NoInstalments))?;
    let amount = text.parse().ok().map(Fen::new);
    let split = amount.and_then(|amount| Split::whole(amount).ok());
    let split = split.ok_or_else(|| {
        invalid("amount", format!("{text:?} is not an amount: send what would be lent, as an integer of fen"))
    })?;
    let plans: Vec<PlanRow> = terms.choices(split).iter().map(PlanRow::from).collect();
    let minimum = if plans.is_empty() { minimum(terms, split) } else { None };
    Ok(Json(Plans { amount: split.loan().get(), currency: "CNY".to_owned(), plans, minimum }))
}

/// The least that is lent here, when the amount is below it.
fn minimum(terms: &Terms, split: Split) -> Option<i64> {
    PERIODS.into_iter().find_map(|periods| match terms.plan(split, periods) {
        Err(NoPlan::BelowMinimum { minimum, .. }) => Some(minimum.get()),
        Ok(_) | Err(NoPlan::Amount(_) | NoPlan::NotOffered(_)) => None,
    })
}

/// `POST /v1/orders/{number}/instalments`
pub(super) async fn choose(
    State(api): State<Api>,
    Named(number): Named,
    wanted: Wanted<WantedPlan>,
) -> Result<Json<Order>, Problem> {
    let order = find(&api, &number).await?.order;
    match api.terminal.choose_instalments(order, wanted.body.instalments).await {
        Ok(record) => Ok(Json(shown(&api, &record).await?)),
        // It exists, so it is over.
        Err(ActError::Refused(Refused::NoSuchOrder(order))) => {
            Err(ActError::Refused(Refused::TooLateToChoose(order)).into())
        }
        Err(error) => Err(Problem::from(error).about(order)),
    }
}
