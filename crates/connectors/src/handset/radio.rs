//! What reaches a phone from outside: the servers of remote provisioning, and short messages.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use simurgh_euicc::lpa::{HttpAnswer, LpaError, Servers};
use simurgh_rsp::message::es9;
use simurgh_vocab::{Msisdn, Timestamp};
use tokio::runtime::Handle;

use crate::esim::{LpaTransport, LpaTransportSettings, TransportFault};

/// The network, as far as remote provisioning needs it.
pub trait Radio: Send + Sync + 'static {
    /// Posts a JSON body to a server; may block.
    ///
    /// # Errors
    /// [`LpaError::Unreachable`].
    fn post(&self, address: &str, path: &str, body: &[u8]) -> Result<HttpAnswer, LpaError>;
}

/// The network by HTTPS.
#[derive(Debug)]
pub struct HttpsRadio {
    transport: LpaTransport,
    runtime: Handle,
}

impl HttpsRadio {
    /// Prepares. `runtime` does the input and output.
    ///
    /// # Errors
    /// [`TransportFault`].
    pub fn new(settings: &LpaTransportSettings, runtime: Handle) -> Result<Self, TransportFault> {
        Ok(Self {
            transport: LpaTransport::new(settings)?,
            runtime,
        })
    }
}

impl Radio for HttpsRadio {
    fn post(&self, address: &str, path: &str, body: &[u8]) -> Result<HttpAnswer, LpaError> {
        let exchange = self
            .transport
            .post(address, path, es9::PROTOCOL_HEADER, body.to_vec());
        self.runtime
            .block_on(exchange)
            .map_err(|fault| LpaError::Unreachable(fault.to_string()))
    }
}

/// A short message that was sent to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShortMessage {
    /// The text.
    pub text: String,
    /// When it came.
    pub at: Timestamp,
}

/// The short message centre of the network.
pub trait ShortMessages: Send + Sync + 'static {
    /// What was sent to a number, newest first.
    fn sent_to(&self, number: &Msisdn) -> Vec<ShortMessage>;
}

/// One phone's way to the network, which may be off, or lose an answer.
pub(super) struct Way<'a> {
    pub(super) radio: &'a dyn Radio,
    pub(super) airplane: &'a AtomicBool,
    /// Loses the answer that carries a package, and what comes after it.
    pub(super) loses_package: bool,
    pub(super) is_lost: bool,
}

impl<'a> Way<'a> {
    pub(super) fn new(radio: &'a Arc<dyn Radio>, airplane: &'a AtomicBool) -> Self {
        Self {
            radio: radio.as_ref(),
            airplane,
            loses_package: false,
            is_lost: false,
        }
    }
}

impl Servers for Way<'_> {
    fn post(&mut self, address: &str, path: &str, body: &[u8]) -> Result<HttpAnswer, LpaError> {
        if self.airplane.load(Ordering::Relaxed) {
            return Err(LpaError::Unreachable("airplane mode is on".to_owned()));
        }
        let lost = || LpaError::Unreachable("the connection was lost".to_owned());
        if self.is_lost {
            return Err(lost());
        }
        let answer = self.radio.post(address, path, body);
        if self.loses_package && path == es9::path::BOUND_PROFILE_PACKAGE {
            self.is_lost = true;
            return Err(lost());
        }
        answer
    }
}
