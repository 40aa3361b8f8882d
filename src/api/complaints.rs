//! Complaints of buyers that wait for the merchant.

use axum::Json;
use axum::extract::State;

use super::Api;
use super::wire::Complaints;

/// `GET /v1/complaints`
pub(super) async fn list(State(api): State<Api>) -> Json<Complaints> {
    Json(Complaints { complaints: api.terminal.complaints() })
}
