//! Opens the panel.

use std::sync::Arc;

use super::{OpenError, Opening, sim_socket};
use crate::{
    board::DisplayKind,
    display::{self, Display, fbdev::Framebuffer, sim::SimDisplay},
    latest::Latest,
    sim::link::Link,
};

impl Opening<'_> {
    pub(super) fn display(&mut self) -> Result<(), OpenError> {
        let spec = self.board.display.clone();
        let rotation = spec.rotation;
        type Open = Box<dyn Fn() -> Result<Box<dyn Display>, display::DisplayError> + Send>;
        let open: Open = match spec.kind {
            DisplayKind::None => return Ok(()),
            DisplayKind::Memory => Box::new(|| Ok(Box::new(display::Memory))),
            DisplayKind::Framebuffer => {
                let path = spec.path.clone();
                let path = path.ok_or(OpenError::Incomplete("display.path"))?;
                let console = spec.console.clone();
                Box::new(move || {
                    let panel = Framebuffer::open(&path, console.as_deref(), rotation)?;
                    Ok(Box::new(panel))
                })
            }
            DisplayKind::Sim => {
                // Its own connection: a large picture never delays a relay.
                let link = Arc::new(Link::new(sim_socket(self.board)?));
                self.devices.links.push(Arc::clone(&link));
                Box::new(move || Ok(Box::new(SimDisplay::open(&link, rotation)?)))
            }
        };
        let frames = Arc::new(Latest::new());
        self.devices.frames = Some(Arc::clone(&frames));
        self.devices.size = Some(spec.size());
        let worker = display::Worker { open, frames, events: self.events.clone() };
        self.spawn("display", move || worker.run())
    }
}
