//! A customer, from registration to the closed account.

use simurgh_vocab::{CustomerId, EmailAddress, Locale, Msisdn, TimeZoneName, Timestamp};

use crate::{Contact, DisplayName, UserName};

/// A customer. What is kept for good (orders, invoices, the journals) names the id only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// Its id.
    pub id: CustomerId,
    /// When the account was made.
    pub registered_at: Timestamp,
    /// Where it stands.
    pub state: CustomerState,
}

/// Where an account stands. Each state owns what is only known in it: a closed account has no
/// person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CustomerState {
    /// The phone number is not confirmed. Whoever registers the number again takes its place.
    Unconfirmed {
        /// Who registered.
        person: Person,
    },
    /// In use.
    Active {
        /// Whose it is.
        person: Person,
        /// When the phone number was first confirmed.
        since: Timestamp,
    },
    /// Given up: nothing about the person is left.
    Closed {
        /// When.
        at: Timestamp,
    },
}

impl CustomerState {
    /// The name it is stored under.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unconfirmed { .. } => "unconfirmed",
            Self::Active { .. } => "active",
            Self::Closed { .. } => "closed",
        }
    }
}

/// The person behind an account: personal data, erased with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// How they are greeted.
    pub name: DisplayName,
    /// Their number; confirmed unless the account is unconfirmed.
    pub phone: Msisdn,
    /// Their mailbox.
    pub email: Option<EmailContact>,
    /// The name they log in with, if they chose one.
    pub user_name: Option<UserName>,
    /// The language of pages and messages.
    pub locale: Locale,
    /// The time zone in which they are shown dates.
    pub time_zone: TimeZoneName,
    /// Whether they want advertisements.
    pub marketing: Marketing,
}

/// A mailbox. Only a confirmed one can be used to log in or to recover an account, and only a
/// confirmed one is nobody else's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailContact {
    /// The address.
    pub address: EmailAddress,
    /// When a code sent there was answered.
    pub confirmed_at: Option<Timestamp>,
}

/// Consent to advertisements; not given unless the person said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marketing {
    /// They never said.
    NeverAsked,
    /// They want them.
    Given {
        /// Since when.
        at: Timestamp,
    },
    /// They do not, or no more.
    Withdrawn {
        /// Since when.
        at: Timestamp,
    },
}

impl Marketing {
    /// The name it is stored under.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NeverAsked => "never_asked",
            Self::Given { .. } => "given",
            Self::Withdrawn { .. } => "withdrawn",
        }
    }

    /// When they said so.
    #[must_use]
    pub const fn at(self) -> Option<Timestamp> {
        match self {
            Self::NeverAsked => None,
            Self::Given { at } | Self::Withdrawn { at } => Some(at),
        }
    }

    /// Reads what [`code`](Self::code) and [`at`](Self::at) gave.
    #[must_use]
    pub fn from_stored(code: &str, at: Option<Timestamp>) -> Option<Self> {
        match (code, at) {
            ("never_asked", None) => Some(Self::NeverAsked),
            ("given", Some(at)) => Some(Self::Given { at }),
            ("withdrawn", Some(at)) => Some(Self::Withdrawn { at }),
            _ => None,
        }
    }
}

/// A change an account refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CustomerTransition {
    /// The account is closed.
    #[error("the account is closed")]
    Closed,
    /// The phone number is not confirmed yet.
    #[error("the phone number is not confirmed")]
    Unconfirmed,
    /// It is confirmed already.
    #[error("the account is confirmed already")]
    AlreadyActive,
    /// The address that was confirmed is not the one on the account (any more).
    #[error("this is not the address of the account")]
    OtherAddress,
}

impl Person {
    /// The mailbox, if it is confirmed.
    #[must_use]
    pub fn confirmed_email(&self) -> Option<&EmailAddress> {
        let email = self.email.as_ref()?;
        email.confirmed_at.map(|_| &email.address)
    }

    /// Makes a confirmed contact theirs and gives back the one it replaces.
    pub fn put_contact(&mut self, contact: Contact, at: Timestamp) -> Option<Contact> {
        match contact {
            Contact::Phone(number) => {
                let old = std::mem::replace(&mut self.phone, number);
                Some(Contact::Phone(old))
            }
            Contact::Email(address) => {
                let new = EmailContact {
                    address,
                    confirmed_at: Some(at),
                };
                let old = self.email.replace(new)?;
                old.confirmed_at.map(|_| Contact::Email(old.address))
            }
        }
    }
}

impl Customer {
    /// A new account that waits for its number to be confirmed.
    #[must_use]
    pub const fn register(id: CustomerId, person: Person, at: Timestamp) -> Self {
        Self {
            id,
            registered_at: at,
            state: CustomerState::Unconfirmed { person },
        }
    }

    /// The person, unless the account is closed.
    #[must_use]
    pub const fn person(&self) -> Option<&Person> {
        match &self.state {
            CustomerState::Unconfirmed { person } | CustomerState::Active { person, .. } => {
                Some(person)
            }
            CustomerState::Closed { .. } => None,
        }
    }

    /// The person behind an account in use.
    #[must_use]
    pub const fn active(&self) -> Option<&Person> {
        match &self.state {
            CustomerState::Active { person, .. } => Some(person),
            CustomerState::Unconfirmed { .. } | CustomerState::Closed { .. } => None,
        }
    }

    /// As [`active`](Self::active), to change it.
    #[must_use]
    pub const fn active_mut(&mut self) -> Option<&mut Person> {
        match &mut self.state {
            CustomerState::Active { person, .. } => Some(person),
            CustomerState::Unconfirmed { .. } | CustomerState::Closed { .. } => None,
        }
    }

    /// Somebody registers a number that nobody confirmed yet: everything that was given before is
    /// replaced, so that a stranger cannot prepare an account for its owner.
    ///
    /// # Errors
    /// [`CustomerTransition::Closed`] or [`CustomerTransition::AlreadyActive`].
    pub fn register_again(self, person: Person) -> Result<Self, CustomerTransition> {
        match self.state {
            CustomerState::Unconfirmed { .. } => Ok(Self {
                state: CustomerState::Unconfirmed { person },
                ..self
            }),
            CustomerState::Active { .. } => Err(CustomerTransition::AlreadyActive),
            CustomerState::Closed { .. } => Err(CustomerTransition::Closed),
        }
    }

    /// The code sent to `phone` was answered: the account is in use from now on.
    ///
    /// # Errors
    /// [`CustomerTransition::Closed`], [`CustomerTransition::AlreadyActive`] or
    /// [`CustomerTransition::OtherAddress`].
    pub fn confirm_phone(self, phone: &Msisdn, at: Timestamp) -> Result<Self, CustomerTransition> {
        match self.state {
            CustomerState::Unconfirmed { person } if person.phone == *phone => Ok(Self {
                state: CustomerState::Active { person, since: at },
                ..self
            }),
            CustomerState::Unconfirmed { .. } => Err(CustomerTransition::OtherAddress),
            CustomerState::Active { .. } => Err(CustomerTransition::AlreadyActive),
            CustomerState::Closed { .. } => Err(CustomerTransition::Closed),
        }
    }

    /// The owner of the number proved it in another way than by the registration, which may have
    /// been a stranger's: the account is theirs from now on, without what could be one. The
    /// password must be forgotten as well.
    ///
    /// # Errors
    /// As [`confirm_phone`](Self::confirm_phone).
    pub fn claim(self, phone: &Msisdn, at: Timestamp) -> Result<Self, CustomerTransition> {
        let mut claimed = self.confirm_phone(phone, at)?;
        if let Some(person) = claimed.active_mut() {
            person.email = None;
            person.user_name = None;
            person.marketing = Marketing::NeverAsked;
        }
        Ok(claimed)
    }

    /// The code sent to a mailbox was answered.
    ///
    /// # Errors
    /// [`CustomerTransition::Closed`], [`CustomerTransition::Unconfirmed`], or
    /// [`CustomerTransition::OtherAddress`] when the mailbox was changed meanwhile.
    pub fn confirm_email(
        mut self,
        address: &EmailAddress,
        at: Timestamp,
    ) -> Result<Self, CustomerTransition> {
        match &mut self.state {
            CustomerState::Active { person, .. } => match &mut person.email {
                Some(email) if email.address == *address => email.confirmed_at = Some(at),
                Some(_) | None => return Err(CustomerTransition::OtherAddress),
            },
            CustomerState::Unconfirmed { .. } => return Err(CustomerTransition::Unconfirmed),
            CustomerState::Closed { .. } => return Err(CustomerTransition::Closed),
        }
        Ok(self)
    }

    /// Closes the account: what is left is an id that names nobody, a pseudonym for the records
    /// that must be kept.
    ///
    /// # Errors
    /// [`CustomerTransition::Closed`].
    pub fn close(self, at: Timestamp) -> Result<Self, CustomerTransition> {
        match self.state {
            CustomerState::Unconfirmed { .. } | CustomerState::Active { .. } => Ok(Self {
                state: CustomerState::Closed { at },
                ..self
            }),
            CustomerState::Closed { .. } => Err(CustomerTransition::Closed),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::ContactChangeRefusal;

    const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

    pub(crate) fn person(phone: &str) -> Person {
        Person {
            name: "张伟".parse().unwrap(),
            phone: phone.parse().unwrap(),
            email: Some(EmailContact {
                address: "wei@example.com".parse().unwrap(),
                confirmed_at: None,
            }),
            user_name: None,
            locale: Locale::ZhCn,
            time_zone: "Asia/Shanghai".parse().unwrap(),
            marketing: Marketing::NeverAsked,
        }
    }

    fn new_customer() -> Customer {
        let id = CustomerId::from_parts(1, &[1; 10]);
        Customer::register(id, person("+8613800138000"), NOW)
    }

    #[test]
    fn an_account_lives_and_is_erased() {
        let phone = "+8613800138000".parse().unwrap();
        let other = "+8613800138001".parse().unwrap();
        let refused = new_customer().confirm_phone(&other, NOW);
        assert_eq!(refused, Err(CustomerTransition::OtherAddress));
        let active = new_customer().confirm_phone(&phone, NOW).unwrap();
        let again = active.clone().confirm_phone(&phone, NOW);
        assert_eq!(again, Err(CustomerTransition::AlreadyActive));
        let taken = active.clone().register_again(person("+8613800138000"));
        assert_eq!(taken, Err(CustomerTransition::AlreadyActive));
        let closed = active.close(NOW).unwrap();
        assert_eq!((closed.person(), closed.state.code()), (None, "closed"));
        assert_eq!(closed.close(NOW), Err(CustomerTransition::Closed));
    }

    #[test]
    fn an_unconfirmed_number_can_be_registered_again_by_its_owner() {
        let mut owner = person("+8613800138000");
        owner.name = "Li".parse().unwrap();
        let customer = new_customer().register_again(owner.clone()).unwrap();
        assert_eq!(customer.person(), Some(&owner));
    }

    #[test]
    fn who_claims_a_number_inherits_no_mailbox() {
        let phone = "+8613800138000".parse().unwrap();
        let claimed = new_customer().claim(&phone, NOW).unwrap();
        assert_eq!(claimed.active().unwrap().email, None);
        assert_eq!(
            claimed.claim(&phone, NOW),
            Err(CustomerTransition::AlreadyActive)
        );
    }

    #[test]
    fn a_mailbox_counts_once_confirmed() {
        let address: EmailAddress = "wei@example.com".parse().unwrap();
        let phone = "+8613800138000".parse().unwrap();
        let refused = new_customer().confirm_email(&address, NOW);
        assert_eq!(refused, Err(CustomerTransition::Unconfirmed));
        let customer = new_customer().confirm_phone(&phone, NOW).unwrap();
        assert_eq!(customer.active().unwrap().confirmed_email(), None);
        let contact = Contact::Email(address.clone());
        assert_eq!(customer.may_change_to(&contact), Ok(()));
        let customer = customer.confirm_email(&address, NOW).unwrap();
        assert_eq!(customer.active().unwrap().confirmed_email(), Some(&address));
        assert_eq!(
            customer.may_change_to(&contact),
            Err(ContactChangeRefusal::Same)
        );
        let stale = customer.confirm_email(&"old@example.com".parse().unwrap(), NOW);
        assert_eq!(stale, Err(CustomerTransition::OtherAddress));
    }

    #[test]
    fn a_changed_contact_gives_back_the_old_one() {
        let mut person = person("+8613800138000");
        let new = Contact::Phone("+8613800138001".parse().unwrap());
        let old = person.put_contact(new, NOW);
        assert_eq!(old, Some(Contact::Phone("+8613800138000".parse().unwrap())));
        let mailbox = Contact::Email("new@example.com".parse().unwrap());
        assert_eq!(
            person.put_contact(mailbox.clone(), NOW),
            None,
            "the old one was no one's"
        );
        assert_eq!(person.put_contact(mailbox.clone(), NOW), Some(mailbox));
    }
}
