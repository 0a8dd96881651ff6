//! Notifications of the payment provider behind their signature.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| simurgh_fuzz::notification(octets));
