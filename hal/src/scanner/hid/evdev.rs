//! Takes a keyboard for us alone, so that a console or a desktop does not type the buyer's code, too.
//!
//! Two calls of the kernel's event interface; no library for them (`linux/input.h`).

use std::{fs::File, time::Duration};

use rustix::{
    io::Errno,
    ioctl::{IntegerSetter, Opcode, Updater, ioctl, opcode},
};
use tokio::{io::unix::AsyncFd, time::timeout};

const GROUP: u8 = b'E';
/// Bits of the keys that are down now; the first 768 are all that there are.
type KeyBits = [u8; 96];
const EVIOCGKEY: Opcode = opcode::read::<KeyBits>(GROUP, 0x18);
const EVIOCGRAB: Opcode = opcode::write::<i32>(GROUP, 0x90);

/// A key that is down this long is stuck or jammed.
const STUCK_AFTER: u32 = 10;
const WAIT: Duration = Duration::from_millis(200);

/// Takes the device once no key is down, or whoever has it now would see a key that is never released.
pub(super) async fn grab(device: &AsyncFd<File>) -> Result<(), String> {
    for _ in 0..STUCK_AFTER {
        if !is_any_key_down(device.get_ref())? {
            break;
        }
        // Until something happens on it.
        let Ok(Ok(mut ready)) = timeout(WAIT, device.readable()).await else { continue };
        while rustix::io::read(device.get_ref(), &mut [0; 512]).is_ok_and(|length| length > 0) {}
        ready.clear_ready();
    }
    take(device.get_ref())
}

#[expect(unsafe_code, reason = "the kernel's event interface is reached by ioctl")]
fn is_any_key_down(device: &File) -> Result<bool, String> {
    let mut bits: KeyBits = [0; 96];
    // SAFETY: EVIOCGKEY of this length writes at most the 96 bytes of `bits`, which it does not outlive.
    unsafe { ioctl(device, Updater::<EVIOCGKEY, KeyBits>::new(&mut bits)) }.map_err(explain)?;
    Ok(bits.iter().any(|bits| *bits != 0))
}

#[expect(unsafe_code, reason = "the kernel's event interface is reached by ioctl")]
fn take(device: &File) -> Result<(), String> {
    // SAFETY: EVIOCGRAB takes a number and touches no memory of ours.
    unsafe { ioctl(device, IntegerSetter::<EVIOCGRAB>::new_usize(1)) }.map_err(explain)
}

fn explain(error: Errno) -> String {
    match error {
        Errno::BUSY => "is held by another program: stop it".into(),
        Errno::NOTTY | Errno::INVAL => {
            "is no keyboard: name the scanner's …-event-kbd in /dev/input/by-id, or set kind = \"serial\"".into()
        }
        error => format!("cannot be taken: {error}"),
    }
}
