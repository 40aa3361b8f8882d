#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hal::fuzzed::frames::any(data));
