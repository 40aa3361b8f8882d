//! Opens what delivers.

use std::sync::{
    Arc,
    mpsc::{self, TrySendError},
};

use super::{Backend, OpenError, Opening};
use crate::{
    board::VendKind,
    devices::VendRefused,
    vend::{self, Vend, pulse::PulseVend, relay::RelayVend},
};

fn why_refused<T>(refused: TrySendError<T>) -> VendRefused {
    match refused {
        TrySendError::Full(_) => VendRefused::Busy,
        TrySendError::Disconnected(_) => VendRefused::Stopped,
    }
}

impl Opening<'_> {
    pub(super) fn vend(&mut self) -> Result<(), OpenError> {
        match self.board.vend.kind {
            VendKind::None => Ok(()),
            VendKind::Relay | VendKind::Pulse => self.driven_lines(),
            VendKind::Xy | VendKind::Modbus | VendKind::Spring | VendKind::Mdb => self.controller(),
        }
    }

    /// Relays or pulses.
    fn driven_lines(&mut self) -> Result<(), OpenError> {
        let Backend { bank, counter, .. } = self.backend()?;
        let (bank, counter) = (Arc::clone(bank), counter.clone());
        let spec = self.board.vend.clone();
        self.devices.slots = spec.slots.iter().map(|slot| slot.name.clone()).collect();
        let (sender, jobs) = mpsc::sync_channel(vend::QUEUE_MAX);
        self.devices.vend = Some(Box::new(move |job| sender.try_send(job).map_err(why_refused)));
        let worker = vend::Worker {
            open: Box::new(move || {
                let vend: Box<dyn Vend> = if spec.kind == VendKind::Pulse {
                    Box::new(PulseVend::open(&bank, &spec)?)
                } else {
                    Box::new(RelayVend::open(&bank, counter.clone(), &spec)?)
                };
                Ok(vend)
            }),
            jobs,
            events: self.events.clone(),
        };
        self.spawn("vend", move || worker.run())
    }
}
