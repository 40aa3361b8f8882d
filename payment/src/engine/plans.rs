//! Choosing between paying at once and in instalments, at the keypad or through the API.

use super::Engine;
use super::entry::{Origin, WhoScans};
use super::input::{Done, Refused};
use super::order::Order;
use super::view::PlanView;
use crate::channel::{ChannelId, Instalment};
use crate::ids::OrderId;
use crate::instalment::{Plan, Split, Terms};
use crate::money::Fen;
use crate::time::Now;

impl Engine {
    /// What the buyer of this order may choose from, the fewest months first.
    fn plans(&self, order: &Order) -> Vec<Plan> {
        let record = &order.record;
        // A choice stays in sight while its lender is away: without it the buyer could not see that 0 is at once.
        let lends = || order.instalment().is_some() || self.no_lender(record.who_scans, record.origin).is_none();
        let offered = self.settings.instalments.as_ref().filter(|_| order.may_choose_instalment() && lends());
        let choices = |terms: &Terms| Split::whole(order.record.amount).map(|split| terms.choices(split)).ok();
        offered.and_then(choices).unwrap_or_default()
    }

    /// Why such an order cannot be paid in instalments now; `None` where it can. A channel that lends is of use only where
    /// one of the codes on the screen is its own, or where it takes pay codes.
    pub(super) fn no_lender(&self, who_scans: WhoScans, origin: Origin) -> Option<Refused> {
        let settings = &self.settings;
        let reads = who_scans.takes_code() && (origin == Origin::Api || self.has_scanner());
        let shown =
            settings.codes_shown().into_iter().filter(|_| who_scans.shows_code()).flat_map(|code| code.channels);
        let read = settings.routes.rows().iter().filter(|_| reads).flat_map(|row| row.channels.iter().copied());
        let lenders: Vec<ChannelId> = shown.chain(read).filter(|channel| channel.takes_instalments()).collect();
        if lenders.is_empty() {
            return Some(Refused::NoInstalments);
        }
        self.faults.without_channel(&lenders).map(Refused::OutOfService)
    }

    /// The same for the screen: key 1 and up, 0 is at once.
    pub(super) fn plan_views(&self, order: &Order) -> Vec<PlanView> {
        let plans = self.plans(order);
        let view = |(key, plan): (u8, &Plan)| PlanView {
            key,
            periods: plan.periods,
            first_month: plan.first_month(),
            later_month: plan.later_month(),
            buyer_fee: plan.buyer_fee(),
            chosen: order.instalment() == Some(plan.instalment()),
        };
        (1..=9).zip(&plans).map(view).collect()
    }

    pub(super) fn on_plan_key(&mut self, now: Now, id: OrderId, digit: u8) -> Result<Done, Refused> {
        let order = self.orders.get(&id).ok_or(Refused::NoSuchOrder(id))?;
        if !order.may_choose_instalment() {
            return Ok(Done::Taken);
        }
        let plans = self.plans(order);
        let chosen = match digit {
            0 => None,
            key => match plans.get(usize::from(key) - 1) {
                Some(plan) => Some(plan.instalment()),
                None => return Ok(Done::Taken),
            },
        };
        self.choose(now, id, chosen);
        Ok(Done::Taken)
    }

    pub(super) fn on_instalments(&mut self, now: Now, id: OrderId, periods: Option<u8>) -> Result<Done, Refused> {
        let order = self.orders.get(&id).ok_or(Refused::NoSuchOrder(id))?;
        if !order.may_choose_instalment() {
            return Err(Refused::TooLateToChoose(id));
        }
        let (amount, who_scans, origin) = (order.record.amount, order.record.who_scans, order.record.origin);
        let chosen = periods.map(|periods| self.plan(amount, periods)).transpose()?;
        if let Some(refused) = chosen.and_then(|_| self.no_lender(who_scans, origin)) {
            return Err(refused);
        }
        self.choose(now, id, chosen);
        Ok(Done::Taken)
    }

    /// The plan of one amount, if this terminal offers it.
    pub(super) fn plan(&self, amount: Fen, periods: u8) -> Result<Instalment, Refused> {
        let terms = self.settings.instalments.as_ref().ok_or(Refused::NoInstalments)?;
        let split = Split::whole(amount).map_err(|_| Refused::Amount(amount))?;
        Ok(terms.plan(split, periods)?.instalment())
    }

    fn choose(&mut self, now: Now, id: OrderId, chosen: Option<Instalment>) {
        self.with_order(now, id, |order, office| order.choose_instalment(office, chosen));
    }
}
