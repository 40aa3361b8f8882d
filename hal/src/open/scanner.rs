//! Opens the scanner.

use std::{path::PathBuf, sync::Arc};

use super::{DriverEnd, OpenError, Opening};
use crate::{
    board::{DialectKind, ScannerKind},
    pace,
    scanner::{
        Gate, Memory,
        hid::{Reports, driver::HidScanner, keyboard::Keyboard, pos::Pos},
        serial::SerialScanner,
    },
};

impl Opening<'_> {
    pub(super) fn scanner(&mut self, memory: Option<Memory>) -> Result<(), OpenError> {
        let spec = &self.board.scanner;
        match spec.kind {
            ScannerKind::None => Ok(()),
            ScannerKind::Serial => {
                let (path, gate) = (self.scanner_path()?, Arc::new(Gate::new()));
                let driver = SerialScanner::new(spec, path, Arc::clone(&gate), self.events.clone());
                let memory = memory.filter(|_| spec.dialect == DialectKind::Auto);
                self.run_scanner(gate, driver.remembering(memory).run())
            }
            ScannerKind::Keyboard => self.hid(Box::new(Keyboard::new(spec, pace::now()))),
            ScannerKind::HidPos => self.hid(Box::new(Pos::new(spec, pace::now()))),
        }
    }

    fn hid(&mut self, reports: Box<dyn Reports>) -> Result<(), OpenError> {
        let (path, gate) = (self.scanner_path()?, Arc::new(Gate::new()));
        let driver = HidScanner::new(path, reports, Arc::clone(&gate), self.events.clone());
        self.run_scanner(gate, driver.run())
    }

    fn scanner_path(&self) -> Result<PathBuf, OpenError> {
        self.board.scanner.path.clone().ok_or(OpenError::Incomplete("scanner.path"))
    }

    fn run_scanner(
        &mut self,
        gate: Arc<Gate>,
        run: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), OpenError> {
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| OpenError::NoRuntime)?;
        let end = DriverEnd::of("scanner", &self.events);
        self.devices.scanner = Some(gate);
        self.devices.scanner_task = Some(runtime.spawn(async move {
            let _end = end;
            run.await;
        }));
        Ok(())
    }
}
