//! Opens the printer.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::{OpenError, Opening};
use crate::{
    board::PrinterKind,
    port::Settings,
    printer::{Driver, QUEUE_MAX, Session, Way},
};

impl Opening<'_> {
    pub(super) fn printer(&mut self) -> Result<(), OpenError> {
        let spec = &self.board.printer;
        let way = match spec.kind {
            PrinterKind::None => return Ok(()),
            PrinterKind::Serial => Way::Serial(Settings::at(spec.baud)),
            PrinterKind::Usb => Way::Usb,
        };
        let path = spec.path.clone().ok_or(OpenError::Incomplete("printer.path"))?;
        let (sender, receipts) = mpsc::channel(QUEUE_MAX);
        let session = Session::new(spec, Arc::clone(&self.devices.prints_dropped));
        self.devices.printer = Some(sender);
        let driver = Driver { path, way, session, receipts, events: self.events.clone() };
        self.spawn("printer", move || driver.run())
    }
}
