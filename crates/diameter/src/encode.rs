//! Writing messages into a buffer that is used again and again.

use crate::avp::Definition;
use crate::frame::{HEADER_OCTETS, Header, VERSION};

/// The most that a length of 24 bits says.
const LENGTH_MAX: usize = 0xff_ffff;

/// What most answers have.
const MESSAGE_OCTETS_USUAL: usize = 1_024;

/// A message or one of its AVPs does not fit 24 bits of length. Nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("longer than a message can be")]
pub struct TooLong;

/// Writes one message at the end of a buffer.
#[derive(Debug)]
pub struct Encoder<'b> {
    out: &'b mut Vec<u8>,
    start: usize,
    too_long: bool,
}

impl<'b> Encoder<'b> {
    /// Begins a message after what `out` holds.
    #[must_use]
    pub fn begin(out: &'b mut Vec<u8>, header: &Header) -> Self {
        let start = out.len();
        let mut head = [0; HEADER_OCTETS];
        let fields = [
            u32::from(VERSION) << 24,
            (u32::from(header.flags) << 24) | (header.command & 0xff_ffff),
            header.application,
            header.ids.hop_by_hop,
            header.ids.end_to_end,
        ];
        for (place, field) in head.chunks_exact_mut(4).zip(fields) {
            place.copy_from_slice(&field.to_be_bytes());
        }
        // Enough for most messages at once, so that the buffer grows once at most.
        out.reserve(MESSAGE_OCTETS_USUAL);
        out.extend_from_slice(&head);
        Self {
            out,
            start,
            too_long: false,
        }
    }

    /// An AVP of these octets.
    #[inline]
    pub fn octets(&mut self, definition: &Definition, data: &[u8]) {
        self.head(
            definition.code,
            definition.vendor,
            definition.flags(),
            data.len(),
        );
        self.out.extend_from_slice(data);
        self.pad();
    }

    /// An AVP of four octets.
    #[inline]
    pub fn unsigned32(&mut self, definition: &Definition, value: u32) {
        self.octets(definition, &value.to_be_bytes());
    }

    /// An AVP of eight octets.
    #[inline]
    pub fn unsigned64(&mut self, definition: &Definition, value: u64) {
        self.octets(definition, &value.to_be_bytes());
    }

    /// An AVP with AVPs inside, which `inside` writes.
    #[inline]
    pub fn group(&mut self, definition: &Definition, inside: impl FnOnce(&mut Self)) {
        self.group_as(
            definition.code,
            definition.vendor,
            definition.flags(),
            inside,
        );
    }

    /// An AVP that is already on the wire somewhere else, with or without its padding.
    #[inline]
    pub fn raw(&mut self, avp: &[u8]) {
        self.out.extend_from_slice(avp);
        self.pad();
    }

    pub(crate) fn group_as(
        &mut self,
        code: u32,
        vendor: u32,
        flags: u8,
        inside: impl FnOnce(&mut Self),
    ) {
        let start = self.out.len();
        self.head(code, vendor, flags, 0);
        inside(self);
        let octets = self.out.len().saturating_sub(start);
        self.set_length(start.saturating_add(5), octets);
    }

    /// An AVP header of our choice, and zeros after it.
    pub(crate) fn zeros(&mut self, code: u32, vendor: u32, flags: u8, octets: usize) {
        self.head(code, vendor, flags, octets);
        self.out.resize(self.out.len().saturating_add(octets), 0);
        self.pad();
    }

    /// Ends the message and returns its octets.
    ///
    /// # Errors
    /// [`TooLong`]; the buffer is as it was before.
    pub fn finish(mut self) -> Result<usize, TooLong> {
        let octets = self.out.len().saturating_sub(self.start);
        self.set_length(self.start.saturating_add(1), octets);
        if self.too_long {
            self.out.truncate(self.start);
            return Err(TooLong);
        }
        Ok(octets)
    }

    #[inline]
    fn head(&mut self, code: u32, vendor: u32, flags: u8, data_octets: usize) {
        let header = if vendor == 0 { 8_usize } else { 12 };
        let length = self.length(header.saturating_add(data_octets));
        let [c0, c1, c2, c3] = code.to_be_bytes();
        let [_, l0, l1, l2] = length.to_be_bytes();
        self.out
            .extend_from_slice(&[c0, c1, c2, c3, flags, l0, l1, l2]);
        if vendor != 0 {
            self.out.extend_from_slice(&vendor.to_be_bytes());
        }
    }

    #[inline]
    fn pad(&mut self) {
        let zeros: &[u8] = match self.out.len().saturating_sub(self.start) % 4 {
            1 => &[0; 3],
            2 => &[0; 2],
            3 => &[0; 1],
            _ => return,
        };
        self.out.extend_from_slice(zeros);
    }

    fn set_length(&mut self, at: usize, octets: usize) {
        let [_, length @ ..] = self.length(octets).to_be_bytes();
        if let Some(place) = self.out.get_mut(at..at.saturating_add(3)) {
            place.copy_from_slice(&length);
        }
    }

    #[inline]
    fn length(&mut self, octets: usize) -> u32 {
        self.too_long |= octets > LENGTH_MAX;
        u32::try_from(octets).unwrap_or(u32::MAX) & 0xff_ffff
    }
}
