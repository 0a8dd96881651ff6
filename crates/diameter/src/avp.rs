//! AVPs: attribute, value, pair. Cutting a region of bytes into them, without copying.

use crate::fault::Fault;

/// The V flag: a vendor id follows the length.
pub const FLAG_VENDOR: u8 = 0x80;
/// The M flag: whoever does not understand this AVP must refuse the message.
pub const FLAG_MANDATORY: u8 = 0x40;
/// The P flag: reserved for security end to end. Sent as zero, ignored when received.
pub const FLAG_PROTECTED: u8 = 0x20;
/// Flags without a meaning; setting one is an error.
///
/// Source: RFC 6733 §4.1
pub const FLAGS_RESERVED: u8 = 0x1f;

/// How the value of an AVP is laid out.
///
/// Source: RFC 6733 §4.2, §4.3
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Any octets.
    OctetString,
    /// Four octets, signed.
    Integer32,
    /// Eight octets, signed.
    Integer64,
    /// Four octets.
    Unsigned32,
    /// Eight octets.
    Unsigned64,
    /// Four octets, IEEE 754.
    Float32,
    /// Eight octets, IEEE 754.
    Float64,
    /// AVPs in sequence.
    Grouped,
    /// Two octets of address family, then the address.
    Address,
    /// Four octets: seconds since 1900 in UTC.
    Time,
    /// Text in UTF-8.
    Utf8String,
    /// A fully qualified domain name or a realm, in ASCII.
    DiameterIdentity,
    /// A URI of scheme `aaa` or `aaas`.
    DiameterUri,
    /// Four octets, one of a list.
    Enumerated,
    /// A packet filter in ASCII.
    IpFilterRule,
}

impl Kind {
    /// The octets that a value has, or at least has.
    #[must_use]
    pub const fn octets_min(self) -> usize {
        match self {
            Self::Integer32 | Self::Unsigned32 | Self::Float32 | Self::Time | Self::Enumerated => 4,
            Self::Integer64 | Self::Unsigned64 | Self::Float64 => 8,
            Self::Address => 6,
            Self::OctetString
            | Self::Grouped
            | Self::Utf8String
            | Self::DiameterIdentity
            | Self::DiameterUri
            | Self::IpFilterRule => 0,
        }
    }

    /// Whether every value has exactly [`octets_min`](Self::octets_min) octets.
    #[must_use]
    pub const fn is_fixed(self) -> bool {
        self.octets_min() > 0 && !matches!(self, Self::Address)
    }
}

/// An AVP of the dictionary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    /// Its code.
    pub code: u32,
    /// Who assigned the code; 0 for the IETF.
    pub vendor: u32,
    /// Its name in the standard.
    pub name: &'static str,
    /// The format of its value.
    pub kind: Kind,
    /// Whether it is sent with the M flag.
    pub mandatory: bool,
}

impl Definition {
    /// The flags it is sent with.
    #[must_use]
    pub const fn flags(&self) -> u8 {
        (if self.vendor == 0 { 0 } else { FLAG_VENDOR })
            | (if self.mandatory { FLAG_MANDATORY } else { 0 })
    }
}

/// One AVP on the wire.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Avp<'a> {
    /// Its code.
    pub code: u32,
    /// Its vendor; 0 for the IETF.
    pub vendor: u32,
    /// Its flags, as received.
    pub flags: u8,
    /// Its value, without padding.
    pub data: &'a [u8],
    /// Header and value, without padding.
    pub octets: &'a [u8],
}

impl std::fmt::Debug for Avp<'_> {
    /// Says what it is but not what it holds: values may be personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (code, vendor, octets) = (self.code, self.vendor, self.data.len());
        write!(f, "Avp({code}/{vendor}, {octets} octets)")
    }
}

impl<'a> Avp<'a> {
    /// Vendor and code in one number.
    #[must_use]
    pub const fn key(&self) -> u64 {
        ((self.vendor as u64) << 32) | self.code as u64
    }

    /// Whether the M flag is set.
    #[must_use]
    pub const fn is_mandatory(&self) -> bool {
        self.flags & FLAG_MANDATORY != 0
    }

    /// The AVPs inside, if this one is a group.
    #[must_use]
    pub const fn group(&self) -> Avps<'a> {
        Avps::new(self.data)
    }
}

/// The AVPs in a region of bytes, one after the other. Ends after the first fault.
#[derive(Debug, Clone, Copy)]
pub struct Avps<'a> {
    rest: &'a [u8],
}

impl<'a> Avps<'a> {
    /// The AVPs in `region`: a message without its header, or the value of a group.
    #[must_use]
    pub const fn new(region: &'a [u8]) -> Self {
        Self { rest: region }
    }

    /// What was not read yet.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Avps<'a> {
    type Item = Result<Avp<'a>, Fault<'a>>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let cut = split(self.rest);
        self.rest = cut.as_ref().map_or(&[], |(_, rest)| *rest);
        Some(cut.map(|(avp, _)| avp))
    }
}

/// Cuts the first AVP off.
///
/// Source: RFC 6733 §4.1
#[inline]
fn split(region: &[u8]) -> Result<(Avp<'_>, &[u8]), Fault<'_>> {
    let Some((head, after)) = region.split_first_chunk::<8>() else {
        return Err(Fault::cut_header(region));
    };
    let [c0, c1, c2, c3, flags, l0, l1, l2] = *head;
    let code = u32::from_be_bytes([c0, c1, c2, c3]);
    let length = u32::from_be_bytes([0, l0, l1, l2]) as usize;
    let (vendor, header) = if flags & FLAG_VENDOR == 0 {
        (0, 8)
    } else {
        let Some((vendor, _)) = after.split_first_chunk::<4>() else {
            return Err(Fault::cut_header(region));
        };
        (u32::from_be_bytes(*vendor), 12)
    };
    let octets = region.get(..length);
    let data = octets.and_then(|octets| octets.get(header..));
    let (Some(octets), Some(data)) = (octets, data) else {
        return Err(Fault::avp_length(code, vendor, flags));
    };
    let avp = Avp {
        code,
        vendor,
        flags,
        data,
        octets,
    };
    if flags & FLAGS_RESERVED != 0 {
        return Err(Fault::avp_bits(&avp));
    }
    // The padding of the last AVP of a group is left out by some; nothing is lost with it.
    let padded = length.next_multiple_of(4);
    Ok((avp, region.get(padded..).unwrap_or(&[])))
}
