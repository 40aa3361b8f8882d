//! The console under a framebuffer, on a kernel that has virtual terminals, for an emulated machine:
//!
//! `TILL_CONSOLE=/dev/tty2 TILL_FRAMEBUFFER=/dev/fb0 cargo test -p hal --test console -- --ignored --test-threads=1`
//!
//! `TILL_CONSOLE_MODE=1` asks whether the console is in graphics mode now, `0` in text mode.

#![expect(clippy::expect_used, reason = "a test that a person watches")]

use std::{fs::File, path::PathBuf, thread};

use hal::{board::Rotation, display::fbdev::Framebuffer, safe_state};
use rustix::ioctl::{self, Getter};

const TEXT: u32 = 0;
const GRAPHICS: u32 = 1;

fn path(name: &str) -> PathBuf {
    std::env::var_os(name).unwrap_or_else(|| panic!("{name} is not set: see the top of this file")).into()
}

#[expect(unsafe_code, reason = "KDGETMODE has no safe wrapper")]
fn mode() -> u32 {
    let console = File::open(path("TILL_CONSOLE")).expect("the console");
    // SAFETY: KDGETMODE writes one integer, the mode.
    unsafe { ioctl::ioctl(&console, Getter::<0x4B3B, u32>::new()) }.expect("a console has a mode")
}

fn open() -> Framebuffer {
    let console = path("TILL_CONSOLE");
    Framebuffer::open(&path("TILL_FRAMEBUFFER"), Some(&console), Rotation::default()).expect("the framebuffer")
}

#[test]
#[ignore = "needs a console"]
fn the_console_shows_text_again_when_the_picture_is_let_go() {
    assert_eq!(mode(), TEXT);
    let picture = open();
    assert_eq!(mode(), GRAPHICS, "no kernel message over the picture");
    drop(picture);
    assert_eq!(mode(), TEXT);
}

#[test]
#[ignore = "needs a console"]
fn the_console_shows_text_again_when_the_program_panics() {
    safe_state::install_panic_hook();
    let picture = open();
    assert_eq!(mode(), GRAPHICS);
    let _panicked = thread::spawn(|| panic!("on purpose")).join();
    assert_eq!(mode(), TEXT, "the report can be read");
    drop(picture);
}

#[test]
#[ignore = "needs a console"]
fn the_console_is_in_the_mode_that_is_asked_for() {
    if let Ok(wanted) = std::env::var("TILL_CONSOLE_MODE") {
        assert_eq!(mode().to_string(), wanted);
    }
}
