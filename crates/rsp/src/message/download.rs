//! The chip agrees to a download: ES10b.PrepareDownload and what it carries.

use std::fmt;

use aws_lc_rs::digest;

use super::authentication::{certificate, read_error, write_error};
use super::{
    BOOLEAN, OCTET_STRING, ONE_TIME_KEY, SEQUENCE, Signed, TransactionId, Wire, codes, context,
    group, transaction,
};
use crate::certificate::Certificate;
use crate::tlv::{DecodeError, Fields, Tag, Tlv, Writer};

/// `PrepareDownloadRequest` and `PrepareDownloadResponse`
pub const TAG_PREPARE_DOWNLOAD: Tag = Tag::new(0xBF21);

/// A one-time public key as it travels: an uncompressed point.
pub type OneTimeKey = [u8; 65];

/// SHA-256 of a confirmation code: what a server keeps of it.
#[must_use]
pub fn hash_confirmation_code(code: &str) -> [u8; 32] {
    sha256(&[code.as_bytes()])
}

/// What a chip signs for a confirmation code in one session.
///
/// Source: SGP.22 v2.5 §5.7.5
#[must_use]
pub fn hash_for_session(hashed_code: &[u8; 32], transaction_id: &TransactionId) -> [u8; 32] {
    sha256(&[hashed_code, transaction_id.as_octets()])
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    let mut hash = [0; 32];
    for (to, from) in hash.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    hash
}

/// `SmdpSigned2`: signed with the key of `CERT.DPpb`, after `euiccSignature1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmdpSigned2 {
    /// The session.
    pub transaction_id: TransactionId,
    /// Whether a confirmation code is needed.
    pub confirmation_code_required: bool,
    /// The chip's one-time key that a package was bound to before.
    pub bound_key: Option<OneTimeKey>,
}

impl Wire for SmdpSigned2 {
    fn encode(&self) -> Vec<u8> {
        Writer::nest(SEQUENCE, |w| {
            w.octets(context(0), self.transaction_id.as_octets())
                .boolean(BOOLEAN, self.confirmation_code_required)
                .octets_if(ONE_TIME_KEY, self.bound_key.as_ref().map(|key| &key[..]));
        })
    }

    fn decode(tlv: &Tlv<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::of(tlv, SEQUENCE, "SmdpSigned2")?;
        Ok(Self {
            transaction_id: transaction(&fields)?,
            confirmation_code_required: fields.boolean(BOOLEAN, "ccRequiredFlag")?,
            bound_key: fields.array_if(ONE_TIME_KEY, "bppEuiccOtpk")?,
        })
    }
}

/// `PrepareDownloadRequest`: what an LPA hands to the chip.
#[derive(Clone, PartialEq, Eq)]
pub struct PrepareDownloadRequest {
    /// The server's part.
    pub smdp: Signed<SmdpSigned2>,
    /// The hash of the confirmation code.
    pub hashed_code: Option<[u8; 32]>,
    /// `CERT.DPpb`
    pub certificate: Certificate,
}

impl fmt::Debug for PrepareDownloadRequest {
    /// Without the hash: a confirmation code is short enough to be found from it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PrepareDownloadRequest")
            .field(&self.smdp)
            .finish()
    }
}

impl Wire for PrepareDownloadRequest {
    fn encode(&self) -> Vec<u8> {
        Writer::nest(TAG_PREPARE_DOWNLOAD, |w| {
            self.smdp.write(w);
            w.octets_if(
                OCTET_STRING,
                self.hashed_code.as_ref().map(|hash| &hash[..]),
            )
            .raw(self.certificate.der());
        })
    }

    fn decode(tlv: &Tlv<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::of(tlv, TAG_PREPARE_DOWNLOAD, "PrepareDownloadRequest")?;
        Ok(Self {
            smdp: Signed::beside(&fields, SEQUENCE, "smdpSigned2")?,
            hashed_code: fields.array_if(OCTET_STRING, "hashCc")?,
            certificate: certificate(&fields, 1, "smdpCertificate")?,
        })
    }
}

/// `EUICCSigned2`: signed with the chip's key, after `smdpSignature2`.
#[derive(Clone, PartialEq, Eq)]
pub struct EuiccSigned2 {
    /// The session.
    pub transaction_id: TransactionId,
    /// The chip's one-time key.
    pub one_time_key: OneTimeKey,
    /// The hash of the confirmation code.
    pub hashed_code: Option<[u8; 32]>,
}

impl fmt::Debug for EuiccSigned2 {
    /// Without the hash: a confirmation code is short enough to be found from it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EuiccSigned2")
            .field(&self.transaction_id)
            .finish()
    }
}

impl Wire for EuiccSigned2 {
    fn encode(&self) -> Vec<u8> {
        Writer::nest(SEQUENCE, |w| {
            w.octets(context(0), self.transaction_id.as_octets())
                .octets(ONE_TIME_KEY, &self.one_time_key)
                .octets_if(
                    OCTET_STRING,
                    self.hashed_code.as_ref().map(|hash| &hash[..]),
                );
        })
    }

    fn decode(tlv: &Tlv<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::of(tlv, SEQUENCE, "EUICCSigned2")?;
        Ok(Self {
            transaction_id: transaction(&fields)?,
            one_time_key: fields.array(ONE_TIME_KEY, "euiccOtpk")?,
            hashed_code: fields.array_if(OCTET_STRING, "hashCc")?,
        })
    }
}

codes! {
    /// Why a chip refuses a download.
    DownloadError {
        /// `CERT.DPpb` is not valid.
        InvalidCertificate = 1,
        /// The server's signature is not right.
        InvalidSignature = 2,
        /// The curve is not supported.
        UnsupportedCurve = 3,
        /// No server was authenticated.
        NoSessionContext = 4,
        /// Another session.
        InvalidTransactionId = 5,
        /// Something else.
        Undefined = 127,
    }
}

/// `PrepareDownloadResponse`
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrepareDownloadResponse {
    /// The chip is ready.
    Ok(Signed<EuiccSigned2>),
    /// It is not.
    Error {
        /// The session.
        transaction_id: TransactionId,
        /// Why.
        error: DownloadError,
    },
}

impl Wire for PrepareDownloadResponse {
    fn encode(&self) -> Vec<u8> {
        Writer::nest(TAG_PREPARE_DOWNLOAD, |w| match self {
            Self::Ok(signed) => {
                w.nested(group(0), |w| signed.write(w));
            }
            Self::Error {
                transaction_id,
                error,
            } => write_error(w, transaction_id, error.code()),
        })
    }

    fn decode(tlv: &Tlv<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::of(tlv, TAG_PREPARE_DOWNLOAD, "PrepareDownloadResponse")?;
        if let Some(ok) = fields.find(group(0)) {
            let fields = Fields::inside(&ok, "PrepareDownloadResponseOk")?;
            return Ok(Self::Ok(Signed::beside(&fields, SEQUENCE, "euiccSigned2")?));
        }
        let (transaction_id, code) = read_error(&fields)?;
        Ok(Self::Error {
            transaction_id,
            error: DownloadError::from_code(code)
                .ok_or_else(|| fields.invalid("downloadErrorCode"))?,
        })
    }
}
