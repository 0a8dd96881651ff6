//! Staff log in with name, password and a code of their authenticator app, all three at once: a
//! refusal never says which was wrong.
//!
//! A try counts as a failure before anything is checked, and is taken back when it was right:
//! tries made at the same time count all, too.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use simurgh_subscriber::{
    Failures, GuardDecision, GuardRule, Network, SecondFactorRefusal, SessionRules, may_try,
};
use simurgh_vocab::{Duration, StaffId, Timestamp};

use super::authenticator::matched_step;
use super::log::Deed;
use super::staff::parse_name;
use crate::crypto::Purpose;
use crate::crypto::password::{self, PasswordFault};
use crate::ports::{
    Digest, StaffAccount, StaffAction, StaffSession, StaffSubject, StoreExt, StoreFault, Tx,
};
use crate::{App, Fault};

/// How long sessions of staff last: 30 minutes unused, 8 hours in all, one working day.
const RULES: SessionRules = SessionRules {
    absolute: Duration::hours(8),
    ..SessionRules::STAFF
};

/// The octets of a session's token.
const TOKEN_LEN: usize = 32;

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
    pub network: Option<Network>,
    /// The token this browser had before, which ends (V7.2.4).
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

/// Under what the failures of one try are counted.
#[derive(Debug, Clone, Copy)]
struct GuardKeys {
    name: Digest,
    network: Option<Digest>,
}

impl App {
    /// Logs a member of staff in.
    ///
    /// # Errors
    /// [`StaffLogInRefusal`].
    pub async fn log_in_staff(&self, attempt: StaffLogIn) -> Result<StaffToken, StaffLogInRefusal> {
        let now = self.now();
        let keys = self.guard_keys(&attempt);
        let account = self.begin_log_in(&attempt.name, keys, now).await?;
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
        let token = self.new_token();
        let digest = self.token_digest(&token);
        let replaced = attempt.replaces.map(|token| self.token_digest(&token));
        let app = self.clone();
        let admitted = self
            .store
            .transact(move |tx| {
                if let Some(replaced) = &replaced {
                    tx.end_staff_session(replaced, now)?;
                }
                let Some(staff) = take_code(tx, id.zip(step))? else {
                    app.log_refused(tx, id, now)?;
                    return Ok(false);
                };
                forgive(tx, keys)?;
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
            form_token: self.form_token(token.reveal()),
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

    /// The token that a form of staff must bring back, for what the browser's cookie holds. Before
    /// a log-in that is a random text, afterwards the session's token.
    #[must_use]
    pub fn form_token(&self, cookie: &str) -> String {
        let bound = ["staff", cookie].join(":");
        URL_SAFE_NO_PAD.encode(self.keyring.digest(Purpose::Csrf, bound.as_bytes()))
    }

    /// Whether a form brought the token that belongs to the cookie; in constant time.
    #[must_use]
    pub fn form_token_matches(&self, cookie: &str, brought: &str) -> bool {
        let bound = ["staff", cookie].join(":");
        URL_SAFE_NO_PAD.decode(brought).is_ok_and(|digest| {
            self.keyring
                .digest_matches(Purpose::Csrf, bound.as_bytes(), &digest)
        })
    }

    /// A random text for a cookie.
    #[must_use]
    pub fn random_text(&self) -> String {
        let mut random = [0; TOKEN_LEN];
        self.entropy.fill(&mut random);
        URL_SAFE_NO_PAD.encode(random)
    }

    /// Counts the try and finds the account, if it is open.
    async fn begin_log_in(
        &self,
        name: &str,
        keys: GuardKeys,
        now: Timestamp,
    ) -> Result<Option<StaffAccount>, StaffLogInRefusal> {
        let name = parse_name(name).ok();
        self.store
            .transact(move |tx| {
                let of_name = tx.failures(&keys.name)?;
                let of_network = match &keys.network {
                    Some(key) => tx.failures(key)?,
                    None => None,
                };
                if let GuardDecision::LockedUntil { at, .. } = may_try(of_name, of_network, now) {
                    return Err(StaffLogInRefusal::Locked { until: at });
                }
                let counted = Failures::after_another(of_name, &GuardRule::ACCOUNT, now);
                tx.put_failures(&keys.name, Some(counted))?;
                if let Some(key) = &keys.network {
                    let counted = Failures::after_another(of_network, &GuardRule::NETWORK, now);
                    tx.put_failures(key, Some(counted))?;
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

    fn guard_keys(&self, attempt: &StaffLogIn) -> GuardKeys {
        let digest = |kind: &str, text: &str| {
            let bound = ["staff", kind, text].join(":");
            self.keyring.digest(Purpose::GuardDigest, bound.as_bytes())
        };
        let name = attempt.name.trim().to_ascii_lowercase();
        GuardKeys {
            name: digest("name", &name),
            network: attempt
                .network
                .map(|network| digest("network", &network.to_string())),
        }
    }

    fn new_token(&self) -> StaffToken {
        StaffToken(self.random_text())
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

/// Takes back the failures that a right try was counted as: all for the name, one for the network.
fn forgive(tx: &mut dyn Tx, keys: GuardKeys) -> Result<(), StoreFault> {
    tx.put_failures(&keys.name, None)?;
    let Some(key) = &keys.network else {
        return Ok(());
    };
    let left = tx.failures(key)?.and_then(|failures| {
        let count = failures.count.checked_sub(1).filter(|count| *count > 0)?;
        Some(Failures { count, ..failures })
    });
    tx.put_failures(key, left)
}
