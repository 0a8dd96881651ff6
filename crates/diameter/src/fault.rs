//! Who is to blame, and what the answer says: result codes and Failed-AVP.

use crate::avp::{Avp, Definition, FLAG_MANDATORY, FLAG_PROTECTED, FLAG_VENDOR, Kind};
use crate::dictionary;
use crate::encode::Encoder;

/// How deep groups may be nested in what no typed message reads. The deepest of the standards is 6.
pub const DEPTH_MAX: usize = 8;

/// The value of Result-Code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ResultCode(pub u32);

/// Declares result codes with the clause that defines them.
macro_rules! result_codes {
    ($($name:ident = $code:literal $source:literal;)*) => {
        impl ResultCode {
            $(
                #[doc = concat!("`DIAMETER_", stringify!($name), "`, ", $code, ".\n\nSee ", $source, ".")]
                pub const $name: Self = Self($code);
            )*
        }
    };
}

result_codes! {
    SUCCESS = 2001 "RFC 6733 §7.1.2";
    LIMITED_SUCCESS = 2002 "RFC 6733 §7.1.2";
    COMMAND_UNSUPPORTED = 3001 "RFC 6733 §7.1.3";
    UNABLE_TO_DELIVER = 3002 "RFC 6733 §7.1.3";
    REALM_NOT_SERVED = 3003 "RFC 6733 §7.1.3";
    TOO_BUSY = 3004 "RFC 6733 §7.1.3";
    LOOP_DETECTED = 3005 "RFC 6733 §7.1.3";
    REDIRECT_INDICATION = 3006 "RFC 6733 §7.1.3";
    APPLICATION_UNSUPPORTED = 3007 "RFC 6733 §7.1.3";
    INVALID_HDR_BITS = 3008 "RFC 6733 §7.1.3";
    INVALID_AVP_BITS = 3009 "RFC 6733 §7.1.3";
    UNKNOWN_PEER = 3010 "RFC 6733 §7.1.3";
    AUTHENTICATION_REJECTED = 4001 "RFC 6733 §7.1.4";
    OUT_OF_SPACE = 4002 "RFC 6733 §7.1.4";
    ELECTION_LOST = 4003 "RFC 6733 §7.1.4";
    END_USER_SERVICE_DENIED = 4010 "RFC 8506 §9.1";
    CREDIT_CONTROL_NOT_APPLICABLE = 4011 "RFC 8506 §9.1";
    CREDIT_LIMIT_REACHED = 4012 "RFC 8506 §9.1";
    AVP_UNSUPPORTED = 5001 "RFC 6733 §7.1.5";
    UNKNOWN_SESSION_ID = 5002 "RFC 6733 §7.1.5";
    AUTHORIZATION_REJECTED = 5003 "RFC 6733 §7.1.5";
    INVALID_AVP_VALUE = 5004 "RFC 6733 §7.1.5";
    MISSING_AVP = 5005 "RFC 6733 §7.1.5";
    RESOURCES_EXCEEDED = 5006 "RFC 6733 §7.1.5";
    CONTRADICTING_AVPS = 5007 "RFC 6733 §7.1.5";
    AVP_NOT_ALLOWED = 5008 "RFC 6733 §7.1.5";
    AVP_OCCURS_TOO_MANY_TIMES = 5009 "RFC 6733 §7.1.5";
    NO_COMMON_APPLICATION = 5010 "RFC 6733 §7.1.5";
    UNSUPPORTED_VERSION = 5011 "RFC 6733 §7.1.5";
    UNABLE_TO_COMPLY = 5012 "RFC 6733 §7.1.5";
    INVALID_BIT_IN_HEADER = 5013 "RFC 6733 §7.1.5";
    INVALID_AVP_LENGTH = 5014 "RFC 6733 §7.1.5";
    INVALID_MESSAGE_LENGTH = 5015 "RFC 6733 §7.1.5";
    INVALID_AVP_BIT_COMBO = 5016 "RFC 6733 §7.1.5";
    NO_COMMON_SECURITY = 5017 "RFC 6733 §7.1.5";
    USER_UNKNOWN = 5030 "RFC 8506 §9.2";
    RATING_FAILED = 5031 "RFC 8506 §9.2";
}

impl ResultCode {
    /// Whether it says that all is well.
    #[must_use]
    pub const fn is_success(self) -> bool {
        self.0 / 1000 == 2
    }

    /// Whether an answer with it has the E flag.
    ///
    /// Source: RFC 6733 §7.1.3
    #[must_use]
    pub const fn is_protocol_error(self) -> bool {
        self.0 / 1000 == 3
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        self.0 / 1000 == 4
    }
}

/// The AVP that is wrong, as far as it can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Offence<'a> {
    /// Nothing to show.
    None,
    /// As it came.
    Whole(&'a [u8]),
    /// A header that is whole, with a length that cannot be; a zero filled value of the right length follows.
    Header { code: u32, vendor: u32, flags: u8 },
    /// A header that is not whole; filled up with zeros.
    Cut(&'a [u8]),
    /// One that is not there: an example of it.
    Missing(&'static Definition),
}

/// What is wrong with a message of a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault<'a> {
    code: ResultCode,
    offence: Offence<'a>,
    /// The groups around the offence, innermost first: vendor and code of each.
    inside: [u64; DEPTH_MAX],
    depth: u8,
}

impl std::fmt::Display for Fault<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "result {}", self.code.0)?;
        let (code, vendor) = match self.offence {
            Offence::None | Offence::Cut(_) => return Ok(()),
            Offence::Whole(octets) => match crate::avp::Avps::new(octets).next() {
                Some(Ok(avp)) => (avp.code, avp.vendor),
                Some(Err(_)) | None => return Ok(()),
            },
            Offence::Header { code, vendor, .. } => (code, vendor),
            Offence::Missing(definition) => (definition.code, definition.vendor),
        };
        match dictionary::find(vendor, code) {
            Some(definition) => write!(f, " for {}", definition.name),
            None => write!(f, " for AVP {code} of vendor {vendor}"),
        }
    }
}

impl std::error::Error for Fault<'_> {}

impl<'a> Fault<'a> {
    const fn new(code: ResultCode, offence: Offence<'a>) -> Self {
        Self {
            code,
            offence,
            inside: [0; DEPTH_MAX],
            depth: 0,
        }
    }

    /// What the answer's Result-Code is.
    #[must_use]
    pub const fn result_code(&self) -> ResultCode {
        self.code
    }

    /// A fault without an AVP to show.
    #[must_use]
    pub const fn bare(code: ResultCode) -> Self {
        Self::new(code, Offence::None)
    }

    /// This AVP is known to be wrong, for the reason `code`.
    #[must_use]
    pub const fn of(code: ResultCode, avp: &Avp<'a>) -> Self {
        Self::new(code, Offence::Whole(avp.octets))
    }

    /// An AVP that has to be there is not.
    ///
    /// Source: RFC 6733 §7.1.5 (5005)
    #[must_use]
    pub const fn missing(definition: &'static Definition) -> Self {
        Self::new(ResultCode::MISSING_AVP, Offence::Missing(definition))
    }

    /// The value is not one that this AVP can have.
    ///
    /// Source: RFC 6733 §7.1.5 (5004)
    #[must_use]
    pub const fn invalid_value(avp: &Avp<'a>) -> Self {
        Self::of(ResultCode::INVALID_AVP_VALUE, avp)
    }

    /// Reserved flags are set.
    ///
    /// Source: RFC 6733 §7.1.3 (3009)
    pub(crate) const fn avp_bits(avp: &Avp<'a>) -> Self {
        Self::of(ResultCode::INVALID_AVP_BITS, avp)
    }

    /// The length goes past the end, stops within the header, or does not fit the format.
    ///
    /// Source: RFC 6733 §7.1.5 (5014)
    pub(crate) const fn avp_length(code: u32, vendor: u32, flags: u8) -> Self {
        let offence = Offence::Header {
            code,
            vendor,
            flags,
        };
        Self::new(ResultCode::INVALID_AVP_LENGTH, offence)
    }

    /// The region ends within a header.
    ///
    /// Source: RFC 6733 §7.1.5 (5014)
    pub(crate) const fn cut_header(region: &'a [u8]) -> Self {
        Self::new(ResultCode::INVALID_AVP_LENGTH, Offence::Cut(region))
    }

    /// The same, seen from outside the group it is in.
    #[must_use]
    pub(crate) fn inside(mut self, key: u64) -> Self {
        if let Some(place) = self.inside.get_mut(usize::from(self.depth)) {
            *place = key;
            self.depth = self.depth.saturating_add(1);
        }
        self
    }

    /// Writes Failed-AVP, if there is anything to show: the offence within the groups it is in.
    ///
    /// Source: RFC 6733 §7.5
    pub fn write_failed_avp(&self, out: &mut Encoder<'_>) {
        if self.offence != Offence::None {
            let around = self.inside.get(..usize::from(self.depth)).unwrap_or(&[]);
            out.group(&dictionary::FAILED_AVP, |out| {
                self.write_around(around, out)
            });
        }
    }

    fn write_around(&self, around: &[u64], out: &mut Encoder<'_>) {
        let Some((outermost, inner)) = around.split_last() else {
            return self.write_offence(out);
        };
        let (vendor, code) = ((outermost >> 32) as u32, (outermost & 0xffff_ffff) as u32);
        let flags = dictionary::find(vendor, code).map_or(FLAG_MANDATORY, Definition::flags);
        out.group_as(code, vendor, flags, |out| self.write_around(inner, out));
    }

    fn write_offence(&self, out: &mut Encoder<'_>) {
        match self.offence {
            Offence::None => {}
            Offence::Whole(octets) => out.raw(octets),
            Offence::Header {
                code,
                vendor,
                flags,
            } => {
                let kind = dictionary::find(vendor, code).map(|definition| definition.kind);
                // Only what a sender may set is repeated, or Failed-AVP itself would be wrong.
                let kept = flags & (FLAG_MANDATORY | FLAG_PROTECTED);
                let flags = if vendor == 0 {
                    kept
                } else {
                    kept | FLAG_VENDOR
                };
                out.zeros(code, vendor, flags, kind.map_or(0, Kind::octets_min));
            }
            Offence::Cut(region) => {
                let mut head = [0; 8];
                for (place, octet) in head.iter_mut().zip(region) {
                    *place = *octet;
                }
                let [c0, c1, c2, c3, ..] = head;
                out.zeros(u32::from_be_bytes([c0, c1, c2, c3]), 0, 0, 0);
            }
            Offence::Missing(definition) => {
                let octets = definition.kind.octets_min();
                out.zeros(
                    definition.code,
                    definition.vendor,
                    definition.flags(),
                    octets,
                );
            }
        }
    }
}

/// Whether a group may hold AVPs that its grammar does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grammar {
    /// Its grammar ends in `* [ AVP ]`.
    Open,
    /// It does not.
    Closed,
}

/// Judges an AVP that no field is made of: unknown ones with the M flag and known ones out of place are
/// refused; known ones must be well formed; the others are passed over.
///
/// # Errors
/// `DIAMETER_AVP_UNSUPPORTED`, `DIAMETER_AVP_NOT_ALLOWED`, `DIAMETER_INVALID_AVP_LENGTH`, or what is wrong inside.
///
/// Source: RFC 6733 §4.1, §7.1.5
pub fn pass_over<'a>(avp: &Avp<'a>, grammar: Grammar) -> Result<(), Fault<'a>> {
    pass(avp, grammar, DEPTH_MAX)
}

fn pass<'a>(avp: &Avp<'a>, grammar: Grammar, depth_left: usize) -> Result<(), Fault<'a>> {
    let Some(definition) = dictionary::find(avp.vendor, avp.code) else {
        return if avp.is_mandatory() {
            Err(Fault::of(ResultCode::AVP_UNSUPPORTED, avp))
        } else {
            Ok(())
        };
    };
    if grammar == Grammar::Closed {
        return Err(Fault::of(ResultCode::AVP_NOT_ALLOWED, avp));
    }
    check_length(avp, definition)?;
    if definition.kind != Kind::Grouped {
        return Ok(());
    }
    let Some(depth_left) = depth_left.checked_sub(1) else {
        return Err(Fault::of(ResultCode::UNABLE_TO_COMPLY, avp));
    };
    for inner in avp.group() {
        inner
            .and_then(|inner| pass(&inner, Grammar::Open, depth_left))
            .map_err(|fault| fault.inside(avp.key()))?;
    }
    Ok(())
}

/// Whether the length of a value fits the format.
#[inline]
pub(crate) fn check_length<'a>(avp: &Avp<'a>, definition: &Definition) -> Result<(), Fault<'a>> {
    let (octets, octets_min) = (avp.data.len(), definition.kind.octets_min());
    if octets < octets_min || (definition.kind.is_fixed() && octets != octets_min) {
        return Err(Fault::avp_length(avp.code, avp.vendor, avp.flags));
    }
    Ok(())
}
