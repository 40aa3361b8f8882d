//! The steps, in the order of a terminal's life.

mod box_itself;
mod copy;
mod package;
mod pins;
mod power;
mod sale;
mod scanner;
mod screen;
mod technician;
mod time;
mod watchdog;

use crate::report::Report;
use crate::stage::Stage;

/// All of them. A step that the next ones need ends the run when it fails.
pub async fn all(stage: &mut Stage, report: &mut Report) {
    if !report.step("boots with systemd, and the kernel has gpio-sim", box_itself::boots(stage)).await
        || !report.step("the package installs, and waits for its set-up", package::installs(stage)).await
        || !report.step("the technician's files make it sell", package::is_set_up(stage)).await
    {
        return;
    }
    report.choice("the technician's page, from detect to the first refund", technician::walks(stage)).await;
    report.choice("a buyer scans the framebuffer and the relay turns once", sale::buyer_scans(stage)).await;
    report.choice("a pay code arrives through the USB scanner", scanner::machine_scans(stage)).await;
    report.choice("the scanner is unplugged and plugged again", scanner::replugged(stage)).await;
    report.choice("a pay code is typed by a USB keyboard, and nobody else reads it", scanner::types(stage)).await;
    report.choice("the driver of the pins, by its own tests on gpio-sim", pins::chardev(stage)).await;
    report.choice("rppal on an emulated Pi 3B sets and reads a pin", pins::rppal(stage)).await;
    report.choice("lamp, buzzer and a jammed slot on the pins", sale::jams(stage)).await;
    report.choice("memory and processor time at rest", box_itself::rests(stage)).await;
    report.choice("the service is frozen and its watchdog replaces it", watchdog::replaces(stage)).await;
    report.choice("the screen over DRM shows a code that a phone reads", screen::over_drm(stage)).await;
    report.choice("the console shows text again after the end and after a panic", screen::console(stage)).await;
    let cuts = stage.wanted.cuts;
    for cut in 1..=cuts {
        let name = format!("power cut {cut} of {cuts} in a sale, settled after the start");
        report.choice(&name, power::cut(stage, cut)).await;
    }
    report.choice("a copied card is refused on another board", copy::is_refused(stage)).await;
    report.choice("the clock starts in 1970", time::starts_in_1970(stage)).await;
    report.choice("upgraded while nobody buys, nothing forgotten", package::upgrades(stage)).await;
    report.choice("every order ended, books and motors agree", sale::books_agree(stage)).await;
    report.choice("purged: nothing is left but what is money", package::purges(stage)).await;
}
