//! The kernel's cards, through the `drm` crate.

use std::{
    fs::{File, OpenOptions},
    io,
    os::fd::{AsFd, BorrowedFd},
    path::{Path, PathBuf},
};

use drm::{
    buffer::{Buffer as _, DrmFourcc},
    control::{
        ClipRect, Device as _, Mode as KernelMode, ModeTypeFlags, connector, crtc, dumbbuffer, framebuffer, from_u32,
    },
};

use super::{Area, Buffer, Card, Connector, Mode, Place};

/// An open card. The first opener is its master.
struct Node(File);

impl AsFd for Node {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl drm::Device for Node {}
impl drm::control::Device for Node {}

/// A scan-out as it was before us.
struct Before {
    crtc: crtc::Info,
    connector: connector::Handle,
}

struct KernelCard {
    node: Node,
    buffer: Option<(dumbbuffer::DumbBuffer, framebuffer::Handle)>,
    before: Option<Before>,
}

/// The named card, or all of them.
pub(super) fn cards(path: Option<&Path>) -> impl Iterator<Item = io::Result<Box<dyn Card>>> {
    let paths = path.map_or_else(all, |path| vec![path.to_owned()]);
    paths.into_iter().map(|path| {
        let file = OpenOptions::new().read(true).write(true).open(&path);
        let file = file.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
        Ok(Box::new(KernelCard { node: Node(file), buffer: None, before: None }) as Box<dyn Card>)
    })
}

fn all() -> Vec<PathBuf> {
    let entries = std::fs::read_dir("/dev/dri").into_iter().flatten();
    let is_card = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("card"));
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_card).collect();
    paths.sort();
    paths
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "it is gone")
}

/// A number of the kernel as the crate wants it.
fn handle<T: From<drm::control::RawResourceHandle>>(id: u32) -> io::Result<T> {
    from_u32(id).ok_or_else(gone)
}

fn seen(mode: &KernelMode) -> Mode {
    let (width, height) = mode.size();
    let is_preferred = mode.mode_type().contains(ModeTypeFlags::PREFERRED);
    Mode { width: width.into(), height: height.into(), is_preferred }
}

impl KernelCard {
    fn connector(&self, id: connector::Handle) -> io::Result<Connector> {
        let info = self.node.get_connector(id, true)?;
        let resources = self.node.resource_handles()?;
        let encoders = info.encoders().iter().filter_map(|encoder| self.node.get_encoder(*encoder).ok());
        let mut crtcs: Vec<u32> = Vec::new();
        for encoder in encoders {
            let serving = encoder.crtc().filter(|_| info.current_encoder() == Some(encoder.handle()));
            let possible = resources.filter_crtcs(encoder.possible_crtcs());
            crtcs.splice(0..0, serving.map(u32::from));
            crtcs.extend(possible.into_iter().map(u32::from));
        }
        Ok(Connector {
            id: id.into(),
            name: info.to_string(),
            is_connected: info.state() == connector::State::Connected,
            modes: info.modes().iter().map(seen).collect(),
            crtcs,
        })
    }
}

impl Card for KernelCard {
    fn connectors(&self) -> io::Result<Vec<Connector>> {
        self.node.resource_handles()?.connectors().iter().map(|id| self.connector(*id)).collect()
    }

    fn is_connected(&self, connector: u32) -> io::Result<bool> {
        Ok(self.node.get_connector(handle(connector)?, false)?.state() == connector::State::Connected)
    }

    fn create(&mut self, width: u32, height: u32) -> io::Result<Buffer> {
        let buffer = self.node.create_dumb_buffer((width, height), DrmFourcc::Xrgb8888, 32)?;
        let pitch = buffer.pitch() as usize;
        let frame = self.node.add_framebuffer(&buffer, 24, 32)?;
        self.buffer = Some((buffer, frame));
        Ok(Buffer { id: frame.into(), pitch })
    }

    fn draw(&mut self, with: &mut dyn FnMut(&mut [u8])) -> io::Result<()> {
        let (buffer, _) = self.buffer.as_mut().ok_or_else(gone)?;
        with(&mut self.node.map_dumb_buffer(buffer)?);
        Ok(())
    }

    fn set(&mut self, place: &Place, on: bool) -> io::Result<()> {
        let (crtc, connector): (crtc::Handle, connector::Handle) = (handle(place.crtc)?, handle(place.connector)?);
        if !on {
            return self.node.set_crtc(crtc, None, (0, 0), &[], None);
        }
        if self.before.is_none() {
            self.before = Some(Before { crtc: self.node.get_crtc(crtc)?, connector });
        }
        let mode = self.node.get_modes(connector)?.get(place.mode).copied().ok_or_else(gone)?;
        let frame = self.buffer.as_ref().map(|(_, frame)| *frame);
        self.node.set_crtc(crtc, frame, (0, 0), &[connector], Some(mode))
    }

    fn shows(&self, crtc: u32) -> io::Result<Option<u32>> {
        Ok(self.node.get_crtc(handle(crtc)?)?.framebuffer().map(u32::from))
    }

    fn dirty(&self, areas: &[Area]) -> io::Result<()> {
        let (_, frame) = self.buffer.as_ref().ok_or_else(gone)?;
        let edge = |value: usize| u16::try_from(value).unwrap_or(u16::MAX);
        let clip = |area: &Area| {
            let (right, bottom) = (area.left + area.width, area.top + area.height);
            ClipRect::new(edge(area.left), edge(area.top), edge(right), edge(bottom))
        };
        self.node.dirty_framebuffer(*frame, &areas.iter().map(clip).collect::<Vec<_>>())
    }
}

impl Drop for KernelCard {
    /// The picture of before, as far as it is still there; the kernel puts its console back by itself when the file closes.
    fn drop(&mut self) {
        if let Some(Before { crtc, connector }) = self.before.take()
            && crtc.framebuffer().is_some()
        {
            let _ = self.node.set_crtc(crtc.handle(), crtc.framebuffer(), crtc.position(), &[connector], crtc.mode());
        }
        if let Some((buffer, frame)) = self.buffer.take() {
            let _ = self.node.destroy_framebuffer(frame);
            let _ = self.node.destroy_dumb_buffer(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_that_is_not_there_is_named() {
        let error = cards(Some(Path::new("/nonexistent/card0"))).next().unwrap().map(drop).unwrap_err();
        assert!(error.to_string().contains("/nonexistent/card0"), "{error}");
    }

    #[test]
    fn what_is_no_card_has_no_connectors() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let card = cards(Some(file.path())).next().unwrap().unwrap();
        assert!(card.connectors().is_err());
    }
}
