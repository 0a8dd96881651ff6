//! Proving again who one is, before something risky (V7.5.1).

use simurgh_subscriber::{Channel, Contact, GuardScope, Network, Purpose, Session};
use simurgh_vocab::{ChallengeId, CustomerId, SessionId, Timestamp};

use crate::crypto::password::{self, PasswordFault};
use crate::ports::{StoreExt, Tx};
use crate::subscriber::code::{CodeOrder, CodeReader};
use crate::subscriber::guard::{Guarded, Locked};
use crate::subscriber::second_factor::FactorRefusal;
use crate::subscriber::{CodeRefusal, CodeSent, Origin, SendCodeRefusal, Typed, refusals};
use crate::{App, Fault};

/// How somebody proves again who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reproof {
    /// By the password.
    Password(Typed),
    /// By a one-time code.
    Code {
        /// The challenge.
        challenge: ChallengeId,
        /// What was typed.
        code: String,
    },
    /// By a code of the app, or a recovery code.
    SecondFactor(String),
}

/// The ways that are open to a customer. Whoever has a second factor must show that one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProofWays {
    /// By the password.
    pub password: bool,
    /// By a code to the phone.
    pub phone_code: bool,
    /// By a code to the mailbox.
    pub email_code: bool,
    /// By the second factor.
    pub second_factor: bool,
}

/// Why the proof is not taken. Precedence as listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReAuthenticateRefusal {
    /// The session is over.
    #[error("please log in")]
    LoggedOut,
    /// This way is not open: see [`ProofWays`].
    #[error("this way to confirm is not open")]
    OtherWay,
    /// Too many failures.
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
    /// The password or the second factor is wrong.
    #[error("this is not right")]
    Wrong,
    /// The code is not taken.
    #[error(transparent)]
    Code(#[from] CodeRefusal),
    /// The store or the program failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

refusals!(ReAuthenticateRefusal);

impl From<Locked> for ReAuthenticateRefusal {
    fn from(Locked { until, scope }: Locked) -> Self {
        Self::Locked { until, scope }
    }
}

impl From<FactorRefusal> for ReAuthenticateRefusal {
    fn from(refusal: FactorRefusal) -> Self {
        match refusal {
            FactorRefusal::Locked(locked) => locked.into(),
            FactorRefusal::Wrong => Self::Wrong,
            FactorRefusal::Fault(fault) => Self::Fault(fault),
        }
    }
}

impl From<PasswordFault> for ReAuthenticateRefusal {
    fn from(fault: PasswordFault) -> Self {
        match fault {
            PasswordFault::Busy => Self::Busy,
            PasswordFault::Unusable => Self::Fault(Fault::Invariant(fault.to_string())),
        }
    }
}

impl App {
    /// The ways in which a customer can prove again who they are.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn proof_ways(&self, customer: CustomerId) -> Result<ProofWays, Fault> {
        self.store.snapshot(move |tx| ways(tx, customer)).await
    }

    /// Sends a code to a signed-in customer's own number or mailbox. Nothing if the channel has
    /// no confirmed address.
    ///
    /// # Errors
    /// [`SendCodeRefusal`].
    pub async fn send_proof_code(
        &self,
        customer: CustomerId,
        channel: Channel,
        origin: Origin,
    ) -> Result<Option<CodeSent>, SendCodeRefusal> {
        let app = self.clone();
        let now = self.now();
        let sent = self
            .decide(move |tx| -> Result<_, SendCodeRefusal> {
                let Some(person) = tx.active_person(customer)? else {
                    return Ok(None);
                };
                let to = match channel {
                    Channel::Sms => Some(Contact::Phone(person.phone.clone())),
                    Channel::Email => person.confirmed_email().cloned().map(Contact::Email),
                };
                let Some(to) = to else {
                    return Ok(None);
                };
                let reader = Some(CodeReader {
                    customer,
                    locale: person.locale,
                    time_zone: person.time_zone,
                });
                let purpose = Purpose::ReAuthenticate;
                let order = CodeOrder {
                    purpose,
                    to,
                    reader,
                };
                app.issue_code(tx, order, &origin, now).map(Some)
            })
            .await?;
        self.wake_runner();
        Ok(sent)
    }

    /// Takes a fresh proof: for ten minutes the session may do risky things.
    ///
    /// # Errors
    /// [`ReAuthenticateRefusal`].
    pub async fn re_authenticate(
        &self,
        session: SessionId,
        proof: Reproof,
        origin: Origin,
    ) -> Result<(), ReAuthenticateRefusal> {
        let checked = match &proof {
            Reproof::Password(typed) => {
                self.check_password_of(session, typed, origin.network)
                    .await?;
                Checked::Password
            }
            Reproof::Code { challenge, code } => Checked::Code(*challenge, code.clone()),
            Reproof::SecondFactor(typed) => Checked::Factor(typed.clone()),
        };
        let app = self.clone();
        let now = self.now();
        self.decide(move |tx| -> Result<(), ReAuthenticateRefusal> {
            let mut session = app.usable(tx, session, now)?;
            let customer = session.customer;
            let open = ways(tx, customer)?;
            match &checked {
                Checked::Password => {
                    if !open.password {
                        return Err(ReAuthenticateRefusal::OtherWay);
                    }
                }
                Checked::Code(challenge, code) => {
                    if open.second_factor {
                        return Err(ReAuthenticateRefusal::OtherWay);
                    }
                    let answer = (*challenge, code.as_str());
                    let purpose = Purpose::ReAuthenticate;
                    let (_, whose) =
                        app.take_code::<ReAuthenticateRefusal>(tx, answer, purpose, now)?;
                    if whose != customer {
                        return Err(CodeRefusal::Unknown.into());
                    }
                }
                Checked::Factor(typed) => {
                    if !open.second_factor {
                        return Err(ReAuthenticateRefusal::OtherWay);
                    }
                    app.take_second_factor(tx, customer, typed, origin.network, now)?;
                    session.proof = session.proof.with_second_factor();
                }
            }
            session.proved_at = now;
            session.seen_at = now;
            Ok(tx.update_session(&session)?)
        })
        .await
    }

    /// Checks the password of whoever holds a session; failures are counted for the customer.
    pub(super) async fn check_password_of(
        &self,
        session: SessionId,
        typed: &Typed,
        network: Network,
    ) -> Result<(), ReAuthenticateRefusal> {
        let app = self.clone();
        let now = self.now();
        let (customer, digest) = self
            .decide(move |tx| -> Result<_, ReAuthenticateRefusal> {
                let customer = app.usable(tx, session, now)?.customer;
                app.own_password(customer, network).begin(tx, now)??;
                Ok((customer, tx.credentials(customer)?.password))
            })
            .await?;
        let digest = digest.map(|stored| stored.digest);
        if !password::matches(typed.reveal().to_owned(), digest).await? {
            return Err(ReAuthenticateRefusal::Wrong);
        }
        let guarded = self.own_password(customer, network);
        self.decide(move |tx| -> Result<(), ReAuthenticateRefusal> {
            guarded.succeeded(tx)?;
            Ok(())
        })
        .await
    }

    fn own_password(&self, customer: CustomerId, network: Network) -> Guarded {
        self.guarded(&format!("own-password\n{customer}"), network)
    }

    /// The session, if it can be used.
    fn usable(
        &self,
        tx: &mut dyn Tx,
        session: SessionId,
        now: Timestamp,
    ) -> Result<Session, ReAuthenticateRefusal> {
        let stored = tx.session(session)?;
        let rules = &self.rules().sessions;
        stored
            .filter(|session| session.open(rules, now).is_ok())
            .ok_or(ReAuthenticateRefusal::LoggedOut)
    }
}

/// A proof on its way into the transaction.
enum Checked {
    /// The right one, checked before it.
    Password,
    Code(ChallengeId, String),
    Factor(String),
}

fn ways(tx: &mut dyn Tx, customer: CustomerId) -> Result<ProofWays, Fault> {
    let credentials = tx.credentials(customer)?;
    let person = tx.active_person(customer)?;
    let second_factor = credentials.second_factor.is_on();
    let email = person.as_ref().and_then(|person| person.confirmed_email());
    Ok(ProofWays {
        password: credentials.password.is_some() && !second_factor,
        phone_code: person.is_some() && !second_factor,
        email_code: email.is_some() && !second_factor,
        second_factor,
    })
}
