//! Streams of Diameter, cut anywhere.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| simurgh_fuzz::diameter_stream(octets));
