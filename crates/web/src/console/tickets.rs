//! Tickets: the queues, one conversation, answers.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use simurgh_app::App;
use simurgh_app::desk::{Conversation, TicketRefusal, TicketText, TicketTextRefusal, TicketWriter};
use simurgh_app::ports::{Author, Ticket, TicketMessage, TicketQueue, TicketState};
use simurgh_vocab::{TicketId, Timestamp};

use super::session::{Done, Staff};

use super::words::{self, Mark, failed};
use crate::frame::{Form, Nav, Page, Refusal};
use crate::i18n::Text;
use crate::portal::fields::{Asked, Sent};
use crate::talk::Said;

/// A ticket in a table.
pub(super) struct TicketRow {
    pub(super) href: String,
    pub(super) subject: String,
    pub(super) mark: Mark,
    pub(super) messages: u32,
    pub(super) opened_at: Timestamp,
    pub(super) changed_at: Timestamp,
}

impl TicketRow {
    pub(super) fn of(t: &Text, ticket: &Ticket) -> Self {
        Self {
            href: format!("/tickets/{}", ticket.id),
            subject: ticket.subject.clone(),
            mark: words::ticket(t, ticket.state),
            messages: ticket.messages,
            opened_at: ticket.opened_at,
            changed_at: ticket.changed_at,
        }
    }
}

#[derive(Template)]
#[template(path = "console/tickets.html")]
struct TicketsPage {
    page: Page,
    queue: &'static str,
    rows: Vec<TicketRow>,
}

/// `GET /tickets?queue=open`.
pub(super) async fn list(
    State(app): State<App>,
    page: Page,
    Asked(fields): Asked,
) -> Result<Response, Refusal> {
    let (name, queue) = match fields.text("queue") {
        "" | "open" => ("open", TicketQueue::Open),
        "answered" => ("answered", TicketQueue::Answered),
        "closed" => ("closed", TicketQueue::Closed),
        _ => return Err(Refusal::BadRequest),
    };
    let tickets = app
        .tickets_in(queue)
        .await
        .map_err(|fault| failed(&fault))?;
    Ok(Page::answer(&TicketsPage {
        queue: name,
        rows: tickets
            .iter()
            .map(|ticket| TicketRow::of(&page.t, ticket))
            .collect(),
        page: page.at(Nav::Tickets),
    }))
}

#[derive(Template)]
#[template(path = "console/ticket.html")]
struct TicketPage {
    page: Page,
    form: Form,
    number: String,
    subject: String,
    customer: String,
    mark: Mark,
    opened_at: Timestamp,
    is_closed: bool,
    seen: usize,
    said: Vec<Said>,
}

/// `GET /tickets/{number}`.
pub(super) async fn show(
    State(app): State<App>,
    page: Page,
    staff: Staff,
    Path(number): Path<String>,
) -> Result<Response, Refusal> {
    let id = TicketId::from_number(&number).ok_or(Refusal::NotFound)?;
    let talk = open(&app, &staff, id).await?;
    Ok(Page::answer(&ticket_page(page, Form::new(), talk)))
}

/// `POST /tickets/{number}`: an answer.
pub(super) async fn answer(
    State(app): State<App>,
    page: Page,
    staff: Staff,
    Path(number): Path<String>,
    Sent(fields): Sent,
) -> Result<Response, Refusal> {
    let id = TicketId::from_number(&number).ok_or(Refusal::NotFound)?;
    let seen = fields.need("seen", |text| text.parse().ok())?;
    let refused = match TicketText::parse(fields.text("text")) {
        Err(TicketTextRefusal::Empty) => page.t.msg("desk-answer-empty"),
        Err(TicketTextRefusal::TooLong) => page.t.msg("desk-answer-long"),
        Err(TicketTextRefusal::Unprintable) => page.t.msg("desk-answer-unprintable"),
        Ok(text) => {
            let writer = TicketWriter::Staff(staff.0.staff);
            match app.answer_ticket(writer, id, seen, text).await {
                Ok(()) => return Ok(Done::TicketAnswered.at(&format!("/tickets/{id}"))),
                Err(refusal) => said_no(&page.t, refusal)?,
            }
        }
    };
    let mut form = Form::new().fill("text", fields.text("text"));
    form.refuse("text", refused);
    let talk = open(&app, &staff, id).await?;
    let mut response = Page::answer(&ticket_page(page, form, talk));
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}

/// `POST /tickets/{number}/close`.
pub(super) async fn close(
    State(app): State<App>,
    page: Page,
    staff: Staff,
    Path(number): Path<String>,
    Sent(_): Sent,
) -> Result<Response, Refusal> {
    let id = TicketId::from_number(&number).ok_or(Refusal::NotFound)?;
    let writer = TicketWriter::Staff(staff.0.staff);
    match app.close_ticket(writer, id).await {
        Ok(()) => Ok(Done::TicketClosed.at(&format!("/tickets/{id}"))),
        Err(refusal) => said_no(&page.t, refusal).and(Err(Refusal::BadRequest)),
    }
}

/// What a refusal says beside the form, where the writer can do something about it.
fn said_no(t: &Text, refusal: TicketRefusal) -> Result<String, Refusal> {
    match refusal {
        TicketRefusal::NoSuchTicket => Err(Refusal::NotFound),
        TicketRefusal::Closed => Ok(t.msg("desk-answer-closed")),
        TicketRefusal::MovedOn => Ok(t.msg("desk-answer-moved-on")),
        TicketRefusal::Full => Ok(t.msg("desk-answer-full")),
        TicketRefusal::TooManyOpen => Err(Refusal::BadRequest),
        TicketRefusal::Fault(fault) => Err(failed(&fault)),
    }
}

async fn open(app: &App, staff: &Staff, id: TicketId) -> Result<Conversation, Refusal> {
    let talk = app.open_conversation(staff.0.staff, id).await;
    talk.map_err(|fault| failed(&fault))?
        .ok_or(Refusal::NotFound)
}

fn ticket_page(page: Page, form: Form, talk: Conversation) -> TicketPage {
    let t = &page.t;
    let ticket = &talk.ticket;
    let said = |message: &TicketMessage| {
        let who = match message.author {
            Author::Customer => t.msg("desk-author-customer"),
            Author::Staff(id) => words::staff(t, &talk.names, Some(id)),
        };
        Said::by(who, message)
    };
    TicketPage {
        number: ticket.id.number(),
        subject: ticket.subject.clone(),
        customer: ticket.customer.number(),
        mark: words::ticket(t, ticket.state),
        opened_at: ticket.opened_at,
        is_closed: matches!(ticket.state, TicketState::Closed { .. }),
        seen: talk.messages.len(),
        said: talk.messages.iter().map(said).collect(),
        form,
        page: page.at(Nav::Tickets),
    }
}
