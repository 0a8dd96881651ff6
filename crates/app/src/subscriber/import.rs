//! Taking customers over from elsewhere: another system, or a demonstration. Their addresses
//! count as confirmed by whoever brings them.

use simurgh_subscriber::{Customer, CustomerState, Person, SecondFactor};
use simurgh_vocab::{CustomerId, Timestamp};

use crate::crypto::password::{self, PasswordFault};
use crate::ports::{Credentials, LoginName, StoredPassword};
use crate::subscriber::{Typed, refusals};
use crate::{App, Fault};

/// A customer who comes from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedCustomer {
    /// Who they are.
    pub person: Person,
    /// Their password. Not checked against the rules for new ones.
    pub password: Option<Typed>,
    /// Since when they are a customer.
    pub since: Timestamp,
}

/// Why a customer is not taken over. Precedence as listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportRefusal {
    /// Too many passwords are being hashed.
    #[error("too many passwords are being hashed")]
    Busy,
    /// The number, mailbox or user name belongs to another customer, whose number this is.
    #[error("the number, address or user name belongs to customer {0}")]
    Taken(CustomerId),
    /// The store or the program failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

refusals!(ImportRefusal);

impl From<PasswordFault> for ImportRefusal {
    fn from(fault: PasswordFault) -> Self {
        match fault {
            PasswordFault::Busy => Self::Busy,
            PasswordFault::Unusable => Self::Fault(Fault::Invariant(fault.to_string())),
        }
    }
}

impl App {
    /// Takes a customer over.
    ///
    /// # Errors
    /// [`ImportRefusal`].
    pub async fn import_customer(
        &self,
        imported: ImportedCustomer,
    ) -> Result<CustomerId, ImportRefusal> {
        let digest = match &imported.password {
            Some(typed) => {
                let plain = typed.reveal().to_owned();
                Some(password::hash(plain, self.entropy.as_ref()).await?)
            }
            None => None,
        };
        let now = self.now();
        let id = self.make(CustomerId::from_parts, now);
        self.decide(move |tx| -> Result<CustomerId, ImportRefusal> {
            let ImportedCustomer { person, since, .. } = &imported;
            for name in names(person) {
                if let Some(holder) = tx.customer_named(&name)? {
                    return Err(ImportRefusal::Taken(holder));
                }
            }
            tx.insert_customer(&Customer {
                id,
                registered_at: *since,
                state: CustomerState::Active {
                    person: person.clone(),
                    since: *since,
                },
            })?;
            tx.put_credentials(&Credentials {
                customer: id,
                password: digest.clone().map(|digest| StoredPassword {
                    digest,
                    since: *since,
                }),
                second_factor: SecondFactor::Off,
            })?;
            Ok(id)
        })
        .await
    }
}

fn names(person: &Person) -> Vec<LoginName> {
    let phone = Some(LoginName::Phone(person.phone.clone()));
    let email = person.confirmed_email().cloned().map(LoginName::Email);
    let user_name = person.user_name.clone().map(LoginName::UserName);
    [phone, email, user_name].into_iter().flatten().collect()
}
