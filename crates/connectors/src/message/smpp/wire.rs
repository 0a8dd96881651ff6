//! PDUs on a byte stream.

use std::io;

use bytes::{Buf, BufMut, BytesMut};
use rusmpp::Command;
use rusmpp::decode::DecodeWithLength;
use rusmpp::encode::Length;
use rusmpp::encode::owned::Encode;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The most octets of one PDU: a `deliver_sm` with a full payload (64 KiB) would be a mistake for
/// a receipt; 8 KiB hold any other.
const PDU_OCTETS_MAX: usize = 8 * 1024;

/// Command length, id, status and sequence number (SMPP v3.4 §3.2).
const HEADER_OCTETS: usize = 16;

/// What carries the bytes: TCP, or TLS over it.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A PDU that arrived.
#[derive(Debug)]
pub(super) enum Incoming {
    /// It could be read.
    Command(Box<Command>),
    /// Its header could be read, its body could not.
    Unreadable(Header),
}

/// The header of a PDU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) id: u32,
    pub(super) status: u32,
    pub(super) sequence_number: u32,
}

/// The peer sent a length no PDU has: where the next one begins is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message centre sent a PDU of {0} octets")]
pub(super) struct BadLength(u32);

/// A connection to a message centre.
pub(super) struct Wire {
    stream: Box<dyn Stream>,
    received: BytesMut,
}

impl Wire {
    pub(super) fn new(stream: Box<dyn Stream>) -> Self {
        Self {
            stream,
            received: BytesMut::new(),
        }
    }

    /// Waits for more bytes; 0 means that the peer closed. May be dropped at any time: no byte is
    /// lost.
    pub(super) async fn receive(&mut self) -> io::Result<usize> {
        self.stream.read_buf(&mut self.received).await
    }

    /// The next PDU that is complete.
    pub(super) fn next(&mut self) -> Result<Option<Incoming>, BadLength> {
        take(&mut self.received)
    }

    pub(super) async fn send(&mut self, command: &Command) -> io::Result<()> {
        let length = 4 + command.length();
        let mut pdu = BytesMut::with_capacity(length);
        pdu.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
        command.encode(&mut pdu);
        self.stream.write_all(&pdu).await?;
        self.stream.flush().await
    }

    pub(super) async fn close(&mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }
}

pub(super) fn take(received: &mut BytesMut) -> Result<Option<Incoming>, BadLength> {
    let Some(prefix) = received.first_chunk::<HEADER_OCTETS>() else {
        return Ok(None);
    };
    let mut prefix = &prefix[..];
    let announced = prefix.get_u32();
    let length = usize::try_from(announced).map_err(|_| BadLength(announced))?;
    if !(HEADER_OCTETS..=PDU_OCTETS_MAX).contains(&length) {
        return Err(BadLength(announced));
    }
    if received.len() < length {
        received.reserve(length - received.len());
        return Ok(None);
    }
    let header = Header {
        id: prefix.get_u32(),
        status: prefix.get_u32(),
        sequence_number: prefix.get_u32(),
    };
    // Its own buffer: a body that claims to be longer cannot eat the next PDU.
    let mut pdu = received.split_to(length);
    pdu.advance(4);
    let octets = pdu.len();
    Ok(Some(match Command::decode(&mut pdu, octets) {
        Ok((command, _)) => Incoming::Command(Box::new(command)),
        Err(_) => Incoming::Unreadable(header),
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rusmpp::{CommandStatus, Pdu};

    use super::*;

    fn pdu(id: u32, body: &[u8]) -> Vec<u8> {
        let mut pdu = Vec::new();
        pdu.put_u32(16 + body.len() as u32);
        pdu.put_u32(id);
        pdu.put_u32(0);
        pdu.put_u32(9);
        pdu.extend(body);
        pdu
    }

    #[test]
    fn an_unreadable_body_leaves_the_next_pdu_alone() {
        let mut bytes = BytesMut::new();
        bytes.extend(pdu(5, b"no deliver_sm at all"));
        bytes.extend(pdu(0x8000_0015, b""));
        let unreadable = take(&mut bytes).unwrap().unwrap();
        let header = Header {
            id: 5,
            status: 0,
            sequence_number: 9,
        };
        assert!(matches!(unreadable, Incoming::Unreadable(h) if h == header));
        let next = take(&mut bytes).unwrap().unwrap();
        assert!(matches!(next, Incoming::Command(c) if c.pdu() == Some(&Pdu::EnquireLinkResp)));
        assert!(take(&mut bytes).unwrap().is_none());
    }

    #[test]
    fn smpp_3_4_3_2_lengths_outside_the_limits_are_refused() {
        for length in [0, 15, 8193, u32::MAX] {
            let mut bytes = BytesMut::new();
            bytes.put_u32(length);
            bytes.put_bytes(0, 12);
            assert_eq!(take(&mut bytes).unwrap_err(), BadLength(length));
        }
    }

    #[test]
    fn smpp_3_4_4_4_2_a_refusal_may_have_no_body() {
        let mut bytes = BytesMut::from(&pdu(0x8000_0004, b"")[..]);
        bytes[11] = 0x58;
        let Some(Incoming::Command(command)) = take(&mut bytes).unwrap() else {
            panic!("readable");
        };
        assert_eq!(command.status(), CommandStatus::EsmeRthrottled);
    }

    proptest! {
        /// Whatever a peer sends, the decoder answers; a panic here would stop the link.
        #[test]
        fn no_bytes_make_the_decoder_panic(
            id in prop_oneof![0u32..=0x15, 0x8000_0000u32..=0x8000_0015, any::<u32>()],
            body in proptest::collection::vec(any::<u8>(), 0..200),
            cut in 0usize..300,
        ) {
            let mut bytes = BytesMut::new();
            bytes.extend(pdu(id, &body));
            bytes.truncate(cut.max(16));
            let complete = bytes.len() == body.len() + 16;
            prop_assert_eq!(take(&mut bytes).unwrap().is_some(), complete);
        }

        /// The same with bodies that begin like a receipt, so that its optional parameters are
        /// reached.
        #[test]
        fn no_optional_parameters_make_the_decoder_panic(
            tail in proptest::collection::vec(any::<u8>(), 0..60),
        ) {
            let mut body = vec![0, 1, 1, b'1', 0, 1, 1, b'2', 0, 4, 0, 0, 0, 0, 1, 0, 0, 0, 0];
            body.extend(&tail);
            let mut bytes = BytesMut::from(&pdu(5, &body)[..]);
            prop_assert!(take(&mut bytes).unwrap().is_some());
        }
    }
}
