//! A copy of what is kept about a person (GDPR Art. 15 and 20, PIPL Art. 45). Orders, bills and
//! use are added by whoever knows them.

use serde::Serialize;
use simurgh_subscriber::{IdentityCase, Person, RiskyAction, Session};
use simurgh_vocab::{CustomerId, SessionId, Timestamp};

use crate::ports::{AccountEvent, AccountEventKind, Message, MessageState, Recipient, Tx};
use crate::subscriber::{RiskyRefusal, refusals, risky};
use crate::{App, Fault};

/// Why nothing is exported. Precedence as listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExportRefusal {
    /// The session is over.
    #[error("please log in")]
    LoggedOut,
    /// Its holder must prove again who they are.
    #[error("please confirm that it is you")]
    NotFresh,
    /// The store or the program failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

refusals!(ExportRefusal);
risky!(ExportRefusal);

/// The personal part of an export. Times are RFC 3339 in UTC.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct PersonalData {
    /// The account's number.
    pub account: String,
    /// When it was made.
    pub registered_at: String,
    /// The name.
    pub name: String,
    /// The number.
    pub phone: String,
    /// The mailbox.
    pub email: Option<String>,
    /// When the mailbox was confirmed.
    pub email_confirmed_at: Option<String>,
    /// The user name.
    pub user_name: Option<String>,
    /// The language.
    pub language: &'static str,
    /// The time zone.
    pub time_zone: String,
    /// Consent to advertisements: `never_asked`, `given` or `withdrawn`.
    pub marketing: &'static str,
    /// Since when.
    pub marketing_since: Option<String>,
    /// When the password was chosen.
    pub password_since: Option<String>,
    /// Whether the second factor is on.
    pub second_factor: bool,
    /// Signed-in devices.
    pub sessions: Vec<SessionData>,
    /// What happened to the account, newest first.
    pub events: Vec<EventData>,
    /// Identity checks.
    pub identity_checks: Vec<CheckData>,
    /// Messages, newest first.
    pub messages: Vec<MessageData>,
}

/// A signed-in device.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct SessionData {
    /// The device.
    pub device: String,
    /// When it logged in.
    pub begun_at: String,
    /// When it was last used.
    pub seen_at: String,
}

/// Something that happened.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct EventData {
    /// When.
    pub at: String,
    /// What.
    pub what: &'static str,
}

/// An identity check.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct CheckData {
    /// The rule that asked for it.
    pub rule: String,
    /// Where it stands.
    pub state: &'static str,
    /// Since when.
    pub since: String,
}

/// A message.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct MessageData {
    /// When it was written.
    pub at: String,
    /// Where it went.
    pub to: String,
    /// What it was about.
    pub template: String,
    /// What became of it.
    pub state: &'static str,
}

/// How much of the history an export holds.
const HISTORY_MAX: u32 = 1_000;

impl App {
    /// The personal part of a copy of somebody's data.
    ///
    /// # Errors
    /// [`ExportRefusal`].
    pub async fn export_personal_data(
        &self,
        session: SessionId,
    ) -> Result<PersonalData, ExportRefusal> {
        let app = self.clone();
        let now = self.now();
        self.decide(move |tx| -> Result<PersonalData, ExportRefusal> {
            let action = RiskyAction::ExportData;
            let session = app.require_fresh::<RiskyRefusal>(tx, session, action, now)?;
            let data = personal_data(tx, session.customer)?;
            app.note(tx, session.customer, AccountEventKind::DataExported, now)?;
            data.ok_or(ExportRefusal::LoggedOut)
        })
        .await
    }
}

fn personal_data(tx: &mut dyn Tx, id: CustomerId) -> Result<Option<PersonalData>, Fault> {
    let Some(customer) = tx.customer(id)? else {
        return Ok(None);
    };
    let Some(person) = customer.active() else {
        return Ok(None);
    };
    let credentials = tx.credentials(id)?;
    let base = described(id, customer.registered_at, person);
    Ok(Some(PersonalData {
        password_since: credentials.password.map(|stored| stored.since.to_string()),
        second_factor: credentials.second_factor.is_on(),
        sessions: tx.open_sessions_of(id)?.into_iter().map(session).collect(),
        events: tx
            .account_events(id, HISTORY_MAX)?
            .iter()
            .map(event)
            .collect(),
        identity_checks: tx.cases_of(id)?.into_iter().map(check).collect(),
        messages: tx
            .messages_of(id, HISTORY_MAX)?
            .into_iter()
            .map(message)
            .collect(),
        ..base
    }))
}

fn described(id: CustomerId, registered_at: Timestamp, person: &Person) -> PersonalData {
    let email = person.email.as_ref();
    PersonalData {
        account: id.number(),
        registered_at: registered_at.to_string(),
        name: person.name.as_str().to_owned(),
        phone: person.phone.as_str().to_owned(),
        email: email.map(|email| email.address.as_str().to_owned()),
        email_confirmed_at: email
            .and_then(|email| email.confirmed_at)
            .map(|at| at.to_string()),
        user_name: person
            .user_name
            .as_ref()
            .map(|name| name.as_str().to_owned()),
        language: person.locale.tag(),
        time_zone: person.time_zone.as_str().to_owned(),
        marketing: person.marketing.code(),
        marketing_since: person.marketing.at().map(|at| at.to_string()),
        password_since: None,
        second_factor: false,
        sessions: Vec::new(),
        events: Vec::new(),
        identity_checks: Vec::new(),
        messages: Vec::new(),
    }
}

fn session(session: Session) -> SessionData {
    SessionData {
        device: session.device,
        begun_at: session.begun_at.to_string(),
        seen_at: session.seen_at.to_string(),
    }
}

fn event(event: &AccountEvent) -> EventData {
    EventData {
        at: event.at.to_string(),
        what: event.kind.code(),
    }
}

fn check(case: IdentityCase) -> CheckData {
    CheckData {
        state: case.state.code(),
        since: case.state.since().to_string(),
        rule: case.rule,
    }
}

fn message(message: Message) -> MessageData {
    MessageData {
        at: message.created_at.to_string(),
        to: match message.to {
            Recipient::Sms(number) => number.as_str().to_owned(),
            Recipient::Email(address) => address.as_str().to_owned(),
        },
        template: message.template,
        state: match message.state {
            MessageState::Queued => "queued",
            MessageState::Sent { .. } => "sent",
            MessageState::Delivered { .. } => "delivered",
            MessageState::Failed { .. } => "failed",
        },
    }
}
