//! APDUs to the software eUICC, lines and frames of its faces, its state.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| simurgh_fuzz::apdu(octets));
