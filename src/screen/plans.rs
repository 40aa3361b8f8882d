//! Instalments on the pay page: which key chooses what, what it costs a month, and what is chosen now.

use payment::engine::view::PlanView;

use super::colour::{INK, LINE, PAPER, QUIET};
use super::layout::{Block, Surface};
use super::pages::{Page, yuan};
use super::words::{Words, fill};

/// How much is said.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    /// A line for each key, the chosen one dark.
    Full,
    /// What is chosen, and which keys choose.
    Short,
}

impl Page<'_> {
    /// Nothing where nothing can be chosen.
    pub(super) fn plans(&self, plans: &[PlanView], form: Form) -> Vec<Block> {
        if plans.is_empty() {
            return Vec::new();
        }
        match form {
            Form::Full => self.every_plan(plans),
            Form::Short => self.chosen_plan(plans),
        }
    }

    fn every_plan(&self, plans: &[PlanView]) -> Vec<Block> {
        let at_once = !plans.iter().any(|plan| plan.chosen);
        let mut blocks = vec![self.key_note(self.words.plans)];
        blocks.extend(plans.iter().map(|plan| self.choice(plan.key, &self.words.plan(plan), plan.chosen)));
        blocks.push(self.choice(0, self.words.at_once, at_once));
        blocks
    }

    fn choice(&self, key: u8, what: &str, chosen: bool) -> Block {
        let (ink, surface) = if chosen { (PAPER, Surface::Filled(INK)) } else { (INK, Surface::Framed(LINE)) };
        Block::text(self.say(&format!("{key}  {what}"), self.class.choice(), ink), 2).on(surface).wide()
    }

    fn chosen_plan(&self, plans: &[PlanView]) -> Vec<Block> {
        let last = plans.last().map_or(0, |plan| plan.key);
        match plans.iter().find(|plan| plan.chosen) {
            Some(plan) => {
                let chosen = Block::text(self.say(&self.words.plan(plan), self.class.choice(), INK), 3);
                vec![chosen, self.key_note(&fill(self.words.plan_change, &last.to_string()))]
            }
            None => {
                let keys = if last > 1 { format!("1-{last}") } else { last.to_string() };
                vec![self.key_note(&fill(self.words.plan_keys, &keys))]
            }
        }
    }

    fn key_note(&self, text: &str) -> Block {
        Block::text(self.say(text, self.class.choice(), QUIET), 2)
    }
}

impl Words {
    /// The months, what each costs and the fee. Where the first month differs by cents, both amounts.
    fn plan(&self, plan: &PlanView) -> String {
        let PlanView { key: _, periods, first_month, later_month, buyer_fee, chosen: _ } = plan;
        let months = if first_month == later_month {
            fill(&fill(self.plan_even, &periods.to_string()), &yuan(*first_month))
        } else {
            let first = fill(&fill(self.plan_uneven, &periods.to_string()), &yuan(*first_month));
            fill(&first, &yuan(*later_month))
        };
        let free = buyer_fee.is_zero();
        let fee = if free { self.plan_free.to_owned() } else { fill(self.plan_fee, &yuan(*buyer_fee)) };
        format!("{months}{fee}")
    }
}
