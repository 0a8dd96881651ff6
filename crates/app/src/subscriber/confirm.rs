//! Confirming the number of a new account, and the mailbox on an account.

use simurgh_subscriber::{Contact, Customer, Person, Proof, Purpose};
use simurgh_vocab::{ChallengeId, CustomerId, EmailAddress, Timestamp};

use crate::ports::{AccountEventKind, LoginName, Tx};
use crate::subscriber::code::{CodeOrder, CodeReader};
use crate::subscriber::{CodeRefusal, CodeSent, NewSession, Origin, SendCodeRefusal, refusals};
use crate::{App, Fault};

/// A confirmed account, logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmed {
    /// The session that begins.
    pub session: NewSession,
    /// The code sent to the mailbox that was given, if one was given.
    pub email: Option<CodeSent>,
}

/// Why a number is not confirmed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfirmPhoneRefusal {
    /// The code is not taken.
    #[error(transparent)]
    Code(#[from] CodeRefusal),
    /// The store or the program failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Why a mailbox is not confirmed. Precedence as listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfirmEmailRefusal {
    /// The code is not taken.
    #[error(transparent)]
    Code(#[from] CodeRefusal),
    /// The mailbox on the account is another one meanwhile.
    #[error("the address on the account is another one")]
    OtherAddress,
    /// The mailbox is on another account.
    #[error("the address belongs to another account")]
    Taken,
    /// The store or the program failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

refusals!(ConfirmPhoneRefusal, ConfirmEmailRefusal);

impl App {
    /// Takes the code of a registration: the account is in use, and its owner logged in.
    ///
    /// # Errors
    /// [`ConfirmPhoneRefusal`].
    pub async fn confirm_phone(
        &self,
        challenge: ChallengeId,
        code: String,
        origin: Origin,
    ) -> Result<Confirmed, ConfirmPhoneRefusal> {
        let app = self.clone();
        let now = self.now();
        let confirmed = self
            .decide(move |tx| app.confirm_phone_in(tx, (challenge, &code), &origin, now))
            .await?;
        self.wake_runner();
        Ok(confirmed)
    }

    fn confirm_phone_in(
        &self,
        tx: &mut dyn Tx,
        answer: (ChallengeId, &str),
        origin: &Origin,
        now: Timestamp,
    ) -> Result<Confirmed, ConfirmPhoneRefusal> {
        let (challenge, id) =
            self.take_code::<ConfirmPhoneRefusal>(tx, answer, Purpose::ConfirmPhone, now)?;
        let (Contact::Phone(phone), Some(customer)) = (&challenge.to, tx.customer(id)?) else {
            return Err(CodeRefusal::Unknown.into());
        };
        let confirmed = customer.confirm_phone(phone, now);
        let customer = confirmed.map_err(|_| CodeRefusal::Unknown)?;
        tx.update_customer(&customer)?;
        self.note(tx, id, AccountEventKind::PhoneConfirmed, now)?;
        let email = self.ask_email(tx, &customer, origin, now)?;
        let session = self.start_session(tx, id, Proof::PhoneCode, origin, now)?;
        Ok(Confirmed { session, email })
    }

    /// Sends a code to the mailbox that was given at registration. Too many codes are no reason
    /// to stop here: another can be asked for later.
    fn ask_email(
        &self,
        tx: &mut dyn Tx,
        customer: &Customer,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<Option<CodeSent>, Fault> {
        let Some(person) = customer.active() else {
            return Ok(None);
        };
        let Some(address) = unconfirmed_email(person) else {
            return Ok(None);
        };
        match self.issue_email_code(tx, (customer.id, person), address, origin, now) {
            Ok(sent) => Ok(Some(sent)),
            Err(SendCodeRefusal::TooOften { .. }) => Ok(None),
            Err(SendCodeRefusal::Fault(fault)) => Err(fault),
        }
    }

    /// Sends another code to the mailbox on the account. Nothing when it is confirmed, or there
    /// is none.
    ///
    /// # Errors
    /// [`SendCodeRefusal`].
    pub async fn send_email_code(
        &self,
        customer: CustomerId,
        origin: Origin,
    ) -> Result<Option<CodeSent>, SendCodeRefusal> {
        let app = self.clone();
        let now = self.now();
        let sent = self
            .decide(move |tx| -> Result<_, SendCodeRefusal> {
                let customer = tx.customer(customer)?;
                let Some((id, person)) = customer.as_ref().and_then(with_person) else {
                    return Ok(None);
                };
                let Some(address) = unconfirmed_email(person) else {
                    return Ok(None);
                };
                app.issue_email_code(tx, (id, person), address, &origin, now)
                    .map(Some)
            })
            .await?;
        self.wake_runner();
        Ok(sent)
    }

    /// Takes the code that was sent to the mailbox on the account.
    ///
    /// # Errors
    /// [`ConfirmEmailRefusal`].
    pub async fn confirm_email(
        &self,
        customer: CustomerId,
        challenge: ChallengeId,
        code: String,
    ) -> Result<(), ConfirmEmailRefusal> {
        let app = self.clone();
        let now = self.now();
        self.decide(move |tx| -> Result<(), ConfirmEmailRefusal> {
            let answer = (challenge, code.as_str());
            let (challenge, id) =
                app.take_code::<ConfirmEmailRefusal>(tx, answer, Purpose::ConfirmEmail, now)?;
            let (Contact::Email(address), true) = (challenge.to, id == customer) else {
                return Err(CodeRefusal::Unknown.into());
            };
            let stored = tx.customer(id)?.ok_or(CodeRefusal::Unknown)?;
            let confirmed = stored.confirm_email(&address, now);
            let confirmed = confirmed.map_err(|_| ConfirmEmailRefusal::OtherAddress)?;
            let holder = tx.customer_named(&LoginName::Email(address))?;
            if holder.is_some_and(|holder| holder != id) {
                return Err(ConfirmEmailRefusal::Taken);
            }
            tx.update_customer(&confirmed)?;
            app.note(tx, id, AccountEventKind::EmailConfirmed, now)?;
            Ok(())
        })
        .await
    }

    /// Sends a code to a mailbox to be confirmed. Whoever reads a mailbox that has an account
    /// already is told so instead, and the answer is the same.
    fn issue_email_code(
        &self,
        tx: &mut dyn Tx,
        (customer, person): (CustomerId, &Person),
        address: EmailAddress,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<CodeSent, SendCodeRefusal> {
        let holder = match tx.customer_named(&LoginName::Email(address.clone()))? {
            Some(holder) => tx.customer(holder)?,
            None => None,
        };
        let reader = holder.is_none().then(|| CodeReader {
            customer,
            locale: person.locale,
            time_zone: person.time_zone.clone(),
        });
        let to = Contact::Email(address);
        let order = CodeOrder {
            purpose: Purpose::ConfirmEmail,
            to: to.clone(),
            reader,
        };
        let sent = self.issue_code(tx, order, origin, now)?;
        if let Some(holder) = holder.as_ref().and_then(with_person) {
            self.tell_account_exists(tx, holder, &to, now)?;
        }
        Ok(sent)
    }
}

/// The person of an account in use, with its id.
pub(super) fn with_person(customer: &Customer) -> Option<(CustomerId, &Person)> {
    customer.active().map(|person| (customer.id, person))
}

fn unconfirmed_email(person: &Person) -> Option<EmailAddress> {
    let email = person.email.as_ref()?;
    match email.confirmed_at {
        None => Some(email.address.clone()),
        Some(_) => None,
    }
}
