//! The kernel's I²C bus.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
};

use rustix::ioctl::{self, IntegerSetter, Opcode};

use super::Wire;
use crate::board::StatusSpec;

/// linux/i2c-dev.h.
const I2C_SLAVE: Opcode = 0x0703;

struct Bus(File);

/// Opens the bus for the display's address.
pub(super) fn open(spec: &StatusSpec) -> io::Result<impl Wire + use<>> {
    let path = spec.path.as_deref().ok_or(io::ErrorKind::NotFound)?;
    let advice = |error: io::Error| {
        let path = path.display();
        io::Error::new(error.kind(), format!("{path}: {error}; is I²C switched on, and the user in the group i2c?"))
    };
    let file = OpenOptions::new().read(true).write(true).open(path).map_err(advice)?;
    choose(&file, spec.address).map_err(|error| advice(error.into()))?;
    Ok(Bus(file))
}

#[expect(unsafe_code, reason = "the address is only known to an ioctl")]
fn choose(file: &File, address: u8) -> rustix::io::Result<()> {
    // SAFETY: I2C_SLAVE takes an integer argument and touches no memory of ours.
    unsafe { ioctl::ioctl(file, IntegerSetter::<I2C_SLAVE>::new_usize(address.into())) }
}

impl Wire for Bus {
    fn send(&mut self, message: &[u8]) -> io::Result<()> {
        self.0.write_all(message)
    }
}
