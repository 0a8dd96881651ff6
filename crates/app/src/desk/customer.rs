//! Searching customers, and everything there is about one of them.

use simurgh_commerce::{Document, Order, Payment, Refund};
use simurgh_subscriber::{Customer, IdentityCase, Profile};
use simurgh_vocab::{CustomerId, EmailAddress, Locale, Msisdn, StaffId, Timestamp};

use super::log::Deed;
use super::order::NamedOrder;
use crate::line::LineView;
use crate::ports::{
    AccountEvent, CustomerSearch, HeardNotification, Mandate, Message, StaffAction, StaffLogEntry,
    StaffLogFilter, StaffSubject, StoreExt, Ticket, Tx,
};
use crate::sales::selection_name;
use crate::{App, Fault};

/// The most customers a search shows.
const FOUND_MAX: u32 = 50;
/// The most rows of one kind on a customer's page.
const ROWS: u32 = 100;

/// Why a member of staff does something, in their words; kept in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(String);

/// Why a reason is not taken. Checked in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReasonRefusal {
    /// Nothing, or next to nothing, was written.
    #[error("a reason has at least 3 characters")]
    TooShort,
    /// More than a log entry holds.
    #[error("a reason has at most 200 characters")]
    TooLong,
}

impl Reason {
    /// The fewest characters.
    pub const CHARS_MIN: usize = 3;
    /// The most characters.
    pub const CHARS_MAX: usize = 200;

    /// Takes what somebody wrote.
    ///
    /// # Errors
    /// [`ReasonRefusal`].
    pub fn parse(text: &str) -> Result<Self, ReasonRefusal> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let text = words.join(" ");
        match text.chars().count() {
            ..Self::CHARS_MIN => Err(ReasonRefusal::TooShort),
            Self::CHARS_MIN..=Self::CHARS_MAX => Ok(Self(text)),
            _ => Err(ReasonRefusal::TooLong),
        }
    }

    /// The reason.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Everything about one customer.
#[derive(Clone)]
pub struct CustomerFile {
    /// The customer.
    pub customer: Customer,
    /// Their lines.
    pub lines: Vec<LineView>,
    /// The eSIM profiles of these lines, of each line the oldest first, with what their chips reported.
    pub profiles: Vec<(Profile, Vec<HeardNotification>)>,
    /// Their orders, newest first.
    pub orders: Vec<NamedOrder>,
    /// The payment attempts of these orders.
    pub payments: Vec<Payment>,
    /// The refunds of these orders.
    pub refunds: Vec<Refund>,
    /// Their invoices and credit notes, newest first.
    pub documents: Vec<Document>,
    /// Their stored payment methods.
    pub mandates: Vec<Mandate>,
    /// The messages to them, newest first.
    pub messages: Vec<Message>,
    /// Their tickets, last changed first.
    pub tickets: Vec<Ticket>,
    /// Their identity checks.
    pub cases: Vec<IdentityCase>,
    /// What happened to the account, newest first.
    pub account_events: Vec<AccountEvent>,
    /// What staff did with it, newest first.
    pub staff_log: Vec<StaffLogEntry>,
    /// Every member of staff: id and name.
    pub staff_names: Vec<(StaffId, String)>,
}

/// A customer's contacts in clear.
#[derive(Clone, PartialEq, Eq)]
pub struct RevealedContact {
    /// The number.
    pub phone: Msisdn,
    /// The mailbox, confirmed or not.
    pub email: Option<EmailAddress>,
}

impl App {
    /// Customers found by a number, a mailbox, a name, a user name or a customer number; at most
    /// 50. That a search was made is recorded, what was searched is not: it may be personal.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn search_customers(
        &self,
        staff: StaffId,
        text: String,
    ) -> Result<Vec<Customer>, Fault> {
        let app = self.clone();
        let now = self.now();
        self.store
            .transact(move |tx| {
                let search = CustomerSearch {
                    text: text.clone(),
                    limit: FOUND_MAX,
                };
                let found = tx.search_customers(&search)?;
                let deed = Deed::of(staff, StaffAction::CustomersSearched, StaffSubject::Nothing);
                app.log_deed(tx, deed.because(format!("found {}", found.len())), now)?;
                Ok(found)
            })
            .await
    }

    /// Everything about a customer; recorded.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn customer_file(
        &self,
        staff: StaffId,
        id: CustomerId,
    ) -> Result<Option<CustomerFile>, Fault> {
        let app = self.clone();
        let now = self.now();
        self.store
            .transact(move |tx| {
                let Some(customer) = tx.customer(id)? else {
                    return Ok(None);
                };
                let subject = StaffSubject::Customer(id);
                app.log_deed(
                    tx,
                    Deed::of(staff, StaffAction::CustomerViewed, subject),
                    now,
                )?;
                app.file_of(tx, customer, now).map(Some)
            })
            .await
    }

    /// A customer's number and mailbox in clear, for a reason; recorded. None if there is no such
    /// customer or the account is closed.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn reveal_contact(
        &self,
        staff: StaffId,
        id: CustomerId,
        reason: Reason,
    ) -> Result<Option<RevealedContact>, Fault> {
        let app = self.clone();
        let now = self.now();
        self.store
            .transact(move |tx| {
                let customer = tx.customer(id)?;
                let Some(person) = customer.as_ref().and_then(Customer::person) else {
                    return Ok(None);
                };
                let subject = StaffSubject::Customer(id);
                let deed = Deed::of(staff, StaffAction::ContactRevealed, subject);
                app.log_deed(tx, deed.because(reason.as_str()), now)?;
                Ok(Some(RevealedContact {
                    phone: person.phone.clone(),
                    email: person.email.as_ref().map(|email| email.address.clone()),
                }))
            })
            .await
    }

    fn file_of(
        &self,
        tx: &mut dyn Tx,
        customer: Customer,
        now: Timestamp,
    ) -> Result<CustomerFile, Fault> {
        let id = customer.id;
        let (mut lines, mut profiles) = (Vec::new(), Vec::new());
        for line in tx.lines_of(id)? {
            for profile in tx.profiles_of(line.id)? {
                let heard = tx.chip_notifications_of(profile.id)?;
                profiles.push((profile, heard));
            }
            lines.push(self.line_view_in(tx, line, now)?);
        }
        let (mut orders, mut payments, mut refunds) = (Vec::new(), Vec::new(), Vec::new());
        for order in tx.orders_of(id, ROWS)? {
            payments.extend(tx.payments_of(order.id)?);
            refunds.extend(tx.refunds_of(order.id)?);
            orders.push(self.named(tx, order)?);
        }
        let about = StaffLogFilter {
            subject_number: Some(id.number()),
            limit: ROWS,
            ..StaffLogFilter::default()
        };
        Ok(CustomerFile {
            lines,
            profiles,
            orders,
            payments,
            refunds,
            documents: tx.documents_of(id, ROWS)?,
            mandates: tx.mandates_of(id)?,
            messages: tx.messages_of(id, ROWS)?,
            tickets: tx.tickets_of(id, ROWS)?,
            cases: tx.cases_of(id)?,
            account_events: tx.account_events(id, ROWS)?,
            staff_log: tx.staff_log(&about)?,
            staff_names: tx.staff_names()?,
            customer,
        })
    }

    /// The order with the name of what was bought in each language.
    pub(super) fn named(&self, tx: &mut dyn Tx, order: Order) -> Result<NamedOrder, Fault> {
        let catalogue = self.catalogue_in(tx, order.catalogue_version)?;
        let names = Locale::ALL.map(|locale| selection_name(&catalogue, &order.selection, locale));
        Ok(NamedOrder { order, names })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_says_something() {
        assert_eq!(Reason::parse("  a  "), Err(ReasonRefusal::TooShort));
        assert_eq!(
            Reason::parse(&"长".repeat(201)),
            Err(ReasonRefusal::TooLong)
        );
        let reason = Reason::parse(" customer \n called ").map(|r| r.as_str().to_owned());
        assert_eq!(reason, Ok("customer called".to_owned()));
    }
}
