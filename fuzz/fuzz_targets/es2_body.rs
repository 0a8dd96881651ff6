//! Bodies of ES2+ and ES12.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| simurgh_fuzz::es2_body(octets));
