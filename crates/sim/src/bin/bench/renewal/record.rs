//! A store that keeps a record of what is written to it, sorted by the renewal it belongs to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use simurgh_app::ports::{Pending, Store, Tx, Verdict, Work};
use simurgh_store::Database;
use simurgh_store::db::{Written, recorded};

tokio::task_local! {
    static PART: u64;
}

/// Does `work` as the part with this number.
pub(super) async fn part_of<F: Future>(number: u64, work: F) -> F::Output {
    PART.scope(number, work).await
}

/// What was written, by part.
type Parts = Arc<Mutex<BTreeMap<u64, Vec<Written>>>>;

/// A store with a record.
#[derive(Clone)]
pub(super) struct Recording {
    store: Arc<Database>,
    parts: Parts,
}

impl Recording {
    pub(super) fn new(store: Arc<Database>) -> Self {
        let parts = Parts::default();
        Self { store, parts }
    }

    /// What was written since it was last asked, a transaction for each part.
    pub(super) fn take(&self) -> Vec<Vec<Written>> {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *parts).into_values().collect()
    }
}

impl Store for Recording {
    fn write(&self, mut work: Work) -> Pending<'_> {
        let part = PART.try_with(|part| *part).unwrap_or(0);
        let last = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&last);
        // It may run again: the last run is the one that counts.
        let work = Box::new(move |tx: &mut dyn Tx| {
            let (verdict, mut writes) = recorded(|| work(tx));
            if verdict == Verdict::RollBack {
                writes.clear();
            }
            if let Ok(mut kept) = kept.lock() {
                *kept = writes;
            }
            verdict
        });
        Box::pin(async move {
            self.store.write(work).await?;
            let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
            let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
            parts.entry(part).or_default().append(&mut last);
            Ok(())
        })
    }

    fn read(&self, work: Work) -> Pending<'_> {
        self.store.read(work)
    }
}

/// Lists what was written, how often and how many rows, on standard error.
pub(super) fn print(renewals: &[Vec<Written>]) {
    let mut statements: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for written in renewals.iter().flatten() {
        let (count, rows) = statements.entry(written.sql()).or_default();
        *count += 1;
        *rows += written.rows();
    }
    for (sql, (count, rows)) in statements {
        let text: String = sql.split_whitespace().collect::<Vec<_>>().join(" ");
        let text: String = text.chars().take(70).collect();
        eprintln!("{count:>6} statements {rows:>6} rows  {text}");
    }
}
