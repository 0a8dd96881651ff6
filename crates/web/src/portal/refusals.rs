//! What is wrong with what was entered, and what to do: the words of every refusal on the way in
//! and in the settings.

use simurgh_app::subscriber::{CodeRefusal, SendCodeRefusal};
use simurgh_subscriber::{
    DisplayNameRefusal, GuardScope, IssueScope, PasswordRefusal, PhoneRefusal, UserNameRefusal,
};
use simurgh_vocab::Timestamp;

use super::detour::Detour;
use super::fields::Fields;
use super::local::moment;
use crate::frame::Page;
use crate::i18n::{Text, key};

pub(super) fn phone(t: &Text, refusal: PhoneRefusal) -> String {
    t.msg(match refusal {
        PhoneRefusal::Empty => key("entry-phone-empty"),
        PhoneRefusal::NotANumber => key("entry-phone-not-a-number"),
        PhoneRefusal::CountryUnknown => key("entry-phone-country"),
        PhoneRefusal::TooShort => key("entry-phone-short"),
        PhoneRefusal::TooLong => key("entry-phone-long"),
        PhoneRefusal::NotAssigned => key("entry-phone-not-assigned"),
        PhoneRefusal::NotMobile => key("entry-phone-not-mobile"),
    })
}

pub(super) fn name(t: &Text, refusal: DisplayNameRefusal) -> String {
    t.msg(match refusal {
        DisplayNameRefusal::Empty => key("entry-name-empty"),
        DisplayNameRefusal::TooLong => key("entry-name-long"),
        DisplayNameRefusal::Unprintable => key("entry-name-unprintable"),
        DisplayNameRefusal::Link => key("entry-name-link"),
    })
}

pub(super) fn user_name(t: &Text, refusal: UserNameRefusal) -> String {
    t.msg(match refusal {
        UserNameRefusal::TooShort => key("account-user-name-short"),
        UserNameRefusal::TooLong => key("account-user-name-long"),
        UserNameRefusal::BadCharacter => key("account-user-name-character"),
        UserNameRefusal::BadEdge => key("account-user-name-edge"),
        UserNameRefusal::Reserved => key("account-user-name-reserved"),
    })
}

pub(super) fn password(t: &Text, refusal: PasswordRefusal) -> String {
    t.msg(match refusal {
        PasswordRefusal::TooShort => key("entry-password-short"),
        PasswordRefusal::TooLong => key("entry-password-long"),
        PasswordRefusal::Common => key("entry-password-common"),
        PasswordRefusal::NamesYou => key("entry-password-names-you"),
    })
}

pub(super) fn code(t: &Text, refusal: CodeRefusal) -> String {
    match refusal {
        CodeRefusal::Wrong { tries_left } => {
            t.with("entry-code-wrong", "tries", tries_left).to_string()
        }
        CodeRefusal::Expired => t.msg("entry-code-expired"),
        CodeRefusal::NoTriesLeft => t.msg("entry-code-no-tries"),
        CodeRefusal::Used => t.msg("entry-code-used"),
        CodeRefusal::Replaced => t.msg("entry-code-replaced"),
        CodeRefusal::Unknown => t.msg("entry-code-unknown"),
    }
}

/// Until when nothing can be tried, on the clock of whoever reads it.
pub(super) fn locked(
    page: &Page,
    fields: &Fields,
    (until, scope): (Timestamp, GuardScope),
) -> String {
    let key = match scope {
        GuardScope::Account => key("entry-locked"),
        GuardScope::Network => key("entry-locked-network"),
    };
    page.t
        .with(key, "time", moment(page, fields, until))
        .to_string()
}

/// When the next code can be asked for.
///
/// # Errors
/// [`Detour`] for a fault.
pub(super) fn no_code(
    page: &Page,
    fields: &Fields,
    refusal: SendCodeRefusal,
) -> Result<String, Detour> {
    match refusal {
        SendCodeRefusal::TooOften { retry_at, scope } => {
            let key = match scope {
                IssueScope::Address => key("entry-too-often"),
                IssueScope::Network => key("entry-too-often-network"),
            };
            let time = moment(page, fields, retry_at);
            Ok(page.t.with(key, "time", time).to_string())
        }
        SendCodeRefusal::Fault(fault) => Err(fault.into()),
    }
}

/// A wrong code of the app, or a wrong recovery code.
pub(super) fn second_factor(t: &Text, was_recovery: bool) -> String {
    if was_recovery {
        t.msg("entry-recovery-wrong")
    } else {
        t.msg("entry-second-wrong")
    }
}

/// Until when no second factor can be tried.
pub(super) fn second_factor_locked(
    page: &Page,
    fields: &Fields,
    (until, scope): (Timestamp, GuardScope),
) -> String {
    let key = match scope {
        GuardScope::Account => key("entry-second-locked"),
        GuardScope::Network => key("entry-locked-network"),
    };
    page.t
        .with(key, "time", moment(page, fields, until))
        .to_string()
}

/// Until when nobody can prove here who they are.
pub(super) fn proof_locked(
    page: &Page,
    fields: &Fields,
    (until, scope): (Timestamp, GuardScope),
) -> String {
    let key = match scope {
        GuardScope::Account => key("account-proof-locked"),
        GuardScope::Network => key("entry-locked-network"),
    };
    page.t
        .with(key, "time", moment(page, fields, until))
        .to_string()
}
