//! What happened to a customer, from every book, in one order.

use simurgh_commerce::{OrderState, Payment, PaymentState, Refund, RefundState};
use simurgh_subscriber::Profile;
use simurgh_vocab::Timestamp;

use super::customer::CustomerFile;
use super::order::NamedOrder;
use crate::ports::{
    AccountEventKind, HeardNotification, Message, StaffLogEntry, Ticket, TicketState,
};

/// Something that happened.
#[derive(Clone)]
pub enum Happening<'f> {
    /// Something happened to the account.
    Account(AccountEventKind),
    /// An order was placed.
    OrderPlaced(&'f NamedOrder),
    /// An order was paid, closed or taken back.
    OrderMoved(&'f NamedOrder),
    /// A payment attempt was begun.
    PaymentBegun(&'f Payment),
    /// A payment attempt ended.
    PaymentEnded(&'f Payment),
    /// Money was to go back.
    RefundRequested(&'f Refund),
    /// A refund was sent, or cannot be.
    RefundMoved(&'f Refund),
    /// A message was queued.
    Message(&'f Message),
    /// An eSIM profile was made.
    ProfileMade(&'f Profile),
    /// The chip of a profile reported something.
    Chip(&'f Profile, &'f HeardNotification),
    /// A ticket was opened.
    TicketOpened(&'f Ticket),
    /// A ticket was answered last or closed.
    TicketMoved(&'f Ticket),
    /// A member of staff did something.
    Staff(&'f StaffLogEntry),
}

/// When what happened.
#[derive(Clone)]
pub struct Occurrence<'f> {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: Happening<'f>,
}

impl CustomerFile {
    /// Everything that happened, the newest first; at most `limit`.
    #[must_use]
    pub fn timeline(&self, limit: usize) -> Vec<Occurrence<'_>> {
        let mut all = Vec::new();
        let mut add = |at, what| all.push(Occurrence { at, what });
        for event in &self.account_events {
            add(event.at, Happening::Account(event.kind));
        }
        for named in &self.orders {
            add(named.order.placed_at, Happening::OrderPlaced(named));
            if let Some(at) = order_moved_at(named.order.state) {
                add(at, Happening::OrderMoved(named));
            }
        }
        for payment in &self.payments {
            add(payment.created_at, Happening::PaymentBegun(payment));
            if let Some(at) = payment_ended_at(&payment.state) {
                add(at, Happening::PaymentEnded(payment));
            }
        }
        for refund in &self.refunds {
            add(refund.created_at, Happening::RefundRequested(refund));
            if let Some(at) = refund_moved_at(refund.state) {
                add(at, Happening::RefundMoved(refund));
            }
        }
        for message in &self.messages {
            add(message.created_at, Happening::Message(message));
        }
        for (profile, heard) in &self.profiles {
            add(profile.made_at, Happening::ProfileMade(profile));
            for one in heard {
                add(one.heard_at, Happening::Chip(profile, one));
            }
        }
        for ticket in &self.tickets {
            add(ticket.opened_at, Happening::TicketOpened(ticket));
            match ticket.state {
                TicketState::Open => {}
                TicketState::Answered | TicketState::Closed { .. } => {
                    add(ticket.changed_at, Happening::TicketMoved(ticket));
                }
            }
        }
        for entry in &self.staff_log {
            add(entry.at, Happening::Staff(entry));
        }
        // Of one moment, what was added later happened later.
        all.reverse();
        all.sort_by_key(|occurrence| std::cmp::Reverse(occurrence.at));
        all.truncate(limit);
        all
    }
}

const fn order_moved_at(state: OrderState) -> Option<Timestamp> {
    match state {
        OrderState::AwaitingPayment => None,
        OrderState::Fulfilled { at }
        | OrderState::Closed { at, .. }
        | OrderState::Refunded { at } => Some(at),
    }
}

const fn payment_ended_at(state: &PaymentState) -> Option<Timestamp> {
    match state {
        PaymentState::Created
        | PaymentState::ActionRequired { .. }
        | PaymentState::Processing
        | PaymentState::Unknown => None,
        PaymentState::Captured { at }
        | PaymentState::Failed { at, .. }
        | PaymentState::Closed { at } => Some(*at),
    }
}

const fn refund_moved_at(state: RefundState) -> Option<Timestamp> {
    match state {
        RefundState::Requested => None,
        RefundState::Succeeded { at } | RefundState::NeedsStaff { at } => Some(at),
    }
}
