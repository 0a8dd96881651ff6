//! Commands and answers of a card (ISO/IEC 7816-4), short form.

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StatusWord(pub u16);

impl StatusWord {
    /// Well.
    pub const OK: Self = Self(0x9000);
    /// The length is not right.
    pub const WRONG_LENGTH: Self = Self(0x6700);
    /// No such channel.
    pub const CHANNEL_NOT_SUPPORTED: Self = Self(0x6881);
    /// Not in this state.
    pub const CONDITIONS_NOT_SATISFIED: Self = Self(0x6985);
    /// The data are not right.
    pub const WRONG_DATA: Self = Self(0x6A80);
    /// The function is not supported.
    pub const NOT_SUPPORTED: Self = Self(0x6A81);
    /// No such file or application.
    pub const NOT_FOUND: Self = Self(0x6A82);
    /// No such record.
    pub const RECORD_NOT_FOUND: Self = Self(0x6A83);
    /// The parameters are not right.
    pub const WRONG_PARAMETERS: Self = Self(0x6A86);
    /// Past the end of the file.
    pub const WRONG_OFFSET: Self = Self(0x6B00);
    /// No such instruction.
    pub const UNKNOWN_INSTRUCTION: Self = Self(0x6D00);
    /// No such class.
    pub const UNKNOWN_CLASS: Self = Self(0x6E00);
    /// The network's authentication is not right.
    pub const AUTHENTICATION_FAILED: Self = Self(0x9862);

    /// So many octets wait to be fetched.
    #[must_use]
    pub fn more(count: usize) -> Self {
        let low = u16::try_from(count).ok().filter(|count| *count < 256);
        Self(0x6100 | low.unwrap_or(0))
    }

    /// Its two octets.
    #[must_use]
    pub const fn to_octets(self) -> [u8; 2] {
        self.0.to_be_bytes()
    }
}

/// An answer: data and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) data: Vec<u8>,
    pub(crate) status: StatusWord,
}

impl Answer {
    pub(crate) const fn status(status: StatusWord) -> Self {
        Self {
            data: Vec::new(),
            status,
        }
    }

    pub(crate) const fn data(data: Vec<u8>) -> Self {
        Self {
            data,
            status: StatusWord::OK,
        }
    }

    pub(crate) fn into_octets(mut self) -> Vec<u8> {
        self.data.extend(self.status.to_octets());
        self.data
    }
}

/// A command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CommandApdu<'a> {
    /// Whether the class is the one of GlobalPlatform and ETSI (`8X`).
    pub(crate) proprietary: bool,
    /// The logical channel.
    pub(crate) channel: u8,
    pub(crate) instruction: u8,
    pub(crate) p1: u8,
    pub(crate) p2: u8,
    pub(crate) data: &'a [u8],
    /// How many octets are expected at most; 256 when nothing is said.
    pub(crate) expected: usize,
}

impl<'a> CommandApdu<'a> {
    /// Reads a command.
    ///
    /// # Errors
    /// The status word to answer.
    pub(crate) fn parse(octets: &'a [u8]) -> Result<Self, StatusWord> {
        let [class, instruction, p1, p2, rest @ ..] = octets else {
            return Err(StatusWord::WRONG_LENGTH);
        };
        let (data, expected) = match rest {
            [] => (&[][..], 0),
            [le] => (&[][..], *le),
            [lc, body @ ..] => {
                let length = usize::from(*lc);
                let data = body.get(..length).ok_or(StatusWord::WRONG_LENGTH)?;
                match body.get(length..) {
                    Some([]) | None => (data, 0),
                    Some([le]) => (data, *le),
                    Some(_) => return Err(StatusWord::WRONG_LENGTH),
                }
            }
        };
        let channel = match class & 0x40 {
            0 => class & 0x03,
            _ => 4 + (class & 0x0F),
        };
        // Secure messaging and chaining by class are not supported.
        if *class == 0xFF || (class & 0x40 == 0 && class & 0x1C != 0) {
            return Err(StatusWord::UNKNOWN_CLASS);
        }
        Ok(Self {
            proprietary: class & 0x80 != 0,
            channel,
            instruction: *instruction,
            p1: *p1,
            p2: *p2,
            data,
            expected: match expected {
                0 => 256,
                count => usize::from(count),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_all_cases() {
        let parsed = CommandApdu::parse(&[0x81, 0xE2, 0x91, 0, 3, 0xBF, 0x2E, 0]).unwrap();
        assert!(parsed.proprietary);
        assert_eq!((parsed.channel, parsed.data), (1, &[0xBF, 0x2E, 0][..]));
        assert_eq!(CommandApdu::parse(&[0, 0x70, 0, 0, 1]).unwrap().expected, 1);
        assert_eq!(CommandApdu::parse(&[0, 0xA4, 4, 0]).unwrap().expected, 256);
        assert_eq!(CommandApdu::parse(&[0x41, 0xA4, 4, 0]).unwrap().channel, 5);
        assert_eq!(
            CommandApdu::parse(&[0, 0xA4]),
            Err(StatusWord::WRONG_LENGTH)
        );
        assert_eq!(
            CommandApdu::parse(&[0, 0xA4, 4, 0, 5, 1]),
            Err(StatusWord::WRONG_LENGTH)
        );
    }
}
