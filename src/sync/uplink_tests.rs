//! Each answer of the hub in each state, and a lossy line to a model of the hub.

use payment::time::Wall;

use super::*;
use crate::journal::chain::{Hash, Record};

const WALL: Wall = Wall { ms: 1_790_000_000_000, trusted: true };
const HOUR_MS: u64 = 3_600_000;

fn at(ms: u64) -> Now {
    Now { mono: Mono(ms), wall: WALL }
}

fn record(seq: u64) -> Record {
    Record {
        seq,
        order: "S0123456789ABCDEFGHJKMNPQR".to_owned(),
        at: WALL,
        state: "waiting".to_owned(),
        body: format!("{{\"n\":{seq}}}"),
        prev: Hash::beginning(),
        hash: Hash::beginning(),
    }
}

fn batch(first: u64, last: u64) -> Batch {
    Batch::of(&(first..=last).map(record).collect::<Vec<_>>()).unwrap()
}

fn taken(acknowledged: u64) -> Answer {
    Answer::Taken { acknowledged, refused: Vec::new() }
}

fn said() -> Said {
    Said { code: "no".to_owned(), detail: "because".to_owned() }
}

fn send(after: u64, entries_max: u32) -> Next {
    Next::Send(Span { after, entries_max, unreadable: None })
}

/// Hands the answer in and makes what it acknowledges durable.
fn answer(up: &mut Uplink, now: u64, batch: &Batch, answer: Answer) -> Option<Acknowledgement> {
    let taken = up.on_answer(Mono(now), batch, answer, 0);
    if let Some(taken) = &taken {
        up.acknowledged(Mono(now), batch, taken.up_to);
    }
    taken
}

#[test]
fn what_waits_at_a_start_is_sent_at_once_and_the_rest_follows() {
    let mut up = Uplink::new(10, 1_200);
    assert_eq!(up.poll(at(0)), send(10, ENTRIES_MAX));
    answer(&mut up, 5, &batch(11, 510), taken(510));
    assert_eq!(up.poll(at(5)), send(510, ENTRIES_MAX), "a long queue does not wait between batches");
    answer(&mut up, 9, &batch(511, 1_010), taken(1_010));
    answer(&mut up, 12, &batch(1_011, 1_200), taken(1_200));
    assert_eq!(up.poll(at(12)), Next::Wait(None));
    assert!(up.is_empty());
}

#[test]
fn the_entries_of_one_sale_are_one_request() {
    let mut up = Uplink::new(0, 0);
    assert_eq!(up.poll(at(0)), Next::Wait(None), "nothing to send, nothing to wake for");
    up.woken(Mono(1_000), 2);
    assert_eq!(up.poll(at(1_000)), Next::Wait(Some(Mono(1_000 + GATHER_MS))));
    up.woken(Mono(1_500), 5);
    assert_eq!(up.poll(at(1_500)), Next::Wait(Some(Mono(1_000 + GATHER_MS))), "later entries do not put it off");
    assert_eq!(up.poll(at(2_000)), send(0, ENTRIES_MAX));
    // What came while that was on its way is gathered again.
    up.woken(Mono(2_100), 6);
    answer(&mut up, 2_200, &batch(1, 5), taken(5));
    assert_eq!(up.poll(at(2_200)), Next::Wait(Some(Mono(2_200 + GATHER_MS))));
    assert_eq!(up.poll(at(2_200 + GATHER_MS)), send(5, ENTRIES_MAX));
}

#[test]
fn every_answer_that_takes_nothing_waits_and_sends_the_same_again() {
    let cases = [
        (Answer::none("no route"), false),
        (Answer::NotNow { detail: String::new(), retry_after_s: Some(60) }, false),
        (Answer::NotAccepted(said()), true),
        (Answer::Nonsense("404".to_owned()), true),
        (Answer::Fork { detail: String::new() }, true),
        (taken(9), true),
        (taken(10), true),
        (taken(99), true),
        (Answer::Gap { acknowledged: 10 }, true),
        (Answer::Gap { acknowledged: 40 }, true),
    ];
    for (wrong, needs_a_person) in cases {
        let mut up = Uplink::new(10, 20);
        if wrong == taken(9) {
            // Already failing: a hub that lost data once is given the rest at once, see below.
            up.not_stored(Mono(0), "full", 0);
        }
        assert_eq!(answer(&mut up, 0, &batch(11, 20), wrong.clone()), None, "{wrong:?}");
        let Next::Wait(Some(until)) = up.poll(at(0)) else { panic!("{wrong:?}: {:?}", up.poll(at(0))) };
        assert!(until > Mono(0), "{wrong:?}");
        assert_eq!(up.trouble().unwrap().needs_a_person(), needs_a_person, "{wrong:?}");
        let after = if wrong == taken(9) { 9 } else { 10 };
        assert_eq!(up.poll(Now { mono: until, wall: WALL }), send(after, ENTRIES_MAX), "{wrong:?}");
        // One good answer ends it.
        answer(&mut up, until.0, &batch(after + 1, 20), taken(20));
        assert_eq!((up.trouble(), up.is_empty()), (None, true), "{wrong:?}");
    }
}

#[test]
fn waits_double_and_what_the_hub_asks_for_is_heeded_up_to_an_hour() {
    let mut up = Uplink::new(0, 1);
    let mut longest = Vec::new();
    let mut now = 0;
    for _ in 0..9 {
        let _none = up.on_answer(Mono(now), &batch(1, 1), Answer::none("away"), u64::MAX);
        let Next::Wait(Some(until)) = up.poll(at(now)) else { panic!("it did not wait") };
        longest.push(until.0 - now);
        now = until.0;
    }
    assert!(longest.iter().all(|wait| *wait <= 300_000), "{longest:?}");
    let asked = Answer::NotNow { detail: String::new(), retry_after_s: Some(7_200) };
    let mut up = Uplink::new(0, 1);
    let _none = up.on_answer(Mono(0), &batch(1, 1), asked, 0);
    let Next::Wait(Some(until)) = up.poll(at(0)) else { panic!("it did not wait") };
    assert!((HOUR_MS..HOUR_MS + 2_000).contains(&until.0), "{until:?}");
}

#[test]
fn a_fork_stops_it_for_an_hour_and_a_person_may_ask_sooner() {
    let mut up = Uplink::new(10, 20);
    answer(&mut up, 0, &batch(11, 20), Answer::Fork { detail: "entry 12".to_owned() });
    up.woken(Mono(100), 25);
    up.link_back(Mono(100));
    assert_eq!(up.poll(at(100)), Next::Wait(Some(Mono(HOUR_MS))));
    assert_eq!(up.poll(at(HOUR_MS)), send(10, ENTRIES_MAX));
    up.send_now();
    assert_eq!(up.poll(at(101)), send(10, ENTRIES_MAX));
}

#[test]
fn a_hub_that_is_ahead_of_the_journal_is_not_believed() {
    let mut up = Uplink::new(10, 20);
    assert_eq!(answer(&mut up, 0, &batch(11, 20), taken(21)), None);
    assert_eq!(up.trouble(), Some(&Trouble::Ahead { hub: 21, newest: 20 }));
}

#[test]
fn what_the_hub_had_before_a_restart_is_sent_again_so_that_its_refusals_are_heard() {
    let mut up = Uplink::new(0, 1_000);
    let refused = vec![RefusedEntry { seq: 700, code: "x".to_owned(), detail: String::new() }];
    // It has 800 from before, and names of the refused ones what is not in this batch.
    let first = answer(&mut up, 0, &batch(1, 500), Answer::Taken { acknowledged: 800, refused: refused.clone() });
    assert_eq!(first, Some(Acknowledgement { up_to: 500, refused: Vec::new() }));
    assert_eq!(up.poll(at(0)), send(500, ENTRIES_MAX));
    let second =
        answer(&mut up, 1, &batch(501, 1_000), Answer::Taken { acknowledged: 1_000, refused: refused.clone() });
    assert_eq!(second, Some(Acknowledgement { up_to: 1_000, refused }));
}

#[test]
fn a_hub_that_takes_half_gets_the_other_half_at_once() {
    let mut up = Uplink::new(0, 10);
    let half = answer(&mut up, 0, &batch(1, 10), taken(4)).unwrap();
    assert_eq!((half.up_to, up.poll(at(0))), (4, send(4, ENTRIES_MAX)));
}

#[test]
fn a_hub_that_lost_data_gets_again_what_it_lacks_and_a_person_hears_of_it() {
    for loss in [Answer::Gap { acknowledged: 3 }, taken(3)] {
        let mut up = Uplink::new(10, 20);
        assert_eq!(answer(&mut up, 0, &batch(11, 20), loss), None);
        assert_eq!(up.poll(at(0)), send(3, ENTRIES_MAX));
        assert_eq!(up.trouble(), Some(&Trouble::LostData { hub: 3, acknowledged: 10 }));
        // A hub that forgets every time is not asked in a circle.
        assert_eq!(answer(&mut up, 1, &batch(4, 20), Answer::Gap { acknowledged: 2 }), None);
        let Next::Wait(Some(until)) = up.poll(at(1)) else { panic!("it did not wait") };
        assert_eq!(up.poll(Now { mono: until, wall: WALL }), send(2, ENTRIES_MAX));
        let some = answer(&mut up, until.0, &batch(3, 20), taken(8)).unwrap();
        assert_eq!(some.up_to, 8);
        assert!(up.trouble().is_some(), "it still lacks what it had");
        answer(&mut up, until.0, &batch(9, 20), taken(20));
        assert_eq!((up.trouble(), up.is_empty()), (None, true));
    }
}

#[test]
fn a_hub_that_forgets_what_it_just_took_is_asked_more_and_more_slowly() {
    let mut up = Uplink::new(2_000, 2_001);
    let (mut now, mut requests) = (0, 0);
    while now < 2 * HOUR_MS {
        match up.poll(at(now)) {
            Next::Wait(until) => now = until.unwrap().0,
            Next::Send(span) => {
                requests += 1;
                // It takes 500 and then knows nothing of them.
                let reply = if span.after == 0 { taken(500) } else { Answer::Gap { acknowledged: 0 } };
                let lines = batch(span.after + 1, 2_001.min(span.after + 500));
                if let Some(taken) = up.on_answer(Mono(now), &lines, reply, u64::MAX / 2) {
                    up.acknowledged(Mono(now), &lines, taken.up_to);
                }
            }
        }
    }
    assert!(requests < 200, "{requests} requests in two hours");
    assert!(up.trouble().unwrap().needs_a_person());
}

#[test]
fn a_hub_that_reads_nothing_but_takes_every_place_does_not_have_the_whole_queue_set_aside() {
    let mut up = Uplink::new(0, 1_000);
    let (mut now, mut aside) = (0, Vec::new());
    while now < 10 * HOUR_MS {
        match up.poll(at(now)) {
            Next::Wait(until) => now = until.unwrap().0,
            Next::Send(Span { after, unreadable: Some(code), .. }) => {
                let line = Batch::unreadable(&record(after + 1), &code);
                aside.extend(answer(&mut up, now, &line, taken(after + 1)).unwrap().refused);
            }
            Next::Send(Span { after, entries_max, .. }) => {
                let lines = batch(after + 1, 1_000.min(after + u64::from(entries_max)));
                answer(&mut up, now, &lines, Answer::BadBatch(said()));
            }
        }
    }
    assert!((3..=14).contains(&aside.len()), "{}", aside.len());
    assert!(matches!(up.trouble(), Some(Trouble::Illiterate(_))), "{:?}", up.trouble());
    // The hub was mended.
    now += HOUR_MS;
    while let Next::Send(Span { after, entries_max, .. }) = up.poll(at(now)) {
        let last = 1_000.min(after + u64::from(entries_max));
        answer(&mut up, now, &batch(after + 1, last), taken(last));
    }
    assert_eq!((up.is_empty(), up.trouble()), (true, None));
}

#[test]
fn what_the_journal_does_not_hold_any_more_is_named() {
    let mut up = Uplink::new(10, 20);
    answer(&mut up, 0, &batch(11, 20), Answer::Gap { acknowledged: 3 });
    up.on_gone(Mono(5));
    assert_eq!(up.trouble(), Some(&Trouble::Gone { seq: 4 }));
    assert_eq!(up.poll(at(5)), Next::Wait(Some(Mono(5 + HOUR_MS))));
}

#[test]
fn batches_are_halved_until_the_entry_is_found_that_the_hub_cannot_read() {
    const POISON: u64 = 7;
    let mut up = Uplink::new(0, 20);
    let (mut sent, mut refused) = (0, Vec::new());
    while let Next::Send(span) = up.poll(at(sent)) {
        sent += 1;
        assert!(sent < 60, "it goes round in a circle");
        let last = 20.min(span.after + u64::from(span.entries_max));
        let (lines, reply) = match &span.unreadable {
            Some(code) => {
                let lines = Batch::unreadable(&record(span.after + 1), code);
                assert_eq!((lines.first, code.as_str()), (POISON, "no"));
                let entry = RefusedEntry { seq: POISON, code: code.clone(), detail: String::new() };
                (lines, Answer::Taken { acknowledged: POISON, refused: vec![entry] })
            }
            None => {
                let lines = batch(span.after + 1, last);
                let readable = !(lines.first..=lines.last).contains(&POISON);
                (lines, if readable { taken(last) } else { Answer::BadBatch(said()) })
            }
        };
        refused.extend(answer(&mut up, sent, &lines, reply).into_iter().flat_map(|taken| taken.refused));
    }
    assert!(up.is_empty());
    assert_eq!(refused.iter().map(|entry| (entry.seq, entry.code.as_str())).collect::<Vec<_>>(), [(POISON, "no")]);
}

#[test]
fn the_place_of_an_unreadable_entry_counts_as_refused_even_if_the_hub_forgets_to_say_so() {
    let mut up = Uplink::new(0, 1);
    answer(&mut up, 0, &batch(1, 1), Answer::BadBatch(said()));
    let refused = answer(&mut up, 0, &Batch::unreadable(&record(1), "no"), taken(1)).unwrap().refused;
    assert_eq!(refused, [RefusedEntry { seq: 1, code: "no".to_owned(), detail: String::new() }]);
}

#[test]
fn a_hub_that_can_read_nothing_at_all_has_nothing_set_aside() {
    let mut up = Uplink::new(0, 4);
    for _ in 0..200 {
        let now = match up.poll(at(0)) {
            Next::Wait(until) => until.unwrap(),
            Next::Send(_) => Mono(0),
        };
        let Next::Send(span) = up.poll(Now { mono: now, wall: WALL }) else { panic!("it never sends again") };
        let lines = match &span.unreadable {
            Some(code) => Batch::unreadable(&record(span.after + 1), code),
            None => batch(span.after + 1, 4.min(span.after + u64::from(span.entries_max))),
        };
        assert_eq!(answer(&mut up, now.0, &lines, Answer::BadBatch(said())), None);
    }
    assert_eq!(up.trouble(), Some(&Trouble::BadBatch(said())));
    assert!(matches!(up.poll(at(0)), Next::Wait(Some(_))), "a hub that refuses everything is asked without a pause");
}

#[test]
fn an_acknowledgement_that_is_not_durable_is_none() {
    let mut up = Uplink::new(0, 5);
    assert!(up.on_answer(Mono(0), &batch(1, 5), taken(5), 0).is_some());
    up.not_stored(Mono(0), "the disk is full", 0);
    assert!(!up.is_empty());
    assert_eq!(up.poll(at(2_000)), send(0, ENTRIES_MAX));
}

#[test]
fn the_network_that_is_back_ends_a_long_wait_but_not_what_the_hub_asked_for() {
    let mut up = Uplink::new(0, 1);
    for _ in 0..8 {
        let _none = up.on_answer(Mono(0), &batch(1, 1), Answer::none("away"), 250_000);
    }
    up.link_back(Mono(0));
    assert_eq!(up.poll(at(0)), Next::Wait(Some(Mono(GATHER_MS))));
    let asked = Answer::NotNow { detail: String::new(), retry_after_s: Some(600) };
    let _none = up.on_answer(Mono(0), &batch(1, 1), asked, 0);
    up.link_back(Mono(0));
    assert!(matches!(up.poll(at(0)), Next::Wait(Some(until)) if until >= Mono(600_000)));
    up.send_now();
    assert_eq!(up.poll(at(0)), send(0, ENTRIES_MAX));
}

#[test]
fn nothing_leaves_before_the_time_is_trusted() {
    let up = Uplink::new(0, 5);
    let lost = Now { mono: Mono(0), wall: Wall { ms: 0, trusted: false } };
    assert_eq!(up.poll(lost), Next::Wait(None), "it would be woken for nothing");
    assert_eq!(up.poll(at(0)), send(0, ENTRIES_MAX));
}

#[test]
fn a_start_with_nothing_to_send_asks_once_where_the_hub_stands() {
    let mut up = Uplink::new(10, 10);
    assert!(!up.agrees() && up.is_empty());
    assert_eq!(up.poll(at(0)), send(9, 1));
    let _none = up.on_answer(Mono(0), &batch(10, 10), Answer::none("reset"), 0);
    assert!(matches!(up.poll(at(0)), Next::Wait(Some(_))) && !up.agrees());
    assert_eq!(up.poll(at(2_000)), send(9, 1));
    let refused = vec![RefusedEntry { seq: 10, code: "no".to_owned(), detail: String::new() }];
    let again = answer(&mut up, 2_000, &batch(10, 10), Answer::Taken { acknowledged: 10, refused });
    assert_eq!(again.unwrap().refused, [], "what a person has seen is set aside anew");
    assert!(up.agrees());
    assert_eq!(up.poll(at(2_000)), Next::Wait(None));
    assert!(Uplink::new(0, 0).agrees(), "a first start has nothing to ask with");
}

#[test]
fn a_restored_journal_does_not_agree_whatever_the_hub_says_between() {
    for answered in [taken(12), Answer::Fork { detail: "another hash".to_owned() }] {
        let mut up = Uplink::new(10, 10);
        assert_eq!(answer(&mut up, 0, &batch(10, 10), answered), None);
        assert!(up.trouble().unwrap().needs_a_person() && !up.agrees());
        assert_eq!(up.poll(at(HOUR_MS)), send(9, 1));
        let _none = up.on_answer(Mono(HOUR_MS), &batch(10, 10), Answer::none("reset"), 0);
        assert!(!up.agrees(), "a hub that cannot be reached made it forget");
    }
}

#[test]
fn hub_and_journal_agree_when_all_that_the_hub_has_was_compared() {
    let mut up = Uplink::new(10, 1_200);
    answer(&mut up, 0, &batch(11, 510), taken(700));
    assert!(!up.agrees(), "the next batch may be another history");
    answer(&mut up, 1, &batch(511, 1_010), taken(1_010));
    assert!(up.agrees());
    let mut lost = Uplink::new(10, 10);
    assert_eq!(answer(&mut lost, 0, &batch(10, 10), Answer::Gap { acknowledged: 4 }), None);
    assert!(lost.agrees(), "a hub that lost data gets no commands through");
    let mut running = Uplink::new(0, 0);
    running.woken(Mono(0), 3);
    assert_eq!(answer(&mut running, 0, &batch(1, 3), taken(9)), None);
    assert!(!running.agrees(), "a new journal goes on obeying in the place of an old one");
}

// ---- a lossy line ----

/// A row of numbers from a seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.roll().is_multiple_of(n)
    }
}

/// The hub as `docs/hub.md` describes it.
#[derive(Default)]
struct Hub {
    seqs: Vec<u64>,
    refused: Vec<u64>,
}

impl Hub {
    fn take(&mut self, lines: &Batch, is_stub: bool, poison: u64, dice: &mut Dice) -> Answer {
        let has = self.seqs.last().copied().unwrap_or(0);
        if lines.first > has + 1 {
            return Answer::Gap { acknowledged: has };
        }
        let holds_poison = (lines.first..=lines.last).contains(&poison) && poison > has;
        if holds_poison && !is_stub {
            return Answer::BadBatch(said());
        }
        // It may stop in the middle of a batch.
        let last = if dice.one_in(5) { lines.first + dice.roll() % lines.entries() } else { lines.last };
        for seq in (has + 1)..=last {
            self.seqs.push(seq);
            if seq == poison || seq.is_multiple_of(97) {
                self.refused.push(seq);
            }
        }
        let named = self.refused.iter().filter(|seq| (lines.first..=lines.last).contains(seq));
        let refused = named.map(|seq| RefusedEntry { seq: *seq, code: "no".to_owned(), detail: String::new() });
        Answer::Taken { acknowledged: self.seqs.last().copied().unwrap_or(0), refused: refused.collect() }
    }
}

/// One life of the line: answers are lost, the terminal restarts, its disk refuses, new entries come.
fn life(seed: u64) {
    let mut dice = Dice(seed);
    let (mut hub, mut set_aside) = (Hub::default(), std::collections::BTreeSet::new());
    let (mut newest, mut acknowledged, mut now) = (dice.roll() % 50, 0, 0_u64);
    let poison = 1 + dice.roll() % 900;
    let mut up = Uplink::new(acknowledged, newest);
    for turn in 0..20_000 {
        let is_quiet = turn > 2_000;
        if !is_quiet && newest < 1_000 && dice.one_in(3) {
            newest += 1 + dice.roll() % 40;
            up.woken(Mono(now), newest);
        }
        if !is_quiet && dice.one_in(40) {
            up = Uplink::new(acknowledged, newest);
        }
        match up.poll(at(now)) {
            Next::Wait(None) if is_quiet => break,
            Next::Wait(until) => now = until.map_or(now + 50, |until| until.0),
            Next::Send(span) => {
                let last = newest.min(span.after + u64::from(span.entries_max));
                let last = if span.unreadable.is_some() { span.after + 1 } else { last };
                // The model of the hub reads the places alone.
                let lines = Batch { first: span.after + 1, last, lines: String::new() };
                let lost_on_the_way = dice.one_in(6);
                let reply = if lost_on_the_way {
                    Answer::none("lost")
                } else {
                    let reply = hub.take(&lines, span.unreadable.is_some(), poison, &mut dice);
                    if dice.one_in(4) { Answer::none("lost") } else { reply }
                };
                let Some(taken) = up.on_answer(Mono(now), &lines, reply, dice.roll()) else { continue };
                if dice.one_in(9) {
                    up.not_stored(Mono(now), "the disk is full", dice.roll());
                    continue;
                }
                set_aside.extend(taken.refused.iter().map(|entry| entry.seq));
                assert!(taken.up_to >= acknowledged, "seed {seed}: the mark went back");
                acknowledged = taken.up_to;
                up.acknowledged(Mono(now), &lines, taken.up_to);
            }
        }
    }
    assert_eq!(acknowledged, newest, "seed {seed}: it never ended: {:?}", up.trouble());
    assert!(hub.seqs.iter().copied().eq(1..=newest), "seed {seed}: a gap or a double");
    assert!(hub.refused.iter().copied().eq(set_aside), "seed {seed}: a refusal was not heard");
}

#[test]
fn over_a_lossy_line_the_hub_gets_everything_once_in_order_and_every_refusal_is_heard() {
    for seed in 0..2_000 {
        life(seed);
    }
}
