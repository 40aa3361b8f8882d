//! What shines behind a panel: a GPIO line, the kernel's backlight class, or its PWM (reference/hardware.md 4.5).

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    board::{LightSpec, LineSpec, PwmSpec},
    gpio::{Bank, Output},
    pwm::{self, Pwm},
};

/// Often enough that a phone's camera sees no bands.
const USUAL_FREQUENCY: u32 = 1000;
const NS_PER_S: u64 = 1_000_000_000;

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
        (None, None, Some(pwm)) => Some(Box::new(Dimmer::new(pwm, spec.frequency_hz))),
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

/// A channel of the kernel's PWM; opened when it is first set, and left as it is when dropped.
struct Dimmer {
    class: PathBuf,
    spec: PwmSpec,
    period_ns: u64,
    channel: Option<Pwm>,
}

impl Dimmer {
    fn new(spec: &PwmSpec, frequency_hz: Option<u32>) -> Self {
        let period_ns = NS_PER_S / u64::from(frequency_hz.unwrap_or(USUAL_FREQUENCY).max(1));
        Self { class: pwm::CLASS.into(), spec: spec.clone(), period_ns, channel: None }
    }
}

impl Light for Dimmer {
    fn set(&mut self, percent: u32) -> Result<(), String> {
        let channel = match self.channel.take() {
            Some(channel) => channel,
            None => Pwm::open(&self.class, &self.spec).map_err(|error| error.to_string())?,
        };
        let duty_ns = self.period_ns * u64::from(percent.min(100)) / 100;
        let set = channel.set(self.period_ns, duty_ns).and_then(|()| channel.enable(percent > 0));
        set.map_err(|error| error.to_string())?;
        self.channel = Some(channel);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        gpio::fake::{FakeKernel, Release},
        pwm::tests::{fake_chip, reads},
    };

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
    fn a_line_is_on_or_off_and_off_when_it_is_let_go() {
        let kernel = FakeKernel::boot(0, Release::Keep, &[("pinctrl", &[("GPIO18", false)])]);
        let bank = Bank::new(Arc::new(kernel.clone()));
        let line = Some(LineSpec { name: Some("GPIO18".into()), ..LineSpec::default() });
        let mut light = open(&LightSpec { line, ..LightSpec::default() }, Some(&bank)).unwrap();
        for percent in [100, 0, 1] {
            light.set(percent).unwrap();
            assert_eq!(kernel.level("pinctrl", 0), percent > 0, "{percent} %");
        }
        drop(light);
        assert_eq!(kernel.history("pinctrl", 0), [true, false, true, false]);
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
    fn a_light_that_is_not_there_is_told_and_no_file_is_made() {
        let folder = folder(&[]);
        let spec = LightSpec { backlight: Some(folder.path().to_owned()), ..LightSpec::default() };
        let error = open(&spec, None).unwrap().set(100).unwrap_err();
        assert!(error.contains("allowed to write"), "{error}");
        assert!(fs::read_dir(folder.path()).unwrap().next().is_none());
    }

    #[test]
    fn a_pwm_dims_within_its_cycle_stops_when_dark_and_is_left_as_it_is() {
        let root = tempfile::tempdir().unwrap();
        let chip = fake_chip(root.path(), "fe20c000.pwm", 3, 2);
        let spec = PwmSpec { device: "fe20c000.pwm".into(), channel: 1 };
        let mut light = Dimmer { class: root.path().join("class"), ..Dimmer::new(&spec, Some(2000)) };
        let set = || ["period", "duty_cycle", "enable"].map(|file| reads(&chip, 1, file));
        assert_eq!(set(), ["0", "0", "0"], "nothing is touched until it is set");
        for (percent, duty, enable) in
            [(40, "200000", "1"), (100, "500000", "1"), (250, "500000", "1"), (0, "0", "0"), (1, "5000", "1")]
        {
            light.set(percent).unwrap();
            assert_eq!(set(), ["500000", duty, enable], "{percent} %");
        }
        drop(light);
        assert_eq!(set(), ["500000", "5000", "1"]);
        assert_eq!(reads(&chip, 0, "enable"), "0", "the channel beside it");
    }

    #[test]
    fn a_pwm_that_comes_later_is_found_then() {
        let root = tempfile::tempdir().unwrap();
        let spec = PwmSpec { device: "a.pwm".into(), channel: 0 };
        let mut light = Dimmer { class: root.path().join("class"), ..Dimmer::new(&spec, None) };
        assert!(light.set(100).unwrap_err().contains("overlay"));
        let chip = fake_chip(root.path(), "a.pwm", 0, 1);
        light.set(100).unwrap();
        assert_eq!(["period", "enable"].map(|file| reads(&chip, 0, file)), ["1000000", "1"], "as usual, 1000 Hz");
    }
}
