//! What the fuzz targets call; nothing else does. Each entry reads what a peer can send as far as it can be
//! read, and asserts what has to be true of it.

use crate::avp::Avps;
use crate::base::VendorSpecificApplicationId;
use crate::charging::{ImsInformation, PsInformation, ServiceInformation, SmsInformation};
use crate::credit_control::{MultipleServicesCreditControl, SubscriptionId};
use crate::encode::Encoder;
use crate::fault::{DEPTH_MAX, Fault, Grammar, ResultCode, pass_over};
use crate::frame::{Frame, FrameError, Framing, Header, Ids, Limits, header, next_frame};
use crate::location::Plmn;
use crate::message::{Group, Origin, decode_any, encode_fault};

const LIMITS: Limits = Limits {
    message_octets_max: 4_096,
};

const US: Origin<'static> = Origin {
    host: "ocs.example.com",
    realm: "example.com",
};

/// A stream that arrives in pieces; its first four octets say of what lengths. However it is cut, the same
/// messages come out of it, and the same error ends it.
///
/// # Panics
/// When they do not.
pub fn stream(octets: &[u8]) {
    let Some((lengths, stream)) = octets.split_first_chunk::<4>() else {
        return;
    };
    let mut lengths = lengths
        .iter()
        .map(|it| usize::from(*it).saturating_add(1))
        .cycle();
    let mut rest = stream;
    let pieces = std::iter::from_fn(|| {
        let (piece, after) = rest
            .split_at_checked(lengths.next()?)
            .unwrap_or((rest, &[]));
        rest = after;
        (!piece.is_empty()).then_some(piece)
    });
    let (in_pieces, error) = follow(pieces);
    let (at_once, same) = follow(std::iter::once(stream));
    assert_eq!((in_pieces, error), (at_once, same));
    assert_eq!(header(stream).is_some(), stream.len() >= 20);
}

/// The messages of a stream, and what ended it.
fn follow<'p>(pieces: impl Iterator<Item = &'p [u8]>) -> (Vec<Vec<u8>>, Option<FrameError>) {
    let (mut buffer, mut messages) = (Vec::new(), Vec::new());
    for piece in pieces {
        buffer.extend_from_slice(piece);
        let mut at = 0;
        loop {
            let rest = buffer.get(at..).unwrap_or(&[]);
            match next_frame(rest, &LIMITS) {
                Ok(Framing::Whole(frame)) => {
                    assert!(frame.octets.len() <= LIMITS.message_octets_max);
                    at = at.saturating_add(frame.octets.len());
                    messages.push(frame.octets.to_vec());
                }
                Ok(Framing::Partial { octets_wanted }) => {
                    assert!(octets_wanted > rest.len(), "more is wanted than is there");
                    assert!(octets_wanted <= LIMITS.message_octets_max);
                    break;
                }
                Err(error) => return (messages, Some(error)),
            }
        }
        buffer.drain(..at);
    }
    (messages, None)
}

/// Any message: read, printed, written again, or refused with an answer that can be read.
///
/// # Panics
/// When what was written is not what was read.
pub fn message(octets: &[u8]) {
    let Ok(Framing::Whole(frame)) = next_frame(octets, &Limits::default()) else {
        return;
    };
    match decode_any(&frame) {
        Ok(message) => {
            drop(format!("{message:?}"));
            let mut again = Vec::new();
            let written = message.write_again(&mut again, &frame.header);
            assert!(written.is_ok(), "what came in a message fits one");
            // Padding that was left out comes back.
            let limits = Limits {
                message_octets_max: again.len(),
            };
            let Ok(Framing::Whole(again)) = next_frame(&again, &limits) else {
                unreachable!("what is written is one message");
            };
            assert_eq!(decode_any(&again), Ok(message));
        }
        Err(fault) => refused(&frame, &fault),
    }
}

/// The answer to what is at fault is well formed, and no longer than what was sent and our own names.
fn refused(frame: &Frame<'_>, fault: &Fault<'_>) {
    drop(format!("{fault} {fault:?}"));
    let mut answer = Vec::new();
    let written = encode_fault(&mut answer, frame, US, fault);
    assert!(written.is_ok() && answer.len() <= 2 * frame.octets.len() + 256);
    let Ok(Framing::Whole(answer)) = next_frame(&answer, &Limits::default()) else {
        assert!(answer.len() > Limits::default().message_octets_max);
        return;
    };
    let bits_are_shown = fault.result_code() == ResultCode::INVALID_AVP_BITS;
    assert!(bits_are_shown || answer.avps().all(|avp| avp.is_ok()));
}

/// AVPs outside any message, and groups in groups: as what no type reads, and as the groups of a request.
///
/// # Panics
/// When a fault cannot be shown.
pub fn avps(octets: &[u8]) {
    for avp in Avps::new(octets).map_while(Result::ok) {
        for grammar in [Grammar::Open, Grammar::Closed] {
            if let Err(fault) = pass_over(&avp, grammar) {
                shown(&fault, avp.octets.len());
            }
        }
    }
    group::<ServiceInformation<'_>>(octets);
    group::<PsInformation<'_>>(octets);
    group::<ImsInformation<'_>>(octets);
    group::<SmsInformation<'_>>(octets);
    group::<MultipleServicesCreditControl<'_>>(octets);
    group::<SubscriptionId<'_>>(octets);
    group::<VendorSpecificApplicationId>(octets);
    let plmn = Plmn::from_user_location(octets);
    assert!(plmn.is_none_or(|it| it.mcc < 1_000 && it.mnc < 1_000));
}

fn group<'a, G: Group<'a>>(octets: &'a [u8]) {
    if let Err(fault) = G::read_group(Avps::new(octets)) {
        shown(&fault, octets.len());
    }
}

/// Failed-AVP holds the offence within its groups, and those only.
fn shown(fault: &Fault<'_>, octets: usize) {
    let mut out = Vec::new();
    let header = Header {
        flags: 0,
        command: 272,
        application: 4,
        ids: Ids::default(),
    };
    let mut encoder = Encoder::begin(&mut out, &header);
    fault.write_failed_avp(&mut encoder);
    assert!(encoder.finish().is_ok());
    let around = (DEPTH_MAX + 4) * 12;
    assert!(
        out.len() <= octets + around + 64,
        "{} of {octets}",
        out.len()
    );
}
