//! Staff log in with name, password and a code of their authenticator app, all three at once: a
//! refusal never says which was wrong.
//!
//! A try counts as a failure before anything is checked, and is taken back when it was right:
//! tries made at the same time count all, too.

use std::fmt;

use simurgh_subscriber::{Network, SecondFactorRefusal, SessionRules};
use simurgh_vocab::{Duration, StaffId, Timestamp};

use super::authenticator::matched_step;
use super::log::Deed;
use super::staff::parse_name;
use crate::crypto::Purpose;
use crate::crypto::password::{self, PasswordFault};
use crate::ports::{
    Digest, StaffAccount, StaffAction, StaffSession, StaffSubject, StoreExt, StoreFault, Tx,
};
use crate::subscriber::guard::Guarded;
use crate::{App, Fault};

/// How long sessions of staff last: 30 minutes unused, 8 hours in all, one working day.
const RULES: SessionRules = SessionRules {
    absolute: Duration::hours(8),
    ..SessionRules::STAFF
};

/// How long a log-in counts as proof before something risky, as long as for customers (V7.5.1).
const PROOF_LASTS: Duration = Duration::minutes(10);

/// Somebody wants to log in.
#[derive(Clone)]
pub struct StaffLogIn {
    /// The name.
    pub name: String,
    /// The password.
    pub password: String,
    /// The code of the authenticator app.
    pub code: String,
    /// Where it comes from.
    pub network: Network,
    /// The token this browser had before, which ends once the log-in is right (V7.2.4).
    pub replaces: Option<StaffToken>,
}

impl fmt::Debug for StaffLogIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StaffLogIn(hidden)")
    }
}

/// What a session of staff is known by; whoever has it is that member of staff.
#[derive(Clone, PartialEq, Eq)]
pub struct StaffToken(String);

impl StaffToken {
    /// Takes a token as a browser sent it.
    #[must_use]
    pub fn presented(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The token for the cookie.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for StaffToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StaffToken(hidden)")
    }
}

/// A member of staff with an open session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnDuty {
    /// Who.
    pub staff: StaffId,
    /// Their name.
    pub name: String,
    /// The token that forms of this session carry.
    pub form_token: String,
    /// Whether they proved who they are so lately that they may do something risky.
    pub proved_lately: bool,
}

/// Why a member of staff is not let in. Checked in this order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StaffLogInRefusal {
    /// Too many tries for this name or from this network.
    #[error("too many tries")]
    Locked {
        /// Until when nothing is tried.
        until: Timestamp,
    },
    /// Too many passwords are being checked.
    #[error("too many passwords are being checked")]
    Busy,
    /// Name, password or code is wrong, or the code was used before.
    #[error("name, password or code is wrong")]
    Wrong,
    /// The store or the program failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<StoreFault> for StaffLogInRefusal {
    fn from(fault: StoreFault) -> Self {
        Self::Fault(fault.into())
    }
}

impl App {
    /// Logs a member of staff in.
    ///
    /// # Errors
    /// [`StaffLogInRefusal`].
    pub async fn log_in_staff(&self, attempt: StaffLogIn) -> Result<StaffToken, StaffLogInRefusal> {
        let now = self.now();
        let name = attempt.name.trim().to_ascii_lowercase();
        let guarded = self.guarded(&format!("staff\n{name}"), attempt.network);
        let account = self.begin_log_in(name, guarded, now).await?;
        let digest = account.as_ref().map(|found| found.password_digest.clone());
        let right =
            password::matches(attempt.password, digest)
                .await
                .map_err(|fault| match fault {
                    PasswordFault::Busy => StaffLogInRefusal::Busy,
                    PasswordFault::Unusable => Fault::Invariant(fault.to_string()).into(),
                })?;
        let id = account.as_ref().map(|found| found.id);
        let step = match &account {
            Some(account) if right => self.step_of(account, &attempt.code, now)?,
            Some(_) | None => None,
        };
        let token = StaffToken(self.visitor_cookie());
        let digest = self.token_digest(&token);
        let replaced = attempt.replaces.map(|token| self.token_digest(&token));
        let app = self.clone();
        let admitted = self
            .store
            .transact(move |tx| {
                let Some(staff) = take_code(tx, id.zip(step))? else {
                    app.log_refused(tx, id, now)?;
                    return Ok(false);
                };
                guarded.succeeded(tx)?;
                if let Some(replaced) = &replaced {
                    tx.end_staff_session(replaced, now)?;
                }
                app.begin_session(tx, staff, &digest, now)?;
                Ok::<_, Fault>(true)
            })
            .await?;
        if admitted {
            Ok(token)
        } else {
            metrics::counter!("simurgh_staff_log_ins_refused_total").increment(1);
            Err(StaffLogInRefusal::Wrong)
        }
    }

    /// Who holds a session, if it is open; says so in the store now and then.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn staff_on_duty(&self, token: &StaffToken) -> Result<Option<OnDuty>, Fault> {
        let now = self.now();
        let digest = self.token_digest(token);
        let found = self
            .store
            .snapshot(move |tx| -> Result<_, Fault> {
                let session = tx.staff_session(&digest)?;
                let Some(session) = session.filter(|session| is_open(session, now)) else {
                    return Ok(None);
                };
                let account = tx.staff(session.staff)?;
                let account = account.filter(|account| account.closed_at.is_none());
                Ok(account.map(|account| (session, account.name)))
            })
            .await?;
        let Some((session, name)) = found else {
            return Ok(None);
        };
        if now.since(session.seen_at) >= RULES.touch_every {
            self.store
                .transact(move |tx| -> Result<(), Fault> {
                    Ok(tx.touch_staff_session(&digest, now)?)
                })
                .await?;
        }
        Ok(Some(OnDuty {
            staff: session.staff,
            name,
            form_token: self.csrf_token(token.reveal()),
            proved_lately: now.since(session.begun_at) < PROOF_LASTS,
        }))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn log_out_staff(&self, token: &StaffToken) -> Result<(), Fault> {
        let app = self.clone();
        let now = self.now();
        let digest = self.token_digest(token);
        self.store
            .transact(move |tx| {
                let session = tx.staff_session(&digest)?;
                let Some(session) = session.filter(|session| is_open(session, now)) else {
                    return Ok(());
                };
                tx.end_staff_session(&digest, now)?;
                let subject = StaffSubject::Nothing;
                let deed = Deed::of(session.staff, StaffAction::LoggedOut, subject);
                Ok(app.log_deed(tx, deed, now)?)
            })
            .await
    }

    /// Counts the try and finds the account, if it is open.
    async fn begin_log_in(
        &self,
        name: String,
        guarded: Guarded,
        now: Timestamp,
    ) -> Result<Option<StaffAccount>, StaffLogInRefusal> {
        let name = parse_name(&name).ok();
        self.store
            .transact(move |tx| {
                if let Err(locked) = guarded.begin(tx, now)? {
                    return Err(StaffLogInRefusal::Locked {
                        until: locked.until,
                    });
                }
                let account = match &name {
                    Some(name) => tx.staff_named(name)?,
                    None => None,
                };
                Ok(account.filter(|account| account.closed_at.is_none()))
            })
            .await
    }

    fn begin_session(
        &self,
        tx: &mut dyn Tx,
        staff: StaffId,
        token: &Digest,
        now: Timestamp,
    ) -> Result<(), StoreFault> {
        let session = StaffSession {
            staff,
            begun_at: now,
            seen_at: now,
            ended_at: None,
        };
        tx.insert_staff_session(&session, token)?;
        let deed = Deed::of(staff, StaffAction::LoggedIn, StaffSubject::Nothing);
        self.log_deed(tx, deed, now)
    }

    fn step_of(
        &self,
        account: &StaffAccount,
        code: &str,
        now: Timestamp,
    ) -> Result<Option<u64>, Fault> {
        let sealed = account.second_factor.sealed_secret().unwrap_or_default();
        let secret = self
            .keyring
            .open(Purpose::TotpSecret, account.id.as_bytes(), sealed)
            .map_err(|error| Fault::Invariant(format!("staff {}: {error}", account.id)))?;
        Ok(matched_step(&secret, code, now))
    }

    fn log_refused(
        &self,
        tx: &mut dyn Tx,
        account: Option<StaffId>,
        now: Timestamp,
    ) -> Result<(), StoreFault> {
        let deed = Deed {
            staff: None,
            action: StaffAction::LogInRefused,
            subject: account.map_or(StaffSubject::Nothing, StaffSubject::Staff),
            detail: String::new(),
        };
        self.log_deed(tx, deed, now)
    }

    /// Of another kind than the digests of customers' tokens, whatever the token.
    fn token_digest(&self, token: &StaffToken) -> Digest {
        let bound = ["staff", token.reveal()].join(":");
        self.keyring
            .digest(Purpose::SessionDigest, bound.as_bytes())
    }
}

fn is_open(session: &StaffSession, now: Timestamp) -> bool {
    session.ended_at.is_none()
        && now.since(session.begun_at) < RULES.absolute
        && now.since(session.seen_at) < RULES.inactivity
}

/// Takes the code of the matched step, unless it was used before or the account was closed
/// meanwhile. None if the log-in is refused.
fn take_code(
    tx: &mut dyn Tx,
    matched: Option<(StaffId, u64)>,
) -> Result<Option<StaffId>, StoreFault> {
    let Some((id, step)) = matched else {
        return Ok(None);
    };
    let account = tx.staff(id)?;
    let Some(mut account) = account.filter(|account| account.closed_at.is_none()) else {
        return Ok(None);
    };
    match account.second_factor.take_code(Some(step)) {
        Ok(taken) => {
            account.second_factor = taken;
            tx.update_staff(&account)?;
            Ok(Some(id))
        }
        Err(
            SecondFactorRefusal::Replayed
            | SecondFactorRefusal::Wrong
            | SecondFactorRefusal::NotOn
            | SecondFactorRefusal::AlreadyOn,
        ) => Ok(None),
    }
}
