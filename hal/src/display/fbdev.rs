//! The Linux framebuffer, for kernels without DRM and for the emulation on those with it (reference/hardware.md 2.4).

use std::{
    fs::{File, OpenOptions},
    path::Path,
    sync::Arc,
};

use rustix::{
    ioctl::{self, Getter, IntegerSetter, Opcode},
    mm::{MapFlags, ProtFlags, mmap, munmap},
};

use super::{
    Display, DisplayError,
    changes::Shown,
    console::Console,
    frame::Frame,
    layout::{Channel, Layout},
};
use crate::board::Rotation;

const FBIOGET_VSCREENINFO: Opcode = 0x4600;
const FBIOGET_FSCREENINFO: Opcode = 0x4602;
const FBIOBLANK: Opcode = 0x4611;
const UNBLANK: usize = 0;
const POWER_DOWN: usize = 4;

/// `struct fb_bitfield` of the kernel's `linux/fb.h`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Bitfield {
    offset: u32,
    length: u32,
    msb_right: u32,
}

/// `struct fb_var_screeninfo`.
#[repr(C)]
#[derive(Clone, Copy)]
struct VarInfo {
    xres: u32,
    yres: u32,
    xres_virtual: u32,
    yres_virtual: u32,
    xoffset: u32,
    yoffset: u32,
    bits_per_pixel: u32,
    grayscale: u32,
    red: Bitfield,
    green: Bitfield,
    blue: Bitfield,
    transp: Bitfield,
    /// nonstd, activate, size in mm, timings, rotation, colour space.
    rest: [u32; 20],
}

/// `struct fb_fix_screeninfo`.
#[repr(C)]
#[derive(Clone, Copy)]
struct FixInfo {
    id: [u8; 16],
    smem_start: usize,
    smem_len: u32,
    kind: u32,
    type_aux: u32,
    visual: u32,
    xpanstep: u16,
    ypanstep: u16,
    ywrapstep: u16,
    line_length: u32,
    mmio_start: usize,
    mmio_len: u32,
    accel: u32,
    capabilities: u16,
    reserved: [u16; 2],
}

/// Bytes between the start of the memory and the visible picture.
fn visible_start(var: &VarInfo, fix: &FixInfo) -> usize {
    let (x, y) = (var.xoffset as usize, var.yoffset as usize);
    y * fix.line_length as usize + x * (var.bits_per_pixel / 8) as usize
}

fn layout(var: &VarInfo, fix: &FixInfo) -> Layout {
    let channel = |field: Bitfield| Channel { offset: field.offset, length: field.length };
    Layout {
        width: var.xres as usize,
        height: var.yres as usize,
        stride: fix.line_length as usize,
        bytes_per_pixel: (var.bits_per_pixel / 8) as usize,
        red: channel(var.red),
        green: channel(var.green),
        blue: channel(var.blue),
    }
}

/// The mapped memory of a framebuffer.
struct Memory {
    start: *mut u8,
    length: usize,
}

#[expect(unsafe_code, reason = "the mapping belongs to this value alone and is not tied to a thread")]
// SAFETY: the pointer is to a shared file mapping, valid from every thread until `drop`.
unsafe impl Send for Memory {}

impl Memory {
    #[expect(unsafe_code, reason = "a framebuffer is only reached through a mapping")]
    fn map(file: &File, length: usize) -> rustix::io::Result<Self> {
        // SAFETY: a new mapping at an address of the kernel's choice overlaps nothing.
        let start = unsafe {
            mmap(std::ptr::null_mut(), length, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED, file, 0)?
        };
        Ok(Self { start: start.cast(), length })
    }

    #[expect(unsafe_code, reason = "the mapping has no type until it is given one")]
    fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: `start` is valid for `length` bytes until `drop`; `&mut self` makes this the only slice of it here. The
        // panel only reads.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.length) }
    }
}

impl Drop for Memory {
    #[expect(unsafe_code, reason = "what was mapped is unmapped")]
    fn drop(&mut self) {
        // SAFETY: exactly the mapping made in `map`; no slice of it outlives `self`.
        let unmapped = unsafe { munmap(self.start.cast(), self.length) };
        debug_assert!(unmapped.is_ok());
    }
}

/// An open framebuffer.
pub struct Framebuffer {
    file: File,
    memory: Memory,
    start: usize,
    layout: Layout,
    shown: Shown,
    is_dark: bool,
    _console: Option<Arc<Console>>,
}

impl Framebuffer {
    /// Opens the device, reads its geometry and maps its memory.
    ///
    /// # Errors
    /// Missing device, missing permission, or a pixel form that is not 16 or 32 bits of red, green and blue.
    pub fn open(path: &Path, console: Option<&Path>, rotation: Rotation) -> Result<Self, DisplayError> {
        let open = |why: String| DisplayError::Open { device: path.display().to_string(), why };
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .map_err(|error| {
                open(format!(
                    "{error}; without a connected monitor there may be no framebuffer, and the user must be in the group video"
                ))
            })?;
        let (var, fix) = geometry(&file).map_err(|error| open(error.to_string()))?;
        let layout = layout(&var, &fix);
        let (start, length) = (visible_start(&var, &fix), fix.smem_len as usize);
        layout.check(length.saturating_sub(start))?;
        let memory = Memory::map(&file, length).map_err(|error| open(error.to_string()))?;
        let console = console.map(Console::graphics).transpose()?;
        Ok(Self { file, memory, start, layout, shown: Shown::nothing(rotation), is_dark: false, _console: console })
    }
}

#[expect(unsafe_code, reason = "the geometry is only known to two ioctls")]
fn geometry(file: &File) -> rustix::io::Result<(VarInfo, FixInfo)> {
    // SAFETY: both structs have the layout of linux/fb.h, which these opcodes fill; every bit pattern is valid.
    unsafe {
        let var = ioctl::ioctl(file, Getter::<FBIOGET_VSCREENINFO, VarInfo>::new())?;
        let fix = ioctl::ioctl(file, Getter::<FBIOGET_FSCREENINFO, FixInfo>::new())?;
        Ok((var, fix))
    }
}

impl Framebuffer {
    #[expect(unsafe_code, reason = "FBIOBLANK has no safe wrapper")]
    fn set_blank(&self, level: usize) -> rustix::io::Result<()> {
        // SAFETY: FBIOBLANK takes an integer argument and touches no memory of ours.
        unsafe { ioctl::ioctl(&self.file, IntegerSetter::<FBIOBLANK>::new_usize(level)) }
    }
}

impl Display for Framebuffer {
    fn show(&mut self, frame: &Frame) -> Result<(), DisplayError> {
        let (panel, areas) = self.shown.next(frame);
        self.layout.holds(panel)?;
        if let Some(visible) = self.memory.bytes().get_mut(self.start..) {
            areas.into_iter().for_each(|area| self.layout.write(panel, area, (0, 0), visible));
        }
        Ok(())
    }

    fn blank(&mut self, dark: bool) -> Result<(), DisplayError> {
        if self.is_dark != dark {
            self.is_dark = dark;
            // Many drivers cannot: then the light alone goes, or nothing.
            if let Err(error) = self.set_blank(if dark { POWER_DOWN } else { UNBLANK }) {
                tracing::debug!(%error, "this framebuffer cannot blank");
            }
        }
        Ok(())
    }

    fn close(&mut self) {
        let _ = self.blank(false);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::*;
    use crate::display::test_card::test_card;

    #[test]
    fn the_structs_have_the_kernels_size() {
        assert_eq!(size_of::<VarInfo>(), 160);
        if cfg!(target_pointer_width = "64") {
            assert_eq!(size_of::<FixInfo>(), 80);
            assert_eq!(std::mem::offset_of!(FixInfo, line_length), 48);
        } else {
            assert_eq!(size_of::<FixInfo>(), 68);
        }
    }

    #[test]
    fn a_missing_framebuffer_says_what_to_look_for() {
        let missing = Framebuffer::open(Path::new("/nonexistent/fb0"), None, Rotation::None);
        let Err(error) = missing else {
            panic!("there is no such device");
        };
        assert!(error.to_string().contains("monitor"), "{error}");
    }

    #[test]
    fn a_file_that_is_no_framebuffer_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(Framebuffer::open(file.path(), None, Rotation::None).is_err());
    }

    /// A file in the place of the device: two rows above the picture and two pixels left of it are not seen, and rows are padded.
    fn framebuffer(file: &File, layout: Layout, start: usize) -> Framebuffer {
        let length = start + layout.stride * layout.height;
        file.set_len(length as u64).unwrap();
        let memory = Memory::map(file, length).unwrap();
        let shown = Shown::nothing(Rotation::Half);
        Framebuffer { file: file.try_clone().unwrap(), memory, start, layout, shown, is_dark: false, _console: None }
    }

    /// What is seen, from the bytes of the file.
    fn seen(bytes: &[u8], layout: &Layout) -> Frame {
        let mut frame = Frame::new(layout.width as u32, layout.height as u32);
        for (row, bytes) in frame.rows_mut().zip(bytes.chunks(layout.stride)) {
            for (pixel, cell) in row.iter_mut().zip(bytes.chunks(layout.bytes_per_pixel)) {
                let word = cell.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
                let top =
                    |channel: Channel, bits: u32| word >> (channel.offset + channel.length - bits) & ((1 << bits) - 1);
                *pixel = (top(layout.red, 5) << 11 | top(layout.green, 6) << 5 | top(layout.blue, 5)) as u16;
            }
        }
        frame
    }

    #[test]
    fn the_picture_is_whole_in_both_depths_behind_its_offset_and_on_padded_rows() {
        for (bytes_per_pixel, [red, green, blue]) in [(2, [(11, 5), (5, 6), (0, 5)]), (4, [(16, 8), (8, 8), (0, 8)])] {
            let channel = |(offset, length)| Channel { offset, length };
            let (red, green, blue) = (channel(red), channel(green), channel(blue));
            let stride = 240 * bytes_per_pixel + 64;
            let layout = Layout { width: 240, height: 320, stride, bytes_per_pixel, red, green, blue };
            let start = 2 * stride + 2 * bytes_per_pixel;
            let file = tempfile::tempfile().unwrap();
            let mut panel = framebuffer(&file, layout, start);
            // The second differs from the first in a part only.
            for lines in [&["till"][..], &["till", "32 bits"]] {
                let card = test_card(240, 320, lines);
                panel.show(&card).unwrap();
                let mut bytes = vec![0; start + stride * 320];
                file.read_exact_at(&mut bytes, 0).unwrap();
                assert!(seen(&bytes[start..], &layout).rotated(Rotation::Half) == card, "{bytes_per_pixel} bytes");
                assert!(bytes[..start].iter().all(|byte| *byte == 0), "nothing is written beside the picture");
            }
            panel.blank(true).expect("what cannot blank stays as it is");
        }
    }
}
