//! Accept-Language and the cookie of the language switch.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| simurgh_fuzz::languages(octets));
