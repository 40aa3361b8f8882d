//! A serial port by its stable name: raw, for us alone, and emptied of what waited in it (reference/hardware.md 1.8).
//!
//! End of file means that the device is gone: a reader that goes on would spin at full speed.

use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd, OwnedFd},
    path::Path,
    time::Duration,
};

use rustix::{
    fs::{FlockOperation, flock},
    termios::{QueueSelector, tcflush},
};
use tokio::{io::AsyncWriteExt, time::timeout};
use tokio_serial::{DataBits, FlowControl, SerialPort, SerialPortBuilderExt, SerialStream};

pub(crate) use tokio_serial::{Parity, StopBits};

/// A write that takes longer than this is a line that is stuck.
const WRITE_WITHIN: Duration = Duration::from_secs(2);

const IN_USE: &str = "is used by another program: stop it; ModemManager and brltty are common ones";

/// How a line is set. Always eight data bits, never flow control.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Bits per second; USB-CDC ignores it.
    pub(crate) baud: u32,
    pub(crate) parity: Parity,
    pub(crate) stop_bits: StopBits,
}

impl Settings {
    /// 8N1.
    pub(crate) const fn at(baud: u32) -> Self {
        Self { baud, parity: Parity::None, stop_bits: StopBits::One }
    }
}

/// Opens the port of `what`, such as "scanner", which is the word in the message.
///
/// # Errors
/// What the system said and what to do about it.
pub(crate) fn open(what: &str, path: &Path, settings: Settings) -> Result<SerialStream, String> {
    let told = |why: String| format!("the {what}'s port {} {why}", path.display());
    let port = tokio_serial::new(path.to_string_lossy(), settings.baud)
        .data_bits(DataBits::Eight)
        .parity(settings.parity)
        .stop_bits(settings.stop_bits)
        .flow_control(FlowControl::None)
        // TIOCEXCL outlives us as long as anybody holds the port; the lock below ends with us.
        .exclusive(false)
        .open_native_async()
        .map_err(|error| told(explain(what, path, &error)))?;
    let fd = borrow(&port);
    flock(fd, FlockOperation::NonBlockingLockExclusive).map_err(|_| told(IN_USE.into()))?;
    tcflush(fd, QueueSelector::IFlush).map_err(|error| told(format!("cannot be flushed: {error}")))?;
    Ok(port)
}

fn explain(what: &str, path: &Path, error: &tokio_serial::Error) -> String {
    match error.kind() {
        // serialport says "no device" for a port that another program has locked, too.
        tokio_serial::ErrorKind::NoDevice if path.exists() => IN_USE.into(),
        tokio_serial::ErrorKind::NoDevice | tokio_serial::ErrorKind::Io(io::ErrorKind::NotFound) => {
            format!("does not exist: plug the {what} in, or compare with /dev/serial/by-id")
        }
        tokio_serial::ErrorKind::Io(io::ErrorKind::PermissionDenied) => {
            "may not be opened: put the user in the group dialout".into()
        }
        tokio_serial::ErrorKind::Io(_) | tokio_serial::ErrorKind::InvalidInput | tokio_serial::ErrorKind::Unknown => {
            format!("cannot be opened: {error}")
        }
    }
}

#[expect(unsafe_code, reason = "tokio-serial hands out its descriptor only as a number")]
fn borrow(port: &SerialStream) -> BorrowedFd<'_> {
    // SAFETY: the descriptor belongs to `port`, which the result cannot outlive.
    unsafe { BorrowedFd::borrow_raw(port.as_raw_fd()) }
}

/// Changes an open port's speed.
pub(crate) fn set_speed(port: &mut SerialStream, baud: u32) -> io::Result<()> {
    port.set_baud_rate(baud).map_err(io::Error::from)
}

/// Sends these bytes; a line that takes none is as good as gone.
pub(crate) async fn write(port: &mut SerialStream, bytes: &[u8]) -> io::Result<()> {
    let stuck = |_late| io::Error::new(io::ErrorKind::TimedOut, "it takes no bytes");
    timeout(WRITE_WITHIN, port.write_all(bytes)).await.map_err(stuck)?
}

/// A second handle of the same port, to read from elsewhere what waits in it.
pub(crate) fn duplicate(port: &SerialStream) -> Option<OwnedFd> {
    borrow(port).try_clone_to_owned().ok()
}
