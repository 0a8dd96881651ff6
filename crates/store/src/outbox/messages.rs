//! Messages to people, and what became of them.

use simurgh_app::ports::{Message, MessageState, REFERENCE_SEPARATOR, Recipient, StoreFault};
use simurgh_vocab::{CustomerId, MessageId, Timestamp};

use crate::db::{Row, Value};
use crate::params;
use crate::rows::{exactly_one, execute_for_ids, insert_rows, read_all, read_one};
use crate::tx::StoreTx;

macro_rules! select_messages {
    ($rest:literal) => {
        concat!(
            "SELECT m.id, m.customer_id, m.channel, m.address, m.template, m.locale, m.arguments,
             m.created_at, m.state, m.state_at, m.reference, m.reason FROM message m ",
            $rest
        )
    };
}

const SMS: &str = "sms";
const EMAIL: &str = "email";

pub(super) fn insert(
    tx: &mut StoreTx<'_>,
    message: &Message,
    key: &str,
) -> Result<bool, StoreFault> {
    let (channel, address) = match &message.to {
        Recipient::Sms(number) => (SMS, Value::from(number)),
        Recipient::Email(address) => (EMAIL, Value::from(address)),
    };
    let (state, state_at, reference, reason) = state_columns(&message.state);
    let sql = "INSERT INTO message (id, message_key, customer_id, channel, address, template,
               locale, arguments, created_at, state, state_at, reference, reason)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
               ON CONFLICT (message_key) DO NOTHING";
    let params = params![
        message.id,
        key,
        message.customer,
        channel,
        address,
        &message.template,
        message.locale,
        arguments_text(&message.arguments)?,
        message.created_at,
        state,
        state_at,
        reference,
        reason,
    ];
    if tx.execute(sql, &params)? == 0 {
        return Ok(false);
    }
    insert_references(tx, message)?;
    Ok(true)
}

pub(super) fn forget(
    tx: &mut StoreTx<'_>,
    created_before: Timestamp,
    limit: u32,
) -> Result<u64, StoreFault> {
    let sql = "SELECT id FROM message WHERE created_at < ?1 AND state <> 'queued'
               ORDER BY created_at LIMIT ?2";
    let ids: Vec<MessageId> = read_all(tx.query(sql, &params![created_before, limit])?, Row::id)?;
    execute_for_ids(
        tx,
        "DELETE FROM message_reference WHERE message_id IN",
        &ids,
    )?;
    execute_for_ids(tx, "DELETE FROM message WHERE id IN", &ids)
}

/// Stores the state. The reference stays when the next state knows none.
pub(super) fn update(tx: &mut StoreTx<'_>, message: &Message) -> Result<(), StoreFault> {
    let (state, state_at, reference, reason) = state_columns(&message.state);
    let sql = "UPDATE message SET arguments = ?2, state = ?3, state_at = ?4,
               reference = COALESCE(?5, reference), reason = ?6 WHERE id = ?1";
    let arguments = arguments_text(&message.arguments)?;
    let params = params![message.id, arguments, state, state_at, reference, reason];
    exactly_one(tx.execute(sql, &params)?, "message")?;
    insert_references(tx, message)
}

/// Makes a short message known under the reference of each of its parts: receipts name those.
fn insert_references(tx: &mut StoreTx<'_>, message: &Message) -> Result<(), StoreFault> {
    let reference = match (&message.to, &message.state) {
        (Recipient::Sms(_), MessageState::Sent { reference, .. }) => reference,
        (Recipient::Sms(_) | Recipient::Email(_), _) => return Ok(()),
    };
    let parts: Vec<_> = reference
        .split(REFERENCE_SEPARATOR)
        .filter(|part| !part.is_empty())
        .map(|part| params![part, message.id])
        .collect();
    insert_rows(
        tx,
        "INSERT INTO message_reference (reference, message_id) VALUES",
        &parts,
        "ON CONFLICT (reference, message_id) DO NOTHING",
    )
}

pub(super) fn one(tx: &mut StoreTx<'_>, id: MessageId) -> Result<Option<Message>, StoreFault> {
    let sql = select_messages!("WHERE m.id = ?1");
    read_one(tx.query_one_or_none(sql, &params![id])?, read)
}

pub(super) fn by_reference(
    tx: &mut StoreTx<'_>,
    reference: &str,
) -> Result<Option<Message>, StoreFault> {
    let sql = select_messages!(
        "JOIN message_reference r ON r.message_id = m.id WHERE r.reference = ?1
         ORDER BY r.message_id DESC LIMIT 1"
    );
    read_one(tx.query_one_or_none_locked(sql, &params![reference])?, read)
}

pub(super) fn part_delivered(
    tx: &mut StoreTx<'_>,
    message: MessageId,
    reference: &str,
    at: Timestamp,
) -> Result<Vec<String>, StoreFault> {
    let arrived = "UPDATE message_reference SET delivered_at = ?3
                   WHERE reference = ?1 AND message_id = ?2 AND delivered_at IS NULL";
    tx.execute(arrived, &params![reference, message, at])?;
    let all = "SELECT reference FROM message_reference
               WHERE message_id = ?1 AND delivered_at IS NOT NULL ORDER BY reference";
    read_all(tx.query(all, &params![message])?, Row::text)
}

pub(super) fn of_customer(
    tx: &mut StoreTx<'_>,
    customer: CustomerId,
    limit: u32,
) -> Result<Vec<Message>, StoreFault> {
    let sql =
        select_messages!("WHERE m.customer_id = ?1 ORDER BY m.created_at DESC, m.id DESC LIMIT ?2");
    read_all(tx.query(sql, &params![customer, limit])?, read)
}

pub(super) fn recent(tx: &mut StoreTx<'_>, limit: u32) -> Result<Vec<Message>, StoreFault> {
    let sql = select_messages!("ORDER BY m.created_at DESC, m.id DESC LIMIT ?1");
    read_all(tx.query(sql, &params![limit])?, read)
}

fn read(row: &mut Row) -> Result<Message, StoreFault> {
    Ok(Message {
        id: row.id()?,
        customer: row.opt_id()?,
        to: read_recipient(row)?,
        template: row.text()?,
        locale: row.parsed()?,
        arguments: row.code(|text| serde_json::from_str(text).ok())?,
        created_at: row.timestamp()?,
        state: read_state(row)?,
    })
}

fn read_recipient(row: &mut Row) -> Result<Recipient, StoreFault> {
    match row.text()?.as_str() {
        SMS => row.parsed().map(Recipient::Sms),
        EMAIL => row.parsed().map(Recipient::Email),
        _ => Err(row.behind("no channel")),
    }
}

fn arguments_text(arguments: &[(String, String)]) -> Result<String, StoreFault> {
    serde_json::to_string(arguments).map_err(|error| StoreFault::Corrupt(error.to_string()))
}

type StateColumns<'m> = (
    &'static str,
    Option<Timestamp>,
    Option<&'m str>,
    Option<&'m str>,
);

/// The columns `state`, `state_at`, `reference` and `reason`.
fn state_columns(state: &MessageState) -> StateColumns<'_> {
    match state {
        MessageState::Queued => ("queued", None, None, None),
        MessageState::Sent { at, reference } => ("sent", Some(*at), Some(reference), None),
        MessageState::Delivered { at } => ("delivered", Some(*at), None, None),
        MessageState::Failed { at, reason } => ("failed", Some(*at), None, Some(reason)),
    }
}

fn read_state(row: &mut Row) -> Result<MessageState, StoreFault> {
    let (state, at) = (row.text()?, row.opt_timestamp()?);
    // The reference stays when the message has come further.
    match (state.as_str(), at, row.opt_text()?, row.opt_text()?) {
        ("queued", None, None, None) => Ok(MessageState::Queued),
        ("sent", Some(at), Some(reference), None) => Ok(MessageState::Sent { at, reference }),
        ("delivered", Some(at), _, None) => Ok(MessageState::Delivered { at }),
        ("failed", Some(at), _, Some(reason)) => Ok(MessageState::Failed { at, reason }),
        _ => Err(row.behind("no state of a message")),
    }
}
