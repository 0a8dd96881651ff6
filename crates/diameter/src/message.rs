//! Commands as types, any message as an enum, and error answers.

use crate::avp::Avps;
use crate::base::{
    AbortSessionAnswer, AbortSessionRequest, CapabilitiesExchangeAnswer,
    CapabilitiesExchangeRequest, DeviceWatchdogAnswer, DeviceWatchdogRequest, DisconnectPeerAnswer,
    DisconnectPeerRequest, ErrorAnswer, ReAuthAnswer, ReAuthRequest, SessionTerminationAnswer,
    SessionTerminationRequest,
};
use crate::credit_control::{CreditControlAnswer, CreditControlRequest};
use crate::dictionary;
use crate::encode::{Encoder, TooLong};
use crate::fault::{Fault, ResultCode};
use crate::frame::{FLAG_ERROR, FLAG_REQUEST, FLAG_RETRANSMITTED, Frame, Header, Ids};
use crate::value::Value;

/// Application ids.
pub mod application {
    /// What peers say to each other.
    pub const BASE: u32 = 0;
    /// Credit control.
    ///
    /// Source: RFC 8506 §12.1
    pub const CREDIT_CONTROL: u32 = 4;
    /// Whatever is relayed.
    pub const RELAY: u32 = 0xffff_ffff;
}

/// AVPs in a grammar: the inside of a group or of a message.
pub trait Group<'a>: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// The first [`Fault`], in the order of the AVPs; then what is missing, in the order of the grammar.
    fn read_group(avps: Avps<'a>) -> Result<Self, Fault<'a>>;

    /// Writes it.
    fn write_group(&self, out: &mut Encoder<'_>);
}

/// A request or an answer.
pub trait Command<'a>: Group<'a> {
    /// Its command code.
    const CODE: u32;
    /// Its application; the messages about sessions take that of their session instead.
    const APPLICATION: u32;
    /// The flags it is sent with.
    const FLAGS: u8;
}

/// Reads a message that is known to be this command.
///
/// # Errors
/// `DIAMETER_INVALID_HDR_BITS`, `DIAMETER_COMMAND_UNSUPPORTED` when it is another one, or a fault of its AVPs.
#[inline]
pub fn decode<'a, C: Command<'a>>(frame: &Frame<'a>) -> Result<C, Fault<'a>> {
    let header = &frame.header;
    header.check().map_err(Fault::bare)?;
    if header.command != C::CODE || (header.flags ^ C::FLAGS) & FLAG_REQUEST != 0 {
        return Err(Fault::bare(ResultCode::COMMAND_UNSUPPORTED));
    }
    C::read_group(frame.avps())
}

/// Writes a message of its command's own application.
///
/// # Errors
/// [`TooLong`]; nothing was written.
#[inline]
pub fn encode<'a, C: Command<'a>>(out: &mut Vec<u8>, ids: Ids, body: &C) -> Result<usize, TooLong> {
    let header = Header {
        flags: C::FLAGS,
        command: C::CODE,
        application: C::APPLICATION,
        ids,
    };
    encode_as(out, &header, body)
}

/// Writes a message under a header of the caller's: the answer to a request has `request.answer()`.
///
/// # Errors
/// [`TooLong`]; nothing was written.
#[inline]
pub fn encode_as<'a>(
    out: &mut Vec<u8>,
    header: &Header,
    body: &impl Group<'a>,
) -> Result<usize, TooLong> {
    let mut encoder = Encoder::begin(out, header);
    body.write_group(&mut encoder);
    encoder.finish()
}

/// Declares the enum of all messages and how a header chooses among them.
macro_rules! messages {
    ($($name:ident($type:ident $(<$life:lifetime>)?),)*) => {
        /// Any message that this crate reads.
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub enum Message<'a> {
            $(
                #[doc = concat!("See [`", stringify!($type), "`].")]
                $name($type $(<$life>)?),
            )*
            /// An answer with the E flag, or one that failed and leaves out what its command requires.
            Error(ErrorAnswer<'a>),
        }

        impl Message<'_> {
            /// Writes it under a header, as a relay would.
            ///
            /// # Errors
            /// [`TooLong`]; nothing was written.
            pub fn write_again(&self, out: &mut Vec<u8>, header: &Header) -> Result<usize, TooLong> {
                match self {
                    $(Self::$name(body) => encode_as(out, header, body),)*
                    Self::Error(body) => encode_as(out, header, body),
                }
            }
        }

        fn choose<'a>(frame: &Frame<'a>) -> Result<Message<'a>, Fault<'a>> {
            let header = &frame.header;
            let request = header.flags & FLAG_REQUEST;
            $(
                if header.command == <$type as Command<'_>>::CODE
                    && request == <$type as Command<'_>>::FLAGS & FLAG_REQUEST
                {
                    return $type::read_group(frame.avps()).map(Message::$name);
                }
            )*
            Err(Fault::bare(ResultCode::COMMAND_UNSUPPORTED))
        }
    };
}

messages! {
    CreditControlRequest(CreditControlRequest<'a>),
    CreditControlAnswer(CreditControlAnswer<'a>),
    DeviceWatchdogRequest(DeviceWatchdogRequest<'a>),
    DeviceWatchdogAnswer(DeviceWatchdogAnswer<'a>),
    ReAuthRequest(ReAuthRequest<'a>),
    ReAuthAnswer(ReAuthAnswer<'a>),
    AbortSessionRequest(AbortSessionRequest<'a>),
    AbortSessionAnswer(AbortSessionAnswer<'a>),
    SessionTerminationRequest(SessionTerminationRequest<'a>),
    SessionTerminationAnswer(SessionTerminationAnswer<'a>),
    CapabilitiesExchangeRequest(CapabilitiesExchangeRequest<'a>),
    CapabilitiesExchangeAnswer(CapabilitiesExchangeAnswer<'a>),
    DisconnectPeerRequest(DisconnectPeerRequest<'a>),
    DisconnectPeerAnswer(DisconnectPeerAnswer<'a>),
}

/// Reads any message.
///
/// # Errors
/// `DIAMETER_INVALID_HDR_BITS`, `DIAMETER_APPLICATION_UNSUPPORTED`, `DIAMETER_COMMAND_UNSUPPORTED`, or a fault of
/// its AVPs.
///
/// Source: RFC 6733 §7.1.3, §7.2
pub fn decode_any<'a>(frame: &Frame<'a>) -> Result<Message<'a>, Fault<'a>> {
    let header = &frame.header;
    header.check().map_err(Fault::bare)?;
    if header.is_error() {
        return ErrorAnswer::read_group(frame.avps()).map(Message::Error);
    }
    if !matches!(
        header.application,
        application::BASE | application::CREDIT_CONTROL
    ) {
        return Err(Fault::bare(ResultCode::APPLICATION_UNSUPPORTED));
    }
    choose(frame).or_else(|fault| {
        if header.is_request() || fault.result_code() != ResultCode::MISSING_AVP {
            return Err(fault);
        }
        match ErrorAnswer::read_group(frame.avps()) {
            Ok(answer) if !answer.result_code.is_success() => Ok(Message::Error(answer)),
            Ok(_) | Err(_) => Err(fault),
        }
    })
}

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin<'a> {
    /// Our Origin-Host.
    pub host: &'a str,
    /// Our Origin-Realm.
    pub realm: &'a str,
}

/// Writes the answer to a request that was at fault: its Session-Id if it has one, our name, the code, the
/// offending AVP, and its Proxy-Info in order. The E flag is set for protocol errors only.
///
/// # Errors
/// [`TooLong`]; nothing was written.
///
/// Source: RFC 6733 §6.2, §7.2
pub fn encode_fault(
    out: &mut Vec<u8>,
    request: &Frame<'_>,
    origin: Origin<'_>,
    fault: &Fault<'_>,
) -> Result<usize, TooLong> {
    let code = fault.result_code();
    let mut header = request.header.answer();
    if code.is_protocol_error() {
        header.flags |= FLAG_ERROR;
    }
    header.flags &= !FLAG_RETRANSMITTED;
    let mut encoder = Encoder::begin(out, &header);
    let echoed = |definition: &'static crate::avp::Definition| {
        request
            .avps()
            .filter_map(Result::ok)
            .filter(move |avp| avp.code == definition.code && avp.vendor == definition.vendor)
    };
    if let Some(session) = echoed(&dictionary::SESSION_ID).next() {
        encoder.octets(&dictionary::SESSION_ID, session.data);
    }
    code.write(&dictionary::RESULT_CODE, &mut encoder);
    origin.host.write(&dictionary::ORIGIN_HOST, &mut encoder);
    origin.realm.write(&dictionary::ORIGIN_REALM, &mut encoder);
    fault.write_failed_avp(&mut encoder);
    for proxy in echoed(&dictionary::PROXY_INFO) {
        encoder.raw(proxy.octets);
    }
    encoder.finish()
}
