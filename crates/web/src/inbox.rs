//! The demo's inbox: keeps the last messages that were "sent" and shows them. Never part of a
//! production portal.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use simurgh_app::ports::{Clock, Delivery, Envelope, Messenger, SendFailure, Sending};
use simurgh_vocab::{MessageId, Msisdn, Timestamp};

use crate::frame::Page;
use crate::state::WebState;

/// How many messages are kept.
const KEPT: usize = 200;

/// A message that was handed over.
#[derive(Debug, Clone, Serialize)]
pub struct Received {
    /// The message's number.
    pub id: String,
    /// `sms` or `email`.
    pub channel: &'static str,
    /// The recipient.
    pub to: String,
    /// The subject; empty for an SMS.
    pub subject: String,
    /// The text.
    pub text: String,
    /// When it came, in microseconds since 1970.
    pub at_micros: i64,
}

/// A messenger that keeps what it is given.
pub struct Inbox {
    clock: Arc<dyn Clock>,
    received: Mutex<VecDeque<Received>>,
}

impl Inbox {
    /// An empty inbox.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            received: Mutex::default(),
        }
    }

    /// What came, newest first.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.received
            .lock()
            .map(|kept| kept.iter().cloned().collect())
            .unwrap_or_default()
    }

    /// The short messages that came for a number, newest first.
    #[must_use]
    pub fn short_messages_to(&self, number: &Msisdn) -> Vec<Received> {
        let mut received = self.received();
        received.retain(|one| one.channel == "sms" && one.to == number.as_str());
        received
    }

    fn keep(&self, id: MessageId, envelope: Envelope) -> Result<Delivery, SendFailure> {
        let id = id.number();
        let at_micros = self.clock.now().as_micros();
        let message = match envelope {
            Envelope::Email {
                to, subject, text, ..
            } => Received {
                id: id.clone(),
                channel: "email",
                to: to.as_str().to_owned(),
                subject,
                text,
                at_micros,
            },
            Envelope::Sms { to, text } => Received {
                id: id.clone(),
                channel: "sms",
                to: to.as_str().to_owned(),
                subject: String::new(),
                text,
                at_micros,
            },
        };
        let mut kept = self
            .received
            .lock()
            .map_err(|_| SendFailure::Temporary("the inbox is broken".to_owned()))?;
        // The same message may be handed over again after a crash.
        if !kept.iter().any(|known| known.id == message.id) {
            kept.push_front(message);
            kept.truncate(KEPT);
        }
        Ok(Delivery::Accepted { reference: id })
    }
}

impl Messenger for Inbox {
    fn send(&self, id: MessageId, envelope: Envelope) -> Sending<'_> {
        let outcome = self.keep(id, envelope);
        Box::pin(async move { outcome })
    }
}

#[derive(Template)]
#[template(path = "demo/inbox.html")]
struct InboxPage {
    page: Page,
    received: Vec<Received>,
}

impl InboxPage {
    fn at(received: &Received) -> Timestamp {
        Timestamp::from_micros(received.at_micros)
    }
}

/// `/inbox` and `/inbox.json`.
pub fn routes(inbox: Arc<Inbox>) -> Router<WebState> {
    let shown = Arc::clone(&inbox);
    Router::new()
        .route(
            "/inbox",
            get(move |page: Page, State(_): State<WebState>| show(page, Arc::clone(&shown))),
        )
        .route("/inbox.json", get(move || list(Arc::clone(&inbox))))
}

async fn show(page: Page, inbox: Arc<Inbox>) -> Response {
    Page::answer(&InboxPage {
        page,
        received: inbox.received(),
    })
}

async fn list(inbox: Arc<Inbox>) -> Response {
    Json(inbox.received()).into_response()
}
