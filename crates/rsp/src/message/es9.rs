//! ES9+ (LPA to SM-DP+) and ES11 (LPA to SM-DS): the bodies of requests and answers.
//!
//! A server reads requests (`read`) and makes answers (`body`), an LPA the other way round. Answers are the
//! fields beside the header: [`status::executed`](super::status::executed) adds it.
//!
//! Source: SGP.22 v2.5 §6.5.2

use std::fmt;

use serde_json::{Map, Value, json};

use super::authentication::{AuthenticateServerResponse, ServerSigned1};
use super::cancel::CancelSessionResponse;
use super::download::{PrepareDownloadResponse, SmdpSigned2};
use super::info::EuiccInfo1;
use super::json::{Body, BodyError, Making, encode_into};
use super::metadata::ProfileMetadata;
use super::notification::PendingNotification;
use super::{Challenge, OCTET_STRING, Signed, TransactionId, Wire};
use crate::certificate::Certificate;
use crate::tlv::{DecodeError, Tlv, Writer};

/// Where the functions are, below the server's address. ES11 uses the same paths on the SM-DS.
pub mod path {
    /// InitiateAuthentication
    pub const INITIATE_AUTHENTICATION: &str = "/gsma/rsp2/es9plus/initiateAuthentication";
    /// AuthenticateClient
    pub const AUTHENTICATE_CLIENT: &str = "/gsma/rsp2/es9plus/authenticateClient";
    /// GetBoundProfilePackage
    pub const BOUND_PROFILE_PACKAGE: &str = "/gsma/rsp2/es9plus/getBoundProfilePackage";
    /// HandleNotification
    pub const HANDLE_NOTIFICATION: &str = "/gsma/rsp2/es9plus/handleNotification";
    /// CancelSession
    pub const CANCEL_SESSION: &str = "/gsma/rsp2/es9plus/cancelSession";
}

/// The header that names the protocol, and what we put in it.
pub const PROTOCOL_HEADER: (&str, &str) = ("X-Admin-Protocol", "gsma/rsp/v2.5.0");

/// `InitiateAuthentication`: the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitiateAuthentication {
    /// What the chip challenges the server with.
    pub challenge: Challenge,
    /// What the chip says of itself.
    pub info: EuiccInfo1,
    /// The host name that the LPA used. Compare it without regard to case.
    pub address: String,
}

impl InitiateAuthentication {
    /// Reads a request.
    ///
    /// # Errors
    /// [`BodyError`].
    pub fn read(body: &Body) -> Result<Self, BodyError> {
        const CHALLENGE: &str = "euiccChallenge";
        Ok(Self {
            challenge: body
                .octets(CHALLENGE)?
                .try_into()
                .map_err(|_| BodyError::Invalid(CHALLENGE))?,
            info: body.structure("euiccInfo1")?,
            address: body.text("smdpAddress")?.to_owned(),
        })
    }

    /// Makes a request.
    #[must_use]
    pub fn body(&self) -> Value {
        let fields = Making::new()
            .octets("euiccChallenge", &self.challenge)
            .octets("euiccInfo1", &self.info.encode())
            .text("smdpAddress", &self.address);
        Value::Object(fields.finish())
    }
}

/// `InitiateAuthentication`: the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerAuthentication {
    /// The server's signed part.
    pub server: Signed<ServerSigned1>,
    /// The root's key that the chip shall use.
    pub root_key_id: Vec<u8>,
    /// The server's certificate.
    pub certificate: Certificate,
}

/// A signed structure and its signature, each in a field of its own.
fn signed<T: Wire>(
    body: &Body,
    structure: &'static str,
    signature: &'static str,
) -> Result<Signed<T>, BodyError> {
    let (octets, sign) = (body.octets(structure)?, body.octets(signature)?);
    let failed = |field| move |error| BodyError::Structure { field, error };
    let (one, two) = (
        object(&octets).map_err(failed(structure))?,
        object(&sign).map_err(failed(signature))?,
    );
    Signed::receive(&one, &two).map_err(failed(structure))
}

fn object(octets: &[u8]) -> Result<Tlv<'_>, DecodeError> {
    Tlv::parse(octets).map_err(|error| DecodeError::Tlv {
        structure: "field",
        error,
    })
}

fn certificate(body: &Body, field: &'static str) -> Result<Certificate, BodyError> {
    Certificate::parse(&body.octets(field)?).map_err(|error| BodyError::Structure { field, error })
}

impl ServerAuthentication {
    /// Reads an answer.
    ///
    /// # Errors
    /// [`BodyError`].
    pub fn read(body: &Body) -> Result<Self, BodyError> {
        const KEY: &str = "euiccCiPKIdToBeUsed";
        let key = body.octets(KEY)?;
        Ok(Self {
            server: signed(body, "serverSigned1", "serverSignature1")?,
            root_key_id: object(&key)
                .map_err(|_| BodyError::Invalid(KEY))?
                .value()
                .to_vec(),
            certificate: certificate(body, "serverCertificate")?,
        })
    }

    /// Makes an answer.
    #[must_use]
    pub fn body(&self) -> Map<String, Value> {
        let id = self.server.unverified().transaction_id;
        Making::new()
            .text("transactionId", id.to_string())
            .octets("serverSigned1", self.server.octets())
            .octets("serverSignature1", &self.server.signature_object())
            .octets(
                "euiccCiPKIdToBeUsed",
                &Writer::object(OCTET_STRING, &self.root_key_id),
            )
            .octets("serverCertificate", self.certificate.der())
            .finish()
    }
}

/// `AuthenticateClient`: the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticateClient {
    /// The session.
    pub transaction_id: TransactionId,
    /// What the chip said.
    pub response: AuthenticateServerResponse,
}

/// `GetBoundProfilePackage`: the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetBoundProfilePackage {
    /// The session.
    pub transaction_id: TransactionId,
    /// What the chip said.
    pub response: PrepareDownloadResponse,
}

/// `CancelSession`: the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelSession {
    /// The session.
    pub transaction_id: TransactionId,
    /// What the chip said.
    pub response: CancelSessionResponse,
}

/// Reading and making of requests that hold a session and what the chip said.
macro_rules! session_requests {
    ($($name:ident $field:literal),*) => {$(
        impl $name {
            /// Reads a request.
            ///
            /// # Errors
            /// [`BodyError`].
            pub fn read(body: &Body) -> Result<Self, BodyError> {
                Ok(Self {
                    transaction_id: body.transaction_id()?,
                    response: body.structure($field)?,
                })
            }

            /// Makes a request with what the chip said, as it said it.
            #[must_use]
            pub fn body(transaction_id: &TransactionId, response: &[u8]) -> Value {
                let fields = Making::new()
                    .text("transactionId", transaction_id.to_string())
                    .octets($field, response);
                Value::Object(fields.finish())
            }
        }
    )*};
}

session_requests!(
    AuthenticateClient "authenticateServerResponse",
    GetBoundProfilePackage "prepareDownloadResponse",
    CancelSession "cancelSessionResponse"
);

/// `AuthenticateClient`: the answer of an SM-DP+.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileOffer {
    /// What the profile is called.
    pub metadata: ProfileMetadata,
    /// The server's signed part.
    pub smdp: Signed<SmdpSigned2>,
    /// `CERT.DPpb`
    pub certificate: Certificate,
}

impl ProfileOffer {
    /// Reads an answer.
    ///
    /// # Errors
    /// [`BodyError`].
    pub fn read(body: &Body) -> Result<Self, BodyError> {
        Ok(Self {
            metadata: body.structure("profileMetadata")?,
            smdp: signed(body, "smdpSigned2", "smdpSignature2")?,
            certificate: certificate(body, "smdpCertificate")?,
        })
    }

    /// Makes an answer.
    #[must_use]
    pub fn body(&self) -> Map<String, Value> {
        let id = self.smdp.unverified().transaction_id;
        Making::new()
            .text("transactionId", id.to_string())
            .octets("profileMetadata", &self.metadata.encode())
            .octets("smdpSigned2", self.smdp.octets())
            .octets("smdpSignature2", &self.smdp.signature_object())
            .octets("smdpCertificate", self.certificate.der())
            .finish()
    }
}

/// `GetBoundProfilePackage`: the answer.
#[must_use]
pub fn package_body(transaction_id: &TransactionId, package: &[u8]) -> Map<String, Value> {
    Making::new()
        .text("transactionId", transaction_id.to_string())
        .octets("boundProfilePackage", package)
        .finish()
}

/// The whole answer as text, with its header: what `executed(package_body(..))` makes, without the copies of the
/// package that building a tree of values takes.
#[must_use]
pub fn package_answer(transaction_id: &TransactionId, package: &[u8]) -> String {
    const HEAD: &str = r#"{"header":{"functionExecutionStatus":{"status":"Executed-Success"}},"#;
    let mut text = String::with_capacity(HEAD.len() + 128 + package.len().div_ceil(3) * 4);
    text.push_str(HEAD);
    text.push_str("\"transactionId\":\"");
    text.push_str(&transaction_id.to_string());
    text.push_str("\",\"boundProfilePackage\":\"");
    encode_into(package, &mut text);
    text.push_str("\"}");
    text
}

/// Reads the package from an answer.
///
/// # Errors
/// [`BodyError`].
pub fn read_package(body: &Body) -> Result<Vec<u8>, BodyError> {
    body.octets("boundProfilePackage")
}

/// Reads `HandleNotification`.
///
/// # Errors
/// [`BodyError`].
pub fn read_notification(body: &Body) -> Result<PendingNotification, BodyError> {
    body.structure("pendingNotification")
}

/// Makes `HandleNotification` with the notification as the chip gave it.
#[must_use]
pub fn notification_body(notification: &[u8]) -> Value {
    let fields = Making::new().octets("pendingNotification", notification);
    Value::Object(fields.finish())
}

/// An event that waits at an SM-DS.
#[derive(Clone, PartialEq, Eq)]
pub struct EventEntry {
    /// Its identifier: the matching identifier at the server.
    pub event_id: String,
    /// The host name of the server.
    pub server_address: String,
}

impl fmt::Debug for EventEntry {
    /// Without the identifier: whoever has it has the profile.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventEntry(at {})", self.server_address)
    }
}

/// `AuthenticateClient`: the answer of an SM-DS.
#[must_use]
pub fn events_body(transaction_id: &TransactionId, events: &[EventEntry]) -> Map<String, Value> {
    let entries = events
        .iter()
        .map(|one| json!({"eventId": one.event_id, "rspServerAddress": one.server_address}));
    Making::new()
        .text("transactionId", transaction_id.to_string())
        .value("eventEntries", entries.collect())
        .finish()
}

/// Reads the events from an answer of an SM-DS.
///
/// # Errors
/// [`BodyError`].
pub fn read_events(body: &Body) -> Result<Vec<EventEntry>, BodyError> {
    const FIELD: &str = "eventEntries";
    let entries = body.find(FIELD).ok_or(BodyError::Missing(FIELD))?;
    let text = |entry: &Value, name| Some(entry.get(name)?.as_str()?.to_owned());
    entries
        .as_array()
        .ok_or(BodyError::Invalid(FIELD))?
        .iter()
        .map(|entry| {
            Some(EventEntry {
                event_id: text(entry, "eventId")?,
                server_address: text(entry, "rspServerAddress")?,
            })
        })
        .collect::<Option<_>>()
        .ok_or(BodyError::Invalid(FIELD))
}
