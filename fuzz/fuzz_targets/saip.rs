//! Profile packages.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| simurgh_fuzz::saip(octets));
