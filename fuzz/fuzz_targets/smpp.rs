//! PDUs of a message centre and the receipts in them.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| simurgh_fuzz::smpp(octets));
