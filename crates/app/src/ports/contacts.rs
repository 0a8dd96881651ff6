//! How a customer is reached.

use simurgh_vocab::{CustomerId, EmailAddress, Locale, Msisdn, TimeZoneName};

use super::StoreFault;

/// How a customer is reached, and in which language and time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// The confirmed phone number; none once the account is closed.
    pub phone: Option<Msisdn>,
    /// The confirmed e-mail address.
    pub email: Option<EmailAddress>,
    /// The language.
    pub locale: Locale,
    /// The time zone in which dates are told and nights are quiet.
    pub time_zone: TimeZoneName,
}

/// Reaching customers.
pub trait Contacts {
    /// How a customer is reached; none if there is no such customer.
    fn contact_of(&mut self, customer: CustomerId) -> Result<Option<Contact>, StoreFault>;
}
