//! Logging in: by password or one-time code, and the second factor.

use simurgh_subscriber::{
    Contact, Customer, GuardScope, LoginStep, Proof, Purpose, Stage, StepRefusal, UserName,
    parse_phone,
};
use simurgh_vocab::{ChallengeId, CountryCode, CustomerId, Timestamp};

use crate::crypto::password::{self, PasswordFault};
use crate::ports::{AccountEventKind, Credentials, LoginName, StoredPassword, Tx};
use crate::subscriber::code::{CodeOrder, CodeReader};
use crate::subscriber::confirm::with_person;
use crate::subscriber::guard::{Guarded, Locked};
use crate::subscriber::register::is_unconfirmed;
use crate::subscriber::second_factor::FactorRefusal;
use crate::subscriber::{
    CodeRefusal, CodeSent, NewSession, Origin, SendCodeRefusal, StepToken, Typed, refusals,
};
use crate::{App, Fault};

/// A log-in whose first proof was right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogIn {
    /// Done.
    Done(NewSession),
    /// The second factor is missing: [`App::show_second_factor`] with this token.
    SecondFactor(StepToken),
    /// The number was never confirmed: a code is on its way, for [`App::confirm_phone`].
    Unconfirmed(CodeSent),
}

/// Why somebody is not logged in. Precedence as listed; none tells whether there is an account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogInRefusal {
    /// Too many failures: nothing can be tried with a password before then. A code still works.
    #[error("too many failures; it can be tried again at {until}")]
    Locked {
        /// Until when.
        until: Timestamp,
        /// Whose failures.
        scope: GuardScope,
    },
    /// Too many passwords are being checked; a moment later it will go.
    #[error("the program is busy; please try again")]
    Busy,
    /// The name or the password is wrong.
    #[error("the name or the password is wrong")]
    Wrong,
    /// The code is not taken.
    #[error(transparent)]
    Code(#[from] CodeRefusal),
    /// The number is not confirmed, and no code can be sent now.
    #[error(transparent)]
    NoCode(SendCodeRefusal),
    /// The store or the program failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Why the second step of a log-in fails. Precedence as listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecondFactorLogInRefusal {
    /// The first step is not known, used or too old: start over.
    #[error("please log in from the beginning")]
    StartOver,
    /// Too many failures.
    #[error("too many failures; it can be tried again at {until}")]
    Locked {
        /// Until when.
        until: Timestamp,
        /// Whose failures.
        scope: GuardScope,
    },
    /// The code is wrong, or was used before.
    #[error("the code is wrong or was used before")]
    Wrong,
    /// The store or the program failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

refusals!(LogInRefusal, SecondFactorLogInRefusal);

impl From<Locked> for LogInRefusal {
    fn from(Locked { until, scope }: Locked) -> Self {
        Self::Locked { until, scope }
    }
}

impl From<FactorRefusal> for SecondFactorLogInRefusal {
    fn from(refusal: FactorRefusal) -> Self {
        match refusal {
            FactorRefusal::Locked(Locked { until, scope }) => Self::Locked { until, scope },
            FactorRefusal::Wrong => Self::Wrong,
            FactorRefusal::Fault(fault) => Self::Fault(fault),
        }
    }
}

impl From<PasswordFault> for LogInRefusal {
    fn from(fault: PasswordFault) -> Self {
        match fault {
            PasswordFault::Busy => Self::Busy,
            PasswordFault::Unusable => Self::Fault(Fault::Invariant(fault.to_string())),
        }
    }
}

impl From<SendCodeRefusal> for LogInRefusal {
    fn from(refusal: SendCodeRefusal) -> Self {
        match refusal {
            SendCodeRefusal::Fault(fault) => Self::Fault(fault),
            refusal @ SendCodeRefusal::TooOften { .. } => Self::NoCode(refusal),
        }
    }
}

impl From<StepRefusal> for SecondFactorLogInRefusal {
    fn from(_: StepRefusal) -> Self {
        Self::StartOver
    }
}

/// What was typed to say who logs in: a number, a mailbox or a user name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    name: Option<LoginName>,
    /// What failures are counted under, known or not.
    key: String,
}

impl Claim {
    /// Reads what somebody typed; a local number is read as one of `country`.
    #[must_use]
    pub fn typed(text: &str, country: Option<CountryCode>) -> Self {
        let text = text.trim();
        let name = if text.contains('@') {
            text.parse().ok().map(LoginName::Email)
        } else if text.starts_with(|c: char| c.is_ascii_alphabetic()) {
            text.parse::<UserName>().ok().map(LoginName::UserName)
        } else {
            parse_phone(text, country).ok().map(LoginName::Phone)
        };
        let key = match &name {
            Some(name) => format!("{}\n{}", name.kind(), name.as_str()),
            None => format!("other\n{}", text.to_lowercase()),
        };
        Self { name, key }
    }
}

/// What is looked up before a password is checked.
struct Lookup {
    customer: Option<CustomerId>,
    digest: Option<String>,
}

impl App {
    /// Logs in with a password.
    ///
    /// # Errors
    /// [`LogInRefusal`].
    pub async fn log_in_with_password(
        &self,
        claim: Claim,
        typed: Typed,
        origin: Origin,
    ) -> Result<LogIn, LogInRefusal> {
        let guarded = self.guarded(&claim.key, origin.network);
        let now = self.now();
        let lookup = self
            .decide(move |tx| look_up(tx, &claim, &guarded, now))
            .await?;
        let digest = lookup.digest.clone();
        let right = password::matches(typed.reveal().to_owned(), digest).await?;
        let (Some(customer), Some(digest), true) = (lookup.customer, lookup.digest, right) else {
            return Err(LogInRefusal::Wrong);
        };
        let renewed = if password::is_outdated(&digest) {
            let plain = typed.reveal().to_owned();
            Some(password::hash(plain, self.entropy.as_ref()).await?)
        } else {
            None
        };
        let app = self.clone();
        let logged_in = self
            .decide(move |tx| -> Result<LogIn, LogInRefusal> {
                let mut credentials = tx.credentials(customer)?;
                let stored = credentials.password.as_mut();
                let stored = stored.filter(|stored| stored.digest == digest);
                // Changed while it was being checked.
                let stored = stored.ok_or(LogInRefusal::Wrong)?;
                if let Some(renewed) = &renewed {
                    let since = stored.since;
                    let digest = renewed.clone();
                    *stored = StoredPassword { digest, since };
                    tx.put_credentials(&credentials)?;
                }
                if guarded.succeeded(tx)? > 0 {
                    let kind = AccountEventKind::FailuresBeforeLogIn;
                    app.note(tx, customer, kind, now)?;
                }
                app.password_proven(tx, customer, &credentials, &origin, now)
            })
            .await?;
        self.wake_runner();
        Ok(logged_in)
    }

    fn password_proven(
        &self,
        tx: &mut dyn Tx,
        id: CustomerId,
        credentials: &Credentials,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<LogIn, LogInRefusal> {
        let customer = tx.customer(id)?.ok_or(LogInRefusal::Wrong)?;
        match customer.person() {
            Some(person) if is_unconfirmed(&customer) => {
                let order = CodeOrder {
                    purpose: Purpose::ConfirmPhone,
                    to: Contact::Phone(person.phone.clone()),
                    reader: Some(CodeReader {
                        customer: id,
                        locale: person.locale,
                        time_zone: person.time_zone.clone(),
                    }),
                };
                let sent = self.issue_code(tx, order, origin, now)?;
                Ok(LogIn::Unconfirmed(sent))
            }
            Some(_) => Ok(self.proven(tx, credentials, Proof::Password, origin, now)?),
            None => Err(LogInRefusal::Wrong),
        }
    }

    /// Sends a code to log in with, if the number or mailbox has an account; the answer is the
    /// same if it has none.
    ///
    /// # Errors
    /// [`SendCodeRefusal`].
    pub async fn send_log_in_code(
        &self,
        to: Contact,
        origin: Origin,
    ) -> Result<CodeSent, SendCodeRefusal> {
        self.send_code_to_holder(Purpose::LogIn, to, origin).await
    }

    /// Sends a code for `purpose` to whoever an address belongs to, or seems to.
    pub(super) async fn send_code_to_holder(
        &self,
        purpose: Purpose,
        to: Contact,
        origin: Origin,
    ) -> Result<CodeSent, SendCodeRefusal> {
        let app = self.clone();
        let now = self.now();
        let sent = self
            .decide(move |tx| -> Result<CodeSent, SendCodeRefusal> {
                let holder = match tx.customer_named(&LoginName::from(&to))? {
                    Some(id) => tx.customer(id)?,
                    None => None,
                };
                let reader = holder.as_ref().and_then(|holder| {
                    holder.person().map(|person| CodeReader {
                        customer: holder.id,
                        locale: person.locale,
                        time_zone: person.time_zone.clone(),
                    })
                });
                let order = CodeOrder {
                    purpose,
                    to: to.clone(),
                    reader,
                };
                app.issue_code(tx, order, &origin, now)
            })
            .await?;
        self.wake_runner();
        Ok(sent)
    }

    /// Logs in with the code that was sent. An account whose number was never confirmed is
    /// claimed by it: the password and mailbox given at registration, which may be a stranger's,
    /// are forgotten.
    ///
    /// # Errors
    /// [`LogInRefusal`].
    pub async fn log_in_with_code(
        &self,
        challenge: ChallengeId,
        code: String,
        origin: Origin,
    ) -> Result<LogIn, LogInRefusal> {
        let app = self.clone();
        let now = self.now();
        self.decide(move |tx| -> Result<LogIn, LogInRefusal> {
            let answer = (challenge, code.as_str());
            let (challenge, id) = app.take_code::<LogInRefusal>(tx, answer, Purpose::LogIn, now)?;
            let customer = tx.customer(id)?.ok_or(CodeRefusal::Unknown)?;
            let customer = app.claimed(tx, customer, &challenge.to, now)?;
            let Some((id, _)) = with_person(&customer) else {
                return Err(CodeRefusal::Unknown.into());
            };
            let proof = match challenge.to {
                Contact::Phone(_) => Proof::PhoneCode,
                Contact::Email(_) => Proof::EmailCode,
            };
            let credentials = tx.credentials(id)?;
            Ok(app.proven(tx, &credentials, proof, &origin, now)?)
        })
        .await
    }

    /// Hands an account whose number was never confirmed to whoever has answered a code there.
    pub(super) fn claimed(
        &self,
        tx: &mut dyn Tx,
        customer: Customer,
        to: &Contact,
        now: Timestamp,
    ) -> Result<Customer, Fault> {
        let (Contact::Phone(phone), true) = (to, is_unconfirmed(&customer)) else {
            return Ok(customer);
        };
        let id = customer.id;
        let claimed = customer.claim(phone, now);
        let claimed = claimed.map_err(|refusal| Fault::Invariant(refusal.to_string()))?;
        tx.update_customer(&claimed)?;
        let mut credentials = tx.credentials(id)?;
        credentials.password = None;
        tx.put_credentials(&credentials)?;
        self.note(tx, id, AccountEventKind::PhoneConfirmed, now)?;
        Ok(claimed)
    }

    /// The first proof was right: a session begins, or the second factor is asked for.
    fn proven(
        &self,
        tx: &mut dyn Tx,
        credentials: &Credentials,
        proof: Proof,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<LogIn, Fault> {
        let customer = credentials.customer;
        if credentials.second_factor.is_on() {
            let token = self.begin_step(tx, customer, (Stage::SecondFactor, proof), now)?;
            return Ok(LogIn::SecondFactor(token));
        }
        let session = self.start_session(tx, customer, proof, origin, now)?;
        Ok(LogIn::Done(session))
    }

    /// Keeps a half-done log-in and gives back its token.
    pub(super) fn begin_step(
        &self,
        tx: &mut dyn Tx,
        customer: CustomerId,
        (stage, proof): (Stage, Proof),
        now: Timestamp,
    ) -> Result<StepToken, Fault> {
        let token = StepToken::make(self);
        let step = LoginStep {
            id: self.make(ChallengeId::from_parts, now),
            customer,
            stage,
            proof,
            begun_at: now,
            finished_at: None,
        };
        tx.insert_step(&step, &token.digest(self))?;
        Ok(token)
    }

    /// Shows the second factor: a code of the app, or a recovery code.
    ///
    /// # Errors
    /// [`SecondFactorLogInRefusal`].
    pub async fn show_second_factor(
        &self,
        step: StepToken,
        typed: String,
        origin: Origin,
    ) -> Result<NewSession, SecondFactorLogInRefusal> {
        let app = self.clone();
        let now = self.now();
        let session = self
            .decide(move |tx| -> Result<NewSession, SecondFactorLogInRefusal> {
                let stored = tx.step_with(&step.digest(&app))?;
                let stored = stored.ok_or(SecondFactorLogInRefusal::StartOver)?;
                let finished = stored.finish(Stage::SecondFactor, now)?;
                let customer = finished.customer;
                app.take_second_factor(tx, customer, &typed, origin.network, now)?;
                tx.update_step(&finished)?;
                let proof = finished.proof.with_second_factor();
                Ok(app.start_session(tx, customer, proof, &origin, now)?)
            })
            .await?;
        self.wake_runner();
        Ok(session)
    }
}

fn look_up(
    tx: &mut dyn Tx,
    claim: &Claim,
    guarded: &Guarded,
    now: Timestamp,
) -> Result<Lookup, LogInRefusal> {
    if let Err(locked) = guarded.begin(tx, now)? {
        return Err(locked.into());
    }
    let customer = match &claim.name {
        Some(name) => tx.customer_named(name)?,
        None => None,
    };
    let digest = match customer {
        Some(id) => tx.credentials(id)?.password.map(|stored| stored.digest),
        None => None,
    };
    Ok(Lookup { customer, digest })
}
