//! Opens the scanner.

use std::sync::Arc;

use super::{DriverEnd, OpenError, Opening};
use crate::{
    board::ScannerKind,
    scanner::{Gate, serial::SerialScanner},
};

impl Opening<'_> {
    pub(super) fn scanner(&mut self) -> Result<(), OpenError> {
        let spec = &self.board.scanner;
        match spec.kind {
            ScannerKind::None => Ok(()),
            ScannerKind::Serial => {
                let path = spec.path.clone();
                let path = path.ok_or(OpenError::Incomplete("scanner.path"))?;
                let runtime = tokio::runtime::Handle::try_current().map_err(|_| OpenError::NoRuntime)?;
                let gate = Arc::new(Gate::new());
                let driver = SerialScanner::new(spec, path, Arc::clone(&gate), self.events.clone());
                self.devices.scanner = Some(gate);
                let end = DriverEnd::of("scanner", &self.events);
                self.devices.scanner_task = Some(runtime.spawn(async move {
                    let _end = end;
                    driver.run().await;
                }));
                Ok(())
            }
        }
    }
}
