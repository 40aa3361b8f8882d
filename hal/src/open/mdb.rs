//! Opens the cashless reader on MDB.

use tokio::sync::mpsc::{self, error::TrySendError};

use super::{OpenError, Opening};
use crate::{
    devices::VendRefused,
    port::Settings,
    vend::{self, bus::Bus, mdb},
};

impl Opening<'_> {
    pub(super) fn mdb(&mut self) -> Result<(), OpenError> {
        let spec = &self.board.vend;
        let path = spec.mdb.path.clone().ok_or(OpenError::Incomplete("vend.mdb.path"))?;
        let settings = Settings::at(spec.mdb.baud.unwrap_or(spec.mdb.adapter.baud()));
        let protocol = mdb::controller(spec);
        self.devices.slots = spec.slots.iter().map(|slot| slot.name.clone()).collect();
        let (sender, jobs) = mpsc::channel(vend::QUEUE_MAX);
        self.devices.vend = Some(Box::new(move |job| sender.try_send(job).map_err(why_refused)));
        let bus = Bus { path, settings, protocol, jobs, events: self.events.clone() };
        self.spawn("vend", move || bus.run())
    }
}

fn why_refused<T>(refused: TrySendError<T>) -> VendRefused {
    match refused {
        TrySendError::Full(_) => VendRefused::Busy,
        TrySendError::Closed(_) => VendRefused::Stopped,
    }
}
