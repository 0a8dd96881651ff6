//! What the writer of the embedded store remembers of charging.
//!
//! There is one writer, so it may keep what it wrote: the books of the lines it charged lately and
//! their live sessions. A charged batch is one row of the journal (`journal.rs`); the tables
//! follow within a second (`fold.rs`), a few lines with each commit. Who locks a line finds it in the
//! tables at once ([`Memory::give_away`]). What is remembered is lost with the process, or when a
//! transaction that changed it is undone; it is then read again: the tables, and the journal on top
//! of them.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use simurgh_app::ports::{
    ChargeBooks, ChargeChanges, ChargeKey, ChargeLine, DayUsage, StoreFault, Subscriber,
};
use simurgh_charging::{Session, SessionStanding};
use simurgh_ledger::Holding;
use simurgh_vocab::{BucketId, LineId, RecordId, Timestamp};

use super::journal::{self, Entry, Page};
use super::{fold, row, tables};
use crate::tx::StoreTx;

/// How many lines are remembered; of more, those that were not charged lately are forgotten. A line
/// takes about a kilobyte.
const LINES_MAX: usize = 1_000_000;
/// How many names of subscribers are remembered; then all are forgotten.
const NAMES_MAX: usize = 2 * LINES_MAX;
/// The least time between two portions: the larger they are, the more lines share a page.
const STEP: Duration = Duration::from_millis(40);

/// See the module.
#[derive(Default)]
pub(crate) struct Memory {
    /// Whether the journal has been read.
    is_known: bool,
    lines: HashMap<LineId, Remembered>,
    /// The lines of the sessions that are remembered.
    homes: HashMap<Arc<str>, LineId>,
    names: HashMap<Subscriber, LineId>,
    /// Lines in the order in which they were first remembered, for forgetting.
    queue: VecDeque<LineId>,
    /// Lines that the tables do not know as they are, the longest first; see [`Dirty`].
    dirty: VecDeque<Dirty>,
    /// When lines were brought into the tables last.
    folded: Option<Instant>,
    next_seq: u64,
    /// Lines that the transaction under way has brought into the tables for somebody else.
    given_away: Vec<LineId>,
    /// Whether the transaction under way has changed what is remembered.
    is_changed: bool,
}

/// A line that was charged. It counts as long as the line says the same number.
struct Dirty {
    seq: u64,
    line: LineId,
}

/// A line as it is remembered.
pub(super) struct Remembered {
    pub(super) at: ChargeLine,
    pub(super) sessions: HashMap<Arc<str>, Kept>,
    /// Records that are not in the tables.
    pub(super) records: Vec<KeptRecord>,
    /// What was used and is not in the tables.
    pub(super) usage: Vec<DayUsage>,
    /// Buckets that are not in the tables as they are.
    pub(super) buckets: BTreeSet<BucketId>,
    /// The first row of the journal that is not in the tables.
    dirty: Option<u64>,
    /// Whether it was asked for since the last look.
    is_used: bool,
}

/// A session as it is remembered.
pub(super) struct Kept {
    /// None when it has ended: then it is kept until it is in the tables.
    live: Option<Session>,
    pub(super) due_at: Timestamp,
    pub(super) body: Vec<u8>,
    pub(super) is_changed: bool,
}

impl Kept {
    pub(super) const fn is_live(&self) -> bool {
        self.live.is_some()
    }

    fn session(&self, line: LineId) -> Result<Session, StoreFault> {
        match &self.live {
            Some(session) => Ok(session.clone()),
            None => row::read_session(line, false, &self.body),
        }
    }
}

/// A record on its way to the tables.
pub(super) struct KeptRecord {
    pub(super) id: RecordId,
    pub(super) closed_at: Timestamp,
    pub(super) body: Vec<u8>,
}

impl Remembered {
    fn new(at: ChargeLine) -> Self {
        Self {
            at,
            sessions: HashMap::new(),
            records: Vec::new(),
            usage: Vec::new(),
            buckets: BTreeSet::new(),
            dirty: None,
            is_used: true,
        }
    }

    fn set_amounts(&mut self, bucket: BucketId, amounts: journal::Amounts) {
        let mut all = self.at.book.buckets.iter_mut();
        if let Some(balance) = all.find(|it| it.bucket.id == bucket) {
            balance.holding = journal::with_amounts(balance.holding, amounts);
            self.buckets.insert(bucket);
        }
    }

    fn add_usage(&mut self, more: DayUsage) {
        let mut all = self.usage.iter_mut();
        match all.find(|it| it.day == more.day && it.unit == more.unit) {
            Some(it) => it.amount = it.amount.saturating_add(more.amount),
            None => self.usage.push(more),
        }
    }

    pub(super) fn holding(&self, bucket: BucketId) -> Option<Holding> {
        let mut all = self.at.book.buckets.iter();
        let found = all.find(|it| it.bucket.id == bucket);
        found.map(|it| it.holding)
    }
}

impl Memory {
    /// Loads what the keys name, as [`tables::charge_books`] does.
    pub(super) fn charge_books(
        &mut self,
        tx: &mut StoreTx<'_>,
        keys: &[ChargeKey<'_>],
    ) -> Result<ChargeBooks, StoreFault> {
        self.know(tx)?;
        let strange = keys.iter().map(|key| &**key.session);
        let strange: BTreeSet<&str> = strange.filter(|it| !self.homes.contains_key(*it)).collect();
        // A session that is in the tables only: it has ended, or its line was not charged lately.
        let elsewhere = tables::sessions(tx, strange.into_iter())?;
        self.learn_names(tx, keys, &elsewhere)?;
        let line_of = |key: &ChargeKey<'_>| {
            let home = self.homes.get(key.session).copied();
            let stored = || elsewhere.get(key.session).map(|it| it.line);
            let mut names = key.subscriber.iter();
            home.or_else(stored)
                .or_else(|| names.find_map(|name| self.names.get(name)).copied())
        };
        let lines_of: Vec<Option<LineId>> = keys.iter().map(line_of).collect();
        let wanted: BTreeSet<LineId> = lines_of.iter().flatten().copied().collect();
        tables::lock(tx, &wanted)?;
        self.learn_lines(tx, &wanted)?;
        let mut sessions = elsewhere;
        for (key, line) in keys.iter().zip(&lines_of) {
            let line = line.and_then(|id| Some((id, self.lines.get(&id)?)));
            let Some((line, remembered)) = line else {
                continue;
            };
            if let Some(kept) = remembered.sessions.get(key.session)
                && !sessions.contains_key(key.session)
            {
                sessions.insert(Arc::clone(key.session), kept.session(line)?);
            }
        }
        Ok(ChargeBooks {
            sessions,
            lines_of,
            lines: self.copies(&wanted),
        })
    }

    /// Loads lines, as [`tables::charge_lines`] does.
    pub(super) fn charge_lines(
        &mut self,
        tx: &mut StoreTx<'_>,
        lines: &[LineId],
    ) -> Result<HashMap<LineId, ChargeLine>, StoreFault> {
        self.know(tx)?;
        let wanted = lines.iter().copied().collect();
        tables::lock(tx, &wanted)?;
        self.learn_lines(tx, &wanted)?;
        Ok(self.copies(&wanted))
    }

    /// The live sessions of a line, in the order of their names, if the line is remembered.
    pub(super) fn live_sessions(
        &mut self,
        tx: &mut StoreTx<'_>,
        line: LineId,
    ) -> Result<Option<Vec<(String, Session)>>, StoreFault> {
        self.know(tx)?;
        if self.given_away.contains(&line) {
            return Ok(None);
        }
        Ok(self.lines.get(&line).map(|remembered| {
            let sessions = remembered.sessions.iter();
            let live = sessions.filter_map(|(id, kept)| Some((id.to_string(), kept.live.clone()?)));
            let mut live: Vec<_> = live.collect();
            live.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
            live
        }))
    }

    /// Keeps the changes of a batch: one row of the journal, and what is remembered.
    pub(super) fn save(
        &mut self,
        tx: &mut StoreTx<'_>,
        changes: ChargeChanges,
    ) -> Result<(), StoreFault> {
        self.know(tx)?;
        let mut lines: BTreeSet<LineId> = changes.sessions.values().map(|it| it.line).collect();
        lines.extend(changes.holdings.keys().map(|(line, _)| *line));
        lines.extend(changes.records.iter().map(|(_, record)| record.line));
        lines.extend(changes.usage.iter().map(|(line, _)| *line));
        if lines.is_empty() {
            return Ok(());
        }
        self.learn_lines(tx, &lines)?;
        self.is_changed = true;
        let mut page = Page::new();
        for ((line, bucket), holding) in &changes.holdings {
            let entry = Entry::Holding {
                line: *line.as_bytes(),
                bucket: *bucket.as_bytes(),
                amounts: journal::amounts(holding),
            };
            self.take_down(&mut page, &entry)?;
        }
        for (id, session) in changes.sessions {
            let body = row::write_session(&session)?;
            page.push(&Entry::Session {
                line: *session.line.as_bytes(),
                id: &id,
                is_live: session.standing == SessionStanding::Live,
                due_at: session.due_at.as_micros(),
                body: &body,
            })?;
            self.put_session(id, session, body);
        }
        for (id, record) in &changes.records {
            let entry = Entry::Record {
                line: *record.line.as_bytes(),
                id: *id.as_bytes(),
                closed_at: record.closed_at.as_micros(),
                body: &row::write_record(record)?,
            };
            self.take_down(&mut page, &entry)?;
        }
        for (line, usage) in &changes.usage {
            let entry = Entry::Usage {
                line: *line.as_bytes(),
                day: usage.day,
                unit: journal::unit_number(usage.unit),
                amount: usage.amount,
            };
            self.take_down(&mut page, &entry)?;
        }
        let seq = self.take_seq();
        for line in lines {
            self.soil(line, seq);
        }
        page.write(tx, seq)
    }

    fn take_down(&mut self, page: &mut Page, entry: &Entry<'_>) -> Result<(), StoreFault> {
        page.push(entry)?;
        self.apply(entry)
    }

    fn put_session(&mut self, id: Arc<str>, session: Session, body: Vec<u8>) {
        let line = session.line;
        let Some(remembered) = self.lines.get_mut(&line) else {
            return;
        };
        let is_live = session.standing == SessionStanding::Live;
        let kept = Kept {
            due_at: session.due_at,
            live: is_live.then_some(session),
            body,
            is_changed: true,
        };
        match remembered.sessions.get_mut(&id) {
            Some(known) => *known = kept,
            None => {
                self.homes.insert(Arc::clone(&id), line);
                remembered.sessions.insert(id, kept);
            }
        }
        let live = remembered.sessions.values().filter(|it| it.is_live());
        remembered.at.book.sessions = u32::try_from(live.count()).unwrap_or(u32::MAX);
    }

    /// Changes what is remembered of a line as the journal says.
    fn apply(&mut self, entry: &Entry<'_>) -> Result<(), StoreFault> {
        if let Entry::Session {
            line,
            id,
            is_live,
            body,
            ..
        } = entry
        {
            let line = LineId::from_bytes(*line);
            let session = row::read_session(line, *is_live, body)?;
            self.put_session((*id).into(), session, body.to_vec());
            return Ok(());
        }
        let Some(remembered) = self.lines.get_mut(&entry.line()) else {
            return Ok(());
        };
        match entry {
            Entry::Settled { .. } | Entry::Session { .. } => {}
            Entry::Holding {
                bucket, amounts, ..
            } => {
                remembered.set_amounts(BucketId::from_bytes(*bucket), *amounts);
            }
            Entry::Record {
                id,
                closed_at,
                body,
                ..
            } => remembered.records.push(KeptRecord {
                id: RecordId::from_bytes(*id),
                closed_at: Timestamp::from_micros(*closed_at),
                body: body.to_vec(),
            }),
            Entry::Usage {
                day, unit, amount, ..
            } => remembered.add_usage(DayUsage {
                day: *day,
                unit: journal::unit(*unit)?,
                amount: *amount,
            }),
        }
        Ok(())
    }

    fn take_seq(&mut self) -> u64 {
        let seq = self.next_seq;
        self.next_seq += 1;
        seq
    }

    /// Notes that the tables do not know a line as it is.
    fn soil(&mut self, line: LineId, seq: u64) {
        if let Some(remembered) = self.lines.get_mut(&line)
            && remembered.dirty.is_none()
        {
            remembered.dirty = Some(seq);
            self.dirty.push_back(Dirty { seq, line });
        }
    }

    fn copies(&self, wanted: &BTreeSet<LineId>) -> HashMap<LineId, ChargeLine> {
        let lines = wanted.iter();
        lines
            .filter_map(|id| Some((*id, self.lines.get(id)?.at.clone())))
            .collect()
    }

    /// Finds the lines of the subscribers that nobody asked for yet.
    fn learn_names(
        &mut self,
        tx: &mut StoreTx<'_>,
        keys: &[ChargeKey<'_>],
        elsewhere: &HashMap<Arc<str>, Session>,
    ) -> Result<(), StoreFault> {
        let is_new = |key: &&ChargeKey<'_>| {
            let mut names = key.subscriber.iter();
            !self.homes.contains_key(key.session)
                && !elsewhere.contains_key(key.session)
                && !names.any(|name| self.names.contains_key(name))
        };
        let strangers: BTreeSet<&Subscriber> = keys
            .iter()
            .filter(is_new)
            .flat_map(|key| key.subscriber)
            .collect();
        if strangers.is_empty() {
            return Ok(());
        }
        let found = tables::lines_of_names(tx, &strangers)?;
        if self.names.len() + found.len() > NAMES_MAX {
            self.names.clear();
        }
        // Somebody else's change in this transaction may be undone, and the name with it.
        self.is_changed = true;
        self.names.extend(found);
        Ok(())
    }

    /// Reads the lines that are not remembered.
    fn learn_lines(
        &mut self,
        tx: &mut StoreTx<'_>,
        wanted: &BTreeSet<LineId>,
    ) -> Result<(), StoreFault> {
        for line in std::mem::take(&mut self.given_away) {
            if wanted.contains(&line) {
                self.forget(line);
            } else {
                self.given_away.push(line);
            }
        }
        let mut unknown = BTreeSet::new();
        for id in wanted {
            match self.lines.get_mut(id) {
                Some(remembered) => remembered.is_used = true,
                None => {
                    unknown.insert(*id);
                }
            }
        }
        if unknown.is_empty() {
            return Ok(());
        }
        self.is_changed = true;
        for (id, at) in tables::load_lines(tx, &unknown)? {
            self.queue.push_back(id);
            self.lines.insert(id, Remembered::new(at));
        }
        for stored in tables::live_rows(tx, &unknown)? {
            let session = row::read_session(stored.line, true, &stored.body)?;
            self.put_session(stored.id.as_str().into(), session, stored.body);
            if let Some(remembered) = self.lines.get_mut(&stored.line)
                && let Some(kept) = remembered.sessions.get_mut(stored.id.as_str())
            {
                kept.is_changed = false;
            }
        }
        self.forget_idle(wanted);
        Ok(())
    }

    /// Forgets lines that were not charged lately, when there are too many.
    fn forget_idle(&mut self, wanted: &BTreeSet<LineId>) {
        let mut looks = 2 * self.queue.len();
        while self.lines.len() > LINES_MAX && looks > 0 {
            looks -= 1;
            let Some(id) = self.queue.pop_front() else {
                return;
            };
            let Some(remembered) = self.lines.get_mut(&id) else {
                continue;
            };
            let is_needed = remembered.is_used
                || remembered.dirty.is_some()
                || !remembered.sessions.is_empty()
                || wanted.contains(&id);
            if is_needed {
                remembered.is_used = false;
                self.queue.push_back(id);
            } else {
                self.forget(id);
            }
        }
    }

    fn forget(&mut self, line: LineId) {
        if let Some(remembered) = self.lines.remove(&line) {
            for id in remembered.sessions.keys() {
                self.homes.remove(id);
            }
        }
    }

    /// Forgets which line has which name: somebody changes it.
    pub(crate) fn forget_names(&mut self) {
        self.names.clear();
    }

    /// Brings a line into the tables for somebody who locks it and may change it there.
    pub(crate) fn give_away(
        &mut self,
        tx: &mut StoreTx<'_>,
        line: LineId,
    ) -> Result<(), StoreFault> {
        self.know(tx)?;
        let Some(remembered) = self.lines.get(&line) else {
            return Ok(());
        };
        if remembered.dirty.is_none() {
            self.forget(line);
        } else if !self.given_away.contains(&line) {
            // It stays as it is until the commit: what is written now may be undone.
            fold::write(tx, &[remembered])?;
            let mut page = Page::new();
            let line_octets = *line.as_bytes();
            page.push(&Entry::Settled { line: line_octets })?;
            let seq = self.take_seq();
            page.write(tx, seq)?;
            self.given_away.push(line);
        }
        Ok(())
    }

    /// Whether one of the buckets is remembered otherwise than the tables know it.
    pub(crate) fn is_ahead_of(&self, buckets: &BTreeSet<BucketId>) -> bool {
        let lines = self.lines.iter();
        let mut others =
            lines.filter(|(id, line)| line.dirty.is_some() && !self.given_away.contains(id));
        others.any(|(_, line)| !line.buckets.is_disjoint(buckets))
    }

    /// Whether the tables do not know everything.
    pub(crate) fn is_dirty(&self) -> bool {
        !self.is_known || !self.dirty.is_empty()
    }

    /// Brings lines into the tables: a portion of them, so that each comes round once in `within`, or with
    /// zero all there are. Answers whether there were any.
    pub(crate) fn fold(
        &mut self,
        tx: &mut StoreTx<'_>,
        within: Duration,
    ) -> Result<bool, StoreFault> {
        self.know(tx)?;
        let before = self.dirty.len();
        let ids = self.portion(within);
        if self.dirty.len() == before {
            return Ok(false);
        }
        let lines: Vec<&Remembered> = ids.iter().filter_map(|id| self.lines.get(id)).collect();
        fold::write(tx, &lines)?;
        let mut page = Page::new();
        for id in &ids {
            let line = *id.as_bytes();
            page.push(&Entry::Settled { line })?;
        }
        self.is_changed = true;
        for id in &ids {
            self.settle(*id);
        }
        match self.dirty.front().map(|it| it.seq) {
            Some(oldest) => {
                if !ids.is_empty() {
                    let seq = self.take_seq();
                    page.write(tx, seq)?;
                }
                journal::forget_before(tx, oldest)?;
            }
            // Nothing is left that the journal could be asked for.
            None => journal::forget_before(tx, self.next_seq)?,
        }
        Ok(true)
    }

    /// The lines that were charged first, in the order of their ids.
    fn portion(&mut self, within: Duration) -> Vec<LineId> {
        let now = Instant::now();
        let since = now.saturating_duration_since(*self.folded.get_or_insert(now));
        let count = if within.is_zero() {
            self.dirty.len()
        } else if since < STEP {
            0
        } else {
            let part = self.dirty.len() as u128 * since.as_micros() / within.as_micros();
            usize::try_from(part).unwrap_or(usize::MAX)
        };
        if count == 0 {
            return Vec::new();
        }
        let first = self.dirty.drain(..count.min(self.dirty.len()));
        // Who has locked a line has brought it there already, and it is forgotten with the commit.
        let is_next = |it: &Dirty| {
            let line = self.lines.get(&it.line);
            line.is_some_and(|line| line.dirty == Some(it.seq))
                && !self.given_away.contains(&it.line)
        };
        let mut ids: Vec<LineId> = first.filter(is_next).map(|it| it.line).collect();
        ids.sort_unstable();
        self.folded = Some(now);
        ids
    }

    /// Notes that the tables know a line as it is.
    fn settle(&mut self, line: LineId) {
        let Some(remembered) = self.lines.get_mut(&line) else {
            return;
        };
        remembered.dirty = None;
        remembered.records.clear();
        remembered.usage.clear();
        remembered.buckets.clear();
        let homes = &mut self.homes;
        remembered.sessions.retain(|id, kept| {
            kept.is_changed = false;
            if !kept.is_live() {
                homes.remove(id);
            }
            kept.is_live()
        });
    }

    /// Reads the journal, if that was not done yet.
    fn know(&mut self, tx: &mut StoreTx<'_>) -> Result<(), StoreFault> {
        if self.is_known {
            return Ok(());
        }
        // A failure on the way leaves it half read.
        self.is_changed = true;
        let mut pending: BTreeMap<LineId, u64> = BTreeMap::new();
        journal::read(tx, |seq, entry| {
            if let Entry::Settled { .. } = entry {
                pending.remove(&entry.line());
            } else {
                pending.entry(entry.line()).or_insert(seq);
            }
            Ok(())
        })?;
        self.next_seq = journal::next_seq(tx)?;
        self.is_known = true;
        if pending.is_empty() {
            return Ok(());
        }
        self.learn_lines(tx, &pending.keys().copied().collect())?;
        journal::read(tx, |seq, entry| {
            let is_pending = pending
                .get(&entry.line())
                .is_some_and(|first| *first <= seq);
            if is_pending {
                self.apply(entry)
            } else {
                Ok(())
            }
        })?;
        let mut order: Vec<(u64, LineId)> =
            pending.into_iter().map(|(id, seq)| (seq, id)).collect();
        order.sort_unstable();
        for (seq, line) in order {
            self.soil(line, seq);
        }
        Ok(())
    }

    /// The transaction is durable.
    pub(crate) fn committed(&mut self) {
        self.is_changed = false;
        for line in std::mem::take(&mut self.given_away) {
            self.forget(line);
        }
    }

    /// The transaction is undone.
    pub(crate) fn rolled_back(&mut self) {
        self.given_away.clear();
        if std::mem::take(&mut self.is_changed) {
            self.forget_all();
        }
    }

    /// Somebody else has written: what is remembered may be wrong.
    pub(crate) fn forget_all(&mut self) {
        *self = Self::default();
    }

    /// A place to come back to when one task of a transaction is undone.
    pub(crate) fn mark(&mut self) -> Mark {
        Mark {
            given_away: self.given_away.clone(),
            was_changed: std::mem::take(&mut self.is_changed),
        }
    }

    /// The task since `mark` is kept.
    pub(crate) const fn keep(&mut self, mark: &Mark) {
        self.is_changed |= mark.was_changed;
    }

    /// The task since `mark` is undone.
    pub(crate) fn undo(&mut self, mark: Mark) {
        if self.is_changed {
            self.forget_all();
        }
        self.given_away = mark.given_away;
        self.is_changed = mark.was_changed;
    }
}

/// See [`Memory::mark`].
pub(crate) struct Mark {
    given_away: Vec<LineId>,
    was_changed: bool,
}
