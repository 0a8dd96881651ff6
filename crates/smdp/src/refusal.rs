//! Named refusals of the use cases as subject and reason codes.

use simurgh_app::esim::EsimFault;
use simurgh_app::ports::ProgressFailure;
use simurgh_rsp::message::status::Status;
use simurgh_subscriber::ProfileRefusal;

use crate::answer::Unexecuted;

impl From<EsimFault> for Unexecuted {
    fn from(fault: EsimFault) -> Self {
        match fault {
            EsimFault::Refused(refusal) => phone(refusal).into(),
            EsimFault::UnknownSession => Status::TransactionIdUnknown.into(),
            EsimFault::Changed => Status::FunctionExecutionError.into(),
            EsimFault::CallReused => Self::because(
                Status::FunctionInvalid,
                "the functionCallIdentifier was used for another request",
            ),
            EsimFault::Fault(fault) => Self::Fault(fault),
        }
    }
}

/// What a phone is told.
const fn phone(refusal: ProfileRefusal) -> Status {
    match refusal {
        ProfileRefusal::OtherChip => Status::EidRefused,
        ProfileRefusal::CodeTriesExceeded => Status::ConfirmationCodeRetriesExceeded,
        ProfileRefusal::DownloadsExceeded => Status::DownloadOrderRetriesExceeded,
        ProfileRefusal::NotReleased => Status::ProfileNotAllowed,
        ProfileRefusal::Expired => Status::DownloadOrderExpired,
        ProfileRefusal::NotEligible => Status::ProfileTypeStoppedOnWarning,
        ProfileRefusal::NoMemory => Status::EuiccInsufficientMemory,
        // Who must not have it learns nothing more of it.
        ProfileRefusal::Unknown
        | ProfileRefusal::Used
        | ProfileRefusal::State
        | ProfileRefusal::OtherMatchingId
        | ProfileRefusal::MatchingIdInUse
        | ProfileRefusal::EidMissing
        | ProfileRefusal::IccidUnknown
        | ProfileRefusal::TypeUnknown
        | ProfileRefusal::TypeUnavailable
        | ProfileRefusal::OtherType
        | ProfileRefusal::EventRefused
        | ProfileRefusal::SmdsUnreachable => Status::MatchingIdRefused,
    }
}

/// The same, for the operator who ordered the profile.
pub(crate) fn failure(refusal: ProfileRefusal) -> ProgressFailure {
    let status = phone(refusal);
    ProgressFailure {
        subject: status.subject().to_owned(),
        reason: status.reason().to_owned(),
    }
}

/// What a phone is told that was admitted and comes for its package: a profile that was withdrawn in between.
pub(crate) fn withdrawn(fault: EsimFault) -> Unexecuted {
    match fault {
        EsimFault::Refused(
            ProfileRefusal::Unknown
            | ProfileRefusal::Used
            | ProfileRefusal::NotReleased
            | ProfileRefusal::State
            | ProfileRefusal::OtherChip,
        ) => Status::ProfileUnavailable.into(),
        other => other.into(),
    }
}

/// What an operator is told. `in_wrong_state` is for a profile whose state does not allow it.
pub(crate) fn operator(fault: EsimFault, in_wrong_state: Status) -> Unexecuted {
    let EsimFault::Refused(refusal) = fault else {
        return fault.into();
    };
    match refusal {
        ProfileRefusal::Unknown | ProfileRefusal::IccidUnknown => Status::IccidUnknown,
        ProfileRefusal::OtherChip => Status::EidUnsupported,
        ProfileRefusal::OtherMatchingId => Status::MatchingIdUnsupported,
        ProfileRefusal::MatchingIdInUse => Status::MatchingIdAlreadyInUse,
        ProfileRefusal::EidMissing => Status::EidMandatoryElementMissing,
        ProfileRefusal::TypeUnknown => Status::ProfileTypeUnknown,
        ProfileRefusal::TypeUnavailable => Status::ProfileTypeUnavailable,
        ProfileRefusal::OtherType => Status::ProfileTypeRefused,
        ProfileRefusal::EventRefused => Status::SmdsExecutionError,
        ProfileRefusal::SmdsUnreachable => Status::SmdsInaccessible,
        ProfileRefusal::State
        | ProfileRefusal::Used
        | ProfileRefusal::NotReleased
        | ProfileRefusal::Expired
        | ProfileRefusal::CodeTriesExceeded
        | ProfileRefusal::DownloadsExceeded
        | ProfileRefusal::NotEligible
        | ProfileRefusal::NoMemory => in_wrong_state,
    }
    .into()
}
