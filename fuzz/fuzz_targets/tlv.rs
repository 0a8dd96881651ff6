//! BER-TLV of eSIM: certificates, keys, lists, commands of a chip, packages.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| simurgh_fuzz::tlv(octets));
