//! Reads delivery receipts out of `deliver_sm`.
//!
//! Source: SMPP v3.4 §5.2.12 (esm_class), §5.3.2.12 (receipted_message_id), §5.3.2.35
//! (message_state) and appendix B (the text form, which is a convention and varies).

use rusmpp::pdus::DeliverSm;
use rusmpp::tlvs::TlvValue;
use rusmpp::values::{DataCoding, MessageState};
use simurgh_app::ports::{Fate, Receipt};

use super::settings::MessageIds;

/// The bits of `esm_class` that tell a receipt (0x04) or an intermediate notification (0x20).
const ESM_CLASS_RECEIPT: u8 = 0x04 | 0x20;

/// The longest error code kept, in characters.
const ERROR_CHARS_MAX: usize = 40;

/// What a `deliver_sm` is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Delivered {
    /// A receipt.
    Receipt(Receipt),
    /// A receipt that names no message or no state.
    UnreadableReceipt,
    /// A message somebody wrote to us.
    Message,
}

/// Reads a `deliver_sm`.
pub(super) fn read(deliver_sm: &DeliverSm, message_ids: MessageIds) -> Delivered {
    if u8::from(deliver_sm.esm_class) & ESM_CLASS_RECEIPT == 0 {
        return Delivered::Message;
    }
    let text = text(deliver_sm);
    let fields = Fields::new(&text);
    let (mut id, mut fate) = (
        fields.value("id:").map(str::to_owned),
        fields.value("stat:").map(fate_by_name),
    );
    for value in deliver_sm.tlvs().iter().filter_map(|tlv| tlv.value()) {
        match value {
            TlvValue::ReceiptedMessageId(named) => id = Some(named.as_str().to_owned()),
            TlvValue::MessageState(state) => fate = Some(fate_by_state(*state)),
            _ => {}
        }
    }
    match (id, fate) {
        (Some(id), Some(fate)) if !id.is_empty() => Delivered::Receipt(Receipt {
            reference: message_ids.of_receipt(id),
            fate,
            error: fields
                .value("err:")
                .filter(|code| code.bytes().any(|b| b != b'0'))
                .map(|code| code.chars().take(ERROR_CHARS_MAX).collect()),
        }),
        (_, _) => Delivered::UnreadableReceipt,
    }
}

/// The text form, less the quotation of the message at its end.
struct Fields<'a>(&'a str);

impl<'a> Fields<'a> {
    fn new(text: &'a str) -> Self {
        let end = find(text, "text:").unwrap_or(text.len());
        Self(text.get(..end).unwrap_or(text))
    }

    /// The word after `key`, which stands at the beginning or after a space, in any case.
    fn value(&self, key: &str) -> Option<&'a str> {
        let start = find(self.0, key)? + key.len();
        let word = self.0.get(start..)?.split([' ', '\0']).next()?;
        (!word.is_empty()).then_some(word)
    }
}

fn find(text: &str, key: &str) -> Option<usize> {
    let lower = text.to_ascii_lowercase();
    lower
        .match_indices(key)
        .map(|(at, _)| at)
        .find(|at| *at == 0 || lower.get(..*at).is_some_and(|before| before.ends_with(' ')))
}

fn text(deliver_sm: &DeliverSm) -> String {
    let payload = deliver_sm.tlvs().iter().find_map(|tlv| match tlv.value() {
        Some(TlvValue::MessagePayload(payload)) => Some(payload.value.as_ref()),
        Some(_) | None => None,
    });
    let octets: &[u8] = match payload {
        Some(payload) if deliver_sm.short_message().is_empty() => payload,
        Some(_) | None => deliver_sm.short_message().as_ref(),
    };
    if deliver_sm.data_coding == DataCoding::Ucs2 {
        let units = octets.chunks_exact(2).map(|pair| match pair {
            [high, low] => u16::from_be_bytes([*high, *low]),
            _ => 0,
        });
        char::decode_utf16(units)
            .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect()
    } else {
        octets.iter().copied().map(char::from).collect()
    }
}

fn fate_by_name(name: &str) -> Fate {
    match name.to_ascii_uppercase().as_str() {
        "DELIVRD" => Fate::Delivered,
        "EXPIRED" => Fate::Expired,
        "DELETED" => Fate::Deleted,
        "UNDELIV" => Fate::Undeliverable,
        "REJECTD" => Fate::Rejected,
        "ACCEPTD" | "ENROUTE" | "SCHEDULED" => Fate::Underway,
        _ => Fate::Unknown,
    }
}

fn fate_by_state(state: MessageState) -> Fate {
    match state {
        MessageState::Delivered => Fate::Delivered,
        MessageState::Expired => Fate::Expired,
        MessageState::Deleted => Fate::Deleted,
        MessageState::Undeliverable => Fate::Undeliverable,
        MessageState::Rejected | MessageState::Skipped => Fate::Rejected,
        MessageState::Scheduled | MessageState::Enroute | MessageState::Accepted => Fate::Underway,
        MessageState::Unknown | MessageState::Other(_) => Fate::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use rusmpp::tlvs::MessageDeliveryRequestTlvValue;
    use rusmpp::types::{COctetString, OctetString};
    use rusmpp::values::EsmClass;

    use super::*;

    fn deliver(esm_class: u8, text: &[u8]) -> DeliverSm {
        DeliverSm::builder()
            .esm_class(EsmClass::from(esm_class))
            .short_message(OctetString::from_slice(text).unwrap())
            .build()
    }

    fn receipt(reference: &str, fate: Fate, error: Option<&str>) -> Delivered {
        Delivered::Receipt(Receipt {
            reference: reference.to_owned(),
            fate,
            error: error.map(str::to_owned),
        })
    }

    #[test]
    fn smpp_3_4_appendix_b_text_form() {
        let read = |text: &str| read(&deliver(0x04, text.as_bytes()), MessageIds::Same);
        assert_eq!(
            read(
                "id:0A1B-7 sub:001 dlvrd:001 submit date:2601010101 done date:2601010102 \
                 stat:DELIVRD err:000 text:stat:UNDELIV id:9"
            ),
            receipt("0A1B-7", Fate::Delivered, None)
        );
        assert_eq!(
            read("ID:12 STAT:undeliv ERR:045 Text:hi"),
            receipt("12", Fate::Undeliverable, Some("045"))
        );
        assert_eq!(
            read("id:7 stat:ENROUTE"),
            receipt("7", Fate::Underway, None)
        );
        assert_eq!(read("id:7 stat:???"), receipt("7", Fate::Unknown, None));
        for text in ["", "hello", "id: stat:DELIVRD", "text:id:1 stat:DELIVRD"] {
            assert_eq!(read(text), Delivered::UnreadableReceipt, "{text}");
        }
    }

    #[test]
    fn smpp_3_4_5_3_2_12_optional_parameters_win_over_the_text() {
        let mut with_tlvs = deliver(0x04, b"id:1 stat:UNDELIV err:00A");
        with_tlvs.push_tlv(MessageDeliveryRequestTlvValue::ReceiptedMessageId(
            COctetString::from_slice(b"abc\0").unwrap(),
        ));
        with_tlvs.push_tlv(MessageDeliveryRequestTlvValue::MessageState(
            MessageState::Expired,
        ));
        assert_eq!(
            read(&with_tlvs, MessageIds::Same),
            receipt("abc", Fate::Expired, Some("00A"))
        );
    }

    #[test]
    fn ids_in_another_base_become_the_same_number() {
        assert_eq!(
            MessageIds::HexThenDecimal.of_answer("00FF".to_owned()),
            "255"
        );
        assert_eq!(
            MessageIds::DecimalThenHex.of_answer("0255".to_owned()),
            "255"
        );
        assert_eq!(
            MessageIds::DecimalThenHex.of_answer("a-b".to_owned()),
            "a-b"
        );
        assert_eq!(MessageIds::Same.of_answer("00FF".to_owned()), "00FF");
        let decimal = deliver(0x04, b"id:0000000255 stat:DELIVRD");
        assert_eq!(
            read(&decimal, MessageIds::HexThenDecimal),
            receipt("255", Fate::Delivered, None)
        );
        let hex = deliver(0x04, b"id:FF stat:DELIVRD");
        assert_eq!(
            read(&hex, MessageIds::DecimalThenHex),
            receipt("255", Fate::Delivered, None)
        );
    }

    #[test]
    fn a_message_to_us_is_no_receipt_whatever_it_says() {
        let message = deliver(0x00, b"id:1 stat:DELIVRD");
        assert_eq!(read(&message, MessageIds::Same), Delivered::Message);
    }
}
