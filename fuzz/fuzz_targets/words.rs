//! Texts that become typed values: names, addresses, numbers, amounts, selections.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| simurgh_fuzz::words(octets));
