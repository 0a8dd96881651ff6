//! Cutting a stream into messages: the header, under a limit of length.

use crate::avp::Avps;
use crate::fault::ResultCode;

/// Octets of a message header.
pub const HEADER_OCTETS: usize = 20;
/// The version in every message.
pub const VERSION: u8 = 1;

/// The R flag: a request.
pub const FLAG_REQUEST: u8 = 0x80;
/// The P flag: may be forwarded.
pub const FLAG_PROXIABLE: u8 = 0x40;
/// The E flag: a protocol error, in an answer.
pub const FLAG_ERROR: u8 = 0x20;
/// The T flag: may have been sent before, after a link failed.
pub const FLAG_RETRANSMITTED: u8 = 0x10;

/// What a message may be like. Everything that a peer sends is under one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The octets of a whole message. A credit-control request has 500 to 4,000; the header allows 16 MiB.
    pub message_octets_max: usize,
}

impl Default for Limits {
    /// 64 KiB: room for a request with a hundred services.
    fn default() -> Self {
        Self {
            message_octets_max: 65_536,
        }
    }
}

/// The two ids that tie an answer to its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Ids {
    /// Unique among what is unanswered on one connection.
    pub hop_by_hop: u32,
    /// With Origin-Host, unique for four minutes; the same in a retransmission.
    pub end_to_end: u32,
}

/// A message header.
///
/// Source: RFC 6733 §3
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The command flags, as received; the four reserved ones are ignored.
    pub flags: u8,
    /// The command code.
    pub command: u32,
    /// The application.
    pub application: u32,
    /// Its ids.
    pub ids: Ids,
}

impl Header {
    /// Whether it is a request.
    #[must_use]
    pub const fn is_request(&self) -> bool {
        self.flags & FLAG_REQUEST != 0
    }

    /// Whether it may be forwarded.
    #[must_use]
    pub const fn is_proxiable(&self) -> bool {
        self.flags & FLAG_PROXIABLE != 0
    }

    /// Whether it reports a protocol error.
    #[must_use]
    pub const fn is_error(&self) -> bool {
        self.flags & FLAG_ERROR != 0
    }

    /// Whether it may be a repetition.
    #[must_use]
    pub const fn is_retransmitted(&self) -> bool {
        self.flags & FLAG_RETRANSMITTED != 0
    }

    /// The header of an answer to it: same ids, same P flag.
    ///
    /// Source: RFC 6733 §6.2
    #[must_use]
    pub const fn answer(&self) -> Self {
        Self {
            flags: self.flags & FLAG_PROXIABLE,
            ..*self
        }
    }

    /// Whether the flags go together.
    ///
    /// # Errors
    /// `DIAMETER_INVALID_HDR_BITS`, when an answer claims to be retransmitted or a request an error.
    ///
    /// Source: RFC 6733 §3, §7.1.3
    pub const fn check(&self) -> Result<(), ResultCode> {
        let wrong = if self.is_request() {
            self.is_error()
        } else {
            self.is_retransmitted()
        };
        if wrong {
            Err(ResultCode::INVALID_HDR_BITS)
        } else {
            Ok(())
        }
    }
}

/// One whole message: its header and all of its octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The header.
    pub header: Header,
    /// Header and AVPs.
    pub octets: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Its AVPs.
    #[must_use]
    pub fn avps(&self) -> Avps<'a> {
        Avps::new(self.octets.get(HEADER_OCTETS..).unwrap_or(&[]))
    }
}

/// What the beginning of a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing<'a> {
    /// A message; the next one begins `frame.octets.len()` further.
    Whole(Frame<'a>),
    /// Not all of one yet.
    Partial {
        /// How many octets there must be, from the start of this message, before asking again.
        octets_wanted: usize,
    },
}

/// The stream cannot be followed any further: answer if there is a header, then close.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Not version 1.
    #[error("version {0} of Diameter is not spoken")]
    Version(u8),
    /// Shorter than a header, or no multiple of four.
    #[error("a message of {0} octets cannot be")]
    Length(usize),
    /// Longer than the limit.
    #[error("a message of {octets} octets, over the limit of {octets_max}")]
    TooLong {
        /// What the header says.
        octets: usize,
        /// What is allowed.
        octets_max: usize,
    },
}

impl FrameError {
    /// What the peer is told.
    #[must_use]
    pub const fn result_code(&self) -> ResultCode {
        match self {
            Self::Version(_) => ResultCode::UNSUPPORTED_VERSION,
            Self::Length(_) | Self::TooLong { .. } => ResultCode::INVALID_MESSAGE_LENGTH,
        }
    }
}

/// Looks for one message at the start of `stream`. Four octets are enough to refuse what can never be
/// one, so nobody has to buffer it.
///
/// # Errors
/// [`FrameError`]; there is no way to find the next message after one.
///
/// Source: RFC 6733 §3
#[inline]
pub fn next_frame<'a>(stream: &'a [u8], limits: &Limits) -> Result<Framing<'a>, FrameError> {
    let Some(([version, l0, l1, l2], _)) = stream.split_first_chunk::<4>() else {
        return Ok(Framing::Partial {
            octets_wanted: HEADER_OCTETS,
        });
    };
    if *version != VERSION {
        return Err(FrameError::Version(*version));
    }
    let octets = u32::from_be_bytes([0, *l0, *l1, *l2]) as usize;
    if octets < HEADER_OCTETS || !octets.is_multiple_of(4) {
        return Err(FrameError::Length(octets));
    }
    if octets > limits.message_octets_max {
        return Err(FrameError::TooLong {
            octets,
            octets_max: limits.message_octets_max,
        });
    }
    let whole = stream.get(..octets);
    match whole.and_then(|whole| Some((whole, header(whole)?))) {
        Some((octets, header)) => Ok(Framing::Whole(Frame { header, octets })),
        None => Ok(Framing::Partial {
            octets_wanted: octets,
        }),
    }
}

/// The header at the start of `octets`, whatever the version and length it claims: for an answer to what
/// [`next_frame`] refused.
#[must_use]
#[inline]
pub fn header(octets: &[u8]) -> Option<Header> {
    let (head, _) = octets.split_first_chunk::<HEADER_OCTETS>()?;
    let [_, _, _, _, flags, c0, c1, c2, ids @ ..] = *head;
    let [a0, a1, a2, a3, h0, h1, h2, h3, e0, e1, e2, e3] = ids;
    Some(Header {
        flags,
        command: u32::from_be_bytes([0, c0, c1, c2]),
        application: u32::from_be_bytes([a0, a1, a2, a3]),
        ids: Ids {
            hop_by_hop: u32::from_be_bytes([h0, h1, h2, h3]),
            end_to_end: u32::from_be_bytes([e0, e1, e2, e3]),
        },
    })
}

/// Marks an encoded request as possibly sent before, and gives it the hop-by-hop id of another connection.
///
/// Source: RFC 6733 §3, §5.5.4
pub fn retransmit(request: &mut [u8], hop_by_hop: u32) {
    if let Some(flags) = request.get_mut(4) {
        *flags |= FLAG_RETRANSMITTED;
    }
    readdress(request, hop_by_hop);
}

/// Gives an encoded message another hop-by-hop id: a stored answer that is replayed, say.
pub fn readdress(message: &mut [u8], hop_by_hop: u32) {
    if let Some(id) = message.get_mut(12..16) {
        id.copy_from_slice(&hop_by_hop.to_be_bytes());
    }
}
