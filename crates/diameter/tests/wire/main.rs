//! What is on the wire: clause by clause, round trips, garbage, other codecs, and the peer table.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod clauses;
mod garbage;
mod other_codec;
mod peers;

use simurgh_diameter::credit_control::{
    CcRequestType, CreditControlRequest, MultipleServicesCreditControl, RequestedServiceUnit,
    SubscriptionId, SubscriptionIdType, UsedServiceUnit,
};
use simurgh_diameter::dictionary::VENDOR_3GPP;
use simurgh_diameter::frame::{Frame, Framing, Ids, Limits, next_frame};
use simurgh_diameter::message::{Command, encode};
use simurgh_diameter::{Private, Repeated};

/// Ids that are easy to recognise.
const IDS: Ids = Ids {
    hop_by_hop: 0x0102_0304,
    end_to_end: 0x0506_0708,
};

/// The one message in `wire`.
fn frame(wire: &[u8]) -> Frame<'_> {
    match next_frame(wire, &Limits::default()) {
        Ok(Framing::Whole(frame)) => {
            assert_eq!(frame.octets.len(), wire.len());
            frame
        }
        other => panic!("{other:?}"),
    }
}

fn written<'a, C: Command<'a>>(body: &C) -> Vec<u8> {
    let mut wire = Vec::new();
    encode(&mut wire, IDS, body).unwrap();
    wire
}

/// A request as the python-diameter counterpart makes it.
fn ccr<'a>(services: &'a [MultipleServicesCreditControl<'a>]) -> CreditControlRequest<'a> {
    const WHO: &[SubscriptionId<'_>] = &[SubscriptionId {
        subscription_id_type: SubscriptionIdType::E164,
        subscription_id_data: Private("8613800138000"),
    }];
    CreditControlRequest {
        session_id: "pgw.example.com;1;2",
        origin_host: "pgw.example.com",
        origin_realm: "example.com",
        destination_realm: "example.com",
        auth_application_id: 4,
        service_context_id: "32251@3gpp.org",
        cc_request_type: CcRequestType::Update,
        cc_request_number: 1,
        subscription_id: WHO.into(),
        multiple_services_credit_control: services.into(),
        ..Default::default()
    }
}

const USED: &[UsedServiceUnit<'_>] = &[UsedServiceUnit {
    reporting_reason: None,
    tariff_change_usage: None,
    time_seconds: Some(60),
    money: None,
    total_octets: Some(777),
    input_octets: Some(700),
    output_octets: Some(77),
    service_specific_units: None,
    event_charging_timestamp: Repeated::NONE,
}];

fn service() -> MultipleServicesCreditControl<'static> {
    MultipleServicesCreditControl {
        requested_service_unit: Some(RequestedServiceUnit {
            total_octets: Some(1_000_000),
            ..Default::default()
        }),
        used_service_unit: USED.into(),
        rating_group: Some(10),
        ..Default::default()
    }
}

/// Writes AVPs by hand: code, vendor, flags, value.
fn avp(code: u32, vendor: u32, flags: u8, data: &[u8]) -> Vec<u8> {
    let head = if vendor == 0 { 8 } else { 12 };
    let length = u32::try_from(head + data.len()).unwrap();
    let mut wire = code.to_be_bytes().to_vec();
    wire.extend((length | (u32::from(flags) << 24)).to_be_bytes());
    if vendor != 0 {
        wire.extend(vendor.to_be_bytes());
    }
    wire.extend(data);
    wire.resize(wire.len().next_multiple_of(4), 0);
    wire
}

/// An AVP of 3GPP with the flags V and M.
fn of_3gpp(code: u32, data: &[u8]) -> Vec<u8> {
    avp(code, VENDOR_3GPP, 0xc0, data)
}

/// The message with more AVPs at its end.
fn with(mut wire: Vec<u8>, more: &[u8]) -> Vec<u8> {
    wire.extend(more);
    let [_, length @ ..] = u32::try_from(wire.len()).unwrap().to_be_bytes();
    wire[1..4].copy_from_slice(&length);
    wire
}
