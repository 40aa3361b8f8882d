//! A keypad wired as a matrix: rows are driven, columns are read.
//!
//! All rows are on while nobody presses, so that any key shows as an edge and nothing is polled; then one row after the other
//! tells which key it was. Only a key that is down alone counts: with three keys down a matrix without diodes shows a fourth.

use std::time::Duration;

use super::Keypad;
use crate::{
    board::{KeypadSpec, LineSpec},
    event::Key,
    gpio::{Bank, InputLines, LineError, Output},
    pace,
};

/// A row's level reaches its columns within this time, cable and all.
const SETTLE: Duration = Duration::from_millis(1);
/// A contact that is not quiet after so many looks is broken.
const SCANS_MAX: usize = 5;

/// Keys row by row, and how they were at the last look.
struct Grid {
    keys: Vec<Option<Key>>,
    down: Vec<bool>,
    pressed_at: Option<Duration>,
    repeat: Duration,
}

impl Grid {
    /// The key that went down, if it is the only one and none was down at the look before, seen at `now`.
    fn judge(&mut self, now: Duration, down: Vec<bool>) -> Option<Key> {
        let was_free = !std::mem::replace(&mut self.down, down).contains(&true);
        let mut pressed = self.down.iter().zip(&self.keys).filter(|(down, _)| **down).map(|(_, key)| *key);
        let (Some(key), None) = (pressed.next()?, pressed.next()) else { return None };
        let too_soon = self.pressed_at.is_some_and(|last| now < last + self.repeat);
        (was_free && !too_soon).then(|| {
            self.pressed_at = Some(now);
            key
        })
    }
}

/// An open matrix.
pub(super) struct Matrix {
    rows: Vec<Output>,
    columns: Box<dyn InputLines>,
    width: usize,
    grid: Grid,
    debounce: Duration,
}

impl Matrix {
    /// A key that is held down at the start is no press.
    pub(super) fn open(bank: &Bank, spec: &KeypadSpec) -> Result<Self, LineError> {
        let rows = spec.rows.iter().map(|line: &LineSpec| bank.output(line)).collect::<Result<Vec<_>, _>>()?;
        let keys: Vec<Option<Key>> = spec.layout.iter().map(|name| Key::from_name(name)).collect();
        let mut matrix = Self {
            rows,
            // The kernel's filter would swallow what the rows are switched for: the bounce is waited out here.
            columns: bank.inputs(&spec.columns, Duration::ZERO)?,
            width: spec.columns.len(),
            grid: Grid {
                down: vec![false; keys.len()],
                keys,
                pressed_at: None,
                repeat: Duration::from_millis(spec.repeat_ms.into()),
            },
            debounce: Duration::from_millis(spec.debounce_ms.into()),
        };
        matrix.grid.down = matrix.look()?;
        Ok(matrix)
    }

    fn drive(&self, wanted: impl Fn(usize) -> bool) -> Result<(), LineError> {
        self.rows.iter().enumerate().try_for_each(|(index, row)| row.set(wanted(index)))
    }

    /// Which keys are down, row by row. Leaves all rows on, and no edge of its own; a key that moved meanwhile is looked at
    /// again, for its edge is gone with them.
    fn look(&mut self) -> Result<Vec<bool>, LineError> {
        let mut down = self.scan()?;
        for _ in 0..SCANS_MAX {
            if self.still_fits(&down)? {
                break;
            }
            down = self.scan()?;
        }
        Ok(down)
    }

    fn still_fits(&mut self, down: &[bool]) -> Result<bool, LineError> {
        for column in 0..self.width {
            let expected = down.iter().skip(column).step_by(self.width).any(|down| *down);
            if self.columns.is_active(column)? != expected {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn scan(&mut self) -> Result<Vec<bool>, LineError> {
        let mut down = Vec::new();
        for row in 0..self.rows.len() {
            self.drive(|index| index == row)?;
            pace::sleep(SETTLE);
            for column in 0..self.width {
                down.push(self.columns.is_active(column)?);
            }
        }
        self.drive(|_| true)?;
        pace::sleep(SETTLE);
        while self.columns.wait_edge(Duration::ZERO)?.is_some() {}
        Ok(down)
    }
}

impl Keypad for Matrix {
    fn wait_press(&mut self, timeout: Duration) -> Result<Option<Key>, LineError> {
        let deadline = pace::now() + timeout;
        loop {
            let rest = deadline.saturating_sub(pace::now());
            if self.columns.wait_edge(rest)?.is_none() {
                return Ok(None);
            }
            pace::sleep(self.debounce);
            let down = self.look()?;
            if let Some(key) = self.grid.judge(pace::now(), down) {
                return Ok(Some(key));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, mpsc};

    use super::*;
    use crate::gpio::{Edge, Lines, OutputLine};

    /// Rows and columns of copper, with a switch at each crossing.
    #[derive(Default)]
    struct Copper {
        driven: Vec<bool>,
        closed: Vec<(usize, usize)>,
        watchers: Vec<mpsc::Sender<Edge>>,
        levels: Vec<bool>,
    }

    impl Copper {
        fn settle(&mut self) {
            for column in 0..self.levels.len() {
                let level = self.closed.iter().any(|(row, at)| *at == column && self.driven[*row]);
                if std::mem::replace(&mut self.levels[column], level) != level {
                    for watcher in &self.watchers {
                        let _ = watcher.send(Edge { index: column, active: level });
                    }
                }
            }
        }
    }

    #[derive(Clone, Default)]
    struct Bench(Arc<Mutex<Copper>>);

    impl Bench {
        fn close(&self, closed: &[(usize, usize)]) {
            let mut copper = self.0.lock().unwrap();
            copper.closed = closed.to_vec();
            copper.settle();
        }
    }

    struct Row(Bench, usize);

    impl OutputLine for Row {
        fn set(&self, active: bool) -> Result<(), LineError> {
            let mut copper = self.0.0.lock().unwrap();
            copper.driven[self.1] = active;
            copper.settle();
            Ok(())
        }

        fn set_inactive_now(&self) {}
    }

    struct Columns(Bench, mpsc::Receiver<Edge>);

    impl InputLines for Columns {
        fn is_active(&mut self, index: usize) -> Result<bool, LineError> {
            Ok(self.0.0.lock().unwrap().levels[index])
        }

        fn wait_edge(&mut self, _: Duration) -> Result<Option<Edge>, LineError> {
            Ok(self.1.try_recv().ok())
        }
    }

    impl Lines for Bench {
        fn output(&self, _: &LineSpec) -> Result<Box<dyn OutputLine>, LineError> {
            let mut copper = self.0.lock().unwrap();
            copper.driven.push(false);
            Ok(Box::new(Row(self.clone(), copper.driven.len() - 1)))
        }

        fn inputs(&self, lines: &[LineSpec], _: Duration) -> Result<Box<dyn InputLines>, LineError> {
            let (sender, edges) = mpsc::channel();
            let mut copper = self.0.lock().unwrap();
            copper.levels = vec![false; lines.len()];
            copper.watchers.push(sender);
            Ok(Box::new(Columns(self.clone(), edges)))
        }
    }

    fn keypad(bench: &Bench) -> Matrix {
        let line = |name: &str| LineSpec { name: Some(name.into()), ..LineSpec::default() };
        let spec = KeypadSpec {
            rows: ["r1", "r2"].map(line).to_vec(),
            columns: ["c1", "c2", "c3"].map(line).to_vec(),
            layout: ["1", "2", "3", "ok", "", "cancel"].map(String::from).to_vec(),
            debounce_ms: 1,
            repeat_ms: 0,
            ..KeypadSpec::default()
        };
        Matrix::open(&Bank::new(Arc::new(bench.clone())), &spec).unwrap()
    }

    fn press(keypad: &mut Matrix) -> Option<Key> {
        keypad.wait_press(Duration::ZERO).unwrap()
    }

    #[test]
    fn every_crossing_is_its_own_key_and_a_hole_is_none() {
        let bench = Bench::default();
        let mut keypad = keypad(&bench);
        let keys =
            [Some(Key::Digit(1)), Some(Key::Digit(2)), Some(Key::Digit(3)), Some(Key::Ok), None, Some(Key::Cancel)];
        for (place, key) in keys.into_iter().enumerate() {
            bench.close(&[(place / 3, place % 3)]);
            assert_eq!(press(&mut keypad), key, "{place}");
            bench.close(&[]);
            assert_eq!(press(&mut keypad), None, "a release is no press");
        }
    }

    #[test]
    fn a_key_beside_another_is_no_press_until_both_are_up() {
        let bench = Bench::default();
        let mut keypad = keypad(&bench);
        bench.close(&[(0, 0)]);
        assert_eq!(press(&mut keypad), Some(Key::Digit(1)));
        for closed in [&[(0, 0), (1, 2)][..], &[(1, 2)]] {
            bench.close(closed);
            assert_eq!(press(&mut keypad), None, "{closed:?}");
        }
        bench.close(&[]);
        assert_eq!(press(&mut keypad), None);
        bench.close(&[(1, 2)]);
        assert_eq!(press(&mut keypad), Some(Key::Cancel));
    }

    #[test]
    fn a_key_that_is_held_down_at_the_start_is_no_press() {
        let bench = Bench::default();
        bench.0.lock().unwrap().closed = vec![(0, 1)];
        let mut keypad = keypad(&bench);
        assert_eq!(press(&mut keypad), None);
        bench.close(&[]);
        assert_eq!(press(&mut keypad), None);
        bench.close(&[(0, 1)]);
        assert_eq!(press(&mut keypad), Some(Key::Digit(2)));
    }

    #[test]
    fn a_worn_contact_is_one_press() {
        let keys = vec![Some(Key::Ok)];
        let mut grid = Grid { keys, down: vec![false], pressed_at: None, repeat: Duration::from_millis(150) };
        let at = Duration::from_millis;
        assert_eq!(grid.judge(at(1000), vec![true]), Some(Key::Ok));
        assert_eq!(grid.judge(at(1030), vec![false]), None);
        assert_eq!(grid.judge(at(1060), vec![true]), None);
        assert_eq!(grid.judge(at(1200), vec![false]), None);
        assert_eq!(grid.judge(at(1300), vec![true]), Some(Key::Ok));
    }
}
