//! Secrets in messages that wait: whoever reads the store must not read a code that still works.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use simurgh_vocab::MessageId;

use crate::crypto::{CannotOpen, Purpose};
use crate::ports::Message;
use crate::{App, Fault};

/// The name of the one argument that stands for all of a message.
const SEALED: &str = "sealed";

impl App {
    /// The arguments of a secret message as they are stored.
    pub(super) fn sealed_arguments(
        &self,
        id: MessageId,
        arguments: &[(String, String)],
    ) -> Result<Vec<(String, String)>, Fault> {
        let defect = |error: &dyn std::error::Error| Fault::Invariant(error.to_string());
        let plain = serde_json::to_vec(arguments).map_err(|error| defect(&error))?;
        let entropy = self.entropy.as_ref();
        let sealed = self
            .keyring
            .seal(Purpose::MessageSecret, id.as_bytes(), &plain, entropy)
            .map_err(|error| defect(&error))?;
        Ok(vec![(SEALED.to_owned(), STANDARD.encode(sealed))])
    }

    /// The message with its arguments readable.
    pub(super) fn opened(&self, message: &Message) -> Result<Message, CannotOpen> {
        let [(name, value)] = message.arguments.as_slice() else {
            return Ok(message.clone());
        };
        if name != SEALED {
            return Ok(message.clone());
        }
        let sealed = STANDARD.decode(value).map_err(|_| CannotOpen)?;
        let plain = self
            .keyring
            .open(Purpose::MessageSecret, message.id.as_bytes(), &sealed)?;
        Ok(Message {
            arguments: serde_json::from_slice(&plain).map_err(|_| CannotOpen)?,
            ..message.clone()
        })
    }
}
