//! Devices that answer: scanners, vending controllers, printers, and the frames that they speak in.
//!
//! These decoders are nobody's business outside `hal`, so `hal` includes this folder by path, for its own tests and where
//! cargo-fuzz builds it (`cfg(fuzzing)`), and in no other build.

pub mod frames;
pub mod printers;
pub mod scanners;
mod script;
pub mod vending;

#[cfg(test)]
#[path = "../replay.rs"]
mod replay;

#[cfg(test)]
mod corpus {
    use std::path::Path;

    use super::{frames, printers, replay, scanners, vending};

    fn replayed(name: &str, target: fn(&[u8])) {
        replay::replay(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus"), name, target);
    }

    #[test]
    fn what_a_scanner_says_is_a_line_of_text_from_its_own_bytes_however_reads_are_cut() {
        replayed("scanners", scanners::any);
    }

    #[test]
    fn a_vend_is_answered_once_and_ordered_once_whatever_a_controller_says() {
        replayed("vending", vending::any);
    }

    #[test]
    fn a_frame_is_found_wherever_it_is_cut_and_what_is_kept_of_noise_is_bounded() {
        replayed("frames", frames::any);
    }

    #[test]
    fn a_printer_gets_one_piece_at_a_time_and_text_commands_nothing() {
        replayed("printers", printers::any);
    }
}
