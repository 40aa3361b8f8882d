//! The codes that an order shows side by side. Each is one attempt at a time, through the first of its channels that works.
//!
//! When a channel goes away or makes no code, the next one that can take the same wallet gets an attempt of its own. The
//! old one is undone and watched until nobody can pay it any more: a payment of both is caught, and one goes back.

use super::Order;
use crate::channel::{ChannelId, Instalment, Wallet};
use crate::engine::attempt::Attempt;
use crate::engine::attempt::show_code::ShowCode;
use crate::engine::desk::{Desk, Office};
use crate::engine::entry::{Method, ReverseReason};
use crate::engine::mutant::{Mutant, is_planted};
use crate::engine::offer::offer;
use crate::engine::settings::CodeShown;
use crate::engine::view::PayTrouble;
use crate::ids::AttemptId;

/// An order begins at most so many attempts for a buyer who changes the mind: each is watched until it has expired.
const MOST_CHANGES: usize = 12;

/// One place on the screen for a code.
#[derive(Debug)]
pub(super) struct CodePlace {
    shown: CodeShown,
    /// Channels that made no code for this order.
    failed: Vec<ChannelId>,
    attempt: Option<(AttemptId, ChannelId)>,
}

impl CodePlace {
    pub(super) fn all(shown: &[CodeShown]) -> Vec<Self> {
        shown.iter().map(|shown| Self { shown: shown.clone(), failed: Vec::new(), attempt: None }).collect()
    }

    /// The first channel that works, has not failed and `fits` the order.
    fn channel(&self, office: &Office, fits: impl Fn(ChannelId, Option<Wallet>) -> bool) -> Option<ChannelId> {
        let fresh = |channel: &ChannelId| !self.failed.contains(channel) && fits(*channel, self.wallet_by(*channel));
        let channels: Vec<ChannelId> = self.shown.channels.iter().copied().filter(fresh).collect();
        office.faults.usable(&channels)
    }

    /// Whose code it is when this channel makes it; `None` for a code that several wallets read.
    fn wallet_by(&self, channel: ChannelId) -> Option<Wallet> {
        channel.own_wallet().or(self.shown.wallet)
    }
}

impl Order {
    /// Starts the codes that are missing, where a channel can make one.
    pub(super) fn offer_codes(&mut self, office: &mut Office) {
        if !self.record.who_scans.shows_code() || !self.is_payable() {
            return;
        }
        let mut places = std::mem::take(&mut self.codes);
        for place in &mut places {
            if place.attempt.is_none()
                && let Some(channel) = place.channel(office, |channel, wallet| self.may_use(channel, wallet))
            {
                place.attempt = Some((self.start_code(office, channel, place.shown.wallet), channel));
            }
        }
        self.codes = places;
    }

    /// What was agreed to be paid in instalments is not offered at once and whole by another channel. Neither is what the
    /// buyer has chosen to pay so: other wallets still pay at once, but the lender's own and a code that it can read do not.
    pub(crate) fn may_use(&self, channel: ChannelId, wallet: Option<Wallet>) -> bool {
        let agreed = self.record.instalment.is_some();
        let chosen = self.instalment.is_some() && wallet.is_none_or(Wallet::lends);
        channel.takes_instalments() || !(agreed || chosen)
    }

    fn start_code(&mut self, office: &mut Office, channel: ChannelId, wallet: Option<Wallet>) -> AttemptId {
        let instalment = self.instalment;
        let mut desk = Desk { office, record: &mut self.record };
        let (subject, offer) = offer(&mut desk, channel, Method::ShowCode, wallet, instalment);
        let (phase, request) = ShowCode::enter(&desk, offer);
        let attempt = Attempt::start(&mut desk, subject, phase, request);
        self.attempts.insert(subject.attempt, attempt);
        subject.attempt
    }

    /// Faults changed. A code whose channel went away is given up, for one of another channel where there is one; while no
    /// channel can be used at all everything that was begun is given up, and codes are shown when one is back.
    pub(crate) fn follow_channels(&mut self, office: &mut Office) {
        for place in &mut self.codes {
            // That it made no code is no wonder: it is asked again when it is back.
            place.failed.retain(|channel| !office.faults.blocks_channel(*channel));
        }
        let usable = office.faults.usable(&office.settings.channels).is_some();
        if !usable && !self.waits_for_channel && self.record.who_scans.shows_code() {
            self.waits_for_channel = true;
            self.trouble = self.trouble.filter(|trouble| *trouble != PayTrouble::NoCode);
            self.leave_codes(|_, _| true);
            self.undo_others(office, ReverseReason::NoAnswer);
        } else if usable {
            self.waits_for_channel = false;
            let left = self.leave_codes(|channel, _| office.faults.blocks_channel(channel));
            self.give_up_codes(office, &left);
            self.offer_codes(office);
            self.tell_of_no_lender();
        }
    }

    /// The buyer's own choice, not what was agreed at the opening.
    pub(super) fn has_chosen_a_plan(&self) -> bool {
        self.instalment.is_some() && self.record.instalment.is_none()
    }

    /// The lender is away, and nobody else may make a code for the plan that was chosen: the buyer chooses another way.
    fn tell_of_no_lender(&mut self) {
        if self.has_chosen_a_plan() && self.record.who_scans.shows_code() {
            let other = self.trouble.filter(|trouble| *trouble != PayTrouble::NoCode);
            self.trouble = if self.has_code_coming() { other } else { Some(PayTrouble::NoCode) };
        }
    }

    /// How the buyer wants to pay now: `None` at once.
    pub(crate) const fn instalment(&self) -> Option<Instalment> {
        self.instalment
    }

    /// Whether the buyer may still choose how to pay.
    pub(crate) fn may_choose_instalment(&self) -> bool {
        let trying = self.attempts.values().any(|attempt| attempt.subject.method == Method::TakeCode);
        let may_change = self.record.attempts.len() < MOST_CHANGES;
        self.is_payable() && may_change && !trying && !self.is_confirming()
    }

    /// The buyer chose to pay in these instalments, or at once: the codes that say otherwise are given up for new ones.
    pub(crate) fn choose_instalment(&mut self, office: &mut Office, instalment: Option<Instalment>) {
        if self.instalment == instalment || !self.may_choose_instalment() {
            return;
        }
        self.instalment = instalment;
        self.trouble = self.trouble.filter(|trouble| *trouble != PayTrouble::NoCode);
        for place in &mut self.codes {
            // That it made no code for the other choice says nothing about this one.
            place.failed.retain(|channel| !channel.takes_instalments());
        }
        let left = self.leave_codes(|channel, wallet| channel.takes_instalments() || wallet.is_none_or(Wallet::lends));
        self.give_up_codes(office, &left);
        self.offer_codes(office);
        self.tell_of_no_lender();
    }

    /// Takes the codes of these channels and wallets off the screen; what becomes of their attempts is the caller's.
    fn leave_codes(&mut self, which: impl Fn(ChannelId, Option<Wallet>) -> bool) -> Vec<AttemptId> {
        let leave = |place: &mut CodePlace| {
            let (id, channel) = place.attempt?;
            which(channel, place.wallet_by(channel)).then(|| place.attempt = None).map(|()| id)
        };
        self.codes.iter_mut().filter_map(leave).collect()
    }

    fn give_up_codes(&mut self, office: &mut Office, left: &[AttemptId]) {
        for id in left {
            if is_planted(Mutant::OldCodeForgotten) {
                self.attempts.remove(id);
            }
            self.with_attempt(office, *id, |attempt, desk| attempt.give_up(desk, ReverseReason::NoAnswer));
        }
    }

    /// A channel made no code: the next one of that place is asked. `false` when the code was not on the screen any more,
    /// or another one is on its way.
    pub(super) fn code_failed(&mut self, office: &mut Office, attempt: AttemptId) -> bool {
        let shown = |place: &&mut CodePlace| place.attempt.is_some_and(|(id, _)| id == attempt);
        let Some(place) = self.codes.iter_mut().find(shown) else {
            return false;
        };
        if let Some((_, channel)) = place.attempt.take() {
            place.failed.push(channel);
        }
        if self.is_payable() {
            self.offer_codes(office);
        }
        self.codes.iter().all(|place| place.attempt.is_none())
    }

    /// The codes that may be scanned now, each with the wallet that it is for.
    pub(crate) fn shown_codes(&self) -> Vec<(Option<Wallet>, &str)> {
        self.code_attempts().filter_map(|(wallet, attempt)| Some((wallet, attempt.shown_code()?))).collect()
    }

    /// Whether a code is being fetched: the only one, or the other of two.
    pub(crate) fn is_fetching_code(&self) -> bool {
        let live = self.code_attempts().filter(|(_, attempt)| !attempt.is_reversing()).count();
        live > self.shown_codes().len()
    }

    /// Whether a code is on the screen or on its way there.
    pub(super) fn has_code_coming(&self) -> bool {
        self.code_attempts().any(|(_, attempt)| !attempt.is_reversing())
    }

    fn code_attempts(&self) -> impl Iterator<Item = (Option<Wallet>, &Attempt)> {
        self.codes.iter().filter_map(|place| {
            let (id, channel) = place.attempt?;
            Some((place.wallet_by(channel), self.attempts.get(&id)?))
        })
    }
}
