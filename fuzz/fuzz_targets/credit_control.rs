//! Requests of credit control: understood and answered.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| simurgh_fuzz::credit_control(octets));
