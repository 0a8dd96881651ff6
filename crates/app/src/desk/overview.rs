//! What needs attention: counts, payments and refunds, messages, jobs, the catalogue in force.

use std::sync::Arc;

use simurgh_commerce::{Catalogue, Payment};
use simurgh_vocab::{CustomerId, Duration, JobId, StaffId, Timestamp};

use super::log::Deed;
use super::order::UnsettledRefund;
use crate::ports::{
    DeskCounts, DeskSince, Message, SeenEvent, StaffAction, StaffSubject, StoreExt, Ticket,
    TicketQueue,
};
use crate::{App, Fault};

/// A job that was begun so often without success is stuck: with the growing distances of the
/// outbox that is after about five minutes.
pub const STUCK_ATTEMPTS: u32 = 6;
/// The tickets on the overview.
const TICKETS: u32 = 10;
/// The notifications that were not believed, on one page.
const ODD_EVENTS: u32 = 50;
/// The messages on one page.
const MESSAGES: u32 = 200;

/// The first page of staff.
#[derive(Clone)]
pub struct Overview {
    /// How much needs attention; messages, orders and customers of the last 24 hours.
    pub counts: DeskCounts,
    /// The tickets that have waited longest.
    pub tickets: Vec<Ticket>,
}

/// Payments and refunds that need attention.
#[derive(Debug, Clone)]
pub struct Attention {
    /// Payments of which nobody knows how they ended.
    pub payments: Vec<Payment>,
    /// Refunds that are not sent.
    pub refunds: Vec<UnsettledRefund>,
    /// Notifications that were not believed.
    pub events: Vec<SeenEvent>,
}

/// The catalogue in force and who applied it.
#[derive(Debug, Clone)]
pub struct CatalogueInForce {
    /// The catalogue.
    pub catalogue: Arc<Catalogue>,
    /// When it was applied.
    pub applied_at: Timestamp,
    /// By whom.
    pub applied_by: String,
}

impl App {
    /// What the first page of staff shows.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn desk_overview(&self) -> Result<Overview, Fault> {
        let since = DeskSince {
            since: self.now().minus(Duration::days(1)),
            stuck_attempts: STUCK_ATTEMPTS,
        };
        self.store
            .snapshot(move |tx| {
                Ok(Overview {
                    counts: tx.desk_counts(&since)?,
                    tickets: tx.tickets_in(TicketQueue::Open, TICKETS)?,
                })
            })
            .await
    }

    /// Payments and refunds that need attention.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn money_attention(&self) -> Result<Attention, Fault> {
        let app = self.clone();
        let now = self.now();
        self.store
            .snapshot(move |tx| {
                Ok(Attention {
                    payments: app.doubtful_payments(tx, now)?,
                    refunds: app.open_refunds(tx)?,
                    events: tx.odd_payment_events(ODD_EVENTS)?,
                })
            })
            .await
    }

    /// The newest messages, to everybody or to one customer, at most 200; recorded.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn sent_messages(
        &self,
        staff: StaffId,
        customer: Option<CustomerId>,
    ) -> Result<Vec<Message>, Fault> {
        let app = self.clone();
        let now = self.now();
        self.store
            .transact(move |tx| {
                let subject = customer.map_or(StaffSubject::Nothing, StaffSubject::Customer);
                app.log_deed(
                    tx,
                    Deed::of(staff, StaffAction::MessagesViewed, subject),
                    now,
                )?;
                match customer {
                    Some(customer) => Ok(tx.messages_of(customer, MESSAGES)?),
                    None => Ok(tx.recent_messages(MESSAGES)?),
                }
            })
            .await
    }

    /// Makes a job due now because a member of staff wants it; recorded first.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn retry_job_by_staff(&self, staff: StaffId, id: JobId) -> Result<(), Fault> {
        let deed = Deed::of(staff, StaffAction::JobRetried, StaffSubject::Job(id));
        self.log_alone(deed).await?;
        self.retry_job(id).await
    }

    /// The catalogue in force with who applied it.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn catalogue_in_force(&self) -> Result<CatalogueInForce, Fault> {
        let app = self.clone();
        self.store
            .snapshot(move |tx| {
                let version = tx.newest_catalogue_version()?.ok_or(Fault::NoCatalogue)?;
                let document = tx.catalogue_document(version)?.ok_or(Fault::NoCatalogue)?;
                Ok(CatalogueInForce {
                    catalogue: app.catalogue_in(tx, version)?,
                    applied_at: document.applied_at,
                    applied_by: document.applied_by,
                })
            })
            .await
    }
}
