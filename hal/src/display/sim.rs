//! The simulated machine's panel: only rows that changed go over the wire.

use std::{sync::Arc, time::Duration};

use super::{Display, DisplayError, changes::Shown, frame::Frame};
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
    shown: Shown,
}

impl SimDisplay {
    pub(crate) fn open(link: &Link, rotation: Rotation) -> Result<Self, DisplayError> {
        let wire = link.wire().map_err(|error| DisplayError::Lost(error.to_string()))?;
        Ok(Self { wire, shown: Shown::nothing(rotation) })
    }
}

/// A band of whole rows.
fn send(wire: &Wire, panel: &Frame, first: usize, rows: usize) -> Result<(), DisplayError> {
    let body: Vec<u8> = panel.rows().skip(first).take(rows).flatten().flat_map(|pixel| pixel.to_le_bytes()).collect();
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let header =
        ToMachine::Frame { width: panel.width(), height: panel.height(), first_row: number(first), rows: number(rows) };
    wire.order(&header, &body).map_err(|error| DisplayError::Lost(error.to_string()))
}

impl Display for SimDisplay {
    fn show(&mut self, frame: &Frame) -> Result<(), DisplayError> {
        let (panel, areas) = self.shown.next(frame);
        if let (Some(first), Some(last)) = (areas.first(), areas.last()) {
            send(&self.wire, panel, first.top, last.top + last.height - first.top)?;
        }
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
