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
fn a_journal_of_old_sales_survives_their_removal() {
    let runtime = runtime().unwrap();
    let options = PowerOptions::new(2, 0);
    let lives = Lives { options: &options, runtime: &runtime };
    let life = lives.live(33).unwrap();
    assert!(life.requests.iter().any(|request| request.what.starts_with("remove old orders: ")), "{:?}", life.requests);
    let removed = life.states.windows(2).any(|pair| pair[1].entries < pair[0].entries);
    assert!(removed, "nothing was removed");
    let replay = life.card.replay();
    Cut { plan: Plan::AllLost, seed: 1 }
        .perform(&lives, &life, &replay, &mut Seen::default(), &mut Story::default())
        .unwrap();
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
