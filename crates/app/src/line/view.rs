//! What a subscriber sees of a line.

use simurgh_charging::{Standing, Subscription, SubscriptionState, standing};
use simurgh_commerce::{AutoRenewal, Running};
use simurgh_vocab::{CustomerId, LineId, Period, TimeZoneName, Timestamp};

use crate::ports::{DayUsage, Line, Mandate, StoreExt, Tx};
use crate::sales::running;
use crate::{App, Fault};

/// One plan of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanView {
    /// The subscription.
    pub subscription: Subscription,
    /// Its name in each language, in the order of `Locale::ALL`.
    pub names: [String; 2],
    /// When it runs, if that is known.
    pub period: Option<Period>,
    /// Whether it runs now.
    pub runs: bool,
    /// Until when it must be used for the first time, if it waits for that.
    pub activate_by: Option<Timestamp>,
}

/// A line with everything the account page shows.
#[derive(Clone)]
pub struct LineView {
    /// The line.
    pub line: Line,
    /// What is used, in use now and left.
    pub standing: Standing,
    /// The plans that run, wait or are to come, in the order in which they end.
    pub plans: Vec<PlanView>,
    /// What a further purchase builds on.
    pub running: Option<Running>,
    /// Automatic renewal, if it is on, with its stored method.
    pub renewal: Option<(AutoRenewal, Option<Mandate>)>,
    /// The time at which all this is true.
    pub as_of: Timestamp,
}

/// What a line used, by day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageHistory {
    /// The day that it is for the customer, as days since 1970-01-01.
    pub today: i64,
    /// What was used, the oldest day first.
    pub used: Vec<DayUsage>,
}

impl App {
    /// A customer's lines as the account page shows them.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn line_views(&self, customer: CustomerId) -> Result<Vec<LineView>, Fault> {
        let app = self.clone();
        let now = self.now();
        self.store
            .snapshot(move |tx| app.line_views_in(tx, customer, now))
            .await
    }

    /// A customer's lines as [`line_views`](Self::line_views) has them, and what one of them used
    /// by day, from `first_day` on, all read at the same moment. `choose` says which line, if any.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn line_views_with_usage(
        &self,
        customer: CustomerId,
        first_day: i64,
        choose: impl Fn(&[LineView]) -> Option<&LineView> + Send + 'static,
    ) -> Result<(Vec<LineView>, Vec<DayUsage>), Fault> {
        let app = self.clone();
        let now = self.now();
        self.store
            .snapshot(move |tx| {
                let views = app.line_views_in(tx, customer, now)?;
                let used = match choose(&views) {
                    Some(view) => tx.usage_since(view.line.id, first_day)?,
                    None => Vec::new(),
                };
                Ok((views, used))
            })
            .await
    }

    /// How much a customer's line used on each of the last `days` days of their calendar.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn usage_history(
        &self,
        customer: CustomerId,
        line: LineId,
        days: i64,
    ) -> Result<UsageHistory, Fault> {
        let app = self.clone();
        let now = self.now();
        self.store
            .snapshot(move |tx| {
                let today = app.day_of(tx, customer, now)?;
                let own = tx.line(line)?.filter(|line| line.customer == customer);
                let used = match own {
                    Some(line) => tx.usage_since(line.id, today - days + 1)?,
                    None => Vec::new(),
                };
                Ok(UsageHistory { today, used })
            })
            .await
    }

    /// The day that it is for a customer, as days since 1970-01-01.
    pub(crate) fn day_of(
        &self,
        tx: &mut dyn Tx,
        customer: CustomerId,
        at: Timestamp,
    ) -> Result<i64, Fault> {
        let contact = tx.contact_of(customer)?;
        Ok(self.day_in(contact.as_ref().map(|it| &it.time_zone), at))
    }

    /// The day at `at` in a time zone, as days since 1970; without one, in the operator's own.
    pub(crate) fn day_in(&self, zone: Option<&TimeZoneName>, at: Timestamp) -> i64 {
        let zone = zone.unwrap_or(&self.settings.entity_time_zone).zone();
        let instant = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or_default();
        let offset = i64::from(zone.to_offset(instant).seconds());
        (at.as_unix_seconds() + offset).div_euclid(86_400)
    }

    fn line_views_in(
        &self,
        tx: &mut dyn Tx,
        customer: CustomerId,
        now: Timestamp,
    ) -> Result<Vec<LineView>, Fault> {
        let lines = tx.lines_of(customer)?;
        lines
            .into_iter()
            .map(|line| self.line_view_in(tx, line, now))
            .collect()
    }

    pub(crate) fn line_view_in(
        &self,
        tx: &mut dyn Tx,
        line: Line,
        now: Timestamp,
    ) -> Result<LineView, Fault> {
        let subscriptions = tx.subscriptions_of(line.id)?;
        let balances = tx.open_buckets(line.id)?;
        let mut plans = Vec::new();
        for subscription in subscriptions.iter().filter(|plan| plan.is_alive(now)) {
            plans.push(self.plan_view(tx, subscription, now)?);
        }
        plans.sort_by_key(|plan| plan.period.map(|period| (period.start, period.end)));
        let renewal = match tx.auto_renewal(line.id)? {
            Some(renewal) => {
                let mandate = tx.mandate(renewal.mandate)?;
                Some((renewal, mandate))
            }
            None => None,
        };
        Ok(LineView {
            standing: standing(&balances, now),
            plans,
            running: running(&subscriptions, now),
            renewal,
            as_of: now,
            line,
        })
    }

    fn plan_view(
        &self,
        tx: &mut dyn Tx,
        subscription: &Subscription,
        now: Timestamp,
    ) -> Result<PlanView, Fault> {
        let catalogue = self.catalogue_in(tx, subscription.catalogue_version)?;
        let selection = subscription
            .selection
            .parse()
            .map_err(|_| Fault::Invariant(format!("subscription {}", subscription.id)))?;
        let names = simurgh_vocab::Locale::ALL
            .map(|locale| crate::sales::selection_name(&catalogue, &selection, locale));
        let (period, activate_by) = match subscription.state {
            SubscriptionState::Scheduled { period } => (Some(period), None),
            SubscriptionState::AwaitingFirstUse { activate_by, .. } => (None, Some(activate_by)),
            SubscriptionState::Ended { .. } | SubscriptionState::Revoked { .. } => (None, None),
        };
        Ok(PlanView {
            runs: period.is_some_and(|period| period.contains(now)),
            subscription: subscription.clone(),
            names,
            period,
            activate_by,
        })
    }
}
