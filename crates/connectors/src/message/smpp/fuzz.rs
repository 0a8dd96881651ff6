//! What the fuzz targets call; nothing else does.

use bytes::BytesMut;
use rusmpp::Pdu;

use super::receipt;
use super::settings::MessageIds;
use super::wire::{Incoming, take};

/// Reads whatever a message centre sends, and the receipts in it.
pub fn pdus(octets: &[u8]) {
    let mut received = BytesMut::from(octets);
    while let Ok(Some(incoming)) = take(&mut received) {
        let Incoming::Command(command) = incoming else {
            continue;
        };
        let Some(Pdu::DeliverSm(deliver_sm)) = command.pdu() else {
            continue;
        };
        for ids in [
            MessageIds::Same,
            MessageIds::HexThenDecimal,
            MessageIds::DecimalThenHex,
        ] {
            let _ = receipt::read(deliver_sm, ids);
        }
    }
}
