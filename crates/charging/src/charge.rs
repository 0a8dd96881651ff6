//! One request of a session: debit what was used, release the rest, reserve anew.
//!
//! What was used is taken from what the session holds; what goes beyond the grant from what is left of the
//! buckets that cover the place where it was granted; what no bucket covers is counted and said in the
//! record. A bucket whose time is over, or which was closed, gets nothing back: what is released of it has
//! expired.

use std::sync::Arc;

use simurgh_ledger::{BucketRole, Move};
use simurgh_vocab::{BucketId, Duration, LineId, Timestamp, Unit, ZoneCode};

use crate::answer::{Answer, CommandResult, Quota, ServiceAnswer, ServiceResult};
use crate::record::{Record, RecordCause};
use crate::report::{Asked, Phase, Report, ServiceReport};
use crate::session::{Debit, Hold, ServiceKey, ServiceState, Session, Standing};
use crate::tariff::{Slice, Tariff, UnknownSessions};
use crate::{BucketBalance, BucketWindow};

/// A line as a session finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineBook {
    /// The line.
    pub line: LineId,
    /// Whether the line may use the network.
    pub in_service: bool,
    /// Its buckets, those that are over as long as something of them is held.
    pub buckets: Vec<BucketBalance>,
    /// How many live sessions of the line there are, the one that asks included or not.
    pub sessions: u32,
}

/// What a request changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The session as it is now.
    pub session: Session,
    /// What moves inside the buckets, in this order.
    pub moves: Vec<Move>,
    /// What is written down.
    pub record: Option<Record>,
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was answered before; nothing changes.
    Replayed(Arc<Answer>),
    /// It changes nothing and leaves nothing behind.
    Refused(CommandResult),
    /// It changes something. The answer is the session's latest under its number.
    Decided(Box<Decision>),
}

/// Why a request could not be decided. Each is a defect of this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChargeError {
    /// The session holds a part of a bucket that the book does not have.
    #[error("a session holds a part of bucket {0}, which its line does not have")]
    StrangeBucket(BucketId),
    /// A bucket would leave its bounds.
    #[error(transparent)]
    Move(#[from] simurgh_ledger::MoveError),
}

/// Decides a request. `book` is changed as the moves say, so that the next request of a batch finds it.
///
/// # Errors
/// [`ChargeError`]; `book` may be changed in part then.
pub fn charge(
    book: &mut LineBook,
    session: Option<&Session>,
    report: &Report,
    tariff: &Tariff,
    now: Timestamp,
) -> Result<Outcome, ChargeError> {
    let mut session = match (session, report.phase) {
        (Some(known), _) => {
            if let Some(answer) = known.answer_to(report.number) {
                return Ok(Outcome::Replayed(Arc::clone(answer)));
            }
            match (known.standing, report.phase) {
                (Standing::Over, Phase::Update | Phase::Terminate) => {
                    return Ok(Outcome::Refused(CommandResult::UnknownSession));
                }
                (Standing::Over | Standing::Live, Phase::Initial | Phase::Event) => {
                    return Ok(Outcome::Refused(CommandResult::OutOfOrder));
                }
                (Standing::Live, Phase::Update | Phase::Terminate) => {}
            }
            if known.is_forgotten(report.number) {
                return Ok(Outcome::Refused(CommandResult::OutOfOrder));
            }
            known.clone()
        }
        (None, _) => {
            if let Some(outcome) = unbegun(book, report, tariff, now) {
                return Ok(outcome);
            }
            book.sessions = book.sessions.saturating_add(1);
            open(book.line, report, now)
        }
    };
    session.client.clone_from(&report.client);
    session.realm.clone_from(&report.realm);
    session.heard_at = now;
    let mut work = Work {
        book,
        tariff,
        now,
        unit: report.unit,
        moves: Vec::new(),
    };
    let services = work.take_reports(&mut session, report)?;
    let mut record = None;
    match report.phase {
        Phase::Initial | Phase::Update => {
            session.due_at = now.plus(tariff.validity.times(SUPERVISION));
        }
        Phase::Terminate | Phase::Event => {
            let cause = match report.phase {
                Phase::Event => RecordCause::Event,
                Phase::Initial | Phase::Update | Phase::Terminate => RecordCause::Terminated,
            };
            record = Some(work.end(&mut session, cause)?).filter(Record::says_something);
            session.due_at = now.plus(REMEMBERED);
        }
    }
    let result = CommandResult::Taken;
    session.keep(report.number, Answer { result, services });
    let moves = work.moves;
    Ok(Outcome::Decided(Box::new(Decision {
        session,
        moves,
        record,
    })))
}

/// Gives up a session that was not heard of in time, or that has to end: what it holds is released, and
/// nothing that was not reported is debited.
///
/// Source: `RFC 8506 §13` (the supervision timer Tcc).
///
/// # Errors
/// [`ChargeError`].
pub fn give_up(
    book: &mut LineBook,
    session: &Session,
    tariff: &Tariff,
    now: Timestamp,
) -> Result<Decision, ChargeError> {
    let mut session = session.clone();
    let mut work = Work {
        book,
        tariff,
        now,
        unit: session.unit,
        moves: Vec::new(),
    };
    let record = work.end(&mut session, RecordCause::GivenUp)?;
    session.due_at = now.plus(REMEMBERED);
    let moves = work.moves;
    Ok(Decision {
        session,
        moves,
        record: Some(record),
    })
}

/// A session is given up after this many times the validity of its quota. Source: `RFC 8506 §13`.
const SUPERVISION: u32 = 2;
/// How long an ended session answers repeated requests.
const REMEMBERED: Duration = Duration::hours(1);

/// What becomes of a request of a session that is not known, when none is opened for it.
fn unbegun(book: &LineBook, report: &Report, tariff: &Tariff, now: Timestamp) -> Option<Outcome> {
    let refused = |result| Some(Outcome::Refused(result));
    match (report.phase, tariff.unknown_sessions) {
        (Phase::Initial | Phase::Event, _) if !book.in_service => {
            refused(CommandResult::NotInService)
        }
        (Phase::Initial | Phase::Event, _)
        | (Phase::Update | Phase::Terminate, UnknownSessions::TakenOver) => None,
        (Phase::Update, UnknownSessions::Refused) => refused(CommandResult::UnknownSession),
        (Phase::Terminate, UnknownSessions::Refused) => Some(tombstone(book.line, report, now)),
    }
}

fn open(line: LineId, report: &Report, now: Timestamp) -> Session {
    Session {
        line,
        unit: report.unit,
        standing: Standing::Live,
        client: report.client.clone(),
        realm: report.realm.clone(),
        opened_at: now,
        heard_at: now,
        due_at: now,
        services: Vec::new(),
        answered: Vec::new(),
        records: 0,
    }
}

/// The end came before the beginning. The beginning, when it comes, must not hold anything.
fn tombstone(line: LineId, report: &Report, now: Timestamp) -> Outcome {
    let mut session = open(line, report, now);
    session.standing = Standing::Over;
    session.due_at = now.plus(REMEMBERED);
    let answer = Answer {
        result: CommandResult::UnknownSession,
        services: Vec::new(),
    };
    session.keep(report.number, answer);
    Outcome::Decided(Box::new(Decision {
        session,
        moves: Vec::new(),
        record: None,
    }))
}

/// A decision under way.
struct Work<'w> {
    book: &'w mut LineBook,
    tariff: &'w Tariff,
    now: Timestamp,
    unit: Unit,
    moves: Vec<Move>,
}

impl Work<'_> {
    /// Debits everything that was used before anything is granted.
    fn take_reports(
        &mut self,
        session: &mut Session,
        report: &Report,
    ) -> Result<Vec<ServiceAnswer>, ChargeError> {
        for told in &report.services {
            if let Some(service) = find(session, told.key) {
                if let Some(used) = told.used {
                    self.debit(service, used)?;
                }
                if told.used.is_some() || told.asked.is_some() {
                    self.release(service)?;
                }
            } else if told.used.is_some() || told.asked.is_some() {
                let mut service = self.begin(told.key, report);
                self.debit(&mut service, told.used.unwrap_or(0))?;
                session.services.push(service);
            }
        }
        let mut answers = Vec::with_capacity(report.services.len());
        for told in &report.services {
            let result = match (told.asked, report.phase) {
                (Some(asked), Phase::Initial | Phase::Update) => {
                    self.grant(session, told, asked, report)?
                }
                (Some(asked), Phase::Event) => self.debit_event(session, told.key, asked)?,
                (Some(_) | None, _) => ServiceResult::Reported,
            };
            let key = told.key;
            answers.push(ServiceAnswer { key, result });
        }
        Ok(answers)
    }

    fn begin(&self, key: ServiceKey, report: &Report) -> ServiceState {
        ServiceState {
            key,
            zones: Arc::clone(&report.zones),
            free: self.tariff.is_free(key.rating_group),
            holds: Vec::new(),
            debits: Vec::new(),
            lapsed: Vec::new(),
            used: 0,
            uncovered: 0,
        }
    }

    /// Takes what was used: first from what is held, then from what is left.
    fn debit(&mut self, service: &mut ServiceState, used: i64) -> Result<(), ChargeError> {
        let mut rest = used.max(0);
        service.used = service.used.saturating_add(rest);
        if service.free {
            return Ok(());
        }
        let mut holds = std::mem::take(&mut service.holds);
        for hold in &mut holds {
            let taken = rest.min(hold.amount);
            rest -= taken;
            hold.amount -= taken;
            self.shift(hold.bucket, BucketRole::Reserved, BucketRole::Used, taken)?;
            note(&mut service.debits, hold.bucket, taken);
        }
        service.holds = holds;
        for bucket in self.covering(&service.zones, service.key) {
            let taken = rest.min(self.left(bucket)?);
            rest -= taken;
            self.shift(bucket, BucketRole::Left, BucketRole::Used, taken)?;
            note(&mut service.debits, bucket, taken);
        }
        service.uncovered = service.uncovered.saturating_add(rest);
        Ok(())
    }

    /// Gives back what is held and was not used.
    fn release(&mut self, service: &mut ServiceState) -> Result<(), ChargeError> {
        for hold in std::mem::take(&mut service.holds) {
            let bucket = &self.balance(hold.bucket)?.bucket;
            let is_over = bucket.closed || bucket.ends_at().is_some_and(|end| end <= self.now);
            let to = if is_over {
                note(&mut service.lapsed, hold.bucket, hold.amount);
                BucketRole::Expired
            } else {
                BucketRole::Left
            };
            self.shift(hold.bucket, BucketRole::Reserved, to, hold.amount)?;
        }
        Ok(())
    }

    /// Reserves a slice for a service that holds nothing.
    fn grant(
        &mut self,
        session: &mut Session,
        told: &ServiceReport,
        asked: Asked,
        report: &Report,
    ) -> Result<ServiceResult, ChargeError> {
        if !self.book.in_service {
            return Ok(ServiceResult::Denied);
        }
        let Some(service) = find(session, told.key) else {
            return Ok(ServiceResult::Reported);
        };
        service.zones.clone_from(&report.zones);
        let slice = self.tariff.slice(report.unit);
        let wish = match asked {
            Asked::Any | Asked::UpTo(..=0) => slice.most,
            Asked::UpTo(amount) => amount.min(slice.most),
        };
        if service.free {
            return Ok(ServiceResult::Granted(self.quota(wish, false, None)));
        }
        let left = self.covered(&report.zones, told.key)?;
        if left == 0 {
            return Ok(ServiceResult::LimitReached);
        }
        // Everyone who may ask for more finds something: nobody gets more than half of an equal share.
        let share = left / (2 * i64::from(self.book.sessions.max(1)));
        let most = self.most_until_the_end(slice, &report.zones, told.key);
        let amount = share.clamp(slice.least, most.max(slice.least)).min(left);
        let amount = if asked_for_less(asked, amount) {
            wish
        } else {
            amount
        };
        let mut rest = amount;
        let mut until = None;
        for bucket in self.covering(&report.zones, told.key) {
            let taken = rest.min(self.left(bucket)?);
            if taken > 0 {
                rest -= taken;
                self.shift(bucket, BucketRole::Left, BucketRole::Reserved, taken)?;
                service.holds.push(Hold {
                    bucket,
                    amount: taken,
                });
                until = until
                    .into_iter()
                    .chain(self.balance(bucket)?.bucket.ends_at())
                    .min();
            }
        }
        Ok(ServiceResult::Granted(self.quota(
            amount,
            amount == left,
            until,
        )))
    }

    /// The most of a slice, in proportion to the time that the soonest end leaves of the usual validity,
    /// rounded down: shortly before an end little is held that nobody will use.
    fn most_until_the_end(&self, slice: Slice, zones: &[ZoneCode], key: ServiceKey) -> i64 {
        let ends_soon = |it: &&BucketBalance| {
            let end = it.bucket.ends_at();
            end.is_some_and(|end| end < self.now.plus(self.tariff.validity))
        };
        if !self.book.buckets.iter().any(|it| ends_soon(&it)) {
            return slice.most;
        }
        let covering = self.covering(zones, key);
        let of_book = self.book.buckets.iter();
        let ends = of_book.filter(|it| covering.contains(&it.bucket.id));
        let Some(end) = ends.filter_map(|it| it.bucket.ends_at()).min() else {
            return slice.most;
        };
        let usual = i128::from(self.tariff.validity.as_micros());
        let left = i128::from(end.since(self.now).as_micros());
        if left >= usual || usual <= 0 {
            return slice.most;
        }
        i64::try_from(i128::from(slice.most) * left / usual).unwrap_or(slice.most)
    }

    /// Debits an event: all of it, or nothing.
    fn debit_event(
        &mut self,
        session: &mut Session,
        key: ServiceKey,
        asked: Asked,
    ) -> Result<ServiceResult, ChargeError> {
        let Some(service) = find(session, key) else {
            return Ok(ServiceResult::Reported);
        };
        let amount = match asked {
            Asked::Any => 1,
            Asked::UpTo(amount) => amount.max(0),
        };
        if !service.free && self.covered(&service.zones, service.key)? < amount {
            return Ok(ServiceResult::LimitReached);
        }
        self.debit(service, amount)?;
        Ok(ServiceResult::Granted(Quota {
            amount,
            validity: Duration::ZERO,
            threshold: 0,
            last: false,
        }))
    }

    /// What is left in the buckets that cover the place and the service.
    fn covered(&self, zones: &[ZoneCode], key: ServiceKey) -> Result<i64, ChargeError> {
        let mut left = 0i64;
        for bucket in self.covering(zones, key) {
            left = left.saturating_add(self.left(bucket)?);
        }
        Ok(left)
    }

    fn quota(&self, amount: i64, last: bool, until: Option<Timestamp>) -> Quota {
        let mut validity = self.tariff.validity;
        if let Some(until) = until {
            validity = validity.min(until.since(self.now));
        }
        // The last units are used up before the client asks again. Source: RFC 8506 §5.6.
        let threshold = match last {
            true => 0,
            false => amount / 100 * i64::from(self.tariff.threshold_percent.min(99)),
        };
        Quota {
            amount,
            validity,
            threshold,
            last,
        }
    }

    /// Releases everything and writes the record.
    fn end(&mut self, session: &mut Session, cause: RecordCause) -> Result<Record, ChargeError> {
        for service in &mut session.services {
            self.release(service)?;
        }
        session.standing = Standing::Over;
        self.book.sessions = self.book.sessions.saturating_sub(1);
        Ok(Record::take(session, cause, self.now))
    }

    /// The open buckets that cover one of the zones and the service and count the session's unit, in the
    /// order in which they pay: [`BucketTerms`](crate::BucketTerms).
    fn covering(&self, zones: &[ZoneCode], key: ServiceKey) -> Vec<BucketId> {
        let mut open: Vec<_> = self
            .book
            .buckets
            .iter()
            .filter(|it| it.bucket.counts(self.unit) && it.bucket.is_open(self.now))
            .filter(|it| it.holding.left > 0 && it.bucket.terms.covers(key.rating_group))
            .filter_map(|it| {
                let place = zones.iter().position(|zone| *zone == it.bucket.zone)?;
                let terms = &it.bucket.terms;
                let for_any = terms.rating_groups.is_empty();
                let turn = (terms.priority, it.bucket.ends_at(), for_any, place);
                Some((turn, it.bucket.id))
            })
            .collect();
        open.sort_unstable();
        open.into_iter().map(|(_, id)| id).collect()
    }

    fn balance(&self, id: BucketId) -> Result<&BucketBalance, ChargeError> {
        let mut all = self.book.buckets.iter();
        all.find(|it| it.bucket.id == id)
            .ok_or(ChargeError::StrangeBucket(id))
    }

    fn left(&self, id: BucketId) -> Result<i64, ChargeError> {
        Ok(self.balance(id)?.holding.left)
    }

    fn shift(
        &mut self,
        bucket: BucketId,
        from: BucketRole,
        to: BucketRole,
        amount: i64,
    ) -> Result<(), ChargeError> {
        if amount == 0 {
            return Ok(());
        }
        let what = Move {
            bucket,
            from,
            to,
            amount,
        };
        let mut all = self.book.buckets.iter_mut();
        let balance = all.find(|it| it.bucket.id == bucket);
        let balance = balance.ok_or(ChargeError::StrangeBucket(bucket))?;
        balance.holding = balance.holding.after(&what)?;
        self.moves.push(what);
        Ok(())
    }
}

/// Whether there is enough left for all that is asked for together; nothing changes.
///
/// Source: `RFC 8506 §6.2` (balance check).
///
/// # Errors
/// [`ChargeError`].
pub fn has_credit(
    book: &mut LineBook,
    report: &Report,
    tariff: &Tariff,
    now: Timestamp,
) -> Result<bool, ChargeError> {
    let work = Work {
        book,
        tariff,
        now,
        unit: report.unit,
        moves: Vec::new(),
    };
    let mut spent = Vec::new();
    let mut is_covered = true;
    for told in &report.services {
        let mut rest = match told.asked {
            Some(Asked::UpTo(amount)) => amount.max(1),
            Some(Asked::Any) => 1,
            None => continue,
        };
        for bucket in work.covering(&report.zones, told.key) {
            let parts = spent.iter().filter(|it: &&Debit| it.bucket == bucket);
            let before: i64 = parts.map(|it| it.amount).sum();
            let taken = rest.min(work.left(bucket)? - before);
            rest -= taken;
            note(&mut spent, bucket, taken);
        }
        is_covered &= rest == 0;
    }
    if spent.is_empty() && is_covered {
        is_covered = work.covered(&report.zones, ServiceKey::default())? > 0;
    }
    Ok(work.book.in_service && is_covered)
}

/// Whether a plan of the line waits for its first use: it is started before the request is decided.
#[must_use]
pub fn waits_for_first_use(book: &LineBook) -> bool {
    let mut windows = book.buckets.iter().map(|it| it.bucket.window);
    windows.any(|window| matches!(window, BucketWindow::OnFirstUse { .. }))
}

fn asked_for_less(asked: Asked, amount: i64) -> bool {
    matches!(asked, Asked::UpTo(wish) if (1..amount).contains(&wish))
}

fn find(session: &mut Session, key: ServiceKey) -> Option<&mut ServiceState> {
    session.services.iter_mut().find(|it| it.key == key)
}

fn note(debits: &mut Vec<Debit>, bucket: BucketId, amount: i64) {
    if amount == 0 {
        return;
    }
    match debits.iter_mut().find(|debit| debit.bucket == bucket) {
        Some(debit) => debit.amount = debit.amount.saturating_add(amount),
        None => debits.push(Debit { bucket, amount }),
    }
}
