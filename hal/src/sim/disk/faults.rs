//! What the card refuses.

/// How a card fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// No write finds room, as on a full file system that never writes in place. For one that runs full by size, see
    /// [`set_capacity`](super::Card::set_capacity).
    Full,
    /// No write succeeds.
    Write,
    /// No sync succeeds, and what it was to make safe stays unsafe.
    Sync,
    /// Nothing is read.
    Read,
    /// The file system takes no change: what Linux does when a card wears out.
    ReadOnly,
}

/// What is wrong with a card now, and what will be.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults {
    now: Option<Failure>,
    later: Option<(u64, Failure)>,
    /// Bytes that fit.
    pub(super) capacity: Option<u64>,
    /// It says "done" to a sync and does nothing.
    pub(super) lying: bool,
}

impl Faults {
    pub(super) fn begin(&mut self, after: u64, failure: Failure) {
        if after == 0 {
            self.now = Some(failure);
        } else {
            self.later = Some((after, failure));
        }
    }

    pub(super) fn heal(&mut self) {
        (self.now, self.later) = (None, None);
    }

    /// What is so of the card, whenever the power comes back.
    pub(super) fn of_the_card(&self) -> Self {
        Self { lying: self.lying, capacity: self.capacity, ..Self::default() }
    }

    pub(super) const fn now(&self) -> Option<Failure> {
        self.now
    }

    /// What is wrong as something that changes the card is asked for.
    pub(super) fn at_change(&mut self) -> Option<Failure> {
        match &mut self.later {
            Some((0, failure)) => {
                self.now = Some(*failure);
                self.later = None;
            }
            Some((left, _)) => *left -= 1,
            None => {}
        }
        self.now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_fails_after_so_many_changes_until_it_is_healed() {
        let mut faults = Faults::default();
        faults.begin(2, Failure::Write);
        assert_eq!([faults.at_change(), faults.at_change()], [None, None]);
        assert_eq!([faults.at_change(), faults.at_change()], [Some(Failure::Write); 2]);
        faults.heal();
        assert_eq!(faults.at_change(), None);
    }
}
