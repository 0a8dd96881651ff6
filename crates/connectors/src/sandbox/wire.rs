//! JSON, as both sides write and read it.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What cannot be read, as a fixed text.
pub(crate) type Unreadable = &'static str;

/// A refusal.
#[derive(Serialize, Deserialize)]
pub(crate) struct ErrorBody {
    pub(crate) code: String,
    pub(crate) message: String,
}

/// Reads a body.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Unreadable> {
    serde_json::from_slice(body).map_err(|_| "the body is not the JSON that is expected")
}

/// Writes a body. None of these structs can fail to be written: they hold no maps and no floats.
pub(crate) fn write<T: Serialize>(body: &T) -> Vec<u8> {
    serde_json::to_vec(body).unwrap_or_default()
}
