//! Bodies of ES9+ and ES11.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| simurgh_fuzz::es9_body(octets));
