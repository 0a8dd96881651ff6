//! Messages to people: queued in the transaction that causes them, rendered and sent by the
//! outbox, once per key.

mod receipt;
mod render;
mod secret;

use simurgh_subscriber::Challenge;
use simurgh_vocab::{
    CustomerId, Duration, EmailAddress, Locale, MessageId, Msisdn, TimeZoneName, Timestamp,
};

use crate::jobs::Progress;
use crate::ports::{
    Contact, Delivery, Envelope, Message, MessageState, Recipient, SendFailure, StoreExt, Task, Tx,
};
use crate::{App, Fault};

pub use render::render;

/// What a message says. The texts are in `locales/*/messages.ftl` under the template's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Template {
    /// A one-time code; argument `code`, `minutes`.
    Code,
    /// Somebody tried to register with a number or address that has an account.
    AccountExists,
    /// A contact, password or second factor was changed; argument `what`.
    SecurityChange,
    /// An order was paid; arguments `order`, `plan`, `total`, `start`, `end`, `url`; `first` is `yes` while the eSIM
    /// waits at `esim` for a phone.
    OrderConfirmed,
    /// A payment failed; arguments `order`, `total`, `reason`, `url`.
    PaymentFailed,
    /// Money goes back; arguments `order`, `total`.
    Refund,
    /// A plan ends soon; arguments `days`, `end`, `url`.
    EndsSoon,
    /// A plan has ended and the line waits for renewal; arguments `until`, `url`.
    Ended,
    /// A line was suspended; argument `url`.
    Suspended,
    /// A share of an allowance is used; arguments `percent`, `service`, `left`, `url`.
    Used,
    /// A plan will be renewed automatically; arguments `total`, `method`, `date`, `end`, `url`.
    RenewalNotice,
    /// An automatic renewal failed and the customer must act; arguments `reason`, `end`, `url`.
    RenewalFailed,
    /// A support ticket was answered; arguments `ticket`, `url`.
    TicketAnswered,
    /// An identity check was decided; arguments `outcome`, `url`.
    IdentityDecided,
}

impl Template {
    /// Every template.
    pub const ALL: [Self; 14] = [
        Self::Code,
        Self::AccountExists,
        Self::SecurityChange,
        Self::OrderConfirmed,
        Self::PaymentFailed,
        Self::Refund,
        Self::EndsSoon,
        Self::Ended,
        Self::Suspended,
        Self::Used,
        Self::RenewalNotice,
        Self::RenewalFailed,
        Self::TicketAnswered,
        Self::IdentityDecided,
    ];

    /// The name it is stored under; also the start of its texts' keys.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::AccountExists => "account-exists",
            Self::SecurityChange => "security-change",
            Self::OrderConfirmed => "order-confirmed",
            Self::PaymentFailed => "payment-failed",
            Self::Refund => "refund",
            Self::EndsSoon => "ends-soon",
            Self::Ended => "ended",
            Self::Suspended => "suspended",
            Self::Used => "used",
            Self::RenewalNotice => "renewal-notice",
            Self::RenewalFailed => "renewal-failed",
            Self::TicketAnswered => "ticket-answered",
            Self::IdentityDecided => "identity-decided",
        }
    }

    /// Reads what [`code`](Self::code) wrote.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|template| template.code() == code)
    }

    /// Whether its arguments are secret: they are sealed while it waits, and emptied once it is
    /// sent or given up.
    #[must_use]
    pub const fn is_secret(self) -> bool {
        match self {
            Self::Code => true,
            Self::AccountExists
            | Self::SecurityChange
            | Self::OrderConfirmed
            | Self::PaymentFailed
            | Self::Refund
            | Self::EndsSoon
            | Self::Ended
            | Self::Suspended
            | Self::Used
            | Self::RenewalNotice
            | Self::RenewalFailed
            | Self::TicketAnswered
            | Self::IdentityDecided => false,
        }
    }

    /// How long it is worth sending; what is late is not sent at all.
    const fn lifetime(self) -> Option<Duration> {
        match self {
            Self::Code => Some(Challenge::LIFETIME),
            Self::AccountExists
            | Self::SecurityChange
            | Self::OrderConfirmed
            | Self::PaymentFailed
            | Self::Refund
            | Self::EndsSoon
            | Self::Ended
            | Self::Suspended
            | Self::Used
            | Self::RenewalNotice
            | Self::RenewalFailed
            | Self::TicketAnswered
            | Self::IdentityDecided => None,
        }
    }

    /// Whether it may wait for the morning when it goes by SMS.
    const fn may_wait(self) -> bool {
        match self {
            Self::EndsSoon
            | Self::Ended
            | Self::Suspended
            | Self::RenewalNotice
            | Self::RenewalFailed
            | Self::TicketAnswered => true,
            // A purchase waits for it, often with somebody before the screen.
            Self::IdentityDecided
            | Self::Code
            | Self::AccountExists
            | Self::SecurityChange
            | Self::OrderConfirmed
            | Self::PaymentFailed
            | Self::Refund
            // Follows use, which says that nobody sleeps.
            | Self::Used => false,
        }
    }
}

/// A message to be queued.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The customer it is about, if any.
    pub customer: Option<CustomerId>,
    /// Where it goes.
    pub to: Recipient,
    /// What it says.
    pub template: Template,
    /// In which language.
    pub locale: Locale,
    /// In whose night it is not sent (SMS only).
    pub time_zone: TimeZoneName,
    /// The template's arguments.
    pub arguments: Vec<(&'static str, String)>,
    /// Two messages of one key are one message.
    pub key: String,
}

/// What a customer is told, wherever they are reached.
#[derive(Debug, Clone)]
pub(crate) struct Notice {
    /// The customer.
    pub(crate) customer: CustomerId,
    /// What it says.
    pub(crate) template: Template,
    /// Two notices of one key are one message.
    pub(crate) key: String,
}

/// Attempts after which a message is given up: with the growing distances of the outbox this is
/// about half a day.
const ATTEMPTS_MAX: u32 = 12;

/// The quiet hours of SMS, in the customer's time: from, until.
const QUIET: (i8, i8) = (21, 8);

impl App {
    /// Queues a message in this transaction; does nothing if its key was queued before.
    ///
    /// # Errors
    /// The store's fault.
    pub(crate) fn queue_message(
        &self,
        tx: &mut dyn Tx,
        draft: Draft,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let id = self.make(MessageId::from_parts, now);
        let due_at = match &draft.to {
            Recipient::Sms(_) if draft.template.may_wait() => {
                after_quiet_hours(now, &draft.time_zone)
            }
            Recipient::Sms(_) | Recipient::Email(_) => now,
        };
        let mut arguments: Vec<_> = draft
            .arguments
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        if draft.template.is_secret() {
            arguments = self.sealed_arguments(id, &arguments)?;
        }
        let message = Message {
            id,
            customer: draft.customer,
            to: draft.to,
            template: draft.template.code().to_owned(),
            locale: draft.locale,
            arguments,
            created_at: now,
            state: MessageState::Queued,
        };
        if tx.insert_message(&message, &draft.key)? {
            self.enqueue(tx, Task::SendMessage(id), format!("message:{id}"), due_at)?;
        }
        Ok(())
    }

    /// Queues a message to a customer: by e-mail if an address is confirmed, else by SMS.
    pub(crate) fn tell_customer(
        &self,
        tx: &mut dyn Tx,
        notice: Notice,
        arguments: impl FnOnce(&Contact) -> Vec<(&'static str, String)>,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let Some(contact) = tx.contact_of(notice.customer)? else {
            return Ok(());
        };
        let Some(to) = preferred(contact.email.clone(), contact.phone.clone()) else {
            return Ok(());
        };
        let draft = Draft {
            customer: Some(notice.customer),
            to,
            template: notice.template,
            locale: contact.locale,
            time_zone: contact.time_zone.clone(),
            arguments: arguments(&contact),
            key: notice.key,
        };
        self.queue_message(tx, draft, now)
    }

    /// Hands a queued message over, unless it is too late or, for an SMS, the customer's night.
    pub(crate) async fn send_message(
        &self,
        id: MessageId,
        attempts: u32,
    ) -> Result<Progress, Fault> {
        let found = self
            .store
            .snapshot(move |tx| -> Result<_, Fault> {
                let message = tx.message(id)?;
                let contact = match message.as_ref().and_then(|message| message.customer) {
                    Some(customer) => tx.contact_of(customer)?,
                    None => None,
                };
                Ok(message.map(|message| (message, contact)))
            })
            .await?;
        let Some((message, contact)) = found.filter(|(m, _)| m.state == MessageState::Queued)
        else {
            return Ok(Progress::Done);
        };
        let at = self.now();
        // It was queued for a good hour, but its turn may have come late.
        if let Some(morning) = contact.and_then(|contact| morning_of(&message, &contact, at)) {
            return Ok(Progress::NotBefore(morning));
        }
        match self.attempt(&message, attempts, at).await {
            Some(state) => {
                self.record_fate(id, state).await?;
                Ok(Progress::Done)
            }
            None => Ok(Progress::Later),
        }
    }

    /// Tries to send a message; none if it must be tried again later.
    async fn attempt(
        &self,
        message: &Message,
        attempts: u32,
        at: Timestamp,
    ) -> Option<MessageState> {
        let id = message.id;
        let given_up = |reason: String| {
            tracing::warn!(message = %id, reason, "a message cannot be sent");
            Some(MessageState::Failed { at, reason })
        };
        let lifetime = Template::from_code(&message.template).and_then(Template::lifetime);
        if lifetime.is_some_and(|lifetime| at >= message.created_at.plus(lifetime)) {
            return given_up("it expired before it could be sent".to_owned());
        }
        let plain = match self.opened(message) {
            Ok(plain) => plain,
            Err(error) => return given_up(error.to_string()),
        };
        let envelope = envelope(&plain, &self.settings.brand);
        match self.messenger.send(id, envelope).await {
            Ok(Delivery::Accepted { reference }) => {
                let at = self.now();
                Some(MessageState::Sent { at, reference })
            }
            Err(SendFailure::Temporary(reason)) if attempts < ATTEMPTS_MAX => {
                tracing::info!(message = %id, attempts, reason, "a message must wait");
                None
            }
            Err(SendFailure::Temporary(reason) | SendFailure::Permanent(reason)) => {
                given_up(reason)
            }
        }
    }

    async fn record_fate(&self, id: MessageId, state: MessageState) -> Result<(), Fault> {
        self.store
            .transact(move |tx| -> Result<(), Fault> {
                let Some(mut message) = tx.message(id)? else {
                    return Ok(());
                };
                message.state = state.clone();
                if Template::from_code(&message.template).is_none_or(Template::is_secret) {
                    message.arguments.clear();
                }
                Ok(tx.update_message(&message)?)
            })
            .await
    }

    /// The newest messages to everybody, or to one customer.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn messages(
        &self,
        customer: Option<CustomerId>,
        limit: u32,
    ) -> Result<Vec<Message>, Fault> {
        self.store
            .snapshot(move |tx| match customer {
                Some(customer) => Ok(tx.messages_of(customer, limit)?),
                None => Ok(tx.recent_messages(limit)?),
            })
            .await
    }
}

fn preferred(email: Option<EmailAddress>, phone: Option<Msisdn>) -> Option<Recipient> {
    email.map(Recipient::Email).or(phone.map(Recipient::Sms))
}

fn envelope(message: &Message, brand: &str) -> Envelope {
    let rendered = render(message, brand);
    match &message.to {
        Recipient::Sms(to) => Envelope::Sms {
            to: to.clone(),
            text: rendered.sms,
        },
        Recipient::Email(to) => Envelope::Email {
            to: to.clone(),
            subject: rendered.subject,
            html: rendered.html,
            text: rendered.text,
            unsubscribe_url: None,
        },
    }
}

/// The morning that an SMS which can wait has to wait for, if it is night.
fn morning_of(message: &Message, contact: &Contact, now: Timestamp) -> Option<Timestamp> {
    let may_wait = Template::from_code(&message.template).is_some_and(Template::may_wait);
    match &message.to {
        Recipient::Sms(_) if may_wait => {
            Some(after_quiet_hours(now, &contact.time_zone)).filter(|morning| *morning > now)
        }
        Recipient::Sms(_) | Recipient::Email(_) => None,
    }
}

/// `now`, or eight in the morning if it is night in `zone`.
fn after_quiet_hours(now: Timestamp, zone: &TimeZoneName) -> Timestamp {
    let Ok(instant) = jiff::Timestamp::from_microsecond(now.as_micros()) else {
        return now;
    };
    let local = instant.to_zoned(zone.zone());
    let (from, until) = QUIET;
    let morning = if local.hour() >= from {
        local.date().tomorrow().ok()
    } else if local.hour() < until {
        Some(local.date())
    } else {
        None
    };
    morning
        .map(|date| date.at(until, 0, 0, 0))
        .and_then(|morning| morning.to_zoned(zone.zone()).ok())
        .map_or(now, |morning| {
            Timestamp::from_micros(morning.timestamp().as_microsecond())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shanghai(text: &str) -> Timestamp {
        let time: jiff::Timestamp = format!("{text}+08:00").parse().unwrap();
        Timestamp::from_micros(time.as_microsecond())
    }

    #[test]
    fn an_sms_that_can_wait_waits_for_the_morning() {
        let zone = "Asia/Shanghai".parse().unwrap();
        let cases = [
            ("2026-11-23T20:59:59", "2026-11-23T20:59:59"),
            ("2026-11-23T21:00:00", "2026-11-24T08:00:00"),
            ("2026-11-24T02:30:00", "2026-11-24T08:00:00"),
            ("2026-11-24T08:00:00", "2026-11-24T08:00:00"),
        ];
        for (now, due) in cases {
            assert_eq!(
                after_quiet_hours(shanghai(now), &zone),
                shanghai(due),
                "{now}"
            );
        }
    }
}
