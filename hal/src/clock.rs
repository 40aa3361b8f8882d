//! What the machine itself knows of the time: the kernel's word on its clock, the clock chip (RTC), a count that no setting
//! of the clock changes, and a wake-up when somebody sets it.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use rustix::io::Errno;
use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime, timerfd_create,
    timerfd_settime,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// 9999-12-31: no clock gets there by itself.
const END_OF_TIME_S: i64 = 253_402_214_400;

/// Where the kernel shows its clock chips.
const CLOCK_CHIPS: &str = "/sys/class/rtc";

/// Milliseconds since the kernel started, time asleep included. No setting of the wall clock changes it.
#[must_use]
pub fn since_boot_ms() -> i64 {
    let since = Duration::try_from(clock_gettime(ClockId::Boottime)).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Whether the kernel says that a time service keeps its clock right. Setting the clock by hand takes the word back.
#[must_use]
pub fn is_synchronised() -> bool {
    let state = adjtimex_state();
    (0..libc::TIME_ERROR).contains(&state)
}

/// The clock's state: `TIME_OK` and its neighbours about a leap second, `TIME_ERROR`, or -1.
#[expect(unsafe_code, reason = "adjtimex has no safe wrapper")]
fn adjtimex_state() -> i32 {
    let mut question = MaybeUninit::<libc::timex>::zeroed();
    // SAFETY: all of `timex` is integers, so zeros are a value of it; `modes` is one of them, and 0 changes nothing. The
    // kernel writes only into the value, which outlives the call.
    unsafe { libc::adjtimex(question.as_mut_ptr()) }
}

/// A clock chip that gave the kernel its time at boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockChip {
    /// What it says now, in milliseconds since 1970; to the second.
    pub ms: i64,
}

/// The clock chip that the kernel set its clock by at boot; `None` when there is none, or when it was not readable then.
#[must_use]
pub fn clock_chip() -> Option<ClockChip> {
    clock_chip_in(Path::new(CLOCK_CHIPS))
}

fn clock_chip_in(folder: &Path) -> Option<ClockChip> {
    let chips = std::fs::read_dir(folder).ok()?;
    chips.flatten().find_map(|chip| read_chip(&chip.path()))
}

fn read_chip(chip: &Path) -> Option<ClockChip> {
    let read = |name: &str| std::fs::read_to_string(chip.join(name)).ok();
    if read("hctosys")?.trim() != "1" {
        return None;
    }
    let seconds: i64 = read("since_epoch")?.trim().parse().ok()?;
    Some(ClockChip { ms: seconds.checked_mul(1_000)? })
}

/// Tells when the wall clock was set, forward or back; what a time service corrects little by little is none of it.
#[derive(Debug)]
pub struct SetWatch(AsyncFd<OwnedFd>);

impl SetWatch {
    /// Watches from now on. Needs a runtime.
    ///
    /// # Errors
    ///
    /// When the kernel has no such timer.
    pub fn start() -> io::Result<Self> {
        let timer = timerfd_create(TimerfdClockId::Realtime, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        // It does not run out, it is cancelled: by a clock that is set.
        let end_of_time = Timespec { tv_sec: END_OF_TIME_S, tv_nsec: 0 };
        let never = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: end_of_time };
        timerfd_settime(&timer, TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET, &never)?;
        Ok(Self(register(timer)?))
    }

    /// Waits until the clock is set.
    pub async fn set(&self) {
        loop {
            let Ok(mut ready) = self.0.readable().await else {
                // The runtime is going down.
                return std::future::pending().await;
            };
            let mut count = [0; 8];
            match rustix::io::read(self.0.get_ref(), &mut count) {
                Err(Errno::AGAIN) => ready.clear_ready(),
                // Cancelled is what it is for; run out is a clock at the end of time, which was set too.
                Ok(_) | Err(_) => {
                    ready.clear_ready();
                    return;
                }
            }
        }
    }
}

#[expect(unsafe_code, reason = "the runtime cannot know that a descriptor stays what it is")]
fn register(timer: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` keeps its descriptor open and the same for as long as the `AsyncFd` owns it.
    let registered = unsafe { AsyncFd::register_with_interest(timer, Interest::READABLE) };
    registered.map_err(|error| error.into_parts().1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chip(folder: &Path, name: &str, hctosys: &str, since_epoch: &str) {
        let chip = folder.join(name);
        std::fs::create_dir(&chip).expect("a folder");
        std::fs::write(chip.join("hctosys"), hctosys).expect("written");
        std::fs::write(chip.join("since_epoch"), since_epoch).expect("written");
    }

    #[test]
    fn the_chip_that_set_the_clock_is_the_one_that_is_asked() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(clock_chip_in(folder.path()), None);
        chip(folder.path(), "rtc0", "0\n", "5\n");
        assert_eq!(clock_chip_in(folder.path()), None, "it set nothing");
        chip(folder.path(), "rtc1", "1\n", "1800000000\n");
        assert_eq!(clock_chip_in(folder.path()), Some(ClockChip { ms: 1_800_000_000_000 }));
    }

    #[test]
    fn a_chip_that_says_nothing_is_none() {
        let folder = tempfile::tempdir().expect("a folder");
        chip(folder.path(), "rtc0", "1\n", "");
        assert_eq!(clock_chip_in(folder.path()), None);
        assert_eq!(clock_chip_in(Path::new("/nowhere")), None);
    }

    #[test]
    fn the_kernel_answers() {
        assert!((0..=libc::TIME_ERROR).contains(&adjtimex_state()));
    }

    #[test]
    fn time_since_boot_goes_on() {
        let before = since_boot_ms();
        assert!(before > 0 && since_boot_ms() >= before);
    }

    #[tokio::test]
    async fn a_clock_that_nobody_sets_wakes_nobody() {
        let watch = SetWatch::start().expect("the kernel has such timers");
        let woken = tokio::time::timeout(std::time::Duration::from_millis(50), watch.set()).await;
        assert!(woken.is_err());
    }

    #[tokio::test]
    #[ignore = "sets the machine's clock, to what it says already; needs root"]
    async fn a_clock_that_is_set_wakes_who_waits_each_time() {
        let watch = SetWatch::start().expect("the kernel has such timers");
        for _ in 0..3 {
            let now = clock_gettime(ClockId::Realtime);
            rustix::time::clock_settime(ClockId::Realtime, now).expect("root may set the clock");
            let woken = tokio::time::timeout(Duration::from_secs(5), watch.set()).await;
            assert!(woken.is_ok());
        }
        let woken = tokio::time::timeout(Duration::from_millis(50), watch.set()).await;
        assert!(woken.is_err(), "it wakes for nothing");
    }
}
