//! Subject and reason codes: the named answers "no", with what to tell a person.

use std::fmt;

use serde_json::{Map, Value, json};

/// Declares the codes.
macro_rules! statuses {
    ($($variant:ident $subject:literal $reason:literal $text:literal;)*) => {
        /// Why a function was not executed: a subject code and a reason code.
        ///
        /// Source: SGP.22 v2.5 §5.2.6
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Status {
            $(
                #[doc = concat!("`", $subject, "`/`", $reason, "`: ", $text, ".")]
                $variant,
            )*
        }

        impl Status {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The subject code.
            #[must_use]
            pub const fn subject(self) -> &'static str {
                match self {
                    $(Self::$variant => $subject,)*
                }
            }

            /// The reason code.
            #[must_use]
            pub const fn reason(self) -> &'static str {
                match self {
                    $(Self::$variant => $reason,)*
                }
            }

            /// What LPAs show to a person.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}

statuses! {
    EuiccInsufficientMemory "8.1" "4.8" "The eUICC does not have enough free memory for this profile";
    EuiccVerificationFailed "8.1" "6.1" "The eUICC's signature or the server challenge is not valid";
    EidMandatoryElementMissing "8.1.1" "2.2" "The EID is missing: it is needed with an SM-DS address or an empty matching identifier";
    EidUnsupported "8.1.1" "3.1" "Another EID belongs to this ICCID";
    EidRefused "8.1.1" "3.8" "This profile is meant for another device: the EID does not match";
    EidUnknown "8.1.1" "3.9" "The EID is not known here";
    EumCertificateVerificationFailed "8.1.2" "6.1" "The certificate of the eUICC's manufacturer is not valid";
    EumCertificateExpired "8.1.2" "6.3" "The certificate of the eUICC's manufacturer has expired";
    EuiccCertificateVerificationFailed "8.1.3" "6.1" "The eUICC's certificate is not valid";
    EuiccCertificateExpired "8.1.3" "6.3" "The eUICC's certificate has expired";
    ProfileNotAllowed "8.2" "1.2" "The profile has not been released yet";
    ProfileUnavailable "8.2" "3.7" "The profile was prepared for another download and cannot be bound again";
    IccidNotAllowed "8.2.1" "1.2" "The caller may not do this with the profile";
    IccidUnsupported "8.2.1" "3.1" "Another EID is associated with this ICCID";
    IccidAlreadyInUse "8.2.1" "3.3" "The profile with this ICCID is not available";
    IccidInvalidTransition "8.2.1" "3.5" "The profile cannot be released from its present state";
    IccidUnknown "8.2.1" "3.9" "No profile with this ICCID is known";
    ProfileTypeNotAllowed "8.2.5" "1.2" "The caller may not use this profile type";
    ProfileTypeUnavailable "8.2.5" "3.7" "No more profiles of this type are available";
    ProfileTypeRefused "8.2.5" "3.8" "The profile with this ICCID is of another type";
    ProfileTypeUnknown "8.2.5" "3.9" "No such profile type is known";
    ProfileTypeStoppedOnWarning "8.2.5" "4.3" "No profile fits this eUICC or device";
    MatchingIdUnsupported "8.2.6" "3.1" "Another matching identifier belongs to this ICCID";
    MatchingIdAlreadyInUse "8.2.6" "3.3" "The matching identifier is in use";
    MatchingIdRefused "8.2.6" "3.8" "The activation code is not known or was used already";
    ConfirmationCodeMissing "8.2.7" "2.2" "The confirmation code is missing";
    ConfirmationCodeRefused "8.2.7" "3.8" "The confirmation code is wrong";
    ConfirmationCodeRetriesExceeded "8.2.7" "6.4" "The confirmation code was wrong too often; this activation code is void";
    SmdpInvalidAssociation "8.8" "3.10" "The object identifier is not the one of this SM-DP+";
    SmdpUnsupported "8.8" "3.1" "The object identifier of the SM-DP+ is not valid";
    SmdpAddressRefused "8.8.1" "3.8" "This address is not the one of this SM-DP+";
    SmdpSecurityUnsupported "8.8.2" "3.1" "This SM-DP+ shares no trusted root with the eUICC";
    SmdpVersionUnsupported "8.8.3" "3.1" "The eUICC's version of the specification is not supported";
    SmdpCertificateUnavailable "8.8.4" "3.7" "This SM-DP+ has no certificate below a root that the eUICC trusts";
    DownloadOrderExpired "8.8.5" "4.1" "The time to download this profile is over";
    DownloadOrderRetriesExceeded "8.8.5" "6.4" "The profile was downloaded too often without success";
    SmdsExecutionError "8.9" "4.2" "The SM-DS reported an error";
    SmdsInaccessible "8.9" "5.1" "The SM-DS could not be reached";
    SmdsAddressRefused "8.9.1" "3.8" "This address is not the one of this SM-DS";
    SmdsSecurityUnsupported "8.9.2" "3.1" "This SM-DS shares no trusted root with the eUICC";
    SmdsVersionUnsupported "8.9.3" "3.1" "The eUICC's version of the specification is not supported by the SM-DS";
    SmdsCertificateUnavailable "8.9.4" "3.7" "The SM-DS has no certificate below a root that the eUICC trusts";
    EventRecordAlreadyInUse "8.9.5" "3.3" "An event with this identifier is registered already";
    EventRecordUnknown "8.9.5" "3.9" "No event with this identifier is registered for the EID";
    TransactionIdUnknown "8.10.1" "3.9" "The session is not known or is over";
    CiPublicKeyUnknown "8.11.1" "3.9" "The eUICC's certificates lead to a root that is not trusted here";
    FunctionRequesterUnknown "1.1" "1.1" "The caller is not known";
    FunctionRequesterNotAllowed "1.1" "1.2" "The caller may not use this function";
    FunctionRequesterMissing "1.1" "2.2" "The header lacks the identifier of the caller";
    ProtocolFormatInvalid "1.3.1" "2.1" "The message is not well formed";
    ProtocolFormatMissing "1.3.1" "2.2" "A mandatory field is missing";
    ProtocolVersionUnsupported "1.3.2" "3.1" "The protocol version in X-Admin-Protocol is not supported";
    FunctionInvalid "1.6" "2.1" "The function cannot be used so";
    FunctionMandatoryElementMissing "1.6" "2.2" "A mandatory parameter of the function is missing";
    FunctionUnsupported "1.6" "3.1" "There is no such function";
    FunctionExecutionError "1.6" "4.2" "The function failed here; trying again later may help";
}

impl Status {
    /// The status with these codes.
    #[must_use]
    pub fn of(subject: &str, reason: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|one| one.subject() == subject && one.reason() == reason)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}: {}", self.subject(), self.reason(), self.text())
    }
}

/// How a function ended, as the other side told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was executed.
    Executed,
    /// It was not: codes as they came, since a later version may name more than [`Status`] does.
    Failed {
        /// The subject code.
        subject: String,
        /// The reason code.
        reason: String,
        /// What it is about.
        subject_identifier: Option<String>,
        /// What to tell a person.
        message: Option<String>,
    },
}

impl Outcome {
    /// The status, when it is one of ours.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        match self {
            Self::Executed => None,
            Self::Failed {
                subject, reason, ..
            } => Status::of(subject, reason),
        }
    }
}

/// The body of an answer: the header that says the function was executed, and `fields`.
#[must_use]
pub fn executed(fields: Map<String, Value>) -> Value {
    let mut body = Map::new();
    body.insert(
        "header".into(),
        json!({"functionExecutionStatus": {"status": "Executed-Success"}}),
    );
    body.extend(fields);
    Value::Object(body)
}

/// The body of an answer that says why the function was not executed. `detail` replaces the usual text.
#[must_use]
pub fn failed(status: Status, detail: Option<&str>) -> Value {
    json!({"header": {"functionExecutionStatus": {
        "status": "Failed",
        "statusCodeData": {
            "subjectCode": status.subject(),
            "reasonCode": status.reason(),
            "message": detail.unwrap_or(status.text()),
        },
    }}})
}

/// Reads how a function ended from the body of an answer.
#[must_use]
pub fn outcome(body: &Value) -> Option<Outcome> {
    let status = body.get("header")?.get("functionExecutionStatus")?;
    if status.get("status")?.as_str()?.starts_with("Executed") {
        return Some(Outcome::Executed);
    }
    let data = status.get("statusCodeData");
    let text = |name| {
        data.and_then(|data| data.get(name))
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    Some(Outcome::Failed {
        subject: text("subjectCode").unwrap_or_default(),
        reason: text("reasonCode").unwrap_or_default(),
        subject_identifier: text("subjectIdentifier"),
        message: text("message"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_unique_and_fit_what_phones_show() {
        let pairs: BTreeSet<_> = Status::ALL
            .iter()
            .map(|one| (one.subject(), one.reason()))
            .collect();
        assert_eq!(pairs.len(), Status::ALL.len());
        // Android packs each code into four bits a level, three levels at most.
        for code in pairs.iter().flat_map(|(subject, reason)| [subject, reason]) {
            let levels: Vec<u8> = code
                .split('.')
                .map(|level| level.parse().unwrap())
                .collect();
            assert!(levels.len() <= 3 && levels.iter().all(|level| *level <= 15));
        }
    }

    #[test]
    fn an_answer_tells_its_outcome() {
        let body = failed(Status::MatchingIdRefused, None);
        let outcome = outcome(&body).unwrap();
        assert_eq!(outcome.status(), Some(Status::MatchingIdRefused));
        assert_eq!(
            super::outcome(&executed(Map::new())),
            Some(Outcome::Executed)
        );
        assert_eq!(super::outcome(&json!({"header": {}})), None);
        assert_eq!(
            super::outcome(&json!({"header": {"functionExecutionStatus": {"status": "Failed"}}}))
                .unwrap()
                .status(),
            None
        );
    }
}
