//! A panel on the kernel's spidev, with its lines on GPIO.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    path::Path,
    sync::Arc,
    time::Duration,
};

use rustix::ioctl::{self, Opcode, Setter};

use super::{
    DisplayError,
    bus::{PanelBus, Sent},
};
use crate::{
    board::{DisplaySpec, LineSpec},
    gpio::{Bank, InputLines, LineError, Output},
    pace,
};

// linux/spi/spidev.h: _IOW('k', 1, u8), _IOW('k', 3, u8), _IOW('k', 4, u32).
const SET_MODE: Opcode = ioctl::opcode::write::<u8>(b'k', 1);
const SET_BITS: Opcode = ioctl::opcode::write::<u8>(b'k', 3);
const SET_SPEED: Opcode = ioctl::opcode::write::<u32>(b'k', 4);

/// The kernel refuses longer transfers with EMSGSIZE.
const LONGEST_FILE: &str = "/sys/module/spidev/parameters/bufsiz";
/// What it is unless the kernel's command line says otherwise.
const USUAL_LONGEST: usize = 4096;
/// Longer ones win nothing, and this is what the buffer takes in memory.
const LONGEST_USEFUL: usize = 65_536;

fn longest(text: Option<&str>) -> usize {
    let given = text.and_then(|text| text.trim().parse().ok());
    given.filter(|length| *length >= 64).unwrap_or(USUAL_LONGEST).min(LONGEST_USEFUL)
}

/// The bus and the lines of one panel.
pub struct Spidev {
    device: File,
    longest: usize,
    dc: Output,
    dc_is: Option<Sent>,
    reset: Option<Output>,
    busy: Option<Box<dyn InputLines>>,
}

fn lost(line: LineError) -> DisplayError {
    DisplayError::Lost(line.to_string())
}

impl Spidev {
    /// Opens the bus at the board's speed, and the lines that it names.
    ///
    /// # Errors
    /// When one of them is not there, is in use or is not permitted.
    pub fn open(spec: &DisplaySpec, bank: &Arc<Bank>) -> Result<Self, DisplayError> {
        let missing = |what: &str| DisplayError::Lost(format!("the board names no {what}: run `till check`"));
        let path = spec.spi.as_deref().ok_or_else(|| missing("display.spi"))?;
        let dc = spec.dc.as_ref().ok_or_else(|| missing("display.dc"))?;
        let usual = spec.controller.map_or(4_000_000, |controller| controller.clock().0);
        let device = open(path, spec.spi_mode, spec.speed_hz.unwrap_or(usual))?;
        let output = |line: &LineSpec| bank.output(line).map_err(lost);
        let busy = spec.busy.clone().map(|line| bank.inputs(&[line], Duration::ZERO).map_err(lost));
        Ok(Self {
            device,
            longest: longest(fs::read_to_string(LONGEST_FILE).ok().as_deref()),
            dc: output(dc)?,
            dc_is: None,
            reset: spec.reset.as_ref().map(output).transpose()?,
            busy: busy.transpose()?,
        })
    }
}

fn open(path: &Path, mode: u8, speed: u32) -> Result<File, DisplayError> {
    let refused = |why: String| DisplayError::Open { device: path.display().to_string(), why };
    let device = OpenOptions::new().read(true).write(true).open(path).map_err(|error| {
        refused(format!(
            "{error}; is SPI switched on (dtparam=spi=on on a Raspberry Pi), and the user in the group spi?"
        ))
    })?;
    set_up(&device, mode, speed).map_err(|error| {
        refused(format!("{error}; it is no spidev, or takes neither SPI mode {mode} nor {speed} Hz"))
    })?;
    Ok(device)
}

#[expect(unsafe_code, reason = "mode and speed are only known to three ioctls")]
fn set_up(device: &File, mode: u8, speed: u32) -> rustix::io::Result<()> {
    // SAFETY: each opcode is written for the size of the value that it is given, and the kernel only reads it.
    unsafe {
        ioctl::ioctl(device, Setter::<SET_MODE, u8>::new(mode))?;
        ioctl::ioctl(device, Setter::<SET_BITS, u8>::new(8))?;
        ioctl::ioctl(device, Setter::<SET_SPEED, u32>::new(speed))
    }
}

impl PanelBus for Spidev {
    fn longest(&self) -> usize {
        self.longest
    }

    fn transfer(&mut self, sent: Sent, bytes: &[u8]) -> Result<(), DisplayError> {
        if self.dc_is != Some(sent) {
            self.dc.set(sent == Sent::Data).map_err(lost)?;
            self.dc_is = Some(sent);
        }
        // One write is one transfer, with chip select around it.
        self.device.write_all(bytes).map_err(|error| DisplayError::Lost(format!("the SPI bus: {error}")))
    }

    fn hold_reset(&mut self, held: bool) -> Result<(), DisplayError> {
        self.reset.as_ref().map_or(Ok(()), |reset| reset.set(held).map_err(lost))
    }

    fn is_busy(&mut self) -> Result<bool, DisplayError> {
        self.busy.as_mut().map_or(Ok(false), |busy| busy.is_active(0).map_err(lost))
    }

    fn wait_ready(&mut self, limit: Duration) -> Result<bool, DisplayError> {
        let end = pace::now() + limit;
        while self.is_busy()? {
            let rest = end.saturating_sub(pace::now());
            let Some(busy) = self.busy.as_mut().filter(|_| !rest.is_zero()) else { return Ok(false) };
            busy.wait_edge(rest).map_err(lost)?;
        }
        Ok(true)
    }

    fn pause(&mut self, time: Duration) {
        pace::sleep(time);
    }

    fn now(&self) -> Duration {
        pace::now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_the_kernels() {
        assert_eq!([SET_MODE, SET_BITS, SET_SPEED], [0x4001_6B01, 0x4001_6B03, 0x4004_6B04]);
    }

    #[test]
    fn transfers_are_as_long_as_the_kernel_says_within_reason() {
        let lengths = [None, Some("8192\n"), Some("junk"), Some("0"), Some("1048576\n")].map(longest);
        assert_eq!(lengths, [4096, 8192, 4096, 4096, 65_536]);
    }

    #[test]
    fn a_missing_bus_says_how_to_switch_it_on() {
        let error = open(Path::new("/nonexistent/spidev0.0"), 0, 1_000_000).expect_err("there is none");
        assert!(error.to_string().contains("dtparam=spi=on"), "{error}");
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = open(file.path(), 0, 1_000_000).expect_err("it is none");
        assert!(error.to_string().contains("no spidev"), "{error}");
    }
}
