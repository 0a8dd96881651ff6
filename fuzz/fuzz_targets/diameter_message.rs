//! Messages of Diameter, read and written again.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| simurgh_fuzz::diameter_message(octets));
