//! What a chip says of the elements it installed: `EUICCResponse`.

use crate::message::{SEQUENCE, context, group};
use crate::tlv::{DecodeError, Fields, Tlv, Writer};

/// What became of one element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ElementStatus {
    /// 0 is well; others are in [`ElementStatus::text`].
    pub status: u64,
    /// The element, by its identification.
    pub identification: Option<u64>,
    /// More about the status.
    pub additional: Option<u64>,
    /// Where in the element.
    pub offset: Option<u64>,
}

impl ElementStatus {
    /// What the status means.
    #[must_use]
    pub const fn text(&self) -> &'static str {
        match self.status {
            0 => "installed",
            1 => "this eUICC does not support the element",
            2 => "memory failure",
            3 => "bad values",
            4 => "not enough memory",
            5 => "invalid format",
            6 => "invalid parameter",
            7 => "the runtime environment is not supported",
            8 => "a library is not supported",
            9 => "the file template is not supported",
            10 => "a feature is not supported",
            11 => "a PIN code is missing",
            31 => "this version of the profile format is not supported",
            24_576..=28_671 | 36_864..=40_959 => "a status word of the card",
            _ => "a reason of the manufacturer",
        }
    }
}

/// `EUICCResponse`
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InstallResponse {
    /// What became of the elements: usually the last one only.
    pub elements: Vec<ElementStatus>,
    /// Whether the installation was given up.
    pub aborted: bool,
    /// What else the chip says.
    pub message: Option<String>,
}

const RESPONSE: &str = "EUICCResponse";

impl InstallResponse {
    /// Reads the responses in `simaResponse` and joins them; some chips send several.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut joined = Self::default();
        let all = crate::tlv::Reader::new(bytes)
            .all()
            .map_err(|error| DecodeError::Tlv {
                structure: RESPONSE,
                error,
            })?;
        for one in &all {
            joined.add(one)?;
        }
        Ok(joined)
    }

    fn add(&mut self, tlv: &Tlv<'_>) -> Result<(), DecodeError> {
        let fields = Fields::of(tlv, SEQUENCE, RESPONSE)?;
        if let Some(list) = fields.find(group(0)) {
            for one in Fields::inside(&list, "peStatus")?.members() {
                let status = Fields::inside(one, "PEStatus")?;
                self.elements.push(ElementStatus {
                    status: status.integer(context(0), "status")?,
                    identification: status.integer_if(context(1), "identification")?,
                    additional: status.integer_if(context(2), "additional-information")?,
                    offset: status.integer_if(context(3), "offset")?,
                });
            }
        }
        self.aborted |= fields.find(context(1)).is_some();
        if let Some(message) = fields.text_if(context(2), "statusMessage")? {
            self.message = Some(message.to_owned());
        }
        Ok(())
    }

    /// Its octets.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        Writer::nest(SEQUENCE, |w| {
            w.nested(group(0), |w| {
                for one in &self.elements {
                    w.nested(SEQUENCE, |w| {
                        w.integer(context(0), one.status);
                        for (number, value) in [
                            (1, one.identification),
                            (2, one.additional),
                            (3, one.offset),
                        ] {
                            if let Some(value) = value {
                                w.integer(context(number), value);
                            }
                        }
                    });
                }
            });
            if self.aborted {
                w.octets(context(1), &[]);
            }
            w.octets_if(context(2), self.message.as_deref().map(str::as_bytes));
        })
    }
}
