//! Support tickets and their messages.

use simurgh_app::ports::{Author, StoreFault, Ticket, TicketMessage, TicketQueue, TicketState};
use simurgh_vocab::{CustomerId, StaffId, TicketId};

use crate::db::Row;
use crate::params;
use crate::rows::{exactly_one, read_all, read_one};
use crate::tx::StoreTx;

macro_rules! select_tickets {
    ($rest:literal) => {
        concat!(
            "SELECT id, customer_id, subject, state, opened_at, changed_at, messages FROM ticket ",
            $rest
        )
    };
}

pub(super) fn insert(tx: &mut StoreTx<'_>, ticket: &Ticket) -> Result<(), StoreFault> {
    let sql =
        "INSERT INTO ticket (id, customer_id, subject, state, opened_at, changed_at, messages)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let params = params![
        ticket.id,
        ticket.customer,
        &ticket.subject,
        code(ticket.state),
        ticket.opened_at,
        ticket.changed_at,
        ticket.messages,
    ];
    tx.execute(sql, &params).map(drop)
}

pub(super) fn update(tx: &mut StoreTx<'_>, ticket: &Ticket) -> Result<(), StoreFault> {
    let sql = "UPDATE ticket SET state = ?2, changed_at = ?3, messages = ?4 WHERE id = ?1";
    let (state, changed_at) = (code(ticket.state), ticket.changed_at);
    let touched = tx.execute(sql, &params![ticket.id, state, changed_at, ticket.messages])?;
    exactly_one(touched, "ticket")
}

pub(super) fn one(tx: &mut StoreTx<'_>, id: TicketId) -> Result<Option<Ticket>, StoreFault> {
    let sql = select_tickets!("WHERE id = ?1");
    read_one(tx.query_one_or_none_locked(sql, &params![id])?, read)
}

pub(super) fn of_customer(
    tx: &mut StoreTx<'_>,
    customer: CustomerId,
    limit: u32,
) -> Result<Vec<Ticket>, StoreFault> {
    let sql = select_tickets!("WHERE customer_id = ?1 ORDER BY changed_at DESC, id DESC LIMIT ?2");
    read_all(tx.query(sql, &params![customer, limit])?, read)
}

pub(super) fn open_of(tx: &mut StoreTx<'_>, customer: CustomerId) -> Result<u32, StoreFault> {
    let sql = "SELECT COUNT(*) FROM ticket WHERE customer_id = ?1 AND state = 'open'";
    tx.query_one(sql, &params![customer])?.number()
}

pub(super) fn in_queue(
    tx: &mut StoreTx<'_>,
    queue: TicketQueue,
    limit: u32,
) -> Result<Vec<Ticket>, StoreFault> {
    let sql = match queue {
        TicketQueue::Open => {
            select_tickets!("WHERE state = 'open' ORDER BY changed_at, id LIMIT ?1")
        }
        TicketQueue::Answered => {
            select_tickets!("WHERE state = 'answered' ORDER BY changed_at DESC, id DESC LIMIT ?1")
        }
        TicketQueue::Closed => {
            select_tickets!("WHERE state = 'closed' ORDER BY changed_at DESC, id DESC LIMIT ?1")
        }
    };
    read_all(tx.query(sql, &params![limit])?, read)
}

pub(super) fn insert_message(
    tx: &mut StoreTx<'_>,
    ticket: TicketId,
    position: u32,
    message: &TicketMessage,
) -> Result<(), StoreFault> {
    let staff = match message.author {
        Author::Customer => None,
        Author::Staff(id) => Some(id),
    };
    let sql = "INSERT INTO ticket_message (ticket_id, position, staff_id, body, written_at)
               VALUES (?1, ?2, ?3, ?4, ?5)";
    let params = params![ticket, position, staff, &message.text, message.at];
    tx.execute(sql, &params).map(drop)
}

pub(super) fn messages(
    tx: &mut StoreTx<'_>,
    ticket: TicketId,
) -> Result<Vec<TicketMessage>, StoreFault> {
    let sql = "SELECT staff_id, body, written_at FROM ticket_message
               WHERE ticket_id = ?1 ORDER BY position";
    read_all(tx.query(sql, &params![ticket])?, |row| {
        let staff: Option<StaffId> = row.opt_id()?;
        Ok(TicketMessage {
            author: staff.map_or(Author::Customer, Author::Staff),
            text: row.text()?,
            at: row.timestamp()?,
        })
    })
}

const fn code(state: TicketState) -> &'static str {
    match state {
        TicketState::Open => "open",
        TicketState::Answered => "answered",
        TicketState::Closed { .. } => "closed",
    }
}

fn read(row: &mut Row) -> Result<Ticket, StoreFault> {
    let (id, customer, subject) = (row.id()?, row.id()?, row.text()?);
    let state = row.text()?;
    let (opened_at, changed_at) = (row.timestamp()?, row.timestamp()?);
    let state = match state.as_str() {
        "open" => TicketState::Open,
        "answered" => TicketState::Answered,
        "closed" => TicketState::Closed { at: changed_at },
        _ => return Err(row.at(4).behind("no state of a ticket")),
    };
    Ok(Ticket {
        id,
        customer,
        subject,
        state,
        opened_at,
        changed_at,
        messages: row.number()?,
    })
}
