//! APDUs to the ISD-R: a logical channel, commands in pieces, answers in pieces.

use std::fmt;

use simurgh_rsp::message::es10::ISD_R_AID;

use crate::apdu::StatusWord;

/// A card: a software chip, or a reader.
pub trait Card {
    /// Sends a command and gives the answer with its status word.
    ///
    /// # Errors
    /// [`CardError::Gone`].
    fn transmit(&mut self, apdu: &[u8]) -> Result<Vec<u8>, CardError>;
}

/// The card does not answer as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// There is no card any more.
    #[error("the card does not answer")]
    Gone,
    /// The answer is no answer of a card.
    #[error("the card's answer is not well formed")]
    Malformed,
    /// The card refuses a command.
    #[error("the card refuses a command ({:04X})", .0.0)]
    Status(StatusWord),
}

/// How much of a command goes in one APDU.
const PIECE: usize = 255;

/// The longest answer that is gathered, in octets.
const ANSWER_MAX: usize = 65_536;

/// A channel on which the ISD-R is selected.
pub(super) struct Channel<'a> {
    card: &'a mut dyn Card,
    number: u8,
    open: bool,
}

impl Drop for Channel<'_> {
    /// A card has few channels: one that is not closed is missing for the next LPA.
    fn drop(&mut self) {
        // Nobody can be told of a failure here, and power off closes all channels.
        self.close().ok();
    }
}

impl fmt::Debug for Channel<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Channel({})", self.number)
    }
}

impl<'a> Channel<'a> {
    pub(super) fn open(card: &'a mut dyn Card) -> Result<Self, CardError> {
        let (data, status) = exchange(card, &[0x00, 0x70, 0x00, 0x00, 0x01])?;
        let number = match (data.first(), status) {
            (Some(number @ 1..=3), StatusWord::OK) => *number,
            (_, status) => return Err(CardError::Status(status)),
        };
        let mut channel = Self {
            card,
            number,
            open: true,
        };
        let mut select = vec![number, 0xA4, 0x04, 0x00, 16];
        select.extend(ISD_R_AID);
        channel.whole(&select)?;
        Ok(channel)
    }

    pub(super) fn close(&mut self) -> Result<(), CardError> {
        if !self.open {
            return Ok(());
        }
        self.open = false;
        let command = [0x00, 0x70, 0x80, self.number];
        match exchange(self.card, &command)? {
            (_, StatusWord::OK) => Ok(()),
            (_, status) => Err(CardError::Status(status)),
        }
    }

    /// Sends a command to the ISD-R in pieces and gathers the answer.
    pub(super) fn store_data(&mut self, command: &[u8]) -> Result<Vec<u8>, CardError> {
        let pieces: Vec<&[u8]> = command.chunks(PIECE).collect();
        let last = pieces.len().saturating_sub(1);
        let mut answer = Vec::new();
        for (place, piece) in pieces.into_iter().enumerate() {
            let p1 = if place == last { 0x91 } else { 0x11 };
            let block = u8::try_from(place % 256).unwrap_or(0);
            let length = u8::try_from(piece.len()).map_err(|_| CardError::Malformed)?;
            let mut apdu = vec![0x80 | self.number, 0xE2, p1, block, length];
            apdu.extend_from_slice(piece);
            answer = self.whole(&apdu)?;
        }
        Ok(answer)
    }

    /// Sends a command and fetches the whole answer.
    fn whole(&mut self, apdu: &[u8]) -> Result<Vec<u8>, CardError> {
        let (mut data, mut status) = exchange(self.card, apdu)?;
        while status.0 >> 8 == 0x61 {
            let [_, count] = status.to_octets();
            let fetch = [0x80 | self.number, 0xC0, 0x00, 0x00, count];
            let (more, next) = exchange(self.card, &fetch)?;
            data.extend(more);
            if data.len() > ANSWER_MAX {
                return Err(CardError::Malformed);
            }
            status = next;
        }
        match status {
            StatusWord::OK => Ok(data),
            other => Err(CardError::Status(other)),
        }
    }
}

/// One APDU and its answer, apart.
fn exchange(card: &mut dyn Card, apdu: &[u8]) -> Result<(Vec<u8>, StatusWord), CardError> {
    let mut answer = card.transmit(apdu)?;
    match (answer.pop(), answer.pop()) {
        (Some(low), Some(high)) => Ok((answer, StatusWord(u16::from_be_bytes([high, low])))),
        _ => Err(CardError::Malformed),
    }
}
