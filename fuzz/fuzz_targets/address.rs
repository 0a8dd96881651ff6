//! Addresses, and where the language switch leads.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| simurgh_fuzz::address(octets));
