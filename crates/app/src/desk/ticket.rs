//! Support tickets: a customer asks, staff answers, the customer may ask again, either closes.

use simurgh_vocab::{CustomerId, Locale, StaffId, TicketId, Timestamp};

use super::log::Deed;
use crate::message::{Notice, Template};
use crate::ports::{
    Author, Contact, StaffAction, StaffSubject, StoreExt, StoreFault, Ticket, TicketMessage,
    TicketQueue, TicketState, Tx,
};
use crate::{App, Fault};

/// How many tickets of a customer may wait for an answer at once.
const OPEN_TICKETS_MAX: u32 = 10;
/// The most messages of a ticket; afterwards a new one must be opened.
const MESSAGES_MAX: u32 = 200;
/// The most characters of a subject in the message that tells of an answer.
const SUBJECT_CHARS_TOLD: usize = 24;
/// The most tickets of a listing.
const PAGE: u32 = 200;

/// What a ticket is about: one line.
#[derive(Clone, PartialEq, Eq)]
pub struct TicketSubject(String);

/// A message of a ticket.
#[derive(Clone, PartialEq, Eq)]
pub struct TicketText(String);

/// Why a text is not taken. Checked in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TicketTextRefusal {
    /// Nothing was written.
    #[error("nothing was written")]
    Empty,
    /// It is too long.
    #[error("the text is too long")]
    TooLong,
    /// It holds a character that cannot be shown.
    #[error("the text holds a character that cannot be shown")]
    Unprintable,
}

impl TicketSubject {
    /// The most characters.
    pub const CHARS_MAX: usize = 120;

    /// Takes what somebody wrote.
    ///
    /// # Errors
    /// [`TicketTextRefusal`].
    pub fn parse(text: &str) -> Result<Self, TicketTextRefusal> {
        let words: Vec<&str> = text.split_whitespace().collect();
        written(&words.join(" "), Self::CHARS_MAX).map(Self)
    }

    /// The subject.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TicketText {
    /// The most characters.
    pub const CHARS_MAX: usize = 4_000;

    /// Takes what somebody wrote; line ends become one character, as everywhere but in forms.
    ///
    /// # Errors
    /// [`TicketTextRefusal`].
    pub fn parse(text: &str) -> Result<Self, TicketTextRefusal> {
        let lines = text.replace("\r\n", "\n").replace('\r', "\n");
        written(lines.trim(), Self::CHARS_MAX).map(Self)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn written(text: &str, chars_max: usize) -> Result<String, TicketTextRefusal> {
    if text.is_empty() {
        return Err(TicketTextRefusal::Empty);
    }
    if text.chars().count() > chars_max {
        return Err(TicketTextRefusal::TooLong);
    }
    let shown = |c: char| matches!(c, '\n' | '\t') || !c.is_control();
    if text.chars().all(shown) {
        Ok(text.to_owned())
    } else {
        Err(TicketTextRefusal::Unprintable)
    }
}

/// A ticket that a customer opens.
#[derive(Clone)]
pub struct NewTicket {
    /// Its id, made when the form was shown: a form that is sent twice opens one ticket.
    pub id: TicketId,
    /// What it is about.
    pub subject: TicketSubject,
    /// The first message.
    pub text: TicketText,
}

/// Who writes to a ticket or closes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TicketWriter {
    /// The customer, whose own ticket it must be.
    Customer(CustomerId),
    /// A member of staff.
    Staff(StaffId),
}

impl TicketWriter {
    const fn author(self) -> Author {
        match self {
            Self::Customer(_) => Author::Customer,
            Self::Staff(id) => Author::Staff(id),
        }
    }
}

/// Why a ticket is not opened, answered or closed. Checked in this order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TicketRefusal {
    /// There is none of this number, or it is somebody else's.
    #[error("there is no such ticket")]
    NoSuchTicket,
    /// Too many tickets of this customer wait for an answer.
    #[error("too many tickets wait for an answer")]
    TooManyOpen,
    /// It is closed.
    #[error("the ticket is closed")]
    Closed,
    /// Somebody wrote meanwhile: read first.
    #[error("somebody wrote meanwhile")]
    MovedOn,
    /// It has as many messages as it may.
    #[error("the ticket has as many messages as it may")]
    Full,
    /// The store or the program failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<StoreFault> for TicketRefusal {
    fn from(fault: StoreFault) -> Self {
        Self::Fault(fault.into())
    }
}

/// A ticket with its messages.
#[derive(Clone)]
pub struct Conversation {
    /// The ticket.
    pub ticket: Ticket,
    /// Its messages, oldest first.
    pub messages: Vec<TicketMessage>,
    /// The names of staff who wrote. For staff only: customers are not told them.
    pub names: Vec<(StaffId, String)>,
}

impl Ticket {
    /// The ticket after one more message.
    fn written(mut self, author: Author, at: Timestamp) -> Result<Self, TicketRefusal> {
        match self.state {
            TicketState::Closed { .. } => return Err(TicketRefusal::Closed),
            TicketState::Open | TicketState::Answered => {}
        }
        if self.messages >= MESSAGES_MAX {
            return Err(TicketRefusal::Full);
        }
        self.state = match author {
            Author::Customer => TicketState::Open,
            Author::Staff(_) => TicketState::Answered,
        };
        self.messages += 1;
        self.changed_at = at;
        Ok(self)
    }

    /// The ticket after it was closed; closing twice changes nothing.
    fn closed(mut self, at: Timestamp) -> Self {
        match self.state {
            TicketState::Closed { .. } => {}
            TicketState::Open | TicketState::Answered => {
                self.state = TicketState::Closed { at };
                self.changed_at = at;
            }
        }
        self
    }
}

impl App {
    /// Opens a ticket of a customer.
    ///
    /// # Errors
    /// [`TicketRefusal::NoSuchTicket`] when the id is another customer's,
    /// [`TicketRefusal::TooManyOpen`], or [`TicketRefusal::Fault`].
    pub async fn open_ticket(
        &self,
        customer: CustomerId,
        new: NewTicket,
    ) -> Result<TicketId, TicketRefusal> {
        let now = self.now();
        self.store
            .transact(move |tx| {
                if let Some(known) = tx.ticket(new.id)? {
                    // The form came twice.
                    return owned(known, customer).map(|ticket| ticket.id);
                }
                if tx.open_tickets_of(customer)? >= OPEN_TICKETS_MAX {
                    return Err(TicketRefusal::TooManyOpen);
                }
                let ticket = Ticket {
                    id: new.id,
                    customer,
                    subject: new.subject.as_str().to_owned(),
                    state: TicketState::Open,
                    opened_at: now,
                    changed_at: now,
                    messages: 1,
                };
                let message = TicketMessage {
                    author: Author::Customer,
                    text: new.text.as_str().to_owned(),
                    at: now,
                };
                tx.insert_ticket(&ticket)?;
                tx.insert_ticket_message(ticket.id, 1, &message)?;
                Ok(ticket.id)
            })
            .await
    }

    /// Adds a message to a ticket. `seen` is how many messages the writer had read: whoever has
    /// not read the newest is refused, and a form that comes twice adds one message.
    ///
    /// # Errors
    /// [`TicketRefusal`].
    pub async fn answer_ticket(
        &self,
        writer: TicketWriter,
        id: TicketId,
        seen: u32,
        text: TicketText,
    ) -> Result<(), TicketRefusal> {
        let app = self.clone();
        let now = self.now();
        self.store
            .transact(move |tx| app.answer_in(tx, writer, (id, seen), &text, now))
            .await?;
        self.wake_runner();
        Ok(())
    }

    /// Closes a ticket; one that is closed stays so.
    ///
    /// # Errors
    /// [`TicketRefusal::NoSuchTicket`] or [`TicketRefusal::Fault`].
    pub async fn close_ticket(
        &self,
        writer: TicketWriter,
        id: TicketId,
    ) -> Result<(), TicketRefusal> {
        let app = self.clone();
        let now = self.now();
        self.store
            .transact(move |tx| {
                let ticket = ticket_of(tx, writer, id)?;
                if let TicketState::Closed { .. } = ticket.state {
                    return Ok(());
                }
                tx.update_ticket(&ticket.closed(now))?;
                if let TicketWriter::Staff(staff) = writer {
                    let subject = StaffSubject::Ticket(id);
                    app.log_deed(tx, Deed::of(staff, StaffAction::TicketClosed, subject), now)?;
                }
                Ok(())
            })
            .await
    }

    /// A customer's tickets, last changed first, at most 200.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn tickets_of(&self, customer: CustomerId) -> Result<Vec<Ticket>, Fault> {
        self.store
            .snapshot(move |tx| Ok(tx.tickets_of(customer, PAGE)?))
            .await
    }

    /// A customer's own ticket with its messages.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn conversation(
        &self,
        customer: CustomerId,
        id: TicketId,
    ) -> Result<Option<Conversation>, Fault> {
        self.store
            .snapshot(move |tx| {
                let ticket = tx.ticket(id)?.filter(|t| t.customer == customer);
                let Some(ticket) = ticket else {
                    return Ok(None);
                };
                Ok(Some(Conversation {
                    messages: tx.ticket_messages(id)?,
                    names: Vec::new(),
                    ticket,
                }))
            })
            .await
    }

    /// The tickets of a queue, at most 200.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn tickets_in(&self, queue: TicketQueue) -> Result<Vec<Ticket>, Fault> {
        self.store
            .snapshot(move |tx| Ok(tx.tickets_in(queue, PAGE)?))
            .await
    }

    /// A ticket as a member of staff sees it; recorded.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn open_conversation(
        &self,
        staff: StaffId,
        id: TicketId,
    ) -> Result<Option<Conversation>, Fault> {
        let app = self.clone();
        let now = self.now();
        self.store
            .transact(move |tx| {
                let Some(ticket) = tx.ticket(id)? else {
                    return Ok(None);
                };
                let subject = StaffSubject::Ticket(id);
                app.log_deed(tx, Deed::of(staff, StaffAction::TicketViewed, subject), now)?;
                Ok(Some(Conversation {
                    messages: tx.ticket_messages(id)?,
                    names: tx.staff_names()?,
                    ticket,
                }))
            })
            .await
    }

    fn answer_in(
        &self,
        tx: &mut dyn Tx,
        writer: TicketWriter,
        (id, seen): (TicketId, u32),
        text: &TicketText,
        now: Timestamp,
    ) -> Result<(), TicketRefusal> {
        let ticket = ticket_of(tx, writer, id)?;
        let author = writer.author();
        if ticket.messages != seen {
            let index = usize::try_from(seen).unwrap_or(usize::MAX);
            let messages = tx.ticket_messages(id)?;
            let same =
                |message: &TicketMessage| message.author == author && message.text == text.as_str();
            if messages.get(index).is_some_and(same) {
                // The form came twice.
                return Ok(());
            }
            return Err(match ticket.state {
                TicketState::Closed { .. } => TicketRefusal::Closed,
                TicketState::Open | TicketState::Answered => TicketRefusal::MovedOn,
            });
        }
        let customer = ticket.customer;
        let ticket = ticket.written(author, now)?;
        let message = TicketMessage {
            author,
            text: text.as_str().to_owned(),
            at: now,
        };
        tx.insert_ticket_message(id, ticket.messages, &message)?;
        tx.update_ticket(&ticket)?;
        let TicketWriter::Staff(staff) = writer else {
            return Ok(());
        };
        let subject = StaffSubject::Ticket(id);
        self.log_deed(
            tx,
            Deed::of(staff, StaffAction::TicketAnswered, subject),
            now,
        )?;
        let key = format!("ticket:{id}:{}", ticket.messages);
        let url = format!("{}/support/{id}", self.settings.portal_url);
        let arguments = |contact: &Contact| {
            vec![
                ("ticket", quoted(&ticket.subject, contact.locale)),
                ("url", url),
            ]
        };
        Ok(self.tell_customer(
            tx,
            Notice {
                customer,
                template: Template::TicketAnswered,
                key,
            },
            arguments,
            now,
        )?)
    }
}

/// The beginning of a subject, short enough for a text message.
fn quoted(subject: &str, locale: Locale) -> String {
    let mut start: String = subject.chars().take(SUBJECT_CHARS_TOLD).collect();
    if start.len() < subject.len() {
        start.push('…');
    }
    match locale {
        Locale::ZhCn => format!("「{start}」"),
        Locale::En => format!("“{start}”"),
    }
}

/// The ticket, if it is there and the writer may touch it.
fn ticket_of(tx: &mut dyn Tx, writer: TicketWriter, id: TicketId) -> Result<Ticket, TicketRefusal> {
    let ticket = tx.ticket(id)?.ok_or(TicketRefusal::NoSuchTicket)?;
    match writer {
        TicketWriter::Customer(customer) => owned(ticket, customer),
        TicketWriter::Staff(_) => Ok(ticket),
    }
}

fn owned(ticket: Ticket, customer: CustomerId) -> Result<Ticket, TicketRefusal> {
    if ticket.customer == customer {
        Ok(ticket)
    } else {
        Err(TicketRefusal::NoSuchTicket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

    fn ticket(state: TicketState, messages: u32) -> Ticket {
        Ticket {
            id: TicketId::from_parts(1, &[1; 10]),
            customer: CustomerId::from_parts(1, &[2; 10]),
            subject: "网络".to_owned(),
            state,
            opened_at: NOW,
            changed_at: NOW,
            messages,
        }
    }

    #[test]
    fn the_last_writer_decides_who_waits() {
        let staff = Author::Staff(StaffId::from_parts(1, &[3; 10]));
        let closed = TicketState::Closed { at: NOW };
        let cases = [
            (TicketState::Open, 1, staff, Ok(TicketState::Answered)),
            (
                TicketState::Open,
                1,
                Author::Customer,
                Ok(TicketState::Open),
            ),
            (
                TicketState::Answered,
                2,
                Author::Customer,
                Ok(TicketState::Open),
            ),
            (TicketState::Answered, 2, staff, Ok(TicketState::Answered)),
            (closed, 2, staff, Err(TicketRefusal::Closed)),
            (
                closed,
                MESSAGES_MAX,
                Author::Customer,
                Err(TicketRefusal::Closed),
            ),
            (
                TicketState::Open,
                MESSAGES_MAX,
                staff,
                Err(TicketRefusal::Full),
            ),
        ];
        for (index, (state, messages, author, expected)) in cases.into_iter().enumerate() {
            let after = ticket(state, messages).written(author, NOW);
            assert_eq!(after.map(|ticket| ticket.state), expected, "case {index}");
        }
        let twice = ticket(closed, 1).closed(NOW.plus(simurgh_vocab::Duration::hours(1)));
        assert_eq!(twice.state, closed, "the first closing counts");
    }

    #[test]
    fn texts_are_taken_as_people_write_them() {
        let subject = |text: &str| TicketSubject::parse(text).map(|s| s.as_str().to_owned());
        let text = |text: &str| TicketText::parse(text).map(|t| t.as_str().to_owned());
        assert_eq!(subject(" 没有\n 网络 "), Ok("没有 网络".to_owned()));
        assert_eq!(text(" a\r\n\r\nb\tc\r"), Ok("a\n\nb\tc".to_owned()));
        assert_eq!(text(" \r\n "), Err(TicketTextRefusal::Empty));
        assert_eq!(text("a\0b"), Err(TicketTextRefusal::Unprintable));
        assert_eq!(subject("a\u{1b}[2J"), Err(TicketTextRefusal::Unprintable));
        assert_eq!(subject(&"长".repeat(121)), Err(TicketTextRefusal::TooLong));
        assert!(text(&"长".repeat(4_000)).is_ok());
    }
}
