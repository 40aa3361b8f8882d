//! Huabei instalments (花呗分期): what a buyer who pays by the month will pay, and the promotion guide of 2017 as data.
//!
//! The buyer borrows from Huabei, the merchant gets the money at once, and somebody bears a fee. Alipay computes the
//! binding plan; what stands here is computed by its published rule so that the screen can show the same before.
//!
//! | file | subject |
//! |---|---|
//! | `rates.rs` | [`Rate`], [`Rates`]: the contract's fees |
//! | `plan.rs` | [`Plan`]: the months of one loan |
//! | `terms.rs` | [`Terms`]: what is offered here, and the choices for a screen |
//! | `split.rs` | [`Split`]: goods price = loan + down payment |
//! | `subsidy.rs` | the guide's promotion of autumn 2017 |
//! | `guide.rs` | the guide's words for an order's state |
//! | `number.rs` | the guide's order numbers |
//! | `calendar.rs` | when Huabei wants its money |
//!
//! Source: reference/alipay.md 10 and 17.

mod calendar;
mod guide;
mod number;
mod plan;
mod rates;
mod split;
mod subsidy;
mod terms;

pub use calendar::{LAST_REPAYMENT_DAY, STATEMENT_DAY, TEXT, TEXT_ENGLISH};
pub use guide::{
    Approval, GuideState, REFUND_DAYS, RejectedShows, Screen, Standing, Tab, screen, state, window_is_over,
};
pub use number::{AntNumber, NotAnAntNumber, ant_number};
pub use plan::{Month, NoPlan, PERIODS, Plan};
pub use rates::{Bearer, Rate, RateProblem, Rates};
pub use split::{Imported, Split, SplitProblem};
pub use subsidy::{BuyerRate, MERCHANT_REBATE, Store, buyer_rate, subsidy};
pub use terms::{MINIMUM, Terms, TermsProblem};
