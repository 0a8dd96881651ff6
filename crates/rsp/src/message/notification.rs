//! What a chip reports: the result of an installation, and later events.

use super::authentication::certificate;
use super::metadata::{event, read_iccid_if};
use super::{
    AID, ICCID, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, SIGNATURE, Signed, TransactionId,
    UTF8_STRING, Wire, context, group, transaction,
};
use crate::bpp::{BppCommand, ErrorReason};
use crate::certificate::Certificate;
use crate::identity::Iccid;
use crate::tlv::{DecodeError, Fields, NamedBits, Oid, Tag, Tlv, Writer};

/// `ProfileInstallationResult`
pub const TAG_INSTALLATION_RESULT: Tag = Tag::new(0xBF37);
const TAG_RESULT_DATA: Tag = Tag::new(0xBF27);
const TAG_NOTIFICATION: Tag = Tag::new(0xBF2F);
const FINAL_RESULT: Tag = group(2);

/// What happened to a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// It was installed, or that failed.
    Install,
    /// It was enabled.
    Enable,
    /// It was disabled.
    Disable,
    /// It was deleted.
    Delete,
}

impl Event {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Install, Self::Enable, Self::Disable, Self::Delete];

    /// Its bit.
    #[must_use]
    pub const fn bit(self) -> u32 {
        match self {
            Self::Install => event::INSTALL,
            Self::Enable => event::ENABLE,
            Self::Disable => event::DISABLE,
            Self::Delete => event::DELETE,
        }
    }
}

/// `NotificationMetadata`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationMetadata {
    /// Counts up in each chip.
    pub sequence_number: u64,
    /// What happened.
    pub event: Event,
    /// The host name of the receiver.
    pub address: String,
    /// The profile.
    pub iccid: Option<Iccid>,
}

impl Wire for NotificationMetadata {
    fn encode(&self) -> Vec<u8> {
        Writer::nest(TAG_NOTIFICATION, |w| {
            w.integer(context(0), self.sequence_number)
                .bits(context(1), NamedBits::of(&[self.event.bit()]))
                .octets(UTF8_STRING, self.address.as_bytes())
                .octets_if(
                    ICCID,
                    self.iccid.as_ref().map(|iccid| &iccid.as_octets()[..]),
                );
        })
    }

    fn decode(tlv: &Tlv<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::of(tlv, TAG_NOTIFICATION, "NotificationMetadata")?;
        let bits = fields.bits(context(1), "profileManagementOperation")?;
        let mut events = Event::ALL.into_iter().filter(|event| bits.has(event.bit()));
        let (Some(event), None) = (events.next(), events.next()) else {
            return Err(fields.invalid("profileManagementOperation"));
        };
        Ok(Self {
            sequence_number: fields.integer(context(0), "seqNumber")?,
            event,
            address: fields.text(UTF8_STRING, "notificationAddress")?.to_owned(),
            iccid: read_iccid_if(&fields)?,
        })
    }
}

/// How an installation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FinalResult {
    /// The profile is there.
    Success {
        /// The identifier of its security domain.
        aid: Vec<u8>,
        /// What the interpreter of profile packages said: `EUICCResponse`, see [`crate::saip`].
        response: Vec<u8>,
    },
    /// It is not.
    Error {
        /// The command that failed.
        command: BppCommand,
        /// Why.
        reason: ErrorReason,
        /// What the interpreter of profile packages said.
        response: Option<Vec<u8>>,
    },
}

/// `ProfileInstallationResultData`: signed with the chip's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallationResult {
    /// The session.
    pub transaction_id: TransactionId,
    /// The notification that this is.
    pub notification: NotificationMetadata,
    /// The server, as `CERT.DPpb` names it.
    pub smdp_oid: Option<Oid>,
    /// How it ended.
    pub result: FinalResult,
}

impl Wire for InstallationResult {
    fn encode(&self) -> Vec<u8> {
        Writer::nest(TAG_RESULT_DATA, |w| {
            w.octets(context(0), self.transaction_id.as_octets())
                .raw(&self.notification.encode());
            if let Some(oid) = &self.smdp_oid {
                w.oid(OBJECT_IDENTIFIER, oid);
            }
            w.nested(FINAL_RESULT, |w| self.result.write(w));
        })
    }

    fn decode(tlv: &Tlv<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::of(tlv, TAG_RESULT_DATA, "ProfileInstallationResultData")?;
        let notification = fields.need(TAG_NOTIFICATION, "notificationMetadata")?;
        Ok(Self {
            transaction_id: transaction(&fields)?,
            notification: NotificationMetadata::decode(&notification)?,
            smdp_oid: fields.oid_if(OBJECT_IDENTIFIER, "smdpOid")?,
            result: FinalResult::read(&fields.group(FINAL_RESULT, "finalResult")?)?,
        })
    }
}

impl FinalResult {
    fn write(&self, w: &mut Writer) {
        match self {
            Self::Success { aid, response } => {
                w.nested(group(0), |w| {
                    w.octets(AID, aid).octets(OCTET_STRING, response);
                });
            }
            Self::Error {
                command,
                reason,
                response,
            } => {
                w.nested(group(1), |w| {
                    w.integer(context(0), command.code())
                        .integer(context(1), reason.code())
                        .octets_if(context(2), response.as_deref());
                });
            }
        }
    }

    fn read(fields: &Fields<'_>) -> Result<Self, DecodeError> {
        if let Some(success) = fields.find(group(0)) {
            let fields = Fields::inside(&success, "SuccessResult")?;
            return Ok(Self::Success {
                aid: fields.octets(AID, "aid")?.to_vec(),
                response: fields.octets(OCTET_STRING, "simaResponse")?.to_vec(),
            });
        }
        let fields = fields.group(group(1), "errorResult")?;
        let command = fields.integer(context(0), "bppCommandId")?;
        let reason = fields.integer(context(1), "errorReason")?;
        Ok(Self::Error {
            command: BppCommand::from_code(command)
                .ok_or_else(|| fields.invalid("bppCommandId"))?,
            reason: ErrorReason::from_code(reason).ok_or_else(|| fields.invalid("errorReason"))?,
            response: fields.find(context(2)).map(|one| one.value().to_vec()),
        })
    }
}

/// What a chip has to tell a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PendingNotification {
    /// How an installation ended; signed with the key of the certificate of the session.
    Installation(Box<Signed<InstallationResult>>),
    /// Another event, with the certificates that verify it.
    Other(Box<OtherNotification>),
}

/// `OtherSignedNotification`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherNotification {
    /// The signed part.
    pub signed: Signed<NotificationMetadata>,
    /// The chip's certificate.
    pub certificate: Certificate,
    /// Its manufacturer's certificate.
    pub eum_certificate: Certificate,
}

impl PendingNotification {
    /// The notification, believed by nobody yet.
    #[must_use]
    pub fn unverified(&self) -> &NotificationMetadata {
        match self {
            Self::Installation(signed) => &signed.unverified().notification,
            Self::Other(other) => other.signed.unverified(),
        }
    }
}

impl Wire for PendingNotification {
    fn encode(&self) -> Vec<u8> {
        match self {
            Self::Installation(signed) => {
                Writer::nest(TAG_INSTALLATION_RESULT, |w| signed.write(w))
            }
            Self::Other(other) => Writer::nest(SEQUENCE, |w| {
                other.signed.write(w);
                w.raw(other.certificate.der())
                    .raw(other.eum_certificate.der());
            }),
        }
    }

    fn decode(tlv: &Tlv<'_>) -> Result<Self, DecodeError> {
        if tlv.tag() == TAG_INSTALLATION_RESULT {
            let fields = Fields::inside(tlv, "ProfileInstallationResult")?;
            let data = fields.need(TAG_RESULT_DATA, "profileInstallationResultData")?;
            let signature = fields.need(SIGNATURE, "euiccSignPIR")?;
            let signed = Signed::receive(&data, &signature)?;
            return Ok(Self::Installation(Box::new(signed)));
        }
        let fields = Fields::of(tlv, SEQUENCE, "PendingNotification")?;
        Ok(Self::Other(Box::new(OtherNotification {
            signed: Signed::beside(&fields, TAG_NOTIFICATION, "tbsOtherNotification")?,
            certificate: certificate(&fields, 0, "euiccCertificate")?,
            eum_certificate: certificate(&fields, 1, "eumCertificate")?,
        })))
    }
}
