//! Staff, their sessions and log, support tickets, and what needs somebody's attention.

mod attention;
mod log;
mod staff;
mod tickets;

use simurgh_app::ports::{
    Desk, DeskCounts, DeskSince, Digest, SeenEvent, StaffAccount, StaffLogEntry, StaffLogFilter,
    StaffSession, StoreFault, Ticket, TicketMessage, TicketQueue, VitalCounts,
};
use simurgh_commerce::DocumentNumber;
use simurgh_vocab::{CustomerId, InvoiceId, PaymentId, RefundId, StaffId, TicketId, Timestamp};

use crate::tx::StoreTx;

impl Desk for StoreTx<'_> {
    fn insert_staff(&mut self, account: &StaffAccount) -> Result<(), StoreFault> {
        staff::insert(self, account)
    }

    fn update_staff(&mut self, account: &StaffAccount) -> Result<(), StoreFault> {
        staff::update(self, account)
    }

    fn staff(&mut self, id: StaffId) -> Result<Option<StaffAccount>, StoreFault> {
        staff::one(self, id)
    }

    fn staff_named(&mut self, name: &str) -> Result<Option<StaffAccount>, StoreFault> {
        staff::named(self, name)
    }

    fn staff_names(&mut self) -> Result<Vec<(StaffId, String)>, StoreFault> {
        staff::names(self)
    }

    fn insert_staff_session(
        &mut self,
        session: &StaffSession,
        token: &Digest,
    ) -> Result<(), StoreFault> {
        staff::insert_session(self, session, token)
    }

    fn staff_session(&mut self, token: &Digest) -> Result<Option<StaffSession>, StoreFault> {
        staff::session(self, token)
    }

    fn touch_staff_session(&mut self, token: &Digest, at: Timestamp) -> Result<(), StoreFault> {
        staff::touch_session(self, token, at)
    }

    fn end_staff_session(&mut self, token: &Digest, at: Timestamp) -> Result<(), StoreFault> {
        staff::end_session(self, token, at)
    }

    fn end_staff_sessions(&mut self, staff: StaffId, at: Timestamp) -> Result<(), StoreFault> {
        staff::end_sessions(self, staff, at)
    }

    fn newest_staff_log_entry(&mut self) -> Result<Option<StaffLogEntry>, StoreFault> {
        log::newest(self)
    }

    fn append_staff_log(&mut self, entry: &StaffLogEntry) -> Result<(), StoreFault> {
        log::append(self, entry)
    }

    fn staff_log(&mut self, filter: &StaffLogFilter) -> Result<Vec<StaffLogEntry>, StoreFault> {
        log::filtered(self, filter)
    }

    fn staff_log_after(
        &mut self,
        position: u64,
        limit: u32,
    ) -> Result<Vec<StaffLogEntry>, StoreFault> {
        log::after(self, position, limit)
    }

    fn insert_ticket(&mut self, ticket: &Ticket) -> Result<(), StoreFault> {
        tickets::insert(self, ticket)
    }

    fn update_ticket(&mut self, ticket: &Ticket) -> Result<(), StoreFault> {
        tickets::update(self, ticket)
    }

    fn ticket(&mut self, id: TicketId) -> Result<Option<Ticket>, StoreFault> {
        tickets::one(self, id)
    }

    fn tickets_of(&mut self, customer: CustomerId, limit: u32) -> Result<Vec<Ticket>, StoreFault> {
        tickets::of_customer(self, customer, limit)
    }

    fn open_tickets_of(&mut self, customer: CustomerId) -> Result<u32, StoreFault> {
        tickets::open_of(self, customer)
    }

    fn tickets_in(&mut self, queue: TicketQueue, limit: u32) -> Result<Vec<Ticket>, StoreFault> {
        tickets::in_queue(self, queue, limit)
    }

    fn insert_ticket_message(
        &mut self,
        ticket: TicketId,
        position: u32,
        message: &TicketMessage,
    ) -> Result<(), StoreFault> {
        tickets::insert_message(self, ticket, position, message)
    }

    fn ticket_messages(&mut self, ticket: TicketId) -> Result<Vec<TicketMessage>, StoreFault> {
        tickets::messages(self, ticket)
    }

    fn desk_counts(&mut self, since: &DeskSince) -> Result<DeskCounts, StoreFault> {
        attention::counts(self, since)
    }

    fn vital_counts(
        &mut self,
        now: Timestamp,
        stuck_attempts: u32,
    ) -> Result<VitalCounts, StoreFault> {
        attention::vital_counts(self, now, stuck_attempts)
    }

    fn payments_in_doubt(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<PaymentId>, StoreFault> {
        attention::payments_in_doubt(self, before, limit)
    }

    fn unsettled_refunds(&mut self, limit: u32) -> Result<Vec<RefundId>, StoreFault> {
        attention::unsettled_refunds(self, limit)
    }

    fn odd_payment_events(&mut self, limit: u32) -> Result<Vec<SeenEvent>, StoreFault> {
        attention::odd_payment_events(self, limit)
    }

    fn document_numbered(
        &mut self,
        number: &DocumentNumber,
    ) -> Result<Option<InvoiceId>, StoreFault> {
        attention::document_numbered(self, number)
    }
}

#[cfg(test)]
mod tests;
