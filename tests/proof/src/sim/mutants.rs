//! A proof that finds nothing proves nothing: mistakes are planted in the engine one by one, and lives are lived until one of
//! them is caught.

use std::fmt;

use payment::engine::mutant::{Mutant, plant};

use super::life::live;
use super::log::Log;

/// What became of a planted mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MutantCaught {
    /// The mistake.
    pub mutant: Mutant,
    /// The first seed that caught it, counted from 1; `None` when none did.
    pub seeds_needed: Option<u64>,
    /// What was found.
    pub what: String,
}

impl fmt::Display for MutantCaught {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = format!("{:?}", self.mutant);
        match self.seeds_needed {
            Some(seeds) => {
                let what: String = self.what.lines().next().unwrap_or_default().chars().take(110).collect();
                write!(f, "{name:<26} caught by seed {seeds:>4}: {what}")
            }
            None => write!(f, "{name:<26} NOT CAUGHT"),
        }
    }
}

/// Plants each mistake and lives lives from seed 1 on, at most `seeds_max` of them, until one breaks a promise.
#[must_use]
pub fn mutants(seeds_max: u64) -> Vec<MutantCaught> {
    // Nobody has to hear them: a mistake is found by what it breaks.
    let _hears = super::errors::listen();
    let caught = Mutant::ALL.into_iter().map(|mutant| catch(mutant, seeds_max)).collect();
    // What a mistake makes the terminal say is no finding about the terminal.
    let _errors = super::errors::take();
    caught
}

fn catch(mutant: Mutant, seeds_max: u64) -> MutantCaught {
    plant(Some(mutant));
    let found = (1..=seeds_max).find_map(|seed| Some((seed, live(seed, Log::counted()).violation?)));
    plant(None);
    match found {
        Some((seed, violation)) => MutantCaught {
            mutant,
            seeds_needed: Some(seed),
            what: format!("{:?}: {}", violation.wrong, violation.what),
        },
        None => MutantCaught { mutant, seeds_needed: None, what: String::new() },
    }
}
