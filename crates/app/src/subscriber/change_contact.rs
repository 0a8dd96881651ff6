//! Changing the number or the mailbox: the new one is confirmed, the old one is told.

use simurgh_subscriber::{Contact, ContactChangeRefusal, EndReason, RiskyAction};
use simurgh_vocab::{ChallengeId, CustomerId, SessionId, Timestamp};

use crate::ports::{AccountEventKind, LoginName, Tx};
use crate::subscriber::code::{CodeOrder, CodeReader};
use crate::subscriber::register::is_unconfirmed;
use crate::subscriber::tell::Change;
use crate::subscriber::{
    CodeRefusal, CodeSent, Origin, RiskyRefusal, SendCodeRefusal, refusals, risky,
};
use crate::{App, Fault};

/// Why no code is sent to a new address. Precedence as listed. Whether somebody else has it is
/// not among the reasons: only whoever reads its messages finds that out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestContactRefusal {
    /// The session is over.
    #[error("please log in")]
    LoggedOut,
    /// Its holder must prove again who they are.
    #[error("please confirm that it is you")]
    NotFresh,
    /// It cannot be changed to this.
    #[error(transparent)]
    Contact(#[from] ContactChangeRefusal),
    /// No code is sent.
    #[error(transparent)]
    Code(SendCodeRefusal),
    /// The store or the program failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Why an address is not changed. Precedence as listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfirmContactRefusal {
    /// The session is over.
    #[error("please log in")]
    LoggedOut,
    /// Its holder must prove again who they are.
    #[error("please confirm that it is you")]
    NotFresh,
    /// The code is not taken.
    #[error(transparent)]
    Code(#[from] CodeRefusal),
    /// It belongs to another account.
    #[error("this belongs to another account")]
    Taken,
    /// The store or the program failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

refusals!(RequestContactRefusal, ConfirmContactRefusal);
risky!(RequestContactRefusal, ConfirmContactRefusal);

impl From<SendCodeRefusal> for RequestContactRefusal {
    fn from(refusal: SendCodeRefusal) -> Self {
        match refusal {
            SendCodeRefusal::Fault(fault) => Self::Fault(fault),
            refusal @ SendCodeRefusal::TooOften { .. } => Self::Code(refusal),
        }
    }
}

impl App {
    /// Sends a code to the new number or mailbox.
    ///
    /// # Errors
    /// [`RequestContactRefusal`].
    pub async fn request_contact_change(
        &self,
        session: SessionId,
        to: Contact,
        origin: Origin,
    ) -> Result<CodeSent, RequestContactRefusal> {
        let app = self.clone();
        let now = self.now();
        let sent = self
            .decide(move |tx| -> Result<CodeSent, RequestContactRefusal> {
                let session = app.require_fresh::<RiskyRefusal>(tx, session, action(&to), now)?;
                let customer = tx.customer(session.customer)?;
                let customer = customer.ok_or(ContactChangeRefusal::NotActive)?;
                customer.may_change_to(&to)?;
                let person = customer.active().ok_or(ContactChangeRefusal::NotActive)?;
                let order = CodeOrder {
                    purpose: to.change_purpose(),
                    to: to.clone(),
                    reader: Some(CodeReader {
                        customer: customer.id,
                        locale: person.locale,
                        time_zone: person.time_zone.clone(),
                    }),
                };
                Ok(app.issue_code(tx, order, &origin, now)?)
            })
            .await?;
        self.wake_runner();
        Ok(sent)
    }

    /// Takes the code that was sent there: the address is the account's from now on, whoever reads
    /// the old one is told, and every other session ends if there was an old one: whoever entered
    /// by it must come in anew (V7.4.3).
    ///
    /// # Errors
    /// [`ConfirmContactRefusal`].
    pub async fn confirm_contact_change(
        &self,
        session: SessionId,
        challenge: ChallengeId,
        code: String,
    ) -> Result<Contact, ConfirmContactRefusal> {
        let app = self.clone();
        let now = self.now();
        let contact = self
            .decide(move |tx| app.change_contact(tx, session, (challenge, &code), now))
            .await?;
        self.wake_runner();
        Ok(contact)
    }

    fn change_contact(
        &self,
        tx: &mut dyn Tx,
        session: SessionId,
        (challenge, code): (ChallengeId, &str),
        now: Timestamp,
    ) -> Result<Contact, ConfirmContactRefusal> {
        let asked = tx.challenge(challenge)?.ok_or(CodeRefusal::Unknown)?;
        let contact = asked.to;
        let own = session;
        let session = self.require_fresh::<RiskyRefusal>(tx, own, action(&contact), now)?;
        let answer = (challenge, code);
        let purpose = contact.change_purpose();
        let (_, id) = self.take_code::<ConfirmContactRefusal>(tx, answer, purpose, now)?;
        let customer = tx.customer(id)?.filter(|_| id == session.customer);
        let mut customer = customer.ok_or(CodeRefusal::Unknown)?;
        self.free_name(tx, id, &contact, now)?;
        let person = customer.active_mut().ok_or(CodeRefusal::Unknown)?;
        let before = person.clone();
        let old = person.put_contact(contact.clone(), now);
        tx.update_customer(&customer)?;
        let (kind, change) = match contact {
            Contact::Phone(_) => (AccountEventKind::PhoneChanged, Change::Phone),
            Contact::Email(_) => (AccountEventKind::EmailChanged, Change::Email),
        };
        self.note(tx, id, kind, now)?;
        if old.is_some() {
            self.end_sessions(tx, id, Some(own), EndReason::ContactChanged, now)?;
        }
        // A first mailbox has no old one to tell: the phone is told instead.
        let old = old.unwrap_or_else(|| Contact::Phone(before.phone.clone()));
        self.tell_change(tx, (id, &before), change, Some(old), now)?;
        Ok(contact)
    }

    /// Whoever else has the address keeps it, unless they never confirmed it.
    fn free_name(
        &self,
        tx: &mut dyn Tx,
        own: CustomerId,
        contact: &Contact,
        now: Timestamp,
    ) -> Result<(), ConfirmContactRefusal> {
        let holder = match tx.customer_named(&LoginName::from(contact))? {
            Some(id) if id != own => tx.customer(id)?,
            Some(_) | None => None,
        };
        match holder {
            None => Ok(()),
            Some(holder) if is_unconfirmed(&holder) => {
                let closed = holder.close(now);
                let closed = closed.map_err(|refusal| Fault::Invariant(refusal.to_string()))?;
                Ok(tx.update_customer(&closed)?)
            }
            Some(_) => Err(ConfirmContactRefusal::Taken),
        }
    }
}

const fn action(contact: &Contact) -> RiskyAction {
    match contact {
        Contact::Phone(_) => RiskyAction::ChangePhone,
        Contact::Email(_) => RiskyAction::ChangeEmail,
    }
}
