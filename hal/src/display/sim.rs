//! The simulated machine's panel: only rows that changed go over the wire.

use std::{sync::Arc, time::Duration};

use super::{Display, DisplayError, frame::Frame};
use crate::{
    board::Rotation,
    sim::{
        link::{Link, Wire},
        protocol::ToMachine,
    },
};

/// A panel of the simulated machine.
pub struct SimDisplay {
    wire: Arc<Wire>,
    rotation: Rotation,
    shown: Option<Frame>,
}

/// The smallest band of rows that covers every difference: first row and number. `None`: the pictures are equal.
fn changed_rows(old: &Frame, new: &Frame) -> Option<(usize, usize)> {
    let mut differing = (0..).zip(old.rows().zip(new.rows())).filter(|(_, (old, new))| old != new).map(|(row, _)| row);
    let first: usize = differing.next()?;
    let last = differing.last().unwrap_or(first);
    Some((first, last - first + 1))
}

impl SimDisplay {
    pub(crate) fn open(link: &Link, rotation: Rotation) -> Result<Self, DisplayError> {
        let wire = link.wire().map_err(|error| DisplayError::Lost(error.to_string()))?;
        Ok(Self { wire, rotation, shown: None })
    }

    fn send(&self, panel: &Frame, first: usize, rows: usize) -> Result<(), DisplayError> {
        let body: Vec<u8> =
            panel.rows().skip(first).take(rows).flatten().flat_map(|pixel| pixel.to_le_bytes()).collect();
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let header = ToMachine::Frame {
            width: panel.width(),
            height: panel.height(),
            first_row: number(first),
            rows: number(rows),
        };
        self.wire.order(&header, &body).map_err(|error| DisplayError::Lost(error.to_string()))
    }
}

impl Display for SimDisplay {
    fn show(&mut self, frame: &Frame) -> Result<(), DisplayError> {
        let panel = frame.rotated(self.rotation);
        let same_size = |old: &&Frame| (old.width(), old.height()) == (panel.width(), panel.height());
        let band = match self.shown.as_ref().filter(same_size) {
            Some(old) => changed_rows(old, &panel),
            None => Some((0, panel.height() as usize)),
        };
        if let Some((first, rows)) = band {
            self.send(&panel, first, rows)?;
        }
        self.shown = Some(panel);
        Ok(())
    }

    fn check_every(&self) -> Option<Duration> {
        Some(Duration::from_secs(1))
    }

    fn check(&mut self) -> Result<(), DisplayError> {
        if self.wire.is_dead() {
            return Err(DisplayError::Lost("the simulated machine is away".into()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use embedded_graphics::pixelcolor::{Rgb565, RgbColor};

    use super::*;

    #[test]
    fn only_the_band_that_changed_is_sent() {
        let old = Frame::new(4, 6);
        let mut new = old.clone();
        assert_eq!(changed_rows(&old, &new), None);
        for row in new.rows_mut().skip(2).take(3) {
            row[1] = 7;
        }
        assert_eq!(changed_rows(&old, &new), Some((2, 3)));
        assert_eq!(changed_rows(&old, &Frame::filled(4, 6, Rgb565::WHITE)), Some((0, 6)));
    }
}
