//! What transactions write, recorded so that a benchmark can write the same again and do nothing
//! else.

use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::Arc;

use simurgh_app::ports::{StoreFault, Verdict};

use super::{Database, Task, Value};
use crate::tx::StoreTx;

/// A statement that wrote, with the values it was run with.
#[derive(Debug, Clone)]
pub struct Written {
    sql: Arc<str>,
    params: Vec<Value>,
    rows: u64,
}

impl Written {
    /// A statement without values, such as one that changes the schema.
    #[must_use]
    pub fn plain(sql: &str) -> Self {
        Self {
            sql: Arc::from(sql),
            params: Vec::new(),
            rows: 0,
        }
    }

    /// How many rows it inserted, changed or deleted.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Its text.
    #[must_use]
    pub fn sql(&self) -> &str {
        &self.sql
    }
}

#[derive(Default)]
struct Record {
    /// None while nothing is recorded, which is always but in a benchmark.
    writes: Option<Vec<Written>>,
    texts: HashSet<Arc<str>>,
}

thread_local! {
    static RECORD: RefCell<Record> = RefCell::default();
}

/// Does a piece of work and answers what the transactions on this thread wrote meanwhile. To be
/// called inside a piece of work, which runs on one thread.
pub fn recorded<R>(work: impl FnOnce() -> R) -> (R, Vec<Written>) {
    RECORD.with_borrow_mut(|record| record.writes = Some(Vec::new()));
    let result = work();
    let writes = RECORD.with_borrow_mut(|record| record.writes.take());
    (result, writes.unwrap_or_default())
}

/// Notes a statement that has run, if that is wanted and it wrote.
pub(crate) fn note(sql: &str, params: &[Value], rows: u64) {
    RECORD.with_borrow_mut(|record| {
        let Some(writes) = &mut record.writes else {
            return;
        };
        if sql.starts_with("SELECT") {
            return;
        }
        let known = record.texts.get(sql).map(Arc::clone);
        let sql = known.unwrap_or_else(|| {
            let text: Arc<str> = Arc::from(sql);
            record.texts.insert(Arc::clone(&text));
            text
        });
        let params = params.to_vec();
        writes.push(Written { sql, params, rows });
    });
}

impl Database {
    /// Runs recorded statements again in one transaction, and nothing else.
    ///
    /// # Errors
    /// As a piece of work that runs them.
    pub async fn write_again(&self, writes: Vec<Written>) -> Result<(), StoreFault> {
        let task = Task::Own(Box::new(move |tx: &mut StoreTx<'_>| {
            let all = writes.iter().try_for_each(|written| {
                // What it answers is of no interest: the numbers it gave out are recorded.
                tx.query(&written.sql, &written.params).map(drop)
            });
            match all {
                Ok(()) => Verdict::Commit,
                Err(_) => Verdict::RollBack,
            }
        }));
        self.write_task(task).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params;
    use crate::testing::{block_on, each_store};

    #[test]
    fn what_is_recorded_on_one_store_can_be_written_to_another() {
        each_store(|subject| {
            let (sent, received) = std::sync::mpsc::channel();
            let written = subject.write(move |tx| {
                let ((), writes) = recorded(|| {
                    let sql = "INSERT INTO promotion_tally (code, uses) VALUES (?1, ?2), (?3, ?2)";
                    tx.execute(sql, &params!["A", 1, "B"]).unwrap();
                    tx.query("SELECT uses FROM promotion_tally", &[]).unwrap();
                    let sql = "UPDATE promotion_tally SET uses = 3 WHERE code = 'A' RETURNING uses";
                    tx.query(sql, &[]).unwrap();
                });
                let sql = "DELETE FROM promotion_tally";
                tx.execute(sql, &[]).unwrap();
                drop(sent.send(writes));
            });
            assert_eq!(written, Ok(()));
            let writes = received.recv().unwrap();
            let rows: Vec<u64> = writes.iter().map(Written::rows).collect();
            assert_eq!(rows, [2, 1], "{}", subject.name);
            assert_eq!(block_on(subject.store.write_again(writes)), Ok(()));
            let sql = "SELECT 10 * MAX(uses) + COUNT(*) FROM promotion_tally";
            assert_eq!(subject.number(sql), 32, "{}", subject.name);
        });
    }
}
