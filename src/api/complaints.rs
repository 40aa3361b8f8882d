//! Complaints of buyers that wait for the merchant.

use axum::Json;
use axum::extract::State;

use super::Api;
use super::problem::Problem;
use super::wire::alarms::{Complaint, Complaints};
use crate::daemon::complaints::OpenComplaint;

/// `GET /v1/complaints`
pub(super) async fn list(State(api): State<Api>) -> Result<Json<Complaints>, Problem> {
    let known = api.terminal.news().complaints.borrow().clone();
    let mut rows = Vec::new();
    for complaint in known.open.clone() {
        let own = is_own(&api, &complaint).await?;
        rows.push(Complaint { complaint, own });
    }
    Ok(Json(Complaints::new(&known, rows)))
}

async fn is_own(api: &Api, complaint: &OpenComplaint) -> Result<bool, Problem> {
    for attempt in &complaint.attempts {
        if api.terminal.order(attempt).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
