//! Huabei instalments on the wire: what a buyer may choose, and what it costs him.

use payment::instalment::{Bearer, Plan};
use serde::{Deserialize, Serialize};

/// The plans for one amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plans {
    /// What would be lent, in minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// The plans, the fewest months first; none where the amount is below `minimum`.
    pub plans: Vec<PlanRow>,
    /// The least amount that is lent here, in minor units, where the amount is below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<i64>,
}

/// One plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanRow {
    /// How many months.
    pub instalments: u8,
    /// What the buyer pays in the first month, in minor units: all remainders are in it.
    pub first_month: i64,
    /// What the buyer pays in every later month, in minor units.
    pub later_month: i64,
    /// What the buyer pays in all months together, in minor units.
    pub repaid: i64,
    /// The whole fee, in minor units.
    pub fee: i64,
    /// Who bears the fee.
    pub bearer: Bearer,
}

impl From<&Plan> for PlanRow {
    fn from(plan: &Plan) -> Self {
        Self {
            instalments: plan.periods,
            first_month: plan.first_month().get(),
            later_month: plan.later_month().get(),
            repaid: plan.repaid().get(),
            fee: plan.fee.get(),
            bearer: plan.bearer,
        }
    }
}
