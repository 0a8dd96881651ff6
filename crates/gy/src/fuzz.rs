//! What the fuzz targets call; nothing else does.

use simurgh_app::charge::UseRequest;
use simurgh_charging::{Answer, CommandResult, Quota, ServiceAnswer, ServiceResult};
use simurgh_diameter::credit_control::{
    CreditControlAnswer, CreditControlFailureHandling, CreditControlRequest,
};
use simurgh_diameter::frame::{Frame, Framing, Limits, next_frame};
use simurgh_diameter::message::{Origin, decode, encode_fault};
use simurgh_vocab::Duration;

use crate::settings::AtTheEnd;
use crate::translate::{Speaker, Wish, request, session_parts};

const US: Origin<'static> = Origin {
    host: "ocs.example.com",
    realm: "example.com",
};
const HANDLING: CreditControlFailureHandling = CreditControlFailureHandling::Continue;

/// A credit-control request: read, understood, and answered in every way in which it can be. The answer can
/// be read, and is an answer to it.
///
/// # Panics
/// When it is not.
pub fn credit_control(octets: &[u8]) {
    let Ok(Framing::Whole(frame)) = next_frame(octets, &Limits::default()) else {
        return;
    };
    let Ok(ccr) = decode::<CreditControlRequest<'_>>(&frame) else {
        return;
    };
    let wish = match request(&ccr) {
        Ok(wish) => wish,
        Err(fault) => {
            let mut out = Vec::new();
            assert!(encode_fault(&mut out, &frame, US, &fault).is_ok());
            return;
        }
    };
    match wish {
        Wish::Charge(wish) => charged(&frame, &ccr, &wish),
        Wish::CheckBalance(wish) => {
            understood(&ccr, &wish);
            for enough in [None, Some(false), Some(true)] {
                let mut out = Vec::new();
                let speaker = Speaker::new(US, &AtTheEnd::Terminate, HANDLING);
                speaker.write_check(&mut out, &frame.header.answer(), &ccr, enough);
                answered(&out, &frame, &ccr);
            }
        }
    }
}

fn understood(ccr: &CreditControlRequest<'_>, wish: &UseRequest) {
    let (session, sub) = session_parts(&wish.session);
    let told = (ccr.session_id, ccr.cc_sub_session_id);
    assert!((session, sub) == told || ccr.session_id.contains('\u{1f}'));
    for service in &wish.services {
        assert!(service.used.is_none_or(|used| used >= 0));
    }
}

fn charged(frame: &Frame<'_>, ccr: &CreditControlRequest<'_>, wish: &UseRequest) {
    understood(ccr, wish);
    let ends = [
        AtTheEnd::Terminate,
        AtTheEnd::Redirect("https://example.com/plans".to_owned()),
        AtTheEnd::Restrict(vec!["portal".to_owned()]),
    ];
    let results = [
        CommandResult::Taken,
        CommandResult::UnknownSession,
        CommandResult::OutOfOrder,
        CommandResult::UnknownSubscriber,
        CommandResult::NotInService,
    ];
    for (at_the_end, result) in ends.iter().cycle().zip(results) {
        let several = wish.services.iter().enumerate();
        let answer = Answer {
            result,
            services: several
                .map(|(place, service)| ServiceAnswer {
                    key: service.key,
                    result: outcome(place, service.used.unwrap_or(1)),
                })
                .collect(),
        };
        let speaker = Speaker::new(US, at_the_end, HANDLING);
        let mut out = Vec::new();
        speaker.write_answer(&mut out, &frame.header.answer(), ccr, &answer);
        answered(&out, frame, ccr);
    }
}

/// One of each, and amounts that a peer has chosen.
fn outcome(place: usize, amount: i64) -> ServiceResult {
    match place % 4 {
        0 => ServiceResult::Granted(Quota {
            amount,
            validity: Duration::seconds(u32::try_from(amount).unwrap_or(u32::MAX)),
            threshold: amount / 10,
            last: amount % 2 == 0,
        }),
        1 => ServiceResult::LimitReached,
        2 => ServiceResult::Reported,
        _ => ServiceResult::Denied,
    }
}

fn answered(out: &[u8], frame: &Frame<'_>, ccr: &CreditControlRequest<'_>) {
    let limits = Limits {
        message_octets_max: out.len(),
    };
    let Ok(Framing::Whole(answer)) = next_frame(out, &limits) else {
        unreachable!("an answer is one message");
    };
    assert_eq!(answer.header, frame.header.answer());
    let read = decode::<CreditControlAnswer<'_>>(&answer);
    let Ok(read) = read else {
        unreachable!("an answer can be read: {read:?}");
    };
    assert_eq!(read.session_id, ccr.session_id);
    assert_eq!(read.cc_request_number, ccr.cc_request_number);
    assert_eq!(read.cc_request_type, ccr.cc_request_type);
    assert!(read.proxy_info.iter().eq(ccr.proxy_info.iter()));
}
