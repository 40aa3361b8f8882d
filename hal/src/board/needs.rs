//! What of the computer a board needs: files and chips.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::{BoardSpec, PrinterKind, ScannerKind, VendKind};

impl BoardSpec {
    /// The files that its devices are, each with its key; those of sections that are not used are left out.
    #[must_use]
    pub fn device_files(&self) -> Vec<(&'static str, &Path)> {
        let (display, vend) = (&self.display, &self.vend);
        let light = display.light.as_ref().and_then(|light| light.backlight.as_ref());
        let controller = match vend.kind {
            VendKind::None | VendKind::Relay | VendKind::Pulse => ("vend", None),
            VendKind::Xy => ("vend.xy.path", vend.xy.path.as_ref()),
            VendKind::Modbus => ("vend.modbus.path", vend.modbus.path.as_ref()),
            VendKind::Mdb => ("vend.mdb.path", vend.mdb.path.as_ref()),
            VendKind::Spring => ("vend.spring.path", vend.spring.path.as_ref()),
        };
        let scanner = self.scanner.path.as_ref().filter(|_| self.scanner.kind != ScannerKind::None);
        let printer = self.printer.path.as_ref().filter(|_| self.printer.kind != PrinterKind::None);
        let named: [(&str, Option<&PathBuf>); 9] = [
            ("display.path", display.path.as_ref()),
            ("display.spi", display.spi.as_ref()),
            ("display.console", display.console.as_ref()),
            ("display.light", light),
            ("status_display.path", self.status_display.path.as_ref()),
            ("scanner.path", scanner),
            controller,
            ("printer.path", printer),
            ("sound.folder", self.sound.folder.as_ref()),
        ];
        // A relative path is made by the simulator in the runtime directory, and is no device of the machine.
        let named = named.into_iter().filter_map(|(key, path)| Some((key, path?.as_path())));
        named.filter(|(_, path)| path.is_absolute()).collect()
    }

    /// The labels of the chips whose lines it uses.
    #[must_use]
    pub fn chips(&self) -> BTreeSet<&str> {
        self.lines().into_iter().filter_map(|wired| wired.line.chip.as_deref()).collect()
    }
}
