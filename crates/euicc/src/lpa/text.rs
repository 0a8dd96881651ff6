//! What went wrong, in words for the person at the device.

use simurgh_rsp::bpp::ErrorReason;
use simurgh_rsp::message::authentication::AuthenticateError;
use simurgh_rsp::message::download::DownloadError;
use simurgh_rsp::message::es10::ProfileOutcome;
use simurgh_rsp::message::notification::FinalResult;
use simurgh_rsp::message::status::Outcome;
use simurgh_rsp::saip::InstallResponse;

/// A server's "no": its own words, or else ours for its codes; the codes for the operator's help desk.
pub(super) fn refusal(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Executed => String::new(),
        Outcome::Failed {
            subject,
            reason,
            message,
            ..
        } => {
            let known = outcome.status().map(|status| status.text().to_owned());
            let text = message.clone().or(known).unwrap_or_default();
            format!("{text} ({subject}/{reason})")
        }
    }
}

pub(super) const fn authentication(error: AuthenticateError) -> &'static str {
    match error {
        AuthenticateError::InvalidCertificate => "its certificate is not valid",
        AuthenticateError::InvalidSignature => "its signature is not valid",
        AuthenticateError::UnsupportedCurve => "its key is of a kind that the chip does not know",
        AuthenticateError::NoSessionContext => "the session is over; try again",
        AuthenticateError::InvalidOid => "its certificate is for another purpose",
        AuthenticateError::EuiccChallengeMismatch => "it answered another session; try again",
        AuthenticateError::CiPkUnknown => {
            "its certificate leads to a root that the chip does not know"
        }
        AuthenticateError::Undefined | AuthenticateError::Other(_) => "the chip does not say why",
    }
}

pub(super) const fn offer(error: DownloadError) -> &'static str {
    match error {
        DownloadError::InvalidCertificate => "the server's certificate is not valid",
        DownloadError::InvalidSignature => "the server's signature is not valid",
        DownloadError::UnsupportedCurve => {
            "the server's key is of a kind that the chip does not know"
        }
        DownloadError::NoSessionContext => "the session is over; try again",
        DownloadError::InvalidTransactionId => "it belongs to another session; try again",
        DownloadError::Undefined | DownloadError::Other(_) => "the chip does not say why",
    }
}

/// The number 2 means different things after different commands; what is common to them is said here.
pub(super) const fn change(outcome: ProfileOutcome) -> &'static str {
    match outcome {
        ProfileOutcome::Ok => "it did",
        ProfileOutcome::NotFound => "there is no such profile, or nothing to delete",
        ProfileOutcome::WrongState => {
            "the profile is not in the state that this needs (a profile in use cannot be deleted, one \
             that is in use cannot be enabled)"
        }
        ProfileOutcome::DisallowedByPolicy => "the rules of a profile do not allow it",
        ProfileOutcome::WrongReenabling => "a test profile is in the way",
        ProfileOutcome::CatBusy => "the card is busy; try again",
        ProfileOutcome::Undefined | ProfileOutcome::Other(_) => "the chip does not say why",
    }
}

/// How an installation ended: what failed, and the interpreter's own words where it has some.
pub(super) fn installation(result: &FinalResult) -> String {
    match result {
        FinalResult::Success { .. } => "it was installed".to_owned(),
        FinalResult::Error {
            command,
            reason: why,
            response,
        } => {
            let mut text = reason(*why).to_owned();
            let response = response.as_deref().map(InstallResponse::parse);
            if let Some(Ok(response)) = response {
                for one in &response.elements {
                    text.push_str(&format!("; element: {}", one.text()));
                }
                if let Some(message) = &response.message {
                    text.push_str(&format!("; {message}"));
                }
            }
            format!("{text} ({}, {})", command.name(), why.code())
        }
    }
}

const fn reason(reason: ErrorReason) -> &'static str {
    match reason {
        ErrorReason::IncorrectInputValues => "the package has a value that cannot be",
        ErrorReason::InvalidSignature => "the server's signature is not valid",
        ErrorReason::InvalidTransactionId => "the package is of another session; try again",
        ErrorReason::UnsupportedCrtValues | ErrorReason::UnsupportedRemoteOperationType => {
            "the chip does not support what the package asks for"
        }
        ErrorReason::UnsupportedProfileClass => "the chip takes no profile of this class",
        ErrorReason::BspStructureError | ErrorReason::BspSecurityError => {
            "the package was damaged on its way; try again"
        }
        ErrorReason::IccidAlreadyExists => "the profile is on this device already",
        ErrorReason::InsufficientMemory => "there is not enough room; delete a profile first",
        ErrorReason::Interruption => "the installation was interrupted; try again",
        ErrorReason::PeProcessingError => "the chip cannot process a part of the profile",
        ErrorReason::IccidMismatch => "the profile has another number than was announced",
        ErrorReason::InvalidTestNaaKey => "a test profile has a key that is no test key",
        ErrorReason::PprNotAllowed => "the chip does not allow the profile's rules",
        ErrorReason::Other(_) | ErrorReason::Unknown => "the chip does not say why",
    }
}
