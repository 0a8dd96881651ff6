//! ES2+ (operator to SM-DP+): ordering profiles, and news of their download.
//!
//! Source: SGP.22 v2.5 §5.3 and §6.5.2

use serde_json::{Map, Value, json};

use super::json::{Body, BodyError, Making};
use crate::identity::{Eid, Iccid};

/// Where the functions are, below the server's address.
pub mod path {
    /// DownloadOrder
    pub const DOWNLOAD_ORDER: &str = "/gsma/rsp2/es2plus/downloadOrder";
    /// ConfirmOrder
    pub const CONFIRM_ORDER: &str = "/gsma/rsp2/es2plus/confirmOrder";
    /// CancelOrder
    pub const CANCEL_ORDER: &str = "/gsma/rsp2/es2plus/cancelOrder";
    /// ReleaseProfile
    pub const RELEASE_PROFILE: &str = "/gsma/rsp2/es2plus/releaseProfile";
    /// HandleDownloadProgressInfo
    pub const PROGRESS_INFO: &str = "/gsma/rsp2/es2plus/handleDownloadProgressInfo";
}

/// Who calls, and which call it is: the header of every request of ES2+ and ES12.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHeader {
    /// The caller.
    pub requester: String,
    /// The call.
    pub call: String,
}

impl RequestHeader {
    /// Reads the header of a request.
    ///
    /// # Errors
    /// [`BodyError`].
    pub fn read(body: &Body) -> Result<Self, BodyError> {
        let header = body.find("header").ok_or(BodyError::Missing("header"))?;
        let text = |name| header.get(name).and_then(Value::as_str).map(str::to_owned);
        const REQUESTER: &str = "functionRequesterIdentifier";
        const CALL: &str = "functionCallIdentifier";
        Ok(Self {
            requester: text(REQUESTER).ok_or(BodyError::Missing(REQUESTER))?,
            call: text(CALL).ok_or(BodyError::Missing(CALL))?,
        })
    }

    /// Adds the header to a request.
    pub(super) fn on(&self, fields: Making) -> Value {
        let header = json!({
            "functionRequesterIdentifier": self.requester,
            "functionCallIdentifier": self.call,
        });
        Value::Object(fields.value("header", header).finish())
    }
}

/// `DownloadOrder`: reserve a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadOrder {
    /// The chip it is for, if it is known.
    pub eid: Option<Eid>,
    /// Which profile, or else the type.
    pub iccid: Option<Iccid>,
    /// Any profile of this type.
    pub profile_type: Option<String>,
}

impl DownloadOrder {
    /// Reads a request.
    ///
    /// # Errors
    /// [`BodyError`].
    pub fn read(body: &Body) -> Result<Self, BodyError> {
        let order = Self {
            eid: body.parsed_if("eid")?,
            iccid: body.parsed_if("iccid")?,
            profile_type: body.text_if("profileType")?.map(str::to_owned),
        };
        if order.iccid.is_none() && order.profile_type.is_none() {
            return Err(BodyError::Missing("iccid"));
        }
        Ok(order)
    }

    /// Makes a request.
    #[must_use]
    pub fn body(&self, header: &RequestHeader) -> Value {
        header.on(Making::new()
            .text_if("eid", self.eid.map(|eid| eid.digits()))
            .text_if("iccid", self.iccid.map(|iccid| iccid.digits()))
            .text_if("profileType", self.profile_type.as_deref()))
    }

    /// Makes the answer.
    #[must_use]
    pub fn answer(iccid: &Iccid) -> Map<String, Value> {
        Making::new().text("iccid", iccid.digits()).finish()
    }
}

/// `ConfirmOrder`: make a reserved profile ready.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfirmOrder {
    /// The profile.
    pub iccid: Iccid,
    /// The chip it is for, if it is known.
    pub eid: Option<Eid>,
    /// The token of the activation code; the server makes one when there is none.
    pub matching_id: Option<String>,
    /// What the user must type.
    pub confirmation_code: Option<String>,
    /// Where the chip shall hear of it.
    pub smds_address: Option<String>,
    /// Whether it may be downloaded at once.
    pub release: bool,
}

impl std::fmt::Debug for ConfirmOrder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConfirmOrder")
            .field("release", &self.release)
            .finish_non_exhaustive()
    }
}

impl ConfirmOrder {
    /// Reads a request.
    ///
    /// # Errors
    /// [`BodyError`].
    pub fn read(body: &Body) -> Result<Self, BodyError> {
        let text = |field| body.text_if(field).map(|text| text.map(str::to_owned));
        Ok(Self {
            iccid: body.parsed("iccid")?,
            eid: body.parsed_if("eid")?,
            matching_id: text("matchingId")?,
            confirmation_code: text("confirmationCode")?.filter(|code| !code.is_empty()),
            smds_address: text("smdsAddress")?.filter(|address| !address.is_empty()),
            release: body.boolean("releaseFlag")?,
        })
    }

    /// Makes a request.
    #[must_use]
    pub fn body(&self, header: &RequestHeader) -> Value {
        header.on(Making::new()
            .text("iccid", self.iccid.digits())
            .text_if("eid", self.eid.map(|eid| eid.digits()))
            .text_if("matchingId", self.matching_id.as_deref())
            .text_if("confirmationCode", self.confirmation_code.as_deref())
            .text_if("smdsAddress", self.smds_address.as_deref())
            .value("releaseFlag", Value::Bool(self.release)))
    }
}

/// `ConfirmOrder`: the answer.
#[derive(Clone, PartialEq, Eq)]
pub struct OrderConfirmed {
    /// The chip it is for.
    pub eid: Option<Eid>,
    /// The token of the activation code.
    pub matching_id: String,
    /// The host name of the server, when it is not the usual one.
    pub smdp_address: Option<String>,
}

impl std::fmt::Debug for OrderConfirmed {
    /// Without the token: whoever has it has the profile.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OrderConfirmed")
    }
}

impl OrderConfirmed {
    /// Reads an answer.
    ///
    /// # Errors
    /// [`BodyError`].
    pub fn read(body: &Body) -> Result<Self, BodyError> {
        Ok(Self {
            eid: body.parsed_if("eid")?,
            matching_id: body.text("matchingId")?.to_owned(),
            smdp_address: body.text_if("smdpAddress")?.map(str::to_owned),
        })
    }

    /// Makes an answer.
    #[must_use]
    pub fn answer(&self) -> Map<String, Value> {
        Making::new()
            .text_if("eid", self.eid.map(|eid| eid.digits()))
            .text("matchingId", &self.matching_id)
            .text_if("smdpAddress", self.smdp_address.as_deref())
            .finish()
    }
}

/// What becomes of a profile whose order is cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinalStatus {
    /// It can be ordered again.
    Available,
    /// It cannot.
    Unavailable,
}

/// `CancelOrder`: take an order back.
#[derive(Clone, PartialEq, Eq)]
pub struct CancelOrder {
    /// The profile.
    pub iccid: Iccid,
    /// The chip it was for.
    pub eid: Option<Eid>,
    /// The token of the activation code.
    pub matching_id: Option<String>,
    /// What becomes of the profile.
    pub final_status: FinalStatus,
}

impl std::fmt::Debug for CancelOrder {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("CancelOrder")
            .field(&self.final_status)
            .finish()
    }
}

impl CancelOrder {
    /// Reads a request.
    ///
    /// # Errors
    /// [`BodyError`].
    pub fn read(body: &Body) -> Result<Self, BodyError> {
        const STATUS: &str = "finalProfileStatusIndicator";
        let final_status = match body.text(STATUS)? {
            "Available" => FinalStatus::Available,
            "Unavailable" => FinalStatus::Unavailable,
            _ => return Err(BodyError::Invalid(STATUS)),
        };
        Ok(Self {
            iccid: body.parsed("iccid")?,
            eid: body.parsed_if("eid")?,
            matching_id: body.text_if("matchingId")?.map(str::to_owned),
            final_status,
        })
    }

    /// Makes a request.
    #[must_use]
    pub fn body(&self, header: &RequestHeader) -> Value {
        let status = match self.final_status {
            FinalStatus::Available => "Available",
            FinalStatus::Unavailable => "Unavailable",
        };
        header.on(Making::new()
            .text("iccid", self.iccid.digits())
            .text_if("eid", self.eid.map(|eid| eid.digits()))
            .text_if("matchingId", self.matching_id.as_deref())
            .text("finalProfileStatusIndicator", status))
    }
}

/// Reads `ReleaseProfile`: let a confirmed profile be downloaded.
///
/// # Errors
/// [`BodyError`].
pub fn read_release(body: &Body) -> Result<Iccid, BodyError> {
    body.parsed("iccid")
}

/// Makes `ReleaseProfile`.
#[must_use]
pub fn release_body(header: &RequestHeader, iccid: &Iccid) -> Value {
    header.on(Making::new().text("iccid", iccid.digits()))
}

/// How far a download has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProgressPoint {
    /// The chip was looked at: may it have the profile?
    Eligibility,
    /// The confirmation code was wrong.
    ConfirmationFailure,
    /// The package was fetched.
    Download,
    /// The package was installed.
    Installation,
}

impl ProgressPoint {
    /// Its number on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Eligibility => 1,
            Self::ConfirmationFailure => 2,
            Self::Download => 3,
            Self::Installation => 4,
        }
    }

    /// The point with this number.
    #[must_use]
    pub const fn from_code(code: u64) -> Option<Self> {
        match code {
            1 => Some(Self::Eligibility),
            2 => Some(Self::ConfirmationFailure),
            3 => Some(Self::Download),
            4 => Some(Self::Installation),
            _ => None,
        }
    }
}

/// `HandleDownloadProgressInfo`: what the server tells the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgressInfo {
    /// The chip.
    pub eid: Option<Eid>,
    /// The profile.
    pub iccid: Iccid,
    /// Its type.
    pub profile_type: String,
    /// When it happened: `YYYY-MM-DDThh:mm:ssZ`.
    pub timestamp: String,
    /// What happened.
    pub point: ProgressPoint,
    /// Whether it went well; if not, why.
    pub failure: Option<super::status::Status>,
    /// What the chip said, when it was an installation.
    pub result_data: Option<Vec<u8>>,
}

impl ProgressInfo {
    /// Makes a request.
    #[must_use]
    pub fn body(&self, header: &RequestHeader) -> Value {
        let status = match self.failure {
            None => json!({"status": "Executed-Success"}),
            Some(status) => json!({"status": "Failed", "statusCodeData": {
                "subjectCode": status.subject(),
                "reasonCode": status.reason(),
                "message": status.text(),
            }}),
        };
        let fields = Making::new()
            .text_if("eid", self.eid.map(|eid| eid.digits()))
            .text("iccid", self.iccid.digits())
            .text("profileType", &self.profile_type)
            .text("timestamp", &self.timestamp)
            .value("notificationPointId", json!(self.point.code()))
            .value("notificationPointStatus", status);
        header.on(match &self.result_data {
            Some(data) => fields.octets("resultData", data),
            None => fields,
        })
    }
}
