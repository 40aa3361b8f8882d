//! A graphics card with one socket: padded rows, a monitor that can be unplugged, a master who can be somebody else, and
//! panels that show nothing until they are told.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::display::{
    Frame,
    changes::Area,
    drm::{Buffer, Card, Connector, Mode, Place},
};

/// The socket's number.
const CONNECTOR: u32 = 33;
/// Its scan-out's.
const CRTC: u32 = 51;

/// The card as its monitor and the other programs see it.
#[derive(Debug)]
pub struct CardState {
    /// What the monitor can show.
    pub modes: Vec<Mode>,
    /// A monitor is there.
    pub is_connected: bool,
    /// Another program is master.
    pub master_is_other: bool,
    /// The panel has a memory of its own, as those on USB and SPI do.
    pub needs_dirty: bool,
    /// The card is a renderer without sockets.
    pub only_renders: bool,
    /// The rectangles that the driver was told of.
    pub told: Vec<Area>,
    size: (u32, u32),
    pitch: usize,
    memory: Vec<u8>,
    panel: Vec<u8>,
    buffers: u32,
    on: Option<u32>,
}

/// The card, from both ends.
#[derive(Debug, Clone)]
pub struct SimCard(Arc<Mutex<CardState>>);

/// An open file of it.
struct Opened {
    card: SimCard,
    buffer: Option<u32>,
}

impl SimCard {
    /// A card whose monitor can show these; the first is its own.
    #[must_use]
    pub fn new(sizes: &[(u32, u32)]) -> Self {
        let modes = sizes.iter().enumerate();
        let modes =
            modes.map(|(index, (width, height))| Mode { width: *width, height: *height, is_preferred: index == 0 });
        Self(Arc::new(Mutex::new(CardState {
            modes: modes.collect(),
            is_connected: true,
            master_is_other: false,
            needs_dirty: false,
            only_renders: false,
            told: Vec::new(),
            size: (0, 0),
            pitch: 0,
            memory: Vec::new(),
            panel: Vec::new(),
            buffers: 0,
            on: None,
        })))
    }

    /// The card's state.
    pub fn state(&self) -> MutexGuard<'_, CardState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens it, as a program does.
    #[must_use]
    pub fn open(&self) -> Box<dyn Card> {
        Box::new(Opened { card: self.clone(), buffer: None })
    }
}

impl CardState {
    /// What the monitor shows; `None`: it is dark or away.
    #[must_use]
    pub fn picture(&self) -> Option<Frame> {
        self.on.filter(|_| self.is_connected)?;
        let mut frame = Frame::new(self.size.0, self.size.1);
        let source = if self.needs_dirty { &self.panel } else { &self.memory };
        for (row, bytes) in frame.rows_mut().zip(source.chunks(self.pitch)) {
            for (pixel, cell) in row.iter_mut().zip(bytes.chunks_exact(4)) {
                let word = cell.try_into().map(u32::from_ne_bytes).unwrap_or_default();
                *pixel = (word >> 8 & 0xF800 | word >> 5 & 0x07E0 | word >> 3 & 0x001F) as u16;
            }
        }
        Some(frame)
    }

    /// Another program puts its own picture on the screen.
    pub fn take_over(&mut self) {
        self.master_is_other = true;
        self.on = Some(u32::MAX);
    }

    fn flush(&mut self, area: Area) {
        for y in area.top..area.top + area.height {
            let start = y * self.pitch + area.left * 4;
            let cells = start..start + area.width * 4;
            self.panel[cells.clone()].copy_from_slice(&self.memory[cells]);
        }
    }

    fn whole(&self) -> Area {
        Area { left: 0, top: 0, width: self.size.0 as usize, height: self.size.1 as usize }
    }
}

fn refused() -> io::Error {
    io::Error::from_raw_os_error(rustix::io::Errno::ACCESS.raw_os_error())
}

impl Card for Opened {
    fn connectors(&self) -> io::Result<Vec<Connector>> {
        let state = self.card.state();
        if state.only_renders {
            return Err(io::Error::from_raw_os_error(rustix::io::Errno::OPNOTSUPP.raw_os_error()));
        }
        let modes = if state.is_connected { state.modes.clone() } else { Vec::new() };
        let name = "HDMI-A-1".to_owned();
        Ok(vec![Connector { id: CONNECTOR, name, is_connected: state.is_connected, modes, crtcs: vec![CRTC] }])
    }

    fn is_connected(&self, _connector: u32) -> io::Result<bool> {
        Ok(self.card.state().is_connected)
    }

    fn create(&mut self, width: u32, height: u32) -> io::Result<Buffer> {
        let mut state = self.card.state();
        state.buffers += 1;
        state.size = (width, height);
        // Rows are padded, by an odd amount.
        state.pitch = width as usize * 4 + 64;
        state.memory = vec![0; state.pitch * height as usize];
        state.panel = vec![0x55; state.memory.len()];
        self.buffer = Some(state.buffers);
        Ok(Buffer { id: state.buffers, pitch: state.pitch })
    }

    fn draw(&mut self, with: &mut dyn FnMut(&mut [u8])) -> io::Result<()> {
        with(&mut self.card.state().memory);
        Ok(())
    }

    fn set(&mut self, place: &Place, on: bool) -> io::Result<()> {
        let mut state = self.card.state();
        if state.master_is_other {
            return Err(refused());
        }
        assert!((place.connector, place.crtc) == (CONNECTOR, CRTC) && place.mode < state.modes.len());
        state.on = if on { self.buffer } else { None };
        let whole = state.whole();
        state.flush(whole);
        Ok(())
    }

    fn shows(&self, _crtc: u32) -> io::Result<Option<u32>> {
        Ok(self.card.state().on)
    }

    fn dirty(&self, areas: &[Area]) -> io::Result<()> {
        let mut state = self.card.state();
        if state.master_is_other {
            return Err(refused());
        }
        if !state.needs_dirty {
            return Err(io::Error::from_raw_os_error(rustix::io::Errno::NOSYS.raw_os_error()));
        }
        state.told.extend(areas);
        areas.iter().for_each(|area| state.flush(*area));
        Ok(())
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        let mut state = self.card.state();
        if state.on.is_some() && state.on == self.buffer {
            state.on = None;
        }
    }
}
