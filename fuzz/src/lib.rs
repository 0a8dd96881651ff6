//! One entry for each kind of input that a peer sends. None may panic, whatever comes.

use simurgh_commerce::{Selection, Start};
use simurgh_subscriber::{DisplayName, parse_phone};
use simurgh_vocab::{CountryCode, Currency, EmailAddress, Locale, Money, OrderId, TimeZoneName};

/// Forms of browsers.
pub fn form(octets: &[u8]) {
    simurgh_web::fuzz::form(octets);
}

/// `Accept-Language` and the cookie of the language switch.
pub fn languages(octets: &[u8]) {
    simurgh_web::fuzz::languages(octets);
}

/// Addresses, and where the language switch leads.
pub fn address(octets: &[u8]) {
    simurgh_web::fuzz::address(octets);
}

/// Notifications of the payment provider behind their signature.
pub fn notification(octets: &[u8]) {
    simurgh_connectors::payment::sandbox::fuzz::notification(octets);
}

/// PDUs of a message centre and the receipts in them.
pub fn smpp(octets: &[u8]) {
    simurgh_connectors::message::smpp::fuzz::pdus(octets);
}

/// Catalogue files.
pub fn catalogue(octets: &[u8]) {
    if let Ok(text) = std::str::from_utf8(octets) {
        let _ = simurgh_app::catalogue::parse(text, 1);
    }
}

/// Phone numbers as people write them.
pub fn phone(octets: &[u8]) {
    let text = String::from_utf8_lossy(octets);
    let _ = parse_phone(&text, None);
    let _ = parse_phone(&text, "CN".parse().ok());
    let (code, number) = text.split_once(' ').unwrap_or(("+86", &text));
    simurgh_web::fuzz::phone(code, number);
}

/// Texts that become typed values: names, addresses, numbers, amounts, selections.
pub fn words(octets: &[u8]) {
    let text = &*String::from_utf8_lossy(octets);
    let _ = text.parse::<DisplayName>();
    let _ = text.parse::<EmailAddress>();
    let _ = text.parse::<Selection>();
    let _ = text.parse::<Start>();
    let _ = text.parse::<OrderId>();
    let _ = text.parse::<TimeZoneName>();
    let _ = text.parse::<CountryCode>();
    let _ = text.parse::<Locale>();
    let _ = Money::parse(text, Currency::Cny);
}

/// BER-TLV of eSIM: certificates, keys, lists, commands of a chip, packages.
pub fn tlv(octets: &[u8]) {
    simurgh_rsp::fuzz::tlv(octets);
}

/// Bodies of ES9+ and ES11.
pub fn es9_body(octets: &[u8]) {
    simurgh_rsp::fuzz::es9_body(octets);
}

/// Bodies of ES2+ and ES12.
pub fn es2_body(octets: &[u8]) {
    simurgh_rsp::fuzz::es2_body(octets);
}

/// What an eUICC tells a server.
pub fn rsp_notification(octets: &[u8]) {
    simurgh_rsp::fuzz::notification(octets);
}

/// Profile packages.
pub fn saip(octets: &[u8]) {
    simurgh_rsp::fuzz::saip(octets);
}

/// APDUs to the software eUICC, lines and frames of its faces, its state.
pub fn apdu(octets: &[u8]) {
    simurgh_euicc::fuzz::apdu(octets);
}

/// Streams of Diameter, cut anywhere.
pub fn diameter_stream(octets: &[u8]) {
    simurgh_diameter::fuzz::stream(octets);
}

/// Messages of Diameter.
pub fn diameter_message(octets: &[u8]) {
    simurgh_diameter::fuzz::message(octets);
}

/// AVPs of Diameter and groups in groups.
pub fn diameter_avps(octets: &[u8]) {
    simurgh_diameter::fuzz::avps(octets);
}

/// Requests of credit control: understood and answered.
pub fn credit_control(octets: &[u8]) {
    simurgh_gy::fuzz::credit_control(octets);
}
