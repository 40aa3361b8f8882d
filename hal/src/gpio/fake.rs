//! A kernel with GPIO chips in memory, for tests: what [`chardev`](super::chardev) meets, with the search that it uses.
//!
//! Chips get other numbers at every boot, pins stand at their pull until somebody drives them, a line belongs to one user,
//! and what becomes of an output whose user is gone depends on the kernel (reference/hardware.md 4.2, 4.4 and 9).

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Arc, Condvar, Mutex, MutexGuard},
    time::Duration,
};

use super::{
    Edge, InputLines, LineError, Lines, OutputLine,
    place::{self, Chip, Place},
};
use crate::board::LineSpec;

/// What the kernel does with an output when its user lets go of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Release {
    /// It stays driven: Raspberry Pi's kernels.
    Keep,
    /// It becomes an input and falls back to its pull.
    Drop,
}

#[derive(Debug, Default)]
struct Pin {
    name: String,
    /// The pull, or what is wired to it.
    outside: bool,
    driven: Option<bool>,
    held: bool,
    /// Every level that the world saw, in order.
    history: Vec<bool>,
    waiting: VecDeque<bool>,
}

impl Pin {
    fn level(&self) -> bool {
        self.driven.unwrap_or(self.outside)
    }

    fn note(&mut self, before: bool) {
        let now = self.level();
        if now != before {
            self.history.push(now);
            if self.held && self.driven.is_none() {
                self.waiting.push_back(now);
            }
        }
    }

    fn drive(&mut self, driven: Option<bool>) {
        let before = self.level();
        self.driven = driven;
        self.note(before);
    }
}

struct FakeChip {
    number: usize,
    label: String,
    pins: Vec<Pin>,
    plugged: bool,
}

struct Kernel {
    chips: Vec<FakeChip>,
    release: Release,
}

/// The machine's chips.
#[derive(Clone)]
pub(crate) struct FakeKernel(Arc<(Mutex<Kernel>, Condvar)>);

impl FakeKernel {
    /// Chips by label, with the names of their lines (empty: no name) and the level that each has at power-on.
    pub(crate) fn boot(seed: u64, release: Release, chips: &[(&str, &[(&str, bool)])]) -> Self {
        let mut numbers: Vec<usize> = (0..chips.len()).collect();
        numbers.rotate_left(usize::try_from(seed).unwrap() % chips.len().max(1));
        let pin = |&(name, outside): &(&str, bool)| Pin { name: name.into(), outside, ..Pin::default() };
        let chips = chips.iter().zip(numbers).map(|((label, pins), number)| FakeChip {
            number,
            label: (*label).into(),
            pins: pins.iter().map(pin).collect(),
            plugged: true,
        });
        Self(Arc::new((Mutex::new(Kernel { chips: chips.collect(), release }), Condvar::new())))
    }

    fn kernel(&self) -> MutexGuard<'_, Kernel> {
        self.0.0.lock().unwrap()
    }

    /// Unplugs a chip, or plugs it in again under a new number.
    pub(crate) fn plug(&self, label: &str, plugged: bool) {
        let mut kernel = self.kernel();
        let free = kernel.chips.iter().map(|chip| chip.number).max().unwrap_or_default() + 1;
        for chip in kernel.chips.iter_mut().filter(|chip| chip.label == label) {
            chip.plugged = plugged;
            chip.number = free;
            if !plugged {
                for pin in &mut chip.pins {
                    pin.drive(None);
                    pin.held = false;
                }
            }
        }
        self.0.1.notify_all();
    }

    fn at<T>(&self, label: &str, offset: usize, act: impl FnOnce(&mut Pin) -> T) -> T {
        let mut kernel = self.kernel();
        let chip = kernel.chips.iter_mut().find(|chip| chip.label == label).unwrap();
        let done = act(&mut chip.pins[offset]);
        drop(kernel);
        self.0.1.notify_all();
        done
    }

    /// Presses a button, or lets go of it: the world drives the pin.
    pub(crate) fn press(&self, label: &str, offset: usize, high: bool) {
        self.at(label, offset, |pin| {
            let before = pin.level();
            pin.outside = high;
            pin.note(before);
        });
    }

    pub(crate) fn level(&self, label: &str, offset: usize) -> bool {
        self.at(label, offset, |pin| pin.level())
    }

    /// Every change of level since power-on.
    pub(crate) fn history(&self, label: &str, offset: usize) -> Vec<bool> {
        self.at(label, offset, |pin| pin.history.clone())
    }

    fn find(&self, line: &LineSpec) -> Result<Place, LineError> {
        let kernel = self.kernel();
        let path = |number| PathBuf::from(format!("/dev/gpiochip{number}"));
        let mut seen: Vec<Chip> = kernel
            .chips
            .iter()
            .filter(|chip| chip.plugged)
            .map(|chip| Chip {
                path: path(chip.number),
                label: chip.label.clone(),
                names: chip.pins.iter().map(|pin| pin.name.clone()).collect(),
            })
            .collect();
        seen.sort_by(|one, other| one.path.cmp(&other.path));
        place::find(line, &seen, &[])
    }

    fn hold(&self, line: &LineSpec, set_up: impl FnOnce(&mut Pin)) -> Result<FakeLine, LineError> {
        let mut held = FakeLine { kernel: self.clone(), place: self.find(line)?, line: line.clone(), owned: false };
        held.owned = held.with(|pin| {
            let free = !std::mem::replace(&mut pin.held, true);
            if free {
                set_up(pin);
            }
            free
        })?;
        let taken = || LineError::Failed { line: line.id(), why: "it is in use by another".into() };
        if held.owned { Ok(held) } else { Err(taken()) }
    }
}

/// A requested line.
struct FakeLine {
    kernel: FakeKernel,
    place: Place,
    line: LineSpec,
    owned: bool,
}

impl FakeLine {
    fn with<T>(&self, act: impl FnOnce(&mut Pin) -> T) -> Result<T, LineError> {
        let mut kernel = self.kernel.kernel();
        let path = self.place.chip.to_string_lossy();
        let chip = kernel.chips.iter_mut().find(|chip| chip.plugged && path == format!("/dev/gpiochip{}", chip.number));
        let chip = chip.ok_or_else(|| LineError::Gone(format!("the chip of line {} was unplugged", self.line.id())))?;
        Ok(act(&mut chip.pins[usize::try_from(self.place.offset).unwrap()]))
    }

    fn active(&self, high: bool) -> bool {
        high != self.line.active_low
    }
}

impl OutputLine for FakeLine {
    fn set(&self, active: bool) -> Result<(), LineError> {
        self.with(|pin| pin.drive(Some(self.active(active))))
    }

    fn set_inactive_now(&self) {
        let _ = self.set(false);
    }

    fn is_active(&self) -> Result<Option<bool>, LineError> {
        self.with(|pin| Some(self.active(pin.level())))
    }
}

impl Drop for FakeLine {
    fn drop(&mut self) {
        let release = self.kernel.kernel().release;
        if self.owned {
            let _ = self.with(|pin| {
                pin.held = false;
                pin.waiting.clear();
                if release == Release::Drop {
                    pin.drive(None);
                }
            });
        }
    }
}

struct FakeInputs(FakeKernel, Vec<FakeLine>);

impl FakeInputs {
    fn next(&self) -> Result<Option<Edge>, LineError> {
        for (index, line) in self.1.iter().enumerate() {
            if let Some(high) = line.with(|pin| pin.waiting.pop_front())? {
                return Ok(Some(Edge { index, active: line.active(high) }));
            }
        }
        Ok(None)
    }
}

impl InputLines for FakeInputs {
    fn is_active(&mut self, index: usize) -> Result<bool, LineError> {
        let line = &self.1[index];
        line.with(|pin| line.active(pin.level()))
    }

    fn wait_edge(&mut self, timeout: Duration) -> Result<Option<Edge>, LineError> {
        if let Some(edge) = self.next()? {
            return Ok(Some(edge));
        }
        let kernel = self.0.kernel();
        drop(self.0.0.1.wait_timeout(kernel, timeout.min(Duration::from_millis(50))).unwrap());
        self.next()
    }
}

impl Lines for FakeKernel {
    fn output(&self, line: &LineSpec) -> Result<Box<dyn OutputLine>, LineError> {
        let inactive = line.active_low;
        Ok(Box::new(self.hold(line, |pin| pin.drive(Some(inactive)))?))
    }

    fn inputs(&self, lines: &[LineSpec], _debounce: Duration) -> Result<Box<dyn InputLines>, LineError> {
        let input = |line: &LineSpec| {
            // A pull moves only what nobody drives, and every pin here is driven by what is wired to it.
            self.hold(line, |pin| pin.waiting.clear())
        };
        let lines = lines.iter().map(input).collect::<Result<Vec<_>, _>>()?;
        Ok(Box::new(FakeInputs(self.clone(), lines)))
    }
}

/// What must hold on every kernel.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::{gpio::Bank, safe_state::MakeSafe};

    const PI: (&str, &[(&str, bool)]) = ("pinctrl-rp1", &[("GPIO0", true), ("GPIO16", false), ("GPIO17", true)]);
    const EXPANDER: (&str, &[(&str, bool)]) = ("usb-expander", &[("", false), ("", true)]);

    fn boot(seed: u64, release: Release) -> FakeKernel {
        FakeKernel::boot(seed, release, &[("raspberrypi-exp-gpio", &[("BT_ON", true)]), PI, EXPANDER])
    }

    fn named(name: &str) -> LineSpec {
        LineSpec { name: Some(name.into()), ..LineSpec::default() }
    }

    fn placed(label: &str, offset: u32) -> LineSpec {
        LineSpec { chip: Some(label.into()), offset: Some(offset), ..LineSpec::default() }
    }

    fn why(result: Result<crate::gpio::Output, LineError>) -> String {
        result.err().unwrap().to_string()
    }

    #[test]
    fn a_line_is_found_under_whatever_number_its_chip_has_this_time() {
        for seed in 0..3 {
            let kernel = boot(seed, Release::Keep);
            let bank = Bank::new(Arc::new(kernel.clone()));
            bank.output(&named("GPIO16")).unwrap().set(true).unwrap();
            bank.output(&placed("usb-expander", 0)).unwrap().set(true).unwrap();
            assert_eq!(kernel.history("pinctrl-rp1", 1), [true, false], "seed {seed}");
            assert_eq!(kernel.history("usb-expander", 0), [true, false], "seed {seed}");
            assert_eq!(kernel.history("raspberrypi-exp-gpio", 0), Vec::<bool>::new(), "seed {seed}");
        }
    }

    #[test]
    fn a_chip_with_another_label_is_refused_though_it_has_the_offset() {
        let bank = Bank::new(Arc::new(boot(0, Release::Keep)));
        let text = why(bank.output(&placed("pinctrl-bcm2711", 1)));
        assert!(text.contains("pinctrl-bcm2711") && text.contains("pinctrl-rp1"), "{text}");
        assert!(why(bank.output(&placed("pinctrl-rp1", 3))).contains("pinctrl-rp1 has a line 3"));
        assert!(why(bank.output(&named("GPIO99"))).contains("GPIO99"));
    }

    #[test]
    fn what_is_there_twice_is_refused() {
        let kernel = FakeKernel::boot(1, Release::Keep, &[PI, EXPANDER, EXPANDER]);
        let bank = Bank::new(Arc::new(kernel));
        assert!(why(bank.output(&placed("usb-expander", 0))).contains("twice"));
        let kernel = FakeKernel::boot(1, Release::Keep, &[PI, ("other", &[("GPIO16", false)])]);
        let bank = Bank::new(Arc::new(kernel));
        assert!(why(bank.output(&named("GPIO16"))).contains("twice"));
        bank.output(&placed("other", 0)).unwrap();
    }

    #[test]
    fn requesting_a_relay_never_lets_it_click() {
        let kernel = boot(0, Release::Keep);
        let bank = Bank::new(Arc::new(kernel.clone()));
        let inverted = LineSpec { active_low: true, ..named("GPIO17") };
        let (_one, _other) = (bank.output(&inverted).unwrap(), bank.output(&named("GPIO16")).unwrap());
        assert_eq!(kernel.history("pinctrl-rp1", 2), Vec::<bool>::new(), "high at power-on, high when it is off");
        assert_eq!(kernel.history("pinctrl-rp1", 1), Vec::<bool>::new(), "low at power-on, low when it is off");
        assert!(why(bank.output(&named("GPIO16"))).contains("in use"));
    }

    #[test]
    fn a_relay_whose_user_was_killed_stays_on_only_where_the_kernel_keeps_it_and_asking_again_switches_it_off() {
        for (release, after_kill) in [(Release::Keep, true), (Release::Drop, false)] {
            let kernel = boot(0, release);
            let relay = kernel.output(&named("GPIO16")).unwrap();
            relay.set(true).unwrap();
            // The kernel closes what a killed program had open; none of the program's own code runs.
            drop(relay);
            assert_eq!(kernel.level("pinctrl-rp1", 1), after_kill, "{release:?}");
            drop(Bank::new(Arc::new(kernel.clone())).output(&named("GPIO16")).unwrap());
            assert!(!kernel.level("pinctrl-rp1", 1), "{release:?}");
        }
    }

    #[test]
    fn an_output_is_off_after_a_normal_end_on_every_kernel() {
        for release in [Release::Keep, Release::Drop] {
            let kernel = boot(2, release);
            let bank = Bank::new(Arc::new(kernel.clone()));
            let relay = bank.output(&named("GPIO16")).unwrap();
            relay.set(true).unwrap();
            bank.make_safe();
            assert!(!kernel.level("pinctrl-rp1", 1), "{release:?}");
            drop(relay);
            assert!(!kernel.level("pinctrl-rp1", 1), "{release:?}");
        }
    }

    #[test]
    fn an_expander_that_is_unplugged_is_noticed_without_switching_and_found_again_under_another_number() {
        let kernel = boot(0, Release::Keep);
        let bank = Bank::new(Arc::new(kernel.clone()));
        let relay = bank.output(&placed("usb-expander", 0)).unwrap();
        let mut keys = bank.inputs(&[placed("usb-expander", 1)], Duration::ZERO).unwrap();
        assert_eq!(relay.is_active().unwrap(), Some(false));
        kernel.plug("usb-expander", false);
        assert!(matches!(relay.is_active(), Err(LineError::Gone(_))));
        assert!(matches!(keys.wait_edge(Duration::from_secs(1)), Err(LineError::Gone(_))));
        assert!(why(bank.output(&placed("usb-expander", 0))).contains("usb-expander"));
        kernel.plug("usb-expander", true);
        assert!(matches!(relay.is_active(), Err(LineError::Gone(_))), "the old request does not come back to life");
        // What the program held died with the chip.
        drop((relay, keys));
    }

    #[test]
    fn presses_arrive_in_order_and_a_level_at_the_start_is_no_edge() {
        let kernel = boot(0, Release::Keep);
        kernel.press("pinctrl-rp1", 0, false);
        let keys = [LineSpec { active_low: true, ..named("GPIO0") }, named("GPIO16")];
        let mut keys = kernel.inputs(&keys, Duration::ZERO).unwrap();
        assert!(keys.is_active(0).unwrap(), "held down at the start");
        assert_eq!(keys.wait_edge(Duration::ZERO).unwrap(), None);
        kernel.press("pinctrl-rp1", 0, true);
        kernel.press("pinctrl-rp1", 0, false);
        let edge = |active| Some(Edge { index: 0, active });
        assert_eq!(keys.wait_edge(Duration::ZERO).unwrap(), edge(false));
        assert_eq!(keys.wait_edge(Duration::ZERO).unwrap(), edge(true));
    }
}
