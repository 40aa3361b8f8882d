//! Opens the controllers on serial lines that deliver.

use tokio::sync::mpsc::{self, error::TrySendError};

use super::{OpenError, Opening};
use crate::{
    board::{LineParity, VendKind},
    devices::VendRefused,
    port::{Parity, Settings},
    vend::{
        self,
        bus::{Bus, Protocol},
        mdb,
        motor::{MotorBoard, Spring},
        xy::Xy,
    },
};

fn why_refused<T>(refused: TrySendError<T>) -> VendRefused {
    match refused {
        TrySendError::Full(_) => VendRefused::Busy,
        TrySendError::Closed(_) => VendRefused::Stopped,
    }
}

impl Opening<'_> {
    /// One driver for all protocols, and one copy of it in the program.
    pub(super) fn controller(&mut self) -> Result<(), OpenError> {
        let spec = &self.board.vend;
        let (path, settings, protocol): (_, _, Box<dyn Protocol>) = match spec.kind {
            VendKind::None | VendKind::Relay | VendKind::Pulse => return Ok(()),
            VendKind::Xy => (&spec.xy.path, Settings::at(spec.xy.baud), Box::new(Xy::new(spec))),
            VendKind::Modbus => {
                let parity = match spec.modbus.parity {
                    LineParity::None => Parity::None,
                    LineParity::Even => Parity::Even,
                };
                let settings = Settings { parity, ..Settings::at(spec.modbus.baud) };
                (&spec.modbus.path, settings, Box::new(MotorBoard::new(spec)))
            }
            VendKind::Mdb => {
                let mdb = &spec.mdb;
                let settings = Settings::at(mdb.baud.unwrap_or(mdb.adapter.baud()));
                (&mdb.path, settings, Box::new(mdb::controller(spec)))
            }
            VendKind::Spring => (&spec.spring.path, Settings::at(spec.spring.baud), Box::new(Spring::new(spec))),
        };
        let path = path.clone().ok_or(OpenError::Incomplete("the path of its vending controller"))?;
        self.devices.slots = spec.slots.iter().map(|slot| slot.name.clone()).collect();
        let (sender, jobs) = mpsc::channel(vend::QUEUE_MAX);
        self.devices.vend = Some(Box::new(move |job| sender.try_send(job).map_err(why_refused)));
        let bus = Bus { path, settings, protocol, jobs, events: self.events.clone() };
        self.spawn("vend", move || bus.run())
    }
}
