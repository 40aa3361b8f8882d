//! What a channel wants to hear after a delivery, ended by a person who did it in the channel's portal.

use axum::Json;
use axum::extract::State;

use super::Api;
use super::body::{Named, Wanted};
use super::orders::{find, shown};
use super::problem::Problem;
use super::wanted::WantedWord;
use super::wire::Order;

/// `POST /v1/orders/{number}/duties/done`
pub(super) async fn done(
    State(api): State<Api>,
    Named(number): Named,
    wanted: Wanted<WantedWord>,
) -> Result<Json<Order>, Problem> {
    let said = wanted.body.said()?;
    let order = find(&api, &number).await?.order;
    let record = api.terminal.duty_done(order, said).await.map_err(|error| Problem::from(error).about(order))?;
    Ok(Json(shown(&api, &record).await?))
}
