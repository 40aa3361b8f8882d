//! Opens the panel.

use std::{sync::Arc, time::Duration};

use super::{OpenError, Opening, sim_socket};
use crate::{
    board::{BoardSpec, DisplayKind, DisplaySpec},
    display::{
        self, Display, DisplayError, drm, epaper::Epaper, fbdev::Framebuffer, light, sim::SimDisplay, spidev::Spidev,
        tft::Tft,
    },
    gpio::Bank,
    latest::Latest,
    sim::link::Link,
};

impl Opening<'_> {
    pub(super) fn display(&mut self) -> Result<(), OpenError> {
        let spec = self.board.display.clone();
        // Its own bank: the panel is cleared after the other outputs are off for good.
        let bank = self.backend.as_ref().map(|backend| backend.bank.beside());
        let Some(open) = self.opener(&spec, bank.as_ref())? else { return Ok(()) };
        let lamp = display::Lamp {
            light: spec.light.as_ref().and_then(|light| light::open(light, bank.as_ref())),
            brightness: spec.brightness.unwrap_or(100),
        };
        let (screen, ended) = (Arc::new(display::Screen::new()), Arc::new(Latest::new()));
        self.devices.screen = Some(Arc::clone(&screen));
        self.devices.size = Some(spec.size());
        self.devices.display_end = Some((Arc::clone(&ended), stop_limit(spec.kind)));
        let worker = display::Worker {
            open,
            screen,
            lamp,
            blank_after: spec.blank_after_s.map(|seconds| Duration::from_secs(seconds.into())),
            events: self.events.clone(),
            _ended: display::Ended(ended),
        };
        self.spawn("display", move || worker.run())
    }

    fn opener(&mut self, spec: &DisplaySpec, bank: Option<&Arc<Bank>>) -> Result<Option<display::Open>, OpenError> {
        let spec = spec.clone();
        let open: display::Open = match spec.kind {
            DisplayKind::None => return Ok(None),
            DisplayKind::Memory => Box::new(|| Ok(Box::new(display::Memory))),
            DisplayKind::Framebuffer => {
                let path = spec.path.ok_or(OpenError::Incomplete("display.path"))?;
                Box::new(move || Ok(Box::new(Framebuffer::open(&path, spec.console.as_deref(), spec.rotation)?)))
            }
            DisplayKind::Drm => Box::new(move || Ok(Box::new(drm::open(&spec)?))),
            DisplayKind::Spi | DisplayKind::Epaper => {
                let bank = Arc::clone(bank.ok_or(OpenError::Incomplete("gpio.kind"))?);
                Box::new(move || on_spi(&spec, &bank))
            }
            DisplayKind::Sim => {
                // Its own connection: a large picture never delays a relay.
                let link = Arc::new(Link::new(sim_socket(self.board)?));
                self.devices.links.push(Arc::clone(&link));
                Box::new(move || Ok(Box::new(SimDisplay::open(&link, spec.rotation)?)))
            }
        };
        Ok(Some(open))
    }
}

fn on_spi(spec: &DisplaySpec, bank: &Arc<Bank>) -> Result<Box<dyn Display>, DisplayError> {
    let bus = Box::new(Spidev::open(spec, bank)?);
    if spec.kind == DisplayKind::Epaper {
        return Ok(Box::new(Epaper::open(bus, spec)?));
    }
    Ok(Box::new(Tft::open(bus, spec)?))
}

/// An e-paper may be in the middle of a refresh, and takes another one to be cleared.
fn stop_limit(kind: DisplayKind) -> Duration {
    Duration::from_secs(if kind == DisplayKind::Epaper { 12 } else { 1 })
}

/// Clears an e-paper that a dead daemon left behind; nothing on other boards.
pub(super) fn clear_epaper(board: &BoardSpec, bank: &Arc<Bank>) -> Result<(), DisplayError> {
    if board.display.kind == DisplayKind::Epaper {
        on_spi(&board.display, bank)?.close();
    }
    Ok(())
}
