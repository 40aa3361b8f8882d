use super::life::State;
use super::*;

/// A small fixed share of what the report runs; large journals are for the report.
fn share(seed: u64, cuts: u64) -> PowerOptions {
    PowerOptions { large_journals: false, threads: 2, ..PowerOptions::new(seed, cuts) }
}

#[test]
fn nothing_promised_is_lost_at_any_instant() {
    let card = run(&share(1, 2_000)).unwrap();
    assert!(card.is_clean(), "{card:#?}");
    assert!(card.cuts >= 2_000);
}

#[test]
fn a_journal_of_old_sales_survives_a_cut_at_every_instant_of_their_removal() {
    let runtime = runtime().unwrap();
    let options = PowerOptions::new(2, 0);
    let lives = Lives { options: &options, runtime: &runtime };
    let life = (0..).map(|number| lives.live(number).unwrap()).find(|life| life.kind == Kind::Old).unwrap();
    let removes = |pair: &[State]| pair[1].entries < pair[0].entries;
    let removal = &life.requests[life.states.windows(2).position(removes).expect("something was removed")];
    assert!(removal.what.starts_with("remove old orders: "), "{removal:?}");
    let mut replay = life.card.replay();
    while replay.instant() <= removal.promised {
        for plan in Plan::all(replay.pending()).iter().filter(|_| replay.instant() >= removal.sent) {
            let cut = Cut { plan: *plan, seed: replay.instant() as u64 };
            cut.perform(&lives, &life, &replay, &mut Seen::default(), &mut Story::default()).unwrap();
        }
        if replay.step().is_none() {
            break;
        }
    }
}

#[test]
fn every_kind_of_journal_is_met_by_the_seeds_of_a_full_run() {
    let kinds = |seed| (0..6).map(move |number| Kind::of(seed, number));
    let met: std::collections::BTreeSet<Kind> = (1..=100).flat_map(kinds).collect();
    assert_eq!(met.len(), Kind::ALL.len());
}

#[test]
fn a_journal_with_synchronous_normal_is_caught_within_1000_cuts() {
    let options = PowerOptions { journal: JournalKind::Weakened, stop_at_first: true, threads: 1, ..share(3, 1_000) };
    let card = run(&options).unwrap();
    assert!(card.lost > 0, "{card:#?}");
}

#[test]
fn a_card_that_lies_is_caught_within_1000_cuts() {
    let options = PowerOptions { card: CardKind::Lying, stop_at_first: true, threads: 1, ..share(4, 1_000) };
    let card = run(&options).unwrap();
    assert!(!card.is_clean(), "{card:#?}");
}

#[test]
fn a_cut_is_told_again_by_its_number() {
    let weak = PowerOptions { journal: JournalKind::Weakened, stop_at_first: true, threads: 1, ..share(3, 1_000) };
    let failed = run(&weak).unwrap().first_failed.unwrap();
    let told = replay(&weak, failed).unwrap();
    assert!(told.contains("the power fails after instant"), "{told}");
    assert!(told.contains("WRONG: Lost"), "{told}");
    assert!(!replay(&share(3, 0), failed).unwrap().contains("WRONG"));
}

#[test]
fn the_same_seed_gives_the_same_card() {
    let options = share(5, 100);
    assert_eq!(run(&options).unwrap(), run(&options).unwrap());
}
