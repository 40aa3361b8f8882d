//! HDMI, DSI and panels with a kernel driver, through DRM's dumb buffers (reference/hardware.md 2.4).
//!
//! One buffer is on the screen and is written to in place: a still picture does not tear. Whether the monitor is still there
//! is asked every two seconds, without probing it: the kernel knows by itself, and the service's sandbox has no netlink
//! socket on which to be told.

mod kernel;

use std::{io, time::Duration};

use super::{
    Display, DisplayError, Frame,
    changes::{Area, Shown},
    console::Console,
    layout::{Channel, Layout},
};
use crate::board::DisplaySpec;

const CHECK_EVERY: Duration = Duration::from_secs(2);

/// A size that a monitor can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// The monitor's own.
    pub is_preferred: bool,
}

/// A socket of a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connector {
    /// The kernel's number.
    pub id: u32,
    /// Its name, such as `HDMI-A-1`.
    pub name: String,
    /// Whether a monitor is there.
    pub is_connected: bool,
    /// What the monitor can show.
    pub modes: Vec<Mode>,
    /// The scan-outs that can serve it, the one that does first.
    pub crtcs: Vec<u32>,
}

/// What is shown where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The socket.
    pub connector: u32,
    /// The scan-out.
    pub crtc: u32,
    /// The mode, by its place in [`Connector::modes`].
    pub mode: usize,
}

/// A buffer for the screen, 32 bits a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buffer {
    /// The kernel's number of it as a frame buffer.
    pub id: u32,
    /// Bytes from one row to the next.
    pub pitch: usize,
}

/// A graphics card as far as it is needed here. Dropping it gives the screen back.
pub trait Card: Send {
    /// Every socket, each asked anew what it has.
    ///
    /// # Errors
    /// A card that only renders has none.
    fn connectors(&self) -> io::Result<Vec<Connector>>;

    /// Whether a monitor is there, as far as the kernel knows.
    ///
    /// # Errors
    /// When the socket or the card is gone.
    fn is_connected(&self, connector: u32) -> io::Result<bool>;

    /// Makes the one buffer of this card, black.
    ///
    /// # Errors
    /// When there is no memory for it.
    fn create(&mut self, width: u32, height: u32) -> io::Result<Buffer>;

    /// Lends the buffer's memory.
    ///
    /// # Errors
    /// When it cannot be mapped.
    fn draw(&mut self, with: &mut dyn FnMut(&mut [u8])) -> io::Result<()>;

    /// Puts the buffer on the screen, or switches the scan-out off.
    ///
    /// # Errors
    /// `EACCES` when another program is master of the card.
    fn set(&mut self, place: &Place, on: bool) -> io::Result<()>;

    /// The buffer that is on a scan-out.
    ///
    /// # Errors
    /// When the card is gone.
    fn shows(&self, crtc: u32) -> io::Result<Option<u32>>;

    /// Tells the driver of a panel with a memory of its own what has changed.
    ///
    /// # Errors
    /// `ENOSYS` and the like where nobody needs it.
    fn dirty(&self, areas: &[Area]) -> io::Result<()>;
}

/// The card that has a monitor, and its panel. Their numbers change from boot to boot.
///
/// # Errors
/// When no card has one, with what each said.
pub fn open(spec: &DisplaySpec) -> Result<DrmPanel, DisplayError> {
    let console = spec.console.as_deref().map(Console::graphics).transpose()?;
    let mut panel = choose(kernel::cards(spec.path.as_deref()), spec)?;
    panel.console = console;
    Ok(panel)
}

/// The first of the cards with a monitor where the board wants it.
///
/// # Errors
/// When none has one, with what each said.
pub fn choose(
    cards: impl IntoIterator<Item = io::Result<Box<dyn Card>>>,
    spec: &DisplaySpec,
) -> Result<DrmPanel, DisplayError> {
    let mut seen = Vec::new();
    for card in cards {
        match card.and_then(|card| Ok((card.connectors()?, card))) {
            Ok((connectors, card)) => match connectors.iter().find(|one| one.is_connected && is_wanted(one, spec)) {
                Some(found) => return DrmPanel::new(card, found, spec),
                None => seen.extend(connectors.into_iter().map(|one| one.name)),
            },
            Err(error) => seen.push(error.to_string()),
        }
    }
    let wanted = spec.connector.as_deref().unwrap_or("any socket");
    let seen = if seen.is_empty() { "no card in /dev/dri".into() } else { seen.join(", ") };
    Err(DisplayError::Lost(format!(
        "no monitor at {wanted} (seen: {seen}); is it switched on, and the user in the group video? video=HDMI-A-1:800x480@60D on the kernel's command line forces one"
    )))
}

fn is_wanted(connector: &Connector, spec: &DisplaySpec) -> bool {
    spec.connector.as_ref().is_none_or(|name| *name == connector.name)
}

/// The mode of the board's size, or else the monitor's own.
fn mode(modes: &[Mode], spec: &DisplaySpec) -> Option<(usize, Mode)> {
    let fits = |mode: &Mode| (mode.width, mode.height) == (spec.width, spec.height);
    let best = |mode: &Mode| match (fits(mode), mode.is_preferred) {
        (true, true) => 0,
        (true, false) => 1,
        (false, true) => 2,
        (false, false) => 3,
    };
    modes.iter().copied().enumerate().min_by_key(|(_, mode)| best(mode))
}

/// A monitor with our buffer.
pub struct DrmPanel {
    card: Box<dyn Card>,
    name: String,
    place: Place,
    buffer: Buffer,
    layout: Layout,
    /// Where the picture's upper left corner stands on a larger monitor.
    corner: (usize, usize),
    shown: Shown,
    is_on: bool,
    takes_dirty: bool,
    console: Option<std::sync::Arc<Console>>,
}

fn xrgb(mode: Mode, pitch: usize) -> Layout {
    let channel = |offset| Channel { offset, length: 8 };
    Layout {
        width: mode.width as usize,
        height: mode.height as usize,
        stride: pitch,
        bytes_per_pixel: 4,
        red: channel(16),
        green: channel(8),
        blue: channel(0),
    }
}

impl DrmPanel {
    fn new(mut card: Box<dyn Card>, connector: &Connector, spec: &DisplaySpec) -> Result<Self, DisplayError> {
        let name = connector.name.clone();
        let without = |what: &str| DisplayError::Lost(format!("the monitor on {} has no {what}", connector.name));
        let (index, mode) = mode(&connector.modes, spec).ok_or_else(|| without("mode"))?;
        let crtc = *connector.crtcs.first().ok_or_else(|| without("scan-out that could serve it"))?;
        let buffer = card.create(mode.width, mode.height).map_err(|error| lost(&name, &error))?;
        let middle = |all: u32, part: u32| (all.saturating_sub(part) / 2) as usize;
        Ok(Self {
            card,
            place: Place { connector: connector.id, crtc, mode: index },
            buffer,
            layout: xrgb(mode, buffer.pitch),
            corner: (middle(mode.width, spec.width), middle(mode.height, spec.height)),
            shown: Shown::nothing(spec.rotation),
            is_on: false,
            takes_dirty: true,
            name,
            console: None,
        })
    }

    fn switch(&mut self, on: bool) -> Result<(), DisplayError> {
        if self.is_on != on {
            self.card.set(&self.place, on).map_err(|error| lost(&self.name, &error))?;
            self.is_on = on;
        }
        Ok(())
    }

    /// Most drivers scan the memory out by themselves and refuse to be told.
    fn tell(&mut self, areas: &[Area]) -> Result<(), DisplayError> {
        if !self.takes_dirty || areas.is_empty() {
            return Ok(());
        }
        match self.card.dirty(areas) {
            Err(error) if is_master_lost(&error) => Err(lost(&self.name, &error)),
            told => {
                self.takes_dirty = told.is_ok();
                Ok(())
            }
        }
    }
}

fn is_master_lost(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ResourceBusy)
}

fn lost(name: &str, error: &io::Error) -> DisplayError {
    let advice = if is_master_lost(error) {
        "; another program has the screen: end X, Wayland or plymouth, which must quit before Till starts"
    } else {
        ""
    };
    DisplayError::Lost(format!("the monitor on {name}: {error}{advice}"))
}

impl Display for DrmPanel {
    fn show(&mut self, frame: &Frame) -> Result<(), DisplayError> {
        let (panel, mut areas) = self.shown.next(frame);
        self.layout.holds(panel)?;
        let (layout, corner) = (self.layout, self.corner);
        if !areas.is_empty() {
            let mut write =
                |memory: &mut [u8]| areas.iter().for_each(|area| layout.write(panel, *area, corner, memory));
            self.card.draw(&mut write).map_err(|error| lost(&self.name, &error))?;
        }
        if self.is_on {
            areas.iter_mut().for_each(|area| (area.left, area.top) = (area.left + corner.0, area.top + corner.1));
            return self.tell(&areas);
        }
        self.switch(true)
    }

    fn check_every(&self) -> Option<Duration> {
        Some(CHECK_EVERY)
    }

    fn check(&mut self) -> Result<(), DisplayError> {
        let fault = |error: io::Error| lost(&self.name, &error);
        if !self.card.is_connected(self.place.connector).map_err(fault)? {
            return Err(DisplayError::Lost(format!("the monitor on {} is off or unplugged", self.name)));
        }
        if self.is_on && self.card.shows(self.place.crtc).map_err(fault)? != Some(self.buffer.id) {
            return Err(DisplayError::Lost(format!(
                "another program shows its picture on {}: end X, Wayland or plymouth",
                self.name
            )));
        }
        Ok(())
    }

    fn blank(&mut self, dark: bool) -> Result<(), DisplayError> {
        self.switch(!dark)
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
