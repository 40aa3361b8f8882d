//! Opens the status display.

use std::sync::Arc;

use super::{OpenError, Opening};
use crate::{board::StatusKind, latest::Latest, oled};

impl Opening<'_> {
    pub(super) fn status_display(&mut self) -> Result<(), OpenError> {
        let spec = self.board.status_display.clone();
        if spec.kind == StatusKind::None {
            return Ok(());
        }
        let words = Arc::new(Latest::new());
        self.devices.status = Some(Arc::clone(&words));
        self.spawn("status-display", move || oled::run(&spec, &words))
    }
}
