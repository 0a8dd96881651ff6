//! The transaction that every aggregate's queries run in.
//!
//! Each trait of `app::ports` is implemented for [`StoreTx`] in a module named after its
//! aggregate. SQL is written once, in the dialect that `db/dialect.rs` describes.

//!
//! # The order of locks
//!
//! Two transactions that lock the same rows in another order wait for each other, and PostgreSQL
//! breaks one of them off. So a transaction locks in the order of `Lock`: the order, its
//! payments, its refunds, the line, a session with a chip, eSIM profiles, the stock, balances, tallies of promotions, the counter of documents.
//! Within one kind the rows are locked in the order of their keys, or stand behind a row of an
//! earlier kind that is locked already. Rows about people come before all of these: what is
//! counted (`LogIns::hold`), codes, sessions, customers. Whatever needs no lock is read without
//! one (`read_order`, `read_payment`): it cannot change any more, or is decided under a lock that
//! is held. Everything that changes a line's plans or buckets holds the line.
//!
//! A build with debug assertions refuses a transaction that breaks this order, on either engine.

use simurgh_app::ports::StoreFault;

use crate::charges::Memory;
use crate::db::{Cause, Db, Failure, Row, Value, record};

/// The kinds of rows that a transaction about a purchase or a line locks, in the order in which
/// it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lock {
    Order,
    Payment,
    Refund,
    Line,
    RspSession,
    Profile,
    Stock,
    Balance,
    PromotionTally,
    DocumentCounter,
}

/// One transaction on one connection, on whichever engine.
///
/// The first failed statement ends it: every later statement answers the same fault, and the
/// driver rolls back whatever the verdict is. (PostgreSQL works like that; SQLite is held to it.)
pub struct StoreTx<'c> {
    db: Db<'c>,
    failure: Option<Failure>,
    held: Held,
    /// Whether this is a transaction that may write.
    writes: bool,
}

/// What is locked, kept by builds with debug assertions only.
struct Held {
    /// Whether the order counts: a transaction that only reads locks nothing.
    writes: bool,
    locks: Vec<(Lock, Vec<u8>)>,
}

impl Held {
    /// Notes a lock; the kinds that stand behind it and are held already, if any.
    fn take(&mut self, lock: Lock, key: &[u8]) -> Result<(), Lock> {
        let is_held = |(kind, held): &(Lock, Vec<u8>)| *kind == lock && held == key;
        if !self.writes || self.locks.iter().any(is_held) {
            return Ok(());
        }
        let later = self.locks.iter().map(|(kind, _)| *kind).max();
        self.locks.push((lock, key.to_vec()));
        match later {
            Some(later) if later > lock => Err(later),
            Some(_) | None => Ok(()),
        }
    }
}

impl<'c> StoreTx<'c> {
    /// A transaction that may write.
    pub(crate) const fn new(db: Db<'c>) -> Self {
        Self::begin(db, true)
    }

    /// A transaction on one snapshot.
    pub(crate) const fn reading(db: Db<'c>) -> Self {
        Self::begin(db, false)
    }

    const fn begin(db: Db<'c>, writes: bool) -> Self {
        let locks = Vec::new();
        Self {
            db,
            failure: None,
            held: Held { writes, locks },
            writes,
        }
    }

    /// Takes what the writer remembers of charging; none where nothing is remembered, and in a
    /// transaction that only reads. It is to be put back.
    pub(crate) fn take_memory(&mut self) -> Option<Box<Memory>> {
        if self.writes {
            self.db.take_memory()
        } else {
            None
        }
    }

    /// Puts back what was taken.
    pub(crate) fn put_memory(&mut self, memory: Box<Memory>) {
        self.db.put_memory(memory);
    }

    /// Lets a test write rows in whatever order it likes.
    #[cfg(test)]
    pub(crate) const fn in_any_order(&mut self) {
        self.held.writes = false;
    }

    /// Says that rows of a kind are about to be locked, the one with `key` or, for kinds that are
    /// locked in the order of their keys, all with an empty one.
    ///
    /// # Errors
    /// [`StoreFault::Corrupt`], in builds with debug assertions, when something is held that stands
    /// behind it in the order of locks.
    pub(crate) fn locks(&mut self, lock: Lock, key: &[u8]) -> Result<(), StoreFault> {
        if !cfg!(debug_assertions) {
            return Ok(());
        }
        let taken = self.held.take(lock, key).map_err(|later| {
            let why = format!("locks out of order: {lock:?} after {later:?}");
            StoreFault::Corrupt(why).into()
        });
        self.noted(taken)
    }

    /// The failure that ended the transaction, if one did.
    pub(crate) fn into_failure(self) -> Option<Failure> {
        self.failure
    }

    /// Runs a statement and answers how many rows it touched.
    ///
    /// # Errors
    /// [`StoreFault::Conflict`] when a unique key is taken or two transactions met,
    /// [`StoreFault::Unavailable`] when the database cannot be reached or cannot write,
    /// [`StoreFault::Corrupt`] when the statement itself is wrong or breaks a constraint.
    pub fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, StoreFault> {
        self.usable(params)?;
        let result = self.db.execute(sql, params);
        let rows = self.noted(result)?;
        record::note(sql, params, rows);
        Ok(rows)
    }

    /// Runs a query and answers its rows.
    ///
    /// # Errors
    /// As [`execute`](Self::execute).
    pub fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreFault> {
        let mut rows = Vec::new();
        self.query_each(sql, params, |row| {
            rows.push(row);
            Ok(())
        })?;
        record::note(sql, params, rows.len() as u64);
        Ok(rows)
    }

    /// Runs a query and hands its rows over one by one, for answers too large to hold. A fault
    /// of `each` ends the query and the transaction.
    ///
    /// # Errors
    /// As [`execute`](Self::execute), and what `each` returns.
    pub fn query_each(
        &mut self,
        sql: &str,
        params: &[Value],
        mut each: impl FnMut(Row) -> Result<(), StoreFault>,
    ) -> Result<(), StoreFault> {
        self.usable(params)?;
        let result = self.db.query_each(sql, params, &mut each);
        self.noted(result)
    }

    /// Runs a query that answers one row or none.
    ///
    /// # Errors
    /// As [`execute`](Self::execute); [`StoreFault::Corrupt`] when there are two rows.
    pub fn query_one_or_none(
        &mut self,
        sql: &str,
        params: &[Value],
    ) -> Result<Option<Row>, StoreFault> {
        let mut rows = self.query(sql, params)?.into_iter();
        let first = rows.next();
        if rows.next().is_some() {
            return self.noted(Err(defect("more than one row", sql)));
        }
        Ok(first)
    }

    /// Runs a query that always answers one row, such as a count.
    ///
    /// # Errors
    /// As [`execute`](Self::execute); [`StoreFault::Corrupt`] unless there is exactly one row.
    pub fn query_one(&mut self, sql: &str, params: &[Value]) -> Result<Row, StoreFault> {
        match self.query_one_or_none(sql, params)? {
            Some(row) => Ok(row),
            None => self.noted(Err(defect("no row", sql))),
        }
    }

    /// Runs a query and keeps its rows from being changed by others until the transaction ends.
    /// `sql` must be able to take `FOR UPDATE` at its end: plain rows, no grouping. See the module
    /// for the order in which rows are locked.
    ///
    /// # Errors
    /// As [`execute`](Self::execute).
    pub fn query_locked(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreFault> {
        self.usable(params)?;
        let mut rows = Vec::new();
        let result = self.db.query_each_locked(sql, params, &mut |row| {
            rows.push(row);
            Ok(())
        });
        self.noted(result)?;
        Ok(rows)
    }

    /// As [`query_locked`](Self::query_locked), for one row or none.
    ///
    /// # Errors
    /// As [`query_one_or_none`](Self::query_one_or_none).
    pub fn query_one_or_none_locked(
        &mut self,
        sql: &str,
        params: &[Value],
    ) -> Result<Option<Row>, StoreFault> {
        let mut rows = self.query_locked(sql, params)?.into_iter();
        let first = rows.next();
        if rows.next().is_some() {
            return self.noted(Err(defect("more than one row", sql)));
        }
        Ok(first)
    }

    /// Refuses to go on after a failure, and texts that only SQLite could keep.
    fn usable(&mut self, params: &[Value]) -> Result<(), StoreFault> {
        if let Some(failure) = &self.failure {
            return Err(failure.fault.clone());
        }
        let has_nul = |value: &Value| matches!(value, Value::Text(text) if text.contains('\0'));
        match params.iter().position(has_nul) {
            None => Ok(()),
            Some(index) => {
                let why = format!("parameter ?{} holds a NUL character", index + 1);
                self.noted(Err(StoreFault::Corrupt(why).into()))
            }
        }
    }

    fn noted<T>(&mut self, result: Result<T, Failure>) -> Result<T, StoreFault> {
        result.map_err(|failure| {
            let fault = failure.fault.clone();
            self.failure.get_or_insert(failure);
            fault
        })
    }
}

/// The list behind `IN` for `count` parameters that start at number `first`:
/// `in_list(2, 3)` is `(?2, ?3, ?4)`. An empty list matches nothing on either engine.
#[must_use]
pub fn in_list(first: usize, count: usize) -> String {
    if count == 0 {
        return "(NULL)".to_owned();
    }
    let mut list = String::with_capacity(count * 6);
    push_list(&mut list, first, count);
    list
}

/// Adds `count` parameters in brackets, from number `first` on, to the text of a statement.
pub(crate) fn push_list(sql: &mut String, first: usize, count: usize) {
    sql.push('(');
    for number in first..first + count {
        if number > first {
            sql.push_str(", ");
        }
        sql.push('?');
        push_number(sql, number);
    }
    sql.push(')');
}

fn push_number(sql: &mut String, number: usize) {
    if number >= 10 {
        push_number(sql, number / 10);
    }
    sql.extend(char::from_digit(
        u32::try_from(number % 10).unwrap_or(0),
        10,
    ));
}

fn defect(what: &str, sql: &str) -> Failure {
    Failure {
        cause: Cause::Other,
        fault: StoreFault::Corrupt(format!("{what} from `{sql}`")),
    }
}
