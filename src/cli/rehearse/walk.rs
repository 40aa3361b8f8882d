//! The list from its beginning to its end. Every fen that was paid is returned, whatever a case came to.

use std::time::Duration;

use payment::channel::ChannelId;

use super::RehearseArgs;
use super::buyer::{Buyer, Ready};
use super::cases::{CASES, Case, Script};
use super::ground::Ground;
use super::interrupts::Interrupts;
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
    /// After the first, nothing more is played and what was paid is returned; after the second, nothing is waited for.
    interrupts: Interrupts,
}

impl<'a, B: Buyer> Walk<'a, B> {
    pub(super) const fn new(
        args: &'a RehearseArgs,
        client: &'a Client,
        ground: &'a Ground,
        interrupts: Interrupts,
        buyer: &'a mut B,
    ) -> Self {
        Self { args, client, ground, buyer, outcomes: Vec::new(), interrupts }
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
            opening: None,
            orders: Vec::new(),
            nothing: false,
            notes: Vec::new(),
        }
    }

    pub(super) async fn case(&mut self, case: &'static Case, channel: ChannelId, is_named: bool) -> Outcome {
        let (ground, mut interrupts) = (self.ground, self.interrupts.clone());
        let mut stage = self.stage(channel);
        let begun = stage.time().await;
        let played = match why_not(case, channel, is_named, ground) {
            Some(why) => Err(Stop::Skipped(why)),
            None => tokio::select! {
                biased;
                () = interrupts.more_than(0) => Err(Stop::Skipped("被中断".to_owned())),
                played = prompted(&mut stage, case) => played,
            },
        };
        let returned = tokio::select! {
            biased;
            returned = stage.return_all() => returned,
            () = interrupts.more_than(1) => Err(Stop::Failed("被中断，没有等到退款完成和订单关闭".to_owned())),
        };
        let ended = stage.time().await;
        let mut orders = Vec::new();
        for id in &stage.orders {
            orders.extend(stage.order(id).await.ok());
        }
        let Stage { notes, nothing, orders: opened, .. } = stage;
        Outcome { case, channel, verdict: Verdict::of(played, returned), begun, ended, opened, nothing, orders, notes }
    }

    /// Waits until no order is open any more, and looks at each a last time: what was passed may still have come undone.
    /// Ctrl-C ends the waiting, not the report.
    pub(super) async fn close(mut self) -> Vec<Outcome> {
        let mut outcomes = std::mem::take(&mut self.outcomes);
        let (mut interrupts, so_far) = (self.interrupts.clone(), self.interrupts.count());
        for outcome in &mut outcomes {
            let mut stage = self.stage(outcome.channel);
            let is_seen = tokio::select! {
                biased;
                () = come_to_rest(&mut stage, outcome) => true,
                () = interrupts.more_than(so_far) => false,
            };
            outcome.notes.append(&mut stage.notes);
            if !is_seen {
                outcome.not_seen();
            }
            outcome.verdict.settle(&outcome.orders, outcome.opened.len());
        }
        outcomes
    }
}

/// Plays a case once the buyer is ready for it.
async fn prompted<B: Buyer>(stage: &mut Stage<'_, B>, case: &'static Case) -> Result<(), Stop> {
    match stage.buyer.ready(case, stage.channel, stage.ground).await {
        Ready::Skip(why) => Err(Stop::Skipped(why)),
        Ready::Go => stage.play(case).await,
    }
}

/// Waits for the orders of a case, and has the buyer look again where nothing may have been paid.
async fn come_to_rest<B: Buyer>(stage: &mut Stage<'_, B>, outcome: &mut Outcome) {
    for order in &mut outcome.orders {
        match stage.until(order, "订单了结", |order| !order.open).await {
            Ok(closed) => *order = closed,
            Err(Stop::Failed(why) | Stop::Skipped(why)) => stage.notes.push(format!("订单 {}：{why}", order.id)),
        }
        let is_pass = outcome.verdict == Verdict::Passed && outcome.nothing;
        if is_pass && let Err(Stop::Failed(why) | Stop::Skipped(why)) = stage.nothing_paid(order).await {
            outcome.verdict = Verdict::Failed(why);
        }
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

impl Outcome {
    /// The last look at it was broken off: what must not have been paid is not shown to be so.
    fn not_seen(&mut self) {
        let why = "最后一次核对被中断".to_owned();
        if self.verdict == Verdict::Passed && self.nothing {
            self.verdict = Verdict::Skipped(why.clone());
        }
        self.notes.push(why);
    }
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
