//! `till instalments`

use payment::instalment::Bearer;
use payment::money::Fen;
use serde_json::Value;

use super::client::Client;
use super::{Answer, Failure, text};
use crate::api::wire::instalments::Plans;

/// The plans for an amount.
pub(super) async fn list(client: &Client, amount: Fen) -> Result<Answer, Failure> {
    let parameters = [("amount", Some(amount.get().to_string()))];
    let (plans, json): (Plans, Value) = client.list("/v1/instalments", &parameters).await?;
    Ok(Answer::done(plans_text(&plans), json))
}

fn plans_text(plans: &Plans) -> String {
    if plans.plans.is_empty() {
        let from = plans.minimum.map(|minimum| format!("; they begin at {}", text::yuan(minimum)));
        return format!("no instalments for {}{}", text::yuan(plans.amount), from.unwrap_or_default());
    }
    let mut rows = vec![text::heading(&["MONTHS", "FIRST MONTH", "LATER MONTHS", "REPAID", "FEE", "BORNE BY"])];
    rows.extend(plans.plans.iter().map(|plan| {
        let bearer = match plan.bearer {
            Bearer::Buyer => "buyer",
            Bearer::Seller => "merchant",
        };
        let amounts = [plan.first_month, plan.later_month, plan.repaid, plan.fee].map(text::yuan);
        [vec![plan.instalments.to_string()], amounts.to_vec(), vec![bearer.to_owned()]].concat()
    }));
    format!(
        "{}\n\n`till pay {} --instalments MONTHS` asks for one. Binding is what the buyer's Huabei shows.",
        text::table(&rows),
        Fen::new(plans.amount).to_yuan()
    )
}
