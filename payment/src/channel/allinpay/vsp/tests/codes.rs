//! Every state and every refusal against every request: the table of `codes`, written down a second time as outcomes.

use serde_json::json;

use super::super::codes::{KINDS, REFUSALS, STATUSES};
use super::{NOON, answer, answer_of, duty, every_request, kind, members, plain, sealed, vsp, with};
use crate::channel::outcome::{CodeAnswer, DoubtKind, DutyOutcome, Outcome, RefundOutcome, Reversal, Waiting, Why};
use crate::channel::{Answer, Decoded, Request};

/// One word for an answer.
fn word(answer: &Answer) -> String {
    let why = |why: Why| format!("{why:?}").to_lowercase();
    match answer {
        Answer::Code(CodeAnswer::Ready(_)) => "ready".into(),
        Answer::Code(CodeAnswer::Refused(refusal)) => format!("no:{}", why(refusal.why)),
        Answer::Payment(Outcome::NotPaid(refusal)) => format!("not-paid:{}", why(refusal.why)),
        Answer::Payment(Outcome::Paid(_)) => "paid".into(),
        Answer::Payment(Outcome::Pending(Waiting::Confirming)) => "confirming".into(),
        Answer::Payment(Outcome::Pending(Waiting::NoTrade)) => "no-trade".into(),
        Answer::Code(CodeAnswer::Ask { .. }) | Answer::Reversal(Reversal::Ask { .. }) => "ask".into(),
        Answer::Reversal(Reversal::Closed) => "closed".into(),
        Answer::Reversal(Reversal::Refunded) => "returned".into(),
        Answer::Reversal(Reversal::NoTrade) => "no-trade".into(),
        Answer::Reversal(Reversal::Again) => "again".into(),
        Answer::Refund(RefundOutcome::Done) => "done".into(),
        Answer::Refund(RefundOutcome::NotMoved) => "not-moved".into(),
        Answer::Refund(RefundOutcome::Absent) => "absent".into(),
        Answer::Refund(RefundOutcome::ShortOfFunds) => "short".into(),
        Answer::Refund(RefundOutcome::Refused { .. }) => "refused".into(),
        Answer::Refund(RefundOutcome::Failed { .. }) => "failed".into(),
        Answer::Duty(DutyOutcome::Done) => "done".into(),
        Answer::Reachable(reached) => format!("reachable:{reached}"),
        Answer::Code(CodeAnswer::Unknown(_))
        | Answer::Payment(Outcome::Unknown(_))
        | Answer::Reversal(Reversal::Unknown(_))
        | Answer::Refund(RefundOutcome::Unknown(_))
        | Answer::Duty(_) => "doubt".into(),
    }
}

/// Columns as in `every_request`: code, pay, query, query of a shown code, cancel, close, refund, refund query.
pub(super) const OUTCOMES: &str = "
0000 ready        paid            paid            paid       returned closed   done      done
1001 doubt        doubt           no-trade        no-trade   no-trade no-trade refused   absent
1999 doubt        doubt           doubt           doubt      ask      ask      doubt     doubt
2000 doubt        confirming      confirming      no-trade   again    ask      not-moved not-moved
2008 doubt        confirming      confirming      no-trade   again    ask      not-moved not-moved
3008 no:newnumber not-paid:buyer  not-paid:buyer  no-trade   ask      ask      short     failed
3014 no:order     not-paid:order  not-paid:order  no-trade   ask      ask      failed    failed
3029 no:newnumber not-paid:closed not-paid:closed not-paid:closed ask ask      failed    failed
3031 no:newnumber not-paid:buyer  not-paid:buyer  no-trade   ask      ask      failed    failed
3045 no:newnumber not-paid:buyer  not-paid:buyer  no-trade   ask      ask      failed    failed
3050 no:newnumber not-paid:closed not-paid:closed not-paid:closed ask ask      failed    failed
3088 no:newnumber doubt           doubt           no-trade   ask      ask      doubt     doubt
3089 no:newnumber doubt           doubt           doubt      ask      ask      doubt     doubt
3099 no:setup     not-paid:setup  not-paid:setup  no-trade   ask      ask      failed    failed
3888 ask          doubt           doubt           doubt      again*   ask      not-moved not-moved
3889 no:newnumber not-paid:buyer  not-paid:buyer  no-trade   ask      ask      failed    failed
3999 no:newnumber not-paid:buyer  not-paid:buyer  no-trade   ask      ask      failed    failed
";

#[test]
fn every_state_means_what_is_written_here() {
    let rows: Vec<&str> = OUTCOMES.lines().filter(|row| !row.is_empty()).collect();
    assert_eq!(rows.len(), STATUSES.len(), "a state is in one table only");
    for row in rows {
        let mut columns = row.split_whitespace();
        let status = columns.next().unwrap();
        for ((name, request), wanted) in every_request().into_iter().zip(columns.by_ref()) {
            let found = match vsp().decode(&request, NOON, &sealed(&members(&request, status))) {
                Decoded::Answer(answer) => word(&answer),
                Decoded::EncodeAgain => "again*".into(),
                Decoded::UnknownKey { .. } => "key".into(),
            };
            assert_eq!(found, wanted, "{status} to {name}");
        }
        assert_eq!(columns.next(), None, "{row}");
    }
}

/// Whether an answer closes the matter, one way or the other.
fn is_final(word: &str) -> bool {
    ["ready", "paid", "closed", "returned", "done", "failed", "short", "refused", "absent"].contains(&word)
        || word.starts_with("no:")
        || word.starts_with("not-paid")
        || word == "no-trade"
}

#[test]
fn nothing_undocumented_ends_anything() {
    let listed = |code: &str| STATUSES.iter().any(|(known, _)| *known == code);
    let vsp = vsp();
    // All failures, and a share of the rest.
    for number in (0..10_000).filter(|number| number / 1000 == 3 || number % 11 == 0) {
        let code = format!("{number:04}");
        for (name, request) in every_request().into_iter().filter(|_| !listed(&code)) {
            let found = word(&answer_of(&vsp, &request, NOON, &sealed(&members(&request, &code))));
            assert!(!is_final(&found), "{code} to {name} is {found}");
        }
    }
    for odd in ["", "0", "00000", "0000 ", "SUCCESS", "null"] {
        for (name, request) in every_request() {
            let found = word(&answer(&request, &members(&request, odd)));
            assert!(!is_final(&found), "{odd:?} to {name} is {found}");
        }
    }
}

#[test]
fn an_unlisted_state_is_told_as_such() {
    for (name, request) in every_request() {
        let found = answer(&request, &members(&request, "3123"));
        let wanted = (!matches!(name, "cancel" | "close")).then_some(DoubtKind::Unlisted);
        assert_eq!(kind(&found), wanted, "{name}");
    }
}

/// Retcode, then the columns of `every_request`; signed, with a `trxstatus` that must not be looked at.
pub(super) const RETCODES: &str = "
FAIL        no:setup doubt doubt doubt ask   ask   doubt doubt
PARAMERR    no:setup doubt doubt doubt ask   ask   doubt doubt
SIGNAUTHERR no:setup doubt doubt doubt ask   ask   doubt doubt
SYSTEMERR   doubt    doubt doubt doubt doubt doubt doubt doubt
success     doubt    doubt doubt doubt doubt doubt doubt doubt
OTHER       doubt    doubt doubt doubt doubt doubt doubt doubt
";

#[test]
fn a_call_that_was_not_carried_out_is_never_paid_and_never_not_paid() {
    for row in RETCODES.lines().filter(|row| !row.is_empty()) {
        let mut columns = row.split_whitespace();
        let retcode = columns.next().unwrap();
        for ((name, request), wanted) in every_request().into_iter().zip(columns) {
            for status in ["0000", "3999", "1001"] {
                let told = with(members(&request, status), &json!({ "retcode": retcode }));
                assert_eq!(word(&answer(&request, &told)), wanted, "{retcode} {status} to {name}");
            }
        }
        assert!(matches!(retcode, "SYSTEMERR" | "success" | "OTHER") || REFUSALS.contains(&retcode));
    }
}

#[test]
fn without_a_signature_only_what_costs_nothing_is_believed() {
    for retcode in ["FAIL", "PARAMERR", "SIGNAUTHERR", "SYSTEMERR", "SUCCESS", "OTHER"] {
        for (name, request) in every_request() {
            let told = with(members(&request, "0000"), &json!({ "retcode": retcode }));
            let found = word(&answer_of(&vsp(), &request, NOON, &plain(&told)));
            let wanted = match (name, REFUSALS.contains(&retcode)) {
                ("code", true) => "no:setup",
                ("close", true) => "ask",
                _ => "doubt",
            };
            assert_eq!(found, wanted, "{retcode} to {name}");
        }
    }
}

#[test]
fn a_probe_wants_a_signed_answer_of_any_sort() {
    let probe = Request::Probe;
    for (told, reached) in [
        (members(&probe, "1001"), true),
        (with(members(&probe, ""), &json!({ "retcode": "FAIL" })), true),
        (with(members(&probe, ""), &json!({ "retcode": "SYSTEMERR" })), false),
    ] {
        assert_eq!(answer(&probe, &told), Answer::Reachable(reached), "{told}");
        assert_eq!(answer_of(&vsp(), &probe, NOON, &plain(&told)), Answer::Reachable(false), "{told}");
    }
}

#[test]
fn a_duty_is_done_since_vsp_wants_none() {
    assert_eq!(answer(&duty(), &members(&duty(), "1001")), Answer::Duty(DutyOutcome::Done));
}

/// A code twice in a table would hide one of its meanings.
#[test]
fn no_code_stands_twice() {
    let mut codes: Vec<&str> = STATUSES.iter().map(|(code, _)| *code).collect();
    codes.extend(KINDS.iter().flat_map(|(codes, _)| codes.iter().copied()));
    let count = codes.len();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), count);
}
