//! Subscribers: from registration to the closed account.
//!
//! | use case | file |
//! |---|---|
//! | register with a phone number | `register.rs` |
//! | confirm the number, the mailbox | `confirm.rs` |
//! | log in by password or by code, second factor | `log_in.rs` |
//! | send another code | `send_again.rs` |
//! | choose a new password without the old one | `recover.rs` |
//! | use, list and end sessions, log out | `sessions.rs` |
//! | prove again who one is | `re_authenticate.rs` |
//! | change the number or the mailbox | `change_contact.rs` |
//! | change name, language, time zone, consent, user name, password | `settings.rs` |
//! | turn the second factor on and off | `second_factor.rs` |
//! | take a copy of one's data | `export.rs` |
//! | close the account | `close_account.rs` |
//! | show who one is | `identity.rs`, `identity_documents.rs` |
//! | take customers over from elsewhere | `import.rs` |
//!
//! Some refusals leave traces (a wrong code counts as a try): those use cases commit although
//! they refuse. So nothing is written before a refusal that shall not stay.

mod change_contact;
mod close_account;
mod code;
mod confirm;
mod export;
pub(crate) mod guard;
mod identity;
mod identity_documents;
mod import;
mod log_in;
mod re_authenticate;
mod recover;
mod register;
mod second_factor;
mod send_again;
mod sessions;
mod settings;
pub(crate) mod tell;
mod token;

use std::fmt;
use std::sync::Arc;

use simurgh_subscriber::{IssueLimits, Network, Retention, SessionRules};

use crate::ports::{IdentityChecker, StoreExt, StoreFault, Tx};
use crate::{App, Fault};

pub use change_contact::{ConfirmContactRefusal, RequestContactRefusal};
pub use close_account::CloseRefusal;
pub use code::{CodeRefusal, CodeSent, SendCodeRefusal};
pub use confirm::{ConfirmEmailRefusal, ConfirmPhoneRefusal, Confirmed};
pub use export::{ExportRefusal, PersonalData};
pub use identity::{
    IdentityNotifyRefusal, IdentityOverview, IdentityStartRefusal, IdentityTerms, IdentityWish,
};
pub use identity_documents::{DocumentRefusal, NewDocument, OpenedDocument, ReviewRefusal};
pub use import::{ImportRefusal, ImportedCustomer};
pub use log_in::{Claim, LogIn, LogInRefusal, SecondFactorLogInRefusal};
pub use re_authenticate::{ProofWays, ReAuthenticateRefusal, Reproof};
pub use recover::{RecoverRefusal, RecoveryStep};
pub use register::{RegisterRefusal, Registration};
pub use second_factor::{Enrolment, SecondFactorChangeRefusal};
pub use sessions::{NewSession, Resumed, RiskyRefusal};
pub use settings::{ChangePasswordRefusal, Profile, ProfileChange, UserNameChangeRefusal};
pub use token::{SessionToken, StepToken};

/// The operator's rules for subscribers.
#[derive(Clone)]
pub struct Rules {
    /// How long sessions last.
    pub sessions: SessionRules,
    /// How often codes are sent.
    pub codes: IssueLimits,
    /// How long documents of identity checks are kept.
    pub retention: Retention,
    /// The outside identity check; without one, staff looks at documents.
    pub identity_checker: Option<Arc<dyn IdentityChecker>>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            sessions: SessionRules::CUSTOMER,
            codes: IssueLimits::default(),
            retention: Retention::default(),
            identity_checker: None,
        }
    }
}

/// Where a request comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The network, for limits.
    pub network: Network,
    /// The device as its holder may recognise it, e.g. `Firefox on Android`.
    pub device: String,
    /// The session the browser had: it ends when a new one begins (V7.2.4).
    pub previous: Option<SessionToken>,
}

/// A password as it was typed; `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Typed(String);

impl Typed {
    /// Takes what was typed, unchanged (V6.2.8).
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, for checking and hashing.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Typed(hidden)")
    }
}

/// Whether somebody wants something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// They do.
    Yes,
    /// They do not.
    No,
}

/// A refusal of a use case that may leave traces.
pub(crate) trait Refusal: From<Fault> + From<StoreFault> + Send + 'static {
    /// The fault in it, if it is one.
    fn fault(self) -> Result<Fault, Self>;
}

/// Declares that enums with a case `Fault(Fault)` are refusals.
macro_rules! refusals {
    ($($name:ty),+ $(,)?) => {$(
        impl From<$crate::ports::StoreFault> for $name {
            fn from(fault: $crate::ports::StoreFault) -> Self {
                Self::Fault(fault.into())
            }
        }

        impl $crate::subscriber::Refusal for $name {
            fn fault(self) -> Result<$crate::Fault, Self> {
                match self {
                    Self::Fault(fault) => Ok(fault),
                    other => Err(other),
                }
            }
        }
    )+};
}

pub(crate) use refusals;

/// Declares that what stops something risky is among the refusals of an enum, under the same
/// names.
macro_rules! risky {
    ($($name:ty),+ $(,)?) => {$(
        impl From<$crate::subscriber::RiskyRefusal> for $name {
            fn from(refusal: $crate::subscriber::RiskyRefusal) -> Self {
                match refusal {
                    $crate::subscriber::RiskyRefusal::LoggedOut => Self::LoggedOut,
                    $crate::subscriber::RiskyRefusal::NotFresh => Self::NotFresh,
                    $crate::subscriber::RiskyRefusal::Fault(fault) => Self::Fault(fault),
                }
            }
        }
    )+};
}

pub(crate) use risky;

impl App {
    pub(crate) fn rules(&self) -> &Rules {
        &self.0.subscribers
    }

    /// Runs `work` in a transaction that is kept even when it refuses; only a fault undoes it.
    pub(crate) async fn decide<T, R>(
        &self,
        mut work: impl FnMut(&mut dyn Tx) -> Result<T, R> + Send + 'static,
    ) -> Result<T, R>
    where
        T: Send + 'static,
        R: Refusal,
    {
        let decided = self
            .store
            .transact(move |tx| match work(tx) {
                Ok(done) => Ok(Ok(done)),
                Err(refusal) => match refusal.fault() {
                    Ok(fault) => Err(fault),
                    Err(refusal) => Ok(Err(refusal)),
                },
            })
            .await;
        match decided {
            Ok(outcome) => outcome,
            Err(fault) => Err(fault.into()),
        }
    }

    /// The address of a page of the portal.
    pub(crate) fn portal_page(&self, path: &str) -> String {
        format!("{}{path}", self.settings.portal_url)
    }
}
