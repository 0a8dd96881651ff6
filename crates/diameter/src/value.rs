//! Values of AVPs: between octets and Rust types.

use std::fmt;
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use simurgh_vocab::Timestamp;

use crate::avp::{Avp, Avps, Definition, Kind};
use crate::encode::Encoder;
use crate::fault::{Fault, ResultCode, check_length};

/// A type that an AVP can be read into and written from.
pub trait Value<'a>: Sized {
    /// The formats it fits. A field of another format does not compile.
    const KINDS: &'static [Kind];

    /// Reads the value of `avp`, which is a `definition`.
    ///
    /// # Errors
    /// A [`Fault`] that names the AVP.
    fn read(avp: &Avp<'a>, definition: &'static Definition) -> Result<Self, Fault<'a>>;

    /// Writes a whole AVP.
    fn write(&self, definition: &'static Definition, out: &mut Encoder<'_>);
}

/// Whether a format is among those a type fits: evaluated while compiling.
pub(crate) const fn fits(mut kinds: &[Kind], kind: Kind) -> bool {
    while let [first, rest @ ..] = kinds {
        if *first as u8 == kind as u8 {
            return true;
        }
        kinds = rest;
    }
    false
}

/// Integers in the order of the network.
macro_rules! integers {
    ($($type:ty: $octets:literal $($kind:ident)*;)*) => {$(
        impl<'a> Value<'a> for $type {
            const KINDS: &'static [Kind] = &[$(Kind::$kind),*];

            #[inline]
            fn read(avp: &Avp<'a>, _: &'static Definition) -> Result<Self, Fault<'a>> {
                <[u8; $octets]>::try_from(avp.data)
                    .map(Self::from_be_bytes)
                    .map_err(|_| Fault::avp_length(avp.code, avp.vendor, avp.flags))
            }

            #[inline]
            fn write(&self, definition: &'static Definition, out: &mut Encoder<'_>) {
                out.octets(definition, &self.to_be_bytes());
            }
        }
    )*};
}

integers! {
    u32: 4 Unsigned32 Enumerated;
    u64: 8 Unsigned64;
    i32: 4 Integer32 Enumerated;
    i64: 8 Integer64;
}

impl<'a> Value<'a> for ResultCode {
    const KINDS: &'static [Kind] = u32::KINDS;

    fn read(avp: &Avp<'a>, definition: &'static Definition) -> Result<Self, Fault<'a>> {
        u32::read(avp, definition).map(Self)
    }

    fn write(&self, definition: &'static Definition, out: &mut Encoder<'_>) {
        self.0.write(definition, out);
    }
}

impl<'a> Value<'a> for &'a [u8] {
    const KINDS: &'static [Kind] = &[Kind::OctetString];

    #[inline]
    fn read(avp: &Avp<'a>, _: &'static Definition) -> Result<Self, Fault<'a>> {
        Ok(avp.data)
    }

    #[inline]
    fn write(&self, definition: &'static Definition, out: &mut Encoder<'_>) {
        out.octets(definition, self);
    }
}

impl<'a> Value<'a> for &'a str {
    const KINDS: &'static [Kind] = &[
        Kind::Utf8String,
        Kind::DiameterIdentity,
        Kind::DiameterUri,
        Kind::IpFilterRule,
    ];

    /// Text must be UTF-8; names of nodes and realms visible ASCII and not empty.
    ///
    /// Source: RFC 6733 §4.3.1
    #[inline]
    fn read(avp: &Avp<'a>, definition: &'static Definition) -> Result<Self, Fault<'a>> {
        let text = std::str::from_utf8(avp.data).map_err(|_| Fault::invalid_value(avp))?;
        let well_formed = match definition.kind {
            Kind::DiameterIdentity | Kind::DiameterUri => {
                !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_graphic())
            }
            Kind::IpFilterRule => text.is_ascii(),
            Kind::Utf8String
            | Kind::OctetString
            | Kind::Integer32
            | Kind::Integer64
            | Kind::Unsigned32
            | Kind::Unsigned64
            | Kind::Float32
            | Kind::Float64
            | Kind::Grouped
            | Kind::Address
            | Kind::Time
            | Kind::Enumerated => true,
        };
        if well_formed {
            Ok(text)
        } else {
            Err(Fault::invalid_value(avp))
        }
    }

    #[inline]
    fn write(&self, definition: &'static Definition, out: &mut Encoder<'_>) {
        out.octets(definition, self.as_bytes());
    }
}

/// Something about a person: `Debug` hides it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Private<T>(pub T);

impl<T> fmt::Debug for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hidden")
    }
}

impl<'a, T: Value<'a>> Value<'a> for Private<T> {
    const KINDS: &'static [Kind] = T::KINDS;

    #[inline]
    fn read(avp: &Avp<'a>, definition: &'static Definition) -> Result<Self, Fault<'a>> {
        T::read(avp, definition).map(Self)
    }

    #[inline]
    fn write(&self, definition: &'static Definition, out: &mut Encoder<'_>) {
        self.0.write(definition, out);
    }
}

/// Seconds from 1900, where NTP begins, to 1970.
const SECONDS_1900_TO_1970: i64 = 2_208_988_800;

impl<'a> Value<'a> for Timestamp {
    const KINDS: &'static [Kind] = &[Kind::Time];

    /// Seconds since 1900; a value without its highest bit means an era that began on 7 February 2036.
    ///
    /// Source: RFC 6733 §4.3.1 (Time)
    fn read(avp: &Avp<'a>, definition: &'static Definition) -> Result<Self, Fault<'a>> {
        check_length(avp, definition)?;
        let octets = <[u8; 4]>::try_from(avp.data).unwrap_or_default();
        let seconds = i64::from(u32::from_be_bytes(octets));
        let era = if seconds < 1 << 31 { 1_i64 << 32 } else { 0 };
        let unix_seconds = seconds
            .saturating_add(era)
            .saturating_sub(SECONDS_1900_TO_1970);
        Ok(Self::from_micros(unix_seconds.saturating_mul(1_000_000)))
    }

    fn write(&self, definition: &'static Definition, out: &mut Encoder<'_>) {
        let seconds = self.as_unix_seconds().saturating_add(SECONDS_1900_TO_1970);
        out.unsigned32(definition, (seconds & 0xffff_ffff) as u32);
    }
}

/// The value of an AVP of format Address.
///
/// Source: RFC 6733 §4.3.1 (Address)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address<'a> {
    /// IPv4 (family 1) or IPv6 (family 2).
    Ip(IpAddr),
    /// Another family of the IANA registry.
    Other {
        /// The family.
        family: u16,
        /// The address.
        octets: &'a [u8],
    },
}

impl<'a> Value<'a> for Address<'a> {
    const KINDS: &'static [Kind] = &[Kind::Address];

    fn read(avp: &Avp<'a>, _: &'static Definition) -> Result<Self, Fault<'a>> {
        let Some(([high, low], octets)) = avp.data.split_first_chunk::<2>() else {
            return Err(Fault::avp_length(avp.code, avp.vendor, avp.flags));
        };
        let wrong = |_| Fault::avp_length(avp.code, avp.vendor, avp.flags);
        match u16::from_be_bytes([*high, *low]) {
            1 => {
                let octets = <[u8; 4]>::try_from(octets).map_err(wrong)?;
                Ok(Self::Ip(Ipv4Addr::from(octets).into()))
            }
            2 => {
                let octets = <[u8; 16]>::try_from(octets).map_err(wrong)?;
                Ok(Self::Ip(Ipv6Addr::from(octets).into()))
            }
            family => Ok(Self::Other { family, octets }),
        }
    }

    fn write(&self, definition: &'static Definition, out: &mut Encoder<'_>) {
        let mut data = [0; 18];
        let (family, octets): (u8, &[u8]) = match self {
            Self::Ip(IpAddr::V4(address)) => (1, &address.octets()),
            Self::Ip(IpAddr::V6(address)) => (2, &address.octets()),
            Self::Other { family, octets } => {
                let [high, low] = family.to_be_bytes();
                let data: Vec<u8> = [high, low].iter().chain(*octets).copied().collect();
                return out.octets(definition, &data);
            }
        };
        for (place, octet) in data.iter_mut().zip([0, family].iter().chain(octets)) {
            *place = *octet;
        }
        let octets = octets.len().saturating_add(2);
        out.octets(definition, data.get(..octets).unwrap_or(&[]));
    }
}

impl<'a> Value<'a> for Avp<'a> {
    const KINDS: &'static [Kind] = &[
        Kind::Grouped,
        Kind::OctetString,
        Kind::DiameterIdentity,
        Kind::Utf8String,
    ];

    /// Kept as it is, for AVPs that are handed on unread.
    fn read(avp: &Avp<'a>, _: &'static Definition) -> Result<Self, Fault<'a>> {
        Ok(*avp)
    }

    fn write(&self, _: &'static Definition, out: &mut Encoder<'_>) {
        out.raw(self.octets);
    }
}

/// What occurs any number of times: as it stands in the message that was read, or a slice of what is to
/// be written. Walking it allocates nothing.
#[derive(Clone, Copy)]
pub struct Repeated<'a, T> {
    source: Source<'a, T>,
}

#[derive(Clone, Copy)]
enum Source<'a, T> {
    Wire {
        /// From the first of them on.
        region: &'a [u8],
        definition: &'static Definition,
        count: usize,
        read: PhantomData<T>,
    },
    Slice(&'a [T]),
}

impl<T> Default for Repeated<'_, T> {
    fn default() -> Self {
        Self {
            source: Source::Slice(&[]),
        }
    }
}

impl<T> Repeated<'_, T> {
    /// Nothing.
    pub const NONE: Self = Self {
        source: Source::Slice(&[]),
    };
}

impl<'a, T> From<&'a [T]> for Repeated<'a, T> {
    fn from(items: &'a [T]) -> Self {
        Self {
            source: Source::Slice(items),
        }
    }
}

impl<'a, T, const N: usize> From<&'a [T; N]> for Repeated<'a, T> {
    fn from(items: &'a [T; N]) -> Self {
        Self::from(items.as_slice())
    }
}

impl<'a, T: Value<'a> + Copy> Repeated<'a, T> {
    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self.source {
            Source::Wire { count, .. } => count,
            Source::Slice(items) => items.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first one.
    #[must_use]
    pub fn first(&self) -> Option<T> {
        self.iter().next()
    }

    /// All of them, in order.
    #[must_use]
    pub fn iter(&self) -> Iter<'a, T> {
        match self.source {
            Source::Wire {
                region,
                definition,
                count,
                ..
            } => Iter::Wire {
                avps: Avps::new(region),
                definition,
                left: count,
            },
            Source::Slice(items) => Iter::Slice(items.iter()),
        }
    }

    /// Takes one more that was read, of which `region` is the start.
    #[inline]
    pub(crate) fn add(&mut self, region: &'a [u8], definition: &'static Definition) {
        match &mut self.source {
            Source::Wire { count, .. } => *count = count.saturating_add(1),
            Source::Slice(_) => {
                self.source = Source::Wire {
                    region,
                    definition,
                    count: 1,
                    read: PhantomData,
                };
            }
        }
    }
}

impl<'a, T: Value<'a> + Copy> IntoIterator for Repeated<'a, T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a, T: Value<'a> + Copy + fmt::Debug> fmt::Debug for Repeated<'a, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a, T: Value<'a> + Copy + PartialEq> PartialEq for Repeated<'a, T> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

/// Walks a [`Repeated`].
#[derive(Debug, Clone)]
pub enum Iter<'a, T> {
    /// Through a message.
    #[doc(hidden)]
    Wire {
        /// Where it is.
        avps: Avps<'a>,
        /// What is looked for.
        definition: &'static Definition,
        /// How many are still to come.
        left: usize,
    },
    /// Through a slice.
    #[doc(hidden)]
    Slice(std::slice::Iter<'a, T>),
}

impl<'a, T: Value<'a> + Copy> Iterator for Iter<'a, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        match self {
            Self::Slice(items) => items.next().copied(),
            Self::Wire {
                avps,
                definition,
                left,
            } => {
                *left = left.checked_sub(1)?;
                // Every one was read once when the message was: nothing is lost by `ok`.
                avps.filter_map(Result::ok)
                    .find(|avp| avp.code == definition.code && avp.vendor == definition.vendor)
                    .and_then(|avp| T::read(&avp, definition).ok())
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = match self {
            Self::Wire { left, .. } => *left,
            Self::Slice(items) => items.len(),
        };
        (0, Some(left))
    }
}
