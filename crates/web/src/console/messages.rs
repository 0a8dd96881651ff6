//! The messages sent and their fate.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use simurgh_app::App;
use simurgh_app::ports::{Message, MessageState, Recipient};
use simurgh_vocab::{CustomerId, Timestamp};

use super::session::Staff;
use super::words::{self, Mark, failed};
use crate::frame::{Nav, Page, Refusal};
use crate::i18n::Text;
use crate::portal::fields::Asked;

/// A message in a table.
pub(super) struct MessageRow {
    pub(super) template: String,
    pub(super) channel: String,
    pub(super) to: String,
    pub(super) customer: String,
    pub(super) created_at: Timestamp,
    pub(super) mark: Mark,
    pub(super) detail: String,
}

impl MessageRow {
    pub(super) fn of(t: &Text, message: &Message) -> Self {
        Self {
            template: words::template(t, &message.template),
            channel: match message.to {
                Recipient::Sms(_) => t.msg("desk-channel-sms"),
                Recipient::Email(_) => t.msg("desk-channel-email"),
            },
            to: words::recipient(message),
            customer: message.customer.map(|id| id.number()).unwrap_or_default(),
            created_at: message.created_at,
            mark: words::message(t, &message.state),
            detail: match &message.state {
                MessageState::Failed { reason, .. } => reason.clone(),
                MessageState::Queued
                | MessageState::Sent { .. }
                | MessageState::Delivered { .. } => String::new(),
            },
        }
    }
}

#[derive(Template)]
#[template(path = "console/messages.html")]
struct MessagesPage {
    page: Page,
    customer: String,
    failed_only: bool,
    rows: Vec<MessageRow>,
}

/// `GET /messages`, `GET /messages?customer=NUMBER`, `GET /messages?state=failed`.
pub(super) async fn list(
    State(app): State<App>,
    page: Page,
    staff: Staff,
    Asked(fields): Asked,
) -> Result<Response, Refusal> {
    let customer = fields.read("customer", CustomerId::from_number)?;
    let failed_only = match fields.text("state") {
        "" => false,
        "failed" => true,
        _ => return Err(Refusal::BadRequest),
    };
    let messages = app.sent_messages(staff.0.staff, customer).await;
    let messages = messages.map_err(|fault| failed(&fault))?;
    let wanted =
        |message: &&Message| !failed_only || matches!(message.state, MessageState::Failed { .. });
    let rows = messages.iter().filter(wanted);
    Ok(Page::answer(&MessagesPage {
        customer: customer.map(|id| id.number()).unwrap_or_default(),
        failed_only,
        rows: rows
            .map(|message| MessageRow::of(&page.t, message))
            .collect(),
        page: page.at(Nav::Messages),
    }))
}
