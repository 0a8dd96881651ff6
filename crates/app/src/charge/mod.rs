//! Charging: what the network may use, decided before it is used.
//!
//! [`App::charge_uses`] decides a batch of requests in one transaction. A [`ChargeDesk`] gathers requests that
//! come one by one while the batch before is being committed; nobody is answered before the commit.

mod desk;
mod supervise;
mod tell;

pub use desk::{Asker, ChargeDesk, DeskOptions, Heard, Unheard};

use std::collections::BTreeSet;
use std::sync::Arc;

use simurgh_charging::{
    Answer, ChargeError, CommandResult, Decision, Outcome, Phase, Record, Report, ServiceReport,
    Session, Tariff, charge, has_credit, reached_thresholds, unit_standing, waits_for_first_use,
};
use simurgh_commerce::Catalogue;
use simurgh_vocab::{CountryCode, LineId, RecordId, TimeZoneName, Timestamp, Unit, ZoneCode};

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
    pub session: Arc<str>,
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
    pub client: Arc<str>,
    /// The realm of the client.
    pub realm: Arc<str>,
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
    pub async fn charge_uses(
        &self,
        requests: Arc<[UseRequest]>,
    ) -> Result<Vec<Arc<Answer>>, Fault> {
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
                let report = report(&request, app.places(&catalogue).zones(&request));
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
    ) -> Result<Vec<Arc<Answer>>, Fault> {
        let catalogue = self.current_catalogue(tx)?;
        let mut batch = Batch {
            books: tx.charge_books(&keys(requests))?,
            places: self.places(&catalogue),
            changed: BTreeSet::new(),
            changes: ChargeChanges::default(),
            warned: BTreeSet::new(),
        };
        self.start_on_first_use(tx, requests, &mut batch.books, now)?;
        let mut answers = Vec::with_capacity(requests.len());
        let lines_of = std::mem::take(&mut batch.books.lines_of);
        for (request, line) in requests.iter().zip(lines_of) {
            answers.push(self.decide_use(&mut batch, request, line, now)?);
        }
        self.keep(tx, batch, now)?;
        Ok(answers)
    }

    fn decide_use(
        &self,
        batch: &mut Batch<'_>,
        request: &UseRequest,
        line: Option<LineId>,
        now: Timestamp,
    ) -> Result<Arc<Answer>, Fault> {
        let session = batch.books.sessions.get(&request.session);
        let line = session.map(|session| session.line).or(line);
        let Some(at) = line.and_then(|line| batch.books.lines.get_mut(&line)) else {
            return Ok(refusal(match request.phase {
                Phase::Initial | Phase::Event => CommandResult::UnknownSubscriber,
                Phase::Update | Phase::Terminate => CommandResult::UnknownSession,
            }));
        };
        let before = warning_of(at, request.unit, now);
        let report = report(request, batch.places.zones(request));
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
    fn note_decision(
        &self,
        batch: &mut Batch<'_>,
        id: &Arc<str>,
        decision: Decision,
        now: Timestamp,
    ) {
        let session = decision.session;
        if let Some(at) = batch.books.lines.get(&session.line) {
            batch.changes.note_moves(&at.book, &decision.moves);
        }
        let previous = batch.books.sessions.get(id);
        let used = used_between(previous, &session, decision.record.as_ref());
        if used > 0 {
            batch.used(session.line, session.unit, used);
        }
        if let Some(record) = decision.record {
            let id = self.make(RecordId::from_parts, now);
            batch.changes.records.push((id, record));
        }
        batch.changed.insert(Arc::clone(id));
        batch.books.sessions.insert(Arc::clone(id), session);
    }

    fn keep(&self, tx: &mut dyn Tx, mut batch: Batch<'_>, now: Timestamp) -> Result<(), Fault> {
        let mut days: Vec<(Option<TimeZoneName>, i64)> = Vec::new();
        for (line, usage) in &mut batch.changes.usage {
            let at = batch.books.lines.get(line);
            let zone = at.and_then(|at| at.time_zone.as_ref());
            let known = days.iter().find(|(of, _)| of.as_ref() == zone);
            usage.day = match known {
                Some((_, day)) => *day,
                None => {
                    let day = self.day_in(zone, now);
                    days.push((zone.cloned(), day));
                    day
                }
            };
        }
        let known = &mut batch.books.sessions;
        let changed = batch.changed.into_iter();
        let changed = changed.filter_map(|id| known.remove_entry(&id));
        batch.changes.sessions.extend(changed);
        tx.save_charges(batch.changes)?;
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

    fn places<'c>(&self, catalogue: &'c Catalogue) -> Places<'c> {
        Places {
            catalogue,
            home: self.charging().home,
            known: Vec::new(),
        }
    }
}

fn report(request: &UseRequest, zones: Arc<[ZoneCode]>) -> Report {
    Report {
        number: request.number,
        phase: request.phase,
        unit: request.unit,
        zones,
        client: Arc::clone(&request.client),
        realm: Arc::clone(&request.realm),
        services: request.services.clone(),
    }
}

/// A batch under way.
struct Batch<'c> {
    books: ChargeBooks,
    places: Places<'c>,
    /// The sessions that have changed.
    changed: BTreeSet<Arc<str>>,
    changes: ChargeChanges,
    /// Lines and units of which another threshold was reached.
    warned: BTreeSet<(LineId, Unit)>,
}

impl Batch<'_> {
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

/// Where the network is used: most requests of a batch come from few countries.
struct Places<'c> {
    catalogue: &'c Catalogue,
    /// Where a client is that does not say where it is.
    home: Option<CountryCode>,
    known: Vec<(CountryCode, Arc<[ZoneCode]>)>,
}

impl Places<'_> {
    /// The zones that cover the place of a request.
    fn zones(&mut self, request: &UseRequest) -> Arc<[ZoneCode]> {
        let Some(country) = request.country.or(self.home) else {
            return Arc::default();
        };
        let known = self.known.iter().find(|(of, _)| *of == country);
        if let Some((_, zones)) = known {
            return Arc::clone(zones);
        }
        let zones: Arc<[ZoneCode]> = zones(self.catalogue, country).into();
        self.known.push((country, Arc::clone(&zones)));
        zones
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

fn keys(requests: &[UseRequest]) -> Vec<ChargeKey<'_>> {
    let requests = requests.iter();
    let keys = requests.map(|it| ChargeKey {
        session: &it.session,
        subscriber: &it.subscriber,
    });
    keys.collect()
}

fn refusal(result: CommandResult) -> Arc<Answer> {
    Arc::new(Answer {
        result,
        services: Vec::new(),
    })
}

fn warning_of(at: &ChargeLine, unit: Unit, now: Timestamp) -> Option<simurgh_charging::Warning> {
    reached_thresholds(&unit_standing(&at.book.buckets, unit, now)?)
}

/// What was used between two states of a session. What a record took away is counted from the record.
fn used_between(before: Option<&Session>, after: &Session, record: Option<&Record>) -> i64 {
    let sum = |session: &Session| -> i64 {
        let services = session.services.iter();
        services.fold(0, |sum, it| it.used.saturating_add(sum))
    };
    let written = record.map_or(0, |record| {
        let uses = record.uses.iter();
        uses.fold(0, |sum: i64, it| it.used.saturating_add(sum))
    });
    let before = before.map_or(0, sum);
    sum(after).saturating_add(written).saturating_sub(before)
}
