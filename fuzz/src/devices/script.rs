//! Steps out of any bytes: what happens, when, and with which bytes.

use std::time::Duration;

/// One thing that happens.
#[derive(Clone, Copy)]
pub(super) struct Step<'a> {
    /// Which.
    pub(super) what: u8,
    /// How long after the one before, in the target's own unit.
    pub(super) pause: u8,
    /// Its bytes, at most 255.
    pub(super) bytes: &'a [u8],
}

impl Step<'_> {
    /// The byte at this place; 0 behind the end.
    pub(super) fn byte(&self, place: usize) -> u8 {
        self.bytes.get(place).copied().unwrap_or_default()
    }
}

/// Three bytes before each step: what, pause, and how many bytes follow.
pub(super) fn steps(mut data: &[u8]) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    while let Some((&[what, pause, length], rest)) = data.split_first_chunk::<3>() {
        let (bytes, tail) = rest.split_at(usize::from(length).min(rest.len()));
        steps.push(Step { what, pause, bytes });
        data = tail;
    }
    steps
}

/// Something that is woken when it is due.
pub(super) trait Due {
    fn due(&self) -> Option<Duration>;
    fn woken(&mut self, now: Duration);
    /// Takes what it has to say.
    fn collect(&mut self, now: Duration);
}

/// So many times in one instant is no work any more.
const WAKES_MAX: u32 = 64;

/// Lets time pass up to `end`.
pub(super) fn pass(it: &mut impl Due, from: Duration, end: Duration) {
    let (mut now, mut wakes) = (from, 0);
    while let Some(due) = it.due().filter(|due| *due <= end) {
        wakes = if due > now { 0 } else { wakes + 1 };
        assert!(wakes < WAKES_MAX, "it spins");
        now = now.max(due);
        it.woken(now);
        it.collect(now);
    }
}
