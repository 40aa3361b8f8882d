//! The kernel's text console under the picture (reference/hardware.md 2.4).

use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::Path,
    sync::Arc,
};

use rustix::ioctl::{self, IntegerSetter, Opcode};

use super::DisplayError;
use crate::safe_state::{self, MakeSafe};

const KDSETMODE: Opcode = 0x4B3A;
const KD_TEXT: usize = 0;
const KD_GRAPHICS: usize = 1;

// For kernels that go on blinking in graphics mode.
const HIDE_CURSOR: &[u8] = b"\x1B[?25l";
const SHOW_CURSOR: &[u8] = b"\x1B[?25h";

/// A console in graphics mode, so that the kernel's text and cursor stay off the picture. Text again on drop and on panic.
pub(super) struct Console(File);

impl Console {
    pub(super) fn graphics(path: &Path) -> Result<Arc<Self>, DisplayError> {
        let open = |why: String| DisplayError::Open { device: path.display().to_string(), why };
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .map_err(|error| open(format!("{error}; is the user in the group tty?")))?;
        let console = Arc::new(Self(file));
        console
            .set(KD_GRAPHICS)
            .map_err(|error| open(format!("{error}; it must be a real console such as /dev/tty1")))?;
        console.write(HIDE_CURSOR);
        safe_state::register(&console);
        Ok(console)
    }

    /// The mode is what counts; a cursor is a blemish.
    fn write(&self, text: &[u8]) {
        let _ = (&self.0).write(text);
    }

    #[expect(unsafe_code, reason = "KDSETMODE has no safe wrapper")]
    fn set(&self, mode: usize) -> rustix::io::Result<()> {
        // SAFETY: KDSETMODE takes an integer argument and touches no memory of ours.
        unsafe { ioctl::ioctl(&self.0, IntegerSetter::<KDSETMODE>::new_usize(mode)) }
    }
}

impl MakeSafe for Console {
    fn make_safe(&self) {
        // So that the panic's report can be read on the screen.
        let _ = self.set(KD_TEXT);
        self.write(SHOW_CURSOR);
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        self.make_safe();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_console_is_refused_with_a_word_on_what_is() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let Err(error) = Console::graphics(file.path()) else {
            panic!("a file is no console");
        };
        assert!(error.to_string().contains("/dev/tty1"), "{error}");
    }
}
