//! A session is cancelled: ES10b.CancelSession and what it carries.

use super::{SEQUENCE, Signed, TransactionId, Wire, codes, context, group, transaction};
use crate::tlv::{DecodeError, Fields, Oid, Tag, Tlv, Writer};

/// `CancelSessionRequest` and `CancelSessionResponse`
pub const TAG_CANCEL_SESSION: Tag = Tag::new(0xBF41);

codes! {
    /// Why a session is cancelled.
    CancelReason {
        /// The user does not want the profile. Some LPAs say so whenever anything fails.
        EndUserRejection = 0,
        /// The user will come back.
        Postponed = 1,
        /// The user did not answer.
        Timeout = 2,
        /// The chip does not allow the profile's rules.
        PprNotAllowed = 3,
        /// The metadata shown and those in the package differ.
        MetadataMismatch = 4,
        /// The package could not be loaded.
        LoadBppExecutionError = 5,
        /// Something else.
        Undefined = 127,
    }
}

/// `CancelSessionRequest`: what an LPA asks of the chip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelSessionRequest {
    /// The session.
    pub transaction_id: TransactionId,
    /// Why.
    pub reason: CancelReason,
}

impl Wire for CancelSessionRequest {
    fn encode(&self) -> Vec<u8> {
        Writer::nest(TAG_CANCEL_SESSION, |w| {
            w.octets(context(0), self.transaction_id.as_octets())
                .integer(context(1), self.reason.code());
        })
    }

    fn decode(tlv: &Tlv<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::of(tlv, TAG_CANCEL_SESSION, "CancelSessionRequest")?;
        Ok(Self {
            transaction_id: transaction(&fields)?,
            reason: reason(&fields, context(1))?,
        })
    }
}

fn reason(fields: &Fields<'_>, tag: Tag) -> Result<CancelReason, DecodeError> {
    CancelReason::from_code(fields.integer(tag, "reason")?).ok_or_else(|| fields.invalid("reason"))
}

/// `EuiccCancelSessionSigned`: signed with the chip's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelSigned {
    /// The session.
    pub transaction_id: TransactionId,
    /// The server, as its certificate names it.
    pub smdp_oid: Oid,
    /// Why.
    pub reason: CancelReason,
}

impl Wire for CancelSigned {
    fn encode(&self) -> Vec<u8> {
        Writer::nest(SEQUENCE, |w| {
            w.octets(context(0), self.transaction_id.as_octets())
                .oid(context(1), &self.smdp_oid)
                .integer(context(2), self.reason.code());
        })
    }

    fn decode(tlv: &Tlv<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::of(tlv, SEQUENCE, "EuiccCancelSessionSigned")?;
        Ok(Self {
            transaction_id: transaction(&fields)?,
            smdp_oid: fields.oid(context(1), "smdpOid")?,
            reason: reason(&fields, context(2))?,
        })
    }
}

codes! {
    /// Why a chip cannot cancel.
    CancelError {
        /// Another session.
        InvalidTransactionId = 5,
        /// Something else.
        Undefined = 127,
    }
}

/// `CancelSessionResponse`
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CancelSessionResponse {
    /// The chip has left the session.
    Ok(Signed<CancelSigned>),
    /// It has not.
    Error(CancelError),
}

impl Wire for CancelSessionResponse {
    fn encode(&self) -> Vec<u8> {
        Writer::nest(TAG_CANCEL_SESSION, |w| match self {
            Self::Ok(signed) => {
                w.nested(group(0), |w| signed.write(w));
            }
            Self::Error(error) => {
                w.integer(context(1), error.code());
            }
        })
    }

    fn decode(tlv: &Tlv<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::of(tlv, TAG_CANCEL_SESSION, "CancelSessionResponse")?;
        if let Some(ok) = fields.find(group(0)) {
            let fields = Fields::inside(&ok, "CancelSessionResponseOk")?;
            let signed = Signed::beside(&fields, SEQUENCE, "euiccCancelSessionSigned")?;
            return Ok(Self::Ok(signed));
        }
        let code = fields.integer(context(1), "cancelSessionResponseError")?;
        CancelError::from_code(code)
            .map(Self::Error)
            .ok_or_else(|| fields.invalid("cancelSessionResponseError"))
    }
}
