//! The store: one transaction over the whole operator.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use simurgh_ledger::Journal;

use super::{
    Books, Catalogues, Charges, Contacts, Customers, Desk, IdentityChecks, Inventory, Lines,
    LogIns, Outbox, Profiles, Sales,
};

/// The store itself failed. Nothing of the transaction remains.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreFault {
    /// Two transactions met (serialisation failure, deadlock, a unique key just taken). The driver
    /// has already repeated the transaction as often as it may.
    #[error("the store is busy: {0}")]
    Conflict(String),
    /// The store cannot be reached or cannot write.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The store holds something this program cannot read: a defect, never the user's fault.
    #[error("the store holds an unreadable row: {0}")]
    Corrupt(String),
}

/// How a piece of work wants its transaction to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Keep the changes; the caller is answered after they are durable.
    Commit,
    /// Undo every change.
    RollBack,
}

/// A piece of work: it may run several times (a repeated transaction), and must then decide from
/// what it reads, not from what an earlier run left in captured variables.
pub type Work = Box<dyn FnMut(&mut dyn Tx) -> Verdict + Send>;

/// A future of a store.
pub type Pending<'a> = Pin<Box<dyn Future<Output = Result<(), StoreFault>> + Send + 'a>>;

/// The transaction as use cases see it: everything the operator's rows can be asked and told.
pub trait Tx:
    Journal<Fault = StoreFault>
    + Books
    + Catalogues
    + Charges
    + Contacts
    + Customers
    + Desk
    + IdentityChecks
    + Inventory
    + Lines
    + LogIns
    + Outbox
    + Profiles
    + Sales
{
}

impl<T> Tx for T where
    T: Journal<Fault = StoreFault>
        + Books
        + Catalogues
        + Charges
        + Charges
        + Contacts
        + Customers
        + Desk
        + IdentityChecks
        + Inventory
        + Lines
        + LogIns
        + Outbox
        + Profiles
        + Sales
{
}

/// One transaction over the whole operator, on whichever database is configured.
pub trait Store: Send + Sync + 'static {
    /// Runs `work` in a read-write transaction and answers when its commit is durable. On
    /// PostgreSQL a conflict repeats the whole transaction.
    fn write(&self, work: Work) -> Pending<'_>;

    /// Runs `work` on one consistent snapshot. What it writes is lost.
    fn read(&self, work: Work) -> Pending<'_>;
}

/// Typed results on top of [`Store`].
pub trait StoreExt {
    /// Runs `work` in a read-write transaction; an `Err` rolls back.
    ///
    /// # Errors
    /// What `work` returned, or the store's fault.
    fn transact<R, E>(
        &self,
        work: impl FnMut(&mut dyn Tx) -> Result<R, E> + Send + 'static,
    ) -> impl Future<Output = Result<R, E>> + Send
    where
        R: Send + 'static,
        E: From<StoreFault> + Send + 'static;

    /// Runs `work` on one consistent snapshot.
    ///
    /// # Errors
    /// What `work` returned, or the store's fault.
    fn snapshot<R, E>(
        &self,
        work: impl FnMut(&mut dyn Tx) -> Result<R, E> + Send + 'static,
    ) -> impl Future<Output = Result<R, E>> + Send
    where
        R: Send + 'static,
        E: From<StoreFault> + Send + 'static;
}

impl StoreExt for dyn Store {
    async fn transact<R, E>(
        &self,
        work: impl FnMut(&mut dyn Tx) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<StoreFault> + Send + 'static,
    {
        let (work, outcome) = erase(work);
        let end = self.write(work).await;
        conclude(end, &outcome)
    }

    async fn snapshot<R, E>(
        &self,
        work: impl FnMut(&mut dyn Tx) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<StoreFault> + Send + 'static,
    {
        let (work, outcome) = erase(work);
        let end = self.read(work).await;
        conclude(end, &outcome)
    }
}

type Outcome<R, E> = Arc<Mutex<Option<Result<R, E>>>>;

fn erase<R, E>(
    mut work: impl FnMut(&mut dyn Tx) -> Result<R, E> + Send + 'static,
) -> (Work, Outcome<R, E>)
where
    R: Send + 'static,
    E: Send + 'static,
{
    let outcome: Outcome<R, E> = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&outcome);
    let work: Work = Box::new(move |tx| {
        let result = work(tx);
        let verdict = if result.is_ok() {
            Verdict::Commit
        } else {
            Verdict::RollBack
        };
        if let Ok(mut slot) = slot.lock() {
            *slot = Some(result);
        }
        verdict
    });
    (work, outcome)
}

fn conclude<R, E: From<StoreFault>>(
    end: Result<(), StoreFault>,
    outcome: &Outcome<R, E>,
) -> Result<R, E> {
    end?;
    let result = outcome.lock().ok().and_then(|mut slot| slot.take());
    result.unwrap_or_else(|| {
        Err(StoreFault::Unavailable("the work was dropped before it ran".to_owned()).into())
    })
}
