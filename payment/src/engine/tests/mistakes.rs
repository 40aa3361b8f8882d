//! Mistakes of the kinds that people make are planted in the engine: the lives of [`super::random`] must find each of them.

use std::panic::catch_unwind;

use super::random::live;
use crate::engine::mutant::{Mutant, plant};

/// So many lives are enough to find a mistake.
const LIVES: u64 = 1000;

#[test]
fn every_planted_mistake_about_channels_refunds_and_duties_is_found() {
    let mistakes = [
        Mutant::FailedRefundIsDropped,
        Mutant::ApprovalSkipped,
        Mutant::AskerApproves,
        Mutant::CancelNotWaitedFor,
        Mutant::OldCodeForgotten,
        Mutant::DutyForgottenAtRestart,
    ];
    for mistake in mistakes {
        plant(Some(mistake));
        let found = (0..LIVES).find(|seed| catch_unwind(|| live(*seed)).is_err());
        plant(None);
        println!("{mistake:?} is found by life {found:?}");
        assert!(found.is_some(), "{mistake:?} is not found in {LIVES} lives");
    }
}
