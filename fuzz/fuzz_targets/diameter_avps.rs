//! AVPs of Diameter, and groups in groups.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| simurgh_fuzz::diameter_avps(octets));
