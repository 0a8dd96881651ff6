//! One test for each clause, named after it.

use simurgh_diameter::avp::Avps;
use simurgh_diameter::base::{CapabilitiesExchangeRequest, DeviceWatchdogRequest};
use simurgh_diameter::charging::{
    PsInformation, RemainingBalance, ReportingReason, ServiceInformation, SmsInformation, Trigger,
    TriggerType,
};
use simurgh_diameter::credit_control::{
    CcRequestType, CreditControlAnswer, CreditControlRequest, FinalUnitAction, FinalUnitIndication,
    GrantedServiceUnit, MultipleServicesCreditControl, RedirectAddressType, RedirectServer,
    RequestedAction, RequestedServiceUnit, UnitValue,
};
use simurgh_diameter::encode::{Encoder, TooLong};
use simurgh_diameter::fault::ResultCode;
use simurgh_diameter::frame::{
    FLAG_ERROR, FLAG_PROXIABLE, FrameError, Framing, Limits, next_frame, readdress,
};
use simurgh_diameter::message::{Message, Origin, decode, decode_any, encode_as, encode_fault};
use simurgh_diameter::value::Address;
use simurgh_diameter::{Fault, Private, dictionary};
use simurgh_vocab::Timestamp;

use crate::{avp, ccr, frame, of_3gpp, service, with, written};

const US: Origin<'static> = Origin {
    host: "ocs.example.com",
    realm: "example.com",
};

/// The code and the AVPs in Failed-AVP of the answer to a bad request.
fn refusal(wire: &[u8]) -> (u32, Vec<u8>) {
    let frame = frame(wire);
    let fault = decode_any(&frame).expect_err("it is wrong");
    let mut answer = Vec::new();
    encode_fault(&mut answer, &frame, US, &fault).unwrap();
    let answer = crate::frame(&answer);
    assert_eq!(answer.header.ids, frame.header.ids);
    assert_eq!(
        answer.header.is_error(),
        fault.result_code().is_protocol_error()
    );
    let failed = answer
        .avps()
        .map(Result::unwrap)
        .find(|avp| avp.code == 279);
    let failed = failed.map_or(Vec::new(), |avp| avp.data.to_vec());
    (fault.result_code().0, failed)
}

fn good() -> Vec<u8> {
    let services = [service()];
    written(&ccr(&services))
}

/// A good request whose AVP `code` is replaced.
fn changed(code: u32, replacement: &[u8]) -> Vec<u8> {
    let wire = good();
    let mut body = Vec::new();
    for one in frame(&wire).avps().map(Result::unwrap) {
        if one.code == code {
            body.extend(replacement);
        } else {
            body.extend(one.octets);
            body.resize(body.len().next_multiple_of(4), 0);
        }
    }
    with(wire[..20].to_vec(), &body)
}

/// A grant of the last units, another service without credit, and a balance: as an answer.
pub(crate) fn answer_with_everything<T>(then: impl FnOnce(&CreditControlAnswer<'_>) -> T) -> T {
    let triggers = [TriggerType::ChangeInRat, TriggerType::Other(999)];
    let services = [
        MultipleServicesCreditControl {
            granted_service_unit: Some(GrantedServiceUnit {
                tariff_time_change: Some(Timestamp::from_micros(1_800_000_000_000_000)),
                total_octets: Some(u64::MAX),
                ..Default::default()
            }),
            rating_group: Some(10),
            validity_time_seconds: Some(600),
            result_code: Some(ResultCode::SUCCESS),
            final_unit_indication: Some(FinalUnitIndication {
                final_unit_action: FinalUnitAction::Redirect,
                redirect_server: Some(RedirectServer {
                    redirect_address_type: RedirectAddressType::Url,
                    redirect_server_address: "https://example.com/renew",
                }),
                ..Default::default()
            }),
            volume_quota_threshold_octets: Some(100_000),
            quota_holding_time_seconds: Some(0),
            trigger: Some(Trigger {
                trigger_type: (&triggers).into(),
            }),
            ..Default::default()
        },
        MultipleServicesCreditControl {
            rating_group: Some(20),
            result_code: Some(ResultCode::CREDIT_LIMIT_REACHED),
            ..Default::default()
        },
    ];
    let request = ccr(&[]);
    then(&CreditControlAnswer {
        multiple_services_credit_control: (&services).into(),
        remaining_balance: Some(RemainingBalance {
            unit_value: UnitValue {
                value_digits: -5,
                exponent: Some(-2),
            },
            currency_code: 156,
        }),
        ..CreditControlAnswer::to(&request, US, ResultCode::SUCCESS)
    })
}

#[test]
fn rfc8506_3_1_a_request_is_what_was_written() {
    let services = [service(), service()];
    let request = CreditControlRequest {
        event_timestamp: Some(Timestamp::from_micros(1_700_000_000_000_000)),
        service_information: Some(ServiceInformation {
            ps_information: Some(PsInformation {
                called_station_id: Some("internet"),
                tgpp_rat_type: Some(&[6]),
                tgpp_user_location_info: Some(Private(&[0, 0x64, 0xf0, 0x10, 0, 1, 0, 2])),
                ..Default::default()
            }),
            sms_information: Some(SmsInformation {
                client_address: Some(Address::Ip("2001:db8::1".parse().unwrap())),
                ..Default::default()
            }),
            ..Default::default()
        }),
        ..ccr(&services)
    };
    let wire = written(&request);
    assert_eq!(
        decode::<CreditControlRequest<'_>>(&frame(&wire)),
        Ok(request)
    );
    let read = decode::<CreditControlRequest<'_>>(&frame(&wire)).unwrap();
    assert_eq!(written(&read), wire);
}

#[test]
fn rfc8506_3_2_an_answer_is_what_was_written() {
    answer_with_everything(|answer| {
        let wire = written(answer);
        let read = decode::<CreditControlAnswer<'_>>(&frame(&wire)).unwrap();
        assert_eq!(read, *answer);
        assert_eq!(written(&read), wire);
    });
}

#[test]
fn rfc8506_8_3_numbers_of_requests_of_other_types_are_refused() {
    let wire = changed(416, &avp(416, 0, 0x40, &[0, 0, 0, 9]));
    assert_eq!(refusal(&wire), (5004, avp(416, 0, 0x40, &[0, 0, 0, 9])));
}

#[test]
fn rfc8506_8_41_an_event_says_what_it_asks_for_and_nothing_else_does() {
    let event = CreditControlRequest {
        cc_request_type: CcRequestType::Event,
        ..ccr(&[])
    };
    assert_eq!(
        event.check().map_err(|fault| fault.result_code().0),
        Err(5005)
    );
    let debit = CreditControlRequest {
        requested_action: Some(RequestedAction::DirectDebiting),
        ..event
    };
    assert_eq!(debit.check(), Ok(()));
    let update = CreditControlRequest {
        cc_request_type: CcRequestType::Update,
        ..debit
    };
    assert_eq!(
        update.check().map_err(|fault| fault.result_code().0),
        Err(5007)
    );
}

#[test]
fn rfc8506_8_16_a_service_may_have_no_rating_group_and_an_empty_request() {
    let services = [MultipleServicesCreditControl {
        requested_service_unit: Some(RequestedServiceUnit::default()),
        ..Default::default()
    }];
    let wire = written(&ccr(&services));
    let read = decode::<CreditControlRequest<'_>>(&frame(&wire)).unwrap();
    assert_eq!(
        read.multiple_services_credit_control.first(),
        Some(services[0])
    );
}

#[test]
fn ts_32_299_7_2_reasons_stand_at_either_level_and_unknown_ones_are_kept() {
    let used = [
        of_3gpp(872, &[0, 0, 0, 3]),
        avp(421, 0, 0x40, &7_u64.to_be_bytes()),
    ]
    .concat();
    let inside = [
        avp(446, 0, 0x40, &used),
        of_3gpp(872, &[0, 0, 0, 2]),
        of_3gpp(872, &[0, 0, 0, 77]),
    ];
    let wire = with(written(&ccr(&[])), &avp(456, 0, 0x40, &inside.concat()));
    let read = decode::<CreditControlRequest<'_>>(&frame(&wire)).unwrap();
    let one = read.multiple_services_credit_control.first().unwrap();
    let used = one.used_service_unit.first().unwrap();
    assert_eq!(used.reporting_reason, Some(ReportingReason::QuotaExhausted));
    assert_eq!(used.total_octets, Some(7));
    let reasons: Vec<_> = one.reporting_reason.iter().collect();
    assert_eq!(
        reasons,
        [ReportingReason::Final, ReportingReason::Other(77)]
    );
}

#[test]
fn rfc6733_3_versions_and_lengths_are_checked_before_anything_is_kept() {
    let limits = Limits {
        message_octets_max: 4_096,
    };
    assert_eq!(
        next_frame(&[2, 0, 0, 20], &limits),
        Err(FrameError::Version(2))
    );
    assert_eq!(
        next_frame(&[1, 0, 0, 16], &limits),
        Err(FrameError::Length(16))
    );
    assert_eq!(
        next_frame(&[1, 0, 0, 22], &limits),
        Err(FrameError::Length(22))
    );
    let long = next_frame(&[1, 0, 0x10, 4], &limits).unwrap_err();
    assert_eq!(long.result_code(), ResultCode::INVALID_MESSAGE_LENGTH);
    assert_eq!(
        FrameError::Version(2).result_code(),
        ResultCode::UNSUPPORTED_VERSION
    );
    let wanted = next_frame(&[1, 0, 0x10, 0], &limits);
    assert_eq!(
        wanted,
        Ok(Framing::Partial {
            octets_wanted: 4_096
        })
    );
}

#[test]
fn rfc6733_3_reserved_header_flags_are_ignored() {
    let mut wire = good();
    wire[4] |= 0x0f;
    assert!(decode_any(&frame(&wire)).is_ok());
}

#[test]
fn rfc6733_7_1_3_header_flags_that_contradict_each_other_are_refused_with_3008() {
    let mut wire = good();
    wire[4] |= FLAG_ERROR;
    assert_eq!(refusal(&wire).0, 3008);
    let mut answer = answer_with_everything(|answer| written(answer));
    answer[4] |= 0x10;
    let fault = decode_any(&frame(&answer)).unwrap_err();
    assert_eq!(fault.result_code().0, 3008);
}

#[test]
fn rfc6733_7_1_3_unknown_commands_and_applications_are_refused_with_the_e_flag() {
    let mut wire = good();
    wire[11] = 77;
    assert_eq!(refusal(&wire).0, 3007);
    let mut wire = good();
    wire[7] = 77;
    assert_eq!(refusal(&wire).0, 3001);
}

#[test]
fn rfc6733_7_1_3_reserved_avp_flags_are_refused_with_3009() {
    let bad = avp(55, 0, 0x41, &[0; 4]);
    assert_eq!(refusal(&with(good(), &bad)), (3009, bad));
}

#[test]
fn rfc6733_7_1_5_unknown_avps_with_the_m_flag_are_refused_with_5001() {
    let bad = avp(9_999, 0, 0x40, &[1, 2, 3, 4]);
    assert_eq!(refusal(&with(good(), &bad)), (5001, bad.clone()));
    // Within groups the way to it is shown.
    let services = avp(456, 0, 0x40, &avp(437, 0, 0x40, &bad));
    assert_eq!(refusal(&with(good(), &services)), (5001, services));
}

#[test]
fn rfc6733_4_1_unknown_avps_without_the_m_flag_are_passed_over() {
    let odd = [avp(9_999, 0, 0, &[1, 2, 3]), avp(1, 424_242, 0x80, &[1])].concat();
    let wire = with(good(), &odd);
    let Ok(Message::CreditControlRequest(read)) = decode_any(&frame(&wire)) else {
        panic!("it is good");
    };
    assert_eq!(written(&read), good());
}

#[test]
fn rfc6733_7_1_5_missing_avps_are_named_with_zeros_for_a_value() {
    for (code, flags, octets) in [
        (263, 0x40, 0),
        (416, 0x40, 4),
        (415, 0x40, 4),
        (461, 0x40, 0),
    ] {
        assert_eq!(
            refusal(&changed(code, &[])),
            (5005, avp(code, 0, flags, &vec![0; octets]))
        );
    }
    let inside = avp(443, 0, 0x40, &avp(450, 0, 0x40, &[0; 4]));
    let example = avp(443, 0, 0x40, &avp(444, 0, 0x40, &[]));
    assert_eq!(refusal(&with(good(), &inside)), (5005, example));
    let request = CapabilitiesExchangeRequest {
        origin_host: "a.example",
        origin_realm: "example",
        product_name: "x",
        ..Default::default()
    };
    assert_eq!(
        refusal(&written(&request)),
        (5005, avp(257, 0, 0x40, &[0; 6]))
    );
}

#[test]
fn rfc6733_7_1_5_values_that_cannot_be_are_refused_with_5004() {
    for bad in [
        avp(1, 0, 0x40, &[0xff]),
        avp(293, 0, 0x40, b""),
        avp(293, 0, 0x40, "hést".as_bytes()),
        avp(436, 0, 0x40, &[0, 0, 0, 4]),
    ] {
        assert_eq!(refusal(&with(good(), &bad)), (5004, bad));
    }
}

#[test]
fn rfc6733_7_1_5_closed_groups_hold_nothing_else() {
    let subscription = |more: Vec<u8>| {
        let inside = [avp(450, 0, 0x40, &[0; 4]), avp(444, 0, 0x40, b"1"), more];
        with(good(), &avp(443, 0, 0x40, &inside.concat()))
    };
    assert!(decode_any(&frame(&subscription(Vec::new()))).is_ok());
    let (code, failed) = refusal(&subscription(avp(55, 0, 0x40, &[0; 4])));
    assert_eq!(code, 5008);
    assert_eq!(failed, avp(443, 0, 0x40, &avp(55, 0, 0x40, &[0; 4])));
}

#[test]
fn rfc6733_7_1_5_what_may_occur_once_is_refused_the_second_time() {
    let again = avp(415, 0, 0x40, &[0, 0, 0, 8]);
    assert_eq!(refusal(&with(good(), &again)), (5009, again));
}

#[test]
fn rfc6733_7_1_5_lengths_that_cannot_be_are_refused_with_5014() {
    // Of the wrong size for its format: zeros of the right one come back.
    let short = avp(55, 0, 0x40, &[0; 3]);
    assert_eq!(
        refusal(&with(good(), &short)),
        (5014, avp(55, 0, 0x40, &[0; 4]))
    );
    // Beyond the end of the message, and shorter than its own header.
    for length in [200, 7] {
        let mut bad = avp(55, 0, 0x40, &[0; 4]);
        bad[7] = length;
        assert_eq!(
            refusal(&with(good(), &bad)),
            (5014, avp(55, 0, 0x40, &[0; 4]))
        );
    }
    // A header that is cut off is filled up.
    let wire = with(good(), &[0, 0, 0, 55]);
    assert_eq!(refusal(&wire), (5014, avp(55, 0, 0, &[])));
    // Known AVPs that nothing reads are checked too.
    let wire = with(good(), &of_3gpp(866, &[0; 5]));
    let known = dictionary::find(dictionary::VENDOR_3GPP, 866).map(|one| one.kind.is_fixed());
    assert_eq!(decode_any(&frame(&wire)).is_err(), known == Some(true));
}

#[test]
fn rfc6733_7_2_error_answers_are_read_whatever_their_command_requires() {
    let wire = good();
    let fault = Fault::bare(ResultCode::TOO_BUSY);
    let mut answer = Vec::new();
    encode_fault(&mut answer, &frame(&wire), US, &fault).unwrap();
    let Ok(Message::Error(error)) = decode_any(&frame(&answer)) else {
        panic!("an error");
    };
    assert_eq!(error.result_code, ResultCode::TOO_BUSY);
    assert_eq!(error.session_id, Some("pgw.example.com;1;2"));
    assert_eq!(answer[4], FLAG_ERROR | FLAG_PROXIABLE);
}

#[test]
fn rfc6733_6_2_proxy_info_comes_back_in_order() {
    let proxy = |state: &[u8]| {
        let inside = [
            avp(280, 0, 0x40, b"dra.example.com"),
            avp(33, 0, 0x40, state),
        ];
        avp(284, 0, 0x40, &inside.concat())
    };
    let two = [proxy(b"first"), proxy(b"2")].concat();
    let wire = with(good(), &two);
    let frame = frame(&wire);
    let request = decode::<CreditControlRequest<'_>>(&frame).unwrap();
    let answer = CreditControlAnswer::to(&request, US, ResultCode::SUCCESS);
    let mut out = Vec::new();
    encode_as(&mut out, &frame.header.answer(), &answer).unwrap();
    let mut refused = Vec::new();
    encode_fault(&mut refused, &frame, US, &Fault::bare(ResultCode::TOO_BUSY)).unwrap();
    assert!(out.ends_with(&two) && refused.ends_with(&two));
}

#[test]
fn rfc6733_4_3_1_time_passes_into_the_era_after_2036() {
    for (wire, unix_seconds) in [
        (0x8000_0000_u32, -61_505_152_i64),
        (2_208_988_800, 0),
        (u32::MAX, 2_085_978_495),
        (0, 2_085_978_496),
        (0x7fff_ffff, 4_233_462_143),
    ] {
        let mut request = with(good(), &avp(55, 0, 0x40, &wire.to_be_bytes()));
        request[4] = 0xc0;
        let read = decode::<CreditControlRequest<'_>>(&frame(&request)).unwrap();
        let time = Timestamp::from_micros(unix_seconds * 1_000_000);
        assert_eq!(read.event_timestamp, Some(time));
        let again = written(&read);
        assert!(
            again
                .windows(12)
                .any(|one| one == avp(55, 0, 0x40, &wire.to_be_bytes()))
        );
    }
}

#[test]
fn rfc6733_4_3_1_addresses_have_the_length_of_their_family() {
    let request = |address: &[u8]| {
        let body = [
            avp(264, 0, 0x40, b"a.example"),
            avp(296, 0, 0x40, b"example"),
            avp(257, 0, 0x40, address),
            avp(266, 0, 0x40, &[0; 4]),
            avp(269, 0, 0, b"x"),
        ];
        let head = written(&CapabilitiesExchangeRequest::default());
        with(head[..20].to_vec(), &body.concat())
    };
    for good in [&[0, 1, 127, 0, 0, 1][..], &[0, 8, 0x86, 0x13]] {
        let wire = request(good);
        let read = decode::<CapabilitiesExchangeRequest<'_>>(&frame(&wire)).unwrap();
        let again = written(&read);
        assert!(again.windows(good.len()).any(|one| one == good));
    }
    for bad in [&[0, 1, 127, 0, 0][..], &[0, 2, 127, 0, 0, 1], &[0]] {
        assert_eq!(refusal(&request(bad)).0, 5014);
    }
}

#[test]
fn rfc6733_4_4_the_last_padding_of_a_group_may_be_missing() {
    let inside = [avp(450, 0, 0x40, &[0; 4]), avp(444, 0, 0x40, b"12345")].concat();
    let cut = &inside[..inside.len() - 3];
    let wire = with(good(), &avp(443, 0, 0x40, cut));
    let read = decode::<CreditControlRequest<'_>>(&frame(&wire)).unwrap();
    let last = read.subscription_id.iter().last().unwrap();
    assert_eq!(last.subscription_id_data, Private("12345"));
}

#[test]
fn a_message_that_is_too_long_leaves_the_buffer_as_it_was() {
    let mut out = vec![7; 3];
    let header = frame(&good()).header;
    let mut encoder = Encoder::begin(&mut out, &header);
    encoder.octets(&dictionary::CLASS, &vec![0; 0x100_0000]);
    assert_eq!(encoder.finish(), Err(TooLong));
    assert_eq!(out, [7; 3]);
    // Padding counts from the message, not from the buffer.
    encode_as(&mut out, &header, &DeviceWatchdogRequest::default()).unwrap();
    assert_eq!((out.len() - 3) % 4, 0);
    assert!(Avps::new(&out[23..]).all(|avp| avp.is_ok()));
}

#[test]
fn a_stored_answer_is_replayed_under_another_hop_by_hop_id() {
    let mut wire = good();
    readdress(&mut wire, 77);
    assert_eq!(frame(&wire).header.ids.hop_by_hop, 77);
    readdress(&mut wire, crate::IDS.hop_by_hop);
    assert_eq!(wire, good());
}

#[test]
fn personal_data_is_hidden_in_debug() {
    let wire = good();
    let text = format!("{:?}", decode_any(&frame(&wire)).unwrap());
    assert!(!text.contains("138001"), "{text}");
}
