//! What a board must fulfil beyond its shape: small named checks, one file for each section.

mod about;
mod buzzer;
mod controllers;
mod display;
mod keypad;
mod lines;
mod mdb;
mod ports;
mod printer;
mod pulse;
mod scanner;
mod sim;
mod sound;
mod vend;

use std::ops::RangeInclusive;

use super::BoardSpec;

pub(crate) use lines::bcm_number;

/// One thing that is wrong with a board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The key in the file, such as `vend.slots[2].name`.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub advice: String,
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, key: impl Into<String>, problem: impl Into<String>, advice: impl Into<String>) {
        self.0.push(Finding { key: key.into(), problem: problem.into(), advice: advice.into() });
    }

    fn in_range(&mut self, key: &str, value: u32, range: RangeInclusive<u32>, unit: &str) {
        if !range.contains(&value) {
            self.add(
                key,
                format!("{value} {unit} is out of range"),
                format!("use {} to {} {unit}", range.start(), range.end()),
            );
        }
    }
}

type Check = fn(&BoardSpec, &mut Findings);

/// Every check of a board, section by section.
const CHECKS: &[&[Check]] = &[
    &[board_has_a_name],
    about::CHECKS,
    display::CHECKS,
    scanner::CHECKS,
    lines::CHECKS,
    vend::CHECKS,
    mdb::CHECKS,
    keypad::CHECKS,
    buzzer::CHECKS,
    printer::CHECKS,
    sound::CHECKS,
    pulse::CHECKS,
    controllers::CHECKS,
    sim::CHECKS,
];

impl BoardSpec {
    /// Runs every check; an empty list means the board is sound.
    #[must_use]
    pub fn validate(&self) -> Vec<Finding> {
        let mut findings = Findings::default();
        for check in CHECKS.iter().copied().flatten() {
            check(self, &mut findings);
        }
        findings.0
    }
}

fn board_has_a_name(board: &BoardSpec, found: &mut Findings) {
    if board.name.trim().is_empty() {
        found.add("name", "the board has no name", "add name = \"…\" as the first line");
    }
}
