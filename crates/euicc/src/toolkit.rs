//! The chip asks the device for something: REFRESH after another profile is in use.
//!
//! Only a device that said what it can do (TERMINAL PROFILE) is asked: others read the card anew when
//! [`Euicc::take_refresh`](crate::Euicc::take_refresh) says so, or by themselves.
//!
//! Source: ETSI TS 102 223 §6.4.7 (REFRESH), ETSI TS 102 221 §7.4.2 (proactive commands)

use crate::apdu::{Answer, CommandApdu, StatusWord};

/// REFRESH, UICC reset, from the card to the device.
const REFRESH: [u8; 11] = [
    0xD0, 0x09, 0x81, 0x03, 0x01, 0x01, 0x04, 0x82, 0x02, 0x81, 0x82,
];

/// Where the conversation with the device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Toolkit {
    /// The device did not say that it takes commands.
    #[default]
    Silent,
    /// The device takes commands; there is none.
    Ready,
    /// A command waits to be fetched.
    Pending,
    /// It was fetched, and the device has not answered.
    Fetched,
}

impl Toolkit {
    /// Whether a command is on its way: another must wait.
    pub(crate) const fn is_busy(self) -> bool {
        match self {
            Self::Silent | Self::Ready => false,
            Self::Pending | Self::Fetched => true,
        }
    }

    /// The device shall read the card anew.
    pub(crate) const fn refresh(&mut self) {
        if matches!(self, Self::Ready) {
            *self = Self::Pending;
        }
    }

    /// The status of a command that went well: with a command to fetch, if there is one.
    pub(crate) const fn colour(self, status: StatusWord) -> StatusWord {
        match self {
            Self::Pending if status.0 == StatusWord::OK.0 => {
                StatusWord(0x9100 | (REFRESH.len() as u16))
            }
            Self::Silent | Self::Ready | Self::Pending | Self::Fetched => status,
        }
    }

    /// TERMINAL PROFILE, FETCH and TERMINAL RESPONSE; none for other instructions.
    pub(crate) fn answer(&mut self, command: &CommandApdu<'_>) -> Option<Answer> {
        match (command.instruction, *self) {
            (0x10, Self::Silent) => {
                *self = Self::Ready;
                Some(Answer::status(StatusWord::OK))
            }
            (0x10, _) => Some(Answer::status(StatusWord::OK)),
            (0x12, Self::Pending) => {
                *self = Self::Fetched;
                Some(Answer::data(REFRESH.to_vec()))
            }
            (0x14, Self::Fetched) => {
                *self = Self::Ready;
                Some(Answer::status(StatusWord::OK))
            }
            (0x12 | 0x14, _) => Some(Answer::status(StatusWord::CONDITIONS_NOT_SATISFIED)),
            _ => None,
        }
    }
}
