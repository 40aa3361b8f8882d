//! Whose word counts for how long.

use super::*;

/// 2026-11-18T11:06:40Z
const NOON: i64 = 1_795_000_000_000;
/// The machine has been up for two minutes.
const UP: i64 = 2 * MINUTE_MS;
const ALIPAY: Witness = Witness::Channel(ChannelId::Alipay);
const NTP: Local = Local { synchronised: true, chip: None };
const NOTHING: Local = Local { synchronised: false, chip: None };

fn chip(ms: i64) -> Local {
    Local { synchronised: false, chip: Some(ms) }
}

fn at(wall: i64) -> Reading {
    Reading { since_boot: UP, wall }
}

/// A machine whose journal's newest entry is of `floor`, if it has one.
fn machine(floor: Option<i64>) -> Trust {
    Trust::new(floor.map(|ms| Wall { ms, trusted: true }))
}

fn is_trusted(trust: &Trust, now: Reading) -> bool {
    matches!(trust.verdict(now), Verdict::Trusted(_))
}

#[test]
fn the_evidence_at_the_start_is_weighed() {
    const YEAR: i64 = YEAR_MS;
    let believed = |by| Verdict::Trusted(by);
    let not = Verdict::Distrusted;
    let behind = not(Why::BehindJournal { newest: NOON + YEAR });
    let ahead = |ahead| not(Why::Apart { ahead, of: ALIPAY });
    let table = [
        // the wall, the newest entry, the machine's word, Alipay's Date: the verdict
        (NOON, None, NOTHING, None, not(Why::Unconfirmed)),
        (NOON, None, NTP, None, believed(Witness::Kernel)),
        (NOON, None, chip(NOON), None, believed(Witness::Chip)),
        (NOON, None, chip(NOON - HOUR_MS), None, not(Why::Unconfirmed)),
        (NOON, None, NOTHING, Some(NOON), believed(ALIPAY)),
        (NOON, Some(NOON - YEAR), NOTHING, None, not(Why::Unconfirmed)),
        (NOON, Some(NOON - YEAR), NTP, None, believed(Witness::Kernel)),
        (NOON, Some(NOON + 4 * MINUTE_MS), NTP, None, believed(Witness::Kernel)),
        // The journal is ahead: the machine's own word is not enough, a server's is.
        (NOON, Some(NOON + YEAR), NTP, None, behind),
        (NOON, Some(NOON + YEAR), chip(NOON), None, behind),
        (NOON, Some(NOON + YEAR), NOTHING, None, behind),
        (NOON, Some(NOON + YEAR), NTP, Some(NOON), believed(ALIPAY)),
        (NOON, Some(NOON + YEAR), NOTHING, Some(NOON), believed(ALIPAY)),
        // A clock that was never set is not believed, whoever speaks for it.
        (UP, None, NTP, None, not(Why::NeverSet)),
        (UP, None, chip(UP), None, not(Why::NeverSet)),
        (UP, None, NOTHING, Some(NOON), not(Why::NeverSet)),
        // A server's date outranks the machine's own word.
        (NOON + 3 * HOUR_MS, None, NTP, Some(NOON), ahead(3 * HOUR_MS)),
        (NOON - DAY_MS, None, chip(NOON - DAY_MS), Some(NOON), ahead(-DAY_MS)),
        (NOON + TOLERANCE_MS, None, NOTHING, Some(NOON), believed(ALIPAY)),
        (NOON + TOLERANCE_MS + 1, None, NOTHING, Some(NOON), ahead(TOLERANCE_MS + 1)),
        // A date from before Till was built is nobody's.
        (NOON, None, NOTHING, Some(BUILT_MS - 1), not(Why::Unconfirmed)),
        (NOON, None, NTP, Some(BUILT_MS - 1), believed(Witness::Kernel)),
    ];
    for (row, (wall, floor, local, date, verdict)) in table.into_iter().enumerate() {
        let mut trust = machine(floor);
        trust.look(at(wall), local);
        if let Some(date) = date {
            trust.heard(ALIPAY, date, UP);
        }
        assert_eq!(trust.verdict(at(wall)), verdict, "row {row}");
    }
}

#[test]
fn an_entry_of_a_clock_that_was_not_trusted_is_no_floor() {
    let mut trust = Trust::new(Some(Wall { ms: NOON + YEAR_MS, trusted: false }));
    trust.look(at(NOON), NTP);
    assert!(is_trusted(&trust, at(NOON)));
}

#[test]
fn a_clock_that_is_set_to_anything_is_found_out_and_believed_again_when_it_is_right() {
    for by in [MINUTE_MS * 6, HOUR_MS, -HOUR_MS, DAY_MS, 20 * YEAR_MS, -(NOON - UP), i64::MAX / 2] {
        for (local, heard) in [(NTP, false), (chip(NOON), false), (NOTHING, true)] {
            let mut trust = machine(None);
            trust.look(at(NOON), local);
            if heard {
                trust.heard(ALIPAY, NOON, UP);
            }
            assert!(is_trusted(&trust, at(NOON)));
            let later = |wall: i64| Reading { since_boot: UP + HOUR_MS, wall };
            assert!(!is_trusted(&trust, later(NOON.saturating_add(HOUR_MS).saturating_add(by))), "{by} {local:?}");
            assert!(is_trusted(&trust, later(NOON + HOUR_MS)), "{by} {local:?}");
        }
    }
}

#[test]
fn a_small_step_of_the_time_service_disturbs_nobody() {
    let mut trust = machine(None);
    trust.heard(ALIPAY, NOON, UP);
    assert!(is_trusted(&trust, at(NOON + 4 * MINUTE_MS)) && is_trusted(&trust, at(NOON - 4 * MINUTE_MS)));
}

#[test]
fn who_was_contradicted_needs_a_better_witness() {
    let set = at(NOON + HOUR_MS);
    let mut trust = machine(None);
    trust.look(at(NOON), chip(NOON));
    trust.look(set, chip(NOON + HOUR_MS));
    assert!(!is_trusted(&trust, set), "a chip may have been set together with the clock");
    trust.look(set, NTP);
    assert!(is_trusted(&trust, set), "the time service knows better than the chip");
    let set_again = at(NOON);
    trust.look(set_again, NTP);
    assert_eq!(trust.verdict(set_again), Verdict::Distrusted(Why::Jumped { ahead: -HOUR_MS, since: Witness::Kernel }));
    trust.heard(Witness::Hub, NOON, UP);
    assert!(is_trusted(&trust, set_again));
    trust.heard(ALIPAY, NOON + HOUR_MS, UP);
    trust.heard(Witness::Hub, NOON, UP);
    assert!(is_trusted(&trust, set), "the channel judges our requests by its own time, whatever the hub says");
    trust.heard(ALIPAY, NOON, UP);
    assert!(is_trusted(&trust, set_again), "the newest word of the same server counts");
}

#[test]
fn a_word_holds_as_long_as_a_crystal_and_is_asked_for_before() {
    let mut trust = machine(None);
    assert_eq!(trust.ask_again_at(), None);
    trust.heard(ALIPAY, NOON, UP);
    assert_eq!(trust.ask_again_at(), Some(UP + ASK_AGAIN_MS));
    let later = |days: i64| Reading { since_boot: UP + days * DAY_MS, wall: NOON + days * DAY_MS };
    assert!(is_trusted(&trust, later(34)));
    assert_eq!(trust.verdict(later(35)), Verdict::Distrusted(Why::Stale { age: 35 * DAY_MS }));
    // Whoever agrees keeps it fresh.
    trust.look(later(30), NTP);
    assert_eq!(trust.verdict(later(60)), Verdict::Trusted(ALIPAY));
    // After too long anybody's word is better than an old one.
    trust.look(Reading { since_boot: UP + 70 * DAY_MS, wall: NOON + 71 * DAY_MS }, NTP);
    let then = Reading { since_boot: UP + 70 * DAY_MS, wall: NOON + 71 * DAY_MS };
    assert_eq!(trust.verdict(then), Verdict::Trusted(Witness::Kernel));
}

#[test]
fn answers_that_take_their_time_do_not_make_the_verdict_waver() {
    let mut trust = machine(None);
    let border = at(NOON + TOLERANCE_MS);
    trust.heard(ALIPAY, NOON, UP);
    for slow in [0, 900, 2_000, 8_000] {
        trust.heard(ALIPAY, NOON - slow, UP);
        assert!(is_trusted(&trust, border), "{slow}");
    }
}

#[test]
fn a_poisoned_journal_heals_by_one_answer() {
    let mut trust = machine(Some(NOON + 50 * YEAR_MS));
    trust.look(at(NOON), NTP);
    assert!(!is_trusted(&trust, at(NOON)));
    trust.heard(ALIPAY, NOON, UP);
    assert!(is_trusted(&trust, at(NOON)));
    trust.look(at(NOON), NTP);
    assert!(is_trusted(&trust, at(NOON)));
}

#[test]
fn the_reason_is_said_in_words() {
    let said = |why: Why| Verdict::Distrusted(why).to_string();
    assert_eq!(said(Why::Apart { ahead: 3 * HOUR_MS, of: ALIPAY }), "the clock is 3 h ahead of alipay's answers");
    assert_eq!(
        said(Why::Apart { ahead: -DAY_MS - HOUR_MS, of: Witness::Hub }),
        "the clock is 25 h behind the hub's answers"
    );
    assert_eq!(
        said(Why::Jumped { ahead: -56 * YEAR_MS, since: Witness::Kernel }),
        "the clock was set 56 years back after the time service had confirmed it, and no server has agreed"
    );
    assert_eq!(
        said(Why::BehindJournal { newest: NOON }),
        "the clock is behind the journal, whose newest entry is of 2026-11-18 11:06 UTC"
    );
    assert_eq!(said(Why::Unconfirmed), "nothing has confirmed the time since the start");
    assert_eq!(said(Why::Stale { age: 35 * DAY_MS }), "nothing has confirmed the time for 35 days");
    assert!(said(Why::NeverSet).starts_with("the clock was never set"));
    assert_eq!(said(Why::Apart { ahead: 6 * MINUTE_MS, of: ALIPAY }), "the clock is 6 min ahead of alipay's answers");
    assert_eq!(Verdict::Trusted(Witness::Chip).to_string(), "confirmed by the clock chip");
}
