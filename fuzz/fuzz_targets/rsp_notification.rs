//! What an eUICC tells a server.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| simurgh_fuzz::rsp_notification(octets));
