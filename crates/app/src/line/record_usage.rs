//! The network used something of a line: first use starts a waiting plan, the soonest-ending
//! bucket pays, thresholds are told once.

use simurgh_charging::{BucketBalance, Use, activate, consume, reached_thresholds, standing};
use simurgh_ledger::{Source, post};
use simurgh_vocab::{EntryId, LineId, Timestamp, Unit, ZoneCode};

use crate::message::{Notice, Template};
use crate::ports::{Contact, DayUsage, Line, LineState, StoreExt, StoreFault, Task, Tx};
use crate::{App, Fault, text};

/// What the network reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageReport {
    /// The line.
    pub line: LineId,
    /// What was used.
    pub unit: Unit,
    /// How much.
    pub amount: i64,
    /// Where.
    pub zone: ZoneCode,
    /// What tells this report from any other: a report that comes twice counts once.
    pub reference: String,
}

/// Why a report was not taken. Precedence as listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UsageRefusal {
    /// There is no such line.
    #[error("no such line")]
    NoSuchLine,
    /// The line is out of service.
    #[error("the line is not in service")]
    NotInService,
    /// The store or the program failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<StoreFault> for UsageRefusal {
    fn from(fault: StoreFault) -> Self {
        Self::Fault(fault.into())
    }
}

impl App {
    /// Books a use of the network. Gives back how much of it no bucket covered.
    ///
    /// # Errors
    /// [`UsageRefusal`].
    pub async fn record_usage(&self, report: UsageReport) -> Result<i64, UsageRefusal> {
        let app = self.clone();
        let now = self.now();
        self.store
            .transact(move |tx| app.record_usage_in(tx, &report, now))
            .await
    }

    pub(crate) fn record_usage_in(
        &self,
        tx: &mut dyn Tx,
        report: &UsageReport,
        now: Timestamp,
    ) -> Result<i64, UsageRefusal> {
        let line = tx.line(report.line)?.ok_or(UsageRefusal::NoSuchLine)?;
        match line.state {
            LineState::Active | LineState::Grace { .. } => {}
            LineState::Suspended { .. } | LineState::Closed { .. } => {
                return Err(UsageRefusal::NotInService);
            }
        }
        let source = Source::new("usage", format!("{}:{}", line.id, report.reference));
        if tx.is_posted(&source)? {
            return Ok(0);
        }
        self.start_waiting_plans(tx, &line, now, |_| true)?;
        let balances = tx.open_buckets(line.id)?;
        let what = Use {
            unit: report.unit,
            amount: report.amount,
            zone: report.zone.clone(),
            at: now,
        };
        let used = consume(&balances, &what, source).map_err(Fault::from)?;
        if let Some(entry) = used.entry {
            post(tx, self.make(EntryId::from_parts, now), now, entry).map_err(Fault::from)?;
            let day = self.day_of(tx, line.customer, now)?;
            let amount = report.amount - used.uncovered;
            tx.add_usage(
                line.id,
                &DayUsage {
                    day,
                    unit: report.unit,
                    amount,
                },
            )?;
            self.tell_thresholds(tx, &line, report.unit, now)?;
        }
        Ok(used.uncovered)
    }

    /// Starts the plans of a line that wait for first use and that `which` picks by their deadline.
    pub(crate) fn start_waiting_plans(
        &self,
        tx: &mut dyn Tx,
        line: &Line,
        now: Timestamp,
        which: impl Fn(Timestamp) -> bool,
    ) -> Result<bool, Fault> {
        let mut started = false;
        for mut plan in tx.subscriptions_of(line.id)? {
            let simurgh_charging::SubscriptionState::AwaitingFirstUse { activate_by, .. } =
                plan.state
            else {
                continue;
            };
            if !which(activate_by) {
                continue;
            }
            let mut buckets: Vec<_> = tx
                .buckets_of(plan.id)?
                .into_iter()
                .map(|balance| balance.bucket)
                .collect();
            if let Some(state) = activate(&plan, &mut buckets, now) {
                plan.state = state;
                tx.update_subscription(&plan)?;
                for bucket in &buckets {
                    tx.update_bucket(bucket)?;
                }
                started = true;
                let key = format!("advance:{}:started:{}", line.id, plan.id);
                self.enqueue(tx, Task::AdvanceLine(line.id), key, now)?;
            }
        }
        Ok(started)
    }

    pub(crate) fn tell_thresholds(
        &self,
        tx: &mut dyn Tx,
        line: &Line,
        unit: Unit,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let balances: Vec<BucketBalance> = tx.open_buckets(line.id)?;
        let standing = standing(&balances, now);
        let Some(of_unit) = standing.units.iter().find(|standing| standing.unit == unit) else {
            return Ok(());
        };
        let Some(warning) = reached_thresholds(of_unit) else {
            return Ok(());
        };
        // Once per threshold and newest allowance: a new purchase and a new period warn anew, an
        // allowance that runs out does not.
        let newest = balances
            .iter()
            .map(|balance| &balance.bucket)
            .filter(|bucket| bucket.counts(unit) && bucket.is_open(now))
            .max_by_key(|bucket| (bucket.starts_at(), bucket.id));
        let Some(newest) = newest else { return Ok(()) };
        let key = format!("used:{}:{}:{}", line.id, newest.id, warning.percent());
        let left = of_unit.left;
        let url = format!("{}/line", self.settings.portal_url);
        let arguments = move |contact: &Contact| {
            vec![
                ("percent", warning.percent().to_string()),
                ("service", text::service(unit, contact.locale).to_owned()),
                ("left", text::quantity(unit, left, contact.locale)),
                ("url", url),
            ]
        };
        self.tell_customer(
            tx,
            Notice {
                customer: line.customer,
                template: Template::Used,
                key,
            },
            arguments,
            now,
        )
    }
}
