//! Charging: what the network may use, decided before it is used.
//!
//! [`App::charge_uses`] decides a batch of requests in one transaction. A [`ChargeDesk`] gathers requests that
//! come one by one while the batch before is being committed; nobody is answered before the commit.

mod desk;
mod supervise;
mod tell;

pub use desk::{ChargeDesk, DeskOptions, Unheard};

use std::collections::BTreeSet;
use std::sync::Arc;

use simurgh_charging::{
    Answer, ChargeError, CommandResult, Decision, Outcome, Phase, Report, ServiceReport, Session,
    Tariff, charge, has_credit, reached_thresholds, standing, waits_for_first_use,
};
use simurgh_commerce::Catalogue;
use simurgh_vocab::{CountryCode, LineId, RecordId, Timestamp, Unit, ZoneCode};

use crate::ports::{
    ChargeBooks, ChargeChanges, ChargeKey, ChargeLine, DayUsage, Reauthorizer, StoreExt,
    Subscriber, Tx,
};
use crate::{App, Fault};

/// What the operator decides about charging.
#[derive(Clone, Default)]
pub struct Rules {
    /// Slices and times.
    pub tariff: Tariff,
    /// The country of a use whose place the network does not tell: the operator's own. None: such a use
    /// is in no zone, and nothing covers it.
    pub home: Option<CountryCode>,
    /// The way back to the network; without one, live sessions learn of a change when they report next.
    pub reauthorizer: Option<Arc<dyn Reauthorizer>>,
}

impl std::fmt::Debug for Rules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rules")
            .field("tariff", &self.tariff)
            .field("home", &self.home)
            .field("reauthorizer", &self.reauthorizer.is_some())
            .finish()
    }
}

/// A request of the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UseRequest {
    /// The session, as its client names it.
    pub session: String,
    /// The subscriber under all the names the client gave.
    pub subscriber: Vec<Subscriber>,
    /// Its number in the session.
    pub number: u32,
    /// Where in the session it comes.
    pub phase: Phase,
    /// What the session counts.
    pub unit: Unit,
    /// Where the network is used, if the client says so.
    pub country: Option<CountryCode>,
    /// Who asks, as it names itself.
    pub client: String,
    /// The realm of the client.
    pub realm: String,
    /// What was used and is asked for.
    pub services: Vec<ServiceReport>,
}

impl From<ChargeError> for Fault {
    fn from(error: ChargeError) -> Self {
        Self::Invariant(error.to_string())
    }
}

impl App {
    /// Decides requests in their order, in one transaction; one answer each.
    ///
    /// # Errors
    /// [`Fault`]; then nothing was decided.
    pub async fn charge_uses(&self, requests: Arc<[UseRequest]>) -> Result<Vec<Answer>, Fault> {
        let app = self.clone();
        let now = self.now();
        let answers = self
            .store
            .transact(move |tx| app.charge_in(tx, &requests, now))
            .await?;
        Ok(answers)
    }

    /// Whether a line has enough for what is asked; none if nobody has such a name. Nothing changes.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn check_balance(&self, request: UseRequest) -> Result<Option<bool>, Fault> {
        let app = self.clone();
        let now = self.now();
        self.store
            .snapshot(move |tx| {
                let catalogue = app.current_catalogue(tx)?;
                let mut books = tx.charge_books(&keys(std::slice::from_ref(&request)))?;
                let line = books.lines_of.first().copied().flatten();
                let Some(at) = line.and_then(|line| books.lines.get_mut(&line)) else {
                    return Ok(None);
                };
                let report = app.report(&request, &catalogue);
                let tariff = &app.charging().tariff;
                Ok(Some(has_credit(&mut at.book, &report, tariff, now)?))
            })
            .await
    }

    fn charge_in(
        &self,
        tx: &mut dyn Tx,
        requests: &[UseRequest],
        now: Timestamp,
    ) -> Result<Vec<Answer>, Fault> {
        let catalogue = self.current_catalogue(tx)?;
        let mut batch = Batch {
            books: tx.charge_books(&keys(requests))?,
            changes: ChargeChanges::default(),
            warned: BTreeSet::new(),
        };
        self.start_on_first_use(tx, requests, &mut batch.books, now)?;
        let mut answers = Vec::with_capacity(requests.len());
        let lines_of = std::mem::take(&mut batch.books.lines_of);
        for (request, line) in requests.iter().zip(lines_of) {
            answers.push(self.decide_use(&mut batch, request, line, &catalogue, now)?);
        }
        self.keep(tx, batch, now)?;
        Ok(answers)
    }

    fn decide_use(
        &self,
        batch: &mut Batch,
        request: &UseRequest,
        line: Option<LineId>,
        catalogue: &Catalogue,
        now: Timestamp,
    ) -> Result<Answer, Fault> {
        let session = batch.books.sessions.get(&request.session);
        let line = session.map(|session| session.line).or(line);
        let Some(at) = line.and_then(|line| batch.books.lines.get_mut(&line)) else {
            return Ok(refusal(match request.phase {
                Phase::Initial | Phase::Event => CommandResult::UnknownSubscriber,
                Phase::Update | Phase::Terminate => CommandResult::UnknownSession,
            }));
        };
        let before = warning_of(at, request.unit, now);
        let report = self.report(request, catalogue);
        let tariff = &self.charging().tariff;
        match charge(&mut at.book, session, &report, tariff, now)? {
            Outcome::Replayed(answer) => Ok(answer),
            Outcome::Refused(result) => Ok(refusal(result)),
            Outcome::Decided(decision) => {
                if warning_of(at, request.unit, now) != before {
                    batch.warned.insert((at.line.id, request.unit));
                }
                let answer = decision.session.answer_to(request.number).cloned();
                let missing = || Fault::Invariant("a decision without an answer".to_owned());
                let answer = answer.ok_or_else(missing)?;
                self.note_decision(batch, &request.session, *decision, now);
                Ok(answer)
            }
        }
    }

    /// Notes what a decision changes; the next request of the batch finds it.
    fn note_decision(&self, batch: &mut Batch, id: &str, decision: Decision, now: Timestamp) {
        let changes = &mut batch.changes;
        if let Some(at) = batch.books.lines.get(&decision.session.line) {
            changes.note_moves(&at.book, &decision.moves);
        }
        if let Some(record) = decision.record {
            let id = self.make(RecordId::from_parts, now);
            changes.records.push((id, record));
        }
        let session = decision.session;
        let previous = batch.books.sessions.insert(id.to_owned(), session.clone());
        let used = used_between(previous.as_ref(), &session, &changes.records);
        if used > 0 {
            batch.used(session.line, session.unit, used);
        }
        batch.changes.sessions.insert(id.to_owned(), session);
    }

    fn keep(&self, tx: &mut dyn Tx, mut batch: Batch, now: Timestamp) -> Result<(), Fault> {
        for (line, usage) in &mut batch.changes.usage {
            if let Some(at) = batch.books.lines.get(line) {
                usage.day = self.day_of(tx, at.line.customer, now)?;
            }
        }
        tx.save_charges(&batch.changes)?;
        for (line, unit) in batch.warned {
            // What follows reads the tables: they are brought up to date for whoever locks the line.
            if let Some(line) = tx.line(line)? {
                self.tell_thresholds(tx, &line, unit, now)?;
            }
        }
        Ok(())
    }

    /// The first use of a line starts the plans that wait for it.
    fn start_on_first_use(
        &self,
        tx: &mut dyn Tx,
        requests: &[UseRequest],
        books: &mut ChargeBooks,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let mut started = Vec::new();
        for (request, line) in requests.iter().zip(&books.lines_of) {
            let asks = request.services.iter().any(|it| it.asked.is_some());
            let Some(at) = line
                .and_then(|line| books.lines.get(&line))
                .filter(|_| asks)
            else {
                continue;
            };
            let is_new = !started.contains(&at.line.id);
            if is_new && at.book.in_service && waits_for_first_use(&at.book) {
                if let Some(line) = tx.line(at.line.id)? {
                    self.start_waiting_plans(tx, &line, now, |_| true)?;
                }
                started.push(at.line.id);
            }
        }
        if !started.is_empty() {
            books.lines.extend(tx.charge_lines(&started)?);
        }
        Ok(())
    }

    fn report(&self, request: &UseRequest, catalogue: &Catalogue) -> Report {
        let country = request.country.or(self.charging().home);
        Report {
            number: request.number,
            phase: request.phase,
            unit: request.unit,
            zones: country.map_or_else(Vec::new, |country| zones(catalogue, country)),
            client: request.client.clone(),
            realm: request.realm.clone(),
            services: request.services.clone(),
        }
    }
}

/// A batch under way.
struct Batch {
    books: ChargeBooks,
    changes: ChargeChanges,
    /// Lines and units of which another threshold was reached.
    warned: BTreeSet<(LineId, Unit)>,
}

impl Batch {
    fn used(&mut self, line: LineId, unit: Unit, amount: i64) {
        let mut all = self.changes.usage.iter_mut();
        match all.find(|(of, usage)| *of == line && usage.unit == unit) {
            Some((_, usage)) => usage.amount = usage.amount.saturating_add(amount),
            None => {
                let day = 0;
                let usage = DayUsage { day, unit, amount };
                self.changes.usage.push((line, usage));
            }
        }
    }
}

/// The zones that cover a country, those with the fewest countries first.
fn zones(catalogue: &Catalogue, country: CountryCode) -> Vec<ZoneCode> {
    let mut covering: Vec<_> = catalogue
        .zones
        .iter()
        .filter(|zone| zone.countries.contains(&country))
        .map(|zone| (zone.countries.len(), zone.code.clone()))
        .collect();
    covering.sort();
    covering.into_iter().map(|(_, code)| code).collect()
}

fn keys(requests: &[UseRequest]) -> Vec<ChargeKey> {
    let key = |request: &UseRequest| ChargeKey {
        session: request.session.clone(),
        subscriber: request.subscriber.clone(),
    };
    requests.iter().map(key).collect()
}

fn refusal(result: CommandResult) -> Answer {
    Answer {
        result,
        services: Vec::new(),
    }
}

fn warning_of(at: &ChargeLine, unit: Unit, now: Timestamp) -> Option<simurgh_charging::Warning> {
    let standing = standing(&at.book.buckets, now);
    let of_unit = standing.units.into_iter().find(|it| it.unit == unit)?;
    reached_thresholds(&of_unit)
}

/// What was used between two states of a session. What a record took away is counted from the record.
fn used_between(
    before: Option<&Session>,
    after: &Session,
    records: &[(RecordId, simurgh_charging::Record)],
) -> i64 {
    let sum = |session: &Session| -> i64 {
        let services = session.services.iter();
        services.fold(0, |sum, it| it.used.saturating_add(sum))
    };
    let written = match before {
        Some(before) if before.records == after.records => 0,
        None if after.records == 0 => 0,
        Some(_) | None => records.last().map_or(0, |(_, record)| {
            let uses = record.uses.iter();
            uses.fold(0, |sum: i64, it| it.used.saturating_add(sum))
        }),
    };
    let before = before.map_or(0, sum);
    sum(after).saturating_add(written).saturating_sub(before)
}
