//! What shines behind a panel: a GPIO line, the kernel's backlight class, or its PWM (reference/hardware.md 4.5).

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    board::{LightSpec, LineSpec},
    gpio::{Bank, Output},
};

/// Often enough that a phone's camera sees no bands.
const USUAL_FREQUENCY: u32 = 1000;

/// A light that can be dimmed, or only switched.
pub trait Light: Send {
    /// Sets it to so many percent; 0 is dark.
    ///
    /// # Errors
    /// What the system said and what to do. The light is then as it was.
    fn set(&mut self, percent: u32) -> Result<(), String>;
}

/// The light that a board names. Nothing is touched until it is set.
#[must_use]
pub fn open(spec: &LightSpec, bank: Option<&Arc<Bank>>) -> Option<Box<dyn Light>> {
    match (&spec.line, &spec.backlight, &spec.pwm) {
        (Some(line), _, _) => Some(Box::new(Line { bank: Arc::clone(bank?), line: line.clone(), output: None })),
        (None, Some(folder), _) => Some(Box::new(Backlight(folder.clone()))),
        (None, None, Some(folder)) => Some(Box::new(Pwm {
            folder: folder.clone(),
            channel: spec.channel,
            period: 1_000_000_000 / spec.frequency_hz.unwrap_or(USUAL_FREQUENCY).max(1),
        })),
        (None, None, None) => None,
    }
}

struct Line {
    bank: Arc<Bank>,
    line: LineSpec,
    output: Option<Output>,
}

impl Light for Line {
    fn set(&mut self, percent: u32) -> Result<(), String> {
        let output = match self.output.take() {
            Some(output) => output,
            None => self.bank.output(&self.line).map_err(|error| error.to_string())?,
        };
        output.set(percent > 0).map_err(|error| error.to_string())?;
        self.output = Some(output);
        Ok(())
    }
}

fn refused(file: &Path, error: &io::Error) -> String {
    format!(
        "the light {}: {error}; the folder must be the right one, and the service must be allowed to write to it (docs/hardware.md, Light)",
        file.display()
    )
}

fn write(file: &Path, value: u32) -> Result<(), String> {
    // Not created where it is missing: that would be a file beside the device.
    let open = fs::OpenOptions::new().write(true).open(file);
    open.and_then(|mut open| io::Write::write_all(&mut open, value.to_string().as_bytes()))
        .map_err(|error| refused(file, &error))
}

struct Backlight(PathBuf);

impl Light for Backlight {
    fn set(&mut self, percent: u32) -> Result<(), String> {
        let file = self.0.join("max_brightness");
        let most = fs::read_to_string(&file).map_err(|error| refused(&file, &error))?;
        let most: u32 = most.trim().parse().unwrap_or(255);
        // Never dark by rounding.
        let level = (u64::from(most) * u64::from(percent)).div_ceil(100);
        write(&self.0.join("brightness"), u32::try_from(level).unwrap_or(most).min(most))
    }
}

struct Pwm {
    folder: PathBuf,
    channel: u32,
    /// In nanoseconds.
    period: u32,
}

impl Light for Pwm {
    fn set(&mut self, percent: u32) -> Result<(), String> {
        let chip = pwm_chip(&self.folder).map_err(|error| refused(&self.folder, &error))?;
        let output = chip.join(format!("pwm{}", self.channel));
        if !output.exists() {
            write(&chip.join("export"), self.channel)?;
        }
        let duty = u64::from(self.period) * u64::from(percent.min(100)) / 100;
        // The kernel refuses a period that is shorter than the duty of before.
        write(&output.join("duty_cycle"), 0)?;
        write(&output.join("period"), self.period)?;
        write(&output.join("duty_cycle"), u32::try_from(duty).unwrap_or(self.period))?;
        write(&output.join("enable"), u32::from(percent > 0))
    }
}

/// The chip's own folder, also when the board names the device that has it: chips' numbers change with the kernel.
fn pwm_chip(folder: &Path) -> io::Result<PathBuf> {
    let is_chip = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("pwmchip"));
    if is_chip(folder) {
        return Ok(folder.to_owned());
    }
    let inner = folder.join("pwm");
    let inner = if inner.is_dir() { inner } else { folder.to_owned() };
    let mut entries = fs::read_dir(inner)?.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    entries
        .find(|path| is_chip(path))
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "there is no pwmchip in it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (file, content) in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        folder
    }

    fn read(folder: &tempfile::TempDir, file: &str) -> String {
        fs::read_to_string(folder.path().join(file)).unwrap()
    }

    #[test]
    fn a_backlight_is_set_in_its_own_steps_and_is_never_dark_by_rounding() {
        let folder = folder(&[("max_brightness", "31\n"), ("brightness", "")]);
        let spec = LightSpec { backlight: Some(folder.path().to_owned()), ..LightSpec::default() };
        let mut light = open(&spec, None).unwrap();
        for (percent, level) in [(100, "31"), (50, "16"), (1, "1"), (0, "0")] {
            fs::write(folder.path().join("brightness"), "").unwrap();
            light.set(percent).unwrap();
            assert_eq!(read(&folder, "brightness"), level);
        }
    }

    #[test]
    fn a_pwm_is_found_below_its_device_and_set_in_nanoseconds() {
        let files = ["export", "pwm1/duty_cycle", "pwm1/period", "pwm1/enable"];
        let files = files.map(|file| format!("pwm/pwmchip3/{file}"));
        let folder = folder(&files.each_ref().map(|file| (&file[..], "")));
        let spec = LightSpec {
            pwm: Some(folder.path().to_owned()),
            channel: 1,
            frequency_hz: Some(2000),
            ..LightSpec::default()
        };
        open(&spec, None).unwrap().set(40).unwrap();
        assert_eq!(read(&folder, "pwm/pwmchip3/pwm1/period"), "500000");
        assert!(read(&folder, "pwm/pwmchip3/pwm1/duty_cycle").starts_with("200000"));
        assert_eq!(read(&folder, "pwm/pwmchip3/pwm1/enable"), "1");
    }

    #[test]
    fn a_light_that_is_not_there_is_told_and_no_file_is_made() {
        let folder = folder(&[]);
        let spec = LightSpec { backlight: Some(folder.path().to_owned()), ..LightSpec::default() };
        let error = open(&spec, None).unwrap().set(100).unwrap_err();
        assert!(error.contains("allowed to write"), "{error}");
        assert!(fs::read_dir(folder.path()).unwrap().next().is_none());
    }
}
