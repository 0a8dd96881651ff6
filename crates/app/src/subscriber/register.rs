//! Registering with a phone number.

use simurgh_subscriber::{
    Contact, Customer, CustomerState, DisplayName, EmailContact, Marketing, Password,
    PasswordContext, PasswordRefusal, Person, Purpose, SecondFactor,
};
use simurgh_vocab::{CustomerId, EmailAddress, Locale, Msisdn, TimeZoneName, Timestamp};

use crate::crypto::password::{self, PasswordFault};
use crate::ports::{AccountEventKind, Credentials, LoginName, StoredPassword, Tx};
use crate::subscriber::code::{CodeOrder, CodeReader};
use crate::subscriber::{CodeSent, Origin, SendCodeRefusal, Typed, Wish, refusals};
use crate::{App, Fault};

/// What somebody registers with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// Their number.
    pub phone: Msisdn,
    /// Their name.
    pub name: DisplayName,
    /// Their mailbox, if they gave one.
    pub email: Option<EmailAddress>,
    /// The password they chose, as typed, if they chose one. Without one they log in by code.
    pub password: Option<Typed>,
    /// The language of pages and messages.
    pub locale: Locale,
    /// The time zone in which they are shown dates.
    pub time_zone: TimeZoneName,
    /// Whether they asked for advertisements.
    pub marketing: Wish,
}

/// Why nobody is registered. Precedence as listed. That the number has an account is not among
/// the reasons: the answer is the same, and whoever reads the number's messages is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegisterRefusal {
    /// The password cannot be chosen.
    #[error(transparent)]
    Password(#[from] PasswordRefusal),
    /// Too many passwords are being checked; a moment later it will go.
    #[error("the program is busy; please try again")]
    Busy,
    /// No code is sent.
    #[error(transparent)]
    Code(SendCodeRefusal),
    /// The store or the program failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

refusals!(RegisterRefusal);

impl From<SendCodeRefusal> for RegisterRefusal {
    fn from(refusal: SendCodeRefusal) -> Self {
        match refusal {
            SendCodeRefusal::Fault(fault) => Self::Fault(fault),
            refusal @ SendCodeRefusal::TooOften { .. } => Self::Code(refusal),
        }
    }
}

impl From<PasswordFault> for RegisterRefusal {
    fn from(fault: PasswordFault) -> Self {
        match fault {
            PasswordFault::Busy => Self::Busy,
            PasswordFault::Unusable => Self::Fault(Fault::Invariant(fault.to_string())),
        }
    }
}

impl App {
    /// Registers somebody and sends a code to their number. The account can be used once the code
    /// is answered: [`confirm_phone`](Self::confirm_phone).
    ///
    /// # Errors
    /// [`RegisterRefusal`].
    pub async fn register(
        &self,
        registration: Registration,
        origin: Origin,
    ) -> Result<CodeSent, RegisterRefusal> {
        // Before anything is looked up: known and unknown numbers take as long.
        let digest = self.chosen_password(&registration).await?;
        let app = self.clone();
        let now = self.now();
        let sent = self
            .decide(move |tx| app.register_in(tx, &registration, digest.as_ref(), &origin, now))
            .await?;
        self.wake_runner();
        Ok(sent)
    }

    async fn chosen_password(
        &self,
        registration: &Registration,
    ) -> Result<Option<String>, RegisterRefusal> {
        let Some(typed) = &registration.password else {
            return Ok(None);
        };
        let context = PasswordContext {
            phone: &registration.phone,
            email: registration.email.as_ref(),
            user_name: None,
            brand: &self.settings.brand,
        };
        let password = Password::choose(typed.reveal(), &context)?;
        let digest = password::hash(password.reveal().to_owned(), self.entropy.as_ref()).await?;
        Ok(Some(digest))
    }

    fn register_in(
        &self,
        tx: &mut dyn Tx,
        registration: &Registration,
        digest: Option<&String>,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<CodeSent, RegisterRefusal> {
        let name = LoginName::Phone(registration.phone.clone());
        let known = match tx.customer_named(&name)? {
            Some(id) => tx.customer(id)?,
            None => None,
        };
        let active = known.as_ref().and_then(Customer::active);
        if let (Some(customer), Some(person)) = (&known, active) {
            let to = Contact::Phone(registration.phone.clone());
            let sent = self.issue_code(tx, order(to.clone(), None), origin, now)?;
            self.tell_account_exists(tx, (customer.id, person), &to, now)?;
            return Ok(sent);
        }
        let id = known.as_ref().map_or_else(
            || self.make(CustomerId::from_parts, now),
            |customer| customer.id,
        );
        let reader = CodeReader {
            customer: id,
            locale: registration.locale,
            time_zone: registration.time_zone.clone(),
        };
        let to = Contact::Phone(registration.phone.clone());
        let sent = self.issue_code(tx, order(to, Some(reader)), origin, now)?;
        self.put_unconfirmed(tx, known, id, registration, now)?;
        tx.put_credentials(&Credentials {
            customer: id,
            password: digest.map(|digest| StoredPassword {
                digest: digest.clone(),
                since: now,
            }),
            second_factor: SecondFactor::Off,
        })?;
        self.note(tx, id, AccountEventKind::Registered, now)?;
        Ok(sent)
    }

    fn put_unconfirmed(
        &self,
        tx: &mut dyn Tx,
        known: Option<Customer>,
        id: CustomerId,
        registration: &Registration,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let person = registration.person(now);
        match known {
            None => tx.insert_customer(&Customer::register(id, person, now))?,
            Some(customer) => {
                let again = customer.register_again(person);
                let again = again.map_err(|refusal| Fault::Invariant(refusal.to_string()))?;
                tx.update_customer(&again)?;
            }
        }
        Ok(())
    }
}

fn order(to: Contact, reader: Option<CodeReader>) -> CodeOrder {
    CodeOrder {
        purpose: Purpose::ConfirmPhone,
        to,
        reader,
    }
}

impl Registration {
    fn person(&self, now: Timestamp) -> Person {
        let email = self.email.clone().map(|address| EmailContact {
            address,
            confirmed_at: None,
        });
        Person {
            name: self.name.clone(),
            phone: self.phone.clone(),
            email,
            user_name: None,
            locale: self.locale,
            time_zone: self.time_zone.clone(),
            marketing: match self.marketing {
                Wish::Yes => Marketing::Given { at: now },
                Wish::No => Marketing::NeverAsked,
            },
        }
    }
}

/// Whether a customer's number waits to be confirmed.
pub(super) const fn is_unconfirmed(customer: &Customer) -> bool {
    match customer.state {
        CustomerState::Unconfirmed { .. } => true,
        CustomerState::Active { .. } | CustomerState::Closed { .. } => false,
    }
}
