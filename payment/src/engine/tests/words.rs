//! Every code of every channel, decoded by the real adapters, said to an attempt in each of its states: the order is over
//! with nothing paid only where the channel's own list says so.

use std::collections::BTreeMap;

use super::stage::{DAY, RETURNING, SHOWN, Stage, State, TAKEN, is_like, silence};
use crate::channel::alipay::tests::told::told as alipay;
use crate::channel::allinpay::vsp::tests::told::told as vsp;
use crate::channel::allinpay::yst::tests::told::told as yst;
use crate::channel::outcome::{CodeAnswer, Outcome};
use crate::channel::wechat::tests::told::told as wechat;
use crate::channel::{Answer, ChannelId, Request};

/// Code, request, answer, and whether the channel's list says that it ends the attempt unpaid.
type Told = (String, Request, Answer, bool);

/// What is known of the attempt at once, and what the order is after a day of silence.
type End = (&'static str, &'static str);

/// Each answer in each state in which its request is on its way.
fn nothing_ends_unpaid_but_by_the_list(channel: ChannelId, told: &[Told]) {
    let mut said = 0;
    for state in SHOWN.iter().chain(TAKEN).chain(RETURNING) {
        let asked = Stage::in_state(channel, *state).waiting().cloned().expect("a call");
        let mut ends = BTreeMap::new();
        for (code, _, answer, is_final) in told.iter().filter(|(_, request, ..)| is_like(request, &asked)) {
            let end = *ends.entry(shape(answer)).or_insert_with(|| end(channel, *state, answer));
            let says = format!("{code:?} when {}: {answer:?} ends in {end:?}", state.0);
            let may_end = *is_final || was_never_seen(*state);
            assert!(may_end || (end.0 != "unpaid" && end.1 != "nothing"), "{says}");
            assert!(is_returning(*state) || (end.0 == "paid") == (is_paid(answer) && counts(*state)), "{says}");
            said += 1;
        }
    }
    assert!(said >= 100, "only {said}");
}

fn end(channel: ChannelId, state: State, answer: &Answer) -> End {
    let mut stage = Stage::in_state(channel, state);
    stage.answer(answer.clone());
    let at_once = stage.attempt();
    stage.silent_for(DAY);
    (at_once, stage.end())
}

/// An answer without its words, which no engine reads.
fn shape(answer: &Answer) -> String {
    match answer {
        Answer::Payment(Outcome::NotPaid(refusal)) | Answer::Code(CodeAnswer::Refused(refusal)) => {
            format!("{:?}", refusal.why)
        }
        Answer::Code(_) | Answer::Payment(_) | Answer::Reversal(_) | Answer::Refund(_) | Answer::Duty(_) => {
            answer.doubt().map_or_else(|| format!("{answer:?}"), |doubt| format!("{:?}", doubt.kind))
        }
        Answer::Reachable(_) => format!("{answer:?}"),
    }
}

/// A code that was on no screen was paid by nobody, whatever is said of it.
fn was_never_seen(state: State) -> bool {
    state.0 == "asked-for-a-code"
}

fn is_returning(state: State) -> bool {
    RETURNING.iter().any(|(name, _)| *name == state.0)
}

fn is_paid(answer: &Answer) -> bool {
    matches!(answer, Answer::Payment(Outcome::Paid(_)))
}

/// Whether a payment counts: not while a cancel may still return it.
fn counts(state: State) -> bool {
    !matches!(state.0, "cancelling-in-doubt" | "cancelled")
}

/// The channel says this one code to whatever it is asked, for days.
fn nothing_undocumented_ends_anything(channel: ChannelId, told: &[Told], code: &str) {
    let of_code: Vec<&Told> = told.iter().filter(|(known, ..)| known == code).collect();
    assert!(!of_code.is_empty());
    let says = |request: &Request| {
        let known = of_code.iter().find(|(_, like, ..)| is_like(like, request));
        known.map_or_else(|| Answer::in_doubt(request, silence()), |(_, _, answer, _)| answer.clone())
    };
    for state in SHOWN.iter().chain(TAKEN).filter(|state| !was_never_seen(**state)) {
        let mut stage = Stage::in_state(channel, *state);
        stage.answered_for(3 * DAY, says);
        assert_eq!((stage.attempt(), stage.end()), ("open", "open"), "{code:?} when {}", state.0);
    }
    for state in RETURNING {
        let mut stage = Stage::in_state(channel, *state);
        stage.answered_for(3 * DAY, says);
        assert!(matches!(stage.end(), "returning" | "owed"), "{code:?} when {}: {}", state.0, stage.end());
    }
}

fn all_of(channel: ChannelId, told: &[Told], undocumented: &[&str]) {
    nothing_ends_unpaid_but_by_the_list(channel, told);
    undocumented.iter().for_each(|code| nothing_undocumented_ends_anything(channel, told, code));
}

#[test]
fn an_order_at_alipay_ends_unpaid_only_by_alipays_list() {
    all_of(ChannelId::Alipay, &alipay(), &["ACQ.A_NEW_ONE", ""]);
}

#[test]
fn an_order_at_wechat_pay_ends_unpaid_only_by_wechat_pays_list() {
    all_of(ChannelId::Wechat, &wechat(), &["A_NEW_ONE", ""]);
}

#[test]
fn an_order_at_vsp_ends_unpaid_only_by_allinpays_list() {
    all_of(ChannelId::AllinpayVsp, &vsp(), &["3123", "", "OTHER"]);
}

#[test]
fn an_order_at_yunst_ends_unpaid_only_by_allinpays_list() {
    all_of(ChannelId::AllinpayYst, &yst(), &["99999 -", "99999 2", "00000 S"]);
}
