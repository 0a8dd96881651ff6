//! Bodies of JSON: fields by name; unknown ones are ignored, missing ones named.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

use super::TransactionId;
use crate::tlv::DecodeError;

/// The largest body that is read, in octets: a package of two MiB in base 64.
pub const BODY_MAX: usize = 3 * 1024 * 1024;

/// Base 64 with or without its padding: some LPAs leave it out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A body cannot be understood. The sender is to blame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is no JSON object, or too large.
    #[error("the body is no JSON object")]
    NotAnObject,
    /// A mandatory field is not there.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A field has a value that it cannot have.
    #[error("{0} is not valid")]
    Invalid(&'static str),
    /// A field holds a structure that cannot be understood.
    #[error("{field}: {error}")]
    Structure {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        error: DecodeError,
    },
}

/// A body that is read.
#[derive(Clone)]
pub struct Body(Map<String, Value>);

impl fmt::Debug for Body {
    /// The names of the fields only: their values can be personal or secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Body {
    /// Reads a body.
    ///
    /// # Errors
    /// [`BodyError::NotAnObject`].
    pub fn parse(bytes: &[u8]) -> Result<Self, BodyError> {
        if bytes.len() > BODY_MAX {
            return Err(BodyError::NotAnObject);
        }
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(_) | Err(_) => Err(BodyError::NotAnObject),
        }
    }

    /// Takes a body that was read already.
    ///
    /// # Errors
    /// [`BodyError::NotAnObject`].
    pub fn from_value(value: Value) -> Result<Self, BodyError> {
        match value {
            Value::Object(fields) => Ok(Self(fields)),
            _ => Err(BodyError::NotAnObject),
        }
    }

    /// A field as it is; `null` counts as absent.
    #[must_use]
    pub fn find(&self, field: &'static str) -> Option<&Value> {
        self.0.get(field).filter(|value| !value.is_null())
    }

    /// A text that may be absent.
    ///
    /// # Errors
    /// [`BodyError::Invalid`].
    pub fn text_if(&self, field: &'static str) -> Result<Option<&str>, BodyError> {
        self.find(field)
            .map(|value| value.as_str().ok_or(BodyError::Invalid(field)))
            .transpose()
    }

    /// A text.
    ///
    /// # Errors
    /// [`BodyError`].
    pub fn text(&self, field: &'static str) -> Result<&str, BodyError> {
        self.text_if(field)?.ok_or(BodyError::Missing(field))
    }

    /// A truth value.
    ///
    /// # Errors
    /// [`BodyError`].
    pub fn boolean(&self, field: &'static str) -> Result<bool, BodyError> {
        match self.find(field).ok_or(BodyError::Missing(field))? {
            Value::Bool(value) => Ok(*value),
            Value::String(text) if text == "true" => Ok(true),
            Value::String(text) if text == "false" => Ok(false),
            _ => Err(BodyError::Invalid(field)),
        }
    }

    /// Octets in base 64.
    ///
    /// # Errors
    /// [`BodyError`].
    pub fn octets(&self, field: &'static str) -> Result<Vec<u8>, BodyError> {
        decode(self.text(field)?).ok_or(BodyError::Invalid(field))
    }

    /// A session.
    ///
    /// # Errors
    /// [`BodyError`].
    pub fn transaction_id(&self) -> Result<TransactionId, BodyError> {
        const FIELD: &str = "transactionId";
        TransactionId::from_hex(self.text(FIELD)?).ok_or(BodyError::Invalid(FIELD))
    }

    /// A structure in base 64.
    ///
    /// # Errors
    /// [`BodyError`].
    pub fn structure<T: super::Wire>(&self, field: &'static str) -> Result<T, BodyError> {
        T::from_bytes(&self.octets(field)?).map_err(|error| BodyError::Structure { field, error })
    }

    /// A value that text stands for.
    ///
    /// # Errors
    /// [`BodyError`].
    pub fn parsed_if<T: std::str::FromStr>(
        &self,
        field: &'static str,
    ) -> Result<Option<T>, BodyError> {
        self.text_if(field)?
            .filter(|text| !text.is_empty())
            .map(|text| text.parse().map_err(|_| BodyError::Invalid(field)))
            .transpose()
    }

    /// A value that text stands for.
    ///
    /// # Errors
    /// [`BodyError`].
    pub fn parsed<T: std::str::FromStr>(&self, field: &'static str) -> Result<T, BodyError> {
        self.parsed_if(field)?.ok_or(BodyError::Missing(field))
    }

    /// The body itself.
    #[must_use]
    pub fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}

/// Octets from base 64; white space is ignored.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    // Almost nobody sends white space: who does pays for looking for it.
    BASE64.decode(text).ok().or_else(|| {
        let joined: String = text.split_ascii_whitespace().collect();
        BASE64.decode(joined).ok()
    })
}

/// Octets in base 64.
#[must_use]
pub fn encode(octets: &[u8]) -> String {
    BASE64.encode(octets)
}

/// Adds octets in base 64 to a text.
pub(crate) fn encode_into(octets: &[u8], text: &mut String) {
    BASE64.encode_string(octets, text);
}

/// Fields of a body that is made.
#[derive(Clone, Default)]
pub struct Making(Map<String, Value>);

impl fmt::Debug for Making {
    /// The names of the fields only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Making {
    /// No field.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text.
    #[must_use]
    pub fn text(mut self, field: &str, value: impl Into<String>) -> Self {
        self.0.insert(field.into(), Value::String(value.into()));
        self
    }

    /// Adds a text if there is one.
    #[must_use]
    pub fn text_if(self, field: &str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.text(field, value),
            None => self,
        }
    }

    /// Adds octets in base 64.
    #[must_use]
    pub fn octets(self, field: &str, value: &[u8]) -> Self {
        self.text(field, encode(value))
    }

    /// Adds a value.
    #[must_use]
    pub fn value(mut self, field: &str, value: Value) -> Self {
        self.0.insert(field.into(), value);
        self
    }

    /// The fields.
    #[must_use]
    pub fn finish(self) -> Map<String, Value> {
        self.0
    }
}
