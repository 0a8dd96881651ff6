//! The transaction that every aggregate's queries run in.
//!
//! Each trait of `app::ports` is implemented for [`StoreTx`] in a module named after its
//! aggregate. SQL is written once, in the dialect that `db/dialect.rs` describes.

use simurgh_app::ports::StoreFault;

use crate::db::{Cause, Db, Failure, Row, Value};

/// One transaction on one connection, on whichever engine.
///
/// The first failed statement ends it: every later statement answers the same fault, and the
/// driver rolls back whatever the verdict is. (PostgreSQL works like that; SQLite is held to it.)
pub struct StoreTx<'c> {
    db: Db<'c>,
    failure: Option<Failure>,
}

impl<'c> StoreTx<'c> {
    pub(crate) const fn new(db: Db<'c>) -> Self {
        Self { db, failure: None }
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
        self.noted(result)
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
    /// `sql` must be able to take `FOR UPDATE` at its end: plain rows, no grouping. Rows of
    /// several tables are locked in the order of the glossary's aggregates, always the same.
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
    let parameters: Vec<String> = (first..first + count)
        .map(|number| format!("?{number}"))
        .collect();
    format!("({})", parameters.join(", "))
}

fn defect(what: &str, sql: &str) -> Failure {
    Failure {
        cause: Cause::Other,
        fault: StoreFault::Corrupt(format!("{what} from `{sql}`")),
    }
}
