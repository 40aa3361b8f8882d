//! The audit's interval.

use axum::Json;
use axum::extract::State;

use super::Api;
use super::body::Wanted;
use super::problem::Problem;
use super::wanted::WantedReset;
use super::wire::{AuditReset, rfc3339};
use crate::daemon::terminal::ActError;

/// `POST /v1/audit/reset`: from the given totals on, or from now on.
pub(super) async fn reset(State(api): State<Api>, wanted: Wanted<WantedReset>) -> Result<Json<AuditReset>, Problem> {
    if !api.terminal.reset_audit(wanted.body.totals).await? {
        let detail = "one of them is of another journal: this one never counted so much. Take the audit again";
        return Err(Problem::field("totals", detail));
    }
    let audit = api.terminal.journal().audit().await.map_err(ActError::from)?;
    Ok(Json(AuditReset { resets: audit.resets, reset_at: audit.reset_ms.map(rfc3339) }))
}
