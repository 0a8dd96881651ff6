//! Server and chip authenticate each other: ES10b.AuthenticateServer and what it carries.

use super::info::{CtxParams1, EuiccInfo2, TAG_INFO2};
use super::{
    Challenge, INTEGER, OCTET_STRING, SEQUENCE, Signed, TransactionId, Wire, codes, context, group,
    transaction,
};
use crate::certificate::Certificate;
use crate::tlv::{DecodeError, Fields, Tag, Tlv, Writer};

/// `AuthenticateServerRequest` and `AuthenticateServerResponse`
pub const TAG_AUTHENTICATE_SERVER: Tag = Tag::new(0xBF38);

/// `ServerSigned1`: signed with the key of `CERT.DPauth` or `CERT.DSauth`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSigned1 {
    /// The session.
    pub transaction_id: TransactionId,
    /// What the chip challenged the server with.
    pub euicc_challenge: Challenge,
    /// The host name that the server goes by.
    pub server_address: String,
    /// What the server challenges the chip with.
    pub server_challenge: Challenge,
}

impl Wire for ServerSigned1 {
    fn encode(&self) -> Vec<u8> {
        Writer::nest(SEQUENCE, |w| {
            w.octets(context(0), self.transaction_id.as_octets())
                .octets(context(1), &self.euicc_challenge)
                .octets(context(3), self.server_address.as_bytes())
                .octets(context(4), &self.server_challenge);
        })
    }

    fn decode(tlv: &Tlv<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::of(tlv, SEQUENCE, "ServerSigned1")?;
        Ok(Self {
            transaction_id: transaction(&fields)?,
            euicc_challenge: fields.array(context(1), "euiccChallenge")?,
            server_address: fields.text(context(3), "serverAddress")?.to_owned(),
            server_challenge: fields.array(context(4), "serverChallenge")?,
        })
    }
}

/// `AuthenticateServerRequest`: what an LPA hands to the chip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticateServerRequest {
    /// The server's part.
    pub server: Signed<ServerSigned1>,
    /// The root's key that the chip shall use.
    pub root_key_id: Vec<u8>,
    /// The server's certificate.
    pub certificate: Certificate,
    /// What the LPA wants.
    pub params: CtxParams1,
}

impl Wire for AuthenticateServerRequest {
    fn encode(&self) -> Vec<u8> {
        Writer::nest(TAG_AUTHENTICATE_SERVER, |w| {
            self.server.write(w);
            w.octets(OCTET_STRING, &self.root_key_id)
                .raw(self.certificate.der())
                .raw(&self.params.encode());
        })
    }

    fn decode(tlv: &Tlv<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::of(tlv, TAG_AUTHENTICATE_SERVER, "AuthenticateServerRequest")?;
        Ok(Self {
            server: Signed::beside(&fields, SEQUENCE, "serverSigned1")?,
            root_key_id: fields.octets(OCTET_STRING, "euiccCiPKIdToBeUsed")?.to_vec(),
            certificate: certificate(&fields, 1, "serverCertificate")?,
            params: CtxParams1::decode(&fields.need(group(0), "ctxParams1")?)?,
        })
    }
}

/// The certificate after `skip` other sequences.
pub(super) fn certificate(
    fields: &Fields<'_>,
    skip: usize,
    field: &'static str,
) -> Result<Certificate, DecodeError> {
    let one = fields
        .nth(SEQUENCE, skip)
        .ok_or_else(|| fields.missing(field))?;
    Certificate::parse(one.raw()).map_err(|_| fields.invalid(field))
}

/// `EuiccSigned1`: signed with the chip's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EuiccSigned1 {
    /// The session.
    pub transaction_id: TransactionId,
    /// The host name that the server goes by.
    pub server_address: String,
    /// What the server challenged the chip with.
    pub server_challenge: Challenge,
    /// What the chip can do.
    pub info: EuiccInfo2,
    /// What the LPA wants.
    pub params: CtxParams1,
}

impl Wire for EuiccSigned1 {
    fn encode(&self) -> Vec<u8> {
        Writer::nest(SEQUENCE, |w| {
            w.octets(context(0), self.transaction_id.as_octets())
                .octets(context(3), self.server_address.as_bytes())
                .octets(context(4), &self.server_challenge)
                .raw(&self.info.encode())
                .raw(&self.params.encode());
        })
    }

    fn decode(tlv: &Tlv<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::of(tlv, SEQUENCE, "EuiccSigned1")?;
        Ok(Self {
            transaction_id: transaction(&fields)?,
            server_address: fields.text(context(3), "serverAddress")?.to_owned(),
            server_challenge: fields.array(context(4), "serverChallenge")?,
            info: EuiccInfo2::decode(&fields.need(TAG_INFO2, "euiccInfo2")?)?,
            params: CtxParams1::decode(&fields.need(group(0), "ctxParams1")?)?,
        })
    }
}

codes! {
    /// Why a chip does not believe a server.
    AuthenticateError {
        /// The server's certificate is not valid.
        InvalidCertificate = 1,
        /// The server's signature is not right.
        InvalidSignature = 2,
        /// The curve is not supported.
        UnsupportedCurve = 3,
        /// The chip gave no challenge.
        NoSessionContext = 4,
        /// The certificate is for another role.
        InvalidOid = 5,
        /// The server signed another challenge.
        EuiccChallengeMismatch = 6,
        /// The root is not known to the chip.
        CiPkUnknown = 7,
        /// Something else.
        Undefined = 127,
    }
}

/// `AuthenticateServerResponse`
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthenticateServerResponse {
    /// The chip believes the server and shows who it is.
    Ok(Box<AuthenticatedEuicc>),
    /// It does not.
    Error {
        /// The session.
        transaction_id: TransactionId,
        /// Why.
        error: AuthenticateError,
    },
}

/// How a chip shows who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticatedEuicc {
    /// The signed part.
    pub signed: Signed<EuiccSigned1>,
    /// The chip's certificate.
    pub certificate: Certificate,
    /// Its manufacturer's certificate.
    pub eum_certificate: Certificate,
}

impl Wire for AuthenticateServerResponse {
    fn encode(&self) -> Vec<u8> {
        Writer::nest(TAG_AUTHENTICATE_SERVER, |w| match self {
            Self::Ok(euicc) => {
                w.nested(group(0), |w| {
                    euicc.signed.write(w);
                    w.raw(euicc.certificate.der())
                        .raw(euicc.eum_certificate.der());
                });
            }
            Self::Error {
                transaction_id,
                error,
            } => write_error(w, transaction_id, error.code()),
        })
    }

    fn decode(tlv: &Tlv<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::of(tlv, TAG_AUTHENTICATE_SERVER, "AuthenticateServerResponse")?;
        if let Some(ok) = fields.find(group(0)) {
            let fields = Fields::inside(&ok, "AuthenticateResponseOk")?;
            return Ok(Self::Ok(Box::new(AuthenticatedEuicc {
                signed: Signed::beside(&fields, SEQUENCE, "euiccSigned1")?,
                certificate: certificate(&fields, 1, "euiccCertificate")?,
                eum_certificate: certificate(&fields, 2, "eumCertificate")?,
            })));
        }
        let (transaction_id, code) = read_error(&fields)?;
        Ok(Self::Error {
            transaction_id,
            error: AuthenticateError::from_code(code)
                .ok_or_else(|| fields.invalid("authenticateErrorCode"))?,
        })
    }
}

/// The alternative of a response that says no.
pub(super) fn write_error(w: &mut Writer, transaction_id: &TransactionId, code: u64) {
    w.nested(group(1), |w| {
        w.octets(context(0), transaction_id.as_octets())
            .integer(INTEGER, code);
    });
}

/// Reads [`write_error`]; some chips tag the number as the module's automatic tags would.
pub(super) fn read_error(fields: &Fields<'_>) -> Result<(TransactionId, u64), DecodeError> {
    let error = fields.group(group(1), "responseError")?;
    let code = match error.integer_if(INTEGER, "errorCode")? {
        Some(code) => code,
        None => error.integer(context(1), "errorCode")?,
    };
    Ok((transaction(&error)?, code))
}
