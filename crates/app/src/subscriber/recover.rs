//! A new password without the old one: a code by either channel, and the second factor if there
//! is one (V6.4.3).

use simurgh_subscriber::{
    Contact, EndReason, GuardScope, Password, PasswordContext, PasswordRefusal, Person, Proof,
    Purpose, Stage, StepRefusal,
};
use simurgh_vocab::{ChallengeId, CustomerId, Timestamp};

use crate::crypto::password::{self, PasswordFault};
use crate::ports::{AccountEventKind, Digest, StoredPassword, Tx};
use crate::subscriber::confirm::with_person;
use crate::subscriber::guard::Locked;
use crate::subscriber::second_factor::FactorRefusal;
use crate::subscriber::tell::Change;
use crate::subscriber::{
    CodeRefusal, CodeSent, NewSession, Origin, SendCodeRefusal, StepToken, Typed, refusals,
};
use crate::{App, Fault};

/// A recovery whose code was right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveryStep {
    /// What the form with the new password carries.
    pub token: StepToken,
    /// Whether that form must ask for the second factor as well.
    pub wants_second_factor: bool,
}

/// Why a password is not recovered. Precedence as listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecoverRefusal {
    /// The code is not taken.
    #[error(transparent)]
    Code(#[from] CodeRefusal),
    /// The first step is not known, used or too old.
    #[error("please start again")]
    StartOver,
    /// The new password cannot be chosen.
    #[error(transparent)]
    Password(#[from] PasswordRefusal),
    /// Too many passwords are being checked; a moment later it will go.
    #[error("the program is busy; please try again")]
    Busy,
    /// Too many wrong second factors.
    #[error("too many failures; it can be tried again at {until}")]
    Locked {
        /// Until when.
        until: Timestamp,
        /// Whose failures.
        scope: GuardScope,
    },
    /// The second factor is missing, wrong or was used before.
    #[error("the second factor is missing, wrong or was used before")]
    SecondFactor,
    /// The store or the program failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

refusals!(RecoverRefusal);

impl From<StepRefusal> for RecoverRefusal {
    fn from(_: StepRefusal) -> Self {
        Self::StartOver
    }
}

impl From<FactorRefusal> for RecoverRefusal {
    fn from(refusal: FactorRefusal) -> Self {
        match refusal {
            FactorRefusal::Locked(Locked { until, scope }) => Self::Locked { until, scope },
            FactorRefusal::Wrong => Self::SecondFactor,
            FactorRefusal::Fault(fault) => Self::Fault(fault),
        }
    }
}

impl From<PasswordFault> for RecoverRefusal {
    fn from(fault: PasswordFault) -> Self {
        match fault {
            PasswordFault::Busy => Self::Busy,
            PasswordFault::Unusable => Self::Fault(Fault::Invariant(fault.to_string())),
        }
    }
}

impl App {
    /// Sends a code to choose a new password with, if the number or mailbox has an account; the
    /// answer is the same if it has none.
    ///
    /// # Errors
    /// [`SendCodeRefusal`].
    pub async fn send_recovery_code(
        &self,
        to: Contact,
        origin: Origin,
    ) -> Result<CodeSent, SendCodeRefusal> {
        let purpose = Purpose::RecoverPassword;
        self.send_code_to_holder(purpose, to, origin).await
    }

    /// Takes the code that was sent.
    ///
    /// # Errors
    /// [`RecoverRefusal::Code`].
    pub async fn answer_recovery_code(
        &self,
        challenge: ChallengeId,
        code: String,
    ) -> Result<RecoveryStep, RecoverRefusal> {
        let app = self.clone();
        let now = self.now();
        self.decide(move |tx| -> Result<RecoveryStep, RecoverRefusal> {
            let answer = (challenge, code.as_str());
            let purpose = Purpose::RecoverPassword;
            let (challenge, id) = app.take_code::<RecoverRefusal>(tx, answer, purpose, now)?;
            let customer = tx.customer(id)?.ok_or(CodeRefusal::Unknown)?;
            let customer = app.claimed(tx, customer, &challenge.to, now)?;
            let Some((id, _)) = with_person(&customer) else {
                return Err(CodeRefusal::Unknown.into());
            };
            let proof = match challenge.to {
                Contact::Phone(_) => Proof::PhoneCode,
                Contact::Email(_) => Proof::EmailCode,
            };
            let token = app.begin_step(tx, id, (Stage::NewPassword, proof), now)?;
            let wants_second_factor = tx.credentials(id)?.second_factor.is_on();
            Ok(RecoveryStep {
                token,
                wants_second_factor,
            })
        })
        .await
    }

    /// Sets the new password and logs in; every other session ends.
    ///
    /// # Errors
    /// [`RecoverRefusal`].
    pub async fn recover_password(
        &self,
        step: StepToken,
        typed: Typed,
        second_factor: Option<String>,
        origin: Origin,
    ) -> Result<NewSession, RecoverRefusal> {
        let token = step.digest(self);
        let now = self.now();
        let person = self
            .decide(move |tx| -> Result<Person, RecoverRefusal> {
                let step = tx.step_with(&token)?.ok_or(RecoverRefusal::StartOver)?;
                let step = step.finish(Stage::NewPassword, now)?;
                let person = tx.active_person(step.customer)?;
                person.ok_or(RecoverRefusal::StartOver)
            })
            .await?;
        let digest = self.hash_chosen::<RecoverRefusal>(&typed, &person).await?;
        let app = self.clone();
        let session = self
            .decide(move |tx| {
                app.recover_in(
                    tx,
                    (&token, &digest),
                    second_factor.as_deref(),
                    &origin,
                    now,
                )
            })
            .await?;
        self.wake_runner();
        Ok(session)
    }

    fn recover_in(
        &self,
        tx: &mut dyn Tx,
        (token, digest): (&Digest, &str),
        second_factor: Option<&str>,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<NewSession, RecoverRefusal> {
        let step = tx.step_with(token)?.ok_or(RecoverRefusal::StartOver)?;
        let step = step.finish(Stage::NewPassword, now)?;
        let customer = step.customer;
        let mut proof = step.proof;
        if tx.credentials(customer)?.second_factor.is_on() {
            let typed = second_factor.ok_or(RecoverRefusal::SecondFactor)?;
            self.take_second_factor(tx, customer, typed, origin.network, now)?;
            proof = proof.with_second_factor();
        }
        tx.update_step(&step)?;
        self.put_password(tx, customer, digest, now)?;
        self.note(tx, customer, AccountEventKind::PasswordRecovered, now)?;
        self.end_sessions(tx, customer, None, EndReason::PasswordChanged, now)?;
        if let Some(person) = tx.active_person(customer)? {
            self.tell_change(tx, (customer, &person), Change::Password, None, now)?;
        }
        Ok(self.start_session(tx, customer, proof, origin, now)?)
    }

    /// The digest of a password that a known person chooses.
    pub(super) async fn hash_chosen<R>(&self, typed: &Typed, person: &Person) -> Result<String, R>
    where
        R: From<PasswordRefusal> + From<PasswordFault>,
    {
        let context = PasswordContext {
            phone: &person.phone,
            email: person.email.as_ref().map(|email| &email.address),
            user_name: person.user_name.as_ref(),
            brand: &self.settings.brand,
        };
        let password = Password::choose(typed.reveal(), &context)?;
        let plain = password.reveal().to_owned();
        Ok(password::hash(plain, self.entropy.as_ref()).await?)
    }

    pub(super) fn put_password(
        &self,
        tx: &mut dyn Tx,
        customer: CustomerId,
        digest: &str,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let mut credentials = tx.credentials(customer)?;
        credentials.password = Some(StoredPassword {
            digest: digest.to_owned(),
            since: now,
        });
        Ok(tx.put_credentials(&credentials)?)
    }
}
