//! A kernel PWM channel by sysfs (reference/hardware.md 4.5): a buzzer's tone, a backlight's brightness.
//!
//! A chip is found by its device, never by its number: `pwmchip0` of one kernel is `pwmchip2` of the next.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::{board::PwmSpec, pace};

/// Where the kernel shows its PWM chips.
pub(crate) const CLASS: &str = "/sys/class/pwm";
/// udev gives a new channel to its group a moment after the kernel made it.
const GRANT_PAUSE: Duration = Duration::from_millis(20);
const GRANT_TRIES: u32 = 50;

/// Why a channel cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PwmError {
    #[error("no PWM chip belongs to {0}: is its overlay loaded? `ls -l /sys/class/pwm` shows the devices")]
    NoChip(String),
    #[error("two PWM chips belong to {0}: give a longer part of the path that `ls -l /sys/class/pwm` shows")]
    TwoChips(String),
    #[error("PWM {0}: {1}; does the channel exist, and may the user write it?")]
    Channel(String, io::Error),
}

/// An exported channel. It is left as it is when dropped.
pub(crate) struct Pwm {
    name: String,
    enable: File,
    period: File,
    duty: File,
    period_ns: AtomicU64,
}

impl Pwm {
    /// Finds the chip below `class`, which is [`CLASS`] outside tests, and exports the channel.
    ///
    /// May wait for up to a second for the rights to a new channel.
    pub(crate) fn open(class: &Path, spec: &PwmSpec) -> Result<Self, PwmError> {
        let chip = find(class, &spec.device)?;
        let name = format!("{} channel {}", spec.device, spec.channel);
        let failed = |error| PwmError::Channel(name.clone(), error);
        let channel = chip.join(format!("pwm{}", spec.channel));
        if !channel.exists() {
            export(&chip, spec.channel).map_err(failed)?;
        }
        let file = |what: &str| open_granted(&channel.join(what)).map_err(failed);
        let (enable, period, duty) = (file("enable")?, file("period")?, file("duty_cycle")?);
        Ok(Self { name, enable, period, duty, period_ns: AtomicU64::new(0) })
    }

    /// Sets the length of a cycle and how much of it is on, in ns; `duty_ns` is at most `period_ns`.
    pub(crate) fn set(&self, period_ns: u64, duty_ns: u64) -> Result<(), PwmError> {
        if self.period_ns.swap(0, Ordering::Relaxed) != period_ns {
            // The kernel refuses a period that is shorter than the duty of before.
            self.write(&self.duty, 0)?;
            self.write(&self.period, period_ns)?;
        }
        self.write(&self.duty, duty_ns.min(period_ns))?;
        self.period_ns.store(period_ns, Ordering::Relaxed);
        Ok(())
    }

    /// Starts or stops it. Needs no lock and no memory: it may be called from the panic hook.
    pub(crate) fn enable(&self, on: bool) -> Result<(), PwmError> {
        let digit: &[u8] = if on { b"1\n" } else { b"0\n" };
        self.enable.write_all_at(digit, 0).map_err(|error| PwmError::Channel(self.name.clone(), error))
    }

    fn write(&self, file: &File, value: u64) -> Result<(), PwmError> {
        let text = format!("{value}\n");
        file.write_all_at(text.as_bytes(), 0).map_err(|error| PwmError::Channel(self.name.clone(), error))
    }
}

/// The one chip whose device path has `device` in it, as one of its parts or several in a row.
fn find(class: &Path, device: &str) -> Result<PathBuf, PwmError> {
    let wanted: Vec<&str> = device.split('/').filter(|part| !part.is_empty()).collect();
    let mut found = None;
    for chip in fs::read_dir(class).into_iter().flatten().flatten() {
        let Ok(path) = chip.path().canonicalize() else { continue };
        let parts: Vec<_> = path.iter().filter_map(|part| part.to_str()).collect();
        if !wanted.is_empty() && parts.windows(wanted.len()).any(|row| row == wanted) && found.replace(path).is_some() {
            return Err(PwmError::TwoChips(device.into()));
        }
    }
    found.ok_or_else(|| PwmError::NoChip(device.into()))
}

fn export(chip: &Path, channel: u32) -> io::Result<()> {
    match fs::write(chip.join("export"), channel.to_string()) {
        // Somebody exported it between the look and the write; if another uses it in the kernel, opening fails.
        Err(error) if error.kind() == ErrorKind::ResourceBusy => Ok(()),
        done => done,
    }
}

fn open_granted(path: &Path) -> io::Result<File> {
    let mut tries = 0;
    loop {
        match OpenOptions::new().write(true).open(path) {
            Err(error)
                if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::NotFound) && tries < GRANT_TRIES =>
            {
                tries += 1;
                pace::sleep(GRANT_PAUSE);
            }
            done => return done,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::{os::unix::fs::symlink, thread};

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    /// A chip of `device` as the kernel shows it, with `channels` exported.
    pub(crate) fn fake_chip(root: &Path, device: &str, number: u32, channels: u32) -> PathBuf {
        let chip = root.join(format!("devices/platform/{device}/pwm/pwmchip{number}"));
        fs::create_dir_all(&chip).unwrap();
        fs::create_dir_all(root.join("class")).unwrap();
        symlink(&chip, root.join(format!("class/pwmchip{number}"))).unwrap();
        for channel in 0..channels {
            fake_channel(&chip, channel);
        }
        chip
    }

    fn fake_channel(chip: &Path, channel: u32) {
        let channel = chip.join(format!("pwm{channel}"));
        fs::create_dir(&channel).unwrap();
        for file in ["duty_cycle", "period", "enable"] {
            fs::write(channel.join(file), "0\n").unwrap();
        }
    }

    /// What a channel is set to.
    pub(crate) fn reads(chip: &Path, channel: u32, file: &str) -> String {
        let text = fs::read_to_string(chip.join(format!("pwm{channel}/{file}"))).unwrap();
        text.lines().next().unwrap_or_default().to_owned()
    }

    fn spec(device: &str) -> PwmSpec {
        PwmSpec { device: device.into(), channel: 1 }
    }

    #[test]
    fn a_chip_is_found_by_its_device_under_whatever_number() {
        for number in [0, 2] {
            let root = tempfile::tempdir().unwrap();
            fake_chip(root.path(), "fe20c800.pwm", 2 - number, 2);
            let chip = fake_chip(root.path(), "fe20c000.pwm", number, 2);
            let pwm = Pwm::open(&root.path().join("class"), &spec("fe20c000.pwm")).unwrap();
            pwm.set(370_370, 185_185).unwrap();
            pwm.enable(true).unwrap();
            let set = ["period", "duty_cycle", "enable"].map(|file| reads(&chip, 1, file));
            assert_eq!(set, ["370370", "185185", "1"]);
            pwm.set(1000, 5000).unwrap();
            pwm.enable(false).unwrap();
            let set = ["period", "duty_cycle", "enable"].map(|file| reads(&chip, 1, file));
            assert_eq!(set, ["1000", "1000", "0"], "never on for longer than a cycle");
        }
    }

    #[test]
    fn a_chip_that_is_missing_or_there_twice_is_told() {
        let root = tempfile::tempdir().unwrap();
        let class = root.path().join("class");
        assert!(matches!(Pwm::open(&class, &spec("a.pwm")), Err(PwmError::NoChip(_))));
        fake_chip(root.path(), "one/a.pwm", 0, 2);
        fake_chip(root.path(), "two/a.pwm", 1, 2);
        assert!(matches!(Pwm::open(&class, &spec("a.pwm")), Err(PwmError::TwoChips(_))));
        Pwm::open(&class, &spec("two/a.pwm")).unwrap();
        assert!(matches!(Pwm::open(&class, &spec("pwm")), Err(PwmError::TwoChips(_))), "every chip is below a pwm");
        assert!(matches!(Pwm::open(&class, &spec("")), Err(PwmError::NoChip(_))));
    }

    #[test]
    fn a_channel_is_exported_and_waited_for() {
        let root = tempfile::tempdir().unwrap();
        let chip = fake_chip(root.path(), "a.pwm", 0, 0);
        mknodat(CWD, chip.join("export"), FileType::Fifo, Mode::RWXU, 0).unwrap();
        let kernel = thread::spawn(move || {
            // The end of the write is the channel's number; only then does the channel appear.
            assert_eq!(fs::read_to_string(chip.join("export")).unwrap(), "1");
            fake_channel(&chip, 1);
            chip
        });
        let pwm = Pwm::open(&root.path().join("class"), &spec("a.pwm")).unwrap();
        let chip = kernel.join().unwrap();
        pwm.enable(true).unwrap();
        assert_eq!(reads(&chip, 1, "enable"), "1");
    }
}
