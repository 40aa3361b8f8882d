//! Choosing between paying at once and in instalments, at the keypad or through the API.

use super::Engine;
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
        let offered = self.settings.instalments.as_ref().filter(|_| self.can_lend() && order.may_choose_instalment());
        let choices = |terms: &Terms| Split::whole(order.record.amount).map(|split| terms.choices(split)).ok();
        offered.and_then(choices).unwrap_or_default()
    }

    fn can_lend(&self) -> bool {
        let lenders = self.settings.channels.iter().copied().filter(|channel| channel.takes_instalments());
        self.faults.usable(&lenders.collect::<Vec<ChannelId>>()).is_some()
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
        let amount = order.record.amount;
        let chosen = periods.map(|periods| self.plan(amount, periods)).transpose()?;
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
