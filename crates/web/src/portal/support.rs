//! A customer's questions to support, and the answers.

use askama::Template;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use simurgh_app::App;
use simurgh_app::desk::{
    Conversation, NewTicket, TicketRefusal, TicketSubject, TicketText, TicketTextRefusal,
    TicketWriter,
};
use simurgh_app::ports::{Author, Ticket, TicketMessage, TicketState};
use simurgh_vocab::{TicketId, Timestamp};

use super::fields::{Fields, Sent};
use super::shopper::failed;

use crate::frame::{Form, Nav, Page, Refusal, Tone};
use crate::i18n::{Text, key};
use crate::state::{SignedIn, WebState};
use crate::talk::Said;

/// The largest form of these pages, in octets: a question of 4,000 characters, of up to 12 octets
/// each once encoded, and a few short fields.
const FORM_OCTETS_MAX: usize = 64 * 1024;

/// The pages of support.
pub fn routes() -> Router<WebState> {
    Router::new()
        .route("/support", get(list).post(open))
        .route("/support/{number}", get(show).post(write))
        .route("/support/{number}/close", post(close))
        .layer(DefaultBodyLimit::max(FORM_OCTETS_MAX))
}

/// A ticket in the list.
struct Entry {
    href: String,
    subject: String,
    tone: Tone,
    state: String,
    changed_at: Timestamp,
}

#[derive(Template)]
#[template(path = "portal/support.html")]
struct SupportPage {
    page: Page,
    form: Form,
    /// The number that the next ticket will have.
    number: String,
    entries: Vec<Entry>,
}

/// `GET /support`.
async fn list(State(app): State<App>, page: Page, who: SignedIn) -> Result<Response, Refusal> {
    let number = app.make(TicketId::from_parts, page.now).number();
    support_page(&app, page, who, (Form::new(), number)).await
}

/// `POST /support`: a new question.
async fn open(
    State(app): State<App>,
    page: Page,
    who: SignedIn,
    Sent(fields): Sent,
) -> Result<Response, Refusal> {
    let id = fields.need("ticket", TicketId::from_number)?;
    let mut form = Form::new()
        .fill("subject", fields.text("subject"))
        .fill("text", fields.text("text"));
    if let Some(new) = read_new(&page.t, id, &fields, &mut form) {
        match app.open_ticket(who.customer, new).await {
            Ok(id) => return Ok(Redirect::to(&format!("/support/{id}")).into_response()),
            Err(refusal) => form.refuse("subject", said_no(&page.t, refusal)?),
        }
    }
    let mut response = support_page(&app, page, who, (form, id.number())).await?;
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}

async fn support_page(
    app: &App,
    page: Page,
    who: SignedIn,
    (form, number): (Form, String),
) -> Result<Response, Refusal> {
    let tickets = app.tickets_of(who.customer).await;
    let tickets = tickets.map_err(|fault| failed(&fault))?;
    let entry = |ticket: &Ticket| {
        let (tone, state) = state(&page.t, ticket.state);
        Entry {
            href: format!("/support/{}", ticket.id),
            subject: ticket.subject.clone(),
            tone,
            state,
            changed_at: ticket.changed_at,
        }
    };
    Ok(Page::answer(&SupportPage {
        entries: tickets.iter().map(entry).collect(),
        form,
        number,
        page: page.at(Nav::Help),
    }))
}

#[derive(Template)]
#[template(path = "portal/support-talk.html")]
struct TalkPage {
    page: Page,
    form: Form,
    number: String,
    subject: String,
    tone: Tone,
    state: String,
    waits: bool,
    is_closed: bool,
    seen: usize,
    said: Vec<Said>,
}

/// `GET /support/{number}`.
async fn show(
    State(app): State<App>,
    page: Page,
    who: SignedIn,
    Path(number): Path<String>,
) -> Result<Response, Refusal> {
    let id = TicketId::from_number(&number).ok_or(Refusal::NotFound)?;
    let talk = talk(&app, who, id).await?;
    Ok(Page::answer(&talk_page(page, Form::new(), talk)))
}

/// `POST /support/{number}`: one more message.
async fn write(
    State(app): State<App>,
    page: Page,
    who: SignedIn,
    Path(number): Path<String>,
    Sent(fields): Sent,
) -> Result<Response, Refusal> {
    let id = TicketId::from_number(&number).ok_or(Refusal::NotFound)?;
    let seen = fields.need("seen", |text| text.parse().ok())?;
    let refused = match TicketText::parse(fields.text("text")) {
        Err(refusal) => wrong(&page.t, refusal),
        Ok(text) => {
            let writer = TicketWriter::Customer(who.customer);
            match app.answer_ticket(writer, id, seen, text).await {
                Ok(()) => return Ok(Redirect::to(&format!("/support/{id}")).into_response()),
                Err(refusal) => said_no(&page.t, refusal)?,
            }
        }
    };
    let mut form = Form::new().fill("text", fields.text("text"));
    form.refuse("text", refused);
    let talk = talk(&app, who, id).await?;
    let mut response = Page::answer(&talk_page(page, form, talk));
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}

/// `POST /support/{number}/close`.
async fn close(
    State(app): State<App>,
    page: Page,
    who: SignedIn,
    Path(number): Path<String>,
    Sent(_): Sent,
) -> Result<Response, Refusal> {
    let id = TicketId::from_number(&number).ok_or(Refusal::NotFound)?;
    let writer = TicketWriter::Customer(who.customer);
    match app.close_ticket(writer, id).await {
        Ok(()) => Ok(Redirect::to(&format!("/support/{id}")).into_response()),
        Err(refusal) => said_no(&page.t, refusal).and(Err(Refusal::BadRequest)),
    }
}

async fn talk(app: &App, who: SignedIn, id: TicketId) -> Result<Conversation, Refusal> {
    let talk = app.conversation(who.customer, id).await;
    talk.map_err(|fault| failed(&fault))?
        .ok_or(Refusal::NotFound)
}

fn talk_page(page: Page, form: Form, talk: Conversation) -> TalkPage {
    let t = &page.t;
    let ticket = &talk.ticket;
    let said = |message: &TicketMessage| {
        let who = t.msg(match message.author {
            Author::Customer => key("support-you"),
            Author::Staff(_) => key("support-us"),
        });
        Said::by(who, message)
    };
    let (tone, state) = state(t, ticket.state);
    TalkPage {
        number: ticket.id.number(),
        subject: ticket.subject.clone(),
        tone,
        state,
        waits: ticket.state == TicketState::Open,
        is_closed: matches!(ticket.state, TicketState::Closed { .. }),
        seen: talk.messages.len(),
        said: talk.messages.iter().map(said).collect(),
        form,
        page: page.at(Nav::Help),
    }
}

/// The ticket in a form; what is wrong with it is in `form` when there is none.
fn read_new(t: &Text, id: TicketId, fields: &Fields, form: &mut Form) -> Option<NewTicket> {
    let subject = TicketSubject::parse(fields.text("subject"));
    let text = TicketText::parse(fields.text("text"));
    if let Err(refusal) = &subject {
        form.refuse("subject", wrong(t, *refusal));
    }
    if let Err(refusal) = &text {
        form.refuse("text", wrong(t, *refusal));
    }
    Some(NewTicket {
        id,
        subject: subject.ok()?,
        text: text.ok()?,
    })
}

fn wrong(t: &Text, refusal: TicketTextRefusal) -> String {
    t.msg(match refusal {
        TicketTextRefusal::Empty => key("support-empty"),
        TicketTextRefusal::TooLong => key("support-long"),
        TicketTextRefusal::Unprintable => key("support-unprintable"),
    })
}

/// What a refusal says beside the form, where the customer can do something about it.
fn said_no(t: &Text, refusal: TicketRefusal) -> Result<String, Refusal> {
    match refusal {
        TicketRefusal::NoSuchTicket => Err(Refusal::NotFound),
        TicketRefusal::Closed => Ok(t.msg("support-closed-text")),
        TicketRefusal::MovedOn => Ok(t.msg("support-moved-on")),
        TicketRefusal::Full => Ok(t.msg("support-full")),
        TicketRefusal::TooManyOpen => Ok(t.msg("support-too-many")),
        TicketRefusal::Fault(fault) => Err(failed(&fault)),
    }
}

fn state(t: &Text, state: TicketState) -> (Tone, String) {
    let (tone, key) = match state {
        TicketState::Open => (Tone::Info, key("support-open")),
        TicketState::Answered => (Tone::Success, key("support-answered")),
        TicketState::Closed { .. } => (Tone::Muted, key("support-closed")),
    };
    (tone, t.msg(key))
}
