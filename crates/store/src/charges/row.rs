//! How sessions and records stand in their `body`: a version, then the fields in order (postcard).

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use simurgh_app::ports::StoreFault;
use simurgh_charging::{
    Answer, Answered, CommandResult, Debit, Hold, Quota, Record, RecordCause, RecordedUse,
    ServiceAnswer, ServiceKey, ServiceResult, ServiceState, Session, SessionStanding,
};
use simurgh_vocab::{BucketId, Duration, LineId, Timestamp, Unit, ZoneCode};
use uuid::Uuid;

/// The version of the rows written now.
const VERSION: u8 = 1;

/// A session as a row.
pub(super) fn write_session(session: &Session) -> Result<Vec<u8>, StoreFault> {
    write(&SessionRow::from(session))
}

/// Reads what [`write_session`] wrote.
pub(super) fn read_session(
    line: LineId,
    is_live: bool,
    body: &[u8],
) -> Result<Session, StoreFault> {
    let row: SessionRow = read(body)?;
    row.into_session(line, is_live)
}

/// A record as a row.
pub(super) fn write_record(record: &Record) -> Result<Vec<u8>, StoreFault> {
    write(&RecordRow::from(record))
}

/// Reads what [`write_record`] wrote.
pub(super) fn read_record(line: LineId, body: &[u8]) -> Result<Record, StoreFault> {
    let row: RecordRow = read(body)?;
    row.into_record(line)
}

fn write<T: Serialize>(row: &T) -> Result<Vec<u8>, StoreFault> {
    let mut octets = Vec::with_capacity(USUAL_OCTETS);
    octets.push(VERSION);
    append(octets, row)
}

/// Room for a session of one service.
const USUAL_OCTETS: usize = 384;

/// Adds a value to `octets`.
pub(super) fn append<T: Serialize>(octets: Vec<u8>, value: &T) -> Result<Vec<u8>, StoreFault> {
    postcard::serialize_with_flavor(value, Octets(octets))
        .map_err(|error| StoreFault::Corrupt(format!("a charging row: {error}")))
}

/// Where postcard writes: unlike its own way of extending a vector, slices are copied whole.
struct Octets(Vec<u8>);

impl postcard::ser_flavors::Flavor for Octets {
    type Output = Vec<u8>;

    fn try_push(&mut self, octet: u8) -> postcard::Result<()> {
        self.0.push(octet);
        Ok(())
    }

    fn try_extend(&mut self, octets: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(octets);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<Vec<u8>> {
        Ok(self.0)
    }
}

fn read<'r, T: Deserialize<'r>>(body: &'r [u8]) -> Result<T, StoreFault> {
    match body.split_first() {
        Some((&VERSION, row)) => postcard::from_bytes(row)
            .map_err(|error| StoreFault::Corrupt(format!("a charging row: {error}"))),
        Some(_) | None => Err(corrupt("its version")),
    }
}

fn corrupt(what: &str) -> StoreFault {
    StoreFault::Corrupt(format!("a charging row: {what} is not known"))
}

#[derive(Serialize, Deserialize)]
struct SessionRow<'a> {
    unit: u8,
    #[serde(borrow)]
    client: Cow<'a, str>,
    #[serde(borrow)]
    realm: Cow<'a, str>,
    opened_at: i64,
    heard_at: i64,
    due_at: i64,
    #[serde(borrow)]
    services: Vec<ServiceRow<'a>>,
    answered: Vec<(u32, AnswerRow)>,
    records: u32,
}

#[derive(Serialize, Deserialize)]
struct ServiceRow<'a> {
    key: KeyRow,
    #[serde(borrow)]
    zones: Vec<Cow<'a, str>>,
    free: bool,
    holds: Vec<PartRow>,
    debits: Vec<PartRow>,
    lapsed: Vec<PartRow>,
    used: i64,
    uncovered: i64,
}

/// Rating group and service.
type KeyRow = (Option<u32>, Option<u32>);
/// A bucket and an amount.
type PartRow = ([u8; 16], i64);

#[derive(Serialize, Deserialize)]
struct AnswerRow {
    result: u8,
    services: Vec<(KeyRow, ResultRow)>,
}

#[derive(Serialize, Deserialize)]
enum ResultRow {
    Reported,
    Granted {
        amount: i64,
        validity: i64,
        threshold: i64,
        last: bool,
    },
    LimitReached,
    Denied,
}

#[derive(Serialize, Deserialize)]
struct RecordRow {
    unit: u8,
    opened_at: i64,
    closed_at: i64,
    part: u32,
    cause: u8,
    uses: Vec<UseRow>,
}

#[derive(Serialize, Deserialize)]
struct UseRow {
    key: KeyRow,
    zone: Option<String>,
    used: i64,
    uncovered: i64,
    debits: Vec<PartRow>,
    lapsed: Vec<PartRow>,
}

impl<'a> From<&'a Session> for SessionRow<'a> {
    fn from(session: &'a Session) -> Self {
        Self {
            unit: number_of(&Unit::ALL, &session.unit),
            client: Cow::Borrowed(&session.client),
            realm: Cow::Borrowed(&session.realm),
            opened_at: session.opened_at.as_micros(),
            heard_at: session.heard_at.as_micros(),
            due_at: session.due_at.as_micros(),
            services: session.services.iter().map(ServiceRow::from).collect(),
            answered: session
                .answered
                .iter()
                .map(|it| (it.number, AnswerRow::from(&*it.answer)))
                .collect(),
            records: session.records,
        }
    }
}

impl SessionRow<'_> {
    fn into_session(self, line: LineId, is_live: bool) -> Result<Session, StoreFault> {
        let services = self.services.into_iter().map(ServiceRow::into_state);
        let answered = self.answered.into_iter().map(|(number, answer)| {
            let answer = answer.into_answer()?;
            let answer = Arc::new(answer);
            Ok(Answered { number, answer })
        });
        Ok(Session {
            line,
            unit: numbered(&Unit::ALL, self.unit, "its unit")?,
            standing: if is_live {
                SessionStanding::Live
            } else {
                SessionStanding::Over
            },
            client: self.client.into(),
            realm: self.realm.into(),
            opened_at: Timestamp::from_micros(self.opened_at),
            heard_at: Timestamp::from_micros(self.heard_at),
            due_at: Timestamp::from_micros(self.due_at),
            services: services.collect::<Result<_, _>>()?,
            answered: answered.collect::<Result<_, StoreFault>>()?,
            records: self.records,
        })
    }
}

impl<'a> From<&'a ServiceState> for ServiceRow<'a> {
    fn from(state: &'a ServiceState) -> Self {
        let holds = state.holds.iter();
        Self {
            key: key_row(state.key),
            zones: zone_rows(&state.zones),
            free: state.free,
            holds: holds.map(|it| (*it.bucket.as_bytes(), it.amount)).collect(),
            debits: part_rows(&state.debits),
            lapsed: part_rows(&state.lapsed),
            used: state.used,
            uncovered: state.uncovered,
        }
    }
}

impl ServiceRow<'_> {
    fn into_state(self) -> Result<ServiceState, StoreFault> {
        let holds = self.holds.into_iter();
        Ok(ServiceState {
            key: key(self.key),
            zones: self
                .zones
                .iter()
                .map(|it| zone(it))
                .collect::<Result<_, _>>()?,
            free: self.free,
            holds: holds
                .map(|(id, amount)| Hold {
                    bucket: bucket(id),
                    amount,
                })
                .collect(),
            debits: debits(self.debits),
            lapsed: debits(self.lapsed),
            used: self.used,
            uncovered: self.uncovered,
        })
    }
}

impl From<&Answer> for AnswerRow {
    fn from(answer: &Answer) -> Self {
        let services = answer.services.iter();
        Self {
            result: number_of(&RESULTS, &answer.result),
            services: services
                .map(|it| (key_row(it.key), ResultRow::from(&it.result)))
                .collect(),
        }
    }
}

impl AnswerRow {
    fn into_answer(self) -> Result<Answer, StoreFault> {
        let services = self.services.into_iter();
        Ok(Answer {
            result: numbered(&RESULTS, self.result, "its result")?,
            services: services
                .map(|(row, result)| ServiceAnswer {
                    key: key(row),
                    result: result.into_result(),
                })
                .collect(),
        })
    }
}

impl From<&ServiceResult> for ResultRow {
    fn from(result: &ServiceResult) -> Self {
        match result {
            ServiceResult::Reported => Self::Reported,
            ServiceResult::Granted(quota) => Self::Granted {
                amount: quota.amount,
                validity: quota.validity.as_micros(),
                threshold: quota.threshold,
                last: quota.last,
            },
            ServiceResult::LimitReached => Self::LimitReached,
            ServiceResult::Denied => Self::Denied,
        }
    }
}

impl ResultRow {
    fn into_result(self) -> ServiceResult {
        match self {
            Self::Reported => ServiceResult::Reported,
            Self::Granted {
                amount,
                validity,
                threshold,
                last,
            } => ServiceResult::Granted(Quota {
                amount,
                validity: span(validity),
                threshold,
                last,
            }),
            Self::LimitReached => ServiceResult::LimitReached,
            Self::Denied => ServiceResult::Denied,
        }
    }
}

impl From<&Record> for RecordRow {
    fn from(record: &Record) -> Self {
        let uses = record.uses.iter();
        Self {
            unit: number_of(&Unit::ALL, &record.unit),
            opened_at: record.opened_at.as_micros(),
            closed_at: record.closed_at.as_micros(),
            part: record.part,
            cause: number_of(&RecordCause::ALL, &record.cause),
            uses: uses
                .map(|it| UseRow {
                    key: key_row(it.key),
                    zone: it.zone.as_ref().map(ToString::to_string),
                    used: it.used,
                    uncovered: it.uncovered,
                    debits: part_rows(&it.debits),
                    lapsed: part_rows(&it.lapsed),
                })
                .collect(),
        }
    }
}

impl RecordRow {
    fn into_record(self, line: LineId) -> Result<Record, StoreFault> {
        let uses = self.uses.into_iter().map(|it| {
            Ok(RecordedUse {
                key: key(it.key),
                zone: it.zone.as_deref().map(zone).transpose()?,
                used: it.used,
                uncovered: it.uncovered,
                debits: debits(it.debits),
                lapsed: debits(it.lapsed),
            })
        });
        Ok(Record {
            line,
            unit: numbered(&Unit::ALL, self.unit, "its unit")?,
            opened_at: Timestamp::from_micros(self.opened_at),
            closed_at: Timestamp::from_micros(self.closed_at),
            part: self.part,
            cause: numbered(&RecordCause::ALL, self.cause, "its cause")?,
            uses: uses.collect::<Result<_, StoreFault>>()?,
        })
    }
}

/// The results in the order of their numbers in rows; a new one comes last.
const RESULTS: [CommandResult; 5] = [
    CommandResult::Taken,
    CommandResult::UnknownSession,
    CommandResult::OutOfOrder,
    CommandResult::UnknownSubscriber,
    CommandResult::NotInService,
];

fn number_of<T: PartialEq>(all: &[T], one: &T) -> u8 {
    let place = all.iter().position(|it| it == one);
    place
        .and_then(|it| u8::try_from(it).ok())
        .unwrap_or(u8::MAX)
}

fn numbered<T: Copy>(all: &[T], number: u8, what: &str) -> Result<T, StoreFault> {
    all.get(usize::from(number))
        .copied()
        .ok_or_else(|| corrupt(what))
}

fn key_row(key: ServiceKey) -> KeyRow {
    (key.rating_group, key.service_identifier)
}

fn key((rating_group, service_identifier): KeyRow) -> ServiceKey {
    ServiceKey {
        rating_group,
        service_identifier,
    }
}

fn zone_rows(zones: &[ZoneCode]) -> Vec<Cow<'_, str>> {
    let names = zones.iter();
    names.map(|it| Cow::Borrowed(it.as_str())).collect()
}

fn part_rows(debits: &[Debit]) -> Vec<PartRow> {
    let parts = debits.iter();
    parts.map(|it| (*it.bucket.as_bytes(), it.amount)).collect()
}

fn debits(rows: Vec<PartRow>) -> Vec<Debit> {
    let parts = rows.into_iter();
    parts
        .map(|(id, amount)| Debit {
            bucket: bucket(id),
            amount,
        })
        .collect()
}

fn bucket(id: [u8; 16]) -> BucketId {
    BucketId::from_uuid(Uuid::from_bytes(id))
}

fn zone(text: &str) -> Result<ZoneCode, StoreFault> {
    text.parse().map_err(|_| corrupt("its zone"))
}

fn span(micros: i64) -> Duration {
    Timestamp::from_micros(micros).since(Timestamp::from_micros(0))
}
