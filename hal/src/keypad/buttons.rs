//! One line per key (reference/hardware.md 4.6): the kernel filters the bounce, a press counts, a release does not.

use std::time::Duration;

use super::Keypad;
use crate::{
    board::{KeypadSpec, LineSpec},
    event::Key,
    gpio::{Bank, InputLines, LineError},
    pace,
};

/// Buttons on lines. A button that is held down when the keypad is opened is a service request, not a press.
pub(super) struct Buttons {
    inputs: Box<dyn InputLines>,
    keys: Vec<Key>,
    pressed_at: Vec<Option<Duration>>,
    repeat: Duration,
}

impl Buttons {
    pub(super) fn open(bank: &Bank, spec: &KeypadSpec) -> Result<Self, LineError> {
        let wired: Vec<(Key, LineSpec)> =
            spec.keys.iter().filter_map(|key| Some((Key::from_name(&key.key)?, key.line.clone()?))).collect();
        let (keys, places): (Vec<Key>, Vec<LineSpec>) = wired.into_iter().unzip();
        let debounce = Duration::from_millis(spec.debounce_ms.into());
        Ok(Self {
            inputs: bank.inputs(&places, debounce)?,
            pressed_at: vec![None; keys.len()],
            keys,
            repeat: Duration::from_millis(spec.repeat_ms.into()),
        })
    }

    /// The key of a press at `now`; a second contact too soon after the first is a worn button.
    fn press(&mut self, index: usize, now: Duration) -> Option<Key> {
        let last = self.pressed_at.get_mut(index)?;
        if last.is_some_and(|last| now < last + self.repeat) {
            return None;
        }
        *last = Some(now);
        self.keys.get(index).copied()
    }
}

impl Keypad for Buttons {
    fn wait_press(&mut self, timeout: Duration) -> Result<Option<Key>, LineError> {
        let deadline = pace::now() + timeout;
        loop {
            let rest = deadline.saturating_sub(pace::now());
            let Some(edge) = self.inputs.wait_edge(rest)? else {
                return Ok(None);
            };
            if edge.active
                && let Some(key) = self.press(edge.index, pace::now())
            {
                return Ok(Some(key));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::gpio::Edge;

    struct Script(VecDeque<Edge>);

    impl InputLines for Script {
        fn is_active(&mut self, _: usize) -> Result<bool, LineError> {
            Ok(false)
        }

        fn wait_edge(&mut self, _: Duration) -> Result<Option<Edge>, LineError> {
            Ok(self.0.pop_front())
        }
    }

    fn buttons(edges: &[(usize, bool)]) -> Buttons {
        let edges = edges.iter().map(|&(index, active)| Edge { index, active });
        Buttons {
            inputs: Box::new(Script(edges.collect())),
            keys: vec![Key::Digit(1), Key::Ok],
            pressed_at: vec![None; 2],
            repeat: Duration::from_millis(150),
        }
    }

    #[test]
    fn presses_count_and_releases_do_not() {
        let mut keypad = buttons(&[(0, true), (0, false), (1, true), (1, false)]);
        let mut pressed = Vec::new();
        while let Some(key) = keypad.wait_press(Duration::from_secs(1)).unwrap() {
            pressed.push(key);
        }
        assert_eq!(pressed, [Key::Digit(1), Key::Ok]);
    }

    #[test]
    fn a_worn_button_is_one_press() {
        let mut keypad = buttons(&[]);
        let at = Duration::from_millis;
        assert_eq!(keypad.press(0, at(1000)), Some(Key::Digit(1)));
        assert_eq!(keypad.press(0, at(1149)), None);
        assert_eq!(keypad.press(1, at(1149)), Some(Key::Ok));
        assert_eq!(keypad.press(0, at(1150)), Some(Key::Digit(1)));
    }
}
