//! The list from its beginning to its end. Every fen that was paid is returned, whatever a case came to.

use std::time::Duration;

use payment::channel::ChannelId;
use tokio::signal::ctrl_c;

use super::RehearseArgs;
use super::buyer::{Buyer, Ready};
use super::cases::{CASES, Case, Script};
use super::ground::Ground;
use super::report::{Outcome, Verdict};
use super::stage::{Stage, Stop};
use crate::api::wire::Order;
use crate::cli::client::Client;
use crate::cli::text::yuan;

/// A rehearsal on its way.
pub(super) struct Walk<'a, B> {
    args: &'a RehearseArgs,
    client: &'a Client,
    ground: &'a Ground,
    buyer: &'a mut B,
    outcomes: Vec<Outcome>,
    /// Somebody pressed Ctrl-C: what was paid is returned, nothing more is played.
    is_interrupted: bool,
}

impl<'a, B: Buyer> Walk<'a, B> {
    pub(super) const fn new(args: &'a RehearseArgs, client: &'a Client, ground: &'a Ground, buyer: &'a mut B) -> Self {
        Self { args, client, ground, buyer, outcomes: Vec::new(), is_interrupted: false }
    }

    /// All cases of a channel.
    pub(super) async fn channel(&mut self, channel: ChannelId) {
        for case in &CASES {
            let is_named = self.args.case.iter().any(|named| named.id == case.id);
            let is_for = case.channels.contains(&channel);
            if is_named || (self.args.case.is_empty() && is_for) {
                let outcome = self.case(case, channel, is_named).await;
                self.buyer.told(&outcome.verdict.in_words());
                self.outcomes.push(outcome);
            }
        }
    }

    fn stage(&mut self, channel: ChannelId) -> Stage<'_, B> {
        Stage {
            client: self.client,
            ground: self.ground,
            buyer: &mut *self.buyer,
            channel,
            amount: self.args.amount_fen,
            patience: Duration::from_secs(self.args.patience),
            by: self.args.by.as_deref(),
            orders: Vec::new(),
            nothing: false,
            notes: Vec::new(),
        }
    }

    async fn case(&mut self, case: &'static Case, channel: ChannelId, is_named: bool) -> Outcome {
        let (ground, mut is_interrupted) = (self.ground, self.is_interrupted);
        let mut stage = self.stage(channel);
        let begun = stage.time().await;
        let why_not = why_not(case, channel, is_named, ground).or(is_interrupted.then(|| "被中断".to_owned()));
        let ready = match why_not {
            Some(why) => Ready::Skip(why),
            None => stage.buyer.ready(case, channel, ground).await,
        };
        let played = match ready {
            Ready::Skip(why) => Err(Stop::Skipped(why)),
            Ready::Go => tokio::select! {
                played = stage.play(case) => played,
                _ = ctrl_c() => {
                    is_interrupted = true;
                    Err(Stop::Skipped("被中断".to_owned()))
                }
            },
        };
        let returned = stage.return_all().await;
        let ended = stage.time().await;
        let mut orders = Vec::new();
        for id in &stage.orders {
            orders.extend(stage.order(id).await.ok());
        }
        let Stage { notes, nothing, orders: opened, .. } = stage;
        self.is_interrupted = is_interrupted;
        Outcome { case, channel, verdict: Verdict::of(played, returned), begun, ended, opened, nothing, orders, notes }
    }

    /// Waits until no order is open any more, and looks at each a last time: what was passed may still have come undone.
    pub(super) async fn close(mut self) -> Vec<Outcome> {
        let mut outcomes = std::mem::take(&mut self.outcomes);
        for outcome in &mut outcomes {
            let mut stage = self.stage(outcome.channel);
            for order in &mut outcome.orders {
                match stage.until(order, "订单了结", |order| !order.open).await {
                    Ok(closed) => *order = closed,
                    Err(Stop::Failed(why) | Stop::Skipped(why)) => {
                        stage.notes.push(format!("订单 {}：{why}", order.id))
                    }
                }
                let is_pass = outcome.verdict == Verdict::Passed && outcome.nothing;
                if is_pass && let Err(Stop::Failed(why) | Stop::Skipped(why)) = stage.nothing_paid(order).await {
                    outcome.verdict = Verdict::Failed(why);
                }
            }
            outcome.notes.append(&mut stage.notes);
            outcome.verdict.settle(&outcome.orders, outcome.opened.len());
        }
        outcomes
    }
}

/// Why a case is not played although somebody is there to play it.
fn why_not(case: &Case, channel: ChannelId, is_named: bool, ground: &Ground) -> Option<String> {
    if !ground.channels().contains(&channel) {
        return Some("此终端没有这个渠道，或它不收款（[sell] channels）".to_owned());
    }
    if !case.channels.contains(&channel) {
        return Some("本项不适用于这个渠道".to_owned());
    }
    let wants_name = case.script == Script::Instalments && !is_named;
    wants_name.then(|| "金额不是一分，只在点名时做（--case instalments）".to_owned())
}

impl Verdict {
    /// A case whose money did not come back has failed, whatever else it came to.
    fn of(played: Result<(), Stop>, returned: Result<(), Stop>) -> Self {
        let played = match played {
            Ok(()) => Self::Passed,
            Err(Stop::Failed(why)) => Self::Failed(why),
            Err(Stop::Skipped(why)) => Self::Skipped(why),
        };
        match (played, returned) {
            (played, Ok(())) => played,
            (Self::Failed(why), Err(Stop::Failed(more) | Stop::Skipped(more))) if why == more => Self::Failed(why),
            (Self::Failed(why), Err(Stop::Failed(more) | Stop::Skipped(more))) => {
                Self::Failed(format!("{why}；{more}"))
            }
            (Self::Passed | Self::Skipped(_), Err(Stop::Failed(why) | Stop::Skipped(why))) => {
                Self::Failed(format!("没有收尾：{why}"))
            }
        }
    }

    /// After all is over, nothing may be kept, owed or open.
    fn settle(&mut self, orders: &[Order], opened: usize) {
        let kept: i64 = orders.iter().map(|order| order.paid - order.refunded).sum();
        let unsettled = if kept != 0 {
            format!("还有 {} 没有退回", yuan(kept))
        } else if orders.len() != opened || orders.iter().any(|order| order.open) {
            "还有订单没有了结".to_owned()
        } else {
            return;
        };
        match self {
            Self::Failed(why) => why.push_str(&format!("；{unsettled}")),
            Self::Passed | Self::Skipped(_) => *self = Self::Failed(unsettled),
        }
    }
}
