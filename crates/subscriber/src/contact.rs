//! Where a person can be reached.

use simurgh_vocab::{EmailAddress, Msisdn};

use crate::code::coded;
use crate::{Customer, Purpose};

coded! {
    /// A way for messages.
    pub enum Channel {
        /// A text message.
        Sms = "sms",
        /// An e-mail.
        Email = "email",
    }
}

/// An address for messages.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Contact {
    /// A phone.
    Phone(Msisdn),
    /// A mailbox.
    Email(EmailAddress),
}

impl Contact {
    /// The way messages go there.
    #[must_use]
    pub const fn channel(&self) -> Channel {
        match self {
            Self::Phone(_) => Channel::Sms,
            Self::Email(_) => Channel::Email,
        }
    }

    /// The address as it is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Phone(number) => number.as_str(),
            Self::Email(address) => address.as_str(),
        }
    }

    /// The address with its middle hidden, for a page.
    #[must_use]
    pub fn masked(&self) -> String {
        match self {
            Self::Phone(number) => number.masked(),
            Self::Email(address) => address.masked(),
        }
    }

    /// Reads an address of `channel` back.
    #[must_use]
    pub fn from_stored(channel: Channel, address: &str) -> Option<Self> {
        match channel {
            Channel::Sms => address.parse().ok().map(Self::Phone),
            Channel::Email => address.parse().ok().map(Self::Email),
        }
    }

    /// The purpose of the code that confirms this as a customer's new address.
    #[must_use]
    pub const fn change_purpose(&self) -> Purpose {
        match self {
            Self::Phone(_) => Purpose::ChangePhone,
            Self::Email(_) => Purpose::ChangeEmail,
        }
    }
}

/// Why a contact cannot be changed to another. Checked in this order. Whether somebody else has
/// the address is not among them: that is found out only after its owner answered the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ContactChangeRefusal {
    /// The account is not in use.
    #[error("the account is not active")]
    NotActive,
    /// It is the confirmed address already.
    #[error("this is your address already")]
    Same,
}

impl Customer {
    /// Whether this customer may ask for a code that makes `contact` theirs.
    ///
    /// # Errors
    /// See [`ContactChangeRefusal`] for the precedence.
    pub fn may_change_to(&self, contact: &Contact) -> Result<(), ContactChangeRefusal> {
        let person = self.active().ok_or(ContactChangeRefusal::NotActive)?;
        let same = match contact {
            Contact::Phone(number) => person.phone == *number,
            Contact::Email(address) => person.confirmed_email() == Some(address),
        };
        if same {
            Err(ContactChangeRefusal::Same)
        } else {
            Ok(())
        }
    }
}
