//! News of downloads for the operators who ordered them. Source: SGP.22 v2.5 §5.3.5
//!
//! What happened is kept in the transaction in which it happens; telling it is work of the outbox, so that no
//! download waits for another operator's server.

use simurgh_subscriber::Profile;
use simurgh_vocab::identity::Eid;
use simurgh_vocab::{Duration, ProgressId, Timestamp};

use crate::ports::{
    DownloadProgress, ProgressFailure, ProgressPoint, StoreExt, StoreFault, Task, Tx,
};
use crate::{App, Fault};

/// How long it is tried to tell something. After it the news is of no use to anybody.
const TOLD_WITHIN: Duration = Duration::days(3);

/// Something that happened to a download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct News {
    /// How far it came.
    pub(super) point: ProgressPoint,
    /// The chip, as far as it is known.
    pub(super) eid: Option<Eid>,
    /// Why it went no further.
    pub(super) failure: Option<ProgressFailure>,
    /// What the chip said.
    pub(super) result: Option<Vec<u8>>,
}

impl News {
    /// It went well.
    pub(super) const fn good(point: ProgressPoint, eid: Eid) -> Self {
        Self {
            point,
            eid: Some(eid),
            failure: None,
            result: None,
        }
    }

    /// It went no further.
    pub(super) const fn bad(point: ProgressPoint, eid: Eid, failure: ProgressFailure) -> Self {
        Self {
            point,
            eid: Some(eid),
            failure: Some(failure),
            result: None,
        }
    }
}

impl App {
    /// Has the operator who ordered `profile` told, if it ordered it and listens.
    pub(super) fn tell_progress_of(
        &self,
        tx: &mut dyn Tx,
        profile: &Profile,
        news: News,
        now: Timestamp,
    ) -> Result<(), StoreFault> {
        let listener = self.esim().listener.as_ref();
        let Some(operator) = profile.order.by.as_ref() else {
            return Ok(());
        };
        if !listener.is_some_and(|listener| listener.listens(operator)) {
            return Ok(());
        }
        let id = self.make(ProgressId::from_parts, now);
        tx.insert_progress(&DownloadProgress {
            id,
            operator: operator.clone(),
            iccid: profile.iccid,
            profile_type: profile.profile_type.clone(),
            eid: news.eid,
            point: news.point,
            at: now,
            failure: news.failure,
            result: news.result,
        })?;
        self.enqueue(tx, Task::TellProgress(id), format!("progress:{id}"), now)
    }

    /// Tells an operator what happened; false when it could not be told now.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn tell_progress(&self, id: ProgressId) -> Result<bool, Fault> {
        let found = self
            .store
            .snapshot(move |tx| -> Result<_, Fault> { Ok(tx.progress(id)?) })
            .await?;
        let (Some(progress), Some(listener)) = (found, self.esim().listener.clone()) else {
            return Ok(true);
        };
        if let Err(untold) = listener.tell(&progress).await {
            let is_late = self.now() > progress.at.plus(TOLD_WITHIN);
            let point = progress.point.code();
            tracing::warn!(operator = %progress.operator, point, is_late, %untold, "news of a download was not told");
            if !is_late {
                return Ok(false);
            }
            metrics::counter!("simurgh_esim_progress_given_up_total").increment(1);
        }
        self.store
            .transact(move |tx| -> Result<_, Fault> { Ok(tx.forget_progress(id)?) })
            .await?;
        Ok(true)
    }
}
