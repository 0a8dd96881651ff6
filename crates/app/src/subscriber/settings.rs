//! What a customer sets: name, language, time zone, consent, user name, password.

use simurgh_subscriber::{
    DisplayName, EndReason, Marketing, PasswordRefusal, Person, RiskyAction, UserName,
};
use simurgh_vocab::{CustomerId, Locale, SessionId, TimeZoneName, Timestamp};

use crate::crypto::password::PasswordFault;
use crate::ports::{AccountEvent, AccountEventKind, LoginName, StoreExt};
use crate::subscriber::tell::Change;
use crate::subscriber::{
    Origin, ReAuthenticateRefusal, RiskyRefusal, Typed, Wish, refusals, risky,
};
use crate::{App, Fault};

/// What a customer sees of their account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Their id.
    pub customer: CustomerId,
    /// Who they are.
    pub person: Person,
    /// When the password was chosen, if one was.
    pub password_since: Option<Timestamp>,
    /// Whether the second factor is on.
    pub second_factor: bool,
    /// How many recovery codes are left.
    pub recovery_codes_left: usize,
    /// What happened to the account lately, newest first.
    pub events: Vec<AccountEvent>,
}

/// A change that needs no fresh proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProfileChange {
    /// The name they are greeted by.
    Name(DisplayName),
    /// The language.
    Language(Locale),
    /// The time zone.
    TimeZone(TimeZoneName),
    /// Whether they want advertisements.
    Marketing(Wish),
}

/// Why a user name is not changed. Precedence as listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserNameChangeRefusal {
    /// The session is over.
    #[error("please log in")]
    LoggedOut,
    /// Its holder must prove again who they are.
    #[error("please confirm that it is you")]
    NotFresh,
    /// Somebody has it. User names are chosen to be known, so this may be told.
    #[error("this user name is taken")]
    Taken,
    /// The store or the program failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Why a password is not changed. Precedence as listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangePasswordRefusal {
    /// The session is over.
    #[error("please log in")]
    LoggedOut,
    /// Its holder must prove again who they are.
    #[error("please confirm that it is you")]
    NotFresh,
    /// The current password is not taken: missing, wrong, locked or busy (V6.2.3).
    #[error("the current password is not taken: {0}")]
    Current(ReAuthenticateRefusal),
    /// The new password cannot be chosen.
    #[error(transparent)]
    Password(#[from] PasswordRefusal),
    /// Too many passwords are being checked; a moment later it will go.
    #[error("the program is busy; please try again")]
    Busy,
    /// The store or the program failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

refusals!(UserNameChangeRefusal, ChangePasswordRefusal);
risky!(UserNameChangeRefusal, ChangePasswordRefusal);

impl From<PasswordFault> for ChangePasswordRefusal {
    fn from(fault: PasswordFault) -> Self {
        match fault {
            PasswordFault::Busy => Self::Busy,
            PasswordFault::Unusable => Self::Fault(Fault::Invariant(fault.to_string())),
        }
    }
}

/// How much of an account's history its page shows.
const EVENTS_SHOWN: u32 = 20;

impl App {
    /// A customer's account; nothing if it is not in use.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn profile(&self, customer: CustomerId) -> Result<Option<Profile>, Fault> {
        self.store
            .snapshot(move |tx| -> Result<Option<Profile>, Fault> {
                let Some(person) = tx.active_person(customer)? else {
                    return Ok(None);
                };
                let credentials = tx.credentials(customer)?;
                Ok(Some(Profile {
                    customer,
                    person,
                    password_since: credentials.password.map(|stored| stored.since),
                    second_factor: credentials.second_factor.is_on(),
                    recovery_codes_left: credentials.second_factor.recovery_codes_left(),
                    events: tx.account_events(customer, EVENTS_SHOWN)?,
                }))
            })
            .await
    }

    /// Changes what needs no fresh proof. False if the account is not in use.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn change_profile(
        &self,
        customer: CustomerId,
        change: ProfileChange,
    ) -> Result<bool, Fault> {
        let now = self.now();
        self.store
            .transact(move |tx| -> Result<bool, Fault> {
                let Some(mut stored) = tx.customer(customer)? else {
                    return Ok(false);
                };
                let Some(person) = stored.active_mut() else {
                    return Ok(false);
                };
                apply(person, &change, now);
                tx.update_customer(&stored)?;
                Ok(true)
            })
            .await
    }

    /// Sets or removes the name to log in with.
    ///
    /// # Errors
    /// [`UserNameChangeRefusal`].
    pub async fn change_user_name(
        &self,
        session: SessionId,
        user_name: Option<UserName>,
    ) -> Result<(), UserNameChangeRefusal> {
        let app = self.clone();
        let now = self.now();
        self.decide(move |tx| -> Result<(), UserNameChangeRefusal> {
            let action = RiskyAction::ChangeUserName;
            let session = app.require_fresh::<RiskyRefusal>(tx, session, action, now)?;
            let id = session.customer;
            let mut customer = tx.customer(id)?.ok_or(UserNameChangeRefusal::LoggedOut)?;
            let person = customer.active_mut();
            let person = person.ok_or(UserNameChangeRefusal::LoggedOut)?;
            if person.user_name == user_name {
                return Ok(());
            }
            if let Some(name) = &user_name
                && tx
                    .customer_named(&LoginName::UserName(name.clone()))?
                    .is_some()
            {
                return Err(UserNameChangeRefusal::Taken);
            }
            person.user_name.clone_from(&user_name);
            let told = person.clone();
            tx.update_customer(&customer)?;
            app.note(tx, id, AccountEventKind::UserNameChanged, now)?;
            Ok(app.tell_change(tx, (id, &told), Change::UserName, None, now)?)
        })
        .await?;
        self.wake_runner();
        Ok(())
    }

    /// Sets or changes the password. Whoever has one must type it, and has proven freshly who
    /// they are; every other session ends.
    ///
    /// # Errors
    /// [`ChangePasswordRefusal`].
    pub async fn change_password(
        &self,
        session: SessionId,
        current: Option<Typed>,
        new: Typed,
        origin: Origin,
    ) -> Result<(), ChangePasswordRefusal> {
        let (customer, person, has_password) = self.password_owner(session).await?;
        if has_password {
            self.check_current(session, current, &origin).await?;
        }
        let digest = self
            .hash_chosen::<ChangePasswordRefusal>(&new, &person)
            .await?;
        let app = self.clone();
        let now = self.now();
        self.decide(move |tx| -> Result<(), ChangePasswordRefusal> {
            let action = RiskyAction::ChangePassword;
            app.require_fresh::<RiskyRefusal>(tx, session, action, now)?;
            app.put_password(tx, customer, &digest, now)?;
            app.note(tx, customer, AccountEventKind::PasswordChanged, now)?;
            let reason = EndReason::PasswordChanged;
            app.end_sessions(tx, customer, Some(session), reason, now)?;
            Ok(app.tell_change(tx, (customer, &person), Change::Password, None, now)?)
        })
        .await?;
        self.wake_runner();
        Ok(())
    }

    async fn password_owner(
        &self,
        session: SessionId,
    ) -> Result<(CustomerId, Person, bool), ChangePasswordRefusal> {
        let app = self.clone();
        let now = self.now();
        self.decide(move |tx| -> Result<_, ChangePasswordRefusal> {
            let action = RiskyAction::ChangePassword;
            let session = app.require_fresh::<RiskyRefusal>(tx, session, action, now)?;
            let person = tx.active_person(session.customer)?;
            let person = person.ok_or(ChangePasswordRefusal::LoggedOut)?;
            let has_password = tx.credentials(session.customer)?.password.is_some();
            Ok((session.customer, person, has_password))
        })
        .await
    }

    async fn check_current(
        &self,
        session: SessionId,
        current: Option<Typed>,
        origin: &Origin,
    ) -> Result<(), ChangePasswordRefusal> {
        let wrong = ChangePasswordRefusal::Current(ReAuthenticateRefusal::Wrong);
        let Some(typed) = current else {
            return Err(wrong);
        };
        let checked = self
            .check_password_of(session, &typed, origin.network)
            .await;
        match checked {
            Ok(()) => Ok(()),
            Err(ReAuthenticateRefusal::Fault(fault)) => Err(fault.into()),
            Err(refusal) => Err(ChangePasswordRefusal::Current(refusal)),
        }
    }
}

fn apply(person: &mut Person, change: &ProfileChange, now: Timestamp) {
    match change {
        ProfileChange::Name(name) => person.name = name.clone(),
        ProfileChange::Language(locale) => person.locale = *locale,
        ProfileChange::TimeZone(zone) => person.time_zone = zone.clone(),
        ProfileChange::Marketing(Wish::Yes) => person.marketing = Marketing::Given { at: now },
        ProfileChange::Marketing(Wish::No) => person.marketing = Marketing::Withdrawn { at: now },
    }
}
